//! Who is who: accounts, invitations and their sealed Garmin tokens.
