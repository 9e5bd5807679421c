//! Exit codes, after sysexits.h, and the errors that only the command line has.

use std::error::Error;
use std::process::ExitCode;

use super::location::{GatewayRuns, NoStore};
use super::operate::OperateError;
use super::output::fail;
use crate::admin::api::AdminRefusal;
use crate::admin::client::ClientError;
use crate::base::causes::chain;
use crate::base::secrets::RootSecretError;
use crate::config::SettingProblem;
use crate::console::words::plain;
use crate::daemon::StartError;
use crate::store::{ArchiveError, OpenError, RestoreError, RotateError, StoreError};
use crate::upkeep::backups::BackupError;
use crate::upkeep::{NotWritten, RotateFileError};

/// The person answered no.
pub(super) const DECLINED: u8 = 1;
pub(super) const USAGE: u8 = 64;
pub(super) const UNAVAILABLE: u8 = 69;
pub(super) const BROKEN: u8 = 70;
pub(super) const DISK: u8 = 74;
pub(super) const NOT_ALLOWED: u8 = 77;
pub(super) const CONFIG: u8 = 78;

/// Wrong usage that the command line parser cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// All wrong settings at once.
#[derive(Debug, thiserror::Error)]
#[error("{} wrong:\n  {}", settings_are(.0.len()), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
pub(super) struct WrongSettings(pub(super) Vec<SettingProblem>);

fn settings_are(n: usize) -> String {
    if n == 1 {
        "1 setting is".to_owned()
    } else {
        format!("{n} settings are")
    }
}

impl From<Vec<SettingProblem>> for WrongSettings {
    fn from(problems: Vec<SettingProblem>) -> Self {
        Self(problems)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("GATEWAY_LOG_FILE can't be opened: {0}; check its directory")]
pub(super) struct LogFileError(pub(super) std::io::Error);

/// An error that ends with [`BROKEN`], whatever caused it.
pub(super) fn internal(what: &str, cause: &dyn Error) -> anyhow::Error {
    anyhow::anyhow!("{what}: {}", chain(cause))
}

/// Reports how a subcommand ended. A closed pipe is no error: the reader has seen enough.
pub(super) fn ended(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let is_closed_pipe = |e: &(dyn Error + 'static)| {
        let io = e.downcast_ref::<std::io::Error>();
        io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(is_closed_pipe) {
        return ExitCode::SUCCESS;
    }
    let text = chain(error.as_ref());
    let lines: Vec<String> = text.lines().map(plain).collect();
    fail(code_of(&error), &lines.join("\n"))
}

/// The exit code of the first error in the chain that has one.
fn code_of(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code).unwrap_or(BROKEN)
}

fn code(e: &(dyn Error + 'static)) -> Option<u8> {
    if let Some(e) = e.downcast_ref::<StartError>() {
        return Some(e.exit_code());
    }
    if let Some(e) = e.downcast_ref::<ClientError>() {
        return Some(match e {
            ClientError::NotAllowed(_) => NOT_ALLOWED,
            ClientError::Refused(AdminRefusal::Invalid(_) | AdminRefusal::NotFound(_)) => USAGE,
            ClientError::Refused(AdminRefusal::Internal(_)) => BROKEN,
            _ => UNAVAILABLE,
        });
    }
    match e.downcast_ref::<OperateError>() {
        Some(OperateError::NobodyToAsk) => return Some(USAGE),
        Some(OperateError::Declined) => return Some(DECLINED),
        Some(OperateError::OtherAnswer) => return Some(BROKEN),
        None => {}
    }
    let unavailable = e.is::<GatewayRuns>() || matches!(e.downcast_ref(), Some(OpenError::InUse(_)));
    let usage = e.is::<UsageError>()
        || matches!(e.downcast_ref(), Some(RestoreError::InTheWay(_)))
        || matches!(e.downcast_ref(), Some(BackupError::Taken(_)));
    let config = e.is::<WrongSettings>()
        || e.is::<LogFileError>()
        || e.is::<RootSecretError>()
        || e.is::<NoStore>()
        || matches!(
            e.downcast_ref(),
            Some(ArchiveError::WrongSecret(_) | ArchiveError::Newer(_))
        )
        || matches!(
            e.downcast_ref(),
            Some(OpenError::WrongSecret(_) | OpenError::Newer { .. })
        )
        || matches!(e.downcast_ref(), Some(RotateError::WrongSecret));
    let disk = e.is::<NotWritten>()
        || e.is::<ArchiveError>()
        || e.is::<OpenError>()
        || e.is::<StoreError>()
        || matches!(
            e.downcast_ref(),
            Some(RotateFileError::<ClientError>::File { .. })
        )
        || matches!(
            e.downcast_ref(),
            Some(RotateFileError::<RotateError>::File { .. })
        )
        || e.is::<std::io::Error>();
    [
        (unavailable, UNAVAILABLE),
        (usage, USAGE),
        (config, CONFIG),
        (disk, DISK),
    ]
    .into_iter()
    .find_map(|(applies, code)| applies.then_some(code))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_error_has_its_exit_code() {
        let refused = |refusal| code_of(&ClientError::Refused(refusal).into());
        assert_eq!(refused(AdminRefusal::NotFound(String::new())), USAGE);
        assert_eq!(refused(AdminRefusal::Unavailable(String::new())), UNAVAILABLE);
        assert_eq!(refused(AdminRefusal::Internal(String::new())), BROKEN);
        let nowhere = PathBuf::new();
        assert_eq!(
            code_of(&ClientError::NotRunning(nowhere.clone()).into()),
            UNAVAILABLE
        );
        assert_eq!(code_of(&ClientError::NotAllowed(nowhere).into()), NOT_ALLOWED);
        assert_eq!(code_of(&OperateError::Declined.into()), DECLINED);
        assert_eq!(code_of(&OperateError::NobodyToAsk.into()), USAGE);
        assert_eq!(code_of(&UsageError("no".into()).into()), USAGE);
        assert_eq!(code_of(&anyhow::anyhow!("a bug")), BROKEN);
    }
}
