//! Deletes a course if the name matches.

use http::Method;
use serde_json::{Value, json};

use super::saved::{COURSES, courses};
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, check_name, must_read};
use crate::tools::garmin_get::GarminGet;

pub(super) fn delete_course(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [list, ..] = answers else {
        return Ok(ChangeStep::get(GarminGet::plain(COURSES).optional()));
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
    Ok(ChangeStep::one(
        PlannedChange::new(request, &names)
            .changes(json!({"name": name}), Value::Null)
            .look(GarminGet::plain(COURSES), "get_courses", move |list| {
                courses(list)
                    .iter()
                    .all(|(known, _)| known.as_i64() != Some(id))
                    .into()
            })
            .undo(|_| json!("not possible: upload_course with the original GPX creates it anew")),
    ))
}
