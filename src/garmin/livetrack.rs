//! LiveTrack, Garmin's public way to follow an athlete: links, sessions, trackpoints, courses.
//!
//! No Garmin login is involved. The pair (session id, token) of the shared link grants full access, so the token is a
//! [`crate::base::secrets::Secret`]. The interface changed four times in ten years, so it is read tolerantly: both
//! shapes of a point are accepted, unknown members are kept, implausible values are set aside, and the page itself is
//! the last resort. Anything else is [`LiveTrackError::Changed`].
//!
//! Invariants:
//! - A session is requested only from Garmin's LiveTrack host, by a URL rebuilt from id and token. Resolving a short
//!   link takes one request, whose redirect is not followed.
//! - A point is identified by the device's time, in whole milliseconds.
//!
//! Absent on purpose: the interfaces of older generations, which answer 404.

mod client;
mod course;
mod error;
mod json_fields;
mod link;
mod link_text;
mod page;
mod point;
mod session;

pub use client::{LiveTrack, ResolveError};
pub use course::course;
pub use error::{LiveTrackError, back_off};
pub use link::{LinkProblem, LiveTrackLink, PastedLink, find, find_all};
pub use page::{LiveTrackPage, csrf_token, page};
pub use point::{EARTH_RADIUS_M, PointStatus, Position, Trackpoint, TrackpointBatch, points};
pub use session::LiveTrackSession;
