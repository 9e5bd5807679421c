//! The data that a page is made from.

use jiff::Timestamp;

use crate::config::MapTiles;
use crate::garmin::livetrack::Position;
use crate::race::snapshot::Snapshot;
use crate::race::track::{GAP_S, TrackSample};

/// Maximum number of points of the line on the map. More would not be visible.
const MOST_POINTS: usize = 2000;

/// A point of the way on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinePoint {
    pub position: Position,
    /// Whether nothing was seen for a while before this point, so that no line leads to it.
    pub is_after_gap: bool,
}

/// A race at one moment, with the way that was covered and the messages that were sent.
#[derive(Clone, Debug)]
pub struct PageSource {
    pub snapshot: Snapshot,
    /// The way since the start of the race, oldest first.
    pub line: Vec<LinePoint>,
    /// Time and text of the messages that Claude sent.
    pub sent: Vec<(Timestamp, String)>,
    /// The server of the map below the course.
    pub tiles: Option<MapTiles>,
}

impl PageSource {
    /// `samples` are all points of the race, in order.
    pub fn new(snapshot: Snapshot, samples: &[TrackSample], sent: Vec<(Timestamp, String)>) -> Self {
        let started_at = snapshot.track.started_at;
        let of_race = |sample: &&TrackSample| started_at.is_some_and(|start| sample.point.at >= start);
        let placed: Vec<(Timestamp, Position)> = samples
            .iter()
            .filter(of_race)
            .filter_map(|sample| Some((sample.point.at, sample.point.position?)))
            .collect();
        let every = placed.len().div_ceil(MOST_POINTS).max(1);
        let last = placed.len().saturating_sub(1);
        let mut line = Vec::with_capacity(placed.len() / every + 1);
        let (mut before, mut gap): (Option<Timestamp>, bool) = (None, false);
        for (number, (at, position)) in placed.into_iter().enumerate() {
            let since = before.replace(at);
            gap |= since.is_some_and(|since| at.duration_since(since).as_secs_f64() > GAP_S);
            if number % every == 0 || number == last || gap {
                line.push(LinePoint {
                    position,
                    is_after_gap: std::mem::take(&mut gap),
                });
            }
        }
        Self {
            snapshot,
            line,
            sent,
            tiles: None,
        }
    }
}
