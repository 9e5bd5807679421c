//! What comes of starting a race: the race, or why there is none.

use super::recipients::{ChatInvitation, RecipientProblem};
use crate::garmin::livetrack::ResolveError;
use crate::race::course::BadCourse;
use crate::race::fields::BadFields;
use crate::race::id::RaceId;
use crate::store::StoreError;

/// Why no race was started. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    #[error("{0}")]
    Settings(#[from] BadFields),
    #[error(transparent)]
    Course(#[from] BadCourse),
    /// The text contains no link to a LiveTrack session.
    #[error("url: {0}")]
    Link(#[from] ResolveError),
    #[error(
        "url: Garmin does not know this LiveTrack session, or no longer does; links expire after 24 hours. Ask the athlete for \
         the new link, or look for it in Garmin's latest e-mail"
    )]
    Gone,
    #[error("this account already has {0} races that are being watched; stop one of them first")]
    TooMany(usize),
    /// All people together have as many as the gateway takes.
    #[error(
        "the gateway is watching {0} races, which is as many as it can; try again when some of them have ended"
    )]
    GatewayFull(usize),
    /// `continue_race` does not name a race of this account.
    #[error("continue_race: there is no such race; list_races shows the ids")]
    NoSuchRace,
    /// The account was revoked or forgotten while the call waited for Garmin.
    #[error("access ended while this was under way; nothing was started. Connect again")]
    AccessEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecipientProblem> for TrackingError {
    fn from(problem: RecipientProblem) -> Self {
        match problem {
            RecipientProblem::Fields(bad) => bad.into(),
            RecipientProblem::Store(e) => e.into(),
        }
    }
}

/// What a link did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    New,
    /// The race was already watched with the same link.
    Known,
    /// An earlier race goes on with this link.
    Continued,
}

/// A race that is now being watched.
#[derive(Clone, Debug)]
pub struct StartedRace {
    pub race: RaceId,
    pub outcome: StartOutcome,
    /// Garmin has not replied yet; polling continues.
    pub unreachable: bool,
    /// Number of other sessions to which the text had a link. They are not watched.
    pub left_out: usize,
    /// Whether the session has a course that contradicts what is known about the race, so that it is not used.
    pub course_left_out: bool,
    /// The invitations of recipients, who get no messages before they accept.
    pub invitations: Vec<ChatInvitation>,
}
