//! Courses: the import of a GPX file, new courses, and deleted ones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{ChangeRequest, Planned, ReadRequest, at, done, listed, missing, number, refused, told, with};

#[derive(Debug, Default)]
pub(super) struct KeptCourses {
    created: BTreeMap<i64, Value>,
    deleted: BTreeSet<i64>,
}

pub(super) fn plan(change: &ChangeRequest<'_>) -> Option<Planned> {
    Some(match (change.method, change.path.as_slice()) {
        ("POST", ["course-service", "course", "import"]) => {
            let body = String::from_utf8_lossy(change.raw);
            let points: Vec<Value> = body.split("<trkpt").skip(1).filter_map(point).collect();
            if points.len() < 2 {
                return Some(refused(400, "BadRequestException", "HTTP 400 Bad Request"));
            }
            let name = body
                .split_once("<name>")
                .and_then(|(_, rest)| rest.split_once("</name>"));
            told(
                &json!({"courseName": name.map(|(name, _)| name), "geoPoints": points}),
                |_| (),
            )
        }
        ("POST", ["course-service", "course"]) => {
            let id = change.id;
            let course = with(&change.body, "courseId", id);
            let kept_course = course.clone();
            told(&course, move |kept| {
                kept.courses.created.insert(id, kept_course);
            })
        }
        ("DELETE", ["course-service", "course", id]) => {
            let id = number(id);
            let list = (change.read)("/course-service/course");
            let mut known = list.iter().filter_map(Value::as_array).flatten();
            if !known.any(|course| course.get("courseId") == Some(&json!(id))) {
                return Some(missing());
            }
            done(204, move |kept| {
                kept.courses.created.remove(&id);
                kept.courses.deleted.insert(id);
            })
        }
        _ => return None,
    })
}

/// The point of a GPX tag, from the text after its name.
fn point(tag: &str) -> Option<Value> {
    let degrees = |name: &str| {
        let (_, value) = tag.split_once(&format!("{name}=\""))?;
        value.split('"').next()?.parse::<f64>().ok()
    };
    Some(json!({"latitude": degrees("lat")?, "longitude": degrees("lon")?, "elevation": null}))
}

impl KeptCourses {
    pub(super) fn document(&self, request: &ReadRequest<'_>, computed: Option<Value>) -> Option<Value> {
        if request.path != ["course-service", "course"] {
            return computed;
        }
        let own = self.created.iter().map(|(id, course)| {
            json!({
                "courseId": id,
                "courseName": at(course, "courseName"),
                "distanceInMeters": at(course, "distanceMeter"),
                "elevationGainInMeters": 0.0,
                "elevationLossInMeters": 0.0,
                "activityType": {"typeId": at(course, "activityTypePk"), "typeKey": "running"},
                "hasPaceBand": false,
            })
        });
        let keeps = |course: &Value| {
            !self
                .deleted
                .contains(&at(course, "courseId").as_i64().unwrap_or_default())
        };
        Some(listed(computed, keeps, own))
    }
}
