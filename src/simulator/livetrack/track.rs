//! Computes the points of a scenario: what the watch samples, and when LiveTrack shows it.

use super::route::{DEGREE_M, RaceRoute};
use super::scenario::{AfterSilence, Happening, LegPlan, Scenario};
use crate::simulator::dice::Dice;

/// Seconds from a post until its points are visible.
const POST_TAKES_S: u32 = 2;

/// One sample of the watch, or of the phone alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SimulatedPoint {
    /// The time of the sample: seconds since the start of LiveTrack, by a correct clock.
    pub(super) at_s: u32,
    /// The second from which the sample is visible.
    pub(super) seen_s: u32,
    pub(super) position: Option<(f64, f64)>,
    pub(super) altitude_m: f64,
    pub(super) speed_mps: f64,
    /// `None` before the watch's timer starts.
    pub(super) fitness: Option<Fitness>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitness {
    /// The leg's index in the scenario.
    pub(super) leg: usize,
    pub(super) distance_m: f64,
    pub(super) total_distance_m: f64,
    pub(super) duration_s: u32,
    pub(super) total_duration_s: u32,
    pub(super) heart_rate_bpm: Option<f64>,
    pub(super) cadence_rpm: Option<f64>,
    pub(super) power_w: Option<f64>,
    pub(super) is_moving: bool,
    pub(super) is_end: bool,
}

#[derive(Debug)]
pub(super) struct SimulatedTrack {
    /// In chronological order, at most one per second.
    pub(super) points: Vec<SimulatedPoint>,
    /// `None` when the watch died before the finish.
    pub(super) finished_at_s: Option<u32>,
    pub(super) way: RaceRoute,
    pub(super) length_m: f64,
}

impl SimulatedTrack {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let length_m = scenario.legs.iter().map(|leg| leg.distance_m).sum();
        let dies_at_s = scenario.happenings.iter().find_map(|happening| match happening {
            Happening::WatchDies { at_s } => Some(*at_s),
            _ => None,
        });
        let mut walk = Walk {
            scenario,
            dice: Dice::of(scenario.seed, &scenario.name),
            way: RaceRoute::new(scenario.start, length_m),
            total_m: 0.0,
            leg_from: (0.0, scenario.before_s),
            paused_s: 0,
            leg_paused_s: 0,
            climbed_m: 0.0,
            points: Vec::new(),
            dies_at_s: dies_at_s.unwrap_or(u32::MAX),
        };
        let finish_s = walk.go();
        Self {
            points: walk.points,
            finished_at_s: Some(finish_s).filter(|at_s| *at_s < dies_at_s.unwrap_or(u32::MAX)),
            way: walk.way,
            length_m,
        }
    }
}

/// The state of the computation, mainly where the athlete is.
struct Walk<'a> {
    scenario: &'a Scenario,
    dice: Dice,
    way: RaceRoute,
    total_m: f64,
    /// The distance in metres and the second at which the leg's counters began.
    leg_from: (f64, u32),
    /// Seconds during which the timer did not run: in the race, and before this leg.
    paused_s: u32,
    leg_paused_s: u32,
    /// Metres climbed on top of the route.
    climbed_m: f64,
    points: Vec<SimulatedPoint>,
    dies_at_s: u32,
}

impl Walk<'_> {
    /// Computes the race second by second, and returns the second of the finish.
    fn go(&mut self) -> u32 {
        let mut at_s = 0;
        while at_s < self.scenario.before_s {
            if at_s.is_multiple_of(self.scenario.sample_every_s) {
                self.sample(at_s, None, 0.0);
            }
            at_s += 1;
        }
        let mut ends_m = 0.0;
        let last = self.scenario.legs.len() - 1;
        let gives_up_at_s = self
            .scenario
            .happenings
            .iter()
            .find_map(|happening| match happening {
                Happening::GivesUp { at_s } => Some(*at_s),
                _ => None,
            });
        for (number, leg) in self.scenario.legs.iter().enumerate() {
            if number == 0 || leg.restarts_counters {
                self.leg_from = (self.total_m, at_s);
                self.leg_paused_s = self.paused_s;
            }
            let begins_m = ends_m;
            ends_m += leg.distance_m;
            loop {
                let progress = (self.total_m - begins_m) / leg.distance_m;
                let arrived = self.total_m >= ends_m;
                let speed_mps = self.speed_mps(leg, at_s);
                let gives_up = gives_up_at_s.is_some_and(|gives_up_at_s| at_s >= gives_up_at_s);
                if gives_up {
                    let fitness = self.fitness(number, progress, at_s, true);
                    self.sample(at_s, Some(fitness), 0.0);
                    return at_s;
                }
                if arrived && number < last {
                    break;
                }
                if arrived || at_s.is_multiple_of(self.scenario.sample_every_s) {
                    let fitness = self.fitness(number, progress, at_s, arrived);
                    self.sample(at_s, Some(fitness), if arrived { 0.0 } else { speed_mps });
                }
                if arrived {
                    break;
                }
                self.total_m = (self.total_m + speed_mps).min(ends_m);
                self.pass_second(at_s);
                at_s += 1;
            }
        }
        at_s
    }

    /// Adds the timer's pause and the climb of this second.
    fn pass_second(&mut self, at_s: u32) {
        for happening in &self.scenario.happenings {
            match happening {
                Happening::Pause {
                    at_s: from, for_s, ..
                } if during(at_s, *from, *for_s) => {
                    self.paused_s += 1;
                }
                Happening::Values {
                    at_s: from,
                    for_s,
                    climb_mps,
                    ..
                } if during(at_s, *from, *for_s) => self.climbed_m += climb_mps,
                _ => {}
            }
        }
    }

    /// The speed in this second: the planned speed with 2 % noise.
    fn speed_mps(&mut self, leg: &LegPlan, at_s: u32) -> f64 {
        let mut speed_mps = leg.speed_mps;
        for happening in &self.scenario.happenings {
            match happening {
                Happening::Stop {
                    at_s: from,
                    for_s,
                    jitter_m,
                } if during(at_s, *from, *for_s) => {
                    let drifts = (at_s - from) % 120 == 119;
                    return if drifts { *jitter_m } else { 0.0 };
                }
                Happening::Pause {
                    at_s: from, for_s, ..
                } if during(at_s, *from, *for_s) => return 0.0,
                Happening::Values {
                    at_s: from,
                    for_s,
                    speed_mps: Some(other),
                    ..
                } if during(at_s, *from, *for_s) => speed_mps = *other,
                _ => {}
            }
        }
        speed_mps * self.dice.number(0.98, 1.02)
    }

    fn fitness(&mut self, number: usize, progress: f64, at_s: u32, is_end: bool) -> Fitness {
        let leg = self.scenario.legs.get(number);
        let mut heart_rate = leg
            .and_then(|leg| leg.heart_rate_bpm)
            .map(|(from, to)| from + progress.clamp(0.0, 1.0) * (to - from));
        let mut cadence = leg.and_then(|leg| leg.cadence_rpm);
        let mut power = leg.and_then(|leg| leg.power_w);
        let mut is_moving = !is_end;
        for happening in &self.scenario.happenings {
            match happening {
                Happening::Stop {
                    at_s: from, for_s, ..
                }
                | Happening::Pause {
                    at_s: from, for_s, ..
                } if during(at_s, *from, *for_s) => {
                    is_moving = false;
                    cadence = cadence.map(|_| 0.0);
                    power = power.map(|_| 0.0);
                }
                Happening::Values {
                    at_s: from,
                    for_s,
                    heart_rate_bpm,
                    cadence_rpm,
                    power_w,
                    ..
                } if during(at_s, *from, *for_s) => {
                    heart_rate = heart_rate_bpm.or(heart_rate);
                    cadence = cadence_rpm.or(cadence);
                    power = power_w.or(power);
                }
                _ => {}
            }
        }
        let mut near = |value: f64, by: f64| (value + self.dice.number(-by, by)).round().max(0.0);
        let (from_m, from_s) = self.leg_from;
        Fitness {
            leg: number,
            distance_m: self.total_m - from_m,
            total_distance_m: self.total_m,
            duration_s: at_s - from_s - (self.paused_s - self.leg_paused_s),
            total_duration_s: at_s - self.scenario.before_s - self.paused_s,
            heart_rate_bpm: heart_rate.map(|bpm| near(bpm, 1.5)),
            cadence_rpm: cadence.map(|rpm| if rpm > 0.0 { near(rpm, 1.0) } else { 0.0 }),
            power_w: power.map(|watts| if watts > 0.0 { near(watts, 4.0) } else { 0.0 }),
            is_moving,
            is_end,
        }
    }

    /// Adds a point unless it would never become visible.
    fn sample(&mut self, at_s: u32, fitness: Option<Fitness>, speed_mps: f64) {
        let leg = fitness
            .as_ref()
            .and_then(|fitness| self.scenario.legs.get(fitness.leg));
        let is_seen = leg.is_none_or(|leg| leg.is_seen) && at_s < self.dies_at_s && !self.is_mute(at_s);
        let Some(seen_s) = seen_s(self.scenario, at_s).filter(|_| is_seen) else {
            return;
        };
        let no_positions = self.scenario.happenings.iter().any(|happening| {
            matches!(happening, Happening::NoPositions { at_s: from, for_s } if during(at_s, *from, *for_s))
        });
        let off_m: f64 = self
            .scenario
            .happenings
            .iter()
            .map(|happening| match happening {
                Happening::OffCourse {
                    at_s: from,
                    for_s,
                    off_m,
                } if during(at_s, *from, *for_s) => *off_m,
                _ => 0.0,
            })
            .sum();
        let (lat, lon) = self.way.at(self.total_m);
        let has_position = leg.is_none_or(|leg| leg.has_positions) && !no_positions;
        let fitness = fitness.map(|fitness| Fitness {
            is_end: fitness.is_end && self.scenario.end.event,
            ..fitness
        });
        self.points.push(SimulatedPoint {
            at_s,
            seen_s,
            position: has_position.then_some((lat, lon + off_m / (DEGREE_M * lat.to_radians().cos()))),
            altitude_m: RaceRoute::altitude_m(self.total_m) + self.climbed_m,
            speed_mps,
            fitness: fitness.filter(|_| !self.scenario.phone_only),
        });
    }

    /// Whether the watch is paused and sends no points.
    fn is_mute(&self, at_s: u32) -> bool {
        self.scenario.happenings.iter().any(|happening| {
            matches!(happening, Happening::Pause { at_s: from, for_s, posts: false } if during(at_s, *from, *for_s))
        })
    }
}

fn during(at_s: u32, from_s: u32, for_s: u32) -> bool {
    at_s >= from_s && at_s - from_s < for_s
}

/// The second from which a sample is visible; `None` = never.
fn seen_s(scenario: &Scenario, at_s: u32) -> Option<u32> {
    let every_s = scenario.post_every_s;
    let next_post = |after_s: u32| (after_s / every_s + 1) * every_s;
    let mut post_s = next_post(at_s);
    // A post without signal is retried when the signal returns, which may be inside the next gap.
    loop {
        let silence = scenario.happenings.iter().find_map(|happening| match happening {
            Happening::NoSignal {
                at_s: from,
                for_s,
                then,
            } if during(post_s, *from, *for_s) => Some((*from, from + for_s, *then)),
            _ => None,
        });
        match silence {
            None => return Some(post_s + POST_TAKES_S),
            Some((from_s, _, AfterSilence::Lost)) if at_s >= from_s => return None,
            Some((_, ends_s, AfterSilence::Late { by_s })) => post_s = next_post(ends_s + by_s),
            Some((_, ends_s, _)) => post_s = next_post(ends_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(more: &str) -> Scenario {
        let text = format!(
            r#"{{"name": "x", "before_s": 60, "legs": [{{"activity_type": "RUNNING", "distance_m": 3000,
                "speed_mps": 3, "heart_rate_bpm": [140, 160], "cadence_rpm": 84}}]{more}}}"#
        );
        Scenario::read(&text).unwrap()
    }

    #[test]
    fn a_race_runs_from_the_start_to_the_finish() {
        let track = SimulatedTrack::new(&scenario(""));
        let finish_s = track.finished_at_s.unwrap();
        assert!((1050..1070).contains(&finish_s), "{finish_s}");
        let (first, last) = (track.points.first().unwrap(), track.points.last().unwrap());
        assert_eq!((first.at_s, &first.fitness), (0, &None));
        let end = last.fitness.as_ref().unwrap();
        assert_eq!((last.at_s, end.is_end), (finish_s, true));
        assert_eq!(
            (end.total_distance_m, end.total_duration_s),
            (3000.0, finish_s - 60)
        );
        let metres = |point: &SimulatedPoint| point.fitness.as_ref().map_or(0.0, |fit| fit.total_distance_m);
        let pairs: Vec<_> = track.points.windows(2).collect();
        assert!(pairs.iter().all(|two| two[0].at_s < two[1].at_s));
        assert!(pairs.iter().all(|two| metres(&two[0]) <= metres(&two[1])));
        let posted = |point: &SimulatedPoint| point.seen_s > point.at_s && point.seen_s - point.at_s <= 17;
        assert!(track.points.iter().all(posted));
    }

    #[test]
    fn the_same_scenario_gives_the_same_points() {
        assert_eq!(
            SimulatedTrack::new(&scenario("")).points,
            SimulatedTrack::new(&scenario("")).points
        );
    }

    fn silent(then: &str) -> SimulatedTrack {
        let more = format!(
            r#", "happenings": [{{"kind": "no_signal", "at_s": 300, "for_s": 200, "then": {then}}}]"#
        );
        SimulatedTrack::new(&scenario(&more))
    }

    #[test]
    fn samples_without_signal_come_late_or_never() {
        let seen = |track: &SimulatedTrack, at_s: u32| {
            let point = track.points.iter().find(|point| point.at_s == at_s);
            point.map(|point| point.seen_s)
        };
        let kept = silent(r#"{"kind": "kept"}"#);
        assert_eq!((seen(&kept, 400), seen(&kept, 500)), (Some(512), Some(512)));
        let late = silent(r#"{"kind": "late", "by_s": 300}"#);
        assert_eq!((seen(&late, 400), seen(&late, 500)), (Some(812), Some(512)));
        let lost = silent(r#"{"kind": "lost"}"#);
        assert_eq!((seen(&lost, 400), seen(&lost, 500)), (None, Some(512)));
        // A sample taken before the gap and not yet posted is late, not lost.
        assert_eq!(seen(&lost, 290), Some(512));
    }

    #[test]
    fn a_stop_has_points_and_a_dead_watch_has_none() {
        let stop = SimulatedTrack::new(&scenario(
            r#", "happenings": [{"kind": "stop", "at_s": 300, "for_s": 120}]"#,
        ));
        let standing: Vec<_> = stop
            .points
            .iter()
            .filter(|point| (300..420).contains(&point.at_s))
            .collect();
        assert_eq!(standing.len(), 12);
        assert!(standing.iter().all(|point| point.speed_mps == 0.0));
        assert!(
            standing
                .iter()
                .all(|point| !point.fitness.as_ref().unwrap().is_moving)
        );
        let dead = SimulatedTrack::new(&scenario(
            r#", "happenings": [{"kind": "watch_dies", "at_s": 600}]"#,
        ));
        assert_eq!(dead.finished_at_s, None);
        assert_eq!(dead.points.last().unwrap().at_s, 590);
    }
}
