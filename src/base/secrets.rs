//! Random tokens, hashes and encryption at rest. No other module uses orion.
//!
//! Sealing is XChaCha20-Poly1305 with a random 24-byte nonce in front of the ciphertext. The place of a value (its
//! table and key) is associated data, so a sealed value can't be moved to another place. The data key is generated
//! once and is itself sealed by a key derived from the operator's secret, so changing the secret rewrites only one
//! record.
//!
//! Invariants: nothing here prints a secret, and key material is wiped when dropped.

mod hash;
mod text;
mod vault;

pub use hash::{
    TokenHash, constant_time_eq, derived_token, hmac_sha256, random_bytes, random_id, random_token, sha256,
};
pub use text::Secret;
pub use vault::{KEPT_COPY, RootSecret, RootSecretError, SealError, Vault};
