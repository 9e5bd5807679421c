//! The API.

pub(in crate::garmin) mod headers;
