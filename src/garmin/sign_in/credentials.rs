//! The credentials that a person types to sign in.

use crate::base::secrets::Secret;

/// E-mail and password, which are never stored.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub email: String,
    pub password: Secret,
}
