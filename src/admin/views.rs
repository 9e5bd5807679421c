//! The data that the daemon shows, in answers and updates. A label is the e-mail of an account.

mod race;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use race::{
    CutoffView, LinkedAthleteView, RaceDetail, RacePlaceView, RaceView, ShareView, TrackPointView,
};

/// Key figures of the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Version of the daemon's program.
    pub program: String,
    pub started_at: Timestamp,
    /// The URL that people add as a connector.
    pub url: String,
    /// Whether Garmin is the built-in simulator.
    pub simulated: bool,
    /// People with at least one valid sign-in.
    pub people: u32,
    pub accounts: u32,
    /// Clients with at least one valid sign-in.
    pub clients: u32,
    /// The number of valid token families.
    pub tokens: u32,
    /// The number of running workers.
    pub workers: u32,
    pub max_workers: u32,
    /// The number of races in progress.
    pub races: u32,
    /// Tool calls since the gateway started.
    pub calls: u64,
    /// Tool calls that failed since the gateway started.
    pub errors: u64,
    /// Resident memory of the daemon.
    pub memory_bytes: u64,
    /// Size of the store on disk.
    pub store_bytes: u64,
    /// People who keep a history of their days.
    #[serde(default)]
    pub histories: u32,
    /// The days that all of them keep together.
    #[serde(default)]
    pub history_days: u64,
    /// When the days of any of them were last fetched.
    #[serde(default)]
    pub history_filled_at: Option<Timestamp>,
    /// The time until which no request is sent to Garmin, after it refused one with 429.
    #[serde(default)]
    pub garmin_paused_until: Option<Timestamp>,
    /// The time on the races' clock, if that differs from the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub races_time: Option<Timestamp>,
    /// A sentence about whether the mailbox that starts races is being watched; `None` without a mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// Open problems, most urgent first.
    pub attention: Vec<Attention>,
}

/// Something the operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// An account's label, an athlete, `garmin`, `store`, `proxy`, `telegram` or `mailbox`.
    pub subject: String,
    /// The problem and the remedy.
    pub text: String,
    /// The id of the account concerned.
    pub account: Option<String>,
    /// The id of the race concerned.
    #[serde(default)]
    pub race: Option<String>,
    /// The view in which to fix it.
    pub view: ConsoleView,
}

impl Attention {
    /// A problem that concerns no single account or race.
    pub(super) fn new(subject: &str, text: String, view: ConsoleView) -> Self {
        Self {
            subject: subject.to_owned(),
            text,
            account: None,
            race: None,
            view,
        }
    }
}

/// The views of the console, in the order of their keys 1 to 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleView {
    Overview,
    Workers,
    Accounts,
    Races,
    Tokens,
    Log,
}

/// A worker, or an account that is waiting for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerView {
    pub account: String,
    pub label: String,
    /// `builtin`, or the name of the command.
    pub kind: String,
    /// `waiting`, `starting`, `ready`, `stopping` or `failed`.
    pub state: String,
    pub pid: Option<i32>,
    /// The worker's port on 127.0.0.1.
    pub port: Option<u16>,
    /// Resident memory of the process group.
    pub memory_bytes: Option<u64>,
    /// Processor time of the process group.
    pub cpu_s: Option<f64>,
    pub calls: u64,
    pub in_flight: u32,
    /// Calls waiting for the worker to start.
    pub waiting: u32,
    /// Seconds since the last call ended. `None` during a call.
    pub idle_s: Option<u64>,
    /// Worker starts since the gateway started.
    pub starts: u64,
    /// The number of consecutive unexpected exits.
    pub failures: u32,
    /// The kernel features that confine the worker.
    pub fence: Option<String>,
    /// After unexpected exits, the earliest time of the next start.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
}

/// The history of a person as the operator sees it: its size and its state, without the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    pub since: Timestamp,
    /// Number of days that have data.
    pub days: u32,
    /// Bytes in the store, before sealing.
    pub bytes: u64,
    pub filled_at: Option<Timestamp>,
    /// What prevents filling it, and what to do.
    pub trouble: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct People {
    pub accounts: Vec<AccountView>,
    /// Invitations added by the operator, without those of the settings.
    pub invitations: Vec<InvitationView>,
    /// Invitations from the setting `INVITED`: e-mail addresses and `@domain`s.
    #[serde(default)]
    pub invited_by_settings: Vec<String>,
    /// Whether everyone may sign in (`OPEN_SIGN_UP`).
    #[serde(default)]
    pub open_sign_up: bool,
    /// People who tried to sign in without an invitation.
    #[serde(rename = "knocks")]
    pub access_requests: Vec<AccessRequestView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    pub id: String,
    /// The e-mail typed at the last sign-in.
    pub email: String,
    /// The person's name at Garmin.
    pub name: String,
    /// The time of the first sign-in.
    pub linked_at: Timestamp,
    /// The time of the last call, to within minutes.
    pub last_seen: Option<Timestamp>,
    /// `working`, or the reason why it is not.
    pub garmin: String,
    /// Whether Garmin requires a new sign-in.
    pub sign_in_needed: bool,
    /// Expiry of the Garmin access token, which is renewed before then.
    pub garmin_token_expires: Option<Timestamp>,
    /// The number of clients with a valid sign-in.
    pub clients: u32,
    /// The number of valid token families.
    pub tokens: u32,
    /// `read only`, `read and change`, or both.
    pub access: String,
    /// Tool calls of the last 30 days.
    pub calls_30d: u64,
    /// The size and the state of the person's history, if they keep one.
    #[serde(default)]
    pub history: Option<HistoryView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    pub email: String,
    pub invited_at: Timestamp,
}

/// Sign-in attempts of one e-mail address that has no invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequestView {
    /// The e-mail as it was typed.
    pub email: String,
    /// The time of the last attempt.
    pub last: Timestamp,
    pub times: u32,
}

/// A tool that the gateway offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedToolView {
    pub name: String,
    pub title: String,
    /// Whether it is in the list `core`.
    pub core: bool,
    /// Whether it only reads.
    pub read_only: bool,
}

/// Calls of one tool by one account in the last 30 days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUsage {
    pub account: String,
    pub label: String,
    pub tool: String,
    pub calls: u64,
    /// The number of calls that failed.
    pub errors: u64,
}

/// A client with access. A registration without a sign-in is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// Client id, or the URL of the client's metadata.
    pub id: String,
    pub name: String,
    /// The time of the oldest sign-in that is still valid.
    pub first_used_at: Timestamp,
    /// The number of valid token families.
    pub tokens: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokensView {
    /// The valid token families, newest first.
    pub families: Vec<FamilyView>,
    /// Past revocations, newest first.
    pub revocations: Vec<RevocationView>,
}

/// A token family: all tokens of one sign-in of one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyView {
    pub id: String,
    pub account: String,
    pub label: String,
    /// The client's name from its registration or metadata.
    pub client: String,
    #[serde(default)]
    pub client_id: String,
    /// `read only` or `read and change`.
    pub access: String,
    pub issued_at: Timestamp,
    /// The time of the last use, to within minutes.
    pub last_used: Option<Timestamp>,
    /// When the sign-in expires if it stays unused. `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A revoked token family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationView {
    pub at: Timestamp,
    pub family: String,
    pub account: String,
    /// Empty once the account is erased.
    pub label: String,
    /// The client's name from its registration or metadata.
    pub client: String,
    /// `client`, `operator`, `code_reuse`, `refresh_reuse` or `unused`.
    pub reason: String,
    /// The operator's uid on the gateway's machine.
    #[serde(default)]
    pub by_uid: Option<u32>,
    /// The number of access tokens that ended with the family.
    #[serde(default)]
    pub tokens: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    pub at: Timestamp,
    /// `error`, `warn`, `info` or `debug`.
    pub level: String,
    pub event: String,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// The views that a following console receives.
pub(super) struct ConsoleViews {
    pub(super) overview: Overview,
    pub(super) workers: Vec<WorkerView>,
    pub(super) people: People,
    pub(super) races: Vec<RaceView>,
    pub(super) tokens: TokensView,
}

/// A count for a view. It saturates.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
