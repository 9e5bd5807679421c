//! The doctor checks the installation, on this machine and from outside, and says how to fix each problem.
//!
//! Each check returns one or more [`Finding`]s. One of them registers a client at the public address, as Claude would.
//! That leaves nothing behind, because the gateway does not store registrations.
//!
//! | file | checks |
//! |---|---|
//! | `place` | settings, secret, directories, disk |
//! | `running` | the gateway, the store, the workers' program |
//! | `garmin` | Garmin's hosts, and the clock |
//! | `mailbox` | the mailbox that starts races |
//! | `public` | the public address as Claude sees it |
//! | `certificate` | its certificate, as it is served and in its file |
//! | `requests` | Claude's requests, one after the other |
//!
//! Repairs are omitted on purpose: a finding may have a cause that the doctor does not know, and its fix is one line
//! to copy.

mod certificate;
mod garmin;
mod mailbox;
mod place;
mod public;
mod requests;
mod running;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::admin::api::AdminAnswer;
use crate::admin::client::{AdminClient, ClientError};
use crate::base::clock::Clock;
use crate::config::{Config, SettingProblem, Sources};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    /// It works, but not for everyone, or not for long.
    Warn,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub verdict: Verdict,
    /// A sentence about what was observed.
    pub says: String,
    /// The fix, if one is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            says: says.into(),
            fix: None,
        }
    }

    fn warn(check: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Warn,
            says: says.into(),
            fix: Some(fix.into()),
        }
    }

    fn fail(check: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(check, says, fix)
        }
    }
}

pub struct Visit {
    pub sources: Sources,
    /// The admin socket, if it is not the one from the settings.
    pub socket: Option<PathBuf>,
    pub program: PathBuf,
    pub clock: Clock,
    /// The maximum time for one response over the network.
    pub patience: Duration,
}

/// State that checks share, such as the results of earlier ones.
struct Patient {
    config: Config,
    visit: Visit,
    /// The connection to the running gateway.
    gateway: Option<AdminClient>,
    overview: Option<Result<AdminAnswer, ClientError>>,
}

/// Runs all checks in sequence and passes each finding to `tell` immediately. Returns the worst verdict.
pub async fn examine(visit: Visit, mut tell: impl FnMut(Finding)) -> Verdict {
    let mut worst = Verdict::Ok;
    let mut note = |findings: Vec<Finding>| {
        for finding in findings {
            worst = worst.max(finding.verdict);
            tell(finding);
        }
    };
    match Config::load(&visit.sources) {
        Ok(config) => {
            let mut patient = Patient {
                config,
                visit,
                gateway: None,
                overview: None,
            };
            note(place::settings(&patient));
            note(place::secret(&patient));
            note(place::directories(&patient));
            note(running::gateway(&mut patient).await);
            note(running::store(&patient));
            note(running::worker(&mut patient).await);
            note(garmin::hosts(&patient).await);
            note(mailbox::sign_in(&patient).await);
            note(certificate::in_files(&patient));
            note(public::address(&mut patient).await);
        }
        // All other checks depend on the settings.
        Err(problems) => note(problems.iter().map(of_problem).collect()),
    }
    worst
}

fn of_problem(problem: &SettingProblem) -> Finding {
    Finding::fail(
        "settings",
        format!("{} ({}): {}", problem.name, problem.source, problem.what),
        problem.fix.clone(),
    )
}

/// The clock difference in seconds that Garmin and Claude tolerate, approximately.
const CLOCK_TOLERANCE_S: i64 = 60;

/// Compares the local clock with the `Date` header of a server.
fn clock(ours: Timestamp, theirs: Timestamp, whose: &str) -> Finding {
    let off = ours.duration_since(theirs).as_secs();
    let fix = "turn on time synchronisation: timedatectl set-ntp true";
    if off.abs() <= CLOCK_TOLERANCE_S {
        Finding::ok("clock", format!("agrees with {whose}"))
    } else {
        let way = if off > 0 { "ahead of" } else { "behind" };
        Finding::fail("clock", format!("{} s {way} {whose}", off.abs()), fix)
    }
}
