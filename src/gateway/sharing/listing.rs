//! Adds the argument `person` to tool lists for members who hold a grant. Everybody else sees the lists unchanged.

use serde_json::{Value, json};

use super::shared_read::{PERSON, is_usable};
use crate::accounts::HeldGrant;
use crate::mcp::{Catalogue, ToolEntry};

/// A result of `tools/list` in which the tools that a member can use on others' data have `person`.
pub(in crate::gateway) fn list_with_person(
    list: &str,
    catalogue: &Catalogue,
    held: &[HeldGrant],
) -> Option<String> {
    let mut list: Value = serde_json::from_str(list).ok()?;
    for listing in list.get_mut("tools")?.as_array_mut()? {
        let name = listing.get("name").and_then(Value::as_str);
        if let Some(entry) = name.and_then(|name| catalogue.find(name)) {
            add_person(entry, listing, held);
        }
    }
    Some(list.to_string())
}

/// Adds `person` to the schema of a tool, if somebody lets the member use it on their data.
pub(in crate::gateway) fn add_person(entry: &ToolEntry, listing: &mut Value, held: &[HeldGrant]) {
    let names: Vec<&str> = held
        .iter()
        .filter(|one| is_usable(entry.sharing, &one.grant))
        .map(|one| one.grant.name.as_str())
        .collect();
    let schema = listing.get_mut("inputSchema").and_then(Value::as_object_mut);
    let Some(schema) = schema.filter(|_| !names.is_empty()) else {
        return;
    };
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        let person = json!({"type": "string", "enum": names, "description": "Whose data; left out: this person's own"});
        properties.insert(PERSON.to_owned(), person);
    }
}
