//! LiveTrack, Garmin's public way to follow somebody: links, sessions, trackpoints, courses.
//!
//! No Garmin login takes part: everything hangs on the pair (session id, token) of the link that the athlete shared,
//! so the token is a [`crate::base::secrets::Secret`]. The interface changed four times in ten years; what is
//! read here is read tolerantly: both shapes of a point, unknown members kept, absurd values set aside, and the
//! page itself as the last resort. What can't be read at all is [`LiveTrackError::Changed`].
//!
//! Invariants:
//! - Nothing but Garmin's LiveTrack host is ever asked for a session, and its URL is rebuilt from id and token. A
//!   short link is resolved by one request that is not followed.
//! - A point's time is the device's, in whole milliseconds, and is its identity.
//!
//! Absent on purpose: the interfaces of older generations, which answer 404.

mod client;
mod course;
mod error;
mod json_fields;
mod link;
mod page;
mod point;
mod session;

pub use client::{LiveTrack, ResolveError};
pub use course::course;
pub use error::{LiveTrackError, back_off};
pub use link::{LinkProblem, LiveTrackLink, PastedLink, find};
pub use page::{LiveTrackPage, csrf_token, page};
pub use point::{PointStatus, Position, Trackpoint, TrackpointBatch, points};
pub use session::LiveTrackSession;
