//! What is kept of a race besides its points.
//!
//! | table | key | what |
//! |---|---|---|
//! | `race` | race | what the person gave: link, settings |
//! | `race_progress` | race | what the watching knows; written with every answer |
//! | `race_course` | race | the way, if there is one |
//! | `race_alert` | race, number | the alerts in order |
//! | `race_of_account` | account, race | finds a person's races |
//! | `race_token` | SHA-256 of a token | what the token reaches |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::base::secrets::TokenHash;
use crate::garmin::livetrack::LiveTrackLink;
use crate::race::alerts::{Alert, Told};
use crate::race::course::Course;
use crate::race::id::RaceId;
use crate::race::schedule::Watch;
use crate::race::settings::RaceSettings;
use crate::store::{Record, Table, Tx};

/// What the person gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RaceRow {
    pub(super) account: AccountId,
    pub(super) created_at: Timestamp,
    /// The link that is asked now.
    pub(super) link: LiveTrackLink,
    pub(super) settings: RaceSettings,
}

impl Record for RaceRow {
    const TABLE: Table = Table("race");
}

/// What the watching knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) watch: Watch,
    pub(super) told: Told,
    /// How many alerts there were.
    pub(super) alerts: u32,
    /// Entries of Garmin's answers that had no time.
    pub(super) unreadable: u64,
    /// When Claude last looked.
    #[serde(default)]
    pub(super) looked_at: Option<Timestamp>,
    /// What it said, and when.
    #[serde(default)]
    pub(super) last_words: Option<(Timestamp, String)>,
    /// When it last had something to say to the phone.
    #[serde(default)]
    pub(super) coached_at: Option<Timestamp>,
    /// Hashes of the tokens that reach this race, newest last, as hexadecimal digits.
    #[serde(default)]
    pub(super) tokens: Vec<String>,
    /// Nothing is asked any more.
    #[serde(default)]
    pub(super) done: bool,
}

impl Progress {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            watch: Watch::new(now),
            told: Told::default(),
            alerts: 0,
            unreadable: 0,
            looked_at: None,
            last_words: None,
            coached_at: None,
            tokens: Vec::new(),
            done: false,
        }
    }
}

impl Record for Progress {
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
pub(super) struct OfAccount {
    pub(super) race: RaceId,
}

impl Record for OfAccount {
    const TABLE: Table = Table("race_of_account");
}

/// What a token reaches: one race.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RaceToken {
    pub(super) race: RaceId,
    pub(super) account: AccountId,
}

impl Record for RaceToken {
    const TABLE: Table = Table("race_token");
}

/// The key of an alert.
pub(super) fn alert_key(race: &RaceId, number: u32) -> Vec<u8> {
    [race.key(), &number.to_be_bytes()].concat()
}

/// The key that finds a race of an account; with an empty race, the prefix of all.
pub(super) fn account_key(account: &AccountId, race: &str) -> Vec<u8> {
    [account.as_str().as_bytes(), race.as_bytes()].concat()
}

/// Hexadecimal digits of a hash, as they are kept in [`Progress`].
pub(super) fn hex(hash: &TokenHash) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let bytes = hash.as_bytes().iter();
    bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// Takes away the tokens of a race but the newest `keep`.
pub(super) fn drop_tokens(tx: &mut Tx<'_>, progress: &mut Progress, keep: usize) {
    let spent = progress.tokens.len().saturating_sub(keep);
    for hash in progress.tokens.drain(..spent).filter_map(|hex| unhex(&hex)) {
        tx.remove::<RaceToken>(&hash);
    }
}
