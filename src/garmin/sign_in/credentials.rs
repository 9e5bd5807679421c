//! What a person types to sign in.

use crate::base::secrets::Secret;

/// Never stored.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub email: String,
    pub password: Secret,
}
