//! TCX: Garmin's older XML format, with laps and their totals. A race of several sports has an activity for each.

use super::error::{FileError, MOST_SAMPLES};
use super::recording::{RecordedLap, RecordedSession, Recording, Sample, narrow};
use super::xml::{Points, XmlStep, number, time_s, walk};
use crate::garmin::livetrack::Position;

pub(super) fn recording(text: &str) -> Result<Recording, FileError> {
    let mut file = TcxFile::default();
    let is_whole = walk(text, |step| match step {
        XmlStep::Open { name, tag } => {
            let attribute = |name: &str| tag.try_get_attribute(name).ok().flatten();
            match name {
                "Activity" => file.open_session(attribute("Sport").and_then(|word| sport(&word.value))),
                "Transition" => file.open_session(Some("transition".to_owned())),
                "Lap" => file.open_lap(attribute("StartTime").and_then(|start| time_s(start.value.trim()))),
                "Track" => file.open_track(),
                "Trackpoint" => file.point = Some(TcxPoint::default()),
                "HeartRateBpm" => file.in_heart_rate = true,
                _ => {}
            }
        }
        XmlStep::Close { name, text } => file.close(name, text),
    });
    let TcxFile {
        points,
        laps,
        mut sessions,
        ..
    } = file;
    sessions.retain(|session| session.from_s.is_finite());
    sessions.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    let sport = sessions.iter().find_map(|session| session.sport.clone());
    let recording = Recording::of(points.samples, points.pauses, laps, sport, !is_whole)?;
    Ok(recording.with_sessions(sessions))
}

fn sport(word: &str) -> Option<String> {
    match word {
        "Running" => Some("running".to_owned()),
        "Biking" => Some("cycling".to_owned()),
        _ => None,
    }
}

#[derive(Default)]
struct TcxFile {
    points: Points,
    laps: Vec<RecordedLap>,
    sessions: Vec<RecordedSession>,
    lap: Option<RecordedLap>,
    /// Whether the current lap already has a track. Only a second one means a pause.
    has_track: bool,
    point: Option<TcxPoint>,
    in_heart_rate: bool,
}

#[derive(Default)]
struct TcxPoint {
    sample: Sample,
    at_s: Option<f64>,
    lat: Option<f64>,
    lon: Option<f64>,
}

impl TcxFile {
    fn open_session(&mut self, sport: Option<String>) {
        if self.sessions.len() < MOST_SAMPLES {
            self.sessions.push(RecordedSession {
                sport,
                from_s: f64::INFINITY,
                to_s: f64::NEG_INFINITY,
            });
        }
    }

    fn open_lap(&mut self, from_s: Option<f64>) {
        self.lap = from_s.map(|from_s| RecordedLap {
            from_s,
            ..RecordedLap::default()
        });
        self.has_track = false;
    }

    fn open_track(&mut self) {
        if self.has_track {
            self.points.begin_segment();
        }
        self.has_track = true;
    }

    fn close(&mut self, name: &str, text: &str) {
        match (name, &mut self.point, &mut self.lap) {
            ("Trackpoint", ..) => self.close_point(),
            ("HeartRateBpm", ..) => self.in_heart_rate = false,
            ("Value", Some(point), _) if self.in_heart_rate => {
                point.sample.heart_rate_bpm = number(text).map(narrow);
            }
            ("Time", Some(point), _) => point.at_s = time_s(text),
            ("LatitudeDegrees", Some(point), _) => point.lat = number(text).filter(|lat| lat.abs() <= 90.0),
            ("LongitudeDegrees", Some(point), _) => point.lon = number(text).filter(|lon| lon.abs() <= 180.0),
            (_, Some(point), _) => set(&mut point.sample, name, text),
            ("Lap", None, _) => self.close_lap(),
            ("TotalTimeSeconds", None, Some(lap)) => lap.timer_s = number(text),
            ("DistanceMeters", None, Some(lap)) => lap.distance_m = number(text),
            ("Calories", None, Some(lap)) => lap.calories = number(text),
            _ => {}
        }
    }

    fn close_point(&mut self) {
        let Some(TcxPoint {
            sample,
            at_s,
            lat,
            lon,
        }) = self.point.take()
        else {
            return;
        };
        if let Some(at_s) = at_s {
            let position = lat.zip(lon).map(|(lat, lon)| Position { lat, lon });
            if let Some(session) = self.sessions.last_mut() {
                session.from_s = session.from_s.min(at_s);
                session.to_s = session.to_s.max(at_s);
            }
            self.points.add(Sample {
                at_s,
                position,
                ..sample
            });
        }
    }

    /// A lap ends with its last point, or with its timer if it has none.
    fn close_lap(&mut self) {
        let Some(mut lap) = self.lap.take().filter(|_| self.laps.len() < MOST_SAMPLES) else {
            return;
        };
        let last_s = self.points.samples.last().map(|last| last.at_s);
        lap.to_s = last_s
            .filter(|last_s| *last_s > lap.from_s)
            .unwrap_or_else(|| lap.from_s + lap.timer_s.unwrap_or(0.0));
        self.laps.push(lap);
    }
}

fn set(sample: &mut Sample, name: &str, text: &str) {
    let field = match name {
        "AltitudeMeters" => &mut sample.altitude_m,
        "DistanceMeters" => &mut sample.distance_m,
        "Cadence" | "RunCadence" => &mut sample.cadence_rpm,
        "Speed" => &mut sample.speed_mps,
        "Watts" => &mut sample.power_w,
        _ => return,
    };
    *field = number(text).map(narrow);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_activity_of_a_race_of_several_sports_is_a_session() {
        let lap = |minutes: [u32; 2]| {
            let point =
                |minute| format!("<Trackpoint><Time>2026-01-08T10:{minute:02}:00Z</Time></Trackpoint>");
            let points = minutes.map(point).concat();
            format!(
                "<Lap StartTime=\"2026-01-08T10:{:02}:00Z\"><Track>{points}</Track></Lap>",
                minutes[0]
            )
        };
        let recording = recording(&format!(
            "<TrainingCenterDatabase><Activities><MultiSportSession><FirstSport><Activity Sport=\"Biking\">{}</Activity>\
             </FirstSport><NextSport><Transition>{}</Transition><Activity Sport=\"Running\">{}</Activity></NextSport>\
             </MultiSportSession></Activities></TrainingCenterDatabase>",
            lap([0, 20]),
            lap([21, 22]),
            lap([23, 50]),
        ))
        .unwrap();
        let told: Vec<_> = recording
            .sessions
            .iter()
            .map(|session| (session.sport.as_deref().unwrap(), session.from_s, session.to_s))
            .collect();
        assert_eq!(
            told,
            [
                ("cycling", 0.0, 1200.0),
                ("transition", 1260.0, 1320.0),
                ("running", 1380.0, 3000.0)
            ]
        );
    }
}
