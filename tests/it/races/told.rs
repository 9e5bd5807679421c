//! Compares the alerts of many races with what happened: each scenario has the windows of time in which alerts of a
//! kind are right. The races are watched without a gateway, and the state is stored and read back in between.

use std::collections::BTreeMap;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::garmin::livetrack::{LiveTrackError, LiveTrackSession, Trackpoint};
use garmin_gateway::race::alerts::{self, Alert, AlertState, Situation};
use garmin_gateway::race::course::Course;
use garmin_gateway::race::ending::EndRules;
use garmin_gateway::race::plan::RacePlan;
use garmin_gateway::race::schedule::{NextPoll, PollResult, RaceWatch};
use garmin_gateway::race::sport::LegKind;
use garmin_gateway::race::track::{Track, TrackSample};
use garmin_gateway::simulator::livetrack::Playback;
use garmin_gateway::simulator::livetrack::scenario::Scenario;
use garmin_gateway::simulator::{Simulator, SimulatorSettings};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::start;

#[derive(Deserialize)]
struct ToldRace {
    scenario: Scenario,
    /// For every kind of alert, the windows in which one is right, in seconds.
    truth: BTreeMap<String, Vec<(i64, i64)>>,
    /// The number of splits, if gaps swallow some or marks coincide.
    splits: Option<usize>,
}

fn races() -> Vec<ToldRace> {
    let path = format!("{}/tests/scenarios/told/races.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A watched race outside the gateway.
struct Played {
    plan: RacePlan,
    course: Option<Course>,
    watch: RaceWatch,
    told: AlertState,
    track: Track,
    seen: Vec<TrackSample>,
    alerts: Vec<Alert>,
}

impl Played {
    fn poll(&mut self, now: Timestamp, samples: &[TrackSample], session: LiveTrackSession) {
        let begin = self.seen.len();
        let known = |sample: &TrackSample| self.seen.iter().any(|seen| seen.point.at == sample.point.at);
        let new: Vec<_> = samples
            .iter()
            .filter(|sample| {
                sample.seen_at <= now && sample.seen_at > self.watch.last_ok_at.unwrap_or(start())
            })
            .filter(|sample| !known(sample))
            .cloned()
            .collect();
        let newest = self.track.last.map(|last| last.at);
        let is_late = new
            .iter()
            .any(|sample| newest.is_some_and(|newest| sample.point.at <= newest));
        self.seen.extend(new);
        self.seen[begin..].sort_by_key(|sample| sample.point.at);
        if is_late {
            self.seen.sort_by_key(|sample| sample.point.at);
            self.track = Track::of(self.plan.kind, self.course.as_ref(), &self.seen);
        } else {
            for sample in &self.seen[begin..] {
                self.track.push(self.course.as_ref(), sample);
            }
        }
        let answer = PollResult {
            session: Some(session),
            new_points: self.seen.len() - begin,
            changed: false,
        };
        self.watch.answered(now, answer);
        let rules = EndRules::default();
        self.watch
            .conclude(now, rules, &self.plan, &self.track, self.course.as_ref());
        self.judge(now);
    }

    fn judge(&mut self, now: Timestamp) {
        let situation = Situation {
            now,
            track: &self.track,
            watch: &self.watch,
            settings: &self.plan,
            course: self.course.as_ref(),
        };
        self.alerts.extend(alerts::judge(&mut self.told, &situation));
    }

    /// What a restart does: the state is stored and read, and the track is computed from the stored points.
    fn restart(&mut self) {
        self.watch = serde_json::from_str(&serde_json::to_string(&self.watch).unwrap()).unwrap();
        self.told = serde_json::from_str(&serde_json::to_string(&self.told).unwrap()).unwrap();
        self.seen.sort_by_key(|sample| sample.point.at);
        self.track = Track::of(self.plan.kind, self.course.as_ref(), &self.seen);
    }
}

/// Plays a race to its end. With `restarts`, the watch is stored and read again after every eleventh poll.
fn play(simulator: &Simulator, race: &ToldRace, restarts: bool) -> Played {
    let scenario = &race.scenario;
    let links = simulator.links(scenario, Playback::default());
    let samples: Vec<TrackSample> = simulator
        .points(&links[0].session_id)
        .iter()
        .map(|value| {
            let point = Trackpoint::read(value).unwrap();
            let seen_at = point.reported_at.unwrap() + SignedDuration::from_secs(1);
            TrackSample { point, seen_at }
        })
        .collect();
    let (mut plan, gpx) = RacePlan::read(scenario.race_config.as_object().unwrap()).unwrap();
    assert_eq!(gpx, None);
    let course = scenario.answers.course.then(|| {
        // The track of an athlete who makes no detours.
        let mut plain = scenario.clone();
        plain.happenings.clear();
        let links = simulator.links(&plain, Playback::default());
        let points = simulator.points(&links[0].session_id);
        let places: Vec<_> = points
            .iter()
            .filter_map(|value| Trackpoint::read(value).unwrap().position)
            .collect();
        Course::from_places(&places).unwrap()
    });
    plan.poll_interval_s = 60;
    let dies = serde_json::to_value(scenario)
        .unwrap()
        .to_string()
        .contains("watch_dies");
    let last = samples.last().unwrap();
    let (last_at, last_seen_at) = (last.point.at, last.seen_at);
    let mut played = Played {
        track: Track::new(plan.kind),
        plan,
        course,
        watch: RaceWatch::new(start()),
        told: AlertState::default(),
        seen: Vec::new(),
        alerts: Vec::new(),
    };
    let (mut now, mut polls) = (start(), 0);
    while let NextPoll::Ask { at, .. } = played.watch.next(now, &played.plan, &played.track) {
        now = at.max(now + SignedDuration::from_secs(1));
        let is_over = scenario.end.session && !dies && now >= last_seen_at;
        let day = start() + SignedDuration::from_hours(24);
        if now > day {
            played.watch.failed(now, &LiveTrackError::Gone);
            played.judge(now);
            continue;
        }
        let session = LiveTrackSession {
            start: Some(start()),
            end: Some(if is_over { last_at } else { day }),
            post_frequency_s: Some(scenario.post_every_s),
            ..LiveTrackSession::default()
        };
        played.poll(now, &samples, session);
        polls += 1;
        if restarts && polls % 11 == 0 {
            played.restart();
        }
    }
    played
}

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    missed: usize,
}

/// Assigns every alert to a window of the truth.
fn score(race: &ToldRace, played: &Played, scores: &mut BTreeMap<String, Score>, mistakes: &mut Vec<String>) {
    let mut open = race.truth.clone();
    let name = &race.scenario.name;
    for alert in played.alerts.iter().filter(|alert| alert.kind.name() != "split") {
        let kind = alert.kind.name();
        let at_s = alert.at.duration_since(start()).as_secs();
        let windows = open.entry(kind.to_owned()).or_default();
        let fits = windows
            .iter()
            .position(|(from, to)| (*from..=*to).contains(&at_s));
        let score = scores.entry(kind.to_owned()).or_default();
        if let Some(fits) = fits {
            windows.remove(fits);
            score.right += 1;
        } else {
            score.wrong += 1;
            mistakes.push(format!("{name}: {kind} at {at_s} s: {}", alert.text));
        }
    }
    for (kind, windows) in open {
        scores.entry(kind.clone()).or_default().missed += windows.len();
        mistakes.extend(
            windows
                .iter()
                .map(|window| format!("{name}: no {kind} in {window:?}")),
        );
    }
    let told = played
        .alerts
        .iter()
        .filter(|alert| alert.kind.name() == "split")
        .count();
    let expected = race.splits.unwrap_or_else(|| marks(played));
    let score = scores.entry("split".into()).or_default();
    score.right += told.min(expected);
    score.wrong += told.saturating_sub(expected);
    score.missed += expected.saturating_sub(told);
    if told != expected {
        mistakes.push(format!("{name}: {told} splits, {expected} expected"));
    }
}

/// The number of marks that the legs passed. A mark exactly at the finish is not reported.
fn marks(played: &Played) -> usize {
    let every = |kind: Option<LegKind>| match kind {
        Some(LegKind::Ride) => 20_000.0,
        Some(LegKind::Swim | LegKind::Transition) => f64::INFINITY,
        Some(LegKind::Ski | LegKind::Skate) => 10_000.0,
        _ => 5000.0,
    };
    let legs = &played.track.legs;
    let splits = played.track.splits.iter();
    splits
        .filter(|split| (split.to_m % every(legs[split.leg].kind)).abs() < 0.5)
        .count()
}

#[tokio::test]
async fn every_kind_of_alert_is_right_in_races_shaped_by_real_ones() {
    let lifecycle = Lifecycle::new();
    let settings = SimulatorSettings {
        clock: Clock::manual(start()),
        ..SimulatorSettings::default()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let simulator = Simulator::start(settings, listener, &lifecycle).unwrap();
    let (mut scores, mut mistakes) = (BTreeMap::new(), Vec::new());
    let races = races();
    assert!(races.len() >= 40);
    for race in &races {
        let played = play(&simulator, race, false);
        score(race, &played, &mut scores, &mut mistakes);
        let restarted = play(&simulator, race, true);
        let kinds = |played: &Played| -> Vec<_> {
            let alerts = played.alerts.iter();
            alerts
                .map(|alert| (alert.kind, alert.at, alert.text.clone()))
                .collect()
        };
        if kinds(&played) != kinds(&restarted) {
            mistakes.push(format!("{}: a restart changed what is told", race.scenario.name));
        }
    }
    let report = mistakes.join("\n");
    for (kind, score) in &scores {
        let told = (score.right + score.wrong).max(1) as f64;
        let due = (score.right + score.missed).max(1) as f64;
        let (precision, recall) = (score.right as f64 / told, score.right as f64 / due);
        println!("{kind}: precision {precision:.3}, recall {recall:.3}");
        assert!(
            precision >= 0.98 && recall >= 0.98,
            "{kind}: {precision} {recall}\n{report}"
        );
    }
}
