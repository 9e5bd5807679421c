//! The race in words, without a page around them: the same sentences, for an answer in a chat.

use jiff::Timestamp;

use super::moments::Moments;
use super::privacy::HiddenZones;
use super::state::state;
use super::words::{PageWords, fill};
use crate::race::outlook::{ArrivalWindow, PlaceOutlook, PlaceState, at_race_time};
use crate::race::snapshot::Snapshot;
use crate::race::text;

/// A race in words, for a reader who may know everything about it.
pub struct SpokenRace<'a> {
    snapshot: &'a Snapshot,
    moments: Moments,
}

impl<'a> SpokenRace<'a> {
    pub fn new(snapshot: &'a Snapshot, words: &'static PageWords) -> Self {
        let moments = Moments::new(words, snapshot.settings.zone(), snapshot.now);
        Self { snapshot, moments }
    }

    /// The state of the race, the most important sentence first.
    pub fn state(&self) -> String {
        let state = state(self.snapshot, &HiddenZones::none(), &self.moments);
        let mut sentences = vec![state.headline];
        sentences.extend(state.details);
        sentences.join(" ")
    }

    /// When the athlete was, or will be, at a place: one line.
    pub fn place(&self, place: &PlaceOutlook) -> String {
        let words = self.moments.words;
        let name = self.moments.place_name(place);
        let name = format!("{} (km {})", text::isolated(name), self.moments.mark(place.at_m));
        match &place.state {
            PlaceState::Passed(crossing) => {
                let time = self.at(self.snapshot.track.true_time(crossing.at));
                format!("{name}: {}.", fill(words.passed, &[("time", &time)]))
            }
            PlaceState::Unknown => format!("{name}: {}.", words.unknown),
            PlaceState::Ahead(arrival) => {
                let [early, likely, late] = self.window(arrival);
                let expected = fill(
                    words.state.expected,
                    &[("place", &name), ("early", &early), ("late", &late)],
                );
                let expected = expected.trim_end_matches('.');
                let mut line = format!("{expected} ({}: {likely}).", words.likely.to_lowercase());
                if let Some(cutoff_s) = place.cutoff_s.map(f64::from) {
                    line.push_str(&self.cutoff(cutoff_s, arrival.likely_s));
                }
                line
            }
        }
    }

    fn cutoff(&self, cutoff_s: f64, likely_s: f64) -> String {
        let words = self.moments.words;
        let left_s = cutoff_s - likely_s;
        let sentence = if left_s < 0.0 {
            words.too_late
        } else {
            words.margin
        };
        let margin = fill(sentence, &[("time", &text::time(left_s.abs()))]);
        let at = self.at(at_race_time(&self.snapshot.track, cutoff_s));
        format!(" {}: {at} ({margin}).", words.cutoff)
    }

    /// Early, likely and late as times of day where the race is.
    pub fn window(&self, arrival: &ArrivalWindow) -> [String; 3] {
        let at = |race_s| self.at(at_race_time(&self.snapshot.track, race_s));
        [arrival.early_s, arrival.likely_s, arrival.late_s].map(at)
    }

    /// A time of day where the race is; with the weekday on another day than now.
    pub fn at(&self, at: Timestamp) -> String {
        self.moments.at(at)
    }

    /// Kilometres from the start, such as `7,5`, without the unit.
    pub fn mark(&self, metres: f64) -> String {
        self.moments.mark(metres)
    }

    /// Kilometres with one decimal, without the unit.
    pub fn km(&self, metres: f64) -> String {
        self.moments.km(metres)
    }

    /// A sentence that names the zone of the times.
    pub fn zone(&self) -> String {
        let zone = self.moments.zone_name();
        fill(self.moments.words.zone, &[("zone", &zone)])
    }
}
