//! A race at one moment: what every answer, prompt and check is made from.

use std::sync::Arc;

use jiff::Timestamp;

use super::alerts::Alert;
use super::course::Course;
use super::id::RaceId;
use super::schedule::Watch;
use super::settings::RaceSettings;
use super::track::Track;
use crate::accounts::AccountId;

/// A race as it stands at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which race.
    pub race: RaceId,
    /// Whose.
    pub account: AccountId,
    /// When this was so.
    pub now: Timestamp,
    /// What the person wants.
    pub settings: RaceSettings,
    /// The way, if there is one.
    pub course: Option<Arc<Course>>,
    /// The watching.
    pub watch: Watch,
    /// What the points amount to.
    pub track: Track,
    /// The alerts so far, oldest first.
    pub alerts: Vec<Alert>,
}
