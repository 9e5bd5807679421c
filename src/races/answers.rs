//! The answers of the race tools as JSON. Pure.
//!
//! Times of day are local, with their offset from UTC. Numbers are rounded to their accuracy, and unknown values omitted.

mod outlook;
mod recipients;
mod status;
mod summary;
mod timeseries;
mod values;

pub use outlook::{WhyNoOutlook, beyond_finish, crew_sheet, find_place, outlook, place_rules, why_unknown};
pub use recipients::{invitations, recipient_line};
pub use status::{line, status};
pub use summary::summary;
pub use timeseries::{METRICS, SeriesRequest, USUAL_METRICS, timeseries};
pub use values::{name, standing};
