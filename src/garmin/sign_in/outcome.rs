//! The outcome of a sign-in.

use super::mfa::MfaChallenge;
use super::refusal::SignInRefusal;
use crate::garmin::tokens::GarminTokens;

/// A person who signed in at Garmin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Garmin's profile number, which identifies the person.
    pub profile_id: u64,
    /// The name in Garmin's URLs; empty for a profile that has none yet.
    pub display_name: String,
    /// The full name; may be empty.
    pub full_name: String,
    pub tokens: GarminTokens,
}

/// The outcome of a sign-in or of a code.
#[derive(Debug)]
pub enum SignInOutcome {
    SignedIn(SignedIn),
    /// Garmin wants a code: ask the person, then call [`super::SignIns::verify`].
    Mfa(MfaChallenge),
    Refused(SignInRefusal),
}
