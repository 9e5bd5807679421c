//! Files and templates as MCP resources.
//!
//! A file is downloaded when it is read; nothing is kept on the server. Its size is limited, because a client holds it
//! in memory and some count it against the conversation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::garmin::files;
use crate::mcp::members::write_string;

/// The start of the URI of every file.
pub(super) const RESOURCE_SCHEME: &str = "garmin://";

/// The largest file that is served, in megabytes.
pub(super) const MOST_MB: usize = 8;
/// A longer text is sent as bytes, because the gateway cuts texts at 150,000 characters.
const LONGEST_TEXT: usize = 100_000;

pub(super) const FORMATS: &[&str] = &["fit", "gpx", "tcx", "csv"];

/// The workout templates of garmin_mcp: address, name and content.
const TEMPLATES: [(&str, &str, &str); 5] = [
    (
        "workout://templates/simple-run",
        "get_simple_run_template",
        include_str!("resources/simple_run.json"),
    ),
    (
        "workout://templates/interval-running",
        "get_interval_template",
        include_str!("resources/interval_running.json"),
    ),
    (
        "workout://templates/tempo-run",
        "get_tempo_template",
        include_str!("resources/tempo_run.json"),
    ),
    (
        "workout://templates/strength-circuit",
        "get_strength_template",
        include_str!("resources/strength_circuit.json"),
    ),
    (
        "workout://reference/structure",
        "get_structure_reference",
        include_str!("resources/structure.json"),
    ),
];

/// The resource that an address names.
#[derive(Debug, PartialEq)]
pub(super) enum ResourceKind {
    /// A text that is part of this program.
    Text(&'static str),
    /// A file at Garmin: its path, and its format.
    File { path: String, format: &'static str },
}

pub(super) fn activity_uri(id: &str, format: &str) -> String {
    format!("garmin://activity/{id}/{format}")
}

/// Garmin's path of an activity in this format.
pub(super) fn activity_path(format: &str, id: &str) -> String {
    if format == "fit" {
        format!("/download-service/files/activity/{id}")
    } else {
        format!("/download-service/export/{format}/activity/{id}")
    }
}

pub(super) fn mime_type(format: &str) -> &'static str {
    match format {
        "fit" => "application/vnd.ant.fit",
        "gpx" => "application/gpx+xml",
        "tcx" => "application/vnd.garmin.tcx+xml",
        _ => "text/csv",
    }
}

/// The resource at an address; `None` if there is none.
pub(super) fn find(uri: &str) -> Option<ResourceKind> {
    if let Some((.., text)) = TEMPLATES.iter().find(|(known, ..)| *known == uri) {
        return Some(ResourceKind::Text(text));
    }
    let mut parts = uri.strip_prefix(RESOURCE_SCHEME)?.split('/');
    let (kind, id, format) = (parts.next()?, parts.next()?, parts.next()?);
    let is_id = !id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit());
    let format = FORMATS.iter().copied().find(|known| *known == format)?;
    let path = match kind {
        "activity" => activity_path(format, id),
        "workout" if format == "fit" => format!("/workout-service/workout/FIT/{id}"),
        _ => return None,
    };
    (is_id && parts.next().is_none()).then_some(ResourceKind::File { path, format })
}

/// The result of `resources/list`.
pub(super) fn list() -> Value {
    let resource = |(uri, name, _): &(&str, &str, &str)| json!({"uri": uri, "name": name, "mimeType": "application/json"});
    json!({"resources": TEMPLATES.iter().map(resource).collect::<Vec<_>>()})
}

/// The result of `resources/templates/list`.
pub(super) fn template_list() -> Value {
    let template = |(format, name): (&str, &str)| {
        json!({
            "uriTemplate": activity_uri("{activity_id}", format),
            "name": name,
            "description": format!("An activity as a {} file, at most {MOST_MB} MB", format.to_uppercase()),
            "mimeType": mime_type(format),
        })
    };
    let names = ["activity_fit", "activity_gpx", "activity_tcx", "activity_csv"];
    let mut templates: Vec<Value> = FORMATS.iter().copied().zip(names).map(template).collect();
    templates.push(json!({
        "uriTemplate": "garmin://workout/{workout_id}/fit",
        "name": "workout_fit",
        "description": "A saved workout as a FIT file",
        "mimeType": mime_type("fit"),
    }));
    json!({"resourceTemplates": templates})
}

/// The result of `resources/read` for a text.
pub(super) fn text(uri: &str, text: &str) -> Value {
    json!({"contents": [{"uri": uri, "mimeType": "application/json", "text": text}]})
}

/// The result of `resources/read` for a file, or the reason why it can't be served. It is written in one piece, because
/// a file of several megabytes would otherwise be in memory several times.
pub(super) fn file(uri: &str, format: &str, downloaded: &[u8]) -> Result<String, String> {
    let file = files::unpack(downloaded).map_err(|error| error.to_string())?;
    if file.len() > MOST_MB * 1024 * 1024 {
        return Err(format!("the file is larger than {MOST_MB} MB"));
    }
    let head = json!({"uri": uri, "mimeType": mime_type(format), "size": file.len()}).to_string();
    let mut result = String::with_capacity(head.len() + file.len() * 4 / 3 + 64);
    result.push_str("{\"contents\":[");
    result.push_str(head.trim_end_matches('}'));
    match std::str::from_utf8(&file) {
        Ok(text) if format != "fit" && text.len() <= LONGEST_TEXT => {
            result.push_str(",\"text\":");
            write_string(&mut result, text);
        }
        _ => {
            result.push_str(",\"blob\":\"");
            STANDARD.encode_string(&file, &mut result);
            result.push('"');
        }
    }
    result.push_str("}]}");
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_files_at_garmin() {
        let path = |uri: &str| match find(uri) {
            Some(ResourceKind::File { path, .. }) => path,
            other => panic!("{uri}: {other:?}"),
        };
        assert_eq!(
            path("garmin://activity/7/fit"),
            "/download-service/files/activity/7"
        );
        assert_eq!(
            path("garmin://activity/7/gpx"),
            "/download-service/export/gpx/activity/7"
        );
        assert_eq!(path("garmin://workout/9/fit"), "/workout-service/workout/FIT/9");
        for wrong in [
            "garmin://activity/7/exe",
            "garmin://activity/../fit",
            "garmin://activity/7x/fit",
            "garmin://activity/7/fit/x",
            "garmin://workout/9/gpx",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_template_is_json() {
        for (uri, _, text) in TEMPLATES {
            assert!(serde_json::from_str::<Value>(text).unwrap().is_object(), "{uri}");
            assert_eq!(find(uri), Some(ResourceKind::Text(text)));
        }
        assert_eq!(list()["resources"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn a_file_is_text_or_bytes_and_bounded() {
        let file = |format: &str, bytes: &[u8]| -> Result<Value, String> {
            file("u", format, bytes).map(|result| serde_json::from_str(&result).unwrap())
        };
        let gpx = file("gpx", b"<gpx/>").unwrap();
        assert_eq!(gpx["contents"][0]["text"], "<gpx/>");
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert!(file("gpx", long.as_bytes()).unwrap()["contents"][0]["blob"].is_string());
        let fit = file("fit", &files::pack::zip("a.fit", b"\x0e\x10")).unwrap();
        assert_eq!(
            fit["contents"][0],
            json!({"uri": "u", "mimeType": "application/vnd.ant.fit", "size": 2, "blob": "DhA="})
        );
        assert!(
            file("fit", &vec![1; MOST_MB * 1024 * 1024 + 1])
                .unwrap_err()
                .contains("larger")
        );
    }
}
