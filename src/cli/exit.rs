//! Exit codes that follow sysexits.h, and the errors that only the command line has.

use std::error::Error;
use std::path::PathBuf;

use crate::base::causes::chain;
use crate::config::SettingProblem;

/// The operator answered no.
pub(super) const DECLINED: u8 = 1;
pub(super) const USAGE: u8 = 64;
/// A download is not what was published.
pub(super) const NOT_GENUINE: u8 = 65;
pub(super) const UNAVAILABLE: u8 = 69;
pub(super) const BROKEN: u8 = 70;
pub(super) const DISK: u8 = 74;
pub(super) const NOT_ALLOWED: u8 = 77;
pub(super) const CONFIG: u8 = 78;

/// Wrong usage that the argument parser cannot detect.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// All wrong settings, reported together.
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

/// Why a subcommand could not be completed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperateError {
    #[error("the gateway sent an unexpected answer; use the same version of this program")]
    OtherAnswer,
    #[error("this needs confirmation, but there is no terminal to ask on; add --yes")]
    NobodyToAsk,
    #[error("nothing was done")]
    Declined,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no store in {path}; name the gateway's settings with --env-file FILE", path = .0.display())]
pub(super) struct NoStore(pub(super) PathBuf);

#[derive(Debug, thiserror::Error)]
#[error("a gateway is using this store; stop it first (systemctl stop garmin-gateway)")]
pub(super) struct GatewayRuns;

/// An error with the exit code [`BROKEN`], whatever its cause.
pub(super) fn internal(what: &str, cause: &dyn Error) -> anyhow::Error {
    anyhow::anyhow!("{what}: {}", chain(cause))
}
