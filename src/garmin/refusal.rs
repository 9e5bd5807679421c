//! Why a sign-in at Garmin did not succeed, in words for the log and for the person.
//!
//! Garmin tells its refusals apart badly: a challenge page, a throttled address and a wrong password all look like
//! "no". Each class that the answers do let us tell apart is a variant here, because the person must do something
//! different for each, and because only a wrong password may be called one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One of Garmin's ways in. All lead to the same tokens; each has its own limits at Garmin's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// The JSON interface of the phone app.
    Mobile,
    /// The HTML form that other sites embed.
    Widget,
    /// The JSON interface of the web site.
    Portal,
}

impl SignInMethod {
    /// The order in which they are tried: the quick one, the one with limits of its own, the slow one.
    pub const ALL: [Self; 3] = [Self::Mobile, Self::Widget, Self::Portal];

    /// The name in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Widget => "widget",
            Self::Portal => "portal",
        }
    }
}

impl fmt::Display for SignInMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mobile => "the phone app's sign-in",
            Self::Widget => "the embedded sign-in form",
            Self::Portal => "the web site's sign-in",
        })
    }
}

/// A class of refusal. [`SignInRefusal::for_person`] says it on a page, [`SignInRefusal::reason`] in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInRefusal {
    /// Garmin says that e-mail and password don't belong together. Who can act: the person.
    WrongCredentials,
    /// The same e-mail and password that Garmin just called wrong; they were not sent again. The person.
    SamePasswordAgain,
    /// Garmin locked the account. The person, at Garmin.
    AccountLocked,
    /// Garmin does not let this account sign in this way (child and family accounts). The person, at Garmin.
    Restricted,
    /// Garmin wants to see a human solve a challenge. Nobody now; it passes.
    BotChallenge,
    /// Garmin asks us to slow down. Nobody now; `until` is when the gateway will try again.
    RateLimited {
        /// No sign-in reaches Garmin before this.
        until: Option<Timestamp>,
    },
    /// This e-mail had its sign-ins of the day. Nobody now.
    TooManyToday {
        /// When the next one is free.
        until: Timestamp,
    },
    /// Too many others are waiting to sign in. The person, by trying again in a minute.
    Busy,
    /// What was typed can't be a code; it was not sent. The person.
    NotACode,
    /// Garmin refused the code. The person, while tries are left.
    WrongCode {
        /// How many more codes this challenge takes.
        tries_left: u8,
    },
    /// The challenge is answered, out of tries or too old: it takes no more codes. The person, by starting again.
    ChallengeOver,
    /// Garmin signed the person in, but its data service refuses the tokens. Mostly Garmin.
    TokenNotAccepted,
    /// Garmin signed the person in, but gave no tokens for it. The operator: the client ids may be out of date.
    TicketRefused,
    /// Garmin is out of order (5xx, a page instead of an answer). Nobody now.
    Temporary,
    /// No answer at all. The operator, if other machines reach Garmin.
    Unreachable,
    /// Garmin could not read our request. The operator: a fault of this program.
    RequestRejected,
    /// "No", without a reason. Not proof of a wrong password.
    Unexplained {
        /// The HTTP status.
        status: u16,
    },
    /// An answer of a shape that this program does not know. The operator.
    Changed {
        /// Where in the answer it was noticed, such as `mobile login: responseStatus.type`; never a value.
        path: String,
    },
    /// Every way in failed, each for another reason.
    Exhausted {
        /// In the order tried.
        ways: Vec<(SignInMethod, SignInRefusal)>,
    },
}

impl SignInRefusal {
    /// The name of the class, for events: stable, and free of anything personal.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::WrongCredentials => "wrong_credentials",
            Self::SamePasswordAgain => "same_password_again",
            Self::AccountLocked => "account_locked",
            Self::Restricted => "restricted",
            Self::BotChallenge => "bot_challenge",
            Self::RateLimited { .. } => "rate_limited",
            Self::TooManyToday { .. } => "too_many_today",
            Self::Busy => "busy",
            Self::NotACode => "not_a_code",
            Self::WrongCode { .. } => "wrong_code",
            Self::ChallengeOver => "challenge_over",
            Self::TokenNotAccepted => "token_not_accepted",
            Self::TicketRefused => "ticket_refused",
            Self::Temporary => "temporary",
            Self::Unreachable => "unreachable",
            Self::RequestRejected => "request_rejected",
            Self::Unexplained { .. } => "unexplained",
            Self::Changed { .. } => "changed",
            Self::Exhausted { .. } => "exhausted",
        }
    }

    /// What happened and what to do about it, in plain words.
    pub fn for_person(&self) -> String {
        match self {
            Self::WrongCredentials => "Garmin says that this e-mail and password don't belong together. Check both; if you \
                are not sure, sign in at connect.garmin.com first, because too many wrong tries lock the account."
                .to_owned(),
            Self::SamePasswordAgain => "That is the same password that Garmin refused a moment ago, so it was not sent \
                again. Check it at connect.garmin.com, or try another one."
                .to_owned(),
            Self::AccountLocked => "Garmin has locked this account. Sign in at connect.garmin.com and follow what Garmin \
                asks there (often a new password), then come back."
                .to_owned(),
            Self::Restricted => "Garmin does not let this account sign in here; that is so for child and family \
                accounts. Another Garmin account is needed."
                .to_owned(),
            Self::BotChallenge => "Garmin wants to see that a human is signing in (a captcha), which can't be answered \
                here. Your password was not called wrong. This passes by itself: try again in a few hours, and not more \
                often."
                .to_owned(),
            Self::RateLimited { until: Some(until) } => format!(
                "Garmin asks for fewer sign-ins for a while. Your password was not called wrong. The next try is \
                 possible {}.",
                after(*until)
            ),
            Self::RateLimited { until: None } => "Garmin asks for fewer sign-ins for a while. Your password was not called \
                wrong. Try again in a few hours."
                .to_owned(),
            Self::TooManyToday { until } => format!(
                "There were many sign-ins with this e-mail today. So that Garmin does not lock the account, the next one \
                 is possible {}.",
                after(*until)
            ),
            Self::Busy => "Others are signing in at the moment, and Garmin wants them one by one. Nothing was sent to \
                Garmin; try again in a minute."
                .to_owned(),
            Self::NotACode => "A code from Garmin is a row of digits, mostly six. What was typed was not sent; type it \
                again."
                .to_owned(),
            Self::WrongCode { tries_left: 0 } => "Garmin did not take this code either. Start again to get a new \
                one."
                .to_owned(),
            Self::WrongCode { tries_left } => format!(
                "Garmin did not take this code. Use the newest one that you got; {} left.",
                if *tries_left == 1 { "one more try is".to_owned() } else { format!("{tries_left} more tries are") }
            ),
            Self::ChallengeOver => "This sign-in can't take a code any more. Start again; Garmin will give you a new \
                code."
                .to_owned(),
            Self::TokenNotAccepted => "Garmin took your password, but its data service does not accept the sign-in that \
                it gave. This is on Garmin's side and has nothing to do with your password. Try once more; another way in \
                will be used."
                .to_owned(),
            Self::TicketRefused => "Garmin took your password, but would not give this gateway access. This has nothing \
                to do with your password. Tell the operator that Garmin refused the ticket; the gateway may need an update."
                .to_owned(),
            Self::Temporary => "Garmin's sign-in is out of order at the moment. Your password was not called wrong. Try \
                again in some minutes."
                .to_owned(),
            Self::Unreachable => "Garmin could not be reached from this gateway. Your password was not sent, or not \
                looked at. Try again in some minutes; if it stays so, tell the operator."
                .to_owned(),
            Self::RequestRejected => "Garmin did not understand the request of this gateway. This is a fault of the \
                gateway and has nothing to do with your password. Tell the operator that it needs an update."
                .to_owned(),
            Self::Unexplained { status } => format!(
                "Garmin refused the sign-in without saying why (status {status}). That does not mean that your password \
                 is wrong. Try again later."
            ),
            Self::Changed { path } => format!(
                "Garmin has changed its sign-in, and this gateway does not understand the answer ({path}). This has \
                 nothing to do with your password. Tell the operator that the gateway needs an update."
            ),
            Self::Exhausted { ways } => {
                let tried: Vec<String> = ways.iter().map(|(way, refusal)| format!("{way}: {}", refusal.short())).collect();
                format!(
                    "None of Garmin's ways in worked ({}). Your password was not called wrong. Try again in a few hours, \
                     and not more often.",
                    tried.join("; ")
                )
            }
        }
    }

    /// The class in a few words, for the list in [`SignInRefusal::Exhausted`].
    fn short(&self) -> String {
        match self {
            Self::BotChallenge => "a captcha is wanted".to_owned(),
            Self::RateLimited { .. } => "too many sign-ins".to_owned(),
            Self::Restricted => "not for this account".to_owned(),
            Self::TokenNotAccepted => "the data service refused it".to_owned(),
            Self::TicketRefused => "no access was given".to_owned(),
            Self::Temporary => "out of order".to_owned(),
            Self::Unreachable => "no answer".to_owned(),
            Self::RequestRejected => "request not understood".to_owned(),
            Self::Unexplained { status } => format!("refused without a reason, status {status}"),
            Self::Changed { path } => format!("unknown answer at {path}"),
            other => other.reason().replace('_', " "),
        }
    }
}

/// "after 14:30 UTC on 21 November": rounded up to the minute, so that it's never too early.
fn after(until: Timestamp) -> String {
    let rounded = until.checked_add(SignedDuration::from_secs(59)).unwrap_or(until);
    format!("after {}", rounded.strftime("%H:%M UTC on %-d %B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<SignInRefusal> {
        let at: Timestamp = "2026-11-21T14:29:30Z".parse().unwrap();
        vec![
            SignInRefusal::WrongCredentials,
            SignInRefusal::SamePasswordAgain,
            SignInRefusal::AccountLocked,
            SignInRefusal::Restricted,
            SignInRefusal::BotChallenge,
            SignInRefusal::RateLimited { until: Some(at) },
            SignInRefusal::RateLimited { until: None },
            SignInRefusal::TooManyToday { until: at },
            SignInRefusal::Busy,
            SignInRefusal::NotACode,
            SignInRefusal::WrongCode { tries_left: 2 },
            SignInRefusal::WrongCode { tries_left: 1 },
            SignInRefusal::WrongCode { tries_left: 0 },
            SignInRefusal::ChallengeOver,
            SignInRefusal::TokenNotAccepted,
            SignInRefusal::TicketRefused,
            SignInRefusal::Temporary,
            SignInRefusal::Unreachable,
            SignInRefusal::RequestRejected,
            SignInRefusal::Unexplained { status: 401 },
            SignInRefusal::Changed {
                path: "mobile login: responseStatus.type".to_owned(),
            },
            SignInRefusal::Exhausted {
                ways: vec![
                    (SignInMethod::Mobile, SignInRefusal::RateLimited { until: None }),
                    (SignInMethod::Widget, SignInRefusal::BotChallenge),
                    (SignInMethod::Portal, SignInRefusal::Unexplained { status: 401 }),
                ],
            },
        ]
    }

    #[test]
    fn each_class_has_a_text_of_its_own() {
        let samples = samples();
        let texts: std::collections::BTreeSet<String> =
            samples.iter().map(SignInRefusal::for_person).collect();
        assert_eq!(texts.len(), samples.len());
    }

    #[test]
    fn only_a_wrong_password_is_called_one() {
        for refusal in samples() {
            let called_wrong = refusal.for_person().contains("don't belong together");
            assert_eq!(
                called_wrong,
                refusal == SignInRefusal::WrongCredentials,
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn times_are_shown_and_never_too_early() {
        let at: Timestamp = "2026-11-21T14:29:30Z".parse().unwrap();
        let text = SignInRefusal::RateLimited { until: Some(at) }.for_person();
        assert!(text.contains("after 14:30 UTC on 21 November"), "{text}");
    }

    #[test]
    fn the_list_of_ways_says_what_happened_on_each() {
        let text = samples().last().unwrap().for_person();
        assert!(text.contains(
            "the phone app's sign-in: too many sign-ins; the embedded sign-in form: a captcha is wanted"
        ));
    }
}
