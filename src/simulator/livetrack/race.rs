//! A race in progress: its links, and the points that are visible at a given moment.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::scenario::{Scenario, TimedFault};
use super::track::{SimulatedPoint, SimulatedTrack};
use crate::simulator::faults::Place;

/// The lifetime of a link, in seconds.
const LINK_LASTS_S: f64 = 86_400.0;

/// The playback speed and the starting point of a race.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playback {
    /// Seconds of the race per real second. The clocks of the watch and of Garmin are sped up equally.
    pub speed: f64,
    /// Seconds of the race that have already passed when it is started.
    pub elapsed_s: u32,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            speed: 1.0,
            elapsed_s: 0,
        }
    }
}

/// One link, and the seconds of the race that it covers.
#[derive(Debug, Clone)]
pub(super) struct RaceLink {
    pub(super) session_id: String,
    pub(super) token: String,
    pub(super) short: String,
    pub(super) from_s: u32,
    pub(super) to_s: u32,
}

#[derive(Debug)]
pub(super) struct PlayedRace {
    pub(super) scenario: Arc<Scenario>,
    pub(super) track: Arc<SimulatedTrack>,
    pub(super) links: Vec<RaceLink>,
    pace: Playback,
    begun_at: Timestamp,
    /// The start of LiveTrack: second 0 of the scenario.
    zero: Timestamp,
}

impl RaceLink {
    /// Whether the link has started and not expired.
    pub(super) fn is_open(&self, elapsed_s: f64) -> bool {
        let since_s = elapsed_s - f64::from(self.from_s);
        (0.0..LINK_LASTS_S).contains(&since_s)
    }
}

impl PlayedRace {
    pub(super) fn new(
        scenario: Arc<Scenario>,
        track: Arc<SimulatedTrack>,
        links: Vec<RaceLink>,
        pace: Playback,
        now: Timestamp,
    ) -> Self {
        let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let zero = whole
            .checked_sub(SignedDuration::from_secs(pace.elapsed_s.into()))
            .unwrap_or(whole);
        Self {
            scenario,
            track,
            links,
            pace,
            begun_at: now,
            zero,
        }
    }

    /// Seconds of the race since the start of LiveTrack.
    pub(super) fn elapsed_s(&self, now: Timestamp) -> f64 {
        let real_s = now.duration_since(self.begun_at).as_secs_f64().max(0.0);
        f64::from(self.pace.elapsed_s) + real_s * self.pace.speed
    }

    /// A second of the race as a time on a correct clock.
    pub(super) fn true_time(&self, at_s: u32) -> Timestamp {
        self.zero
            .checked_add(SignedDuration::from_secs(at_s.into()))
            .unwrap_or(self.zero)
    }

    /// A second of the race as a time on the watch's clock.
    pub(super) fn device_time(&self, at_s: u32) -> Timestamp {
        let right = self.true_time(at_s);
        right
            .checked_add(SignedDuration::from_secs(self.scenario.clock_off_s))
            .unwrap_or(right)
    }

    /// Every point that the link will ever return.
    pub(super) fn all<'a>(
        &'a self,
        link: &'a RaceLink,
    ) -> impl DoubleEndedIterator<Item = &'a SimulatedPoint> {
        let lasts = f64::from(link.from_s) + LINK_LASTS_S;
        let part = self.part(link);
        part.iter().filter(move |point| f64::from(point.seen_s) < lasts)
    }

    fn part(&self, link: &RaceLink) -> &[SimulatedPoint] {
        let points = &self.track.points;
        let from = points.partition_point(|point| point.at_s < link.from_s);
        let to = points.partition_point(|point| point.at_s < link.to_s);
        points.get(from..to).unwrap_or_default()
    }

    /// The points from `begin` on that are visible at this moment.
    pub(super) fn seen<'a>(
        &'a self,
        link: &'a RaceLink,
        elapsed_s: f64,
        begin: Option<Timestamp>,
    ) -> impl DoubleEndedIterator<Item = &'a SimulatedPoint> {
        let part = self.part(link);
        let inclusive = self.scenario.answers.begin_inclusive;
        let skipped = begin.map_or(0, |begin| {
            part.partition_point(|point| {
                let at = self.device_time(point.at_s);
                at < begin || (at == begin && !inclusive)
            })
        });
        let part = part.get(skipped..).unwrap_or_default();
        part.iter()
            .filter(move |point| f64::from(point.seen_s) <= elapsed_s)
    }

    /// The end of the session; `None` until LiveTrack reports it.
    pub(super) fn ended_at(&self, link: &RaceLink, elapsed_s: f64) -> Option<Timestamp> {
        let finish_s = self.track.finished_at_s?;
        let last = self.part(link).last()?;
        let told = self.scenario.end.session && finish_s < link.to_s && f64::from(last.seen_s) <= elapsed_s;
        told.then(|| self.true_time(finish_s))
    }

    /// The fault that the scenario plans for `place` at this moment.
    pub(super) fn fault(&self, place: Place, elapsed_s: f64) -> Option<&TimedFault> {
        self.scenario.faults.iter().find(|timed| {
            let since_s = elapsed_s - f64::from(timed.at_s);
            timed.place == place && (0.0..f64::from(timed.for_s)).contains(&since_s)
        })
    }
}
