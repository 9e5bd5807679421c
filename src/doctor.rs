//! The doctor: looks at everything that has to be right, on this machine and from outside, and says what to do.
//!
//! Each look makes one or more [`Finding`]s. Nothing is changed but one thing: a client registers at the public address, as
//! Claude would, and is swept away with those that nobody ever used.
//!
//! | file | looks at |
//! |---|---|
//! | `place` | settings, secret, directories, disk |
//! | `running` | the gateway, the store, the workers' program |
//! | `garmin` | Garmin's hosts, and the clock |
//! | `public` | the public address as Claude sees it |
//! | `certificate` | its certificate |
//! | `way` | Claude's requests, one after the other |
//!
//! Absent on purpose: repairs. What is wrong may be so for a reason, and the fix is one line to copy.

mod certificate;
mod garmin;
mod place;
mod public;
mod running;
mod way;

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

/// How a look came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not for everybody or not for long.
    Warn,
    /// It does not work.
    Fail,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen.
    pub says: String,
    /// What to do, where something is to be done.
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

/// What the doctor works with.
pub struct Visit {
    /// The settings' sources.
    pub sources: Sources,
    /// The gateway's socket, where it is not the settings' own.
    pub socket: Option<PathBuf>,
    /// This program's file.
    pub program: PathBuf,
    /// The time.
    pub clock: Clock,
    /// How long one answer over the network may take.
    pub patience: Duration,
}

/// What later looks need of earlier ones.
struct Patient {
    config: Config,
    visit: Visit,
    /// The gateway, if it runs.
    gateway: Option<AdminClient>,
    /// What it answered when it was asked for its overview.
    overview: Option<Result<AdminAnswer, ClientError>>,
}

/// Looks at everything in turn; `tell` gets each finding as it comes. Returns the worst.
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
            note(public::address(&mut patient).await);
        }
        // What the settings say can't be looked at while they can't be read.
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

/// The clock may be off by so much before somebody refuses what we say.
const CLOCK_TOLERANCE_S: i64 = 60;

/// Compares our clock with what a server said at the same moment.
fn clock(ours: Timestamp, theirs: Timestamp, whose: &str) -> Finding {
    let off = ours.duration_since(theirs).as_secs();
    let fix = "turn on time synchronisation: timedatectl set-ntp true";
    if off.abs() <= CLOCK_TOLERANCE_S {
        Finding::ok("clock", format!("as {whose} has it"))
    } else {
        let way = if off > 0 { "ahead of" } else { "behind" };
        Finding::fail("clock", format!("{} s {way} {whose}", off.abs()), fix)
    }
}
