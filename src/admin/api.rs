//! The protocol of the admin socket: one JSON value per line, at most [`MAX_LINE_BYTES`] long.
//!
//! The daemon sends [`Hello`] first. Every [`AdminCall`] then gets one [`AdminLine::Answer`] or
//! [`AdminLine::Refused`] with its id. After [`AdminRequest::Follow`] the daemon also sends [`AdminLine::Update`]s.
//! Each carries either one complete view or new log events, and a sequence number. A client that detects a gap sends
//! `Follow` again and gets every view again.
//!
//! Reads and acts are two types because an act is attributed: the peer's uid goes into the log.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::views::{
    ClientView, EventView, OfferedToolView, Overview, People, RaceDetail, RaceView, ShareView, TokensView,
    ToolUsage, WorkerView,
};
use crate::base::secrets::Secret;

/// Version of this protocol. It is incremented when the meaning of a value changes, not when members are added.
pub const PROTOCOL: u32 = 1;

/// Longest line that either side accepts, with its newline.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// The first line that the daemon sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    /// Version of the daemon's program.
    pub program: String,
}

/// A line sent by the client. The answer carries the same `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminCall {
    pub id: u64,
    pub request: AdminRequest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRequest {
    Read(AdminRead),
    Act(AdminAct),
    /// Send every view now, and then each change.
    Follow,
    /// Request content that is too long for one line. It arrives in [`AdminLine::Part`]s.
    Stream(AdminStream),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminStream {
    /// The whole store, still sealed.
    Backup,
    /// One person's own data as text.
    Export {
        /// An account id or e-mail.
        account: String,
        /// Export only the race with this id.
        race: Option<String>,
        form: ExportForm,
    },
}

/// File format of an export. GPX and CSV hold the points of one race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportForm {
    Json,
    Gpx,
    Csv,
}

/// Each variant is answered by the variant of [`AdminAnswer`] with the same name, except `WorkerOutput`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRead {
    Overview,
    Workers,
    /// Answered by [`AdminAnswer::Lines`]: the worker's last lines of output.
    WorkerOutput {
        account: String,
    },
    Accounts,
    /// Tool calls of the last 30 days, of one account or of all.
    Usage {
        account: Option<String>,
    },
    Clients,
    Tokens,
    Tools,
    Races,
    Metrics,
    Race {
        race: String,
    },
    /// The shares of a race.
    Shares {
        race: String,
    },
}

/// Requests that change something. `account` is an account id or the e-mail of the account's last sign-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminAct {
    Invite {
        email: String,
    },
    /// Withdraw an invitation. Existing connections keep working.
    Uninvite {
        email: String,
    },
    /// Set the tools in a person's list: `core`, `all`, `default`, or comma-separated names.
    ChooseTools {
        account: String,
        tools: String,
    },
    /// Set the addresses, besides that of the account, at which a person receives LiveTrack mails; comma-separated.
    ChooseMailAddresses {
        account: String,
        addresses: String,
    },
    /// Stop a worker. The next call starts a new one.
    StopWorker {
        account: String,
    },
    /// End access: tokens, calls in flight, workers and races.
    Revoke(RevocationTarget),
    /// Revoke, then erase the account with its Garmin tokens.
    Forget {
        account: String,
    },
    StartRace {
        account: String,
        link: String,
    },
    StopRace {
        race: String,
    },
    ChangeLimits {
        race: String,
        /// The members of `race_config` to change.
        limits: Map<String, Value>,
    },
    /// Make a link to the page of a race. Answered by [`AdminAnswer::Shared`].
    ShareRace {
        race: String,
        /// For whom the page is: `family` or `crew`.
        role: String,
        /// The name on the page.
        name: Option<String>,
        privacy_m: Option<u32>,
        hours_after: Option<u32>,
        /// Another athlete's link, to which the race is added. Answered by [`AdminAnswer::Done`].
        #[serde(default)]
        with: Option<String>,
    },
    /// End a share of a race, or all; or take another athlete's share off a link that the race made.
    EndShares {
        race: String,
        share: Option<String>,
    },
    /// Have Claude look at the race now.
    LookAtRace {
        race: String,
    },
    /// Send a test message through every configured channel.
    TestNotify,
    /// Start the worker program once, without an account, to test it.
    RehearseWorker,
    /// Issue a token that serves only to test that the gateway is reachable.
    Probe,
    /// Erase finished races and usage counts.
    Purge {
        /// Erase only this account's data.
        account: Option<String>,
        /// Erase only races without a point since then. `None`: every finished race.
        before: Option<Timestamp>,
        /// `false` with `compact` only frees the space of data erased earlier.
        erase: bool,
        /// Return unused space to the file system.
        compact: bool,
    },
    /// Let a second secret open the store. This requires the current one.
    PrepareSecret {
        current: Secret,
        new: Secret,
    },
    /// Let only the prepared secret open the store.
    SettleSecret {
        new: Secret,
    },
}

/// Whose access to revoke, as typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationTarget {
    /// An account id or e-mail.
    Account(String),
    /// Family id, which identifies one sign-in of one client.
    Token(String),
    /// Client id, for everyone's access through one client.
    Client(String),
    All,
}

/// A line sent by the daemon after its [`Hello`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminLine {
    Answer {
        id: u64,
        answer: AdminAnswer,
    },
    Refused {
        /// The id of the call; 0 if the line could not be read.
        id: u64,
        refusal: AdminRefusal,
    },
    /// The next part of a stream. The answer follows the last part.
    Part {
        id: u64,
        /// The bytes of the part in Base64.
        part: String,
    },
    Update {
        /// Starts at 1 on each connection and has no gaps.
        sequence: u64,
        update: AdminUpdate,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminAnswer {
    Overview(Overview),
    Workers(Vec<WorkerView>),
    /// The answer to [`AdminRead::WorkerOutput`].
    Lines(Vec<String>),
    Accounts(People),
    Usage(Vec<ToolUsage>),
    Clients(Vec<ClientView>),
    Tokens(TokensView),
    Tools(Vec<OfferedToolView>),
    Races(Vec<RaceView>),
    Race(Box<RaceDetail>),
    Shares(Vec<ShareView>),
    /// The answer to [`AdminAct::ShareRace`].
    Shared {
        id: String,
        /// The address of the page. It is not stored and can't be shown again.
        url: String,
    },
    /// The metrics in OpenMetrics text format.
    Metrics(String),
    /// The answer to [`AdminAct::Revoke`] and [`AdminAct::Forget`].
    Revoked(RevocationSummary),
    Probe {
        /// Valid for one minute, for the methods of the MCP protocol itself but not for tools.
        token: String,
    },
    Purged(PurgeSummary),
    /// The answer that follows the last part of a stream.
    Streamed(StreamSummary),
    /// The answer to every other act: a sentence for the operator.
    Done(String),
    /// The answer to [`AdminRequest::Follow`]. Updates follow from now on.
    Following,
}

/// Counts of everything that a revocation ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationSummary {
    /// Token families, which are sign-ins of clients.
    pub families: u32,
    /// Access tokens that were still valid.
    pub tokens: u32,
    /// Workers that the revocation stopped.
    pub workers: u32,
    /// Calls in flight that were aborted.
    pub calls: u32,
    /// Races whose tracking was stopped.
    pub races: u32,
    /// Accounts that were erased (only by [`AdminAct::Forget`]).
    pub accounts: u32,
}

/// Counts of everything that a purge erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeSummary {
    pub races: u32,
    /// Usage records: one per tool and day.
    pub usage: u32,
    /// Histories, which are also switched off.
    #[serde(default)]
    pub histories: u32,
    /// Grants to other members, which are withdrawn.
    #[serde(default)]
    pub grants: u32,
    /// Size of the store on disk in bytes, before and after compaction.
    pub compacted: Option<(u64, u64)>,
}

/// Summary of a completed stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSummary {
    /// The time of the exported state.
    pub at: Timestamp,
    pub records: u64,
}

/// Why a request was not carried out. The text is for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum AdminRefusal {
    /// The request is wrong; the caller can correct it.
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    NotFound(String),
    /// The request may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// A bug or a damaged record; the log has the details.
    #[error("{0}")]
    Internal(String),
}

/// A change. Each update carries the whole view, so the loss of one does no harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminUpdate {
    Overview(Overview),
    Workers(Vec<WorkerView>),
    Accounts(People),
    Races(Vec<RaceView>),
    Tokens(TokensView),
    Log {
        /// Whether to discard all earlier events: at the first update and after a gap.
        anew: bool,
        /// The log events, oldest first.
        events: Vec<EventView>,
    },
}

/// Why a line could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("the connection was lost")]
    Lost(#[from] std::io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("a line is longer than {MAX_LINE_BYTES} bytes, or has no end")]
    TooLong,
    #[error("a line can't be read: {0}")]
    Shape(String),
}

/// Reads the next line. Cancel-safe: `buffer` keeps the beginning of an unfinished line.
pub(super) async fn read_line<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<T, LineError> {
    let room = (MAX_LINE_BYTES + 1).saturating_sub(buffer.len());
    let n_read = from.take(room as u64).read_until(b'\n', buffer).await?;
    if buffer.last() != Some(&b'\n') {
        return Err(if n_read == 0 && buffer.is_empty() {
            LineError::Closed
        } else {
            LineError::TooLong
        });
    }
    let value = serde_json::from_slice(buffer).map_err(|e| LineError::Shape(e.to_string()));
    buffer.clear();
    value
}

pub(super) async fn write_line(
    to: &mut (impl AsyncWrite + Unpin),
    value: &impl Serialize,
) -> Result<(), LineError> {
    let mut line = serde_json::to_vec(value).map_err(|e| LineError::Shape(e.to_string()))?;
    line.push(b'\n');
    to.write_all(&line).await?;
    Ok(to.flush().await?)
}
