//! The courses that Garmin has.

use serde_json::Value;

pub(super) const COURSES: &str = "/course-service/course";

pub(super) fn courses(list: &Value) -> Vec<(Value, String)> {
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
