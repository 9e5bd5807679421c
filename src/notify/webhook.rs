//! The operator's webhook: each message as JSON, signed according to Standard Webhooks 1.0.0 (standardwebhooks.com), so
//! that receivers can check it with existing libraries. Without I/O.
//!
//! A repeated delivery has the same `webhook-id`, so that a receiver can drop it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

use super::message::ShownMessage;
use crate::base::post::Post;
use crate::base::secrets::{Secret, hmac_sha256};
use crate::config::{ChannelConfig, webhook_key};

/// The request that delivers a message at `now`.
pub(super) fn post(config: &ChannelConfig, message: ShownMessage<'_>, now: Timestamp) -> Post {
    let json = json!({
        "type": "message",
        "timestamp": message.queued_at.to_string(),
        "data": {
            "severity": message.severity,
            "title": message.title,
            "text": message.text,
            "link": message.click,
        },
    });
    let (id, seconds) = (message.id, now.as_second());
    let secret = config.token.as_ref().map_or("", Secret::expose);
    let mut headers = vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
    ];
    let signature = signature(secret, id, seconds, &json.to_string());
    headers.extend(signature.map(|signature| ("webhook-signature", signature)));
    Post {
        url: config.url.clone(),
        bearer: None,
        headers,
        json,
    }
}

fn signature(secret: &str, id: &str, seconds: i64, body: &str) -> Option<String> {
    let signed = format!("{id}.{seconds}.{body}");
    let tag = hmac_sha256(&webhook_key(secret)?, signed.as_bytes())?;
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example comes from the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(signature(wrong, "msg_1", 0, body), None, "{wrong}");
        }
    }
}
