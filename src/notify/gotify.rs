//! The request that sends a message through a Gotify server (gotify.net/api-docs). Without I/O.

use serde_json::json;

use super::message::ShownMessage;
use crate::base::post::Post;
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;

/// The request that sends a message to the owner of an application.
pub(super) fn post(config: &ChannelConfig, token: &str, message: ShownMessage<'_>) -> Post {
    // Gotify's app shows 1 to 3 silently, 4 to 7 with a sound, and 8 and more on top of other apps.
    let priority = match message.severity {
        Severity::Info => 2,
        Severity::Notice => 5,
        Severity::Warning => 8,
    };
    let mut json = json!({"message": message.text, "priority": priority});
    if let Some(members) = json.as_object_mut() {
        if !message.title.is_empty() {
            members.insert("title".into(), message.title.into());
        }
        if !message.click.is_empty() {
            let opens = json!({"client::notification": {"click": {"url": message.click}}});
            members.insert("extras".into(), opens);
        }
    }
    let mut url = config.url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("message");
    }
    Post {
        url,
        bearer: None,
        headers: vec![("X-Gotify-Key", token.to_owned())],
        json,
    }
}
