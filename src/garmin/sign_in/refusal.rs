//! Why a sign-in at Garmin did not succeed.
//!
//! Garmin distinguishes its refusals badly: a challenge page, a throttled address and a wrong password look alike.
//! Each class that the responses do distinguish is a variant here, because each requires a different action of the
//! person, and because only a wrong password may be reported as one.

use jiff::Timestamp;

use super::method::SignInMethod;

/// A class of refusal. The pages explain it to the person; [`SignInRefusal::reason`] names it in an event.
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
}
