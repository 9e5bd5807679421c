//! What the daemon shows: the contents of answers and updates.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The state of the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The daemon's version.
    pub program: String,
    /// When it started.
    pub started_at: Timestamp,
    /// The connector URL.
    pub url: String,
    /// Whether its Garmin is pretended.
    pub simulated: bool,
    /// People with a working access.
    pub people: u32,
    /// All accounts.
    pub accounts: u32,
    /// Registered clients.
    pub clients: u32,
    /// Families of tokens that work.
    pub tokens: u32,
    /// Workers that run.
    pub workers: u32,
    /// How many may.
    pub max_workers: u32,
    /// Races under way.
    pub races: u32,
    /// Calls since the start.
    pub calls: u64,
    /// Of these, with an error.
    pub errors: u64,
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// The database on the disk, bytes.
    pub store_bytes: u64,
    /// What a person should look at, most urgent first.
    pub attention: Vec<Attention>,
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// Whom or what it is about, for people.
    pub subject: String,
    /// What is the matter, and what helps.
    pub text: String,
    /// The account it concerns.
    pub account: Option<String>,
    /// The view that has the fix.
    pub view: ConsoleView,
}

/// The views of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleView {
    /// 1
    Overview,
    /// 2
    Workers,
    /// 3
    Accounts,
    /// 4
    Races,
    /// 5
    Tokens,
    /// 6
    Log,
}

/// A worker, or an account that waits for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Whose.
    pub account: String,
    /// The person's label.
    pub label: String,
    /// `builtin` or the command's name.
    pub kind: String,
    /// `waiting`, `starting`, `ready`, `stopping`, `failed`.
    pub state: String,
    /// The process.
    pub pid: Option<i32>,
    /// Its port on 127.0.0.1.
    pub port: Option<u16>,
    /// Resident memory of its group, bytes.
    pub memory_bytes: Option<u64>,
    /// Processor time of its group so far, seconds.
    pub cpu_s: Option<f64>,
    /// Calls so far.
    pub calls: u64,
    /// Calls under way.
    pub in_flight: u32,
    /// Calls that wait for it.
    pub waiting: u32,
    /// Unused since, seconds; none while it works.
    pub idle_s: Option<u64>,
    /// Starts since the gateway's own.
    pub starts: u64,
    /// Unexpected ends in a row.
    pub failures: u32,
    /// What holds it in.
    pub fence: Option<String>,
    /// After unexpected ends: before this no new one is started.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
}

/// Accounts, invitations and knocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct People {
    /// Whose Garmin is linked.
    pub accounts: Vec<AccountView>,
    /// Who may sign in, by an invitation given here.
    pub invitations: Vec<InvitationView>,
    /// Who tried without one.
    pub knocks: Vec<AccessRequestView>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// The e-mail of the last sign-in.
    pub email: String,
    /// The person's name at Garmin.
    pub name: String,
    /// The first sign-in.
    pub linked_at: Timestamp,
    /// The last call, roughly.
    pub last_seen: Option<Timestamp>,
    /// `working`, or why not.
    pub garmin: String,
    /// Whether Garmin wants the person to sign in again.
    pub sign_in_needed: bool,
    /// When the Garmin access token ends; it is renewed before.
    pub garmin_token_expires: Option<Timestamp>,
    /// Clients with a working access.
    pub clients: u32,
    /// Families of tokens that work.
    pub tokens: u32,
    /// `read only`, `read and change`, or both.
    pub access: String,
    /// Calls of the last 30 days.
    pub calls_30d: u64,
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    /// Whom.
    pub email: String,
    /// Since when.
    pub invited_at: Timestamp,
}

/// Somebody who tried without an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequestView {
    /// What was typed.
    pub email: String,
    /// The last time.
    pub last: Timestamp,
    /// How often.
    pub times: u32,
}

/// Calls of one tool by one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUsage {
    /// Whose.
    pub account: String,
    /// The person's label.
    pub label: String,
    /// Which.
    pub tool: String,
    /// How often, in the last 30 days.
    pub calls: u64,
    /// Of these, with an error.
    pub errors: u64,
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// Its id, or its metadata URL.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Its first sign-in that still holds.
    pub first_used_at: Timestamp,
    /// Families of tokens that work.
    pub tokens: u32,
}

/// Families of tokens, and what was revoked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokensView {
    /// All that work.
    pub families: Vec<FamilyView>,
    /// What was revoked, newest first.
    pub revocations: Vec<RevocationView>,
}

/// All tokens of one sign-in of one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyView {
    /// Its id.
    pub id: String,
    /// Whose.
    pub account: String,
    /// The person's label.
    pub label: String,
    /// The client's name.
    pub client: String,
    /// The client's id, or its metadata URL.
    #[serde(default)]
    pub client_id: String,
    /// `read only` or `read and change`.
    pub access: String,
    /// The sign-in.
    pub issued_at: Timestamp,
    /// The last use, roughly.
    pub last_used: Option<Timestamp>,
    /// When it ends if unused; none = never.
    pub expires_at: Option<Timestamp>,
}

/// A family that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationView {
    /// When.
    pub at: Timestamp,
    /// Which family.
    pub family: String,
    /// Whose.
    pub account: String,
    /// The person's label, if the account is still there.
    pub label: String,
    /// The client's name.
    pub client: String,
    /// `client`, `operator`, `code_reuse`, `refresh_reuse`, `unused`.
    pub reason: String,
    /// The operator's uid on the gateway's machine.
    #[serde(default)]
    pub by_uid: Option<u32>,
    /// Access tokens that fell with it.
    #[serde(default)]
    pub tokens: u32,
}

/// What a revocation ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationSummary {
    /// Families of tokens: sign-ins of clients.
    pub families: u32,
    /// Access tokens in them that were good until then.
    pub tokens: u32,
    /// Workers that were stopped, and the calls in flight in them cut.
    pub workers: u32,
    /// Calls that were cut.
    pub calls: u32,
    /// Races that ended.
    pub races: u32,
    /// Accounts that were erased.
    pub accounts: u32,
}

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeSummary {
    /// Races.
    pub races: u32,
    /// Lines of what was used: a tool on a day.
    pub usage: u32,
    /// Bytes that the store took on the disk, and takes now, if it was compacted.
    pub compacted: Option<(u64, u64)>,
}

/// What was sent in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSummary {
    /// The moment that it shows.
    pub at: Timestamp,
    /// How many records are in it.
    pub records: u64,
}

/// A race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceView {
    /// Its id.
    pub id: String,
    /// Whose.
    pub account: String,
    /// Its name.
    pub name: String,
    /// The state in words: `running`, `stopped`, `no signal`, `finished` …
    pub state: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// The device's time of the last point.
    pub last_point_at: Option<Timestamp>,
    /// Distance so far, metres.
    pub distance_m: Option<f64>,
    /// Points stored.
    pub points: u64,
    /// The last alert.
    pub last_alert: Option<String>,
}

/// A race with all that is drawn of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceDetail {
    /// As in the list.
    pub race: RaceView,
    /// The track, thinned for drawing, in order of time.
    pub track: Vec<TrackSample>,
    /// The planned course, as latitude and longitude in degrees.
    pub course: Vec<(f64, f64)>,
    /// Limits in effect, by their `race_config` names.
    pub limits: Map<String, Value>,
    /// Splits: label and seconds.
    pub splits: Vec<(String, f64)>,
    /// Alerts, oldest first.
    pub alerts: Vec<(Timestamp, String)>,
    /// What Claude said last.
    pub last_words: Option<String>,
}

/// A point for drawing. `None` where the device had nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackSample {
    /// The device's time.
    pub at: Timestamp,
    /// Latitude and longitude, degrees.
    pub position: Option<(f64, f64)>,
    /// Distance, metres.
    pub distance_m: Option<f64>,
    /// Heart rate, beats a minute.
    pub heart_bpm: Option<f64>,
    /// Power, watts.
    pub power_w: Option<f64>,
    /// Speed, metres a second.
    pub speed_mps: Option<f64>,
    /// Whether a gap lies before it: no line is drawn over it.
    pub after_gap: bool,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// When.
    pub at: Timestamp,
    /// `error`, `warn`, `info`, `debug`.
    pub level: String,
    /// Its name.
    pub event: String,
    /// The rest.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}
