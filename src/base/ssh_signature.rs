//! Signatures of files as `ssh-keygen -Y sign` makes them, with an Ed25519 key. Verified only.
//!
//! The format is OpenSSH's PROTOCOL.sshsig: length-prefixed fields in PEM-like armor. The signature covers the file's
//! hash and a namespace, so that a signature for another purpose is not accepted.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, SHA512, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

const ALGORITHM: &[u8] = b"ssh-ed25519";
const MAGIC: &[u8] = b"SSHSIG";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// The public half of a key, as in a `.pub` file: `ssh-ed25519 AAAA…`, with or without a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerKey {
    /// The key with its algorithm, in the form in which a signature contains it.
    blob: Vec<u8>,
    point: Vec<u8>,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("it is not a signature of ssh-keygen")]
    Unreadable,
    #[error("it was made with another key")]
    OtherKey,
    #[error("it was made for another purpose")]
    OtherPurpose,
    #[error("it does not match the file")]
    Wrong,
}

impl FromStr for SignerKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unreadable = || "it is not an Ed25519 key of ssh-keygen".to_owned();
        let mut words = text.split_whitespace();
        let is_ed25519 = words.next().is_some_and(|word| word.as_bytes() == ALGORITHM);
        let blob = words.next().filter(|_| is_ed25519);
        let blob = blob
            .and_then(|blob| STANDARD.decode(blob).ok())
            .ok_or_else(unreadable)?;
        let mut fields = Fields(&blob);
        let point = match (fields.next(), fields.next(), fields.0) {
            (Some(ALGORITHM), Some(point), []) if point.len() == 32 => point.to_vec(),
            _ => return Err(unreadable()),
        };
        Ok(Self { blob, point })
    }
}

impl SignerKey {
    /// Checks the armored signature of a file.
    pub fn verify(&self, file: &[u8], namespace: &str, armored: &str) -> Result<(), SignatureError> {
        let signed = SignatureFields::parse(armored).ok_or(SignatureError::Unreadable)?;
        if signed.key != self.blob {
            return Err(SignatureError::OtherKey);
        }
        if signed.namespace != namespace.as_bytes() {
            return Err(SignatureError::OtherPurpose);
        }
        let hash = match signed.hash.as_slice() {
            b"sha512" => digest(&SHA512, file),
            b"sha256" => digest(&SHA256, file),
            _ => return Err(SignatureError::Unreadable),
        };
        let mut text = MAGIC.to_vec();
        for field in [namespace.as_bytes(), b"", &signed.hash, hash.as_ref()] {
            put(&mut text, field);
        }
        UnparsedPublicKey::new(&ED25519, &self.point)
            .verify(&text, &signed.signature)
            .map_err(|_| SignatureError::Wrong)
    }
}

/// The fields of a signature file.
struct SignatureFields {
    key: Vec<u8>,
    namespace: Vec<u8>,
    hash: Vec<u8>,
    signature: Vec<u8>,
}

impl SignatureFields {
    fn parse(armored: &str) -> Option<Self> {
        let inner = armored.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let blob = STANDARD
            .decode(inner.split_whitespace().collect::<String>())
            .ok()?;
        let mut fields = Fields(blob.strip_prefix(MAGIC)?.strip_prefix(&[0, 0, 0, 1])?);
        let (key, namespace) = (fields.next()?, fields.next()?);
        let (_reserved, hash, signature) = (fields.next()?, fields.next()?, fields.next()?);
        let mut inner = Fields(signature);
        let (algorithm, signature) = (inner.next()?, inner.next()?);
        (fields.0.is_empty() && algorithm == ALGORITHM).then(|| Self {
            key: key.to_vec(),
            namespace: namespace.to_vec(),
            hash: hash.to_vec(),
            signature: signature.to_vec(),
        })
    }
}

/// Fields with their lengths before them, four bytes each.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

fn put(text: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    text.extend(length.to_be_bytes());
    text.extend(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with `ssh-keygen -t ed25519` and `ssh-keygen -Y sign -n garmin-gateway`; the private key was not kept.
    const KEY: &str = include_str!("../../tests/signatures/key.pub");
    const OTHER_KEY: &str = include_str!("../../tests/signatures/other_key.pub");
    const FILE: &[u8] = include_bytes!("../../tests/signatures/notes.json");
    const SIGNED: &str = include_str!("../../tests/signatures/notes.json.sig");
    const OTHER_PURPOSE: &str = include_str!("../../tests/signatures/other_purpose.sig");

    #[test]
    fn a_signature_of_ssh_keygen_is_accepted_for_its_file_key_and_purpose_alone() {
        let key: SignerKey = KEY.parse().unwrap();
        let other: SignerKey = OTHER_KEY.parse().unwrap();
        let purpose = "garmin-gateway";
        assert_eq!(key.verify(FILE, purpose, SIGNED), Ok(()));
        let changed = [FILE, b" "].concat();
        assert_eq!(key.verify(&changed, purpose, SIGNED), Err(SignatureError::Wrong));
        assert_eq!(other.verify(FILE, purpose, SIGNED), Err(SignatureError::OtherKey));
        assert_eq!(
            key.verify(FILE, "file", SIGNED),
            Err(SignatureError::OtherPurpose)
        );
        assert_eq!(
            key.verify(FILE, purpose, OTHER_PURPOSE),
            Err(SignatureError::OtherPurpose)
        );
    }

    #[test]
    fn damaged_signatures_and_keys_are_refused() {
        let key: SignerKey = KEY.parse().unwrap();
        for cut in 0..SIGNED.trim().len() {
            assert!(
                key.verify(FILE, "garmin-gateway", &SIGNED[..cut]).is_err(),
                "{cut}"
            );
        }
        let word = KEY.split_whitespace().nth(1).unwrap();
        for text in [
            "",
            "ssh-ed25519",
            "ssh-rsa AAAA",
            &format!("ssh-rsa {word}"),
            &KEY[..40],
        ] {
            assert!(text.parse::<SignerKey>().is_err(), "{text}");
        }
    }
}
