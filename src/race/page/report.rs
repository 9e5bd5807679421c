//! The report of a race that is over: the same figures as in Claude's report, in the reader's words.

use super::moments::Moments;
use super::pace::{PagePace, pace};
use super::privacy::HiddenZones;
use super::words::{PageWords, ReportWords, fill};
use crate::race::alerts::Voice;
use crate::race::outlook::at_race_time;
use crate::race::recipients::Units;
use crate::race::report::figures::{
    self, LegFigures, PlaceFigures, ReportFigures, SplitFigures, StopFigures,
};
use crate::race::snapshot::{RaceStanding, Snapshot};
use crate::race::text;

/// A smaller drift of the heart rate is not reported; percent.
const LEAST_DRIFT: f64 = 0.5;

/// The report, laid out for its reader.
#[derive(Clone, Debug, PartialEq)]
pub struct PageReport {
    /// The race in words, the most important sentence first.
    pub sentences: Vec<String>,
    /// Whether there is a plan to compare with.
    pub has_plan: bool,
    pub places: Vec<ReportPlace>,
    pub legs: Vec<ReportLeg>,
    pub splits: Vec<ReportSplit>,
    pub stops: Vec<ReportStop>,
    pub pace: Option<PagePace>,
}

/// When a place was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPlace {
    pub name: String,
    pub km: String,
    /// The time of day, or that it was not seen.
    pub passed: String,
    /// The race time at that moment.
    pub after: String,
    pub against: String,
    /// Time between the passing and the cut-off, and whether it was too late; only for the crew.
    pub margin: Option<(String, bool)>,
}

/// A leg of a race of several sports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLeg {
    pub sport: String,
    pub distance: String,
    pub time: String,
    pub pace: String,
    pub body: String,
}

/// A split, or several in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSplit {
    pub to: String,
    pub time: String,
    pub pace: String,
    pub against: String,
    pub body: String,
}

/// A stop and its place, which a family does not see near the start and the finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportStop {
    pub from: String,
    pub at: String,
    pub time: String,
}

/// The report; `None` while the race goes on, and if nothing was seen of it.
pub(super) fn report(
    snapshot: &Snapshot,
    is_crew: bool,
    hidden: &HiddenZones,
    moments: &Moments,
) -> Option<PageReport> {
    if !is_over(snapshot) || snapshot.track.started_at.is_none() {
        return None;
    }
    let standing = RaceStanding::of(snapshot.now, &snapshot.watch, &snapshot.track);
    let splits = figures::splits(snapshot);
    let places = figures::places(snapshot);
    let behind = splits.iter().map(|split| split.behind_s);
    let behind = behind.chain(places.iter().map(|place| place.behind_s));
    let teller = ReportTeller {
        words: moments.words,
        told: &moments.words.report,
        is_crew,
        hidden,
        hides_end: hidden.hides_end(snapshot),
        moments,
    };
    let legs = figures::legs(snapshot);
    Some(PageReport {
        sentences: teller.sentences(&ReportFigures::of(snapshot), standing == RaceStanding::EndedEarly),
        has_plan: behind.flatten().next().is_some(),
        places: places.iter().map(|place| teller.place(snapshot, place)).collect(),
        legs: legs
            .iter()
            .enumerate()
            .map(|(i, leg)| teller.leg(leg, i + 1 == legs.len()))
            .collect(),
        stops: figures::stops(snapshot)
            .iter()
            .map(|stop| teller.stop(stop))
            .collect(),
        pace: pace(&splits, snapshot, moments),
        splits: splits.iter().map(|split| teller.split(split)).collect(),
    })
}

/// Whether the page of this race is a report.
pub fn is_over(snapshot: &Snapshot) -> bool {
    match RaceStanding::of(snapshot.now, &snapshot.watch, &snapshot.track) {
        RaceStanding::Finished
        | RaceStanding::EndedEarly
        | RaceStanding::ProbablyFinished
        | RaceStanding::LinkGone
        | RaceStanding::TrackingStopped => true,
        RaceStanding::Waiting
        | RaceStanding::UnderWay
        | RaceStanding::Stopped
        | RaceStanding::Paused
        | RaceStanding::NoSignal
        | RaceStanding::Unreachable => false,
    }
}

struct ReportTeller<'a> {
    words: &'static PageWords,
    told: &'static ReportWords,
    is_crew: bool,
    hidden: &'a HiddenZones,
    /// Whether no figure may tell how far the athlete came.
    hides_end: bool,
    moments: &'a Moments,
}

impl ReportTeller<'_> {
    /// `ended_early`: whether the activity is known to have ended before the finish.
    fn sentences(&self, figures: &ReportFigures, ended_early: bool) -> Vec<String> {
        let told = self.told;
        let mut sentences = Vec::new();
        if let Some(whole_m) = figures.whole_m.filter(|_| ended_early && !self.hides_end) {
            let (km, whole) = (self.moments.km(figures.distance_m), self.moments.mark(whole_m));
            let time = text::time(figures.time_s);
            sentences.push(fill(
                told.ended_at,
                &[("km", &km), ("whole", &whole), ("time", &time)],
            ));
        }
        if let Some(behind_s) = figures.behind_s.filter(|behind_s| behind_s.abs() >= 1.0) {
            let sentence = if behind_s > 0.0 { told.behind } else { told.ahead };
            sentences.push(fill(sentence, &[("time", &text::time(behind_s.abs()))]));
        }
        if figures.moving_s > 0.0 && figures.moving_s < figures.time_s - 1.0 {
            let moving = text::time(figures.moving_s);
            sentences.push(fill(told.moving, &[("time", &moving)]));
        }
        let average = figures.average.and_then(|(kind, mps)| text::pace(kind, mps));
        // Together with the time on the move, the pace tells the distance.
        if let Some(average) = average.filter(|_| !self.hides_end) {
            sentences.push(fill(told.average, &[("pace", &self.moments.localized(&average))]));
        }
        if figures.ascent_m >= 1.0 {
            sentences.push(fill(told.climb, &[("m", &format!("{:.0}", figures.ascent_m))]));
        }
        let counted = |(n, seconds): (usize, f64), one, more| {
            let sentence = if n == 1 { one } else { more };
            fill(sentence, &[("n", &n.to_string()), ("time", &text::time(seconds))])
        };
        sentences.push(match figures.stops.0 {
            0 => told.no_stop.to_owned(),
            _ => counted(figures.stops, told.one_stop, told.stops),
        });
        if figures.gaps.0 > 0 {
            sentences.push(counted(figures.gaps, told.one_gap, told.gaps));
        }
        if self.is_crew {
            sentences.extend(self.body(figures));
        }
        sentences
    }

    fn body(&self, figures: &ReportFigures) -> Vec<String> {
        let told = self.told;
        let heart_rate = figures.heart_rate.map(|(mean, highest)| {
            let (mean, highest) = (format!("{mean:.0}"), format!("{highest:.0}"));
            fill(
                told.heart_rate,
                &[("mean", &mean), ("highest", &highest), ("bpm", self.words.bpm)],
            )
        });
        let drift = figures
            .drift_percent
            .filter(|percent| percent.abs() >= LEAST_DRIFT);
        let drift = drift.map(|percent| {
            let sentence = if percent < 0.0 {
                told.drift_fewer
            } else {
                told.drift_more
            };
            let percent = format!("{:.1}", percent.abs());
            fill(sentence, &[("percent", &self.moments.localized(&percent))])
        });
        heart_rate.into_iter().chain(drift).collect()
    }

    fn place(&self, snapshot: &Snapshot, place: &PlaceFigures) -> ReportPlace {
        let margin_s = place.margin_s.filter(|_| self.is_crew);
        let race_s = place.race_s;
        let at = |race_s| self.moments.at(at_race_time(&snapshot.track, race_s));
        ReportPlace {
            name: self.moments.place_name(&place.place).to_owned(),
            km: format!("km {}", self.moments.mark(place.place.at_m)),
            passed: race_s.map_or_else(|| self.words.not_seen.to_owned(), at),
            after: race_s.map_or_else(String::new, text::time),
            against: against(place.behind_s),
            margin: margin_s.map(|margin_s| {
                let is_late = margin_s < 0.0;
                let sentence = if is_late {
                    self.words.too_late
                } else {
                    self.told.spare
                };
                let time = text::time(margin_s.abs());
                (fill(sentence, &[("time", &time)]), is_late)
            }),
        }
    }

    fn leg(&self, leg: &LegFigures, is_last: bool) -> ReportLeg {
        let hides_end = is_last && self.hides_end;
        let voice = Voice::new(Some(self.words.code), Units::Metric);
        ReportLeg {
            sport: voice.sport_name(leg.kind),
            distance: if hides_end {
                String::new()
            } else {
                format!("{} km", self.moments.km(leg.distance_m))
            },
            time: text::time(leg.time_s),
            pace: match leg.mps {
                Some(_) if hides_end => String::new(),
                Some(mps) => self
                    .moments
                    .localized(&text::pace(leg.kind, mps).unwrap_or_default()),
                None => self.words.not_seen.to_owned(),
            },
            body: self.means(leg.heart_rate_bpm, leg.power_w),
        }
    }

    fn split(&self, split: &SplitFigures) -> ReportSplit {
        let pace = text::pace(split.kind, split.mps).unwrap_or_default();
        ReportSplit {
            to: format!("km {}", self.moments.mark(split.to_m)),
            time: format!(
                "{}{}",
                if split.estimated { "~" } else { "" },
                text::time(split.time_s)
            ),
            pace: self.moments.localized(&pace),
            against: against(split.behind_s),
            body: self.means(split.heart_rate_bpm, split.power_w),
        }
    }

    fn stop(&self, stop: &StopFigures) -> ReportStop {
        let at = if self.hidden.hides_distance(stop.at_m, stop.position) {
            self.told.near_end.to_owned()
        } else {
            format!("km {}", self.moments.km(stop.at_m))
        };
        let time = text::time(stop.time_s);
        ReportStop {
            from: self.moments.at(stop.from),
            at,
            time: if stop.is_paused {
                format!("{time}, {}", self.told.paused)
            } else {
                time
            },
        }
    }

    /// Heart rate and power; nothing for a family.
    fn means(&self, heart_rate_bpm: Option<f64>, power_w: Option<f64>) -> String {
        let bpm = heart_rate_bpm.map(|bpm| format!("{bpm:.0} {}", self.words.bpm));
        let watts = power_w.map(|watts| format!("{watts:.0} W"));
        let means: Vec<_> = [bpm, watts]
            .into_iter()
            .flatten()
            .filter(|_| self.is_crew)
            .collect();
        means.join(", ")
    }
}

/// How far the athlete was from the plan, with a sign: `+` is later.
fn against(behind_s: Option<f64>) -> String {
    behind_s.map_or_else(String::new, |behind_s| {
        let sign = if behind_s > 0.0 { "+" } else { "−" };
        format!("{sign}{}", text::time(behind_s.abs()))
    })
}
