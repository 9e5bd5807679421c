//! A trial run of the worker program: started and fenced like a worker, asked for its tools, and stopped.
//!
//! The program gets tokens that belong to no one. The built-in worker lists its tools anyway. `garmin_mcp` first asks
//! Garmin whose tokens they are, and exits when they are rejected; by then its Python, its packages and the fence
//! have proved to work.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::watch;

use super::call::NEXT_TRY;
use super::{SILENCE, UpstreamAnswer, UpstreamCall, Workers, WorkersParts};
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::disk::Scratch;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::{RootSecret, Secret, random_id};
use crate::config::{Config, GarminHosts, Live, WorkerSettings};
use crate::garmin::{ApiSettings, GarminTokens, SignedIn};
use crate::sandbox::{PrivatePaths, Processes};
use crate::store::Store;

/// What `garmin_mcp` prints when Garmin rejects the tokens.
const STOPPED_AT_GARMIN: &str = "Failed to initialize Garmin Connect client";
/// The time limit for cleaning up after a rehearsal.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// The result of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rehearsal {
    /// The program started and listed its tools.
    Answers {
        n_tools: usize,
        /// The time from the start of the process to the list of tools.
        took: Duration,
        /// The active parts of the fence around it.
        fence: String,
    },
    /// The program started, and got as far as possible without a person's tokens.
    WantsTokens,
    /// The program does not work. In plain words, with advice if the cause is known.
    Fails(String),
}

/// How the text about a program begins that starts but offers nothing.
pub const NO_TOOLS: &str = "it starts, but lists no tools";

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers {
                n_tools: 0, fence, ..
            } => write!(f, "{NO_TOOLS}; fence: {fence}"),
            Self::Answers { n_tools, took, fence } => write!(
                f,
                "it starts and lists {n_tools} tools in {} ms; fence: {fence}",
                took.as_millis()
            ),
            Self::WantsTokens => {
                f.write_str("it starts; without a person's tokens Garmin lets it go no further")
            }
            Self::Fails(reason) => f.write_str(reason),
        }
    }
}

/// The inputs of a rehearsal.
#[derive(Debug, Clone)]
pub struct Script {
    pub settings: WorkerSettings,
    /// The addresses of Garmin's servers.
    pub garmin: GarminHosts,
    pub processes: Processes,
    /// A temporary working directory; nothing is left in it.
    pub directory: PathBuf,
}

impl Script {
    /// For a command that does not run the gateway. `config` is the gateway's configuration, and `self_exe` is the
    /// path of this binary. Must be called within the tokio runtime. Fails if the thread can't be started.
    pub fn of(config: &Config, self_exe: PathBuf, lifecycle: &Lifecycle) -> io::Result<Self> {
        let secret = config.secret.path().map(ToOwned::to_owned);
        let closed = secret.into_iter().chain([config.db_path.clone()]);
        let private = PrivatePaths::new(&config.data_dir, closed);
        Ok(Self {
            settings: config.workers.clone(),
            garmin: config.garmin.clone(),
            processes: Processes::start(self_exe, private, lifecycle)?,
            directory: std::env::temp_dir(),
        })
    }
}

/// Runs the worker program once and reports how it went.
pub async fn rehearse(script: Script) -> Rehearsal {
    let stage = match Scratch::make(&script.directory, "rehearsal-") {
        Ok(stage) => stage,
        Err(e) => return Rehearsal::Fails(format!("a directory for the rehearsal can't be made: {e}")),
    };
    let lifecycle = Lifecycle::new();
    let outcome = perform(script, stage.path(), &lifecycle).await;
    lifecycle.drain(CLEAN_UP).await;
    outcome.unwrap_or_else(Rehearsal::Fails)
}

async fn perform(script: Script, stage: &Path, lifecycle: &Lifecycle) -> Result<Rehearsal, String> {
    let Script {
        settings,
        garmin,
        processes,
        ..
    } = script;
    let kept = |what: &str| {
        let what = what.to_owned();
        move |e: &dyn fmt::Display| format!("{what} for the rehearsal can't be made: {e}")
    };
    let runtime_dir = stage.join("run");
    fs::create_dir(&runtime_dir).map_err(|e| kept("a directory")(&e))?;
    let secret = RootSecret::new(&random_id("").repeat(2)).map_err(|e| kept("a secret")(&e))?;
    let store = Store::open(&stage.join("db"), &secret).map_err(|e| kept("a store")(&e))?;
    let (_live, live) = watch::channel(Live::default());
    let accounts = Accounts::new(store, Clock::system(), live);
    let nobody = accounts.link("nobody@invalid", nobody()).await;
    let nobody = nobody.map_err(|e| kept("an account")(&e))?.id;
    let workers = Workers::start(WorkersParts {
        silence: SILENCE,
        rate: ApiSettings::new(&garmin).rate,
        settings,
        runtime_dir,
        data_dir: stage.to_owned(),
        garmin,
        accounts,
        lifecycle: lifecycle.clone(),
        processes,
    });
    let workers = workers.await.map_err(|e| e.to_string())?;
    let outcome = ask(&workers, &nobody).await;
    workers.drain().await;
    outcome
}

async fn ask(workers: &Workers, nobody: &AccountId) -> Result<Rehearsal, String> {
    #[derive(Deserialize)]
    struct List {
        tools: Vec<serde::de::IgnoredAny>,
    }
    let begin = Instant::now();
    let call = UpstreamCall {
        method: "tools/list",
        params: None,
        read_only: true,
        progress: None,
        messages: None,
    };
    match workers.call(nobody, call).await {
        Ok(UpstreamAnswer::Result(list)) => {
            let took = begin.elapsed();
            let list: List =
                serde_json::from_str(list.get()).map_err(|_| "its answer is not a list of tools")?;
            let fence = workers.list().into_iter().find_map(|worker| worker.process);
            Ok(Rehearsal::Answers {
                n_tools: list.tools.len(),
                took,
                fence: fence.map_or_else(String::new, |process| process.fence),
            })
        }
        Ok(UpstreamAnswer::Error(_)) => Err("it refuses to list its tools".to_owned()),
        Err(error) => {
            let said = workers.output(nobody);
            if said.iter().any(|line| line.contains(STOPPED_AT_GARMIN)) {
                Ok(Rehearsal::WantsTokens)
            } else {
                let reason = error.to_string();
                // A rehearsal is not repeated, so it says nothing about a next try.
                Err(reason
                    .split_once(NEXT_TRY)
                    .map_or(reason.as_str(), |(before, _)| before)
                    .to_owned())
            }
        }
    }
}

/// Tokens that belong to no one. They have the right shape and don't expire soon, so no program tries to refresh
/// them.
fn nobody() -> SignedIn {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let token = format!(
        "{}.{}.{}",
        part(r#"{"alg":"none"}"#),
        part(r#"{"exp":4102444800}"#),
        part("-")
    );
    SignedIn {
        profile_id: 1,
        display_name: "nobody".to_owned(),
        full_name: "Nobody".to_owned(),
        tokens: GarminTokens {
            di_token: Secret::new(token),
            di_refresh_token: Some(Secret::new("none")),
            di_client_id: Some("NONE".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_without_tools_is_told_apart() {
        let told = |n_tools| {
            let answers = Rehearsal::Answers {
                n_tools,
                took: Duration::from_millis(7),
                fence: "full".to_owned(),
            };
            answers.to_string()
        };
        assert_eq!(told(0), format!("{NO_TOOLS}; fence: full"));
        assert_eq!(told(2), "it starts and lists 2 tools in 7 ms; fence: full");
    }
}
