//! The Python gateway's encryption: AES-256-GCM under the SHA-256 of its secret. A value is stored as the nonce (12 bytes)
//! and the ciphertext with its tag, both in hexadecimal, with a colon between them.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::base::secrets::{Secret, sha256};

/// Why a value could not be decrypted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// Not `nonce:ciphertext` in hexadecimal, or the plaintext is not UTF-8.
    Malformed,
    /// The value was encrypted with another secret, or it was changed.
    OtherSecret,
}

pub(super) fn open(secret: &Secret, sealed: &str) -> Result<Secret, NotOpened> {
    let (nonce, ciphertext) = sealed.split_once(':').ok_or(NotOpened::Malformed)?;
    let nonce: [u8; NONCE_LEN] = from_hex(nonce)
        .and_then(|bytes| bytes.as_slice().try_into().ok())
        .ok_or(NotOpened::Malformed)?;
    let mut bytes = from_hex(ciphertext).ok_or(NotOpened::Malformed)?;
    let key = Zeroizing::new(sha256(secret.expose().as_bytes()));
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| NotOpened::Malformed)?;
    let plain = LessSafeKey::new(key)
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .map_err(|_| NotOpened::OtherSecret)?;
    let text = std::str::from_utf8(plain).map_err(|_| NotOpened::Malformed)?;
    Ok(Secret::new(text))
}

fn from_hex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sample::seal;

    const SECRET: &str = "a secret of the other gateway, long enough";

    /// Made with the Python package `cryptography`: the key is SHA-256 of `SECRET`, the nonce counts from 0.
    const BY_PYTHON: &str = "000102030405060708090a0b:c57abdb73d35967a15909baf4bed90323d0766eaabad22a66c7a2a715b6fd215c60ba628afd9e6b3f6fa9bae2e";

    #[test]
    fn what_python_sealed_is_opened() {
        let opened = open(&Secret::new(SECRET), BY_PYTHON).unwrap();
        assert_eq!(opened.expose(), r#"{"di_token": "žluťoučký"}"#);
    }

    #[test]
    fn another_secret_or_a_changed_value_opens_nothing() {
        let sealed = seal(SECRET, "text");
        assert_eq!(open(&Secret::new(SECRET), &sealed).unwrap().expose(), "text");
        assert_eq!(
            open(&Secret::new("another"), &sealed).unwrap_err(),
            NotOpened::OtherSecret
        );
        let last = if sealed.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{last}", &sealed[..sealed.len() - 1]);
        assert_eq!(
            open(&Secret::new(SECRET), &changed).unwrap_err(),
            NotOpened::OtherSecret
        );
    }

    #[test]
    fn a_value_of_another_form_is_told_apart() {
        for text in [
            "",
            "00",
            "gAAAAAB",
            "0001:00",
            "00010203040506070809zz0b:00",
            ":",
            "é:é",
        ] {
            assert_eq!(
                open(&Secret::new(SECRET), text).unwrap_err(),
                NotOpened::Malformed,
                "{text}"
            );
        }
        // The ciphertext is shorter than a tag.
        assert_eq!(
            open(&Secret::new(SECRET), "000102030405060708090a0b:00").unwrap_err(),
            NotOpened::OtherSecret
        );
    }
}
