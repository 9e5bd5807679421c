//! The code that Garmin wants on top of the password.
//!
//! A code is good only for the sign-in that asked for it: same cookies, same way in. So the challenge keeps its
//! cookie jar, and stays open for another try when a code was wrong.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::cookie::Jar;

use super::redeem::{self, Ticket};
use super::{Conversation, Move, SignedIn, Turn, json, widget};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::governor::Person;
use crate::garmin::refusal::{SignInMethod, SignInRefusal};
use crate::garmin::wire::{Ask, Heard};

/// How many codes a challenge takes: a slip or two, and not enough for Garmin to lock the account.
const TRIES: u8 = 3;

/// How long a challenge is kept. Garmin's own page gives a code some minutes.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Longest row of digits that is taken for a code; Garmin's have six.
const LONGEST_CODE: usize = 10;

/// A sign-in that waits for its code. Keep it in memory only: it holds the cookies of the sign-in.
pub struct MfaChallenge {
    pub(super) pending: Pending,
    pub(super) jar: Arc<Jar>,
    pub(super) person: Person,
    pub(super) opened_at: Timestamp,
    tries_left: u8,
}

/// How the code reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaMethod {
    /// By e-mail.
    Email,
    /// To a phone, as a message or a call.
    Phone,
    /// An app on the person's phone shows it.
    Authenticator,
    /// Garmin named a method that is not known here, or none.
    Unknown,
}

/// What is kept of the way in to answer its challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pending {
    /// `method` in Garmin's word; `sent_to` masked by Garmin.
    Json {
        way: SignInMethod,
        method: String,
        sent_to: Option<String>,
    },
    Widget(widget::CodePage),
}

/// What Garmin said to a code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CodeAnswer {
    Ticket(Ticket),
    Wrong,
    /// The code was not looked at: throttled, out of order, or not an answer of the service itself.
    NotHeard(SignInRefusal),
    /// No code will do any more.
    Refused(SignInRefusal),
}

impl MfaChallenge {
    pub(super) fn new(pending: Pending, jar: Arc<Jar>, person: Person, now: Timestamp) -> Self {
        Self {
            pending,
            jar,
            person,
            opened_at: now,
            tries_left: TRIES,
        }
    }

    /// How the code reaches the person.
    pub fn method(&self) -> MfaMethod {
        let method = match &self.pending {
            Pending::Json { method, .. } => method,
            Pending::Widget(page) => &page.method,
        };
        match method.to_ascii_lowercase().as_str() {
            "email" => MfaMethod::Email,
            "sms" | "phone" => MfaMethod::Phone,
            "totp" | "authenticator" | "app" => MfaMethod::Authenticator,
            _ => MfaMethod::Unknown,
        }
    }

    /// Where Garmin sent the code, masked by Garmin (`a****@example.org`), if it said so.
    pub fn sent_to(&self) -> Option<&str> {
        match &self.pending {
            Pending::Json { sent_to, .. } => sent_to.as_deref(),
            Pending::Widget(page) => page.sent_to.as_deref(),
        }
    }

    /// Where the person finds the code, in a sentence.
    pub fn instruction(&self) -> String {
        let to = self.sent_to().map(|to| format!(" to {to}")).unwrap_or_default();
        match self.method() {
            MfaMethod::Email => format!("Garmin sends a code by e-mail{to}. It may take a minute."),
            MfaMethod::Phone => format!("Garmin sends a code to your phone{}.", to.replace(" to ", ", ")),
            MfaMethod::Authenticator => "Your authenticator app shows the code.".to_owned(),
            MfaMethod::Unknown => "Garmin wants a code: it comes by e-mail or to your phone.".to_owned(),
        }
    }

    /// How many more codes it takes; 0 = start again.
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// The way in that asked for the code.
    pub(super) fn way(&self) -> SignInMethod {
        match &self.pending {
            Pending::Json { way, .. } => *way,
            Pending::Widget(_) => SignInMethod::Widget,
        }
    }

    /// Why no code can be tried, if so.
    pub(super) fn closed(&self, now: Timestamp) -> Option<SignInRefusal> {
        let too_old = now.duration_since(self.opened_at) > LIFE;
        (self.tries_left == 0 || too_old).then_some(SignInRefusal::ChallengeOver)
    }

    /// Takes note of a wrong code.
    pub(super) fn wrong_code(&mut self) -> SignInRefusal {
        self.tries_left = self.tries_left.saturating_sub(1);
        SignInRefusal::WrongCode {
            tries_left: self.tries_left,
        }
    }

    /// No more codes: it was answered, or Garmin closed it.
    pub(super) fn close(&mut self) {
        self.tries_left = 0;
    }
}

impl fmt::Debug for MfaChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MfaChallenge")
            .field("method", &self.method())
            .field("tries_left", &self.tries_left)
            .finish_non_exhaustive()
    }
}

/// The digits of what was typed, with the blanks and dashes that people put between them left out.
pub(super) fn code_of(typed: &Secret) -> Option<Secret> {
    let digits: String = typed
        .expose()
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    let good = (4..=LONGEST_CODE).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then(|| Secret::new(digits))
}

/// One code on its way: from the code to the signed-in person.
pub(super) struct Verifying<'a> {
    hosts: &'a GarminHosts,
    pending: &'a mut Pending,
    code: Secret,
    at: At,
}

/// What a try comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    SignedIn(SignedIn),
    WrongCode,
    /// The code was not looked at: it may be tried again.
    NotHeard(SignInRefusal),
    /// The challenge is over.
    Refused(SignInRefusal),
}

enum At {
    Start,
    /// The code was sent by the path of this way; `other` can still be tried.
    Code {
        other: Option<SignInMethod>,
    },
    Redeem(redeem::At),
}

impl<'a> Verifying<'a> {
    pub(super) fn new(hosts: &'a GarminHosts, pending: &'a mut Pending, code: Secret) -> Self {
        Self {
            hosts,
            pending,
            code,
            at: At::Start,
        }
    }

    fn send(&mut self, at: At, ask: Ask) -> Move<Ended> {
        self.at = at;
        Move::Send(Box::new(ask))
    }

    fn hear_code(&mut self, other: Option<SignInMethod>, heard: &Heard) -> Move<Ended> {
        let Heard::Answer(answer) = heard else {
            return self.by_other_path(other, SignInRefusal::Unreachable);
        };
        let said = match self.pending {
            Pending::Json { way, .. } => json::read_verify(self.hosts, *way, answer),
            Pending::Widget(page) => widget::read_verify(self.hosts, page, answer),
        };
        match said {
            CodeAnswer::Ticket(ticket) => {
                let (at, ask) = redeem::begin(self.hosts, ticket);
                self.send(At::Redeem(at), ask)
            }
            CodeAnswer::Wrong => Move::Done(Ended::WrongCode),
            CodeAnswer::NotHeard(refusal) => self.by_other_path(other, refusal),
            CodeAnswer::Refused(refusal) => Move::Done(Ended::Refused(refusal)),
        }
    }

    /// The two JSON ways take each other's codes; a definite answer is never asked for twice.
    fn by_other_path(&mut self, other: Option<SignInMethod>, refusal: SignInRefusal) -> Move<Ended> {
        match (other, &*self.pending) {
            (Some(other), Pending::Json { method, .. }) => {
                let ask = json::verify(self.hosts, other, method, &self.code);
                self.send(At::Code { other: None }, ask)
            }
            _ => Move::Done(Ended::NotHeard(refusal)),
        }
    }
}

impl Conversation for Verifying<'_> {
    type End = Ended;

    fn begin(&mut self) -> Move<Ended> {
        let (ask, other) = match &*self.pending {
            Pending::Json { way, method, .. } => {
                let other = if *way == SignInMethod::Portal {
                    SignInMethod::Mobile
                } else {
                    SignInMethod::Portal
                };
                (json::verify(self.hosts, *way, method, &self.code), Some(other))
            }
            Pending::Widget(page) => (widget::verify(self.hosts, page, &self.code), None),
        };
        self.send(At::Code { other }, ask)
    }

    fn hear(&mut self, heard: &Heard) -> Move<Ended> {
        match std::mem::replace(&mut self.at, At::Start) {
            At::Start => self.begin(),
            At::Code { other } => self.hear_code(other, heard),
            At::Redeem(at) => match redeem::hear(self.hosts, at, heard) {
                Turn::Ask(at, ask) => self.send(At::Redeem(at), ask),
                Turn::Won(signed_in) => Move::Done(Ended::SignedIn(signed_in)),
                Turn::Refused(refusal) => Move::Done(Ended::Refused(refusal)),
                Turn::CodeWanted(_) => Move::Done(Ended::Refused(SignInRefusal::ChallengeOver)),
            },
        }
    }
}
