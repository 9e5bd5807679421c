//! Random tokens, and the hashes that are stored in their place.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orion::hazardous::hash::sha2::sha256::Sha256;
use orion::hazardous::mac::hmac::sha256::{HmacSha256, SecretKey};
use serde::{Deserialize, Serialize};

use super::Secret;

/// Fills an array with bytes from the system's random source.
///
/// The process aborts if the system can't provide randomness, because nothing is safe without it.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if orion::util::secure_rand_bytes(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// A new bearer secret: `prefix` and 256 random bits as 43 base64url characters.
pub fn random_token(prefix: &str) -> Secret {
    let mut text = String::with_capacity(prefix.len() + 43);
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(random_bytes::<32>(), &mut text);
    Secret::new(text)
}

/// A bearer secret that anyone with `key` can derive again from the same `message`: `prefix` and HMAC-SHA-256 as 43
/// base64url characters. Without the key it is as unpredictable as [`random_token`].
pub fn derived_token(prefix: &str, key: &Secret, message: &[u8]) -> Secret {
    let Some(tag) = hmac_sha256(key.expose().as_bytes(), message) else {
        // Without a key anyone could derive it.
        return random_token(prefix);
    };
    let mut text = prefix.to_owned();
    URL_SAFE_NO_PAD.encode_string(tag, &mut text);
    Secret::new(text)
}

/// HMAC-SHA-256 (RFC 2104); `None` for an empty key, which would prove nothing.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Option<[u8; 32]> {
    let key = SecretKey::try_from(key).ok().filter(|_| !key.is_empty())?;
    let tag = HmacSha256::hmac(&key, message).ok()?;
    tag.unprotected_as_ref().try_into().ok()
}

/// A new public identifier: `prefix` and 80 random bits as 16 lower-case base32 characters.
pub fn random_id(prefix: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bits = random_bytes::<16>();
    let letters = bits
        .iter()
        .map(|byte| char::from(*ALPHABET.get(usize::from(byte & 31)).unwrap_or(&b'a')));
    prefix.chars().chain(letters).collect()
}

pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    if let Ok(digest) = Sha256::digest(data) {
        out.copy_from_slice(digest.as_ref());
    }
    out
}

/// Compares in constant time, so that the duration does not reveal where the first difference is.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    orion::util::secure_cmp(a, b).is_ok()
}

/// SHA-256 of a bearer token or code, the only form in which one is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a token as it was presented.
    pub fn of(token: &str) -> Self {
        Self(sha256(token.as_bytes()))
    }

    /// Reads a hash that another program stored as 64 hexadecimal digits.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The bytes of the hash, used as a store key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The only form in which a token is ever logged or shown: `tok_` and 8 hexadecimal digits of its hash.
    pub fn fingerprint(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("tok_{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_standard_one() {
        // FIPS 180-4, the message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for (i, byte) in sha256(b"abc").iter().enumerate() {
            assert_eq!(format!("{byte:02x}"), expected[2 * i..2 * i + 2]);
        }
    }

    #[test]
    fn a_hash_is_read_from_its_digits() {
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::from_hex(digits), Some(TokenHash::of("abc")));
        assert_eq!(
            TokenHash::from_hex(&digits.to_uppercase()),
            Some(TokenHash::of("abc"))
        );
        for wrong in [
            "",
            &digits[1..],
            &format!("{digits}0"),
            &"+f".repeat(32),
            &"é".repeat(32),
        ] {
            assert_eq!(TokenHash::from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_derived_token_is_the_standard_hmac() {
        // RFC 4231, test case 2.
        let token = derived_token("x_", &Secret::new("Jefe"), b"what do ya want for nothing?");
        let tag: Vec<u8> = (0..32)
            .map(|at| {
                let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
                u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()
            })
            .collect();
        assert_eq!(token.expose(), format!("x_{}", URL_SAFE_NO_PAD.encode(tag)));
        assert_ne!(
            derived_token("", &Secret::new(""), b""),
            derived_token("", &Secret::new(""), b"")
        );
    }

    #[test]
    fn tokens_and_ids_have_their_shape_and_differ() {
        let (a, b) = (random_token("at_"), random_token("at_"));
        assert_eq!(a.expose().len(), 46);
        assert_ne!(a, b);
        let id = random_id("acc_");
        assert!(id.len() == 20 && id.starts_with("acc_"));
        assert_ne!(id, random_id("acc_"));
    }

    #[test]
    fn a_fingerprint_tells_little() {
        assert_eq!(TokenHash::of("abc").fingerprint(), "tok_ba7816bf");
    }
}
