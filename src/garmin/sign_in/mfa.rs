//! The code that Garmin asks for in addition to the password.
//!
//! A code is valid only for the sign-in that asked for it: same cookies, same method. So the challenge keeps the
//! cookie jar, and it stays open for another try after a wrong code.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::cookie::Jar;

use super::attempt::SignInAttempt;
use super::json_api::{code_request, read_code_response};
use super::login::{CasTicket, CodeFailure, PendingMfa};
use super::method::SignInMethod;
use super::refusal::SignInRefusal;
use super::state::AttemptKeys;
use super::widget;
use crate::base::secrets::Secret;

/// Upper bound of codes per challenge: enough for a slip or two, and too few for Garmin to lock the account.
const MAX_TRIES: u8 = 3;

/// How long a challenge is kept. Garmin's own page accepts a code for some minutes.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// Garmin's codes have six digits. Other lengths within this range are sent too, so that Garmin decides.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;

/// A sign-in that waits for its code. Keep it in memory only, because it holds the cookies of the sign-in.
pub struct MfaChallenge {
    pub(super) pending: PendingMfa,
    pub(super) jar: Arc<Jar>,
    pub(super) keys: AttemptKeys,
    opened_at: Timestamp,
    tries_left: u8,
}

/// How the code reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaMethod {
    Email,
    /// By text message or phone call.
    Phone,
    /// An authenticator app shows the code.
    Authenticator,
    /// Garmin named an unknown channel, or none.
    Unknown,
}

impl MfaChallenge {
    pub(super) fn new(pending: PendingMfa, jar: Arc<Jar>, keys: AttemptKeys, now: Timestamp) -> Self {
        Self {
            pending,
            jar,
            keys,
            opened_at: now,
            tries_left: MAX_TRIES,
        }
    }

    pub fn method(&self) -> MfaMethod {
        let channel = match &self.pending {
            PendingMfa::Json { channel, .. } => channel,
            PendingMfa::Widget(page) => &page.channel,
        };
        match channel.to_ascii_lowercase().as_str() {
            "email" => MfaMethod::Email,
            "sms" | "phone" => MfaMethod::Phone,
            "totp" | "authenticator" | "app" => MfaMethod::Authenticator,
            _ => MfaMethod::Unknown,
        }
    }

    /// Where Garmin sent the code, masked by Garmin (`a****@example.org`), if it said so.
    pub fn sent_to(&self) -> Option<&str> {
        match &self.pending {
            PendingMfa::Json { sent_to, .. } => sent_to.as_deref(),
            PendingMfa::Widget(page) => page.sent_to.as_deref(),
        }
    }

    /// The number of codes that the challenge still accepts; 0 = start again.
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// The method that asked for the code.
    pub(super) fn sign_in_method(&self) -> SignInMethod {
        match &self.pending {
            PendingMfa::Json { method, .. } => *method,
            PendingMfa::Widget(_) => SignInMethod::Widget,
        }
    }

    /// Whether the challenge accepts no more codes: it was answered, is out of tries, or is too old.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.tries_left == 0 || now.duration_since(self.opened_at) > LIFETIME
    }

    /// Records a code that led to no ticket, and returns the refusal for the person.
    pub(super) fn note_failure(&mut self, failure: CodeFailure) -> SignInRefusal {
        match failure {
            CodeFailure::Wrong => {
                self.tries_left = self.tries_left.saturating_sub(1);
                SignInRefusal::WrongCode {
                    tries_left: self.tries_left,
                }
            }
            CodeFailure::NotRead(refusal) => refusal,
            CodeFailure::Final(refusal) => {
                self.close();
                refusal
            }
        }
    }

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

/// Sends a code to the method that asked for it.
///
/// The two JSON methods accept each other's codes, so a code that one of them did not read is sent to the other. A
/// code that Garmin judged is never sent again, because it would count twice against the person.
pub(super) async fn send_code(
    attempt: &mut SignInAttempt<'_>,
    pending: &mut PendingMfa,
    code: &Secret,
) -> Result<CasTicket, CodeFailure> {
    let (method, channel) = match pending {
        PendingMfa::Json { method, channel, .. } => (*method, &*channel),
        PendingMfa::Widget(page) => return widget::verify_code(attempt, page, code).await,
    };
    let other = match method {
        SignInMethod::Portal => SignInMethod::Mobile,
        _ => SignInMethod::Portal,
    };
    let mut last = CodeFailure::NotRead(SignInRefusal::Unreachable);
    for path in [method, other] {
        let request = code_request(attempt.hosts(), path, channel, code);
        let read = match attempt.send(path, request).await {
            Ok(response) => read_code_response(attempt.hosts(), method, &response),
            Err(_) => Err(CodeFailure::NotRead(SignInRefusal::Unreachable)),
        };
        match read {
            Err(not_read @ CodeFailure::NotRead(_)) => last = not_read,
            judged => return judged,
        }
    }
    Err(last)
}

/// Extracts the digits from typed text: in any script, and without the spaces, dashes and invisible marks that
/// keyboards, copying and mail programs put between them. `None` for anything else.
pub(super) fn read_code(typed: &Secret) -> Option<Secret> {
    let mut digits = zeroize::Zeroizing::new(String::with_capacity(*DIGITS.end()));
    for c in typed.expose().chars().filter(|c| !is_separator(*c)) {
        if digits.len() == *DIGITS.end() {
            return None;
        }
        digits.push(decimal_digit(c)?);
    }
    DIGITS
        .contains(&digits.len())
        .then(|| Secret::new(digits.as_str()))
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | ',' | '·' | '_' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        // Dashes; zero-width characters and direction marks; variation selectors and the keycap of emoji digits.
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{20e3}')
}

/// Converts a decimal digit of any script that phones type to ASCII (Unicode category Nd).
fn decimal_digit(c: char) -> Option<char> {
    /// The zero of each script. The other nine digits follow it.
    const ZEROS: [u32; 26] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
        0xE50, 0xED0, 0xF20, 0x1040, 0x17E0, 0x1810, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6,
    ];
    let value = ZEROS
        .iter()
        .find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}
