//! The tools, resources and prompts of the server. Lists are rendered once, so a response costs only a copy.
//!
//! A catalogue is built from a worker's lists, the gateway's own tools and the [`Overlay`].
//!
//! # Invariants
//!
//! - A tool that the overlay does not know is treated as one that changes data. A read-only connection can neither see
//!   nor call it.
//! - The gateway's own tools ([`Lists::own_tools`]) are offered to every connection, except those that need change
//!   access. The origin of a tool decides this, not its name. A worker's tool with the name of an own tool is omitted.
//! - Members that the overlay does not set are kept byte for byte, in the worker's order. The exceptions are schemas
//!   that some clients would refuse: `schema` rewrites them.

mod data_group;
mod error;
mod lists;
mod overlay;
mod render;
pub(crate) mod schema;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde_json::value::RawValue;

pub use data_group::{DataGroup, ToolSharing};
pub use error::CatalogueError;
use lists::{append, is_used, items, joined, named, own_prompts, with_views};
pub use overlay::{Classified, Overlay, ToolEffect};

use super::access::Access;
use super::{
    answer::modern_list,
    members::{Members, text},
    prompts::Prompt,
    revision::{Era, McpMethod},
    views::View,
};

/// The largest input schema in bytes that Claude accepts. It silently drops tools with larger ones.
const SCHEMA_LIMIT: usize = 16_384;

/// A catalogue that exceeds the core by at most this many tools is listed completely.
const SHORT_SLACK: usize = 8;

/// The input of a catalogue. Each list is the JSON text of an array, or of the list result that contains it.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    pub tools: &'a str,
    pub resources: &'a str,
    pub resource_templates: &'a str,
    pub prompts: &'a str,
    /// The gateway's own tools. The other lists are the worker's.
    pub own_tools: &'a str,
}

impl<'a> Lists<'a> {
    /// The lists of a worker that has only tools and resources.
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

#[derive(Debug)]
pub struct Catalogue {
    tools: HashMap<Arc<str>, ToolEntry>,
    /// The tools in the order of the list.
    texts: Vec<ToolText>,
    /// Whether the list is hardly longer than the core, by at most [`SHORT_SLACK`] tools.
    is_short: bool,
    server: String,
    uris: Vec<String>,
    has_templates: bool,
    /// The names of the worker's prompts.
    prompts: Vec<String>,
    own_prompts: Vec<Prompt>,
    /// Rendered for legacy clients, then for modern ones.
    rendered: [RenderedLists; 2],
    too_large: Vec<String>,
}

/// The JSON text of a tool.
#[derive(Debug)]
struct ToolText {
    name: Arc<str>,
    whole: String,
    /// Without the output schema, if it has one.
    brief: Option<String>,
}

/// The facts about a tool that the gateway needs during a call.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts about a tool"
)]
pub struct ToolEntry {
    pub name: Arc<str>,
    /// The display name of the tool.
    pub title: String,
    /// Whether the tool changes nothing. It may then be retried after a failure, and read-only connections may call it.
    pub read_only: bool,
    /// Whether the gateway answers calls itself, without a worker.
    pub own: bool,
    /// Whether it is listed unless a person chooses otherwise.
    pub core: bool,
    /// Who may use it on a person's data.
    pub sharing: ToolSharing,
    /// Whether a call needs change access although the gateway answers it. The overlay gives such tools the effect
    /// `delete`.
    changes_garmin: bool,
}

/// The list results of one era, as JSON text.
#[derive(Debug)]
struct RenderedLists {
    /// The tools for read-only connections, then those for all others.
    tools: [String; 2],
    resources: String,
    /// The views, then all other resources.
    resources_with_views: String,
    resource_templates: String,
    prompts: String,
}

/// How much a tool list says about each tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListForm {
    /// Whether output schemas are left out.
    pub is_brief: bool,
    /// Whether tools name their views.
    pub has_views: bool,
}

impl ToolEntry {
    pub fn allowed(&self, access: Access) -> bool {
        (self.own && !self.changes_garmin) || self.read_only || access == Access::ReadAndChange
    }
}

impl Catalogue {
    /// `server` is the JSON text of the gateway's `serverInfo`.
    pub fn from_lists(lists: Lists<'_>, overlay: &Overlay, server: &str) -> Result<Self, CatalogueError> {
        let mut tools = HashMap::new();
        let mut all = String::new();
        let mut reading = String::new();
        let mut texts = Vec::new();
        let mut too_large = Vec::new();
        for (list, own) in [(lists.own_tools, true), (lists.tools, false)] {
            for tool in items(list, "tools")? {
                let Some((entry, rendered)) = tool_of(tool, overlay, own) else {
                    continue;
                };
                if tools.contains_key(&entry.name) {
                    continue;
                }
                if schema_length(tool) > SCHEMA_LIMIT {
                    too_large.push(entry.name.to_string());
                }
                append(&mut all, &rendered);
                if entry.allowed(Access::ReadOnly) {
                    append(&mut reading, &rendered);
                }
                texts.push(ToolText {
                    name: entry.name.clone(),
                    brief: render::without_output_schema(&rendered),
                    whole: rendered,
                });
                tools.insert(entry.name.clone(), entry);
            }
        }
        let has_tool = |name: &str| tools.contains_key(name);
        let resources = items(lists.resources, "resources")?;
        let templates = items(lists.resource_templates, "resourceTemplates")?;
        let prompts = items(lists.prompts, "prompts")?;
        let (own_prompts, own_prompt_texts) = own_prompts(has_tool);
        let is_foreign = |prompt: &&&RawValue| {
            named(&[**prompt], "name")
                .iter()
                .all(|name| own_prompts.iter().all(|own| own.name != name))
        };
        let prompts: Vec<&RawValue> = prompts.iter().filter(is_foreign).copied().collect();
        let all_prompts = [
            own_prompt_texts,
            prompts.iter().map(|prompt| prompt.get().to_owned()).collect(),
        ]
        .concat();
        let list = |name: &str, items: &str| format!("\"{name}\":[{items}]");
        let members = [
            list("tools", &reading),
            list("tools", &all),
            list("resources", &joined(&resources)),
            list("resources", &with_views(&resources, has_tool)),
            list("resourceTemplates", &joined(&templates)),
            list("prompts", &all_prompts.join(",")),
        ];
        let modern = members.each_ref().map(|members| modern_list(members, server));
        let legacy = members.map(|members| format!("{{{members}}}"));
        Ok(Catalogue {
            is_short: tools.len() <= overlay.core_size() + SHORT_SLACK,
            tools,
            texts,
            server: server.to_owned(),
            own_prompts,
            uris: named(&resources, "uri"),
            has_templates: !templates.is_empty(),
            prompts: named(&prompts, "name"),
            rendered: [legacy, modern].map(
                |[
                    reading,
                    all,
                    resources,
                    resources_with_views,
                    resource_templates,
                    prompts,
                ]| {
                    RenderedLists {
                        tools: [reading, all],
                        resources,
                        resources_with_views,
                        resource_templates,
                        prompts,
                    }
                },
            ),
            too_large,
        })
    }

    pub fn find(&self, name: &str) -> Option<&ToolEntry> {
        self.tools.get(name)
    }

    /// The number of tools that a connection with this access sees.
    pub fn count(&self, access: Access) -> usize {
        self.tools.values().filter(|tool| tool.allowed(access)).count()
    }

    /// The tools that a connection with this access may call, in the order of the list, each with its JSON text.
    pub fn entries(&self, access: Access) -> impl Iterator<Item = (&ToolEntry, &str)> {
        self.texts
            .iter()
            .filter_map(|text| Some((self.tools.get(&text.name)?, text.whole.as_str())))
            .filter(move |(tool, _)| tool.allowed(access))
    }

    /// The names of the worker's tools that may change something.
    pub fn changes(&self) -> impl Iterator<Item = &str> {
        let tools = self.tools.values().filter(|tool| !tool.own && !tool.read_only);
        tools.map(|tool| &*tool.name)
    }

    /// Whether the catalogue is hardly longer than the core, so that every list has all of its tools.
    pub fn is_short(&self) -> bool {
        self.is_short
    }

    /// The result of `tools/list` with only some of the tools, as JSON text.
    pub fn list_some(
        &self,
        era: Era,
        access: Access,
        form: ListForm,
        is_listed: impl Fn(&ToolEntry) -> bool,
    ) -> String {
        let mut tools = String::new();
        for text in &self.texts {
            let tool = self.tools.get(&text.name);
            if tool.is_some_and(|tool| tool.allowed(access) && is_listed(tool)) {
                let brief = text.brief.as_ref().filter(|_| form.is_brief);
                let text_of_tool = brief.unwrap_or(&text.whole);
                match View::of_tool(&text.name).filter(|_| form.has_views) {
                    Some(view) => append(&mut tools, &view.linked(text_of_tool)),
                    None => append(&mut tools, text_of_tool),
                }
            }
        }
        let members = format!("\"tools\":[{tools}]");
        match era {
            Era::Modern => modern_list(&members, &self.server),
            Era::Legacy => format!("{{{members}}}"),
        }
    }

    /// One of the gateway's own prompts.
    pub fn own_prompt(&self, name: &str) -> Option<&Prompt> {
        self.own_prompts.iter().find(|prompt| prompt.name == name)
    }

    /// The names of tools whose input schema exceeds Claude's limit.
    pub fn too_large(&self) -> &[String] {
        &self.too_large
    }

    /// Whether a resource may exist. With resource templates, any URI may.
    pub fn may_have_resource(&self, uri: &str) -> bool {
        self.has_templates || self.uris.iter().any(|known| known == uri)
    }

    pub fn has_prompt(&self, name: &str) -> bool {
        self.prompts.iter().any(|known| known == name)
    }

    /// Whether there are prompts or templates, whose arguments a worker could complete.
    pub fn completes(&self) -> bool {
        self.has_templates || !self.prompts.is_empty()
    }

    /// The result of `resources/list` with the views, as JSON text.
    pub fn resources_with_views(&self, era: Era) -> &str {
        let [legacy, modern] = &self.rendered;
        let lists = if era == Era::Modern { modern } else { legacy };
        &lists.resources_with_views
    }

    /// The view at an address, if there is a tool whose answers it draws.
    pub fn view(&self, uri: &str) -> Option<&'static View> {
        View::at(uri).filter(|view| is_used(view, |tool| self.tools.contains_key(tool)))
    }

    /// The result of a list method, as JSON text. `None` for any other method.
    pub fn list(&self, method: McpMethod, era: Era, access: Access) -> Option<&str> {
        let [legacy, modern] = &self.rendered;
        let lists = if era == Era::Modern { modern } else { legacy };
        let [reading, all] = &lists.tools;
        Some(match method {
            McpMethod::ListTools if access == Access::ReadOnly => reading,
            McpMethod::ListTools => all,
            McpMethod::ListResources => &lists.resources,
            McpMethod::ListResourceTemplates => &lists.resource_templates,
            McpMethod::ListPrompts => &lists.prompts,
            _ => return None,
        })
    }
}

/// Returns `None` for a tool without a name.
fn tool_of(tool: &RawValue, overlay: &Overlay, own: bool) -> Option<(ToolEntry, String)> {
    let members = Members::of(tool.get())?;
    let name = members.get("name").and_then(text)?;
    let classified = overlay.find(&name, own).map(|known| as_declared(known, &members));
    let classified = classified.as_deref();
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
            .is_some_and(|classified| classified.effect == ToolEffect::Read),
        own,
        core: overlay.is_core(&name, classified),
        sharing: classified.map_or(ToolSharing::Unknown, |known| {
            known.group.unwrap_or(ToolSharing::Owner)
        }),
        changes_garmin: classified
            .as_ref()
            .is_some_and(|classified| classified.effect == ToolEffect::Delete),
    };
    Some((entry, render::tool(tool, &members, classified)))
}

/// A tool that changes the worker's machine in one worker may only read in another, which then declares `readOnlyHint`.
fn as_declared<'a>(known: &'a Classified, tool: &Members<'_>) -> Cow<'a, Classified> {
    let declares_reading = || {
        let annotations = Members::of(tool.get("annotations")?.get())?;
        Some(annotations.get("readOnlyHint")?.get() == "true")
    };
    if known.effect == ToolEffect::Local && declares_reading() == Some(true) {
        return Cow::Owned(Classified {
            effect: ToolEffect::Read,
            ..known.clone()
        });
    }
    Cow::Borrowed(known)
}

fn schema_length(tool: &RawValue) -> usize {
    Members::of(tool.get())
        .and_then(|tool| tool.get("inputSchema"))
        .map_or(0, |schema| schema.get().len())
}

#[cfg(test)]
mod tests;
