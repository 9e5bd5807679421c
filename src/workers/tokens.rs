//! A worker's directory and the Garmin tokens in it: handed out, taken in again, wiped.
//!
//! Garmin spends a refresh token when it is used, so the newest tokens may be here and nowhere else. They are sealed before
//! anything is wiped, and only if nothing newer came in between (a sign-in).
//!
//! Beside the directory `RUNTIME_DIR/workers/<account>` lies `<account>.json`, the *receipt*: which generation of tokens was
//! handed out, and to which process. It is out of the worker's reach. With it, what a crash left behind can be judged:
//! the store's tokens are either those handed out, or those that this very directory gave back a moment before (the
//! receipt announces a sealing before it happens), or newer ones of a sign-in, which win.
//!
//! Nothing in the directory is trusted: a worker may put there what it likes.

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
/// The built-in worker makes this file when Garmin refuses its tokens for good.
pub const SIGN_IN_NEEDED: &str = "sign_in_needed";
/// The file with the bearer token that the built-in worker's HTTP server asks for. A new one for each start: any program
/// of this machine reaches the port, and only the gateway knows the token.
pub const BEARER_FILE: &str = "bearer";
/// A larger token file is not one.
const LARGEST_TOKEN_FILE: u64 = 64 << 10;

/// What was handed out with a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    /// The generation that the tokens in the directory are based on.
    generation: u64,
    /// The hash of tokens that are being sealed as the next generation.
    #[serde(default)]
    sealing: Option<TokenHash>,
    /// Who got them.
    #[serde(default)]
    process: Option<ProcessMark>,
}

/// Names a process beyond the reuse of its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessMark {
    /// The process id, which is its group's too.
    pub(super) id: i32,
    /// Ticks since boot.
    pub(super) started: u64,
    /// Which boot.
    boot: String,
}

impl ProcessMark {
    /// Nothing of an earlier boot is running any more.
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

/// What was found in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenIn {
    /// Nothing new, or nothing whole.
    Nothing,
    /// New tokens; they are in the store now.
    Sealed,
    /// New tokens, but a sign-in was newer still: the worker has the wrong ones.
    Outdated,
}

/// Why tokens could not be handed out or taken in. *The operator* can act (a full disk).
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The runtime directory.
    #[error("{act} {} failed", path.display())]
    File {
        /// e.g. `writing`
        act: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The store.
    #[error("the refreshed Garmin tokens could not be kept")]
    Store(#[from] StoreError),
}

impl Directory {
    /// Makes the directory of `account` under `root`, with the tokens in it. There must be none yet ([`Directory::find`]).
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

    /// The directory that an earlier process left, if there is one.
    pub(super) fn find(root: &Path, account: &AccountId) -> Option<Self> {
        let (path, receipt_path) = (root.join(account.as_str()), receipt_path(root, account));
        let receipt = read_small(&receipt_path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        if receipt.is_none() && fs::symlink_metadata(&path).is_err() {
            return None;
        }
        // Without a receipt nobody can say that these tokens are newer than the store's.
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

    /// Makes a bearer token for the process to be, and leaves it in the directory.
    pub(super) fn hand_out_bearer(&self) -> Result<Secret, TokenError> {
        let bearer = random_token("wk_");
        let file = self.path.join(BEARER_FILE);
        replace(&file, bearer.expose().as_bytes()).map_err(failed("writing", &file))?;
        Ok(bearer)
    }

    /// The accounts that have something under `root`.
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

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Who has the tokens.
    pub(super) fn process(&self) -> Option<&ProcessMark> {
        self.receipt.process.as_ref()
    }

    /// Which tokens were handed out, or sealed last.
    pub(super) fn generation(&self) -> u64 {
        self.receipt.generation
    }

    /// Notes who has the tokens.
    pub(super) fn mark(&mut self, id: Pid, started: u64) -> Result<(), TokenError> {
        self.receipt.process = Some(ProcessMark {
            id: id.as_raw(),
            started,
            boot: procfs::boot_id(),
        });
        self.write_receipt()
    }

    /// Reads the token file, and seals what is new in it. On an error nothing is lost as long as the directory stays.
    pub(super) async fn take_in(&mut self, accounts: &Accounts) -> Result<TakenIn, TokenError> {
        let Some(tokens) = self.read_tokens() else {
            return Ok(TakenIn::Nothing);
        };
        let found = fingerprint(&tokens);
        if self.sealed == Some(found) {
            return Ok(TakenIn::Nothing);
        }
        let Some(held) = accounts.tokens(&self.account)? else {
            // The account was forgotten meanwhile.
            return Ok(TakenIn::Outdated);
        };
        let in_store = fingerprint(&held.tokens);
        if in_store == found {
            self.receipt.generation = held.generation;
            self.receipt.sealing = None;
            self.sealed = Some(found);
            return Ok(TakenIn::Nothing);
        }
        // The store may be one ahead of the receipt when a crash came between sealing and noting it.
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

    /// Whether the worker says that only a new sign-in helps.
    pub(super) fn says_sign_in_needed(&self) -> bool {
        fs::symlink_metadata(self.path.join(SIGN_IN_NEEDED)).is_ok_and(|found| found.is_file())
    }

    /// Removes everything. To be called when the process has ended and [`Directory::take_in`] went well.
    pub(super) fn wipe(self) -> Result<(), TokenError> {
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        };
        match fs::symlink_metadata(&self.path) {
            // Does not follow links, neither here nor below.
            Ok(found) if found.is_dir() => gone(fs::remove_dir_all(&self.path)),
            Ok(_) => gone(fs::remove_file(&self.path)),
            Err(_) => Ok(()),
        }
        .map_err(failed("wiping", &self.path))?;
        gone(fs::remove_file(&self.receipt_path)).map_err(failed("wiping", &self.receipt_path))
    }

    /// The tokens in the file, if it is whole: written in place, it is read half-written now and then.
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

/// Writes a file anew, 0600, whole or not at all, never through a link.
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

/// Reads a small plain file; neither a link nor a pipe, on which a reader would hang.
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
