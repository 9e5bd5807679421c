//! The places on the way: when they were passed, and when the athlete will be there.

use super::moments::Moments;
use super::words::fill;
use crate::race::outlook::{PlaceOutlook, PlaceState, at_race_time};
use crate::race::snapshot::Snapshot;
use crate::race::text;

/// A place as a row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceRow {
    pub name: String,
    /// The distance from the start in metres.
    pub at_m: f64,
    /// The same, such as `km 7.5`.
    pub km: String,
    /// Early, likely and late, if the place is ahead.
    pub window: Option<[String; 3]>,
    /// Instead of a window: when it was passed, or that nothing is known.
    pub instead: String,
    /// The cut-off as a time of day; only for the crew.
    pub cutoff: Option<String>,
    /// The time between the likely arrival and the cut-off, and whether the arrival is too late.
    pub margin: Option<(String, bool)>,
    /// The position as a `geo:` address; only for the crew.
    pub geo: Option<String>,
}

pub(super) fn places(snapshot: &Snapshot, is_crew: bool, moments: &Moments) -> Vec<PlaceRow> {
    let places = snapshot.places();
    places
        .iter()
        .map(|place| row(snapshot, place, is_crew, moments))
        .collect()
}

fn row(snapshot: &Snapshot, place: &PlaceOutlook, is_crew: bool, moments: &Moments) -> PlaceRow {
    let (words, track) = (moments.words, &snapshot.track);
    let at = |race_s: f64| moments.at(at_race_time(track, race_s));
    let (window, instead, arrives_s) = match &place.state {
        PlaceState::Passed(crossing) => {
            let time = moments.at(track.true_time(crossing.at));
            (None, fill(words.passed, &[("time", &time)]), None)
        }
        PlaceState::Ahead(arrival) => {
            let times = [arrival.early_s, arrival.likely_s, arrival.late_s].map(at);
            (Some(times), String::new(), Some(arrival.likely_s))
        }
        PlaceState::Unknown => {
            let is_over = snapshot.watch.over().is_some();
            let unknown = if is_over { words.not_seen } else { words.unknown };
            (None, unknown.to_owned(), None)
        }
    };
    let cutoff_s = place.cutoff_s.filter(|_| is_crew).map(f64::from);
    let margin = cutoff_s.zip(arrives_s).map(|(cutoff_s, arrives_s)| {
        let left_s = cutoff_s - arrives_s;
        let sentence = if left_s < 0.0 {
            words.too_late
        } else {
            words.margin
        };
        (
            fill(sentence, &[("time", &text::time(left_s.abs()))]),
            left_s < 0.0,
        )
    });
    let position = snapshot.course.as_ref().filter(|_| is_crew);
    let position = position.and_then(|course| course.position_at(place.at_m));
    PlaceRow {
        name: moments.place_name(place).to_owned(),
        at_m: place.at_m,
        km: format!("km {}", moments.mark(place.at_m)),
        window,
        instead,
        cutoff: cutoff_s.filter(|_| track.started_at.is_some()).map(at),
        margin,
        geo: position.map(|at| format!("geo:{:.5},{:.5}", at.lat, at.lon)),
    }
}
