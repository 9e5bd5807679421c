//! People with accounts and workers, in a temporary directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use garmin_gateway::accounts::{AccountId, Accounts};
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::{RootSecret, Secret};
use garmin_gateway::config::{GarminHosts, Live, WorkerSettings};
use garmin_gateway::garmin::{ApiSettings, GarminTokens, RequestRate, SignedIn};
use garmin_gateway::sandbox::{PrivatePaths, Processes};
use garmin_gateway::store::Store;
use garmin_gateway::workers::{UpstreamAnswer, UpstreamCall, WorkerError, WorkerInfo, Workers, WorkersParts};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::fake;
use crate::whole::{ports, program};

pub(super) struct World {
    pub(super) accounts: Accounts,
    pub(super) workers: Workers,
    pub(super) lifecycle: Lifecycle,
    pub(super) directory: PathBuf,
    _owned: Option<tempfile::TempDir>,
}

/// Settings for the fake worker with ordinary limits. Each test has its own ports.
pub(super) fn settings() -> WorkerSettings {
    let start = ports(20);
    WorkerSettings {
        command: Some(fake::command()),
        ports: start..=start + 19,
        idle_ttl: Duration::from_secs(600),
        startup_timeout: Duration::from_secs(20),
        max: 4,
        enabled_tools: None,
        disabled_tools: None,
        passed_on: vec![("PATH".into(), "/usr/bin:/bin".into())],
    }
}

pub(super) fn tokens(name: &str) -> GarminTokens {
    GarminTokens {
        di_token: Secret::new(format!("access-{name}")),
        di_refresh_token: Some(Secret::new(name)),
        di_client_id: Some("X".into()),
    }
}

pub(super) fn signed_in(profile_id: u64, token: &str) -> SignedIn {
    SignedIn {
        profile_id,
        display_name: String::new(),
        full_name: String::new(),
        tokens: tokens(token),
    }
}

pub(super) fn open_accounts(directory: &Path) -> Accounts {
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&directory.join("data/db"), &secret).unwrap();
    Accounts::new(store, Clock::system(), watch::channel(Live::default()).1)
}

impl World {
    pub(super) async fn new(settings: WorkerSettings) -> Self {
        Self::with_garmin(settings, no_garmin()).await
    }

    pub(super) async fn with_garmin(settings: WorkerSettings, garmin: GarminHosts) -> Self {
        let rate = ApiSettings::new(&garmin).rate;
        let owned = tempfile::tempdir().unwrap();
        std::fs::create_dir(owned.path().join("data")).unwrap();
        let world = Self::start(owned.path(), settings, garmin, rate).await;
        World {
            _owned: Some(owned),
            ..world
        }
    }

    /// Starts in `directory`, with what an earlier gateway left there.
    pub(super) async fn at(directory: &Path, settings: WorkerSettings) -> Self {
        Self::start(directory, settings, no_garmin(), ApiSettings::default().rate).await
    }

    pub(super) async fn start(
        directory: &Path,
        settings: WorkerSettings,
        garmin: GarminHosts,
        rate: RequestRate,
    ) -> Self {
        let accounts = open_accounts(directory);
        let lifecycle = Lifecycle::new();
        let data = directory.join("data");
        let private = ["run", "data/users", "data/db", "secret"].map(|name| directory.join(name));
        let private = PrivatePaths::new(&data, private);
        let parts = WorkersParts {
            settings,
            runtime_dir: directory.join("run"),
            data_dir: data,
            garmin,
            accounts: accounts.clone(),
            lifecycle: lifecycle.clone(),
            processes: Processes::start(program(), private, &lifecycle).unwrap(),
            silence: Duration::from_secs(2),
            rate,
        };
        let workers = Workers::start(parts).await.unwrap();
        World {
            accounts,
            workers,
            lifecycle,
            directory: directory.to_owned(),
            _owned: None,
        }
    }

    pub(super) async fn link(&self, profile_id: u64, token: &str) -> AccountId {
        self.accounts
            .link("ann@example.org", signed_in(profile_id, token))
            .await
            .unwrap()
            .id
    }

    /// Makes a read-only call to a worker.
    pub(super) async fn read(
        &self,
        account: &AccountId,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, WorkerError> {
        self.call(account, tool, arguments, true).await
    }

    /// Makes a call that is not read-only.
    pub(super) async fn change(
        &self,
        account: &AccountId,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, WorkerError> {
        self.call(account, tool, arguments, false).await
    }

    async fn call(
        &self,
        account: &AccountId,
        tool: &str,
        arguments: Value,
        read_only: bool,
    ) -> Result<Value, WorkerError> {
        let answer = self
            .workers
            .call(account, call(tool, &arguments, read_only, None))
            .await?;
        match answer {
            UpstreamAnswer::Result(result) => Ok(serde_json::from_str(result.get()).unwrap()),
            UpstreamAnswer::Error(error) => panic!("{tool}: {error}"),
        }
    }

    pub(super) fn info(&self, account: &AccountId) -> Option<WorkerInfo> {
        self.workers
            .list()
            .into_iter()
            .find(|info| info.account == *account)
    }

    /// The active parts of the fence around a running worker.
    pub(super) fn fence(&self, account: &AccountId) -> String {
        self.info(account).unwrap().process.unwrap().fence
    }

    pub(super) fn held_token(&self, account: &AccountId) -> String {
        let held = self.accounts.tokens(account).unwrap().unwrap();
        held.tokens.di_refresh_token.unwrap().expose().to_owned()
    }

    pub(super) fn worker_directory(&self, account: &AccountId) -> PathBuf {
        self.directory.join("run/workers").join(account.as_str())
    }

    pub(super) async fn end(self) {
        assert!(
            self.lifecycle.drain(Duration::from_secs(20)).await,
            "all tasks end"
        );
        assert!(!self.lifecycle.has_failed(), "no task broke");
        let left: Vec<_> = std::fs::read_dir(self.directory.join("run/workers"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "lock")
            .collect();
        assert!(left.is_empty(), "{left:?} is left");
    }
}

/// An address where nothing listens.
fn no_garmin() -> GarminHosts {
    GarminHosts::at(&url::Url::parse("http://127.0.0.1:9").unwrap())
}

pub(super) fn call(
    tool: &str,
    arguments: &Value,
    read_only: bool,
    progress: Option<mpsc::Sender<Box<serde_json::value::RawValue>>>,
) -> UpstreamCall {
    let params = json!({"name": tool, "arguments": arguments});
    let params = Some(serde_json::value::to_raw_value(&params).unwrap());
    UpstreamCall {
        method: "tools/call",
        params,
        read_only,
        progress,
        messages: None,
    }
}

/// Waits until a condition holds, for at most 15 s.
#[track_caller]
pub(super) fn until(what: &'static str, mut holds: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let wait = async {
            while !holds() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(
            timeout(Duration::from_secs(15), wait).await.is_ok(),
            "never: {what} ({place})"
        );
    }
}

/// Whether a process is running; a zombie is not.
pub(super) fn is_running(process: u64) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}
