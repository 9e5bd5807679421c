//! MCP Apps (SEP-1865, version 2026-01-26): views that a client shows beside a tool's answer.
//!
//! A view is one HTML document that loads nothing from outside. A tool names the view of its answers in `_meta`; the
//! client reads the document as a resource, shows it in a sandboxed frame, and hands it the answer. The answer itself
//! stays the same, and is complete without the view.
//!
//! The document consists of an HTML frame, the style and scripts that all views share, and a script that draws this
//! view.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::members::{Members, is_object, text, write_string};

/// The name of the extension in the capabilities of a client.
pub const EXTENSION: &str = "io.modelcontextprotocol/ui";
/// The media type of a view.
pub const VIEW_TYPE: &str = "text/html;profile=mcp-app";

/// One view, and the tools whose answers it draws.
#[derive(Debug)]
pub struct View {
    pub uri: &'static str,
    name: &'static str,
    title: &'static str,
    about: &'static str,
    pub tools: &'static [&'static str],
    pub html: &'static str,
}

macro_rules! document {
    ($title:literal, $script:literal) => {
        concat!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
            $title,
            "</title>\n<style>\n",
            include_str!("../../assets/apps/view.css"),
            "</style>\n</head>\n<body>\n<main id=\"view\">\n<h1>",
            $title,
            "</h1>\n<p id=\"status\" role=\"status\">Waiting for the answer …</p>\n<div id=\"drawing\"></div>\n</main>\n",
            "<script>\n'use strict';\n",
            include_str!("../../assets/apps/host.js"),
            include_str!("../../assets/apps/draw.js"),
            include_str!(concat!("../../assets/apps/", $script)),
            "</script>\n</body>\n</html>\n"
        )
    };
}

pub const VIEWS: [View; 4] = [
    View {
        uri: "ui://garmin/night",
        name: "night",
        title: "A night",
        about: "Phases of sleep, heart rate and stress of one night.",
        tools: &["get_sleep_summary", "get_sleep_data"],
        html: document!("Night", "night.js"),
    },
    View {
        uri: "ui://garmin/load",
        name: "load",
        title: "Training load",
        about: "Acute and chronic load, their ratio, and the last weeks of training.",
        tools: &[
            "get_training_overview",
            "get_training_load_trend",
            "get_training_status",
        ],
        html: document!("Training load", "load.js"),
    },
    View {
        uri: "ui://garmin/activity",
        name: "activity",
        title: "An activity",
        about: "Map, curves, laps and heart rate zones of one activity.",
        tools: &["analyze_activity", "get_activity_timeseries"],
        html: document!("Activity", "activity.js"),
    },
    View {
        uri: "ui://garmin/race",
        name: "race",
        title: "A live race",
        about: "How a race stands: state, route, places ahead, and curves.",
        tools: &["get_tracking_status", "get_outlook", "get_timeseries"],
        html: document!("Race", "race.js"),
    },
];

impl View {
    /// The view that has this resource URI.
    pub fn at(uri: &str) -> Option<&'static View> {
        VIEWS.iter().find(|view| view.uri == uri)
    }

    /// The view of a tool's answers.
    pub fn of_tool(tool: &str) -> Option<&'static View> {
        VIEWS.iter().find(|view| view.tools.contains(&tool))
    }

    /// The entry of `resources/list`.
    pub(super) fn listing(&self) -> Value {
        json!({
            "uri": self.uri,
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "mimeType": VIEW_TYPE,
        })
    }

    /// The result of `resources/read`. The document needs no origin but its own, and draws its own border.
    pub fn contents(&self) -> Value {
        json!({"contents": [{
            "uri": self.uri,
            "mimeType": VIEW_TYPE,
            "text": self.html,
            "_meta": {"ui": {"csp": {}, "prefersBorder": false}},
        }]})
    }

    /// A tool's JSON text with this view in `_meta`, under the current key and the older flat one. Other members of
    /// `_meta` are kept.
    pub(super) fn linked(&self, tool: &str) -> String {
        let Some(members) = Members::of(tool) else {
            return tool.to_owned();
        };
        let mut out = String::with_capacity(tool.len() + 120);
        out.push('{');
        for member in members.iter().filter(|member| member.key != "_meta") {
            member.write(&mut out);
            out.push(',');
        }
        out.push_str("\"_meta\":{");
        let meta = members.get("_meta").and_then(|meta| Members::of(meta.get()));
        let meta = meta.unwrap_or_default();
        for member in meta.iter() {
            if !["ui", "ui/resourceUri"].contains(&member.key.as_ref()) {
                member.write(&mut out);
                out.push(',');
            }
        }
        out.push_str("\"ui\":{\"resourceUri\":");
        write_string(&mut out, self.uri);
        out.push_str("},\"ui/resourceUri\":");
        write_string(&mut out, self.uri);
        out.push_str("}}");
        out
    }
}

/// Whether a client's capabilities name the extension, with a media type that a view has.
pub fn are_shown_by(capabilities: Option<&RawValue>) -> bool {
    let extension = || {
        let capabilities = Members::of(capabilities?.get())?;
        let extensions = Members::of(capabilities.get("extensions")?.get())?;
        let extension = extensions.get(EXTENSION).filter(|value| is_object(value))?;
        let Some(types) = Members::of(extension.get())?.get("mimeTypes") else {
            return Some(true);
        };
        let types: Vec<&RawValue> = serde_json::from_str(types.get()).ok()?;
        let is_known = |known: &&RawValue| text(known).is_some_and(|known| is_view_type(&known));
        Some(types.iter().any(is_known))
    };
    extension() == Some(true)
}

/// A media type may be written with a space after the semicolon.
fn is_view_type(text: &str) -> bool {
    text.replace(' ', "").eq_ignore_ascii_case(VIEW_TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Larger documents are slow to show, and some clients refuse them.
    const MOST_BYTES: usize = 60_000;

    fn names(capabilities: &str) -> bool {
        are_shown_by(Some(serde_json::from_str(capabilities).unwrap()))
    }

    #[test]
    fn a_view_is_small_and_needs_nothing_from_outside() {
        for View { uri, html, .. } in &VIEWS {
            assert!(html.len() < MOST_BYTES, "{uri}: {} bytes", html.len());
            assert!(
                uri.starts_with("ui://") && html.starts_with("<!doctype html>"),
                "{uri}"
            );
            // The SVG namespace looks like an address, but nothing loads it.
            let loads = html.replace("http://www.w3.org/2000/svg", "");
            for outside in [
                "http:",
                "https:",
                "src=",
                "href=",
                "@import",
                "url(",
                "fetch(",
                "XMLHttp",
                "WebSocket",
                "eval(",
                "localStorage",
                "cookie",
            ] {
                assert!(!loads.contains(outside), "{uri}: {outside}");
            }
            assert_eq!(html.matches("<script").count(), 1, "{uri}");
            assert_eq!(html.matches("</script").count(), 1, "{uri}");
        }
    }

    #[test]
    fn a_tool_has_one_view() {
        let mut tools: Vec<&str> = VIEWS.iter().flat_map(|view| view.tools).copied().collect();
        let count = tools.len();
        tools.sort_unstable();
        tools.dedup();
        assert_eq!(tools.len(), count);
        assert_eq!(
            View::of_tool("get_tracking_status").unwrap().uri,
            "ui://garmin/race"
        );
        assert!(View::of_tool("get_stats").is_none());
        assert!(View::at("ui://garmin/night").is_some() && View::at("ui://garmin/other").is_none());
    }

    #[test]
    fn the_extension_is_named_with_a_known_type() {
        for (capabilities, expected) in [
            (
                r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}"#,
                true,
            ),
            (
                r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["a/b","text/html; profile=mcp-app"]}}}"#,
                true,
            ),
            (r#"{"extensions":{"io.modelcontextprotocol/ui":{}}}"#, true),
            (
                r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html+other"]}}}"#,
                false,
            ),
            (
                r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":"text/html"}}}"#,
                false,
            ),
            (r#"{"extensions":{"io.modelcontextprotocol/ui":null}}"#, false),
            (r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#, false),
            (r#"{"extensions":[]}"#, false),
            (r#"{"experimental":{"io.modelcontextprotocol/ui":{}}}"#, false),
            ("{}", false),
            ("[]", false),
        ] {
            assert_eq!(names(capabilities), expected, "{capabilities}");
        }
        assert!(!are_shown_by(None));
    }

    #[test]
    fn a_link_keeps_what_the_tool_has() {
        let view = View::at("ui://garmin/night").unwrap();
        for (tool, kept) in [
            (r#"{"name":"a","x":1.0}"#, json!({})),
            (
                r#"{"name":"a","_meta":{"vendor":[1],"ui":{"resourceUri":"ui://other"}},"x":1.0}"#,
                json!({"vendor": [1]}),
            ),
            (r#"{"name":"a","_meta":null,"x":1.0}"#, json!({})),
        ] {
            let linked: Value = serde_json::from_str(&view.linked(tool)).unwrap();
            let mut meta = kept.as_object().unwrap().clone();
            meta.insert("ui".into(), json!({"resourceUri": "ui://garmin/night"}));
            meta.insert("ui/resourceUri".into(), json!("ui://garmin/night"));
            assert_eq!(linked, json!({"name": "a", "x": 1.0, "_meta": meta}), "{tool}");
        }
        assert_eq!(view.contents()["contents"][0]["mimeType"], VIEW_TYPE);
    }
}
