//! Creates a course: Garmin parses the file, and the result is saved as a new course.

use http::Method;
use serde_json::{Value, json};

use super::document::{distance_m, document, places};
use super::gpx::gpx_course;
use super::saved::{COURSES, courses};
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangeBody, ChangeStep, GarminChange, Landed, PlannedChange, Sight, call_of, read,
};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;
use crate::tools::json::rounded;

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

/// A longer text would not fit into a message.
const MOST_BYTES: usize = 3_000_000;

pub(super) fn upload_course(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
        return Ok(ChangeStep::get(GarminGet::plain(COURSES).optional()));
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
        "length_km": rounded(length_m / 1_000.0, 2),
        "activity_type": activity_type,
    }});
    // The import only reads the file; it stores nothing.
    let import = PlannedChange::new(import, &json!({}));
    Ok(ChangeStep::one(import.changes(Value::Null, after).then(
        move |landed: &Landed<'_>| {
            let name = name
                .or_else(|| {
                    at(landed.response, "courseName")
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                })
                .or(own.name)
                .unwrap_or(stem);
            // Garmin's import adds elevations that the file lacks. If it finds no points, the file's own are used.
            let imported = at(landed.response, "geoPoints").and_then(Value::as_array);
            let points = imported
                .filter(|points| places(points).len() > 1)
                .unwrap_or(&own.points);
            let body = document(points, &name, description.as_deref(), type_id)?;
            Ok(creation(body, name, earlier))
        },
    )))
}

/// `earlier` holds the ids of the courses before the creation, if they are known.
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
        Some(id) => call_of("delete_course", &json!({"course_id": id, "name": undo_name})),
        None => json!("delete_course with the id that get_courses shows"),
    })
}
