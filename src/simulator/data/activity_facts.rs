//! The facts about one activity, by the names that the templates use.

use jiff::Span;
use serde_json::{Map, Value, json};

use super::dice::{Dice, tenths, whole};
use super::timeline::{Day, offset_minutes, text};
use super::training::Activity;

/// The length of the pool in metres.
const POOL_M: f64 = 25.0;

impl Day<'_> {
    #[expect(clippy::too_many_lines, reason = "a table: one fact per line")]
    pub(super) fn activity_fact(&self, activity: &Activity, name: &str) -> Option<Value> {
        let watts = activity.watts.map(|watts| watts as f64);
        let speed = activity.speed_mps();
        let cadence = activity.cadence_spm();
        let outdoors = activity.climb_m > 0.0;
        let (event_id, event_order) = match activity.event {
            "race" => (1, 1),
            "training" => (4, 4),
            _ => (9, 10),
        };
        Some(match name {
            "id" => json!(activity.id),
            "uuid" => json!(format!("00000000-0000-4000-9000-{:012x}", activity.id)),
            "name" => json!(activity.name),
            "sport" => json!(activity.sport),
            "event" => json!(activity.event),
            "event_id" => json!(event_id),
            "event_order" => json!(event_order),
            "start" => json!(activity.start),
            "end" => json!(activity.end()),
            "uploaded" => json!(activity.end() + 2),
            "time_zone" => json!(format!("UTC{:+}", offset_minutes(self.person) / 60)),
            "device_id_text" => json!(self.person.device_id().to_string()),
            "is_outdoors" => json!(outdoors),
            "is_hard" => json!(activity.effort >= 7),
            "has_power" => json!(watts.is_some()),
            "place" => json!(outdoors.then_some("Simulated")),
            "latitude" => json!(outdoors.then(|| self.home().0)),
            "longitude" => json!(outdoors.then(|| self.home().1)),
            "duration_s" => json!(activity.duration_s),
            "moving_s" => json!(activity.moving_s),
            "distance_or_zero_m" => json!(activity.distance_m.unwrap_or(0.0)),
            "climb_m" => json!(activity.climb_m),
            "climb_outdoors_m" => json!(outdoors.then_some(activity.climb_m)),
            "highest_m" => json!(outdoors.then_some(420.0 + activity.climb_m / 2.0)),
            "lowest_m" => json!(outdoors.then_some(420.0)),
            "speed_mps" => json!(speed),
            "max_speed_mps" => json!(speed.map(|speed| speed * 1.35)),
            "moving_speed_mps" => json!(activity.distance_m.map(|distance| distance / activity.moving_s)),
            "calories" => json!(activity.calories),
            "bmr_kcal" => json!((activity.minutes as f64 * 1.2).round()),
            "average_bpm" => json!(activity.average_bpm),
            "max_bpm" => json!(activity.max_bpm),
            "min_bpm" => json!(activity.bpm(0.0)),
            "recovery_bpm" => json!(26 + activity.effort),
            "cadence_spm" => json!(cadence),
            "max_cadence_spm" => json!(cadence.map(|cadence| (cadence * 1.08).round())),
            "ground_contact_ms" => json!(cadence.map(|_| 251.0)),
            "oscillation_cm" => json!(cadence.map(|_| 8.4)),
            "stride_cm" => {
                json!(
                    cadence
                        .zip(speed)
                        .map(|(cadence, speed)| tenths(speed * 60.0 / cadence * 100.0))
                )
            }
            "watts" => json!(activity.watts),
            "max_watts" => json!(watts.map(|watts| (watts * 1.5).round())),
            "normalized_watts" => json!(watts.map(|watts| (watts * 1.06).round())),
            "steps" => json!(activity.steps),
            "aerobic_effect" => json!(tenths(1.2 + activity.effort as f64 * 0.4)),
            "anaerobic_effect" => json!(tenths((activity.effort as f64 - 4.0).max(0.0) * 0.6)),
            "effect_label" => json!(match activity.effort {
                ..=3 => "RECOVERY",
                4..=5 => "AEROBIC_BASE",
                6..=7 => "TEMPO",
                _ => "VO2MAX",
            }),
            "load" => json!(activity.load),
            "feel" => json!(if activity.effort >= 7 { 50 } else { 75 }),
            "exertion" => json!(activity.effort * 10),
            "moderate_minutes" => json!(activity.moderate_minutes),
            "vigorous_minutes" => json!(activity.vigorous_minutes),
            "battery_impact" => json!(self.battery_impact(activity)),
            "sweat_ml" => json!(activity.minutes as f64 * 11.0),
            "lap_count" => json!(activity.laps().len()),
            "laps" => self.laps(activity),
            "zones" => {
                let seconds = activity.heart_rate_zones_s();
                let zones = seconds.iter().enumerate();
                zones
                    .map(|(zone, seconds)| ((zone + 1).to_string(), json!(seconds)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "heart_rate_zones" => zones(
                activity
                    .heart_rate_zones_s()
                    .into_iter()
                    .zip([95, 114, 133, 152, 171]),
            ),
            "power_zones" => {
                let parts =
                    [0.08, 0.34, 0.3, 0.16, 0.08, 0.03, 0.01].map(|part| tenths(activity.duration_s * part));
                let floors = [0.0, 0.55, 0.75, 0.9, 1.05, 1.2, 1.5];
                watts.map_or(json!([]), |watts| {
                    zones(parts.into_iter().zip(floors.map(|floor| (watts * floor).round())))
                })
            }
            "run_parts" => activity.run_parts(),
            "weather" => self.weather(activity)?,
            "gear" => self.gear(activity)?,
            "exercise_sets" => self.exercise_sets(activity)?,
            _ => return None,
        })
    }

    /// The starting point of every outdoor activity: degrees north and east.
    pub(super) fn home(&self) -> (f64, f64) {
        let mut dice = Dice::of(self.person.seed, "home");
        (dice.number(47.2, 49.8), dice.number(9.0, 12.9))
    }

    fn laps(&self, activity: &Activity) -> Value {
        let swims = activity.sport.type_key == "lap_swimming";
        let start_gmt = |seconds: f64| {
            let start = self.gmt(activity.start);
            text(start.saturating_add(Span::new().seconds(whole(seconds))))
        };
        let lap = |(index, (from_s, duration_s, distance_m)): (usize, (f64, f64, f64))| {
            let bpm = activity.bpm((from_s + duration_s / 2.0) / activity.duration_s);
            let share = duration_s / activity.duration_s;
            let speed = (distance_m > 0.0).then(|| distance_m / duration_s);
            let count = if swims { whole(distance_m / POOL_M) } else { 0 };
            let seconds = duration_s * POOL_M / distance_m;
            let length = |number: i64| {
                json!({
                    "length": number + 1,
                    "start_gmt": start_gmt(from_s + seconds * number as f64),
                    "duration_s": tenths(seconds),
                    "speed_mps": speed,
                    "calories": (activity.calories * share / 4.0).round(),
                    "average_bpm": bpm,
                    "max_bpm": bpm + 4,
                    "swolf": tenths(seconds + 18.0),
                })
            };
            let swim = json!({
                "cadence": 26.0,
                "lengths": count,
                "strokes": count * 18,
                "strokes_per_length": 18.0,
                "swolf": tenths(duration_s * POOL_M / distance_m + 18.0),
                "stroke_m": 1.39,
            });
            json!({
                "lap": index + 1,
                "start_gmt": start_gmt(from_s),
                "distance_m": distance_m,
                "duration_s": duration_s,
                "climb_m": tenths(activity.climb_m * share),
                "speed_mps": speed,
                "max_speed_mps": speed.map(|speed| speed * 1.2),
                "calories": (activity.calories * share).round(),
                "bmr_kcal": (activity.minutes as f64 * 1.2 * share).round(),
                "average_bpm": bpm,
                "max_bpm": (bpm + 5).min(activity.max_bpm),
                "swim": swims.then_some(swim),
                "intensity": if activity.effort >= 7 && index % 2 == 0 { "INTERVAL" } else { "ACTIVE" },
                "lengths": (0..count).map(length).collect::<Vec<_>>(),
            })
        };
        activity.laps().into_iter().enumerate().map(lap).collect()
    }

    /// Temperatures are in °F for everybody, and wind is in the person's units. Indoor activities have no weather.
    fn weather(&self, activity: &Activity) -> Option<Value> {
        if activity.climb_m <= 0.0 {
            return None;
        }
        let mut dice = self.dice("weather");
        let season = ((f64::from(self.date.day_of_year()) - 110.0) / 58.0).sin();
        let celsius = 10.0 + 10.0 * season + dice.number(-4.0, 4.0);
        let fahrenheit = |celsius: f64| (celsius * 1.8 + 32.0).round();
        let wind_mps = dice.number(0.5, 8.0);
        let is_metric = self.person.unit_system == "metric";
        let wind = if is_metric {
            wind_mps * 3.6
        } else {
            wind_mps / 0.447_04
        };
        let (bearing, sky) = (dice.whole(0, 7), dice.whole(0, 3));
        let one_of =
            |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied());
        Some(json!({
            "issued": format!("{}.000+0000", self.gmt(activity.start)),
            "fahrenheit": fahrenheit(celsius),
            "felt_fahrenheit": fahrenheit(celsius - wind_mps * 0.4),
            "dew_fahrenheit": fahrenheit(celsius - 6.0),
            "humidity_percent": dice.whole(45, 92),
            "wind_degrees": bearing * 45,
            "wind_from": one_of(&["n", "ne", "e", "se", "s", "sw", "w", "nw"], bearing),
            "wind_speed": wind.round(),
            "sky": one_of(&["Fair", "Partly Cloudy", "Cloudy", "Light Rain"], sky),
        }))
    }

    fn gear(&self, activity: &Activity) -> Option<Value> {
        let (number, kind, name) = match activity.sport.type_key {
            "running" => (1, "Shoes", "Road shoe"),
            "trail_running" => (2, "Shoes", "Trail shoe"),
            "cycling" => (3, "Bike", "Road bike"),
            _ => return None,
        };
        let key = 30_000_000 + self.person.seed % 1_000_000 * 10 + number;
        Some(json!({
            "key": key,
            "uuid": format!("{key:032x}"),
            "kind": kind,
            "name": name,
            "model": format!("Unknown {kind}"),
            "make_and_model": format!("Simulated {name}"),
            "maximum_m": if kind == "Shoes" { 800_000.0 } else { 0.0 },
        }))
    }

    /// Three sets of each exercise; only strength training has sets.
    fn exercise_sets(&self, activity: &Activity) -> Option<Value> {
        let exercises = [
            ("SQUAT", 60_000.0),
            ("BENCH_PRESS", 50_000.0),
            ("ROW", 40_000.0),
            ("PLANK", 0.0),
        ];
        if activity.sport.type_key != "strength_training" {
            return None;
        }
        let mut dice = self.dice(activity.name);
        let mut sets = Vec::new();
        let mut minute = activity.start;
        for (category, grams) in exercises.into_iter().flat_map(|exercise| [exercise; 3]) {
            if minute + 3 > activity.end() {
                break;
            }
            sets.push(json!({
                "kind": "ACTIVE", "index": sets.len(), "minute": minute, "duration_s": 45.0,
                "repetitions": dice.whole(6, 12), "grams": grams,
                "exercises": [{"category": category, "name": null, "probability": 98.0}],
            }));
            sets.push(json!({
                "kind": "REST", "index": sets.len(), "minute": minute + 1, "duration_s": 90.0,
                "repetitions": null, "grams": null, "exercises": [],
            }));
            minute += 3;
        }
        Some(sets.into())
    }
}

fn zones<T: serde::Serialize>(zones: impl Iterator<Item = (f64, T)>) -> Value {
    let zone = |(index, (seconds, from)): (usize, (f64, T))| json!({"zone": index + 1, "seconds": seconds, "from": from});
    zones.enumerate().map(zone).collect()
}

impl Activity {
    /// Average speed, m/s; `None` without a distance.
    pub(super) fn speed_mps(&self) -> Option<f64> {
        self.distance_m.map(|distance| distance / self.duration_s)
    }

    /// Steps per minute; only runs have a cadence.
    pub(super) fn cadence_spm(&self) -> Option<f64> {
        self.distance_m?;
        self.steps
            .map(|steps| tenths(steps as f64 / (self.moving_s / 60.0)))
    }

    /// Seconds in each heart rate zone. They add up to the duration.
    fn heart_rate_zones_s(&self) -> [f64; 5] {
        const FLOORS: [i64; 4] = [114, 133, 152, 171];
        let mut minutes = [0.0; 5];
        for minute in 0..self.minutes {
            let bpm = self.bpm(minute as f64 / self.minutes as f64);
            let zone = FLOORS.iter().filter(|floor| bpm >= **floor).count();
            if let Some(minutes) = minutes.get_mut(zone) {
                *minutes += 1.0;
            }
        }
        minutes.map(|m| tenths(m / self.minutes.max(1) as f64 * self.duration_s))
    }

    /// How much slower the end is than the start. Runs of 90 minutes and more fade evenly.
    fn slowing(&self) -> f64 {
        if self.minutes >= 90 && self.steps.is_some() {
            0.12
        } else {
            0.0
        }
    }

    /// Seconds after which this much of the distance is covered.
    fn seconds_to(&self, metres: f64) -> f64 {
        let (part, half) = (metres / self.distance_m.unwrap_or(1.0), self.slowing() / 2.0);
        self.duration_s * (part + half * part * part) / (1.0 + half)
    }

    /// Distance covered after so many seconds; `None` without a distance.
    pub(super) fn metres_after(&self, seconds: f64) -> Option<f64> {
        let (part, half) = (seconds / self.duration_s, self.slowing() / 2.0);
        // The inverse of `seconds_to`, in a form that also holds without a slowing.
        let root = (1.0 + 4.0 * half * (1.0 + half) * part).sqrt();
        Some(self.distance_m? * 2.0 * (1.0 + half) * part / (1.0 + root))
    }

    /// Start and duration in seconds, and length in metres. A lap is 1 km, 5 km on a bike, or 100 m in a pool. The last
    /// lap is the remainder, so that the laps add up to the activity.
    pub(super) fn laps(&self) -> Vec<(f64, f64, f64)> {
        let distance = self.distance_m.unwrap_or(0.0);
        let length = match self.sport.type_key {
            "cycling" => 5_000.0,
            "lap_swimming" => 100.0,
            _ => 1_000.0,
        };
        let mut laps = Vec::new();
        let mut from = 0.0;
        while distance - from > 0.05 {
            let lap = (distance - from).min(length);
            let start_s = self.seconds_to(from);
            laps.push((
                start_s,
                tenths(self.seconds_to(from + lap) - start_s),
                tenths(lap),
            ));
            from += lap;
        }
        if laps.is_empty() {
            laps.push((0.0, self.duration_s, 0.0));
        }
        laps
    }

    /// The running and the walking part of a run; empty for other sports.
    fn run_parts(&self) -> Value {
        let Some((distance, _)) = self.distance_m.zip(self.cadence_spm()) else {
            return json!([]);
        };
        let walked_s = tenths(self.duration_s - self.moving_s);
        let walked_m = tenths(walked_s * 1.1);
        let part = |index: usize, kind: &str, seconds: f64, metres: f64| {
            json!({
                "index": index,
                "kind": kind,
                "duration_s": seconds,
                "distance_m": metres,
                "speed_mps": metres / seconds.max(1.0),
                "calories": (self.calories * seconds / self.duration_s).round(),
            })
        };
        json!([
            part(
                0,
                "RWD_RUN",
                tenths(self.duration_s - walked_s),
                tenths(distance - walked_m)
            ),
            part(1, "RWD_WALK", walked_s, walked_m),
        ])
    }
}
