//! The documents of Garmin's endpoints as JSON templates (`documents/*.json`).
//!
//! A key that begins with a slash is an endpoint: a path and query with the placeholders `{date}`, `{from}`, `{to}`,
//! `{weeks}`, `{id}` and `{name}`. Every other key is a part that documents share.
//!
//! | member of an endpoint | |
//! |---|---|
//! | `document` | the template of the answer |
//! | `needs` | a fact that must exist for the endpoint to have data |
//! | `otherwise` | the template when there is no data; if it is absent, the answer is 204 |
//!
//! In a template, a string that begins with `$` is replaced:
//!
//! | placeholder | |
//! |---|---|
//! | `$night.score` | the fact at this path |
//! | `$gmt night.bed` | a function of a fact or of a number: `gmt`, `local`, `gmt_ms`, `local_ms`, `listed_gmt`, `listed_local`, `battery`, `float` |
//! | `$use heart_rate` | a part, filled in here |
//! | `["$each laps", template]` | the template once for each row of a fact |

use std::sync::LazyLock;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::DataQuery;

const SOURCES: [&str; 9] = [
    include_str!("documents/profile.json"),
    include_str!("documents/activity.json"),
    include_str!("documents/days.json"),
    include_str!("documents/battery.json"),
    include_str!("documents/body.json"),
    include_str!("documents/vitals.json"),
    include_str!("documents/training.json"),
    include_str!("documents/diary.json"),
    include_str!("documents/scores.json"),
];

static TEMPLATES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let read = |source: &str| serde_json::from_str::<Map<String, Value>>(source).unwrap_or_default();
    SOURCES.into_iter().flat_map(read).collect()
});

/// A template fragment that several documents share.
pub(super) fn part(name: &str) -> Option<&'static Value> {
    TEMPLATES.get(name)
}

/// The endpoint of a request, and the values of its placeholders in the order of the pattern. A missing query parameter
/// has an empty value.
pub(super) fn find(
    path: &str,
    query: &DataQuery<'_>,
) -> Option<(&'static Value, Vec<(&'static str, String)>)> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let mut found = TEMPLATES.iter().filter_map(|(pattern, endpoint)| {
        let (path, parameters) = pattern
            .strip_prefix('/')?
            .split_once('?')
            .unwrap_or((&pattern[1..], ""));
        let mut bindings = Vec::new();
        let mut rest = segments.iter();
        for part in path.split('/') {
            let segment = rest.next()?;
            match placeholder(part) {
                Some(name) => bindings.push((name, decoded(segment))),
                None if part == *segment => {}
                None => return None,
            }
        }
        if rest.next().is_some() {
            return None;
        }
        let mut is_complete = true;
        for (key, value) in parameters.split('&').filter_map(|pair| pair.split_once('=')) {
            let given = query.get(key);
            is_complete &= given.is_some();
            bindings.push((placeholder(value)?, given.unwrap_or_default()));
        }
        Some((is_complete, endpoint, bindings))
    });
    // Endpoints with the same path are distinguished by their query.
    let first = found.next()?;
    let best = if first.0 {
        first
    } else {
        found.find(|(is_complete, ..)| *is_complete).unwrap_or(first)
    };
    Some((best.1, best.2))
}

fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}

/// A path segment, percent-decoded.
fn decoded(segment: &str) -> String {
    // Form decoding turns a plus into a space, but in a path a plus is literal.
    let form = format!("v={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_a_json_object() {
        for source in SOURCES {
            serde_json::from_str::<Map<String, Value>>(source).unwrap();
        }
    }

    #[test]
    fn literal_paths_win_over_placeholders_that_come_later() {
        let find = |path: &str| find(path, &DataQuery("date=x%20y")).map(|(_, bindings)| bindings);
        assert_eq!(find("/activity-service/activity/activityTypes").unwrap(), []);
        assert_eq!(
            find("/activity-service/activity/7").unwrap(),
            [("id", "7".to_owned())]
        );
        assert_eq!(
            find("/wellness-service/wellness/dailyHeartRate/a+%C3%BC").unwrap(),
            [("name", "a+ü".to_owned()), ("date", "x y".to_owned())]
        );
        assert_eq!(find("/activity-service/activity/7/splits/8"), None);
        assert_eq!(find("/activity-service"), None);
    }
}
