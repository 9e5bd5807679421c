//! The tools about tools: finding those that are not in a person's list, calling them, and choosing the list.
//!
//! A client shows the model only the tools of `tools/list`. A tool that `find_tools` found is therefore called through
//! `use_read_tool` or `use_change_tool`, which differ in what they may do, so that a client asks the person only
//! before a change. A client that can call any name may also call it directly.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::sharing::add_person;
use super::tool_names::{UnknownTool, unknown_choice};
use crate::accounts::{Accounts, HeldGrant};
use crate::config::ToolProfile;
use crate::mcp::{Access, Catalogue, ToolEntry};
use crate::races::RaceCaller;

pub(super) const FIND: &str = "find_tools";
pub(super) const CHOOSE: &str = "choose_tools";
pub(super) const USE_READ: &str = "use_read_tool";
pub(super) const USE_CHANGE: &str = "use_change_tool";

/// Upper bound of tools that one search returns.
const MOST_FOUND: usize = 6;

/// The tools, as entries of `tools/list`.
pub(super) fn listings() -> Vec<Value> {
    let tool = |name: &str, about: &str, properties: Value, required: &[&str]| {
        json!({
            "name": name,
            "description": about,
            "inputSchema": {"type": "object", "properties": properties, "required": required},
        })
    };
    let call = json!({
        "tool": {"type": "string", "description": "The tool's name, from find_tools"},
        "arguments": {"type": "object", "description": "Its arguments, per its inputSchema"},
    });
    vec![
        tool(
            FIND,
            "Find tools that are not in this list by what they do, such as nutrition, solar, badges, swim lengths. Call \
             this before saying that something isn't possible.",
            json!({"query": {"type": "string", "description": "A few words"}}),
            &["query"],
        ),
        tool(
            USE_READ,
            "Call a tool that find_tools found and that only reads.",
            call.clone(),
            &["tool"],
        ),
        tool(
            USE_CHANGE,
            "Call a tool that find_tools found and that changes something.",
            call,
            &["tool"],
        ),
        tool(
            CHOOSE,
            "Set which tools are in this person's list, when they ask for it.",
            json!({"tools": {"type": "string", "description": "core, all, default, or names with commas between them"}}),
            &["tools"],
        ),
    ]
}

/// The tool and the arguments in a call of [`USE_READ`] or [`USE_CHANGE`].
pub(super) struct InnerCall {
    pub(super) tool: String,
    pub(super) arguments: Option<Box<RawValue>>,
}

impl InnerCall {
    pub(super) fn read(arguments: Option<&RawValue>) -> Result<Self, String> {
        let arguments = object(arguments);
        let tool = match arguments.get("tool") {
            Some(Value::String(tool)) => tool.trim().to_owned(),
            _ => return Err("tool is missing: give the name of a tool from find_tools".to_owned()),
        };
        if arguments.get("person").is_some_and(|person| !person.is_null()) {
            return Err("person goes into arguments, next to the tool's own".to_owned());
        }
        let inner = match arguments.get("arguments") {
            None | Some(Value::Null) => None,
            Some(inner @ Value::Object(_)) => to_raw_value(inner).ok(),
            // Some models write the object as a text.
            Some(Value::String(text)) if text.trim_start().starts_with('{') => Some(
                RawValue::from_string(text.trim().to_owned())
                    .map_err(|_| "arguments is not valid JSON".to_owned())?,
            ),
            Some(_) => return Err("arguments must be an object".to_owned()),
        };
        Ok(Self {
            tool,
            arguments: inner,
        })
    }

    /// The `params` of the call for the worker.
    pub(super) fn params(&self) -> Option<Box<RawValue>> {
        let arguments = self.arguments.as_deref().map_or("{}", RawValue::get);
        let name = serde_json::to_string(&self.tool).ok()?;
        RawValue::from_string(format!(r#"{{"name":{name},"arguments":{arguments}}}"#)).ok()
    }
}

/// Whether a tool is in the list of a person with this profile.
///
/// A tool about which nothing is known, such as one of a foreign worker, counts as core. A catalogue that is hardly
/// longer than the core is listed completely.
pub(super) fn is_listed(profile: &ToolProfile, is_short: bool, tool: &ToolEntry) -> bool {
    match profile {
        ToolProfile::All => true,
        ToolProfile::Core => is_short || tool.core,
        ToolProfile::Only(names) => {
            is_about_tools(&tool.name) || names.iter().any(|name| **name == *tool.name)
        }
    }
}

pub(super) fn is_about_tools(name: &str) -> bool {
    [FIND, CHOOSE, USE_READ, USE_CHANGE].contains(&name)
}

/// Answers [`FIND`]: the tools that match `query`, with their schemas. `held`: the grants that this person holds.
pub(super) fn find(
    catalogue: &Catalogue,
    access: Access,
    held: &[HeldGrant],
    arguments: Option<&RawValue>,
) -> Box<RawValue> {
    let arguments = object(arguments);
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let words = words(query);
    if words.is_empty() {
        return failed("query is missing: say in a few words what the tool should do");
    }
    let tools: Vec<(&ToolEntry, Value, Vec<usize>)> = catalogue
        .entries(access)
        .filter(|(tool, _)| !is_about_tools(&tool.name))
        .filter_map(|(tool, text)| {
            let listing: Value = serde_json::from_str(text).ok()?;
            let fits = fits(&words, tool, &listing);
            Some((tool, listing, fits))
        })
        .collect();
    // A word that many tools contain says little about which tool is meant.
    let weights: Vec<f64> = (0..words.len())
        .map(|word| {
            let with_it = tools.iter().filter(|(_, _, fits)| fits.get(word) > Some(&0));
            (tools.len() as f64 / with_it.count().max(1) as f64).ln_1p()
        })
        .collect();
    let score = |fits: &[usize]| {
        let weighted = fits
            .iter()
            .zip(&weights)
            .map(|(fit, weight)| *fit as f64 * weight);
        weighted.sum::<f64>()
    };
    let mut scored: Vec<(f64, &ToolEntry, Value)> = tools
        .into_iter()
        .map(|(tool, listing, fits)| (score(&fits), tool, listing))
        .filter(|(score, _, _)| *score > 0.0)
        .collect();
    scored.sort_by(|a, b| {
        let by_score = b.0.total_cmp(&a.0);
        by_score.then_with(|| (!a.1.read_only, &a.1.name).cmp(&(!b.1.read_only, &b.1.name)))
    });
    let found: Vec<Value> = scored
        .into_iter()
        .take(MOST_FOUND)
        .map(|(_, tool, mut listing)| {
            add_person(tool, &mut listing, held);
            json!({
                "name": *tool.name,
                "call_with": if tool.read_only { USE_READ } else { USE_CHANGE },
                "description": listing.get("description"),
                "inputSchema": listing.get_mut("inputSchema").map(Value::take),
            })
        })
        .collect();
    if found.is_empty() {
        let names: Vec<&str> = catalogue.entries(access).map(|(tool, _)| &*tool.name).collect();
        return told(&json!({"tools": [], "nothing_matches": query, "all_tools": names.join(" ")}));
    }
    told(&json!({"tools": found}))
}

/// How well a tool fits each word: a word in its name counts more than one in its title or description.
fn fits(words: &[String], tool: &ToolEntry, listing: &Value) -> Vec<usize> {
    let about = listing
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let parts = [
        (4, self::words(&tool.name)),
        (3, self::words(&tool.title)),
        (2, self::words(about)),
    ];
    let is_same = |word: &str, other: &str| {
        let common = word
            .chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count();
        common >= 4 && common + 3 >= word.len().max(other.len()) || word == other
    };
    let best = |word: &String| {
        parts
            .iter()
            .filter(|(_, others)| others.iter().any(|other| is_same(word, other)))
            .map(|(weight, _)| *weight)
            .max()
            .unwrap_or(0)
    };
    words.iter().map(best).collect()
}

/// The words of a text, each once, without those that occur in most questions.
fn words(text: &str) -> Vec<String> {
    const EVERYWHERE: [&str; 34] = [
        "a", "an", "and", "any", "anything", "are", "at", "by", "can", "did", "do", "does", "for", "from",
        "get", "has", "have", "how", "i", "in", "is", "it", "me", "my", "of", "on", "show", "that", "the",
        "this", "to", "was", "what", "with",
    ];
    let mut words: Vec<String> = Vec::new();
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() && !EVERYWHERE.contains(&word) && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// Answers [`CHOOSE`]: stores the person's choice of tools.
pub(super) async fn choose(
    catalogue: &Catalogue,
    accounts: &Accounts,
    caller: &RaceCaller,
    arguments: Option<&RawValue>,
) -> Box<RawValue> {
    let arguments = object(arguments);
    let text = arguments
        .get("tools")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim();
    let profile = match read_choice(text) {
        Ok(profile) => profile,
        Err(wrong) => {
            return failed(&format!(
                "tools: {wrong}. Give core, all, default, or names with commas between them."
            ));
        }
    };
    if let Some(UnknownTool { wrong, .. }) = unknown_choice(catalogue, profile.as_ref()) {
        return failed(&format!("tools: {wrong}; find_tools finds tools by what they do"));
    }
    let writing = caller.clone();
    let chosen = accounts.choose_tools(caller.account(), profile, move |tx| writing.may_write(tx));
    match chosen.await {
        Ok(false) => failed("This connection's access has ended. Nothing was changed. Connect again."),
        Ok(true) => told(&json!({
            "tools": text,
            "note": "Set. Clients read the list again the next time they connect; until then, other tools can be called through use_read_tool and use_change_tool.",
        })),
        Err(reason) => {
            tracing::error!(%reason, "tools.not_chosen");
            failed("The choice could not be stored. Try again.")
        }
    }
}

/// Parses a choice of tools; `None` for the gateway's default.
pub fn read_choice(text: &str) -> Result<Option<ToolProfile>, String> {
    if text.trim().eq_ignore_ascii_case("default") {
        return Ok(None);
    }
    ToolProfile::parse(text).map(Some)
}

fn object(arguments: Option<&RawValue>) -> Map<String, Value> {
    arguments
        .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
        .unwrap_or_default()
}

pub(super) fn told(answer: &Value) -> Box<RawValue> {
    let text = answer.to_string();
    result(
        &json!({"content": [{"type": "text", "text": text}], "structuredContent": answer, "isError": false}),
    )
}

pub(super) fn failed(text: &str) -> Box<RawValue> {
    result(&json!({"content": [{"type": "text", "text": text}], "isError": true}))
}

fn result(result: &Value) -> Box<RawValue> {
    to_raw_value(result).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
