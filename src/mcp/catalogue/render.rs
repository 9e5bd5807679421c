//! Adds title and annotations to a tool's JSON text.

use serde_json::value::RawValue;

use crate::mcp::members::{Members, write_string};

use super::overlay::{Classified, ToolEffect};
use super::schema;

/// The tool's JSON text with the overlay's `title` and `annotations`, which replace the worker's own. If the worker has
/// none, the title is inserted after the name, and the annotations at the end. An `inputSchema` that some clients would
/// refuse is rewritten; such an `outputSchema` is omitted. All other members, and hints that the overlay does not set,
/// are unchanged.
pub(super) fn tool(tool: &RawValue, members: &Members<'_>, classified: Option<&Classified>) -> String {
    let input = members.get("inputSchema").and_then(schema::simplified);
    let drops_output = members
        .get("outputSchema")
        .is_some_and(|output| !schema::is_simple(output));
    if classified.is_none() && input.is_none() && !drops_output {
        return tool.get().to_owned();
    }
    let has = |key: &str| members.get(key).is_some();
    let mut out = String::from("{");
    for member in members.iter() {
        match (member.key.as_ref(), classified) {
            ("title", Some(classified)) => title(separate(&mut out), &classified.title),
            ("annotations", Some(classified)) => annotations(separate(&mut out), members, classified),
            ("inputSchema", _) if input.is_some() => {
                separate(&mut out).push_str("\"inputSchema\":");
                out.push_str(input.as_deref().unwrap_or_default());
            }
            ("outputSchema", _) if drops_output => {}
            ("name", Some(classified)) if !has("title") => {
                member.write(separate(&mut out));
                title(separate(&mut out), &classified.title);
            }
            _ => member.write(separate(&mut out)),
        }
    }
    if let Some(classified) = classified.filter(|_| !has("annotations")) {
        annotations(separate(&mut out), members, classified);
    }
    out.push('}');
    out
}

/// A tool's JSON text without its `outputSchema`; `None` if it has none.
pub(super) fn without_output_schema(tool: &str) -> Option<String> {
    let members = Members::of(tool)?;
    members.get("outputSchema")?;
    let mut out = String::from("{");
    for member in members
        .iter()
        .filter(|member| member.key.as_ref() != "outputSchema")
    {
        member.write(separate(&mut out));
    }
    out.push('}');
    Some(out)
}

fn title(out: &mut String, text: &str) {
    out.push_str("\"title\":");
    write_string(out, text);
}

fn annotations(out: &mut String, members: &Members<'_>, classified: &Classified) {
    let reads = classified.effect == ToolEffect::Read;
    out.push_str("\"annotations\":{");
    title(out, &classified.title);
    hint(out, "readOnlyHint", reads);
    if !reads {
        hint(out, "destructiveHint", classified.effect == ToolEffect::Delete);
        hint(out, "idempotentHint", classified.idempotent);
    }
    let own = members
        .get("annotations")
        .and_then(|own| Members::of(own.get()))
        .unwrap_or_default();
    for member in own.iter() {
        if !["title", "readOnlyHint", "destructiveHint", "idempotentHint"].contains(&member.key.as_ref()) {
            out.push(',');
            member.write(out);
        }
    }
    out.push('}');
}

fn hint(out: &mut String, name: &str, value: bool) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str(if value { "\":true" } else { "\":false" });
}

fn separate(out: &mut String) -> &mut String {
    if !out.ends_with('{') {
        out.push(',');
    }
    out
}
