//! All that the console and the CLI know of the daemon: one JSON value a line, over a unix socket.
//!
//! The daemon speaks first, with [`Hello`]. Then every [`AdminCall`] gets one [`AdminLine::Answer`] or [`AdminLine::Refused`] with its
//! id. After [`AdminRequest::Follow`] the daemon also sends [`AdminLine::Update`]s: each carries the whole of one view, or new
//! log events, and a sequence number. A reader that finds a gap asks to follow again and gets everything anew.
//!
//! Reads and acts are two types, because an act needs a person behind it: the peer's uid goes into the log.

mod views;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::views::{
    AccessRequestView, AccountView, Attention, ClientView, ConsoleView, EventView, FamilyView,
    InvitationView, Overview, People, PurgeSummary, RaceDetail, RaceView, RevocationSummary, RevocationView,
    StreamSummary, TokensView, ToolUsage, TrackSample, WorkerView,
};
use crate::base::secrets::Secret;

/// The version of this protocol. It changes when a value changes its meaning; new members do not change it.
pub const PROTOCOL: u32 = 1;

/// The longest line that either side takes.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// What the daemon says first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] of the daemon.
    pub protocol: u32,
    /// The daemon's version.
    pub program: String,
}

/// A line of the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminCall {
    /// Comes back with the answer.
    pub id: u64,
    /// What is wanted.
    pub request: AdminRequest,
}

/// What a client may want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRequest {
    /// To know something.
    Read(AdminRead),
    /// To change something.
    Act(AdminAct),
    /// To be told of every change from now on, beginning with the whole.
    Follow,
    /// To have something that is too long for a line: it comes in [`AdminLine::Part`]s.
    Stream(AdminStream),
}

/// What comes in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminStream {
    /// The store at this moment, sealed.
    Backup,
    /// What is a person's own, as text.
    Export {
        /// Whose: id or e-mail.
        account: String,
        /// One race alone.
        race: Option<String>,
        /// As what.
        form: ExportForm,
    },
}

/// As what a person's own data are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportForm {
    /// Everything.
    Json,
    /// The positions of one race.
    Gpx,
    /// The points of one race.
    Csv,
}

/// What can be known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRead {
    /// [`AdminAnswer::Overview`]
    Overview,
    /// [`AdminAnswer::Workers`]
    Workers,
    /// [`AdminAnswer::Lines`]: the last lines that a worker wrote.
    WorkerOutput {
        /// Whose worker.
        account: String,
    },
    /// [`AdminAnswer::Accounts`]
    Accounts,
    /// [`AdminAnswer::Usage`]
    Usage {
        /// One account, or all.
        account: Option<String>,
    },
    /// [`AdminAnswer::Clients`]
    Clients,
    /// [`AdminAnswer::Tokens`]
    Tokens,
    /// [`AdminAnswer::Races`]
    Races,
    /// [`AdminAnswer::Metrics`]
    Metrics,
    /// [`AdminAnswer::Race`]
    Race {
        /// Which.
        race: String,
    },
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminAct {
    /// Let an e-mail sign in.
    Invite {
        /// Whom.
        email: String,
    },
    /// Take an invitation back.
    Uninvite {
        /// Whose.
        email: String,
    },
    /// Stop a worker; the next call starts a new one.
    StopWorker {
        /// Whose.
        account: String,
    },
    /// End access: tokens, calls in flight, workers, races.
    Revoke(RevocationTarget),
    /// Revoke, and erase the account with its Garmin tokens.
    Forget {
        /// Whom.
        account: String,
    },
    /// Watch a race.
    StartRace {
        /// For whom.
        account: String,
        /// The LiveTrack link.
        link: String,
    },
    /// Stop watching a race.
    StopRace {
        /// Which.
        race: String,
    },
    /// Change limits of a race.
    ChangeLimits {
        /// Which.
        race: String,
        /// `race_config` members to change.
        limits: Map<String, Value>,
    },
    /// Have Claude look at a race now.
    LookAtRace {
        /// Which.
        race: String,
    },
    /// Send a test message by every configured way.
    TestNotify,
    /// Start the workers' program once, for nobody, and see whether it works.
    RehearseWorker,
    /// [`AdminAnswer::Probe`]: a token that shows that the way to the gateway is open, and opens nothing else.
    Probe,
    /// Erase races that are over, and what was used.
    Purge {
        /// Of one person: id or e-mail; without it of all.
        account: Option<String>,
        /// What told nothing new since then; without it everything that is over.
        before: Option<Timestamp>,
        /// Whether to erase at all: room may be wanted back of what was erased before.
        erase: bool,
        /// Give the room on the disk back.
        compact: bool,
    },
    /// Let another secret open the store too. Whoever knows the one that does may.
    PrepareSecret {
        /// The one that opens it now.
        current: Secret,
        /// The other.
        new: Secret,
    },
    /// Let only this secret open the store, which was prepared for it.
    SettleSecret {
        /// The one that opens it from now on.
        new: Secret,
    },
}

/// What to revoke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationTarget {
    /// All access of one person.
    Account(String),
    /// One sign-in of one client, by its family id or a token's fingerprint.
    Token(String),
    /// All access through one client.
    Client(String),
    /// All access of everybody.
    All,
}

/// A line of the daemon, after its [`Hello`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminLine {
    /// What was asked.
    Answer {
        /// Of the call.
        id: u64,
        /// The answer.
        answer: AdminAnswer,
    },
    /// Not done, and why.
    Refused {
        /// Of the call; 0 when the line could not be read.
        id: u64,
        /// Why.
        refusal: AdminRefusal,
    },
    /// The next part of what was asked for; an answer follows the last.
    Part {
        /// Of the call.
        id: u64,
        /// Bytes, as base64.
        part: String,
    },
    /// Something changed.
    Update {
        /// One more than the last one on this connection.
        sequence: u64,
        /// What.
        update: AdminUpdate,
    },
}

/// Answers to reads and acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminAnswer {
    /// To [`AdminRead::Overview`].
    Overview(Overview),
    /// To [`AdminRead::Workers`].
    Workers(Vec<WorkerView>),
    /// To [`AdminRead::WorkerOutput`].
    Lines(Vec<String>),
    /// To [`AdminRead::Accounts`].
    Accounts(People),
    /// To [`AdminRead::Usage`].
    Usage(Vec<ToolUsage>),
    /// To [`AdminRead::Clients`].
    Clients(Vec<ClientView>),
    /// To [`AdminRead::Tokens`].
    Tokens(TokensView),
    /// To [`AdminRead::Races`].
    Races(Vec<RaceView>),
    /// To [`AdminRead::Race`].
    Race(Box<RaceDetail>),
    /// To [`AdminRead::Metrics`]: OpenMetrics text.
    Metrics(String),
    /// To [`AdminAct::Revoke`] and [`AdminAct::Forget`].
    Revoked(RevocationSummary),
    /// To [`AdminAct::Probe`].
    Probe {
        /// Taken for a minute, by the protocol and no tool.
        token: String,
    },
    /// To [`AdminAct::Purge`].
    Purged(PurgeSummary),
    /// To [`AdminRequest::Stream`], after its parts.
    Streamed(StreamSummary),
    /// To every other act: it is done; a sentence for the person.
    Done(String),
    /// To [`AdminRequest::Follow`]: updates come now.
    Following,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum AdminRefusal {
    /// The request is wrong; the caller can mend it.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// It can't be done now.
    #[error("{0}")]
    Unavailable(String),
    /// It broke; the log says where.
    #[error("{0}")]
    Internal(String),
}

/// What changed. Each carries the whole view, so that a lost one does no harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminUpdate {
    /// The first view.
    Overview(Overview),
    /// The second.
    Workers(Vec<WorkerView>),
    /// The third.
    Accounts(People),
    /// The fourth.
    Races(Vec<RaceView>),
    /// The fifth.
    Tokens(TokensView),
    /// The sixth: new events, in order.
    Log {
        /// Whether the events before these are to be dropped: the first time, and after a gap.
        anew: bool,
        /// The events.
        events: Vec<EventView>,
    },
}
