//! The activities of a period, read page by page.

use serde_json::Value;

use super::effort::Effort;
use super::period::Period;
use crate::tools::activity_management::known_type;
use crate::tools::call::ToolCall;
use crate::tools::fields::list;
use crate::tools::garmin_get::GarminGet;
use crate::tools::table::AnswerError;

/// Activities on one page of Garmin's list.
const PAGE: usize = 200;
/// The most pages that are read: 2,000 activities.
const MOST_PAGES: usize = 10;

/// One page of the activities of a period, newest first; all types when `type_key` is empty.
pub(super) fn page(period: Period, type_key: &str, number: usize, size: usize) -> GarminGet {
    let template = "/activitylist-service/activities/search/activities?startDate={from}&endDate={to}&start={start}\
                    &limit={limit}&activityType={type}";
    GarminGet::of(template, |name| match name {
        "from" => period.first.to_string(),
        "to" => period.last.to_string(),
        "start" => (number * size).to_string(),
        "limit" => size.to_string(),
        _ => type_key.to_owned(),
    })
}

/// A read of Garmin's activity types, if this list of the type `activity_type` is empty: the type may not exist.
pub(super) fn types_if_none(call: &ToolCall, list: &Value) -> Vec<GarminGet> {
    let is_typed = !call.text("activity_type").is_empty();
    let types = || GarminGet::plain("/activity-service/activity/activityTypes").optional();
    let is_none = list.as_array().is_none_or(Vec::is_empty);
    (is_typed && is_none).then(types).into_iter().collect()
}

/// Refuses an `activity_type` that is not among the types, the answer to [`types_if_none`].
pub(super) fn must_be_known(call: &ToolCall, types: Option<&&Value>) -> Result<(), AnswerError> {
    match types.filter(|types| types.is_array()) {
        Some(types) => known_type("activity_type", &call.text("activity_type"), types),
        None => Ok(()),
    }
}

/// The next page, given the pages so far; `None` after the last one.
pub(super) fn next_page(period: Period, type_key: &str, pages: &[&Value]) -> Option<GarminGet> {
    (pages.len() < MOST_PAGES && pages.last().is_none_or(|page| is_full(page)))
        .then(|| page(period, type_key, pages.len(), PAGE))
}

/// The number of answers that are pages. Other answers follow the last page.
pub(super) fn page_count(answers: &[&Value]) -> usize {
    let last = answers.iter().take(MOST_PAGES).position(|page| !is_full(page));
    last.map_or(answers.len().min(MOST_PAGES), |last| last + 1)
}

fn is_full(page: &Value) -> bool {
    page.as_array().is_some_and(|page| page.len() >= PAGE)
}

/// The activities of these pages, newest first, and whether older ones were left out.
pub(super) fn efforts(pages: &[&Value]) -> Result<(Vec<Effort>, bool), AnswerError> {
    let mut efforts = Vec::new();
    for page in pages {
        efforts.extend(list(page, "")?.iter().filter_map(Effort::read));
    }
    let is_cut = pages.len() == MOST_PAGES && pages.last().is_some_and(|page| is_full(page));
    Ok((efforts, is_cut))
}
