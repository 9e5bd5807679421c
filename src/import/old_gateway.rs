//! Everything that is read from the Python gateway.

use std::path::{Path, PathBuf};

use super::cipher::{NotOpened, open};
use super::database::{ClientRow, OldTables, TokenRow};
use super::error::ImportError;
use super::files::{OldFiles, is_open_elsewhere};
use super::garmin_tokens::{Newest, newest};
use crate::base::secrets::Secret;
use crate::garmin::TokenFile;
use jiff::Timestamp;

/// The Python gateway, as its files describe it.
#[derive(Debug)]
pub struct OldGateway {
    pub database: PathBuf,
    /// Its address, if its `.env` has it.
    pub public_url: Option<String>,
    /// The database of livetrack-mcp beside the gateway's own, if there is one.
    pub livetrack: Option<PathBuf>,
    /// Whether it is running, so that its data may change.
    pub is_running: bool,
    pub(super) accounts: Vec<OldAccount>,
    pub(super) tokens: Vec<TokenRow>,
    pub(super) clients: Vec<ClientRow>,
}

/// An account with its decrypted tokens.
#[derive(Debug)]
pub(super) struct OldAccount {
    pub(super) key: String,
    /// The Garmin tokens; `None` if this gateway could use none.
    pub(super) tokens: Option<Newest>,
    pub(super) created_at: Option<Timestamp>,
}

impl OldGateway {
    /// Reads the gateway in the directory `from`. A `secret` replaces the one in its `.env`.
    pub fn read(from: &Path, secret: Option<Secret>) -> Result<Self, ImportError> {
        let files = OldFiles::find(from)?;
        let is_running = is_open_elsewhere(&files.database)?;
        let OldTables {
            accounts,
            tokens,
            clients,
        } = OldTables::read(&files.database)?;
        let Some(secret) = secret.or_else(|| files.secret.clone()) else {
            let dir = if from.is_file() { from.parent() } else { Some(from) };
            return Err(ImportError::NoSecret(dir.unwrap_or(from).to_owned()));
        };
        let mut n_other_secret = 0;
        let n_accounts = accounts.len();
        let accounts = accounts.into_iter().map(|row| {
            let stored = open(&secret, &row.sealed_tokens);
            n_other_secret += usize::from(matches!(stored, Err(NotOpened::OtherSecret)));
            let file = TokenFile::new(files.worker_tokens(&row.key));
            OldAccount {
                tokens: newest(stored.ok().as_ref(), &file),
                key: row.key,
                created_at: row.created_at,
            }
        });
        let accounts: Vec<OldAccount> = accounts.collect();
        // If only some can't be decrypted, those accounts are left out: the secret was changed after these people last
        // signed in.
        if n_accounts > 0 && n_other_secret == n_accounts {
            return Err(ImportError::WrongSecret(files.database));
        }
        Ok(Self {
            database: files.database,
            public_url: files.public_url,
            livetrack: files.livetrack,
            is_running,
            accounts,
            tokens,
            clients,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::import::sample;

    const SECRET: &str = "a secret of the other gateway, long enough";

    fn write(dir: &Path) -> rusqlite::Connection {
        let open = sample::create(&dir.join("gateway.db"));
        let sealed = |end| {
            sample::seal(
                SECRET,
                &serde_json::to_string(&sample::garmin_tokens(end)).unwrap(),
            )
        };
        sample::add_account(&open, "ann@example.org", &sealed(1_800_000_000));
        sample::add_account(&open, "bob@example.org", &sample::seal("an older secret", "{}"));
        open
    }

    #[test]
    fn the_secret_is_the_given_one_or_that_of_the_env_file() {
        let dir = tempfile::tempdir().unwrap();
        drop(write(dir.path()));
        let read = |secret: Option<&str>| OldGateway::read(dir.path(), secret.map(Secret::new));
        assert!(matches!(read(None), Err(ImportError::NoSecret(_))));
        assert!(matches!(read(Some("another")), Err(ImportError::WrongSecret(_))));
        let old = read(Some(SECRET)).unwrap();
        let opened: Vec<bool> = old.accounts.iter().map(|one| one.tokens.is_some()).collect();
        assert_eq!(opened, [true, false]);
        fs::write(dir.path().join(".env"), format!("GATEWAY_SECRET={SECRET}\n")).unwrap();
        assert!(read(None).is_ok());
    }

    #[test]
    fn tokens_that_a_worker_renewed_are_taken_from_its_file() {
        let dir = tempfile::tempdir().unwrap();
        drop(write(dir.path()));
        let newer = sample::garmin_tokens(1_900_000_000);
        let file = dir.path().join("users/ann@example.org/tokens/garmin_tokens.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, serde_json::to_string(&newer).unwrap()).unwrap();
        let old = OldGateway::read(dir.path(), Some(Secret::new(SECRET))).unwrap();
        assert_eq!(old.accounts[0].tokens, Some((newer, true)));
    }
}
