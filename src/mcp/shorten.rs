//! Shortens results that are too long for Claude, and adds a note that says so.
//!
//! Claude's hosted surfaces accept about 150,000 characters. A longer result fails entirely, and the person gets no
//! explanation.

use serde_json::value::RawValue;

use super::members::{Members, text, write_string};

/// The maximum number of characters of text in a result.
pub const LIMIT: usize = 150_000;
/// The number of characters reserved for the note.
const NOTE_ROOM: usize = 500;
/// How far back to look for the end of a line, in bytes.
const LINE_ROOM: usize = 2_000;

#[derive(Debug)]
pub struct Shortened {
    pub result: Box<RawValue>,
    /// The number of characters of text before shortening.
    pub characters: usize,
}

/// Cuts the text of a result (`content` of a tool, `contents` of a resource) at [`LIMIT`] characters and appends a
/// note. The cut is at the end of a line if one is near. Returns `None` if the result is short enough. Images and audio
/// are neither counted nor cut.
pub fn shortened(result: &RawValue) -> Option<Shortened> {
    shortened_to(LIMIT, result)
}

fn shortened_to(limit: usize, result: &RawValue) -> Option<Shortened> {
    if result.get().len() <= limit {
        return None;
    }
    let members = Members::of(result.get())?;
    let (key, blocks) = ["content", "contents"]
        .into_iter()
        .find_map(|key| members.get(key).map(|blocks| (key, blocks)))?;
    let blocks: Vec<&RawValue> = serde_json::from_str(blocks.get()).ok()?;
    let texts: Vec<Option<String>> = blocks
        .iter()
        .map(|block| {
            Members::of(block.get())?
                .get("text")
                .and_then(text)
                .map(std::borrow::Cow::into_owned)
        })
        .collect();
    let characters: usize = texts.iter().flatten().map(|text| text.chars().count()).sum();
    if characters <= limit {
        return None;
    }

    let mut room = limit.saturating_sub(NOTE_ROOM);
    let mut full = false;
    let mut last_text = None;
    let mut written = Vec::with_capacity(blocks.len());
    for (block, text) in blocks.iter().zip(texts) {
        match text {
            Some(_) if full => {}
            Some(text) => {
                let length = text.chars().count();
                if length <= room {
                    room -= length;
                    written.push(block.get().to_owned());
                } else {
                    full = true;
                    let cut = cut(&text, room) + &note(characters, limit);
                    written.push(with_text(block, &cut)?);
                    last_text = Some(cut);
                }
            }
            None => written.push(block.get().to_owned()),
        }
    }
    let out = rebuilt(
        &members,
        key,
        &written,
        last_text.as_deref().unwrap_or_default(),
        limit,
    );
    Some(Shortened {
        result: RawValue::from_string(out).ok()?,
        characters,
    })
}

fn note(characters: usize, limit: usize) -> String {
    format!(
        "\n\n[Cut by garmin-gateway: this result has {characters} characters, and at most {limit} can be shown; the rest is missing. \
         Ask for a shorter period, a smaller page, fewer details, or use the summary tool of the same data.]"
    )
}

/// The first `room` characters of `text` at most, cut at the end of a line if one is near.
fn cut(text: &str, room: usize) -> String {
    let end = text.char_indices().nth(room).map_or(text.len(), |(at, _)| at);
    let kept = text.get(..end).unwrap_or_default();
    match kept.rfind('\n') {
        Some(line_end) if end - line_end <= LINE_ROOM => kept.get(..line_end).unwrap_or_default().to_owned(),
        _ => kept.to_owned(),
    }
}

fn with_text(block: &RawValue, text: &str) -> Option<String> {
    let members = Members::of(block.get())?;
    let mut out = String::with_capacity(text.len() + 100);
    for member in members.iter() {
        out.push(if out.is_empty() { '{' } else { ',' });
        if member.key == "text" {
            out.push_str("\"text\":");
            write_string(&mut out, text);
        } else {
            member.write(&mut out);
        }
    }
    out.push('}');
    Some(out)
}

fn rebuilt(members: &Members<'_>, key: &str, blocks: &[String], cut: &str, limit: usize) -> String {
    let mut out = String::with_capacity(2 * limit);
    let mut structure_dropped = false;
    for member in members.iter() {
        let start = out.len();
        out.push(if start == 0 { '{' } else { ',' });
        if member.key == key {
            write_string(&mut out, key);
            out.push_str(":[");
            out.push_str(&blocks.join(","));
            out.push(']');
        } else if member.key == "structuredContent" {
            if let Some(value) = structured(member.value, cut, limit) {
                out.push_str("\"structuredContent\":");
                out.push_str(&value);
            } else {
                out.truncate(start);
                structure_dropped = true;
            }
        } else if member.key != "isError" {
            member.write(&mut out);
        } else {
            out.truncate(start);
        }
    }
    // Clients validate `structuredContent` against the tool's schema, except in an error.
    let is_error = structure_dropped || members.get("isError").is_some_and(|value| value.get() == "true");
    if is_error || members.get("isError").is_some() {
        out.push_str(if is_error {
            ",\"isError\":true"
        } else {
            ",\"isError\":false"
        });
    }
    out.push('}');
    out
}

/// FastMCP repeats the text as `{"result": text}`, and its schema requires a string there, so the cut text replaces it.
/// Other values are kept unless they are too long themselves.
fn structured(value: &RawValue, cut: &str, limit: usize) -> Option<String> {
    let members = Members::of(value.get());
    let wrapped = members.as_ref().is_some_and(|members| {
        members.iter().count() == 1
            && members
                .get("result")
                .is_some_and(|result| result.get().starts_with('"'))
    });
    if wrapped {
        let mut out = String::with_capacity(cut.len() + 32);
        out.push_str("{\"result\":");
        write_string(&mut out, cut);
        out.push('}');
        return Some(out);
    }
    (value.get().len() <= limit).then(|| value.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(json: &serde_json::Value) -> Box<RawValue> {
        RawValue::from_string(json.to_string()).unwrap()
    }

    fn cut_of(json: &serde_json::Value) -> Option<serde_json::Value> {
        shortened(&result(json)).map(|shortened| serde_json::from_str(shortened.result.get()).unwrap())
    }

    /// A text over the limit is cut and ends with a note.
    #[test]
    fn long_text_is_cut_with_a_note() {
        let line = "x".repeat(99) + "\n";
        let long = line.repeat(2_000);
        let cut = cut_of(&serde_json::json!({
            "content": [{"type": "text", "text": long, "annotations": {"a": 1}}],
            "structuredContent": {"result": long},
            "isError": false,
            "vendor": 1.5,
        }))
        .unwrap();
        let text = cut["content"][0]["text"].as_str().unwrap();
        assert!(text.chars().count() <= LIMIT, "{}", text.chars().count());
        assert!(text.starts_with(&line));
        let (kept, note) = text.split_once("\n\n[Cut by garmin-gateway").unwrap();
        assert!(kept.ends_with("xxx"), "ends at a whole line");
        assert!(note.contains("200000 characters"), "{note}");
        assert_eq!(
            cut["structuredContent"]["result"], cut["content"][0]["text"],
            "the schema is still kept"
        );
        assert_eq!(cut["isError"], false);
        assert_eq!(cut["vendor"], 1.5);
        assert_eq!(cut["content"][0]["annotations"]["a"], 1);
    }

    #[test]
    fn what_is_short_enough_is_not_touched() {
        let half = "y".repeat(100_000);
        for json in [
            serde_json::json!({"content": [{"type": "text", "text": "short"}]}),
            // The text occurs twice, so the result is long in bytes but short for the model.
            serde_json::json!({"content": [{"type": "text", "text": half}], "structuredContent": {"result": half}}),
            serde_json::json!({"content": [{"type": "image", "data": "A".repeat(200_000), "mimeType": "image/png"}]}),
            serde_json::json!({"tools": "z".repeat(200_000)}),
        ] {
            assert!(shortened(&result(&json)).is_none());
        }
    }

    #[test]
    fn later_text_is_dropped_and_pictures_stay() {
        let part = "z".repeat(100_000);
        let cut = cut_of(&serde_json::json!({"content": [
            {"type": "text", "text": part},
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
            {"type": "text", "text": part},
            {"type": "text", "text": part},
        ]}))
        .unwrap();
        let blocks = cut["content"].as_array().unwrap();
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks[0]["text"].as_str().unwrap().len(), 100_000);
        assert_eq!(blocks[1]["type"], "image");
        assert!(
            blocks[2]["text"]
                .as_str()
                .unwrap()
                .contains("[Cut by garmin-gateway: this result has 300000")
        );
        let total: usize = [0, 2]
            .iter()
            .map(|&i: &usize| blocks[i]["text"].as_str().unwrap().chars().count())
            .sum();
        assert!(total <= LIMIT);
    }

    #[test]
    fn resources_are_cut_too() {
        let cut = cut_of(&serde_json::json!({"contents": [{"uri": "a://b", "text": "é".repeat(200_000)}]}))
            .unwrap();
        assert_eq!(cut["contents"][0]["uri"], "a://b");
        assert!(cut["contents"][0]["text"].as_str().unwrap().chars().count() <= LIMIT);
    }

    /// A structured part that is too long cannot be cut without violating its schema, so the result becomes an error
    /// with the cut text.
    #[test]
    fn structure_that_cannot_be_cut_makes_an_error() {
        let long = "x".repeat(200_000);
        let cut = cut_of(&serde_json::json!({
            "content": [{"type": "text", "text": long}], "structuredContent": {"rows": [long]},
        }))
        .unwrap();
        assert!(cut.get("structuredContent").is_none());
        assert_eq!(cut["isError"], true);
        let kept = cut_of(&serde_json::json!({
            "structuredContent": {"rows": [1]}, "content": [{"type": "text", "text": long}],
        }))
        .unwrap();
        assert_eq!(kept["structuredContent"]["rows"][0], 1);
        assert!(kept.get("isError").is_none());
    }
}
