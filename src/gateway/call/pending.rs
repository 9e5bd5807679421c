//! A request on its way, and the forms of its response.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::accounts::AccountId;
use crate::gateway::admission::Caller;
use crate::gateway::offer::Offered;
use crate::gateway::sharing::{SharedRead, labelled};
use crate::mcp::answer::{self, JsonReply};
use crate::mcp::headers::Accepts;
use crate::mcp::{Era, McpError, McpMethod, shorten};

/// The time limit of a call. It is below the 240 s or more for which Claude waits.
pub(super) const DEADLINE: Duration = Duration::from_secs(200);

/// A request that has not been answered yet.
pub(super) struct PendingRequest {
    pub(super) caller: Caller,
    /// Whether the caller gets the views of tools.
    pub(super) has_views: bool,
    pub(super) accepts: Accepts,
    /// The request's id as raw JSON text.
    pub(super) id: Box<str>,
    pub(super) era: Era,
    pub(super) method: McpMethod,
    pub(super) offered: Arc<Offered>,
    /// Set if the call reads another member's data.
    pub(super) read: Option<SharedRead>,
}

impl PendingRequest {
    /// Whose data the request reads or changes.
    pub(super) fn account(&self) -> &AccountId {
        self.read
            .as_ref()
            .map_or(&self.caller.account, SharedRead::granter)
    }

    /// The response with the result of a tool or a worker.
    pub(super) fn result(&self, result: &RawValue) -> JsonReply {
        let Some(read) = &self.read else {
            return self.relayed(result);
        };
        match labelled(result, &read.name) {
            Some(result) => self.relayed(&result),
            None => self.no_answer("The Garmin session sent an answer that could not be read."),
        }
    }

    fn relayed(&self, result: &RawValue) -> JsonReply {
        let shortened = shorten::shortened(result);
        if let Some(shortened) = &shortened {
            let characters = shortened.characters;
            tracing::info!(method = self.method.name(), characters, "mcp.result_cut");
        }
        let result = shortened.as_ref().map_or(result, |shortened| &shortened.result);
        answer::relayed(&self.id, self.era, self.method, result, self.server())
            .unwrap_or_else(|| self.no_answer("The Garmin session sent an answer that could not be read."))
    }

    /// The response when no worker answered. A tool call gets a result, which the model reads; other requests get an
    /// error.
    pub(super) fn no_answer(&self, text: &str) -> JsonReply {
        if self.method == McpMethod::CallTool {
            return self.tool_error(text);
        }
        JsonReply::error(&self.id, &McpError::NoAnswer(text.to_owned()))
    }

    pub(super) fn tool_error(&self, text: &str) -> JsonReply {
        match &self.read {
            Some(read) => self.unlabelled_error(&format!("Data of {}: {text}", read.name)),
            None => self.unlabelled_error(text),
        }
    }

    pub(super) fn unlabelled_error(&self, text: &str) -> JsonReply {
        answer::tool_error(&self.id, self.era, text, self.server())
    }

    fn server(&self) -> &str {
        self.offered.handshake.server()
    }
}
