//! The argument `person` of a call: whose data the call reads, and whether a grant allows it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::Sharing;
use crate::accounts::{AccountId, DataGrant, GrantSides, HeldGrant, NotGranted, decide};
use crate::gateway::admission::{Caller, CallerScope};
use crate::gateway::route::{Route, WorkerQuestion};
use crate::mcp::members::Members;
use crate::mcp::{Catalogue, DataGroup, ToolEntry, ToolSharing};
use crate::races::RaceCaller;
use crate::tools;

/// The argument that names whose data a call reads.
pub(super) const PERSON: &str = "person";

/// A call that reads another member's data.
#[derive(Clone, Debug)]
pub(in crate::gateway) struct SharedRead {
    pub(in crate::gateway) sides: GrantSides,
    /// The name under which the caller sees the granter.
    pub(in crate::gateway) name: String,
    pub(super) ends_at: Timestamp,
    pub(super) wanted: Vec<DataGroup>,
}

impl SharedRead {
    /// Whose data the call reads.
    pub(in crate::gateway) fn granter(&self) -> &AccountId {
        &self.sides.granter
    }

    /// Logs the use of the grant, as a record of who saw what.
    pub(in crate::gateway) fn tell_used(&self, route: &Route<'_>) {
        if let Route::Worker(WorkerQuestion { tool: Some(tool), .. }) | Route::OwnTool { tool, .. } = route {
            tracing::info!(
                account.id = %self.sides.granter, to.id = %self.sides.grantee, tool = %tool, "grant.used"
            );
        }
    }

    /// The text when the grant ended during the call.
    pub(in crate::gateway) fn ended_text(&self) -> String {
        format!(
            "{}'s grant to this person ended during the call, so the answer is not shown. list_grants shows what can be \
             seen now.",
            self.name
        )
    }

    /// The text when only the granter can mend the link to Garmin.
    pub(in crate::gateway) fn broken_link_text(&self, link: &str) -> String {
        format!(
            "The link between {0} and Garmin is broken, so none of their data can be read now. {0} must sign in at Garmin again, \
             at {link}; all this person can do is tell {0}. Nothing was changed.",
            self.name
        )
    }
}

impl Sharing {
    /// Directs a call with `person` to the granter if a grant allows it, and otherwise refuses it with the reason. A
    /// call without `person` is left unchanged.
    pub(in crate::gateway) fn directed<'o>(
        &self,
        caller: &Caller,
        catalogue: &Catalogue,
        route: Route<'o>,
    ) -> (Route<'o>, Option<SharedRead>) {
        let Some((tool, mut arguments)) = arguments_with_person(&route) else {
            return (route, None);
        };
        let Some(entry) = catalogue.find(&tool) else {
            return (route, None);
        };
        // A foreign worker's tool may have an argument of its own with this name.
        if entry.sharing == ToolSharing::Unknown {
            return (route, None);
        }
        let Some(person) = arguments.shift_remove(PERSON).filter(|person| !person.is_null()) else {
            return (with_arguments(route, &tool, &arguments), None);
        };
        match self.read(caller, entry, &person, &arguments) {
            Ok(read) => (with_arguments(route, &tool, &arguments), Some(read)),
            Err(text) => (Route::Denied { tool, text }, None),
        }
    }

    /// Error: why the call is not within a grant, and how to get one.
    fn read(
        &self,
        caller: &Caller,
        entry: &ToolEntry,
        person: &Value,
        arguments: &Map<String, Value>,
    ) -> Result<SharedRead, String> {
        let CallerScope::Tools(RaceCaller::SignIn(account, _)) = &caller.scope else {
            return Err("person: this token reaches one person only. Leave person out.".to_owned());
        };
        let Some(wanted) = wanted(entry.sharing, arguments) else {
            return Err(format!(
                "person: “{}” works on this person's own data only; others can only let them read. Leave person out.",
                entry.title
            ));
        };
        let Some(person) = person.as_str() else {
            return Err(
                "person: must be a name; list_grants shows whose data this person may see.".to_owned(),
            );
        };
        let held = self.held(account);
        match decide(&held, person, &wanted, self.clock.now()) {
            Ok(HeldGrant { granter, grant }) => Ok(SharedRead {
                sides: GrantSides {
                    granter: granter.clone(),
                    grantee: account.clone(),
                },
                name: grant.name.clone(),
                ends_at: grant.ends_at,
                wanted,
            }),
            Err(not) => Err(self.refusal(&not, person, entry, &held)),
        }
    }

    fn refusal(&self, not: &NotGranted, person: &str, entry: &ToolEntry, held: &[HeldGrant]) -> String {
        let person: String = person.chars().take(60).collect();
        let ask = |group: &str| {
            format!(
                "To see it, this person asks them to say to their Claude “let … see my {group} until …”, with the e-mail that \
                 this person uses here, or to do it on their page, {}.",
                self.page
            )
        };
        match not {
            NotGranted::Nobody => {
                let seen: Vec<String> = held
                    .iter()
                    .map(|one| format!("{} ({})", one.grant.name, one.grant.groups_text()))
                    .collect();
                let seen = if seen.is_empty() {
                    "nobody lets this person see anything at present".to_owned()
                } else {
                    format!("those who let this person see something are {}", seen.join("; "))
                };
                let group = match entry.sharing {
                    ToolSharing::Group(group) => group.name(),
                    _ => "…",
                };
                format!(
                    "person: nobody called “{person}” lets this person see anything: {seen}. {}",
                    ask(group)
                )
            }
            NotGranted::Group(group) => {
                let grant = held
                    .iter()
                    .find(|one| one.grant.name.to_lowercase() == person.trim().to_lowercase());
                let seen = grant.map_or_else(String::new, |one| one.grant.groups_text());
                let metrics = match (entry.sharing, grant) {
                    (ToolSharing::ByMetric, Some(one)) => metrics_text(&one.grant),
                    _ => String::new(),
                };
                format!(
                    "person: {person} lets this person see {seen}, and “{}” needs {group}.{metrics} {}",
                    entry.title,
                    ask(group.name())
                )
            }
        }
    }
}

/// The metrics that a member can name in a question, as a sentence.
fn metrics_text(grant: &DataGrant) -> String {
    let metrics: Vec<&str> = tools::metric_groups()
        .filter(|(_, group)| grant.covers(*group))
        .map(|(name, _)| name)
        .collect();
    if metrics.is_empty() {
        return String::new();
    }
    format!(" metric can be {}.", metrics.join(", "))
}

/// Whether a member can use a tool on the granter's data at all.
pub(super) fn is_usable(sharing: ToolSharing, grant: &DataGrant) -> bool {
    match sharing {
        ToolSharing::Group(group) => grant.covers(group),
        ToolSharing::ByMetric => tools::metric_groups().any(|(_, group)| grant.covers(group)),
        ToolSharing::Owner | ToolSharing::Unknown => false,
    }
}

/// The groups that a call of a tool reads; `None` if the tool is for the person alone.
fn wanted(sharing: ToolSharing, arguments: &Map<String, Value>) -> Option<Vec<DataGroup>> {
    match sharing {
        ToolSharing::Owner | ToolSharing::Unknown => None,
        ToolSharing::Group(group) => Some(vec![group]),
        // Without a metric, a question uses its default metric or all of them.
        ToolSharing::ByMetric if !arguments.contains_key("metric") => Some(vec![DataGroup::Everything]),
        ToolSharing::ByMetric => {
            let named = tools::METRIC_ARGUMENTS
                .iter()
                .filter_map(|name| arguments.get(*name));
            let group = |value: &Value| {
                let name = value.as_str().unwrap_or_default();
                let known = tools::metric_groups().find(|(metric, _)| *metric == name);
                known.map_or(DataGroup::Everything, |(_, group)| group)
            };
            Some(named.map(group).collect())
        }
    }
}

/// The tool and the arguments of a call that has `person`.
fn arguments_with_person(route: &Route<'_>) -> Option<(Arc<str>, Map<String, Value>)> {
    let of_params = |params: &Option<Box<RawValue>>| {
        let params = Members::of(params.as_deref()?.get())?;
        let arguments = params.get("arguments")?;
        Some(arguments.to_owned())
    };
    let (tool, arguments) = match route {
        Route::Worker(WorkerQuestion {
            tool: Some(tool),
            params,
            ..
        }) => (tool, of_params(params)?),
        Route::OwnTool { tool, arguments } => (tool, arguments.clone()?),
        _ => return None,
    };
    Members::of(arguments.get())?.get(PERSON)?;
    let arguments = serde_json::from_str(arguments.get()).ok()?;
    Some((tool.clone(), arguments))
}

/// The same route with these arguments.
fn with_arguments<'o>(route: Route<'o>, tool: &Arc<str>, arguments: &Map<String, Value>) -> Route<'o> {
    match route {
        Route::Worker(question) => Route::Worker(WorkerQuestion {
            params: to_raw_value(&json!({"name": **tool, "arguments": arguments})).ok(),
            ..question
        }),
        Route::OwnTool { tool, .. } => Route::OwnTool {
            tool,
            arguments: to_raw_value(arguments).ok(),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_reads_the_groups_of_its_metrics() {
        let wanted = |arguments: Value| {
            let arguments = arguments.as_object().cloned().unwrap();
            wanted(ToolSharing::ByMetric, &arguments).unwrap()
        };
        assert_eq!(wanted(json!({"metric": "steps"})), [DataGroup::Steps]);
        assert_eq!(
            wanted(json!({"metric": "vo2_max", "other": "sleep", "lag_days": 1})),
            [DataGroup::Training, DataGroup::Sleep]
        );
        // A missing metric, and a value that another parser might read as a metric, need the group of everything.
        for unclear in [
            json!({}),
            json!({"other": "steps"}),
            json!({"metric": "all"}),
            json!({"metric": "STEPS"}),
            json!({"metric": " steps"}),
            json!({"metric": null}),
            json!({"metric": ["steps"]}),
            json!({"metric": "body_battery"}),
        ] {
            assert_eq!(wanted(unclear.clone()), [DataGroup::Everything], "{unclear}");
        }
    }

    #[test]
    fn nothing_that_changes_or_is_unknown_is_shared() {
        let none = Map::new();
        assert_eq!(wanted(ToolSharing::Owner, &none), None);
        assert_eq!(wanted(ToolSharing::Unknown, &none), None);
        assert_eq!(
            wanted(ToolSharing::Group(DataGroup::Heart), &none),
            Some(vec![DataGroup::Heart])
        );
    }
}
