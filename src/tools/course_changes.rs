//! Courses: new ones from the text of a GPX file, and their deletion.
//!
//! The tool that would set a directory for files is here too, because both refuse paths on the server.

mod deletion;
mod document;
mod gpx;
mod saved;
mod upload;

use super::answer::AnswerError;
use super::parameter::{LONGEST_DESCRIPTION, Parameter};
use super::table::{Effect, Tool};
use deletion::delete_course;
use upload::upload_course;

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "upload_course",
        "Create a course from the text of a GPX file.",
        &[
            Parameter::text(
                "gpx_path",
                "Only the file's name: this server's files are not read; give gpx",
                "",
            )
            .at_most(4_096),
            Parameter::required_text("course_name", "The course's name; empty: the one in the GPX")
                .optional(),
            Parameter::text(
                "activity_type",
                "running, cycling, hiking, gravel_cycling, mountain_biking, trail_running, walking or road_biking",
                "running",
            ),
            Parameter::required_text("description", "A description of the course")
                .at_most(LONGEST_DESCRIPTION)
                .optional(),
            Parameter::text("gpx", "The text of the GPX file", "").at_most(3 << 20),
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
        "Always refused: this server keeps no files. Activity files come as resources and in answers.",
        &[Parameter::required_text("path", "The directory that garmin_mcp would write to").at_most(4_096)],
        Effect::Change { idempotent: true },
        |_, _| {
            let text = "this server keeps no files for people, so there is no directory to set. Nothing was changed.";
            Err(AnswerError::Argument(text.to_owned()))
        },
        "Error setting FIT download directory",
    ),
];
