//! The authorization server without HTTP.
