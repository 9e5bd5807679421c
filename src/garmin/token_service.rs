//! Builds the requests to Garmin's DI token service, which exchanges tickets and refresh tokens for tokens, and reads
//! its responses. It sends nothing itself.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::request::{GarminRequest, RequestBody, join};
use super::response::{GarminResponse, NoResponse};
use super::tokens::{Claims, GarminTokens};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;

/// The client ids of Garmin's own apps, newest first. Garmin retires them over time, so the next one is tried when one
/// is refused.
pub(super) const CLIENT_IDS: [&str; 4] = [
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI",
    "GARMIN_CONNECT_MOBILE_IOS_DI",
];

/// The grant's name, which only looks like an address: garmin.cn uses the same one.
const TICKET_GRANT: &str = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum RefreshOutcome {
    /// The new tokens. The refresh token that was sent is spent.
    Refreshed(GarminTokens),
    /// Garmin refuses the refresh token or its client id (`invalid_grant` and the like). Only a new sign-in helps.
    Spent,
    /// Garmin asks for fewer requests, and may say for how long.
    Throttled(Option<Duration>),
    /// No response, or one that says nothing about the token.
    Failed,
    /// A success without an access token.
    Changed,
}

impl RefreshOutcome {
    /// The name used in events.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Refreshed(_) => "refreshed",
            Self::Spent => "spent",
            Self::Throttled(_) => "throttled",
            Self::Failed => "failed",
            Self::Changed => "changed",
        }
    }
}

/// The request that exchanges a ticket under one client id. `service_url` must be the one that the ticket was issued
/// for.
pub(super) fn exchange_request(
    hosts: &GarminHosts,
    client_id: &str,
    ticket: &Secret,
    service_url: &str,
) -> GarminRequest {
    let form = RequestBody::form(&[
        ("client_id", client_id),
        ("service_ticket", ticket.expose()),
        ("grant_type", TICKET_GRANT),
        ("service_url", service_url),
    ]);
    let accept = "application/json,text/html;q=0.9,*/*;q=0.8";
    post(hosts, client_id, accept, form)
}

/// The request that refreshes tokens. `None` without a refresh token or a client id.
pub(super) fn refresh_request(hosts: &GarminHosts, tokens: &GarminTokens) -> Option<GarminRequest> {
    let token = tokens
        .di_refresh_token
        .as_ref()
        .filter(|token| !token.is_empty())?;
    let client_id = tokens.client_id()?;
    let form = RequestBody::form(&[
        ("grant_type", "refresh_token"),
        ("client_id", &client_id),
        ("refresh_token", token.expose()),
    ]);
    Some(post(hosts, &client_id, "application/json", form))
}

/// Reads the response to a refresh of `old`.
pub(super) fn read_refresh(
    response: Result<GarminResponse, NoResponse>,
    old: &GarminTokens,
) -> RefreshOutcome {
    let Ok(response) = response else {
        return RefreshOutcome::Failed;
    };
    if response.is_throttle() {
        return RefreshOutcome::Throttled(response.retry_after);
    }
    if !response.is_success() {
        // RFC 6749, 5.2: a refused grant has a named error. Anything else says nothing about the token.
        let has_name = response
            .json()
            .is_some_and(|json| json.get("error").is_some_and(Value::is_string));
        let is_refused = matches!(response.status, 400 | 401) && has_name;
        return if is_refused {
            RefreshOutcome::Spent
        } else {
            RefreshOutcome::Failed
        };
    }
    match read_tokens(&response, &old.client_id().unwrap_or_default()) {
        Some(mut new) => {
            // Without a new refresh token the old one stays valid.
            new.di_refresh_token = new.di_refresh_token.or_else(|| old.di_refresh_token.clone());
            RefreshOutcome::Refreshed(new)
        }
        None => RefreshOutcome::Changed,
    }
}

/// The tokens of a success. Their client id is the token's own claim, else the one that was `tried`.
pub(super) fn read_tokens(response: &GarminResponse, tried: &str) -> Option<GarminTokens> {
    let json = response.json().filter(|_| response.is_success())?;
    let text = |key: &str| {
        json.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(Secret::new)
    };
    let di_token = text("access_token")?;
    let client_id = Claims::of(&di_token)
        .client_id
        .unwrap_or_else(|| tried.to_owned());
    Some(GarminTokens {
        di_refresh_token: text("refresh_token"),
        di_client_id: Some(client_id).filter(|id| !id.is_empty()),
        di_token,
    })
}

fn post(hosts: &GarminHosts, client_id: &str, accept: &str, form: RequestBody) -> GarminRequest {
    let url = join(&hosts.diauth, "/di-oauth2-service/oauth/token");
    let basic = STANDARD.encode(format!("{client_id}:"));
    GarminRequest::post(url, form)
        .header("authorization", format!("Basic {basic}"))
        .header("accept", accept)
        .header("cache-control", "no-cache")
        .like_app()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> GarminHosts {
        GarminHosts::at(&"https://diauth.garmin.cn".parse().unwrap())
    }

    fn held() -> GarminTokens {
        GarminTokens {
            di_token: Secret::new("old"),
            di_refresh_token: Some(Secret::new("spend me")),
            di_client_id: Some("SAVED".to_owned()),
        }
    }

    fn response(status: u16, text: &str) -> GarminResponse {
        GarminResponse {
            status,
            text: text.to_owned(),
            ..GarminResponse::default()
        }
    }

    #[test]
    fn responses_to_a_refresh_are_told_apart() {
        let check = |status, text: &str, wanted: RefreshOutcome| {
            assert_eq!(
                read_refresh(Ok(response(status, text)), &held()),
                wanted,
                "{status} {text}"
            );
        };
        let tokens = |access: &str, refresh: &str| {
            RefreshOutcome::Refreshed(GarminTokens {
                di_token: Secret::new(access),
                di_refresh_token: Some(Secret::new(refresh)),
                di_client_id: Some("SAVED".to_owned()),
            })
        };
        check(
            200,
            r#"{"access_token":"new","refresh_token":"next"}"#,
            tokens("new", "next"),
        );
        check(200, r#"{"access_token":"new"}"#, tokens("new", "spend me"));
        check(
            200,
            r#"{"access_token":"new","refresh_token":null}"#,
            tokens("new", "spend me"),
        );
        check(200, r#"{"token":"new"}"#, RefreshOutcome::Changed);
        check(200, "<html>", RefreshOutcome::Changed);
        check(
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid refresh token: x"}"#,
            RefreshOutcome::Spent,
        );
        check(401, r#"{"error":"invalid_client"}"#, RefreshOutcome::Spent);
        check(400, "<html>", RefreshOutcome::Failed);
        check(403, "<html>Just a moment", RefreshOutcome::Failed);
        check(503, "{}", RefreshOutcome::Failed);
        check(429, "{}", RefreshOutcome::Throttled(None));
        assert_eq!(
            read_refresh(Err(NoResponse::Lost), &held()),
            RefreshOutcome::Failed
        );
    }

    #[test]
    fn a_refresh_names_the_client_of_the_tokens() {
        let request = refresh_request(&hosts(), &held()).unwrap();
        assert_eq!(
            request.url.as_str(),
            "https://diauth.garmin.cn/di-oauth2-service/oauth/token"
        );
        // base64("SAVED:")
        assert!(request.has_header("authorization", "Basic U0FWRUQ6"));
        assert_eq!(
            request.text(),
            "grant_type=refresh_token&client_id=SAVED&refresh_token=spend+me"
        );
        let without = GarminTokens {
            di_refresh_token: None,
            ..held()
        };
        assert!(refresh_request(&hosts(), &without).is_none());
    }

    #[test]
    fn the_grant_type_is_the_same_for_garmin_cn() {
        let request = exchange_request(&hosts(), CLIENT_IDS[0], &Secret::new("ST-1"), "https://service");
        let grant = "grant_type=https%3A%2F%2Fconnectapi.garmin.com%2Fdi-oauth2-service%2Foauth%2Fgrant%2Fservice_ticket";
        assert!(request.text().contains(grant), "{}", request.text());
    }
}
