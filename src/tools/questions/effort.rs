//! One activity, reduced to the figures that are compared: pace, heart rate, climbing, load.

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value, json};

use super::figures::{figure_or_null, object};
use crate::tools::fields::at;
use crate::tools::sport::{SportFamily, clock};

/// An activity, from a list of activities or from its own document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Effort {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) type_key: String,
    pub(super) event: Option<String>,
    /// The start in local time.
    pub(super) start: DateTime,
    /// The offset of that local time from UTC, in minutes.
    offset_min: Option<i64>,
    pub(super) duration_s: f64,
    pub(super) moving_s: f64,
    pub(super) distance_m: f64,
    pub(super) bpm: Option<f64>,
    max_bpm: Option<f64>,
    pub(super) climb_m: Option<f64>,
    pub(super) watts: Option<f64>,
    cadence: Option<f64>,
    pub(super) load: Option<f64>,
    aerobic_effect: Option<f64>,
    anaerobic_effect: Option<f64>,
    effect: Option<String>,
    pub(super) zones_s: Option<[f64; 5]>,
}

impl Effort {
    /// `None` for a document without an id or a start.
    pub(super) fn read(document: &Value) -> Option<Self> {
        let find = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| at(document, key).or_else(|| at(document.get("summaryDTO")?, key)))
        };
        let number = |keys: &[&str]| find(keys).and_then(Value::as_f64);
        let text = |keys: &[&str]| find(keys).and_then(Value::as_str).map(str::to_owned);
        let time = |keys: &[&str]| text(keys)?.replace(' ', "T").parse::<DateTime>().ok();
        let start = time(&["startTimeLocal"])?;
        let offset =
            time(&["startTimeGMT"]).and_then(|gmt| start.since(gmt).ok()?.total(jiff::Unit::Minute).ok());
        let zone = |index: usize| {
            number(&[[
                "hrTimeInZone_1",
                "hrTimeInZone_2",
                "hrTimeInZone_3",
                "hrTimeInZone_4",
                "hrTimeInZone_5",
            ]
            .get(index)?])
        };
        let zones = [0, 1, 2, 3, 4].map(zone);
        let duration_s = number(&["duration"]).unwrap_or(0.0);
        Some(Self {
            id: find(&["activityId"])?.as_i64()?,
            name: text(&["activityName"]).unwrap_or_default(),
            type_key: text(&["activityType.typeKey", "activityTypeDTO.typeKey"]).unwrap_or_default(),
            event: text(&["eventType.typeKey", "eventTypeDTO.typeKey"])
                .filter(|event| event != "uncategorized"),
            start,
            offset_min: offset.and_then(|minutes| format!("{minutes:.0}").parse().ok()),
            duration_s,
            moving_s: number(&["movingDuration"])
                .filter(|moving| *moving > 0.0)
                .unwrap_or(duration_s),
            distance_m: number(&["distance"]).unwrap_or(0.0),
            bpm: number(&["averageHR"]).filter(|bpm| *bpm > 0.0),
            max_bpm: number(&["maxHR"]).filter(|bpm| *bpm > 0.0),
            climb_m: number(&["elevationGain"]),
            watts: number(&["avgPower", "averagePower"]).filter(|watts| *watts > 0.0),
            cadence: number(&["averageRunningCadenceInStepsPerMinute", "averageRunCadence"]),
            load: number(&["activityTrainingLoad"]),
            aerobic_effect: number(&["aerobicTrainingEffect", "trainingEffect"]),
            anaerobic_effect: number(&["anaerobicTrainingEffect"]),
            effect: text(&["trainingEffectLabel"]),
            zones_s: zones
                .iter()
                .any(Option::is_some)
                .then(|| zones.map(Option::unwrap_or_default)),
        })
    }

    pub(super) fn date(&self) -> Date {
        self.start.date()
    }

    pub(super) fn family(&self) -> SportFamily {
        SportFamily::of(&self.type_key)
    }

    /// Speed while moving, m/s.
    pub(super) fn speed_mps(&self) -> Option<f64> {
        (self.distance_m > 0.0 && self.moving_s > 0.0).then(|| self.distance_m / self.moving_s)
    }

    /// Metres per heartbeat: more means faster at the same heart rate.
    pub(super) fn metres_per_beat(&self) -> Option<f64> {
        Some(self.speed_mps()? * 60.0 / self.bpm?)
    }

    /// The start with its offset: `2026-01-08T07:00+01:00`.
    pub(super) fn start_text(&self) -> String {
        let local = self.start.strftime("%Y-%m-%dT%H:%M").to_string();
        match self.offset_min {
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.abs();
                format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            None => local,
        }
    }

    /// The figures for a comparison: one row.
    pub(super) fn row(&self) -> Map<String, Value> {
        let km = (self.distance_m > 0.0).then_some(self.distance_m / 1_000.0);
        let mut row = object([
            ("activity_id", json!(self.id)),
            ("name", json!(self.name)),
            ("type", json!(self.type_key)),
            ("event_type", json!(self.event)),
            ("start", json!(self.start_text())),
            ("distance_km", figure_or_null(km, 2)),
            ("duration", json!(clock(self.duration_s))),
            (
                "moving_time",
                // The pace is that of the moving time.
                if self.duration_s - self.moving_s >= 1.0 {
                    json!(clock(self.moving_s))
                } else {
                    Value::Null
                },
            ),
        ]);
        row.extend(object(self.family().speed(self.speed_mps())));
        row.extend(object([
            ("avg_bpm", figure_or_null(self.bpm, 0)),
            ("max_bpm", figure_or_null(self.max_bpm, 0)),
            ("metres_per_beat", figure_or_null(self.metres_per_beat(), 2)),
            ("climb_m", figure_or_null(self.climb_m, 0)),
            ("avg_power_w", figure_or_null(self.watts, 0)),
            ("cadence_spm", figure_or_null(self.cadence, 0)),
            ("training_load", figure_or_null(self.load, 0)),
        ]));
        row
    }

    /// [`Effort::row`] with the training effect.
    pub(super) fn told(&self) -> Map<String, Value> {
        let mut told = self.row();
        told.extend(object([
            ("aerobic_effect", figure_or_null(self.aerobic_effect, 1)),
            ("anaerobic_effect", figure_or_null(self.anaerobic_effect, 1)),
            (
                "effect",
                json!(self.effect.as_ref().map(|effect| effect.to_lowercase())),
            ),
        ]));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_documents_of_an_activity_give_the_same_row() {
        let item = json!({
            "activityId": 7, "activityName": "Run", "activityType": {"typeKey": "trail_running"}, "eventType": {"typeKey": "race"},
            "startTimeLocal": "2026-01-08 07:00:00", "startTimeGMT": "2026-01-08 12:30:00", "distance": 10_000.0, "duration": 3_100.0,
            "movingDuration": 3_000.0, "averageHR": 150.0, "maxHR": 171.0, "elevationGain": 120.4, "avgPower": 0.0,
            "averageRunningCadenceInStepsPerMinute": 168.4, "activityTrainingLoad": 123.6
        });
        let own = json!({
            "activityId": 7, "activityName": "Run", "activityTypeDTO": {"typeKey": "trail_running"}, "eventTypeDTO": {"typeKey": "race"},
            "summaryDTO": {
                "startTimeLocal": "2026-01-08T07:00:00.0", "startTimeGMT": "2026-01-08T12:30:00.0", "distance": 10_000.0,
                "duration": 3_100.0, "movingDuration": 3_000.0, "averageHR": 150.0, "maxHR": 171.0, "elevationGain": 120.4,
                "averagePower": null, "averageRunCadence": 168.4, "activityTrainingLoad": 123.6
            }
        });
        let row = Effort::read(&item).unwrap().row();
        assert_eq!(row, Effort::read(&own).unwrap().row());
        assert_eq!(
            Value::Object(row),
            json!({
                "activity_id": 7, "name": "Run", "type": "trail_running", "event_type": "race", "start": "2026-01-08T07:00-05:30",
                "distance_km": 10.0, "duration": "51:40", "moving_time": "50:00", "pace_min_per_km": "5:00", "speed_kmh": 12.0,
                "avg_bpm": 150, "max_bpm": 171, "metres_per_beat": 1.33, "climb_m": 120, "cadence_spm": 168, "training_load": 124
            })
        );
    }

    #[test]
    fn a_pace_has_its_moving_time_beside_it() {
        let row = |moving: f64| {
            let item = json!({
                "activityId": 7, "activityType": {"typeKey": "running"}, "startTimeLocal": "2026-01-08 07:00:00",
                "distance": 6_490.0, "duration": 2_429.0, "movingDuration": moving
            });
            let row = Effort::read(&item).unwrap().row();
            (row["pace_min_per_km"].clone(), row.get("moving_time").cloned())
        };
        assert_eq!(row(2_403.0), (json!("6:10"), Some(json!("40:03"))));
        assert_eq!(row(2_428.6), (json!("6:14"), None));
    }

    #[test]
    fn a_sport_has_its_own_unit_of_speed() {
        let speed = |key: &str| {
            SportFamily::of(key)
                .speed(Some(1.25))
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(speed("lap_swimming"), ["pace_min_per_100m"]);
        assert_eq!(speed("treadmill_running"), ["pace_min_per_km", "speed_kmh"]);
        assert_eq!(speed("mountain_biking"), ["speed_kmh"]);
        assert_eq!(
            SportFamily::Swim.speed(Some(1.25)),
            [("pace_min_per_100m", json!("1:20"))]
        );
        assert!(SportFamily::Run.speed(Some(0.0)).is_empty());
        assert_eq!(Effort::read(&json!({"activityId": 7})), None);
    }
}
