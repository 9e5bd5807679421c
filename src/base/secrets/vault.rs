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

/// The minimum length of a secret, in characters.
const MIN_SECRET_CHARS: usize = 32;

/// The fix for a lost secret.
pub const KEPT_COPY: &str = "put back the copy that you keep apart from the backups";

/// The secret that the operator keeps apart from the data. Anyone with both can read everything.
#[derive(Clone, Debug)]
pub struct RootSecret(Secret);

/// Why a secret was refused.
#[derive(Debug, thiserror::Error)]
pub enum RootSecretError {
    /// Operator: the secret is too short to be random.
    #[error(
        "it has {0} characters, but {MIN_SECRET_CHARS} or more are needed; make one with: openssl rand -base64 48"
    )]
    TooShort(usize),
    /// Operator: the secret was copied from an example.
    #[error("it is the placeholder of an example; make one with: openssl rand -base64 48")]
    Placeholder,
    /// Operator: there is data, but not the secret that it was sealed with. A new one could not open it.
    #[error("{path} is missing, and the data can't be opened without it; {KEPT_COPY}", path = .0.display())]
    Lost(PathBuf),
    /// Operator: the secret file exists but can't be read.
    #[error("{path} cannot be read", path = .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// Operator: the secret file can't be created.
    #[error("{path} cannot be written", path = .0.display())]
    Unwritable(PathBuf, #[source] std::io::Error),
}

impl RootSecret {
    /// Trims and validates a secret.
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

    /// Reads the secret from its file.
    pub fn read(path: &Path) -> Result<Self, RootSecretError> {
        let text = std::fs::read_to_string(path)
            .map(Secret::new)
            .map_err(|e| RootSecretError::Unreadable(path.to_owned(), e))?;
        Self::new(text.expose())
    }

    /// Reads the secret file. If there is none, creates it with a random secret and mode 0600. Returns whether it was
    /// created.
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
            // If a power cut lost the file's name, nothing could decrypt the data again.
            .and_then(|()| disk::sync_parent(path))
            .map_err(unwritable)?;
        Ok((Self(secret), true))
    }

    /// The plain text of the secret, to pass to a running gateway.
    pub fn text(&self) -> Secret {
        self.0.clone()
    }

    /// Derives a key for one purpose with HKDF-SHA-256.
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

/// Why a value can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Operator: the secret is a different one, or the data was tampered with.
    #[error("the sealed value does not open: the secret is another one, or the data was changed")]
    NotOurs,
    /// A bug, which no operator can fix: orion rejected the input.
    #[error("the value can't be sealed")]
    Refused,
}

/// Seals and opens values with the data key. Clones share the key.
#[derive(Clone)]
pub struct Vault(Arc<SecretKey>);

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

const DATA_KEY_PURPOSE: &str = "data-key";

impl Vault {
    /// Generates a data key. Also returns it sealed by `root`, for storage.
    pub fn create(root: &RootSecret) -> Result<(Self, Vec<u8>), SealError> {
        let key = random_bytes::<32>();
        let wrapped =
            Self::with_key(&root.derive(DATA_KEY_PURPOSE)?)?.seal(DATA_KEY_PURPOSE.as_bytes(), &key)?;
        Ok((Self::with_key(&key)?, wrapped))
    }

    /// Opens a data key sealed by [`Vault::create`]. Fails with [`SealError::NotOurs`] if the secret is wrong.
    pub fn unwrap(root: &RootSecret, wrapped: &[u8]) -> Result<Self, SealError> {
        let key =
            Self::with_key(&root.derive(DATA_KEY_PURPOSE)?)?.open(DATA_KEY_PURPOSE.as_bytes(), wrapped)?;
        Self::with_key(&key)
    }

    /// Seals the data key with another secret, for storage.
    pub fn wrap(&self, root: &RootSecret) -> Result<Vec<u8>, SealError> {
        Self::with_key(&root.derive(DATA_KEY_PURPOSE)?)?
            .seal(DATA_KEY_PURPOSE.as_bytes(), self.0.unprotected_as_ref())
    }

    fn with_key(key: &[u8]) -> Result<Self, SealError> {
        SecretKey::try_from(key)
            .map(|key| Self(Arc::new(key)))
            .map_err(|_| SealError::Refused)
    }

    /// Seals `plain` as nonce, ciphertext and tag. `belongs_to` is not part of the result, but is required to open
    /// it.
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

    /// Opens a value that [`Vault::seal`] sealed with the same `belongs_to`.
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
