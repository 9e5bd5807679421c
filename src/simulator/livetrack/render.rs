//! LiveTrack's JSON and pages: points, sessions, courses.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::race::{PlayedRace, RaceLink};
use super::scenario::Hydration;
use super::track::{Fitness, SimulatedPoint};

/// Metres between two points of a course.
const COURSE_STEP_M: f64 = 100.0;

/// The length in characters of one fragment of a page's embedded data.
const FRAGMENT: usize = 8_000;

pub(super) fn point(race: &PlayedRace, point: &SimulatedPoint) -> Value {
    let mut told = Map::new();
    told.insert("dateTime".into(), time(race.device_time(point.at_s)).into());
    // Garmin received the point a second before it became visible.
    let reported = race.true_time(point.seen_s.saturating_sub(1));
    told.insert("reportedTime".into(), time(reported).into());
    if let Some((lat, lon)) = point.position {
        told.insert("position".into(), position(lat, lon));
    }
    told.insert("altitude".into(), rounded(point.altitude_m, 10.0).into());
    told.insert("speed".into(), rounded(point.speed_mps, 1000.0).into());
    if let Some(fitness) = &point.fitness {
        let fitness = fitness_members(race, point, fitness);
        if race.scenario.answers.nested {
            told.insert("fitnessPointData".into(), fitness.into());
        } else {
            told.extend(fitness);
        }
    }
    Value::Object(told)
}

fn fitness_members(race: &PlayedRace, point: &SimulatedPoint, fitness: &Fitness) -> Map<String, Value> {
    let leg = race.scenario.legs.get(fitness.leg);
    let events: &[&str] = if fitness.is_end { &["END"] } else { &[] };
    let members = json!({
        "totalDistanceMeters": rounded(fitness.total_distance_m, 100.0),
        "distanceMeters": rounded(fitness.distance_m, 100.0),
        "totalDurationSecs": fitness.total_duration_s,
        "durationSecs": fitness.duration_s,
        // A watch without a heart rate sensor sends 0.
        "heartRateBeatsPerMin": fitness.heart_rate_bpm.unwrap_or(0.0),
        "cadenceCyclesPerMin": fitness.cadence_rpm,
        "powerWatts": fitness.power_w,
        "activityType": leg.and_then(|leg| leg.activity_type.as_deref()),
        "pointStatus": if fitness.is_moving { "MOVING" } else { "STATIONARY" },
        "eventTypes": events,
        "elevationSource": "BAROMETRIC",
        "speedMetersPerSec": rounded(point.speed_mps, 1000.0),
    });
    let Value::Object(mut members) = members else {
        return Map::new();
    };
    members.retain(|_, value| !value.is_null());
    members
}

pub(super) fn session(race: &PlayedRace, link: &RaceLink, elapsed_s: f64) -> Value {
    let start = race.true_time(link.from_s);
    let end = race
        .ended_at(link, elapsed_s)
        .or_else(|| start.checked_add(SignedDuration::from_hours(24)).ok());
    let scenario = &race.scenario;
    let nickname = scenario.athlete.split(' ').next().unwrap_or_default();
    let mut told = json!({
        "sessionId": link.session_id,
        "sessionToken": link.token,
        "userDisplayName": scenario.athlete,
        "sessionName": scenario.session_name,
        "start": time(start),
        "end": end.map(time),
        "postTrackPointFrequency": scenario.post_every_s,
        "viewable": true,
        "privacyLevel": "PUBLIC",
        "publisher": {"nickname": nickname},
    });
    let last = race.seen(link, elapsed_s, None).next_back();
    if let (Some((lat, lon)), Some(told)) = (last.and_then(|last| last.position), told.as_object_mut()) {
        told.insert("position".into(), position(lat, lon));
    }
    told
}

/// The current state of the race, for tests and rehearsals.
pub(super) fn report(race: &PlayedRace, link: &RaceLink, now: Timestamp) -> Value {
    let elapsed_s = race.elapsed_s(now);
    json!({
        "scenario": race.scenario.name,
        "elapsed_s": elapsed_s,
        "finished_at_s": race.track.finished_at_s,
        "seen": race.seen(link, elapsed_s, None).count(),
        "points": race.all(link).map(|seen| point(race, seen)).collect::<Vec<_>>(),
    })
}

pub(super) fn courses(race: &PlayedRace) -> Value {
    if !race.scenario.answers.course {
        return json!({"courses": []});
    }
    let length_m = race.track.length_m;
    let mut points = Vec::new();
    let mut at_m = 0.0;
    while at_m < length_m {
        points.push(at_m);
        at_m += COURSE_STEP_M;
    }
    points.push(length_m);
    let points: Vec<_> = points
        .into_iter()
        .map(|at_m| {
            let (lat, lon) = race.track.way.at(at_m);
            let elevation = rounded(super::route::RaceRoute::altitude_m(at_m), 10.0);
            json!({"position": position(lat, lon), "elevation": elevation, "distanceMeters": at_m})
        })
        .collect();
    json!({"courses": [{"courseName": race.scenario.name, "coursePoints": points}]})
}

/// The page with the CSRF token and the data of the race.
pub(super) fn page(csrf: &str, shown: Option<(&PlayedRace, &RaceLink, f64)>) -> String {
    let data = shown.map_or_else(String::new, |(race, link, elapsed_s)| {
        hydration(race, link, elapsed_s)
    });
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charSet=\"utf-8\"/><title>LiveTrack</title>\
         <meta name=\"csrf-token\" content=\"{csrf}\"/></head><body><div id=\"app\"></div>{data}</body></html>"
    )
}

fn hydration(race: &PlayedRace, link: &RaceLink, elapsed_s: f64) -> String {
    let key = json!(["session", link.session_id, link.token]);
    let points_key = json!(["session", link.session_id, link.token, "track-points"]);
    let points: Vec<_> = race
        .seen(link, elapsed_s, None)
        .map(|point| self::point(race, point))
        .collect();
    let state = json!({"mutations": [], "queries": [
        {"queryKey": key, "state": {"data": session(race, link, elapsed_s)}},
        {"queryKey": points_key, "state": {"data": {"pages": [{"trackPoints": points}], "pageParams": [null]}}},
    ]});
    // `</script>` inside the data would end the script.
    let harmless = |json: String| json.replace('<', "\\u003c");
    match race.scenario.answers.hydration {
        Hydration::None => String::new(),
        Hydration::NextData => {
            let data = json!({"props": {"pageProps": {"dehydratedState": state}}});
            let data = harmless(data.to_string());
            format!("<script id=\"__NEXT_DATA__\" type=\"application/json\">{data}</script>")
        }
        Hydration::Fragments => {
            let line = format!(
                "1f:[\"$\",\"$L20\",null,{}]\n",
                json!({"state": state.to_string()})
            );
            let mut scripts = "<script>(self.__next_f=self.__next_f||[]).push([0])</script>".to_owned();
            let characters: Vec<char> = line.chars().collect();
            for part in characters.chunks(FRAGMENT) {
                let text = harmless(json!([1, part.iter().collect::<String>()]).to_string());
                scripts.push_str("<script>self.__next_f.push(");
                scripts.push_str(&text);
                scripts.push_str(")</script>");
            }
            scripts
        }
    }
}

fn position(lat: f64, lon: f64) -> Value {
    json!({"lat": rounded(lat, 1e6), "lon": rounded(lon, 1e6)})
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// LiveTrack's form of a time; the simulator's times are whole seconds.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
