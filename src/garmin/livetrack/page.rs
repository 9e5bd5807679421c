//! The page of a session: its CSRF token, and the data inside it.
//!
//! The data is the last resort when the JSON interface is gone or has changed. The page carries it as JSON, in
//! `__NEXT_DATA__` or in fragments passed to `self.__next_f.push`, as strings within strings.

use serde_json::Value;

use super::{LiveTrackSession, Trackpoint};

/// The CSRF token: `<meta name="csrf-token" content="…">`, or the same under another known name.
pub fn csrf_token(html: &str) -> Option<String> {
    html.split("<meta").skip(1).find_map(|rest| {
        let tag = rest.split('>').next()?;
        let name = attribute(tag, "name").or_else(|| attribute(tag, "property"))?;
        matches!(name, "csrf-token" | "livetrack-csrf-token")
            .then(|| attribute(tag, "content"))
            .flatten()
            .filter(|token| (8..=128).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic()))
            .map(str::to_owned)
    })
}

/// The value of a quoted attribute in a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.match_indices(name).find_map(|(at, _)| {
        let before = tag.get(..at)?.chars().next_back()?;
        let value = tag
            .get(at + name.len()..)?
            .trim_start()
            .strip_prefix('=')?
            .trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        before
            .is_whitespace()
            .then(|| value.get(1..)?.split(quote).next())
            .flatten()
    })
}

/// The LiveTrack data found inside a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveTrackPage {
    pub session: Option<LiveTrackSession>,
    /// Points in the order of the page.
    pub points: Vec<Trackpoint>,
}

/// Finds session and points in a page. Empty when the page holds no known data.
pub fn page(html: &str) -> LiveTrackPage {
    let mut found = LiveTrackPage::default();
    for text in next_data(html).into_iter().chain(next_fragments(html)) {
        gather(&text, &mut found, 0);
    }
    found
}

/// The JSON of `__NEXT_DATA__`, used by older pages.
fn next_data(html: &str) -> Option<String> {
    let (_, rest) = html.split_once("id=\"__NEXT_DATA__\"")?;
    let (_, rest) = rest.split_once('>')?;
    Some(rest.split_once("</script>")?.0.to_owned())
}

/// The values in the strings passed to `self.__next_f.push([1, "…"])`. The strings are joined first, because a value
/// may continue in the next one; each line of the joined text is `key:value`.
fn next_fragments(html: &str) -> Vec<String> {
    let mut joined = String::new();
    for rest in html.split("self.__next_f.push(").skip(1) {
        let first = serde_json::Deserializer::from_str(rest)
            .into_iter::<Value>()
            .next();
        if let Some(Ok(Value::Array(items))) = first {
            items
                .iter()
                .filter_map(Value::as_str)
                .for_each(|text| joined.push_str(text));
        }
    }
    let lines = joined.split('\n');
    lines
        .filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.bytes().all(|b| b.is_ascii_hexdigit()).then(|| {
                value
                    .trim_start_matches(|c: char| c.is_ascii_uppercase())
                    .to_owned()
            })
        })
        .collect()
}

/// Maximum depth to which nested JSON strings are opened.
const MAX_DEPTH: usize = 4;

fn gather(text: &str, found: &mut LiveTrackPage, depth: usize) {
    if depth < MAX_DEPTH
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        visit(&value, found, depth);
    }
}

fn visit(value: &Value, found: &mut LiveTrackPage, depth: usize) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, found, depth)),
        Value::Object(object) => {
            if let Some(Value::Array(points)) = object.get("trackPoints") {
                found.points.extend(points.iter().filter_map(Trackpoint::read));
            }
            if found.session.is_none() && object.contains_key("sessionId") && object.contains_key("start") {
                found.session = LiveTrackSession::from_value(value);
            }
            let others = object.iter().filter(|(name, _)| *name != "trackPoints");
            others.for_each(|(_, inner)| visit(inner, found, depth));
        }
        Value::String(text) if text.starts_with(['{', '[']) => gather(text, found, depth + 1),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_csrf_token_is_found_under_each_name() {
        let token = "7f1d2c3b-0000-4444-8888-123456789abc";
        for (html, found) in [
            (
                format!(r#"<head><meta name="csrf-token" content="{token}"/></head>"#),
                true,
            ),
            (
                format!(r"<meta content='{token}' name='livetrack-csrf-token'>"),
                true,
            ),
            (format!(r#"<meta property="csrf-token" content="{token}">"#), true),
            (format!(r#"<meta name="viewport" content="{token}">"#), false),
            (
                format!(r#"<meta data-name="csrf-token" content="{token}">"#),
                false,
            ),
            (r#"<meta name="csrf-token" content="">"#.into(), false),
            (r#"<meta name="csrf-token" content="abc def 123">"#.into(), false),
            ("<html>".into(), false),
            ("<meta".into(), false),
        ] {
            assert_eq!(csrf_token(&html).as_deref() == Some(token), found, "{html}");
        }
    }

    fn queries() -> Value {
        json!({"queries": [
            {"queryKey": ["session", "id", "tok"], "state": {"data": {"sessionId": "x",
                "start": "2026-10-04T07:58:12Z", "userDisplayName": "Ann"}}},
            {"queryKey": ["session", "id", "tok", "track-points"], "state": {"data": {"pages": [
                {"trackPoints": [{"dateTime": "2026-10-04T08:01:10Z", "speed": 3}]},
                {"trackPoints": [{"dateTime": "2026-10-04T08:01:20Z"}, {"no": "time"}]}]}}}]})
    }

    fn check(html: &str) {
        let page = page(html);
        assert_eq!(page.points.len(), 2, "{html}");
        assert_eq!(page.session.unwrap().athlete.as_deref(), Some("Ann"));
    }

    #[test]
    fn points_are_found_in_both_kinds_of_page() {
        let data = queries();
        check(&format!(
            r#"<script id="__NEXT_DATA__" type="application/json">{data}</script><p>"#
        ));
        // JSON as text within text, split into two fragments.
        let line = format!(
            "1f:[\"$\",\"div\",null,{}]\n20:null\n",
            json!({ "state": data.to_string() })
        );
        let (a, b) = line.split_at(70);
        check(&format!(
            "<script>self.__next_f.push([0])</script><script>self.__next_f.push({})</script>\
             <script>self.__next_f.push({})</script>",
            json!([1, a]),
            json!([1, b])
        ));
    }

    #[test]
    fn a_page_without_data_is_empty() {
        for html in [
            "",
            "<html>",
            "self.__next_f.push(",
            "self.__next_f.push([1,\"a:{\"])",
        ] {
            assert_eq!(page(html), LiveTrackPage::default());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_page_causes_a_panic(html in ".{0,300}") {
            page(&format!("<script>self.__next_f.push({html}"));
            csrf_token(&html);
        }
    }
}
