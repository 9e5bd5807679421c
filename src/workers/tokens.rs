//! A worker's directory and the Garmin tokens in it: handing them out, reading them back, and wiping them.
//!
//! A refresh token is valid for one use only, so the newest tokens may exist only in this directory. They are sealed
//! before anything is wiped, unless the store has newer ones from a sign-in.
//!
//! Next to the directory `RUNTIME_DIR/workers/<account>` is the *receipt*, `<account>.json`. It records which
//! generation of tokens was handed out, and to which process. The worker can't access it. After a crash the receipt
//! shows which of three cases applies: the store holds the tokens that were handed out; or it holds tokens read back
//! from this directory just before the crash, because the receipt announces a sealing before it happens; or it holds
//! newer tokens from a sign-in, which win.
//!
//! Nothing in the directory is trusted, because the worker can write anything there.

#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::procfs;
use crate::accounts::{AccountId, Accounts, HeldTokens, WriteBack};
use crate::base::secrets::{Secret, TokenHash, random_id, random_token};
use crate::garmin::GarminTokens;
use crate::store::StoreError;

/// The token file of `garmin_mcp` (garmin-protocol A.11).
const TOKEN_FILE: &str = "garmin_tokens.json";
/// The built-in worker creates this file when Garmin rejects its tokens for good.
pub const SIGN_IN_NEEDED: &str = "sign_in_needed";
/// The file with the bearer token that the built-in worker's HTTP server requires. Every start gets a new token: any
/// program on this machine can reach the port, but only the gateway and the worker know the token.
pub const BEARER_FILE: &str = "bearer";
/// Size limit of a token file in bytes; a larger file is ignored.
const LARGEST_TOKEN_FILE: u64 = 64 << 10;

/// The record of what was handed out with a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    /// The generation of the tokens that were handed out, or sealed last.
    generation: u64,
    /// The hash of the tokens that are being sealed as the next generation.
    #[serde(default)]
    sealing: Option<TokenHash>,
    /// The process that received the tokens.
    #[serde(default)]
    process: Option<ProcessMark>,
}

/// Identifies a process even if its process id is reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessMark {
    /// The process id, which is also the id of its group.
    pub(super) id: i32,
    /// Its start time, in clock ticks since boot.
    pub(super) started: u64,
    /// The kernel's id of that boot.
    boot: String,
}

impl ProcessMark {
    /// Returns the mark only if it is from this boot; processes of an earlier boot no longer exist.
    pub(super) fn of_this_boot(&self) -> Option<&Self> {
        (self.boot == procfs::boot_id()).then_some(self)
    }
}

/// One worker's own directory, and the receipt for what is in it.
#[derive(Debug)]
pub(super) struct Directory {
    account: AccountId,
    path: PathBuf,
    receipt_path: PathBuf,
    receipt: Receipt,
    /// The hash of the newest tokens that are safely in the store.
    sealed: Option<TokenHash>,
}

/// The result of reading back a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenIn {
    /// No new tokens, or an incomplete file.
    Nothing,
    /// New tokens, which are now in the store.
    Sealed,
    /// New tokens, but a later sign-in replaced them, so the worker runs with outdated ones.
    Outdated,
}

/// Why tokens could not be handed out or read back. *The operator* can fix it (for example a full disk).
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// An operation in the runtime directory failed.
    #[error("{act} {} failed", path.display())]
    File {
        /// The operation, for example `writing`.
        act: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The tokens could not be stored.
    #[error("the refreshed Garmin tokens could not be stored")]
    Store(#[from] StoreError),
}

impl TokenError {
    pub(super) fn log(&self, account: &AccountId) {
        let cause = std::error::Error::source(self)
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(account.id = %account, reason = %self, cause, "worker.tokens_failed");
    }
}

impl Directory {
    /// Creates the directory of `account` under `root`, with the tokens in it. It must not exist yet
    /// ([`Directory::find`]).
    pub(super) fn hand_out(root: &Path, account: &AccountId, held: &HeldTokens) -> Result<Self, TokenError> {
        let directory = Directory {
            account: account.clone(),
            path: root.join(account.as_str()),
            receipt_path: receipt_path(root, account),
            receipt: Receipt {
                generation: held.generation,
                sealing: None,
                process: None,
            },
            sealed: Some(fingerprint(&held.tokens)),
        };
        let path = &directory.path;
        directory.write_receipt()?;
        DirBuilder::new()
            .mode(0o700)
            .create(path)
            .map_err(failed("making", path))?;
        let file = path.join(TOKEN_FILE);
        let tokens = serde_json::to_vec(&held.tokens).unwrap_or_default();
        replace(&file, &tokens).map_err(failed("writing", &file))?;
        Ok(directory)
    }

    /// The directory left by an earlier process, if there is one.
    pub(super) fn find(root: &Path, account: &AccountId) -> Option<Self> {
        let (path, receipt_path) = (root.join(account.as_str()), receipt_path(root, account));
        let receipt = read_small(&receipt_path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        if receipt.is_none() && fs::symlink_metadata(&path).is_err() {
            return None;
        }
        // Without a receipt it is unknown which tokens are newer. Generation 0 makes those in the store win.
        let receipt = receipt.unwrap_or(Receipt {
            generation: 0,
            sealing: None,
            process: None,
        });
        Some(Directory {
            account: account.clone(),
            path,
            receipt_path,
            receipt,
            sealed: None,
        })
    }

    /// Creates a bearer token for the next process, and writes it to the directory.
    pub(super) fn hand_out_bearer(&self) -> Result<Secret, TokenError> {
        let bearer = random_token("wk_");
        let file = self.path.join(BEARER_FILE);
        replace(&file, bearer.expose().as_bytes()).map_err(failed("writing", &file))?;
        Ok(bearer)
    }

    /// The accounts that have a directory or a receipt under `root`.
    pub(super) fn all(root: &Path) -> io::Result<Vec<AccountId>> {
        let mut accounts: Vec<AccountId> = fs::read_dir(root)?
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                name.strip_suffix(".json").unwrap_or(&name).parse().ok()
            })
            .collect();
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The process that holds the tokens.
    pub(super) fn process(&self) -> Option<&ProcessMark> {
        self.receipt.process.as_ref()
    }

    /// The generation of the tokens that were handed out, or sealed last.
    pub(super) fn generation(&self) -> u64 {
        self.receipt.generation
    }

    /// Records in the receipt which process holds the tokens.
    pub(super) fn mark(&mut self, id: Pid, started: u64) -> Result<(), TokenError> {
        self.receipt.process = Some(ProcessMark {
            id: id.as_raw(),
            started,
            boot: procfs::boot_id(),
        });
        self.write_receipt()
    }

    /// Reads the token file and seals new tokens. After an error nothing is lost as long as the directory remains.
    pub(super) async fn take_in(&mut self, accounts: &Accounts) -> Result<TakenIn, TokenError> {
        let Some(tokens) = self.read_tokens() else {
            return Ok(TakenIn::Nothing);
        };
        let found = fingerprint(&tokens);
        if self.sealed == Some(found) {
            return Ok(TakenIn::Nothing);
        }
        let Some(held) = accounts.tokens(&self.account)? else {
            // The account was deleted in the meantime.
            return Ok(TakenIn::Outdated);
        };
        let in_store = fingerprint(&held.tokens);
        if in_store == found {
            self.receipt.generation = held.generation;
            self.receipt.sealing = None;
            self.sealed = Some(found);
            return Ok(TakenIn::Nothing);
        }
        // After a crash between sealing and updating the receipt, the store is one generation ahead.
        if held.generation == self.receipt.generation + 1 && self.receipt.sealing == Some(in_store) {
            self.receipt.generation = held.generation;
        }
        self.receipt.sealing = Some(found);
        self.write_receipt()?;
        match accounts
            .write_back(&self.account, self.receipt.generation, tokens)
            .await?
        {
            WriteBack::Sealed(generation) => {
                self.receipt.generation = generation;
                self.receipt.sealing = None;
                self.sealed = Some(found);
                self.write_receipt()?;
                Ok(TakenIn::Sealed)
            }
            WriteBack::Unchanged => Ok(TakenIn::Nothing),
            WriteBack::Stale => Ok(TakenIn::Outdated),
        }
    }

    /// Whether the worker reports that a new sign-in is needed.
    pub(super) fn says_sign_in_needed(&self) -> bool {
        fs::symlink_metadata(self.path.join(SIGN_IN_NEEDED)).is_ok_and(|found| found.is_file())
    }

    /// Removes the directory and its receipt. Call it only after the process has exited and [`Directory::take_in`]
    /// succeeded.
    pub(super) fn wipe(self) -> Result<(), TokenError> {
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        };
        match fs::symlink_metadata(&self.path) {
            // Does not follow links, at this level or below.
            Ok(found) if found.is_dir() => gone(fs::remove_dir_all(&self.path)),
            Ok(_) => gone(fs::remove_file(&self.path)),
            Err(_) => Ok(()),
        }
        .map_err(failed("wiping", &self.path))?;
        gone(fs::remove_file(&self.receipt_path)).map_err(failed("wiping", &self.receipt_path))
    }

    /// The tokens in the file, if it is complete. The worker writes it in place, so a read may see half of it.
    fn read_tokens(&self) -> Option<GarminTokens> {
        let tokens: GarminTokens =
            serde_json::from_slice(&read_small(&self.path.join(TOKEN_FILE)).ok()?).ok()?;
        let refresh = tokens.di_refresh_token.as_ref()?;
        let is_whole = !tokens.di_token.is_empty() && !refresh.is_empty();
        is_whole.then_some(tokens)
    }

    fn write_receipt(&self) -> Result<(), TokenError> {
        let receipt = serde_json::to_vec(&self.receipt).unwrap_or_default();
        replace(&self.receipt_path, &receipt).map_err(failed("writing", &self.receipt_path))
    }
}

fn receipt_path(root: &Path, account: &AccountId) -> PathBuf {
    root.join(format!("{account}.json"))
}

fn fingerprint(tokens: &GarminTokens) -> TokenHash {
    let refresh = tokens
        .di_refresh_token
        .as_ref()
        .map_or("", |token| token.expose());
    TokenHash::of(&format!("{}\n{refresh}", tokens.di_token.expose()))
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TokenError {
    move |source| TokenError::File {
        act,
        path: path.to_owned(),
        source,
    }
}

/// Replaces a file atomically with mode 0600, and never follows a link.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_file_name(random_id(".new-"));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file: File| file.write_all(content))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        drop(fs::remove_file(&new));
    }
    written
}

/// Reads a small regular file. Rejects links, and pipes, on which a reader would hang.
fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.len() > LARGEST_TOKEN_FILE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut content = Vec::new();
    file.take(LARGEST_TOKEN_FILE).read_to_end(&mut content)?;
    Ok(content)
}
