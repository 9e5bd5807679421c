//! Labels an answer with the person whose data it contains, in its text and in its structured content.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::mcp::members::{Members, write_string};

/// The member of an answer that names the person whose data it contains.
const DATA_OF: &str = "data_of";

/// The result of a tool, labelled with the name of the person whose data it contains. The data itself stays the same
/// byte for byte. `None` for a result that can't be read, which must not be delivered.
pub(in crate::gateway) fn labelled(result: &RawValue, name: &str) -> Option<Box<RawValue>> {
    let members = Members::of(result.get())?;
    let mut out = String::with_capacity(result.get().len() + 100);
    out.push('{');
    let mut put = |key: &str, value: &str| {
        if out.len() > 1 {
            out.push(',');
        }
        write_string(&mut out, key);
        out.push(':');
        out.push_str(value);
    };
    let mut has_content = false;
    for member in members.iter() {
        match member.key.as_ref() {
            "content" => {
                has_content = true;
                put("content", &content(member.value, name)?);
            }
            "structuredContent" => put("structuredContent", &object(member.value.get(), name)?),
            key => put(key, member.value.get()),
        }
    }
    if !has_content {
        return None;
    }
    out.push('}');
    RawValue::from_string(out).ok()
}

/// The content blocks of a result. The first text names the person.
fn content(blocks: &RawValue, name: &str) -> Option<String> {
    let mut blocks: Vec<Value> = serde_json::from_str(blocks.get()).ok()?;
    let mut texts = blocks.iter_mut().filter_map(|block| block.get_mut("text"));
    match texts.next() {
        Some(Value::String(text)) => *text = text_of(text, name),
        Some(_) => return None,
        None => blocks.insert(0, json!({"type": "text", "text": format!("Data of {name}.")})),
    }
    serde_json::to_string(&blocks).ok()
}

fn text_of(text: &str, name: &str) -> String {
    object(text, name).unwrap_or_else(|| format!("Data of {name}: {text}"))
}

/// A JSON object with the name as its first member; `None` for anything else.
fn object(json: &str, name: &str) -> Option<String> {
    let members = Members::of(json)?;
    let mut out = String::with_capacity(json.len() + name.len() + 16);
    out.push_str("{\"data_of\":");
    write_string(&mut out, name);
    for member in members.iter().filter(|member| member.key != DATA_OF) {
        out.push(',');
        member.write(&mut out);
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: &Value) -> Option<Value> {
        let raw = RawValue::from_string(result.to_string()).unwrap();
        serde_json::from_str(labelled(&raw, "Ann \"A\"")?.get()).unwrap()
    }

    #[test]
    fn every_kind_of_answer_names_the_person() {
        let text = |text: &str| json!({"content": [{"type": "text", "text": text}], "isError": false});
        let object = told(&json!({
            "content": [{"type": "text", "text": "{\"a\":2.7890000343322754}"}],
            "structuredContent": {"a": 1, "data_of": "somebody else"},
        }));
        let object = object.unwrap();
        assert_eq!(
            object["content"][0]["text"],
            "{\"data_of\":\"Ann \\\"A\\\"\",\"a\":2.7890000343322754}"
        );
        assert_eq!(
            object["structuredContent"],
            json!({"data_of": "Ann \"A\"", "a": 1})
        );
        for (plain, expected) in [
            ("No data found.", "Data of Ann \"A\": No data found."),
            ("[1,2]", "Data of Ann \"A\": [1,2]"),
            ("{}", "{\"data_of\":\"Ann \\\"A\\\"\"}"),
        ] {
            assert_eq!(told(&text(plain)).unwrap()["content"][0]["text"], expected);
        }
        let image = told(&json!({"content": [{"type": "image", "data": "x"}]})).unwrap();
        assert_eq!(image["content"][0]["text"], "Data of Ann \"A\".");
        for unreadable in [
            json!({"structuredContent": {}}),
            json!({"content": "text"}),
            json!({"content": [{"text": 1}]}),
            json!([]),
        ] {
            assert_eq!(told(&unreadable), None, "{unreadable}");
        }
    }
}
