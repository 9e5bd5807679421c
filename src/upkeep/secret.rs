//! Changes the secret file. At all times, the secret in it opens the store.
//!
//! The new secret is written to a second file, the store is prepared for both, the secret file is replaced, and only
//! then does the store drop the old secret.

use std::fs::{self, OpenOptions, Permissions};
use std::future::Future;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, chown};

use crate::base::disk;
use crate::base::secrets::{Secret, random_token};

/// The store whose secret changes: that of a running gateway, or one opened for this purpose.
pub trait Keys {
    type Error: std::error::Error + Send + Sync + 'static;

    /// After this call, both secrets open the store.
    fn prepare(&mut self, current: Secret, new: Secret) -> impl Future<Output = Result<(), Self::Error>>;

    /// After this call, only the new secret opens the store.
    fn settle(&mut self, new: Secret) -> impl Future<Output = Result<(), Self::Error>>;
}

/// The steps of a change, which may be interrupted after any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// The new secret is in a second file.
    Written,
    /// Both secrets open the store.
    Prepared,
    /// The secret file holds the new secret.
    Replaced,
    /// Only the new secret opens the store.
    Settled,
}

/// Why the change did not finish. The secret file still opens the store.
#[derive(Debug, thiserror::Error)]
pub enum RotateFileError<E: std::error::Error + 'static> {
    #[error("{path} can't be written; run this as the owner of the secret (sudo)", path = .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the store did not accept the new secret")]
    Keys(#[source] E),
    /// The callback stopped the change.
    #[error("interrupted")]
    Interrupted,
}

/// Changes the secret in `file`. With `apart`, the new secret is written there and the operator replaces the file:
/// both secrets work until the first start with the new one. `told` is called after each step, and stops the change
/// by returning false.
pub async fn rotate<K: Keys>(
    current: Secret,
    file: Option<&Path>,
    apart: Option<&Path>,
    keys: &mut K,
    mut told: impl FnMut(RotationStep) -> bool,
) -> Result<(), RotateFileError<K::Error>> {
    let mut told = |step| {
        if told(step) {
            Ok(())
        } else {
            Err(RotateFileError::Interrupted)
        }
    };
    let new = random_token("");
    let beside = file.map(|file| disk::beside(file, ".new"));
    let Some(written) = apart.or(beside.as_deref()) else {
        return Ok(());
    };
    let failed = |source| RotateFileError::File {
        path: written.to_owned(),
        source,
    };
    write(written, &new, apart.is_none().then_some(file).flatten()).map_err(failed)?;
    told(RotationStep::Written)?;
    keys.prepare(current, new.clone())
        .await
        .map_err(RotateFileError::Keys)?;
    told(RotationStep::Prepared)?;
    let (None, Some(file)) = (apart, file) else {
        return Ok(());
    };
    fs::rename(written, file)
        .and_then(|()| disk::sync_parent(file))
        .map_err(failed)?;
    told(RotationStep::Replaced)?;
    keys.settle(new).await.map_err(RotateFileError::Keys)?;
    told(RotationStep::Settled)
}

/// Writes a secret with mode 0600 and the owner of `like`. Overwrites a leftover of an interrupted change, because
/// the old secret opens everything that the leftover does.
fn write(path: &Path, secret: &Secret, like: Option<&Path>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if like.is_some() {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut file = options.open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    if let Some(like) = like {
        let (old, new) = (fs::metadata(like)?, file.metadata()?);
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            chown(
                path,
                Some(Uid::from_raw(old.uid())),
                Some(Gid::from_raw(old.gid())),
            )?;
        }
    }
    writeln!(file, "{}", secret.expose())?;
    file.sync_all()?;
    disk::sync_parent(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secrets::{RootSecret, RootSecretError};
    use crate::store::{OpenError, RotateError, Store};

    fn read(file: &Path) -> Result<Secret, RootSecretError> {
        RootSecret::read(file).map(|secret| secret.text())
    }

    /// An open store for tests.
    struct Opened(Store);

    impl Keys for Opened {
        type Error = RotateError;

        async fn prepare(&mut self, current: Secret, new: Secret) -> Result<(), RotateError> {
            let secret = |text: Secret| RootSecret::new(text.expose()).unwrap();
            self.0.prepare_secret(secret(current), secret(new)).await
        }

        async fn settle(&mut self, new: Secret) -> Result<(), RotateError> {
            self.0.settle_secret(RootSecret::new(new.expose()).unwrap()).await
        }
    }

    const STEPS: [RotationStep; 4] = [
        RotationStep::Written,
        RotationStep::Prepared,
        RotationStep::Replaced,
        RotationStep::Settled,
    ];

    /// Interrupts the change after each step in turn: the secret file must open the store, and the change must be
    /// repeatable, whether or not the gateway was restarted in between.
    #[tokio::test]
    async fn a_change_that_ends_anywhere_is_whole_and_can_be_made_again() {
        for (n, last) in STEPS.into_iter().enumerate() {
            for restart in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                let (file, db) = (dir.path().join("secret"), dir.path().join("db"));
                let (first, _) = RootSecret::read_or_create(&file).unwrap();
                let mut keys = Opened(Store::open(&db, &first).unwrap());
                let mut done = Vec::new();
                let ended = rotate(read(&file).unwrap(), Some(&file), None, &mut keys, |step| {
                    done.push(step);
                    step != last
                });
                assert!(matches!(ended.await, Err(RotateFileError::Interrupted)));
                assert_eq!(done, STEPS[..=n]);
                if restart {
                    drop(keys);
                    let now = RootSecret::read(&file).unwrap();
                    keys = Opened(Store::open(&db, &now).unwrap());
                }
                rotate(read(&file).unwrap(), Some(&file), None, &mut keys, |_| true)
                    .await
                    .unwrap();
                drop(keys);
                assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
                assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "something is left");
                assert!(matches!(Store::open(&db, &first), Err(OpenError::WrongSecret(_))));
                Store::open(&db, &RootSecret::read(&file).unwrap()).unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_secret_that_the_operator_replaces_leaves_both_good_until_then() {
        let dir = tempfile::tempdir().unwrap();
        let (file, apart, db) = (
            dir.path().join("secret"),
            dir.path().join("apart"),
            dir.path().join("db"),
        );
        let (first, _) = RootSecret::read_or_create(&file).unwrap();
        let mut keys = Opened(Store::open(&db, &first).unwrap());
        let current = read(&file).unwrap();
        rotate(current, Some(&file), Some(&apart), &mut keys, |_| true)
            .await
            .unwrap();
        drop(keys);
        drop(Store::open(&db, &first).unwrap());
        let second = RootSecret::read(&apart).unwrap();
        drop(Store::open(&db, &second).unwrap());
        assert!(matches!(Store::open(&db, &first), Err(OpenError::WrongSecret(_))));
    }

    #[tokio::test]
    async fn a_secret_that_is_another_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (file, db) = (dir.path().join("secret"), dir.path().join("db"));
        let (first, _) = RootSecret::read_or_create(&file).unwrap();
        let mut keys = Opened(Store::open(&db, &first).unwrap());
        let other = dir.path().join("other");
        RootSecret::read_or_create(&other).unwrap();
        let text = fs::read(&other).unwrap();
        let current = read(&other).unwrap();
        let refused = rotate(current, Some(&other), None, &mut keys, |_| true).await;
        assert!(matches!(
            refused,
            Err(RotateFileError::Keys(RotateError::WrongSecret))
        ));
        assert_eq!(fs::read(&other).unwrap(), text);
        drop(keys);
        Store::open(&db, &first).unwrap();
    }
}
