//! The outcome of a subcommand: the exit code of its error, and the message.

use std::error::Error;
use std::process::ExitCode;

use super::exit::{
    BROKEN, CONFIG, DECLINED, DISK, GatewayRuns, LogFileError, NOT_ALLOWED, NoStore, OperateError,
    UNAVAILABLE, USAGE, UsageError, WrongSettings,
};
use super::output::fail;
use crate::admin::api::AdminRefusal;
use crate::admin::client::ClientError;
use crate::base::causes::chain;
use crate::base::secrets::RootSecretError;
use crate::console::words::plain;
use crate::daemon::StartError;
use crate::import::ImportError;
use crate::store::{ArchiveError, OpenError, RestoreError, RotateError, StoreError};
use crate::upkeep::backups::BackupError;
use crate::upkeep::{NotWritten, RotateFileError};

/// Reports the outcome of a subcommand. A closed pipe is not an error: the reader has seen enough.
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
    if let Some(e) = e.downcast_ref::<ImportError>() {
        return Some(match e {
            ImportError::NoDatabase(_) | ImportError::NoSuchOwner(_) => USAGE,
            ImportError::NoSecret(_) | ImportError::WrongSecret(_) | ImportError::EnvFile(_) => CONFIG,
            ImportError::Running(_) | ImportError::LiveTrackRunning(_) | ImportError::Changing(_) => {
                UNAVAILABLE
            }
            ImportError::NotADatabase(_)
            | ImportError::OtherLayout { .. }
            | ImportError::NoPoints(_)
            | ImportError::Unreadable { .. }
            | ImportError::Io { .. } => DISK,
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
            Some(OpenError::WrongSecret(_) | OpenError::Newer { .. } | OpenError::NotADirectory(_))
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
