//! Courses: new ones from the text of a GPX file, and their deletion.
//!
//! The tool that would set a directory for files is here too, because both refuse paths on the server.

use http::Method;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};

use super::answer::AnswerError;
use super::call::ToolCall;
use super::change::{
    ChangeBody, ChangeStep, GarminChange, Landed, PlannedChange, Sight, call_of, check_name, must_read, read,
};
use super::fields::at;
use super::garmin_get::GarminGet;
use super::parameter::Parameter;
use super::table::{Effect, Tool};

const COURSES: &str = "/course-service/course";
/// The activity types of a course: key and id.
const TYPES: [(&str, i64); 8] = [
    ("running", 1),
    ("cycling", 2),
    ("hiking", 3),
    ("gravel_cycling", 4),
    ("mountain_biking", 5),
    ("trail_running", 6),
    ("walking", 9),
    ("road_biking", 10),
];
/// The earth's mean radius in metres, as garmin_mcp measures.
const EARTH_M: f64 = 6_371_000.0;
/// A longer text would not fit into a message.
const MOST_BYTES: usize = 3_000_000;

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "upload_course",
        "Create a course from the text of a GPX file.",
        &[
            Parameter::text(
                "gpx_path",
                "Only the file's name: files of this server are not read; give gpx",
                "",
            ),
            Parameter::required_text("course_name", "The course's name; empty: the one in the GPX")
                .optional(),
            Parameter::text(
                "activity_type",
                "running, cycling, hiking, gravel_cycling, mountain_biking, trail_running, walking or road_biking",
                "running",
            ),
            Parameter::required_text("description", "A description of the course").optional(),
            Parameter::text("gpx", "The text of the GPX file", ""),
        ],
        Effect::Change { idempotent: false },
        upload_course,
        "Error uploading course",
    ),
    Tool::change(
        "delete_course",
        "Delete a course.",
        &[
            Parameter::id("course_id", "The course's id, from get_courses"),
            Parameter::text(
                "name",
                "The course's name, which must match; it guards against a wrong id",
                "",
            ),
        ],
        Effect::Delete,
        delete_course,
        "Error deleting course",
    ),
    Tool::change(
        "set_fit_download_dir",
        "Always refused: this server keeps no files. Activity files are resources and answers instead.",
        &[Parameter::required_text(
            "path",
            "The directory that garmin_mcp would write to",
        )],
        Effect::Change { idempotent: true },
        |_, _| {
            let text = "this server keeps no files for people, so there is no directory to set. Nothing was changed.";
            Err(AnswerError::Argument(text.to_owned()))
        },
        "Error setting FIT download directory",
    ),
];

fn courses(list: &Value) -> Vec<(Value, String)> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|course| {
            let name = course
                .get("courseName")
                .and_then(Value::as_str)
                .unwrap_or_default();
            Some((course.get("courseId")?.clone(), name.to_owned()))
        })
        .collect()
}

fn upload_course(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let wrong = |text: String| Err(AnswerError::Argument(text));
    let gpx = call.text("gpx");
    if gpx.trim().is_empty() {
        return wrong(
            "gpx is missing: give the text of the GPX file. Paths on this server are not read.".to_owned(),
        );
    }
    if gpx.len() > MOST_BYTES {
        return wrong("gpx is longer than 3 MB: give a file with fewer points".to_owned());
    }
    let activity_type = call.text("activity_type").trim().to_lowercase();
    let Some((_, type_id)) = TYPES.into_iter().find(|(key, _)| *key == activity_type) else {
        let known = TYPES.map(|(key, _)| key).join(", ");
        return wrong(format!(
            "unknown activity_type '{activity_type}'. Supported: {known}"
        ));
    };
    let own = gpx_course(&gpx).map_err(AnswerError::Argument)?;
    let track = places(&own.points);
    let length_m: f64 = track
        .iter()
        .zip(track.iter().skip(1))
        .map(|(from, to)| distance_m(*from, *to))
        .sum();
    let [list, ..] = answers else {
        return ChangeStep::get(GarminGet::plain(COURSES).optional());
    };
    let path = call.text("gpx_path");
    let file = path
        .rsplit('/')
        .next()
        .filter(|file| !file.is_empty())
        .unwrap_or("course.gpx")
        .to_owned();
    let stem = file.trim_end_matches(".gpx").to_owned();
    let import = GarminChange {
        body: Some(ChangeBody::File {
            name: file,
            content_type: Some("application/gpx+xml"),
            bytes: gpx.into_bytes(),
        }),
        ..GarminChange::new(Method::POST, "/course-service/course/import")
    };
    let given = |name: &str| Some(call.text(name)).filter(|text| !text.is_empty());
    let (name, description) = (given("course_name"), given("description"));
    let earlier = read(list).map(|list| {
        courses(list)
            .into_iter()
            .map(|(id, _)| id)
            .collect::<Vec<Value>>()
    });
    let after = json!({"creates": {
        "name": name.as_deref().unwrap_or("the name in the GPX"),
        "length_km": super::json::rounded(length_m / 1_000.0, 2),
        "activity_type": activity_type,
    }});
    // The import only reads the file; it stores nothing.
    let import = PlannedChange::new(import, &json!({}));
    ChangeStep::one(
        import
            .changes(Value::Null, after)
            .then(move |landed: &Landed<'_>| {
                let name = name
                    .or_else(|| {
                        at(landed.response, "courseName")
                            .and_then(Value::as_str)
                            .map(str::to_owned)
                    })
                    .or(own.name)
                    .unwrap_or(stem);
                // Garmin's import knows heights that the file lacks. If it finds no points, the file's own are used.
                let imported = at(landed.response, "geoPoints").and_then(Value::as_array);
                let points = imported
                    .filter(|points| places(points).len() > 1)
                    .unwrap_or(&own.points);
                let body = document(points, &name, description.as_deref(), type_id)?;
                Ok(creation(body, name, earlier))
            }),
    )
}

/// `earlier` are the ids before, if they are known.
fn creation(body: Value, name: String, earlier: Option<Vec<Value>>) -> PlannedChange {
    let undo_name = name.clone();
    let sent = body.clone();
    PlannedChange::new(
        GarminChange::json(Method::POST, COURSES, body),
        &json!({"status": "success"}),
    )
    .look(GarminGet::plain(COURSES), "get_courses", move |list| {
        let new = courses(list).into_iter().find(|(id, known)| {
            *known == name && earlier.as_ref().is_some_and(|earlier| !earlier.contains(id))
        });
        new.map_or(Sight::NotMade, |(id, _)| Sight::Made(Some(id)))
    })
    .tells(move |landed| {
        // Without a response, what was sent is all that is known.
        let source = if landed.response.is_null() {
            &sent
        } else {
            landed.response
        };
        let told = |key: &str| at(source, key).cloned();
        let id = landed.id("courseId");
        json!({
            "course_id": id,
            "name": told("courseName"),
            "distance_m": told("distanceMeter"),
            "elevation_gain_m": told("elevationGainMeter"),
            "elevation_loss_m": told("elevationLossMeter"),
            "activity_type_id": told("activityTypePk"),
            "url": id.map(|id| format!("https://connect.garmin.com/modern/course/{id}")),
        })
    })
    .undo(move |landed| match landed.id("courseId") {
        Some(id) => call_of("delete_course", json!({"course_id": id, "name": undo_name})),
        None => json!("delete_course with the id that get_courses shows"),
    })
}

/// A GPX file as Garmin's import tells it: the name, and the points of the tracks and routes.
struct GpxCourse {
    name: Option<String>,
    points: Vec<Value>,
}

fn gpx_course(gpx: &str) -> Result<GpxCourse, String> {
    let mut reader = Reader::from_str(gpx.trim_start_matches('\u{feff}'));
    let (mut name, mut points, mut text) = (None, Vec::new(), String::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                text.clear();
                if matches!(tag.local_name().as_ref(), "trkpt" | "rtept") {
                    points.push(point(&tag).ok_or("gpx: a point has no lat and lon within their ranges")?);
                }
            }
            Ok(Event::Text(more)) => text.push_str(&more),
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "name" if name.is_none() && points.is_empty() => name = Some(text.trim().to_owned()),
                "ele" => {
                    let point = points.last_mut().and_then(Value::as_object_mut);
                    if let (Some(point), Ok(metres)) = (point, text.trim().parse::<f64>()) {
                        point.insert("elevation".to_owned(), json!(metres));
                    }
                }
                _ => {}
            },
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Err("gpx: the text is not well-formed XML".to_owned()),
        }
    }
    if points.len() < 2 {
        return Err("gpx: it has no track or route with at least two points".to_owned());
    }
    let name = name.filter(|name| !name.is_empty());
    Ok(GpxCourse { name, points })
}

fn point(tag: &BytesStart<'_>) -> Option<Value> {
    let degrees = |name: &str, most: f64| {
        let attribute = tag.try_get_attribute(name).ok()??;
        let degrees: f64 = attribute.value.trim().parse().ok()?;
        (degrees.abs() <= most).then_some(degrees)
    };
    let (latitude, longitude) = (degrees("lat", 90.0)?, degrees("lon", 180.0)?);
    Some(json!({"latitude": latitude, "longitude": longitude, "elevation": null, "timestamp": null}))
}

/// The places of points, without those that have none.
fn places(points: &[Value]) -> Vec<(f64, f64)> {
    let place = |point: &Value| {
        Some((
            point.get("latitude")?.as_f64()?,
            point.get("longitude")?.as_f64()?,
        ))
    };
    points.iter().filter_map(place).collect()
}

/// The distance between two points on the sphere, in metres.
fn distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    let [lat1, lat2] = [from.0, to.0].map(f64::to_radians);
    let (half_lat, half_lon) = ((lat2 - lat1) / 2.0, (to.1 - from.1).to_radians() / 2.0);
    let a = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_M * a.sqrt().atan2((1.0 - a).sqrt())
}

/// The initial bearing from one point to another, in degrees from 0 to 360.
fn bearing(from: (f64, f64), to: (f64, f64)) -> f64 {
    let [lat1, lat2] = [from.0, to.0].map(f64::to_radians);
    let lon = (to.1 - from.1).to_radians();
    let y = lon.sin() * lat2.cos();
    let x = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * lon.cos();
    (y.atan2(x).to_degrees() + 360.0) % 360.0
}

/// Garmin's document of a new course.
fn document(
    imported: &[Value],
    name: &str,
    description: Option<&str>,
    type_id: i64,
) -> Result<Value, String> {
    let places = places(imported);
    let ([first, .., last], true) = (places.as_slice(), places.len() == imported.len()) else {
        return Err("Parsed course has fewer than 2 geo points; GPX is empty or invalid".to_owned());
    };
    let mut total = 0.0;
    let mut previous = *first;
    let mut points = Vec::with_capacity(imported.len());
    for (point, place) in imported.iter().zip(&places) {
        total += distance_m(previous, *place);
        previous = *place;
        let mut point = point.as_object().cloned().unwrap_or_default();
        let elevation = point
            .get("elevation")
            .filter(|elevation| !elevation.is_null())
            .cloned();
        point.insert("elevation".to_owned(), elevation.unwrap_or_else(|| json!(0.0)));
        point.insert("distance".to_owned(), json!(total));
        points.push(Value::Object(point));
    }
    let fold = |pick: fn(&(f64, f64)) -> f64, choose: fn(f64, f64) -> f64| {
        places.iter().map(pick).reduce(choose).unwrap_or_default()
    };
    let (south, north) = (fold(|place| place.0, f64::min), fold(|place| place.0, f64::max));
    let (west, east) = (fold(|place| place.1, f64::min), fold(|place| place.1, f64::max));
    let corner = |latitude: f64, longitude: f64| json!({"latitude": latitude, "longitude": longitude});
    let elevation = points.first().and_then(|point| point.get("elevation")).cloned();
    let mut course = json!({
        "courseName": name,
        "description": description,
        "rulePK": 2,
        "sourceTypeId": 3,
        "distanceMeter": total,
        "elevationGainMeter": 0.0,
        "elevationLossMeter": 0.0,
        "startPoint": {
            "latitude": first.0, "longitude": first.1, "elevation": elevation, "distance": null, "timestamp": null,
        },
        "coursePoints": [],
        "boundingBox": {
            "center": corner(f64::midpoint(south, north), f64::midpoint(west, east)),
            "lowerLeft": corner(south, west),
            "upperRight": corner(north, east),
            "lowerLeftLatIsSet": true,
            "lowerLeftLongIsSet": true,
            "upperRightLatIsSet": true,
            "upperRightLongIsSet": true,
        },
        "activityTypePk": type_id,
        "courseLines": [{
            "courseId": null,
            "sortOrder": 1,
            "numberOfPoints": points.len(),
            "distanceInMeters": total,
            "bearing": bearing(*first, *last),
            "points": points,
            "coordinateSystem": "WGS84",
            "originalCoordinateSystem": "WGS84",
        }],
        "coordinateSystem": "WGS84",
        "targetCoordinateSystem": "WGS84",
        "originalCoordinateSystem": "WGS84",
        "elevationSource": 3,
        "geoPoints": points,
    });
    if let Some(members) = course.as_object_mut() {
        for name in [
            "openStreetMap",
            "matchedToSegments",
            "hasShareableEvent",
            "hasTurnDetectionDisabled",
            "includeLaps",
            "hasPaceBand",
            "hasPowerGuide",
            "favorite",
        ] {
            members.insert(name.to_owned(), json!(false));
        }
        for name in [
            "userProfilePk",
            "userGroupPk",
            "geoRoutePk",
            "sourcePk",
            "virtualPartnerId",
            "elapsedSeconds",
            "speedMeterPerSecond",
            "consumer",
            "startNote",
            "finishNote",
            "cutoffDuration",
        ] {
            members.insert(name.to_owned(), Value::Null);
        }
    }
    Ok(course)
}

fn delete_course(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [list, ..] = answers else {
        return ChangeStep::get(GarminGet::plain(COURSES).optional());
    };
    let id = call.whole("course_id");
    let known = courses(must_read(list, "The courses")?);
    let Some((_, name)) = known.into_iter().find(|(known, _)| known.as_i64() == Some(id)) else {
        return Err(AnswerError::Argument(format!(
            "Garmin has no course {id}. Nothing was deleted."
        )));
    };
    check_name(&call.text("name"), &name, &format!("Course {id}"), "name")?;
    let request = GarminChange::new(Method::DELETE, format!("{COURSES}/{id}"));
    let names = json!({"status": "success", "course_id": id, "message": format!("Course {id} deleted")});
    ChangeStep::one(
        PlannedChange::new(request, &names)
            .changes(json!({"name": name}), Value::Null)
            .look(GarminGet::plain(COURSES), "get_courses", move |list| {
                courses(list)
                    .iter()
                    .all(|(known, _)| known.as_i64() != Some(id))
                    .into()
            })
            .undo(|_| json!("not possible: upload_course with the original GPX makes it again")),
    )
}
