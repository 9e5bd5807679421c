//! The built-in worker: an MCP server for one person.
mod activity_management;
mod call;
mod fields;
mod health_wellness;
mod json;
mod table;
mod user_profile;

use table::Tool;

/// Every tool, in the order of the list.
fn tools() -> impl Iterator<Item = &'static Tool> {
    [
        activity_management::TOOLS,
        health_wellness::TOOLS,
        user_profile::TOOLS,
    ]
    .into_iter()
    .flatten()
}

/// What the built-in worker lists, as JSON: the results of `tools/list` and of `resources/list`.
pub fn lists() -> (String, String) {
    let tools: Vec<_> = tools().map(Tool::listing).collect();
    (
        serde_json::json!({"tools": tools}).to_string(),
        serde_json::json!({"resources": []}).to_string(),
    )
}

#[cfg(test)]
mod tests;
