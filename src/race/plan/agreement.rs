//! Checks that the parts of a plan agree: its places with one another, and places and legs with the length of the race.

use super::{Checkpoint, RacePlan};
use crate::race::course::Course;
use crate::race::fields::{BadField, BadFields};
use crate::race::place_rule::{read_kilometres, read_position};
use crate::race::text;

/// Names that mean the end of the race or something else than a checkpoint.
const TAKEN: [&str; 10] = [
    "finish",
    "end",
    "back",
    "goal",
    "all",
    "ziel",
    "arrivée",
    "meta",
    "traguardo",
    "arrivo",
];

/// A place may be this little beyond the finish, as distances are rounded; metres.
const ROUNDED_M: f64 = 50.0;

/// The legs may differ from the whole by this share, because transitions are left out.
const LEGS_PART: f64 = 0.15;

type TimeOfPlace = fn(&Checkpoint) -> Option<u32>;

/// The times of a place that must not go back along the way.
const TIMES: [(&str, TimeOfPlace); 2] = [
    ("cut-off", |place| place.cutoff_s),
    ("target", |place| place.target_s),
];

/// A name as it is compared with others.
pub(super) fn bare(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Whether a checkpoint can't have this name, because it already means something.
pub(super) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&bare(name).as_str()) || read_kilometres(name).is_some() || read_position(name).is_some()
}

impl RacePlan {
    /// Whether a course that nobody gave for this race contradicts what is known about it. An athlete may have loaded it
    /// for something else, so it does not overrule the plan. `is_given` as in [`Self::refuse_other_course`].
    pub fn is_contradicted_by(&self, course: &Course, is_given: bool) -> bool {
        self.refuse_other_course(course, is_given).is_err()
            || self.refuse_contradictions(Some(course)).is_err()
    }

    /// Refuses places and legs that can't be true together. `course` is the course of the race, if it has one. Errors:
    /// all contradictions at once.
    pub fn refuse_contradictions(&self, course: Option<&Course>) -> Result<(), BadFields> {
        let mut bad = Vec::new();
        let mut refuse = |field: &str, why: String| {
            bad.push(BadField {
                field: field.to_owned(),
                why,
            });
        };
        for (i, place) in self.checkpoints.iter().enumerate() {
            let name = &place.name;
            if is_taken(name) {
                let why = format!(
                    "a place can't be called \"{name}\", which means the finish or a distance; give another name"
                );
                refuse("checkpoints", why);
            }
            let before = self.checkpoints.get(..i).unwrap_or_default();
            if before.iter().any(|other| bare(&other.name) == bare(name)) {
                let why = format!("two places are called \"{name}\"; give them different names");
                refuse("checkpoints", why);
            }
            if let Some((target_s, cutoff_s)) = place.target_s.zip(place.cutoff_s)
                && target_s > cutoff_s
            {
                let (target, cutoff) = (time(target_s), time(cutoff_s));
                let why = format!(
                    "the target {target} at \"{name}\" is after its cut-off {cutoff}; correct one of them"
                );
                refuse("checkpoints", why);
            }
            for (what, at) in TIMES {
                let earlier = before.iter().rev().find_map(|place| Some((place, at(place)?)));
                if let Some(((other, other_s), here_s)) = earlier.zip(at(place))
                    && here_s < other_s
                {
                    let (here, there) = (time(here_s), time(other_s));
                    let why = format!(
                        "the {what} {here} at \"{name}\" is before the {what} {there} at \"{}\", which comes earlier; correct \
                         the times or the kilometres",
                        other.name
                    );
                    refuse("checkpoints", why);
                }
            }
        }
        if let Some(whole_m) = self.whole_m(course).filter(|_| self.timed_s.is_none()) {
            let whole = text::km(whole_m);
            for place in &self.checkpoints {
                if place.km * 1000.0 > whole_m + ROUNDED_M {
                    let (name, km) = (&place.name, place.km);
                    let why = format!(
                        "\"{name}\" at km {km:.1} is beyond the finish, because the race is {whole} long; correct its km, or \
                         give the right distance_km"
                    );
                    refuse("checkpoints", why);
                }
            }
            let legs_m: f64 = self.legs.iter().map(|leg| leg.distance_m).sum();
            if legs_m > 0.0 && (legs_m / whole_m - 1.0).abs() > LEGS_PART {
                let legs = text::km(legs_m);
                let why = format!(
                    "they add up to {legs}, but the race is {whole} long; give the legs of this race, or the right distance_km \
                     or course_gpx"
                );
                refuse("legs", why);
            }
        }
        if bad.is_empty() {
            Ok(())
        } else {
            Err(BadFields(bad))
        }
    }
}

fn time(seconds: u32) -> String {
    text::time(f64::from(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(config: &Value) -> String {
        let (plan, _) = RacePlan::read(config.as_object().unwrap()).unwrap();
        let refused = plan.refuse_contradictions(None);
        refused.map_or_else(|bad| bad.to_string(), |()| String::new())
    }

    #[test]
    fn contradictions_are_refused_with_the_way_out() {
        let two = |a: Value, b: Value| json!({"distance_km": 42.2, "checkpoints": [a, b]});
        let one = |place: Value| json!({"distance_km": 12, "checkpoints": [place]});
        for (config, expected) in [
            (one(json!({"name": "A", "km": 60})), "is beyond the finish"),
            (
                two(json!({"name": "A", "km": 6}), json!({"name": "a ", "km": 9})),
                "two places are called",
            ),
            (one(json!({"name": "Finish", "km": 6})), "can't be called"),
            (one(json!({"name": "Ziel", "km": 6})), "can't be called"),
            (one(json!({"name": "31.5", "km": 6})), "can't be called"),
            (
                two(
                    json!({"name": "A", "km": 6, "cutoff": "2:00:00"}),
                    json!({"name": "B", "km": 9, "cutoff": "1:00:00"}),
                ),
                "the cut-off 1:00:00 at \"B\" is before the cut-off 2:00:00 at \"A\"",
            ),
            (
                one(json!({"name": "A", "km": 6, "cutoff": "1:00:00", "target": "1:10:00"})),
                "is after its cut-off",
            ),
            (
                json!({"distance_km": 42.2, "legs": [{"sport": "swim", "km": 3.8}, {"sport": "bike", "km": 180}, {"sport": "run", "km": 42.2}]}),
                "they add up to 226.0 km",
            ),
            (
                two(
                    json!({"name": "A", "km": 6, "cutoff": "1:00:00"}),
                    json!({"name": "B", "km": 42.2}),
                ),
                "",
            ),
            (json!({"race_type": "triathlon"}), ""),
            (json!({"race_type": "70.3"}), ""),
            (json!({"race_type": "ironman"}), ""),
        ] {
            let refused = refused(&config);
            assert!(
                refused.contains(expected) && refused.is_empty() == expected.is_empty(),
                "{config}: {refused}"
            );
        }
    }
}
