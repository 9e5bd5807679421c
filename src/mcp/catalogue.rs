//! What the server offers: tools, resources and prompts, rendered once, so that a list costs a copy.
//!
//! Built from the lists of a worker (or the built-in ones), the gateway's own tools, and the [`Overlay`].
//!
//! # Invariants
//!
//! - A tool that nobody classified counts as one that changes data: a read-only connection neither sees nor calls
//!   it.
//! - The gateway's own tools ([`Lists::own_tools`]) don't touch Garmin: they are offered to every connection. That
//!   goes by where a
//!   tool comes from, never by its name; a worker's tool of the same name is left out.
//! - Whatever the overlay does not set comes out byte for byte, in the worker's order.

mod overlay;
mod render;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde_json::value::RawValue;

pub use overlay::{Classified, Effect, Overlay};

use super::{
    Access, Method,
    answer::modern_list,
    members::{Members, text},
    revision::Era,
};

/// Claude drops a tool silently whose input schema is larger, in bytes.
const SCHEMA_LIMIT: usize = 16_384;

/// The lists that a catalogue is made of, each the JSON text of an array, or of a list result that holds it.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    /// The worker's tools.
    pub tools: &'a str,
    /// The worker's resources.
    pub resources: &'a str,
    /// The worker's resource templates.
    pub resource_templates: &'a str,
    /// The worker's prompts.
    pub prompts: &'a str,
    /// The gateway's own tools.
    pub own_tools: &'a str,
}

impl<'a> Lists<'a> {
    /// The lists of a worker that has tools and resources only.
    pub fn new(tools: &'a str, resources: &'a str) -> Self {
        Lists {
            tools,
            resources,
            resource_templates: "[]",
            prompts: "[]",
            own_tools: "[]",
        }
    }
}

/// All that is offered, and the rendered lists of it.
#[derive(Debug)]
pub struct Catalogue {
    tools: HashMap<Arc<str>, ToolEntry>,
    uris: Vec<String>,
    has_templates: bool,
    prompts: Vec<String>,
    views: [View; 2],
    unusable: Vec<String>,
}

/// One tool.
#[derive(Debug, Clone)]
pub struct ToolEntry {
    /// Its name.
    pub name: Arc<str>,
    /// Its name for people.
    pub title: String,
    /// It changes nothing: it may be repeated, and read-only connections may call it.
    pub read_only: bool,
    /// The gateway answers it, no worker.
    pub own: bool,
}

/// A list could not be read. *The operator* can act (a wrong worker command).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not an array of objects.
    #[error("the list of {0} is not one")]
    NotAList(&'static str),
    /// The overlay is damaged.
    #[error("the catalogue overlay can't be read: {0}")]
    Overlay(String),
}

/// The list results of one era. Tools differ by access.
#[derive(Debug)]
struct View {
    tools: [String; 2],
    resources: String,
    resource_templates: String,
    prompts: String,
}

impl ToolEntry {
    /// May a connection with this access call it?
    pub fn allowed(&self, access: Access) -> bool {
        self.own || self.read_only || access == Access::ReadAndChange
    }
}

impl Catalogue {
    /// Builds the catalogue. `server` is the JSON text of our `serverInfo`.
    pub fn from_lists(lists: Lists<'_>, overlay: &Overlay, server: &str) -> Result<Self, CatalogueError> {
        let mut tools = HashMap::new();
        let mut all = String::new();
        let mut reading = String::new();
        let mut unusable = Vec::new();
        for (list, own) in [(lists.own_tools, true), (lists.tools, false)] {
            for tool in items(list, "tools")? {
                let Some((entry, rendered)) = tool_of(tool, overlay, own) else {
                    continue;
                };
                if tools.contains_key(&entry.name) {
                    continue;
                }
                if schema_length(tool) > SCHEMA_LIMIT {
                    unusable.push(entry.name.to_string());
                }
                append(&mut all, &rendered);
                if entry.allowed(Access::ReadOnly) {
                    append(&mut reading, &rendered);
                }
                tools.insert(entry.name.clone(), entry);
            }
        }
        let resources = items(lists.resources, "resources")?;
        let templates = items(lists.resource_templates, "resourceTemplates")?;
        let prompts = items(lists.prompts, "prompts")?;
        let list = |name: &str, items: &str| format!("\"{name}\":[{items}]");
        let members = [
            list("tools", &reading),
            list("tools", &all),
            list("resources", &joined(&resources)),
            list("resourceTemplates", &joined(&templates)),
            list("prompts", &joined(&prompts)),
        ];
        let modern = members.each_ref().map(|members| modern_list(members, server));
        let legacy = members.map(|members| format!("{{{members}}}"));
        Ok(Catalogue {
            tools,
            uris: named(&resources, "uri"),
            has_templates: !templates.is_empty(),
            prompts: named(&prompts, "name"),
            views: [legacy, modern].map(|[reading, all, resources, resource_templates, prompts]| View {
                tools: [reading, all],
                resources,
                resource_templates,
                prompts,
            }),
            unusable,
        })
    }

    /// The tool of this name.
    pub fn find(&self, name: &str) -> Option<&ToolEntry> {
        self.tools.get(name)
    }

    /// How many tools a connection with this access sees.
    pub fn count(&self, access: Access) -> usize {
        self.tools.values().filter(|tool| tool.allowed(access)).count()
    }

    /// Tools whose input schema is so large that Claude drops them without a word.
    pub fn unusable(&self) -> &[String] {
        &self.unusable
    }

    /// Could a resource of this URI exist?
    pub fn may_have_resource(&self, uri: &str) -> bool {
        self.has_templates || self.uris.iter().any(|known| known == uri)
    }

    /// Does a prompt of this name exist?
    pub fn has_prompt(&self, name: &str) -> bool {
        self.prompts.iter().any(|known| known == name)
    }

    /// Is there anything whose arguments could be completed?
    pub fn completes(&self) -> bool {
        self.has_templates || !self.prompts.is_empty()
    }

    /// The result of a list method, as JSON text; `None` for any other method.
    pub fn list(&self, method: Method, era: Era, access: Access) -> Option<&str> {
        let [legacy, modern] = &self.views;
        let view = if era == Era::Modern { modern } else { legacy };
        let [reading, all] = &view.tools;
        Some(match method {
            Method::ListTools if access == Access::ReadOnly => reading,
            Method::ListTools => all,
            Method::ListResources => &view.resources,
            Method::ListResourceTemplates => &view.resource_templates,
            Method::ListPrompts => &view.prompts,
            _ => return None,
        })
    }
}

/// Splits a list, given as an array or as the result object that holds it, into its items.
fn items<'a>(list: &'a str, name: &'static str) -> Result<Vec<&'a RawValue>, CatalogueError> {
    let array = match Members::of(list) {
        Some(members) => members.get(name).map(RawValue::get),
        None => Some(list),
    };
    array
        .and_then(|array| serde_json::from_str(array).ok())
        .ok_or(CatalogueError::NotAList(name))
}

/// A tool without a name is none.
fn tool_of(tool: &RawValue, overlay: &Overlay, own: bool) -> Option<(ToolEntry, String)> {
    let members = Members::of(tool.get())?;
    let name = members.get("name").and_then(text)?;
    let classified = overlay.find(&name, own);
    let title = match &classified {
        Some(classified) => classified.title.clone(),
        None => members
            .get("title")
            .and_then(text)
            .map_or_else(|| name.to_string(), Cow::into_owned),
    };
    let entry = ToolEntry {
        name: name.as_ref().into(),
        title,
        read_only: classified
            .as_ref()
            .is_some_and(|classified| classified.effect == Effect::Read),
        own,
    };
    let rendered = match classified {
        Some(classified) => render::tool(&members, classified),
        None => tool.get().to_owned(),
    };
    Some((entry, rendered))
}

fn schema_length(tool: &RawValue) -> usize {
    Members::of(tool.get())
        .and_then(|tool| tool.get("inputSchema"))
        .map_or(0, |schema| schema.get().len())
}

fn append(list: &mut String, item: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(item);
}

fn joined(items: &[&RawValue]) -> String {
    items.iter().map(|item| item.get()).collect::<Vec<_>>().join(",")
}

fn named(items: &[&RawValue], key: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests;
