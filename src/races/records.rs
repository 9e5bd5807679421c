//! The stored records of a race, besides its points.
//!
//! | table | key | what |
//! |---|---|---|
//! | `race` | race | what the person entered: link, settings |
//! | `race_progress` | race | the polling state; written with every poll |
//! | `race_course` | race | the course, if there is one |
//! | `race_alert` | race, number | the alerts, in order |
//! | `race_of_account` | account, race | index of a person's races |
//! | `race_token` | SHA-256 of a token | the race that it gives access to |
//! | `race_share` | race, share | what the page of a share shows, and until when |
//! | `race_share_token` | SHA-256 of a token | the shares that it opens |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::base::secrets::TokenHash;
use crate::coach::look::SaidMessage;
use crate::garmin::livetrack::LiveTrackLink;
use crate::oauth::FamilyId;
use crate::race::alerts::{Alert, AlertState};
use crate::race::budget::{MessageBudget, RecipientBudgets};
use crate::race::course::Course;
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::race::schedule::RaceWatch;
use crate::race::share::{ShareId, ShareTerms};
use crate::store::{Record, Table, Tx};

/// Messages kept per race, for the next look.
const MOST_SAID: usize = 6;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RaceRow {
    pub(super) account: AccountId,
    pub(super) created_at: Timestamp,
    /// The link that is polled at present; `None` if the race was imported without one.
    pub(super) link: Option<LiveTrackLink>,
    pub(super) settings: RacePlan,
}

impl Record for RaceRow {
    const TABLE: Table = Table("race");
}

/// The polling state of a race.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RaceProgress {
    pub(super) watch: RaceWatch,
    pub(super) told: AlertState,
    /// Number of alerts raised so far.
    pub(super) alerts: u32,
    /// Number of entries without a time in Garmin's replies.
    pub(super) unreadable: u64,
    #[serde(default)]
    pub(super) looked_at: Option<Timestamp>,
    /// Claude's last reply, and its time of arrival.
    #[serde(default)]
    pub(super) last_words: Option<(Timestamp, String)>,
    /// When a coaching message was last sent.
    #[serde(default)]
    pub(super) coached_at: Option<Timestamp>,
    /// The newest messages and what came of them, oldest first.
    #[serde(default)]
    pub(super) said: Vec<SaidMessage>,
    /// The messages of the last hour.
    #[serde(default)]
    pub(super) budget: MessageBudget,
    /// The same for recipients with phones of their own.
    #[serde(default)]
    pub(super) recipient_budgets: RecipientBudgets,
    /// SHA-256 of the race's tokens in hexadecimal, newest last.
    #[serde(default)]
    pub(super) tokens: Vec<String>,
    #[serde(default)]
    pub(super) done: bool,
}

impl RaceProgress {
    /// Records a message, and forgets the oldest.
    pub(super) fn note(&mut self, said: SaidMessage) {
        self.said.push(said);
        let surplus = self.said.len().saturating_sub(MOST_SAID);
        self.said.drain(..surplus);
    }

    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            watch: RaceWatch::new(now),
            told: AlertState::default(),
            alerts: 0,
            unreadable: 0,
            looked_at: None,
            last_words: None,
            coached_at: None,
            said: Vec::new(),
            budget: MessageBudget::default(),
            recipient_budgets: RecipientBudgets::default(),
            tokens: Vec::new(),
            done: false,
        }
    }
}

impl Record for RaceProgress {
    const TABLE: Table = Table("race_progress");
}

#[derive(Serialize, Deserialize)]
pub(super) struct CourseRow {
    pub(super) course: Course,
}

impl Record for CourseRow {
    const TABLE: Table = Table("race_course");
}

impl Record for Alert {
    const TABLE: Table = Table("race_alert");
}

#[derive(Serialize, Deserialize)]
pub(super) struct AccountRace {
    pub(super) race: RaceId,
}

impl Record for AccountRace {
    const TABLE: Table = Table("race_of_account");
}

/// The race that a token gives access to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RaceToken {
    pub(super) race: RaceId,
    pub(super) account: AccountId,
}

impl Record for RaceToken {
    const TABLE: Table = Table("race_token");
}

/// A share of a race. Its token is only in the link; the record has the token's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RaceShare {
    pub(super) account: AccountId,
    pub(super) terms: ShareTerms,
    pub(super) created_at: Timestamp,
    /// The sign-in of the client that made it; `None`: the operator made it, or somebody in a chat, or an e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) made_by: Option<FamilyId>,
    /// Whether it was made in a chat, or by an e-mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) in_chat: bool,
    /// Whether it was made by an e-mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) by_mail: bool,
    /// SHA-256 of the token in hexadecimal.
    pub(super) token: String,
}

impl Record for RaceShare {
    const TABLE: Table = Table("race_share");
}

/// The share that a token opens, and those that other athletes added to the same link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ShareToken {
    pub(super) race: RaceId,
    pub(super) share: ShareId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) joined: Vec<LinkPart>,
}

/// A share on a link that somebody else made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinkPart {
    pub(super) race: RaceId,
    pub(super) share: ShareId,
}

impl ShareToken {
    pub(super) fn of(first: LinkPart) -> Self {
        Self {
            race: first.race,
            share: first.share,
            joined: Vec::new(),
        }
    }

    /// All shares of the link, the oldest first.
    pub(super) fn parts(&self) -> Vec<LinkPart> {
        let first = LinkPart {
            race: self.race.clone(),
            share: self.share.clone(),
        };
        std::iter::once(first)
            .chain(self.joined.iter().cloned())
            .collect()
    }

    /// The link with only these shares; `None` without one.
    pub(super) fn with(parts: Vec<LinkPart>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let mut token = Self::of(parts.next()?);
        token.joined.extend(parts);
        Some(token)
    }
}

impl Record for ShareToken {
    const TABLE: Table = Table("race_share_token");
}

pub(super) fn share_key(race: &RaceId, share: &str) -> Vec<u8> {
    [race.key(), share.as_bytes()].concat()
}

/// The id in the key of a share.
pub(super) fn share_of(key: &[u8], race: &RaceId) -> Option<ShareId> {
    let id = key.strip_prefix(race.key())?;
    std::str::from_utf8(id).ok()?.parse().ok()
}

pub(super) fn alert_key(race: &RaceId, number: u32) -> Vec<u8> {
    [race.key(), &number.to_be_bytes()].concat()
}

/// The key of an account's race. An empty `race` gives the prefix of all keys of the account.
pub(super) fn account_key(account: &AccountId, race: &str) -> Vec<u8> {
    [account.as_str().as_bytes(), race.as_bytes()].concat()
}

/// Converts a hash to the form in which records refer to it.
pub(super) fn hex(hash: &TokenHash) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let bytes = hash.as_bytes().iter();
    bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// Removes all tokens of a race except the newest `keep`.
pub(super) fn drop_tokens(tx: &mut Tx<'_>, progress: &mut RaceProgress, keep: usize) {
    let surplus = progress.tokens.len().saturating_sub(keep);
    for hash in progress.tokens.drain(..surplus).filter_map(|hex| unhex(&hex)) {
        tx.remove::<RaceToken>(&hash);
    }
}
