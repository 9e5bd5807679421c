//! All that talks to Garmin.
