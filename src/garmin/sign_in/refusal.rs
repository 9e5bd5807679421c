//! Why a sign-in at Garmin did not succeed, in words for the log and for the person.
//!
//! Garmin distinguishes its refusals badly: a challenge page, a throttled address and a wrong password look alike.
//! Each class that the responses do distinguish is a variant here, because each requires a different action of the
//! person, and because only a wrong password may be reported as one.

use jiff::{SignedDuration, Timestamp};

use super::method::SignInMethod;

/// A class of refusal. [`SignInRefusal::for_person`] explains it on a page, [`SignInRefusal::reason`] names it in an
/// event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInRefusal {
    /// Garmin says that the e-mail and password do not match. Who can act: the person.
    WrongCredentials,
    /// Garmin has just refused the same e-mail and password, so they were not sent again. Who can act: the person.
    SamePasswordAgain,
    /// Garmin locked the account. Who can act: the person, at Garmin.
    AccountLocked,
    /// Garmin does not let this account sign in this way (child and family accounts). Who can act: the person, at
    /// Garmin.
    Restricted,
    /// Garmin demands that a captcha be solved. Nobody can act; it passes.
    BotChallenge,
    /// Garmin asks for fewer requests. Nobody can act; it passes.
    RateLimited {
        /// No sign-in reaches Garmin before this time.
        until: Option<Timestamp>,
    },
    /// This e-mail has used up the sign-ins of the day. Nobody can act; it passes.
    TooManyToday {
        /// When the next attempt is allowed.
        until: Timestamp,
    },
    /// Too many other sign-ins are waiting. Who can act: the person, by trying again in a minute.
    Busy,
    /// The typed text cannot be a code, so it was not sent. Who can act: the person.
    NotACode,
    /// Garmin refused the code. Who can act: the person, while tries are left.
    WrongCode {
        /// The number of codes that this challenge still accepts.
        tries_left: u8,
    },
    /// The challenge was answered, is out of tries or too old. Who can act: the person, by starting again.
    ChallengeOver,
    /// Garmin signed the person in, but its API refuses the tokens. Who can act: usually only Garmin.
    TokenNotAccepted,
    /// Garmin signed the person in, but issued no tokens. Who can act: the operator; the client ids may be out of
    /// date.
    TicketRefused,
    /// Garmin has an outage (5xx, or a page instead of JSON). Nobody can act; it passes.
    Temporary,
    /// Garmin did not respond. Who can act: the operator, if other machines reach Garmin.
    Unreachable,
    /// Garmin could not read the request. Who can act: the operator, by reporting this bug.
    RequestRejected,
    /// Garmin refused without a reason, which is no proof of a wrong password.
    Unexplained { status: u16 },
    /// The response has an unknown shape. Who can act: the operator, by an update.
    Changed {
        /// The place, such as `mobile login: responseStatus.type`; never a value.
        path: String,
    },
    /// Every sign-in method failed, and not all for the same reason.
    Exhausted {
        /// The failed methods, in the order tried.
        methods: Vec<(SignInMethod, SignInRefusal)>,
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
    #[expect(clippy::too_many_lines, reason = "one sentence per refusal, side by side")]
    pub fn for_person(&self) -> String {
        let text = match self {
            Self::WrongCredentials => {
                "Garmin says that this e-mail and password do not match. Check both. If you are not sure, sign in at \
                 connect.garmin.com first, because too many wrong tries lock the account."
            }
            Self::SamePasswordAgain => {
                "Garmin refused this password a moment ago, so it was not sent again. Check it at connect.garmin.com, or \
                 try another one."
            }
            Self::AccountLocked => {
                "Garmin has locked this account. Sign in at connect.garmin.com, follow the steps there (often a new \
                 password), then come back."
            }
            Self::Restricted => {
                "Garmin does not allow this account to sign in here, as with child and family accounts. Use another \
                 Garmin account."
            }
            Self::BotChallenge => {
                "Garmin asks for a captcha, which cannot be solved here. Garmin did not say that your password is wrong. \
                 This passes: try again in a few hours, and not more often."
            }
            Self::RateLimited { until: Some(until) } => {
                return format!(
                    "Garmin is limiting sign-ins from this gateway. Garmin did not say that your password is wrong. You \
                     can try again {}.",
                    after(*until)
                );
            }
            Self::RateLimited { until: None } => {
                "Garmin is limiting sign-ins from this gateway. Garmin did not say that your password is wrong. Try again \
                 in a few hours."
            }
            Self::TooManyToday { until } => {
                return format!(
                    "There were too many sign-ins with this e-mail today. To keep Garmin from locking the account, the \
                     next one is possible {}.",
                    after(*until)
                );
            }
            Self::Busy => {
                "Other people are signing in at the moment, and sign-ins go to Garmin one at a time. Nothing was sent to \
                 Garmin. Try again in a minute."
            }
            Self::NotACode => {
                "A code from Garmin has only digits, usually six. Nothing was sent to Garmin. Type the code again."
            }
            Self::WrongCode { tries_left: 0 } => {
                "Garmin did not accept this code either. Start again to get a new one."
            }
            Self::WrongCode { tries_left } => {
                let left = if *tries_left == 1 { "try" } else { "tries" };
                return format!(
                    "Garmin did not accept this code. Use the newest one you received. You have {tries_left} {left} left."
                );
            }
            Self::ChallengeOver => {
                "This sign-in no longer accepts a code. Start again, and Garmin will send a new one."
            }
            Self::TokenNotAccepted => {
                "Garmin accepted your password, but its data service refuses the resulting sign-in. The fault is at \
                 Garmin, not your password. Try once more: the gateway will use another sign-in method."
            }
            Self::TicketRefused => {
                "Garmin accepted your password, but did not give this gateway access. Your password is not the problem. \
                 Tell the operator that Garmin refused the ticket; the gateway may need an update."
            }
            Self::Temporary => {
                "Garmin's sign-in is not working at the moment. Garmin did not say that your password is wrong. Try again \
                 in a few minutes."
            }
            Self::Unreachable => {
                "The gateway could not reach Garmin, so your password was not checked. Try again in a few minutes. If \
                 this continues, tell the operator."
            }
            Self::RequestRejected => {
                "Garmin did not understand the gateway's request. The fault is in the gateway, not your password. Tell \
                 the operator that the gateway needs an update."
            }
            Self::Unexplained { status } => {
                return format!(
                    "Garmin refused the sign-in without a reason (status {status}). That does not mean that your password \
                     is wrong. Try again later."
                );
            }
            Self::Changed { path } => {
                return format!(
                    "Garmin has changed its sign-in, and this gateway does not understand the response ({path}). Your \
                     password is not the problem. Tell the operator that the gateway needs an update."
                );
            }
            Self::Exhausted { methods } => {
                let tried = methods
                    .iter()
                    .map(|(method, refusal)| format!("{method}: {}", refusal.short()));
                return format!(
                    "None of Garmin's sign-in methods worked ({}). Garmin did not say that your password is wrong. Try \
                     again in a few hours, and not more often.",
                    tried.collect::<Vec<_>>().join("; ")
                );
            }
        };
        text.to_owned()
    }

    /// The class in a few words, for the list in [`SignInRefusal::Exhausted`].
    fn short(&self) -> String {
        match self {
            Self::BotChallenge => "captcha required".to_owned(),
            Self::RateLimited { .. } => "too many sign-ins".to_owned(),
            Self::Restricted => "not allowed for this account".to_owned(),
            Self::TokenNotAccepted => "refused by the data service".to_owned(),
            Self::TicketRefused => "no access given".to_owned(),
            Self::Temporary => "not working".to_owned(),
            Self::Unreachable => "no response".to_owned(),
            Self::RequestRejected => "request not understood".to_owned(),
            Self::Unexplained { status } => format!("refused without a reason (status {status})"),
            Self::Changed { path } => format!("unknown response at {path}"),
            other => other.reason().replace('_', " "),
        }
    }
}

/// "after 14:30 UTC on 21 November", rounded up to the minute.
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
                methods: vec![
                    (SignInMethod::Mobile, SignInRefusal::RateLimited { until: None }),
                    (SignInMethod::Widget, SignInRefusal::BotChallenge),
                    (SignInMethod::Portal, SignInRefusal::Unexplained { status: 401 }),
                ],
            },
        ]
    }

    #[test]
    fn no_two_classes_share_a_text() {
        let samples = samples();
        let texts: std::collections::BTreeSet<String> =
            samples.iter().map(SignInRefusal::for_person).collect();
        assert_eq!(texts.len(), samples.len());
    }

    #[test]
    fn only_a_wrong_password_is_called_one() {
        for refusal in samples() {
            let called_wrong = refusal.for_person().contains("do not match");
            assert_eq!(
                called_wrong,
                refusal == SignInRefusal::WrongCredentials,
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn times_are_rounded_up() {
        let at: Timestamp = "2026-11-21T14:29:30Z".parse().unwrap();
        let text = SignInRefusal::RateLimited { until: Some(at) }.for_person();
        assert!(text.contains("after 14:30 UTC on 21 November"), "{text}");
    }

    #[test]
    fn the_list_of_methods_gives_the_reason_of_each() {
        let text = samples().last().unwrap().for_person();
        assert!(text.contains(
            "the phone app's sign-in: too many sign-ins; the embedded sign-in form: captcha required"
        ));
    }
}
