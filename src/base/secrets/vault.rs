//! The operator's secret, the data key, and sealing with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orion::hazardous::aead::xchacha20poly1305::XChaCha20Poly1305;
use orion::hazardous::kdf::hkdf::{Hkdf, SHA256};
use orion::hazardous::stream::xchacha20::{Nonce, SecretKey};

use super::{Secret, random_bytes, random_token};
use crate::base::disk;

const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

/// The shortest secret that is taken.
const MIN_SECRET_CHARS: usize = 32;

/// What the operator keeps apart from the data: whoever has both has everything.
#[derive(Clone, Debug)]
pub struct RootSecret(Secret);

/// Why a secret was refused.
#[derive(Debug, thiserror::Error)]
pub enum RootSecretError {
    /// Operator: too short to be random.
    #[error(
        "it has {0} characters, {MIN_SECRET_CHARS} or more are needed; make one with: openssl rand -base64 48"
    )]
    TooShort(usize),
    /// Operator: the example was copied.
    #[error("it is the placeholder of an example; make one with: openssl rand -base64 48")]
    Placeholder,
    /// Operator: the file is there and can't be read.
    #[error("{path} cannot be read", path = .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// Operator: the file can't be made.
    #[error("{path} cannot be written", path = .0.display())]
    Unwritable(PathBuf, #[source] std::io::Error),
}

impl RootSecret {
    /// Takes a secret text, trimmed.
    pub fn new(text: &str) -> Result<Self, RootSecretError> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if [
            "change",
            "placeholder",
            "your-secret",
            "your_secret",
            "example",
            "generate",
        ]
        .iter()
        .any(|word| lower.contains(word))
        {
            return Err(RootSecretError::Placeholder);
        }
        let n_chars = text.chars().count();
        if n_chars < MIN_SECRET_CHARS {
            return Err(RootSecretError::TooShort(n_chars));
        }
        Ok(Self(Secret::new(text)))
    }

    /// Reads the secret file.
    pub fn read(path: &Path) -> Result<Self, RootSecretError> {
        let text = std::fs::read_to_string(path)
            .map(Secret::new)
            .map_err(|e| RootSecretError::Unreadable(path.to_owned(), e))?;
        Self::new(text.expose())
    }

    /// Reads the secret file, or makes it with a random secret, mode 0600, when there is none.
    /// Returns whether it was made.
    pub fn read_or_create(path: &Path) -> Result<(Self, bool), RootSecretError> {
        use std::io::Write;
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

        if path.exists() {
            return Self::read(path).map(|secret| (secret, false));
        }
        let unwritable = |e| RootSecretError::Unwritable(path.to_owned(), e);
        if let Some(dir) = path.parent() {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(unwritable)?;
        }
        let secret = random_token("");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(unwritable)?;
        writeln!(file, "{}", secret.expose())
            .and_then(|()| file.sync_all())
            // Whose name a power cut took would leave data that nothing opens.
            .and_then(|()| disk::sync_parent(path))
            .map_err(unwritable)?;
        Ok((Self(secret), true))
    }

    /// The text, to hand it to a running gateway.
    pub fn text(&self) -> Secret {
        self.0.clone()
    }

    /// A key for one purpose, by HKDF-SHA-256.
    fn derive(&self, purpose: &str) -> Result<[u8; 32], SealError> {
        let mut key = [0; 32];
        Hkdf::<SHA256>::derive_key(
            b"garmin-gateway/v1",
            self.0.expose().as_bytes(),
            Some(purpose.as_bytes()),
            &mut key,
        )
        .map_err(|_| SealError::Refused)?;
        Ok(key)
    }
}

/// Why a value can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Operator: the secret is another one, or the data was tampered with.
    #[error("the sealed value does not open: the secret is another one, or the data was changed")]
    NotOurs,
    /// Nobody (bug): orion refused the input.
    #[error("the value can't be sealed")]
    Refused,
}

/// Seals and opens with the data key. Clones share the key.
#[derive(Clone)]
pub struct Vault(Arc<SecretKey>);

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

const DATA_KEY_PURPOSE: &str = "data-key";

impl Vault {
    /// A new data key, and the same sealed by `root` for keeping.
    pub fn create(root: &RootSecret) -> Result<(Self, Vec<u8>), SealError> {
        let key = random_bytes::<32>();
        let wrapped =
            Self::with_key(&root.derive(DATA_KEY_PURPOSE)?)?.seal(DATA_KEY_PURPOSE.as_bytes(), &key)?;
        Ok((Self::with_key(&key)?, wrapped))
    }

    /// Opens a data key that [`Vault::create`] sealed. Errors: [`SealError::NotOurs`] for a wrong secret.
    pub fn unwrap(root: &RootSecret, wrapped: &[u8]) -> Result<Self, SealError> {
        let key =
            Self::with_key(&root.derive(DATA_KEY_PURPOSE)?)?.open(DATA_KEY_PURPOSE.as_bytes(), wrapped)?;
        Self::with_key(&key)
    }

    /// The data key sealed by another secret, for keeping.
    pub fn wrap(&self, root: &RootSecret) -> Result<Vec<u8>, SealError> {
        Self::with_key(&root.derive(DATA_KEY_PURPOSE)?)?
            .seal(DATA_KEY_PURPOSE.as_bytes(), self.0.unprotected_as_ref())
    }

    fn with_key(key: &[u8]) -> Result<Self, SealError> {
        SecretKey::try_from(key)
            .map(|key| Self(Arc::new(key)))
            .map_err(|_| SealError::Refused)
    }

    /// Seals `plain`: nonce, ciphertext, tag. `belongs_to` is not kept in the result but must be given to open it.
    pub fn seal(&self, belongs_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = random_bytes::<NONCE_LEN>();
        let mut out = vec![0; NONCE_LEN + plain.len() + TAG_LEN];
        let (head, body) = out.split_at_mut(NONCE_LEN);
        head.copy_from_slice(&nonce);
        let nonce = Nonce::try_from(&nonce[..]).map_err(|_| SealError::Refused)?;
        XChaCha20Poly1305::seal(&self.0, &nonce, plain, Some(belongs_to), body)
            .map_err(|_| SealError::Refused)?;
        Ok(out)
    }

    /// Opens what [`Vault::seal`] made with the same `belongs_to`.
    pub fn open(&self, belongs_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::NotOurs)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| SealError::NotOurs)?;
        let mut plain = vec![0; body.len().checked_sub(TAG_LEN).ok_or(SealError::NotOurs)?];
        XChaCha20Poly1305::open(&self.0, &nonce, body, Some(belongs_to), &mut plain)
            .map_err(|_| SealError::NotOurs)?;
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn sealed_values_open_only_where_they_belong() {
        let (vault, wrapped) = Vault::create(&RootSecret::new(SECRET).unwrap()).unwrap();
        let sealed = vault.seal(b"grant/1", b"hello").unwrap();
        assert_eq!(vault.open(b"grant/1", &sealed).unwrap(), b"hello");
        assert!(vault.open(b"grant/2", &sealed).is_err());
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(vault.open(b"grant/1", &changed).is_err());
        for cut in 0..sealed.len() {
            assert!(vault.open(b"grant/1", &sealed[..cut]).is_err());
        }
        let again = Vault::unwrap(&RootSecret::new(SECRET).unwrap(), &wrapped).unwrap();
        assert_eq!(again.open(b"grant/1", &sealed).unwrap(), b"hello");
        let other = RootSecret::new(&SECRET.replace('0', "1")).unwrap();
        assert!(matches!(Vault::unwrap(&other, &wrapped), Err(SealError::NotOurs)));
    }

    #[test]
    fn an_empty_value_can_be_sealed() {
        let (vault, _) = Vault::create(&RootSecret::new(SECRET).unwrap()).unwrap();
        let sealed = vault.seal(b"x", b"").unwrap();
        assert_eq!(vault.open(b"x", &sealed).unwrap(), b"");
    }

    #[test]
    fn weak_secrets_are_refused() {
        assert!(matches!(
            RootSecret::new("short"),
            Err(RootSecretError::TooShort(5))
        ));
        let copied = "change-me-to-a-long-random-string-please";
        assert!(matches!(
            RootSecret::new(copied),
            Err(RootSecretError::Placeholder)
        ));
    }

    #[test]
    fn the_secret_file_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("etc/secret");
        let (_, made) = RootSecret::read_or_create(&path).unwrap();
        assert!(made);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, made) = RootSecret::read_or_create(&path).unwrap();
        assert!(!made);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
