//! TCX: Garmin's older XML format, with laps and their totals.

use super::error::{FileError, MOST_SAMPLES};
use super::recording::{RecordedLap, Recording, Sample, narrow};
use super::xml::{Points, XmlStep, number, time_s, walk};
use crate::garmin::livetrack::Position;

pub(super) fn recording(text: &str) -> Result<Recording, FileError> {
    let mut file = TcxFile::default();
    let is_whole = walk(text, |step| match step {
        XmlStep::Open { name, tag } => {
            let attribute = |name: &str| tag.try_get_attribute(name).ok().flatten();
            match name {
                "Activity" => file.sport = file.sport.take().or_else(|| sport(&attribute("Sport")?.value)),
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
        points, laps, sport, ..
    } = file;
    Recording::of(points.samples, points.pauses, laps, sport, !is_whole)
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
    sport: Option<String>,
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
