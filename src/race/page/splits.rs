//! The newest splits.

use super::moments::Moments;
use super::words::fill;
use crate::race::snapshot::Snapshot;
use crate::race::text;
use crate::race::track::Split;

/// How many splits the page shows.
const SHOWN: usize = 12;

/// The splits as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSplits {
    /// How many of all splits are shown.
    pub caption: String,
    /// The newest split comes first.
    pub rows: Vec<SplitRow>,
}

/// A split as a row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRow {
    /// Where the split ends, such as `km 11`.
    pub to: String,
    /// The duration; `~` before it if data is missing.
    pub time: String,
    pub pace: String,
    /// Heart rate and power; only for the crew.
    pub body: Option<String>,
}

pub(super) fn splits(snapshot: &Snapshot, is_crew: bool, moments: &Moments) -> PageSplits {
    let track = &snapshot.track;
    let all = track.splits.len();
    let row = |split: &Split| {
        let kind = track.legs.get(split.leg).and_then(|leg| leg.kind);
        let length_m = split.to_m - split.from_m;
        let pace = text::pace(kind, length_m / split.duration_s.max(1.0));
        let bpm = split
            .heart_rate_bpm
            .map(|bpm| format!("{bpm:.0} {}", moments.words.bpm));
        let watts = split.power_w.map(|watts| format!("{watts:.0} W"));
        let body: Vec<_> = [bpm, watts].into_iter().flatten().collect();
        SplitRow {
            to: format!("km {}", moments.mark(split.race_m)),
            time: format!(
                "{}{}",
                if split.estimated { "~" } else { "" },
                text::time(split.duration_s)
            ),
            pace: pace.map_or_else(String::new, |pace| moments.localized(&pace)),
            body: (is_crew && !body.is_empty()).then(|| body.join(", ")),
        }
    };
    let rows: Vec<_> = track.splits.iter().rev().take(SHOWN).map(row).collect();
    let words = moments.words;
    PageSplits {
        caption: if all > rows.len() {
            let (n, all) = (rows.len().to_string(), all.to_string());
            fill(words.splits_last, &[("n", &n), ("all", &all)])
        } else {
            words.splits_all.to_owned()
        },
        rows,
    }
}
