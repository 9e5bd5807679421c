//! What a sign-in ends with.

use super::GarminTokens;

/// Garmin knows this person, and lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Garmin's own id of the person: the identity.
    pub profile_id: u64,
    /// The name in many of Garmin's paths; may be a UUID.
    pub display_name: String,
    /// The name for people; may be empty.
    pub full_name: String,
    /// What was handed out.
    pub tokens: GarminTokens,
}
