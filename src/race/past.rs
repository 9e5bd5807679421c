//! The athlete's past activities, as a worker reads them for the outlook: by a JSON-RPC method that is not part of MCP,
//! so Claude can't call it. Only the numbers of the laps leave the worker.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::sport::LegKind;

/// The method of the request.
pub const READ_PAST: &str = "gateway/read_past_activities";

/// Shorter activities say little about how a pace fades; seconds.
pub const LEAST_PAST_S: f64 = 5400.0;

/// The number of activities whose laps are read: the longest ones.
pub const MOST_PAST: usize = 6;

/// The parameters of [`READ_PAST`]: a sport, and the days from which its activities are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRequest {
    pub sport: LegKind,
    pub from: Date,
    pub to: Date,
}

/// The result of [`READ_PAST`]: the longest activities of the sport, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PastReply {
    /// Empty if there is no activity of [`LEAST_PAST_S`].
    Read(Vec<PastActivity>),
    /// Garmin did not answer; the class of the failure.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastActivity {
    pub laps: Vec<PastLap>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastLap {
    pub distance_m: f64,
    /// Time in motion, or the whole time if the watch did not tell them apart; seconds.
    pub moving_s: f64,
    /// Climb and descent in metres; 0 if unknown.
    #[serde(default)]
    pub ascent_m: f64,
    #[serde(default)]
    pub descent_m: f64,
}
