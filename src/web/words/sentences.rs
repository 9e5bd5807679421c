//! The sentence for each failure of a sign-in.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::fill::fill;
use super::table::SiteWords;
use crate::garmin::SignInRefusal;
use crate::oauth::{AuthorizeRefusal, SignInNotice};

/// A page that says why a sign-in stops.
pub(in crate::web) struct RefusalText {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) text: String,
    /// A sentence in English for the maker of the program that sent the person here.
    pub(in crate::web) technical: Option<String>,
}

impl SiteWords {
    /// Why the last try failed. `operator`: whom to ask.
    pub(in crate::web) fn notice(&self, notice: &SignInNotice, operator: &str) -> String {
        let words = &self.failures.notices;
        let refusal = match notice {
            SignInNotice::NoEmail => return words.no_email.to_owned(),
            SignInNotice::NoPassword => return words.no_password.to_owned(),
            SignInNotice::NotKept => return fill(words.not_kept, &[("operator", operator)]),
            SignInNotice::Refused(refusal) => refusal,
        };
        let after = |until: &Timestamp| {
            let [time, date] = self.moment(*until);
            fill(words.after, &[("time", &time), ("date", &date)])
        };
        let sentence = match refusal {
            SignInRefusal::WrongCredentials | SignInRefusal::SamePasswordAgain => words.wrong,
            SignInRefusal::AccountLocked => words.locked,
            SignInRefusal::Restricted => words.restricted,
            SignInRefusal::BotChallenge => words.captcha,
            SignInRefusal::RateLimited { until: Some(until) } => {
                return fill(words.limited_until, &[("after", &after(until))]);
            }
            SignInRefusal::RateLimited { until: None } => words.limited,
            SignInRefusal::TooManyToday { until } => {
                return fill(words.too_many_today, &[("after", &after(until))]);
            }
            SignInRefusal::Busy => words.busy,
            SignInRefusal::NotACode => words.not_a_code,
            SignInRefusal::WrongCode { tries_left: 0 } => words.last_wrong_code,
            SignInRefusal::WrongCode { .. } => words.wrong_code,
            SignInRefusal::ChallengeOver => words.code_over,
            SignInRefusal::TokenNotAccepted => words.tokens_refused,
            SignInRefusal::TicketRefused => words.no_access_given,
            SignInRefusal::Temporary => words.temporary,
            SignInRefusal::Unreachable => words.unreachable,
            SignInRefusal::RequestRejected => words.not_understood,
            SignInRefusal::Unexplained { status } => {
                return fill(words.unexplained, &[("status", &status.to_string())]);
            }
            SignInRefusal::Changed { path } => {
                return fill(words.changed, &[("path", path), ("operator", operator)]);
            }
            SignInRefusal::Exhausted { .. } => words.exhausted,
        };
        fill(sentence, &[("operator", operator)])
    }

    /// Why a sign-in stops, and what to do.
    pub(in crate::web) fn refusal(&self, refusal: &AuthorizeRefusal, operator: &str) -> RefusalText {
        let words = &self.failures.refusals;
        let (said, technical) = match refusal {
            AuthorizeRefusal::Malformed { what } => (&words.malformed, Some(what.clone())),
            AuthorizeRefusal::BadRedirect { what } => {
                return RefusalText {
                    technical: Some(what.clone()),
                    ..self.astray(words.bad_redirect, operator)
                };
            }
            AuthorizeRefusal::ForeignHost => return self.astray(words.foreign_host, operator),
            AuthorizeRefusal::ForeignApp => return self.astray(words.foreign_app, operator),
            AuthorizeRefusal::OtherRedirect => return self.astray(words.other_redirect, operator),
            AuthorizeRefusal::UnreadableClient { host } => {
                let words = &words.unreadable_client;
                return RefusalText {
                    title: words.title,
                    text: fill(words.text, &[("host", host), ("operator", operator)]),
                    technical: None,
                };
            }
            AuthorizeRefusal::OutOfTries(notice) => {
                let words = &words.out_of_tries;
                let why = notice.as_ref().map(|notice| self.notice(notice, operator));
                let why = why.unwrap_or_default();
                return RefusalText {
                    title: words.title,
                    text: format!("{why} {}", words.text).trim_start().to_owned(),
                    technical: None,
                };
            }
            AuthorizeRefusal::UnknownClient => (&words.unknown_client, None),
            AuthorizeRefusal::NotYours => (&words.not_yours, None),
            AuthorizeRefusal::TooManyClicks => (&words.too_many_clicks, None),
            AuthorizeRefusal::NoRoom => (&words.no_room, None),
            AuthorizeRefusal::Withdrawn => (&words.withdrawn, None),
            AuthorizeRefusal::Finished => (&words.finished, None),
            AuthorizeRefusal::Cancelled => (&words.cancelled, None),
            AuthorizeRefusal::Internal => (&words.internal, None),
        };
        RefusalText {
            title: said.title,
            text: fill(said.text, &[("operator", operator)]),
            technical,
        }
    }

    /// A sign-in that would lead to a wrong address.
    fn astray(&self, sentence: &str, operator: &str) -> RefusalText {
        RefusalText {
            title: self.failures.refusals.astray,
            text: fill(sentence, &[("operator", operator)]),
            technical: None,
        }
    }

    /// The time of day and the date, in UTC, rounded up to the minute.
    fn moment(&self, at: Timestamp) -> [String; 2] {
        let rounded = at.checked_add(SignedDuration::from_secs(59)).unwrap_or(at);
        let rounded = rounded.to_zoned(TimeZone::UTC);
        [
            rounded.strftime("%H:%M").to_string(),
            self.day_of_month(rounded.date()),
        ]
    }
}
