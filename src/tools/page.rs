//! Splits long answers into pages of whole records.
//!
//! An answer has at most [`MOST_CHARACTERS`]. In a longer one, every long list (a series, a list of days or activities)
//! shows the same window of its records. A member `page` says which window it is, and how to get the rest. The race
//! tools use this module too.

use serde_json::{Map, Value, json};

use super::outcome::ToolResult;
use super::parameter::CURSOR;

/// Equivalent to 20,000 tokens at 3.2 characters each.
pub(super) const MOST_CHARACTERS: usize = 64_000;
/// Characters that are reserved for the member `page`.
const PAGE_ROOM: usize = 600;
/// Lists with fewer characters are included in full on every page.
const SHORT_LIST: usize = 2_000;
/// Texts are cut to this length if an answer is otherwise too long.
const LONGEST_TEXT: usize = 1_000;
/// Lists are cut to this length if the answer about a change is otherwise too long.
const LONGEST_LIST: usize = 20;
/// The maximum depth at which lists are searched for.
const DEPTH: usize = 4;

/// The page that begins with record `from`; `None` when the answer is short and `from` is 0.
pub fn page(answer: &Value, from: usize) -> Option<Value> {
    page_of(answer, from, MOST_CHARACTERS)
}

/// An answer as the result of a call, from record `from`. If even its page is too long, because a single record or text
/// is, long texts are cut. An answer that is still too long is refused, because any other cut would go unnoticed.
pub(super) fn fitting(answer: &Value, from: usize) -> ToolResult {
    let page = page(answer, from);
    let page = page.as_ref().unwrap_or(answer);
    if characters(page) <= MOST_CHARACTERS {
        return told(page);
    }
    let mut cut = page.clone();
    cut_texts(&mut cut);
    let total = characters(&cut);
    if total <= MOST_CHARACTERS {
        return told(&cut);
    }
    ToolResult::Failed(format!(
        "Garmin's answer is too long to show ({total} characters, at most {MOST_CHARACTERS}). Ask for a narrower range, or \
         use a summary tool."
    ))
}

/// The answer about a change, with long texts and lists cut if it is too long. It has no pages, because asking for the
/// next one would repeat the change.
pub(super) fn clipped(mut answer: Value) -> Value {
    if characters(&answer) > MOST_CHARACTERS {
        cut_texts(&mut answer);
    }
    if characters(&answer) > MOST_CHARACTERS {
        cut_lists(&mut answer);
    }
    answer
}

fn cut_lists(value: &mut Value) {
    match value {
        Value::Array(items) => {
            let total = items.len();
            items.truncate(LONGEST_LIST);
            items.iter_mut().for_each(cut_lists);
            if total > LONGEST_LIST {
                items.push(json!(format!("… ({} more)", total - LONGEST_LIST)));
            }
        }
        Value::Object(members) => members.values_mut().for_each(cut_lists),
        _ => {}
    }
}

/// A text becomes the result as it is, not as JSON.
fn told(answer: &Value) -> ToolResult {
    match answer {
        Value::String(text) => ToolResult::Text(text.clone()),
        json => ToolResult::of_json(json),
    }
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            let total = text.chars().count();
            if total > LONGEST_TEXT {
                let head: String = text.chars().take(LONGEST_TEXT).collect();
                *text = format!("{head}… ({} more characters)", total - LONGEST_TEXT);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(members) => members.values_mut().for_each(cut_texts),
        _ => {}
    }
}

fn page_of(answer: &Value, from: usize, most: usize) -> Option<Value> {
    let total = characters(answer);
    if total <= most && from == 0 {
        return None;
    }
    let mut lists = Vec::new();
    long_lists(answer, &mut Vec::new(), &mut lists);
    let records = lists.iter().map(|(_, sizes)| sizes.len()).max()?;
    let of_lists: usize = lists.iter().flat_map(|(_, sizes)| sizes).sum();
    let mut used = total.saturating_sub(of_lists) + PAGE_ROOM;
    let mut to = from;
    while to < records {
        let row: usize = lists.iter().filter_map(|(_, sizes)| sizes.get(to)).sum();
        // Every page has at least one record, so that the next page always makes progress.
        if used + row > most && to > from {
            break;
        }
        used += row;
        to += 1;
    }
    let mut shown = answer.clone();
    let mut counts = Map::new();
    for (path, sizes) in &lists {
        let name = if path.is_empty() {
            "result".to_owned()
        } else {
            path.join(".")
        };
        counts.insert(name, json!(sizes.len()));
        let list = path.iter().try_fold(&mut shown, |value, key| value.get_mut(key));
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.truncate(to);
            list.drain(..from.min(list.len()));
        }
    }
    let mut page = json!({"records_in_all": counts, "from": from, "to": to});
    if let (true, Some(page)) = (to < records, page.as_object_mut()) {
        let next = format!(
            "Call this tool again with the same arguments and {CURSOR} {to} for the next records, or ask for a narrower \
             range or for a summary."
        );
        page.insert(CURSOR.to_owned(), json!(to));
        page.insert("next".to_owned(), json!(next));
    }
    if shown.is_array() {
        return Some(json!({"result": shown, "page": page}));
    }
    shown.as_object_mut()?.insert("page".to_owned(), page);
    Some(shown)
}

/// The long lists of an answer that are not nested in other lists: their paths, and the length of each record.
fn long_lists(value: &Value, path: &mut Vec<String>, lists: &mut Vec<(Vec<String>, Vec<usize>)>) {
    match value {
        Value::Array(items) => {
            let sizes: Vec<usize> = items.iter().map(|item| characters(item) + 1).collect();
            if sizes.iter().sum::<usize>() > SHORT_LIST {
                lists.push((path.clone(), sizes));
            }
        }
        Value::Object(members) if path.len() < DEPTH => {
            for (key, value) in members {
                path.push(key.clone());
                long_lists(value, path, lists);
                path.pop();
            }
        }
        _ => {}
    }
}

fn characters(value: &Value) -> usize {
    value.to_string().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(count: usize) -> Value {
        (0..count)
            .map(|n| json!([1_768_000_000_000_u64 + n as u64, n]))
            .collect()
    }

    #[test]
    fn a_short_answer_has_no_pages() {
        assert_eq!(page(&json!({"a": series(100)}), 0), None);
        assert_eq!(page(&json!("x".repeat(100_000)), 0), None);
    }

    #[test]
    fn pages_together_hold_every_record_of_every_list_once() {
        let answer = json!({"date": "2026-01-08", "data": {"stress": series(900)}, "battery": series(400), "short": [1]});
        let (mut from, mut stress, mut battery) = (0, vec![], vec![]);
        for number in 0.. {
            assert!(number < 50, "it never ends");
            let page = page_of(&answer, from, 6_000).unwrap();
            assert!(characters(&page) <= 6_000);
            assert_eq!(
                (&page["date"], &page["short"]),
                (&json!("2026-01-08"), &json!([1]))
            );
            assert_eq!(
                page["page"]["records_in_all"],
                json!({"data.stress": 900, "battery": 400})
            );
            stress.extend(page["data"]["stress"].as_array().unwrap().clone());
            battery.extend(page["battery"].as_array().unwrap().clone());
            let Some(next) = page["page"]["cursor"].as_u64() else {
                break;
            };
            from = usize::try_from(next).unwrap();
        }
        assert_eq!((json!(stress), json!(battery)), (series(900), series(400)));
    }

    #[test]
    fn a_bare_list_becomes_an_object_with_its_page() {
        let page = page_of(&series(900), 890, 6_000).unwrap();
        assert_eq!(page["result"].as_array().unwrap().len(), 10);
        assert_eq!(
            page["page"],
            json!({"records_in_all": {"result": 900}, "from": 890, "to": 900})
        );
        let beyond = page_of(&series(900), 2_000, 6_000).unwrap();
        assert_eq!(beyond["result"], json!([]));
    }

    #[test]
    fn a_record_that_is_too_long_is_cut_or_refused() {
        let ToolResult::Json { text, .. } = fitting(&json!([{"notes": "ü".repeat(70_000), "km": 5}]), 0)
        else {
            panic!("its text is cut");
        };
        assert!(
            text.contains("(69000 more characters)") && text.contains(r#""km":5"#),
            "{}",
            text.len()
        );
        let numbers: Vec<u64> = vec![1_234_567; 20_000];
        let ToolResult::Failed(text) = fitting(&json!([{"inner": numbers}]), 0) else {
            panic!("nothing can be cut");
        };
        assert!(text.contains("narrower range"), "{text}");
    }

    #[test]
    fn one_record_is_shown_even_if_it_is_too_long() {
        let page = page_of(&json!(["x".repeat(9_000), "y"]), 0, 6_000).unwrap();
        assert_eq!(page["page"]["to"], 1);
    }
}
