//! Why a try fails, and why a sign-in stops on a page of its own.

use super::super::redirect::RedirectProblem;
use crate::garmin::SignInRefusal;

/// Why an attempt to sign in failed. The pages put it into words for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// The typed text can't be an e-mail address.
    NoEmail,
    /// The password is empty, or too long for Garmin.
    NoPassword,
    /// Garmin accepted the sign-in, but the store could not save it.
    NotKept,
    /// Garmin refused, or the governor did before Garmin was asked.
    Refused(SignInRefusal),
}

/// Why a sign-in stops. The pages put it into words for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeRefusal {
    /// The request can't be read, or lacks a parameter. `what` is for the client's developer.
    Malformed { what: String },
    /// No client with this id is known.
    UnknownClient,
    /// The client's metadata document can't be fetched from this host, or is not one.
    UnreadableClient { host: String },
    /// The redirect URI leads to a host that the operator has not allowed.
    ForeignHost,
    /// The redirect URI leads to an app that the operator has not allowed.
    ForeignApp,
    /// The redirect URI is not acceptable in any case. `what` is for the client's developer.
    BadRedirect { what: String },
    /// The redirect URI is allowed, but does not belong to this client.
    OtherRedirect,
    /// The transaction is missing, expired, or another browser's. All three get the same page, so that it reveals
    /// nothing.
    NotYours,
    /// The transaction has no tries left. Contains the reason why the last try failed.
    OutOfTries(Option<SignInNotice>),
    /// The same form was posted repeatedly while Garmin was being asked.
    TooManyClicks,
    /// All places of this source are taken by sign-ins that wait for Garmin or for a code.
    NoRoom,
    /// The operator withdrew the invitation or the access while the person was signing in.
    Withdrawn,
    /// The sign-in has already been completed.
    Finished,
    /// The person declined at `/link`, where there is no client to inform.
    Cancelled,
    /// An internal error occurred before there was a client to inform.
    Internal,
}

impl AuthorizeRefusal {
    /// The status of the page.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cancelled => 200,
            Self::Withdrawn => 403,
            Self::TooManyClicks | Self::NoRoom => 429,
            Self::UnreadableClient { .. } | Self::Internal => 503,
            Self::Malformed { .. }
            | Self::UnknownClient
            | Self::ForeignHost
            | Self::ForeignApp
            | Self::BadRedirect { .. }
            | Self::OtherRedirect
            | Self::NotYours
            | Self::OutOfTries(_)
            | Self::Finished => 400,
        }
    }

    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }
}

impl From<RedirectProblem> for AuthorizeRefusal {
    fn from(problem: RedirectProblem) -> Self {
        match problem {
            RedirectProblem::ForeignHost => Self::ForeignHost,
            RedirectProblem::ForeignApp => Self::ForeignApp,
            RedirectProblem::Malformed | RedirectProblem::Scheme | RedirectProblem::Extra => {
                Self::BadRedirect {
                    what: problem.to_string(),
                }
            }
        }
    }
}
