//! The waypoints of a course become checkpoints.

use super::agreement::{bare, is_taken};
use super::{Checkpoint, MOST_CHECKPOINTS, RacePlan};
use crate::race::course::{CourseFile, CoursePlace};

/// A waypoint this near to a checkpoint, to the start or to the finish does not become a checkpoint of its own; metres.
const SAME_PLACE_M: f64 = 300.0;

impl RacePlan {
    /// Adopts the waypoints of a course: a checkpoint of the same name moves to the nearest of them, and the others
    /// become checkpoints. A course may pass one aid station twice, so a name that is in use gets a number.
    pub fn adopt(&mut self, file: &CourseFile) {
        let length_m = file.course.length_m();
        let mut places = file.places.clone();
        for checkpoint in &mut self.checkpoints {
            if let Some(i) = nearest_of_name(&places, checkpoint) {
                checkpoint.km = places.remove(i).along_m / 1000.0;
            }
        }
        for place in places {
            let known_m = self.checkpoints.iter().map(|checkpoint| checkpoint.km * 1000.0);
            let is_new = known_m
                .chain([0.0, length_m])
                .all(|known_m| (known_m - place.along_m).abs() > SAME_PLACE_M);
            if is_new && self.checkpoints.len() < MOST_CHECKPOINTS {
                self.checkpoints.push(Checkpoint {
                    name: self.free_name(&place.name),
                    km: place.along_m / 1000.0,
                    ..Checkpoint::default()
                });
            }
        }
        self.checkpoints.sort_by(|a, b| a.km.total_cmp(&b.km));
    }

    /// A name for a waypoint that means nothing else: that of the file if possible.
    fn free_name(&self, given: &str) -> String {
        let given = if is_taken(given) {
            format!("Waypoint {given}")
        } else {
            given.to_owned()
        };
        let is_free = |name: &str| {
            self.checkpoints
                .iter()
                .all(|other| bare(&other.name) != bare(name))
        };
        if is_free(&given) {
            return given;
        }
        let mut numbered = (2..).map(|number| format!("{given} ({number})"));
        numbered.find(|name| is_free(name)).unwrap_or(given)
    }
}

/// The waypoint with the checkpoint's name that is nearest to it.
fn nearest_of_name(places: &[CoursePlace], checkpoint: &Checkpoint) -> Option<usize> {
    let named = places
        .iter()
        .enumerate()
        .filter(|(_, place)| bare(&place.name) == bare(&checkpoint.name));
    let off_m = |place: &CoursePlace| (place.along_m - checkpoint.km * 1000.0).abs();
    let nearest = named.min_by(|(_, a), (_, b)| off_m(a).total_cmp(&off_m(b)));
    nearest.map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A course of 22.2 km to the east, with these waypoints along it.
    fn file(waypoints: &[(&str, f64)]) -> CourseFile {
        let points = (0..=200).fold(String::new(), |points, i| {
            points + &format!(r#"<trkpt lat="0" lon="{}"/>"#, f64::from(i) * 0.001)
        });
        let waypoints = waypoints.iter().fold(String::new(), |all, (name, km)| {
            all + &format!(r#"<wpt lat="0" lon="{}"><name>{name}</name></wpt>"#, km / 111.195)
        });
        let text = format!("<gpx>{waypoints}<trk><trkseg>{points}</trkseg></trk></gpx>");
        CourseFile::read(&text, None, 0.15).unwrap()
    }

    fn names(plan: &RacePlan) -> Vec<String> {
        let places = plan.checkpoints.iter();
        places
            .map(|place| format!("{} {:.0}", place.name, place.km))
            .collect()
    }

    #[test]
    fn an_aid_station_that_is_passed_twice_is_two_checkpoints() {
        let mut plan = RacePlan::default();
        plan.adopt(&file(&[("Hut", 5.0), ("Lake", 9.0), ("Hut", 15.0)]));
        assert_eq!(names(&plan), ["Hut 5", "Lake 9", "Hut (2) 15"]);
        assert!(plan.refuse_contradictions(None).is_ok());
    }

    #[test]
    fn a_checkpoint_moves_to_the_nearest_waypoint_of_its_name() {
        let config = json!({"checkpoints": [{"name": "hut", "km": 14, "cutoff": "2:00:00"}]});
        let (mut plan, _) = RacePlan::read(config.as_object().unwrap()).unwrap();
        plan.adopt(&file(&[("Hut", 5.0), ("Hut", 15.0)]));
        assert_eq!(names(&plan), ["Hut (2) 5", "hut 15"]);
        assert_eq!(plan.checkpoints[1].cutoff_s, Some(7200));
    }

    #[test]
    fn a_waypoint_whose_name_means_something_else_is_kept_under_another() {
        let mut plan = RacePlan::default();
        plan.adopt(&file(&[("10", 10.0), ("Finish", 12.0), ("Ziel", 22.1)]));
        assert_eq!(names(&plan), ["Waypoint 10 10", "Waypoint Finish 12"]);
        assert!(plan.refuse_contradictions(None).is_ok());
    }
}
