//! The activities of a period, read page by page.

use serde_json::Value;

use super::effort::Effort;
use super::period::Period;
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
