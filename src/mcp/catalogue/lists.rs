//! Reads the lists that a catalogue is built from, and builds parts of the lists that it renders.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::CatalogueError;
use crate::mcp::members::{Members, text};
use crate::mcp::prompts::{self, Prompt};
use crate::mcp::views::{VIEWS, View};

/// The items of a list that is given as an array or as the result object around it.
pub(super) fn items<'a>(list: &'a str, name: &'static str) -> Result<Vec<&'a RawValue>, CatalogueError> {
    let array = match Members::of(list) {
        Some(members) => members.get(name).map(RawValue::get),
        None => Some(list),
    };
    array
        .and_then(|array| serde_json::from_str(array).ok())
        .ok_or(CatalogueError::NotAList(name))
}

/// The gateway's prompts whose tools all exist, and their JSON texts.
pub(super) fn own_prompts(has_tool: impl Fn(&str) -> bool) -> (Vec<Prompt>, Vec<String>) {
    let has_tools = |prompt: &Prompt| prompt.tools.iter().all(|tool| has_tool(tool));
    let prompts: Vec<Prompt> = prompts::built_in().into_iter().filter(has_tools).collect();
    let texts = prompts
        .iter()
        .map(|prompt| prompt.listing().to_string())
        .collect();
    (prompts, texts)
}

/// The views whose tools exist, followed by a worker's resources.
pub(super) fn with_views(resources: &[&RawValue], has_tool: impl Fn(&str) -> bool) -> String {
    let mut list = String::new();
    for view in VIEWS.iter().filter(|view| is_used(view, &has_tool)) {
        append(&mut list, &view.listing().to_string());
    }
    for resource in resources {
        append(&mut list, resource.get());
    }
    list
}

/// Whether there is a tool whose answers the view draws.
pub(super) fn is_used(view: &View, has_tool: impl Fn(&str) -> bool) -> bool {
    view.tools.iter().any(|tool| has_tool(tool))
}

pub(super) fn append(list: &mut String, item: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(item);
}

pub(super) fn joined(items: &[&RawValue]) -> String {
    items.iter().map(|item| item.get()).collect::<Vec<_>>().join(",")
}

pub(super) fn named(items: &[&RawValue], key: &str) -> Vec<String> {
    items
        .iter()
        .filter_map(|item| {
            Members::of(item.get())?
                .get(key)
                .and_then(text)
                .map(Cow::into_owned)
        })
        .collect()
}
