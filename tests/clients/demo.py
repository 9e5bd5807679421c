"""A newcomer's first minutes: `garmin-gateway demo`, and Claude connected with what it prints, word for word."""
