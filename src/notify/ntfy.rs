//! ntfy: publishing as JSON (docs.ntfy.sh/publish/#publish-as-json), so that the topic is in no URL.

use serde_json::json;

use crate::base::post::Post;
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;

pub(super) fn post(config: &ChannelConfig, topic: &str, severity: Severity, text: &str) -> Post {
    // 2 makes no sound, 3 is the usual, 4 is loud.
    let priority = match severity {
        Severity::Info => 2,
        Severity::Notice => 3,
        Severity::Warning => 4,
    };
    Post {
        url: config.url.clone(),
        bearer: config.token.clone(),
        json: json!({"topic": topic, "message": text, "priority": priority}),
    }
}
