//! The page of one athlete, or what a page of several athletes shows about one of them.

use super::course_group::{MapAthlete, routes};
use super::events::{self, EventRow};
use super::map::{self, PageMap};
use super::moments::Moments;
use super::places::{self, PlaceRow};
use super::privacy::HiddenZones;
use super::profile::{self, PageProfile};
use super::report::{self, PageReport};
use super::source::PageSource;
use super::splits::{self, PageSplits};
use super::state::{self, PageState};
use super::words::{PageWords, fill};
use crate::race::share::ShareTerms;
use crate::race::snapshot::RaceStanding;
use crate::race::text;

/// A figure of the crew's page with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyFigure {
    pub label: &'static str,
    pub value: String,
}

/// Everything that the page of a race shows.
#[derive(Clone, Debug)]
pub struct RacePage {
    pub words: &'static PageWords,
    pub title: String,
    /// The name that the athlete chose.
    pub name: Option<String>,
    pub is_crew: bool,
    pub state: PageState,
    /// The newest heart rate, power and pace; only for the crew of a race under way.
    pub body: Vec<BodyFigure>,
    pub map: Option<PageMap>,
    /// What is not shown on the map, in words.
    pub hidden: Option<String>,
    pub profile: Option<PageProfile>,
    pub places: Vec<PlaceRow>,
    pub splits: PageSplits,
    pub events: Vec<EventRow>,
    /// Once the race is over.
    pub report: Option<PageReport>,
    /// A sentence that names the zone of all times.
    pub zone: String,
    /// Until when the link works, if the race is over.
    pub ends_at: Option<String>,
}

impl RacePage {
    /// The page of a share with these terms. `ends_at` is the end of the share, if it is known.
    pub fn of(
        source: &PageSource,
        terms: &ShareTerms,
        ends_at: Option<jiff::Timestamp>,
        words: &'static PageWords,
    ) -> Self {
        let hidden = HiddenZones::of(source, terms);
        let snapshot = &source.snapshot;
        let moments = Moments::new(words, snapshot.settings.zone(), snapshot.now);
        let mut page = Self::without_drawings(source, terms, ends_at, &hidden, &moments);
        let athlete = [MapAthlete {
            source,
            hidden: &hidden,
            sign: None,
        }];
        page.map = map::map(&athlete, words, &page.state.headline);
        let routes = routes(&athlete);
        page.profile = routes
            .first()
            .and_then(|route| profile::profile(route, &athlete, &moments));
        page
    }

    /// The page without map and profile.
    pub(super) fn without_drawings(
        source: &PageSource,
        terms: &ShareTerms,
        ends_at: Option<jiff::Timestamp>,
        hidden: &HiddenZones,
        moments: &Moments,
    ) -> Self {
        let (snapshot, words) = (&source.snapshot, moments.words);
        let state = state::state(snapshot, hidden, moments);
        let report = report::report(snapshot, terms.is_crew(), hidden, moments);
        Self {
            words,
            title: title(terms.name.as_deref(), report.is_some(), words),
            name: terms.name.clone(),
            is_crew: terms.is_crew(),
            body: if terms.is_crew() {
                body(source, words)
            } else {
                Vec::new()
            },
            map: None,
            hidden: hidden
                .radius_m()
                .map(|radius_m| fill(words.map_hidden, &[("m", &format!("{radius_m:.0}"))])),
            profile: None,
            places: places::places(snapshot, terms.is_crew(), moments),
            splits: splits::splits(snapshot, terms.is_crew(), moments),
            events: events::events(source, terms, moments),
            report,
            zone: fill(words.zone, &[("zone", &moments.zone_name())]),
            ends_at: ends_at.map(|at| fill(words.ends_at, &[("time", &moments.at(at))])),
            state,
        }
    }
}

/// The title of a page with these names, which is a report once all races are over.
pub(super) fn title(names: Option<&str>, is_over: bool, words: &'static PageWords) -> String {
    match (names, is_over) {
        (Some(names), true) => format!("{}: {}", text::isolated(names), words.report.title),
        (None, true) => words.report.title.to_owned(),
        (Some(names), false) => fill(words.title_of, &[("name", &text::isolated(names))]),
        (None, false) => words.title.to_owned(),
    }
}

/// Heart rate, power and pace of the newest point, while the athlete is seen.
fn body(source: &PageSource, words: &'static PageWords) -> Vec<BodyFigure> {
    let snapshot = &source.snapshot;
    let standing = RaceStanding::of(snapshot.now, &snapshot.watch, &snapshot.track);
    let is_seen = matches!(
        standing,
        RaceStanding::UnderWay | RaceStanding::Stopped | RaceStanding::Paused
    );
    let Some(last) = snapshot.track.last.filter(|_| is_seen) else {
        return Vec::new();
    };
    let kind = snapshot.track.leg().and_then(|leg| leg.kind);
    let bpm = last.heart_rate_bpm.map(|bpm| format!("{bpm} {}", words.bpm));
    let watts = last.power_w.map(|watts| format!("{watts} W"));
    let pace = last.speed_mps.and_then(|mps| text::pace(kind, mps));
    let pace = pace.map(|pace| pace.replace('.', &words.decimal.to_string()));
    [(words.heart_rate, bpm), (words.power, watts), (words.pace, pace)]
        .into_iter()
        .filter_map(|(label, value)| Some(BodyFigure { label, value: value? }))
        .collect()
}
