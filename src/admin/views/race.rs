//! Races as the daemon shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceView {
    pub id: String,
    pub account: String,
    pub name: String,
    /// `running`, `stopped`, `no signal`, `finished` …
    pub state: String,
    pub started_at: Option<Timestamp>,
    /// Device time of the last point.
    pub last_point_at: Option<Timestamp>,
    pub distance_m: Option<f64>,
    /// The number of points stored.
    pub points: u64,
    pub last_alert: Option<String>,
    /// The athlete's name in LiveTrack.
    #[serde(default)]
    pub athlete: Option<String>,
    /// When the last point of a race that is over was recorded.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// When a finished athlete crossed the line; if the line is not known, the time of the last point.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// The total distance, if the plan or the course contains it.
    #[serde(default)]
    pub whole_m: Option<f64>,
    /// The arrival at the finish: early, likely and late.
    #[serde(default)]
    pub finish: Option<[Timestamp; 3]>,
    /// Seconds ahead of the plan at the finish or at the last point; negative = behind.
    #[serde(default)]
    pub ahead_of_plan_s: Option<f64>,
    #[serde(default)]
    pub next_cutoff: Option<CutoffView>,
}

impl RaceView {
    /// Whether the athlete is at the finish, or the race is no longer watched.
    pub fn is_over(&self) -> bool {
        self.ended_at.is_some()
            || matches!(
                self.state.as_str(),
                "finished" | "ended early" | "probably finished" | "link gone" | "tracking stopped"
            )
    }
}

/// The next place with a cut-off, and the expected margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutoffView {
    pub place: String,
    /// Seconds from the likely arrival to the cut-off; negative = too late.
    pub margin_s: f64,
}

/// A checkpoint or the finish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RacePlaceView {
    pub name: String,
    /// Distance from the start, along the course.
    pub at_m: f64,
    pub passed_at: Option<Timestamp>,
    /// The arrival, if the place is ahead: early, likely and late.
    pub arrival: Option<[Timestamp; 3]>,
    pub cutoff_at: Option<Timestamp>,
}

/// A race with all data that is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceDetail {
    pub race: RaceView,
    /// The points, thinned for drawing, oldest first.
    pub track: Vec<TrackPointView>,
    /// The planned course: latitude and longitude in degrees.
    pub course: Vec<(f64, f64)>,
    /// The elevation along the course: metres from the start, and metres above the sea.
    #[serde(default)]
    pub profile: Vec<(f64, f64)>,
    /// The athlete's distance along the course; `None` before the start.
    #[serde(default)]
    pub progress_m: Option<f64>,
    /// Checkpoints and finish, in order.
    #[serde(default)]
    pub places: Vec<RacePlaceView>,
    /// Limits in effect, by their names in `race_config`.
    pub limits: Map<String, Value>,
    /// Each split's label and its time in seconds.
    pub splits: Vec<(String, f64)>,
    /// Time and text of each alert, oldest first.
    pub alerts: Vec<(Timestamp, String)>,
    /// The last message that Claude sent.
    pub last_words: Option<String>,
    /// Who reads the messages, one per line, without the addresses of phones.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// The links to its page.
    #[serde(default)]
    pub shares: Vec<ShareView>,
}

/// A link to the page of a race, without its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareView {
    pub id: String,
    /// For whom the page is: `family` or `crew`.
    pub role: String,
    /// The name on the page.
    pub name: Option<String>,
    pub privacy_m: u32,
    pub hours_after: u32,
    pub created_at: Timestamp,
    /// `None` while the race goes on.
    pub ends_at: Option<Timestamp>,
    /// Whether the operator made it; otherwise the person did.
    pub by_operator: bool,
    /// The other athletes on the same link.
    #[serde(default)]
    pub with: Vec<LinkedAthleteView>,
}

impl ShareView {
    /// The other athletes on the link, with the ids by which they are taken off.
    pub fn others(&self) -> String {
        let others = self.with.iter().map(|other| {
            let name = other.name.as_deref().unwrap_or("somebody");
            match &other.share {
                Some(share) => format!("{name} ({share})"),
                None => name.to_owned(),
            }
        });
        others.collect::<Vec<_>>().join(", ")
    }
}

/// Another athlete on a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkedAthleteView {
    /// The name on the page; `None` for one who chose none.
    pub name: Option<String>,
    /// The id with which `EndShares` takes this athlete off; `None` if the link is another's.
    pub share: Option<String>,
}

/// A point of a track. `None` where the device sent nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackPointView {
    /// The time according to the device.
    pub at: Timestamp,
    /// Latitude and longitude in degrees.
    pub position: Option<(f64, f64)>,
    pub distance_m: Option<f64>,
    pub heart_bpm: Option<f64>,
    pub power_w: Option<f64>,
    pub speed_mps: Option<f64>,
    /// Whether a gap precedes this point. No line is drawn across a gap.
    pub after_gap: bool,
}
