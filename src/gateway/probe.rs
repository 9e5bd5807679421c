//! Tokens with which `doctor` goes the way of Claude to its end: they open the protocol and no tool, for a minute.
//!
//! They are kept in memory only, and asked for only when a token was found to be nobody's: no call pays for them.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::base::clock::Clock;
use crate::base::secrets::{Secret, TokenHash, random_token};

/// How long a probe is taken.
const LIFETIME: SignedDuration = SignedDuration::from_mins(1);

/// The probes that were given out.
#[derive(Debug)]
pub(super) struct Probes {
    clock: Clock,
    given: Mutex<Vec<(TokenHash, Timestamp)>>,
}

impl Probes {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            given: Mutex::default(),
        }
    }

    /// A new one.
    pub(super) fn give(&self) -> Secret {
        let token = random_token("gpr_");
        let now = self.clock.now();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|(_, until)| *until > now);
        given.push((TokenHash::of(token.expose()), now + LIFETIME));
        token
    }

    /// Whether this is one, and still taken.
    pub(super) fn admit(&self, token: &str) -> bool {
        let (hash, now) = (TokenHash::of(token), self.clock.now());
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().any(|(known, until)| *known == hash && *until > now)
    }
}
