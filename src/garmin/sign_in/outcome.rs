//! What a sign-in comes to.

use super::mfa::MfaChallenge;
use super::refusal::SignInRefusal;
use crate::garmin::tokens::GarminTokens;

/// A person who signed in at Garmin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Garmin's number of the profile: the identity.
    pub profile_id: u64,
    /// The name in Garmin's URLs; empty for a profile that has none yet.
    pub display_name: String,
    /// May be empty.
    pub full_name: String,
    pub tokens: GarminTokens,
}

/// How a sign-in, or a code, came out.
#[derive(Debug)]
pub enum SignInOutcome {
    SignedIn(SignedIn),
    /// Garmin wants a code: ask the person, then call [`super::SignIns::verify`].
    Mfa(MfaChallenge),
    Refused(SignInRefusal),
}
