//! The files of an activity: FIT (in a ZIP archive), GPX, TCX and CSV, from the same track.

use std::fmt::Write;

use jiff::Timestamp;

use super::dice::whole;
use super::timeline::{Day, Timeline, offset_minutes};
use super::track::{lap_bpm, lap_climb_m};
use super::training::{Activity, day_of};
use crate::garmin::files::fit::{FitValue, FitWriter, fit_time, message, profile};
use crate::garmin::files::pack::zip;

/// A file that Garmin serves, with its content type.
#[derive(Debug)]
pub struct DataFile {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The file at this path; `None` if the path names no file of this person.
pub(super) fn file(timeline: Timeline<'_>, path: &str) -> Option<DataFile> {
    let (format, id) = match path.strip_prefix("/download-service/export/") {
        Some(rest) => rest.split_once("/activity/")?,
        None => ("fit", path.strip_prefix("/download-service/files/activity/")?),
    };
    let id: i64 = id.parse().ok()?;
    let day = timeline.day(day_of(timeline.person, id)?)?;
    let activity = day.activities.iter().find(|activity| activity.id == id)?;
    let (content_type, bytes) = match format {
        "fit" => (
            "application/zip",
            zip(&format!("{id}_ACTIVITY.fit"), &fit(&day, activity)),
        ),
        "gpx" => ("application/gpx+xml", gpx(&day, activity).into_bytes()),
        "tcx" => ("application/vnd.garmin.tcx+xml", tcx(&day, activity).into_bytes()),
        "csv" => ("text/csv", csv(activity).into_bytes()),
        _ => return None,
    };
    Some(DataFile { content_type, bytes })
}

/// The names that FIT has for a sport and its sub-sport.
fn fit_sport(type_key: &str) -> (&str, &str) {
    match type_key {
        "trail_running" => ("running", "trail"),
        "cycling" => ("cycling", "road"),
        "lap_swimming" => ("swimming", "lap_swimming"),
        "strength_training" => ("training", "strength_training"),
        other => (other, "generic"),
    }
}

/// A number in a unit of 1 / `scale`.
fn scaled(value: f64, scale: f64) -> FitValue<'static> {
    FitValue::Whole(u32::try_from(whole(value * scale)).unwrap_or(0))
}

fn fit(day: &Day<'_>, activity: &Activity) -> Vec<u8> {
    let mut fit = FitWriter::default();
    let start_s = day.start_s(activity);
    let end_s = start_s + whole(activity.duration_s);
    let plain = |number: i64| FitValue::Whole(u32::try_from(number).unwrap_or(0));
    let (sport, sub_sport) = fit_sport(activity.sport.type_key);
    let word = |of: &str, name: &str| plain(profile::value_of(of, name).unwrap_or(0).into());
    let sport = [(5, word("sport", sport)), (6, word("sub_sport", sub_sport))];
    let begun = FitValue::Whole(fit_time(start_s));
    fit.message(
        0,
        &[
            (0, plain(4)),
            (1, plain(1)),
            (4, begun),
            (8, FitValue::Text("Simulated watch")),
        ],
    );
    fit.timed(message::EVENT, start_s, &[(0, plain(0)), (1, plain(0))]);
    for second in day.track(activity) {
        let mut fields = vec![(3, plain(second.bpm))];
        if let Some((north, east)) = second.place {
            let semicircles = |degrees: f64| {
                let raw = whole(degrees / 180.0 * 2_147_483_648.0);
                FitValue::Signed(i32::try_from(raw).unwrap_or(0))
            };
            fields.extend([(0, semicircles(north)), (1, semicircles(east))]);
        }
        fields.extend(second.altitude_m.map(|metres| (78, scaled(metres + 500.0, 5.0))));
        fields.extend(second.distance_m.map(|metres| (5, scaled(metres, 100.0))));
        fields.extend(second.speed_mps.map(|speed| (73, scaled(speed, 1_000.0))));
        fields.extend(second.cadence_rpm.map(|rpm| (4, plain(rpm))));
        fields.extend(second.watts.map(|watts| (7, plain(watts))));
        fields.extend(
            second
                .celsius
                .map(|celsius| (13, FitValue::Signed(i32::try_from(celsius).unwrap_or(0)))),
        );
        fit.timed(message::RECORD, start_s + second.at, &fields);
    }
    fit.timed(message::EVENT, end_s, &[(0, plain(0)), (1, plain(4))]);
    let laps = activity.laps();
    for lap in &laps {
        let (from_s, duration_s, distance_m) = *lap;
        let (bpm, max_bpm) = lap_bpm(activity, *lap);
        let mut fields = vec![
            (2, FitValue::Whole(fit_time(start_s + whole(from_s)))),
            (7, scaled(duration_s, 1_000.0)),
            (8, scaled(duration_s, 1_000.0)),
            (9, scaled(distance_m, 100.0)),
            (
                11,
                scaled(activity.calories * duration_s / activity.duration_s, 1.0),
            ),
            (15, plain(bpm)),
            (16, plain(max_bpm)),
            (21, scaled(lap_climb_m(activity, *lap), 1.0)),
        ];
        fields.extend(activity.watts.map(|watts| (19, plain(watts))));
        fit.timed(message::LAP, start_s + whole(from_s + duration_s), &fields);
    }
    let mut fields = vec![
        (2, begun),
        (7, scaled(activity.duration_s, 1_000.0)),
        (8, scaled(activity.duration_s, 1_000.0)),
        (11, scaled(activity.calories, 1.0)),
        (16, plain(activity.average_bpm)),
        (17, plain(activity.max_bpm)),
        (22, scaled(activity.climb_m, 1.0)),
        (23, scaled(activity.climb_m, 1.0)),
        (26, plain(i64::try_from(laps.len()).unwrap_or(0))),
    ];
    fields.extend(sport);
    fields.extend(activity.distance_m.map(|metres| (9, scaled(metres, 100.0))));
    fields.extend(activity.speed_mps().map(|speed| (124, scaled(speed, 1_000.0))));
    fields.extend(activity.watts.map(|watts| (20, plain(watts))));
    fields.extend(activity.watts.map(|watts| (34, scaled(watts as f64, 1.06))));
    fit.timed(message::SESSION, end_s, &fields);
    let local = FitValue::Whole(fit_time(end_s + offset_minutes(day.person) * 60));
    fit.timed(message::ACTIVITY, end_s, &[(1, plain(1)), (5, local)]);
    fit.finish()
}

fn time(unix_s: i64) -> String {
    Timestamp::from_second(unix_s)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// Appends formatted text. Writing to a `String` never fails.
macro_rules! put {
    ($text:ident, $($arguments:tt)*) => { write!($text, $($arguments)*).unwrap_or_default() };
}

fn gpx(day: &Day<'_>, activity: &Activity) -> String {
    let start_s = day.start_s(activity);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx creator=\"Garmin Connect\" version=\"1.1\" \
         xmlns=\"http://www.topografix.com/GPX/1/1\" xmlns:ns3=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\">\n\
         <metadata><time>{}</time></metadata>\n<trk><name>{}</name><type>{}</type><trkseg>\n",
        time(start_s),
        activity.name,
        activity.sport.type_key
    );
    for second in day.track(activity) {
        let Some((north, east)) = second.place else {
            continue;
        };
        put!(text, "<trkpt lat=\"{north:.7}\" lon=\"{east:.7}\">");
        if let Some(altitude) = second.altitude_m {
            put!(text, "<ele>{altitude:.1}</ele>");
        }
        put!(
            text,
            "<time>{}</time><extensions><ns3:TrackPointExtension>",
            time(start_s + second.at)
        );
        if let Some(celsius) = second.celsius {
            put!(text, "<ns3:atemp>{celsius}</ns3:atemp>");
        }
        put!(text, "<ns3:hr>{}</ns3:hr>", second.bpm);
        if let Some(rpm) = second.cadence_rpm {
            put!(text, "<ns3:cad>{rpm}</ns3:cad>");
        }
        text.push_str("</ns3:TrackPointExtension></extensions></trkpt>\n");
    }
    text.push_str("</trkseg></trk>\n</gpx>\n");
    text
}

fn tcx(day: &Day<'_>, activity: &Activity) -> String {
    let start_s = day.start_s(activity);
    let sport = match activity.sport.type_key {
        "running" | "trail_running" => "Running",
        "cycling" => "Biking",
        _ => "Other",
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrainingCenterDatabase \
         xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\" \
         xmlns:ns3=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\">\n<Activities><Activity Sport=\"{sport}\">\
         <Id>{}</Id>\n",
        time(start_s)
    );
    let track = day.track(activity);
    for lap in activity.laps() {
        let (from_s, duration_s, distance_m) = lap;
        let (bpm, max_bpm) = lap_bpm(activity, lap);
        put!(
            text,
            "<Lap StartTime=\"{}\"><TotalTimeSeconds>{duration_s}</TotalTimeSeconds><DistanceMeters>{distance_m}</DistanceMeters>\
             <Calories>{:.0}</Calories><AverageHeartRateBpm><Value>{bpm}</Value></AverageHeartRateBpm>\
             <MaximumHeartRateBpm><Value>{max_bpm}</Value></MaximumHeartRateBpm><Track>\n",
            time(start_s + whole(from_s)),
            activity.calories * duration_s / activity.duration_s
        );
        let until = whole(from_s + duration_s);
        for second in track
            .iter()
            .filter(|second| (whole(from_s)..until).contains(&second.at))
        {
            put!(text, "<Trackpoint><Time>{}</Time>", time(start_s + second.at));
            if let Some((north, east)) = second.place {
                put!(
                    text,
                    "<Position><LatitudeDegrees>{north:.7}</LatitudeDegrees><LongitudeDegrees>{east:.7}</LongitudeDegrees></Position>"
                );
            }
            if let Some(altitude) = second.altitude_m {
                put!(text, "<AltitudeMeters>{altitude:.1}</AltitudeMeters>");
            }
            if let Some(metres) = second.distance_m {
                put!(text, "<DistanceMeters>{metres:.2}</DistanceMeters>");
            }
            put!(text, "<HeartRateBpm><Value>{}</Value></HeartRateBpm>", second.bpm);
            if let Some(watts) = second.watts {
                put!(
                    text,
                    "<Extensions><ns3:TPX><ns3:Watts>{watts}</ns3:Watts></ns3:TPX></Extensions>"
                );
            }
            text.push_str("</Trackpoint>\n");
        }
        text.push_str("</Track></Lap>\n");
    }
    text.push_str("</Activity></Activities></TrainingCenterDatabase>\n");
    text
}

/// One line per lap, as in the export of Garmin's website.
fn csv(activity: &Activity) -> String {
    let mut text = "Laps,Time,Distance,Avg HR,Max HR,Total Ascent\n".to_owned();
    for (index, lap) in activity.laps().into_iter().enumerate() {
        let (bpm, max_bpm) = lap_bpm(activity, lap);
        let (_, duration_s, distance_m) = lap;
        let climb_m = lap_climb_m(activity, lap);
        put!(
            text,
            "{},{duration_s:.1},{distance_m:.1},{bpm},{max_bpm},{climb_m:.0}\n",
            index + 1
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::tests::ann;
    use super::*;
    use crate::garmin::files::read;

    #[test]
    fn every_format_tells_the_same_activity() {
        let ann = ann();
        let timeline = Timeline {
            person: &ann,
            today: date(2026, 1, 31),
        };
        let mut seen = 0;
        for day in timeline.days(date(2026, 1, 1), date(2026, 1, 14)) {
            for activity in &day.activities {
                let file = |path: &str| {
                    file(
                        timeline,
                        &format!("/download-service/{path}/activity/{}", activity.id),
                    )
                    .unwrap()
                    .bytes
                };
                let fit = read(&file("files")).unwrap();
                assert_eq!(fit.start.as_second(), day.start_s(activity));
                assert_eq!(fit.utc_offset_s, Some(3_600));
                assert!((fit.elapsed_s() - activity.duration_s.floor()).abs() < 1e-6);
                assert_eq!(fit.laps.len(), activity.laps().len());
                let distance_m: f64 = fit.laps.iter().filter_map(|lap| lap.distance_m).sum();
                assert!(
                    (distance_m - activity.distance_m.unwrap_or(0.0)).abs() < 1.0,
                    "{}",
                    activity.name
                );
                let highest = fit
                    .samples
                    .iter()
                    .filter_map(|sample| sample.heart_rate_bpm)
                    .fold(0.0, f32::max);
                assert!((f64::from(highest) - activity.max_bpm as f64).abs() <= 1.0);
                let tcx = read(&file("export/tcx")).unwrap();
                assert_eq!(tcx.laps.len(), fit.laps.len());
                assert_eq!(tcx.start, fit.start);
                if activity.climb_m > 0.0 {
                    let gpx = read(&file("export/gpx")).unwrap();
                    assert_eq!(gpx.samples.len(), fit.samples.len());
                    let measured = gpx
                        .samples
                        .last()
                        .and_then(|last| last.distance_m)
                        .map_or(0.0, f64::from);
                    let told = activity.distance_m.unwrap();
                    assert!((measured - told).abs() < told * 0.02, "{measured} {told}");
                }
                seen += 1;
            }
        }
        assert!(seen > 4, "{seen}");
        assert!(file(timeline, "/download-service/files/activity/7").is_none());
    }
}
