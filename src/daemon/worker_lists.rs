//! What the gateway offers while no worker has told what it has.

use crate::config::Config;
use crate::gateway::WorkerLists;
use crate::tools;

/// The tools to offer before any worker has run. For an external worker, the built-in lists are used until its own
/// are known.
pub(super) fn worker_lists(config: &Config) -> WorkerLists {
    let tools::WorkerListing {
        tools,
        resources,
        resource_templates,
    } = tools::lists();
    match &config.workers.command {
        None => WorkerLists::BuiltIn {
            tools,
            resources,
            resource_templates,
        },
        Some(command) => WorkerLists::Foreign {
            command: command.clone(),
            seed_tools: tools,
            seed_resources: resources,
        },
    }
}
