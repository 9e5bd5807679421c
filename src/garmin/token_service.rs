//! The DI token service: tickets and refresh tokens into tokens. Requests and answers only.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::api::headers::native;
use super::tokens::{Claims, GarminTokens};
use super::wire::{self, Answer, Ask, Body, Heard, Method};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;

/// The client ids of Garmin's own apps, newest first. Garmin retires them in time, so a refused one is followed by
/// the next.
pub(super) const CLIENT_IDS: [&str; 4] = [
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI",
    "GARMIN_CONNECT_MOBILE_IOS_DI",
];

/// A name, not an address: garmin.cn uses it too.
const TICKET_GRANT: &str = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";

/// What became of a refresh.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refreshed {
    /// The tokens from now on; the refresh token that was sent is spent.
    Tokens(GarminTokens),
    /// Garmin does not take the refresh token or its client id (`invalid_grant` and its like): only signing in again
    /// helps.
    Spent,
    /// Garmin asks for fewer requests, for so long if it says.
    Throttled(Option<Duration>),
    /// No answer, or one that says nothing about the token.
    Failed,
    /// Success, in a form that holds no access token.
    Changed,
}

impl Refreshed {
    /// The name in events.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tokens(_) => "refreshed",
            Self::Spent => "spent",
            Self::Throttled(_) => "throttled",
            Self::Failed => "failed",
            Self::Changed => "changed",
        }
    }
}

/// Offers a ticket under one client id. `service` must be that of the sign-in.
pub(super) fn exchange(hosts: &GarminHosts, client_id: &str, ticket: &Secret, service: &str) -> Ask {
    let form = vec![
        ("client_id", client_id.to_owned()),
        ("service_ticket", ticket.expose().to_owned()),
        ("grant_type", TICKET_GRANT.to_owned()),
        ("service_url", service.to_owned()),
    ];
    ask(
        hosts,
        client_id,
        "application/json,text/html;q=0.9,*/*;q=0.8",
        form,
    )
}

/// Asks for the next tokens. `None` when there is nothing to ask with.
pub(super) fn refresh(hosts: &GarminHosts, tokens: &GarminTokens) -> Option<Ask> {
    let token = tokens
        .di_refresh_token
        .as_ref()
        .filter(|token| !token.is_empty())?;
    let client_id = tokens.client_id()?;
    let form = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client_id.clone()),
        ("refresh_token", token.expose().to_owned()),
    ];
    Some(ask(hosts, &client_id, "application/json", form))
}

/// Reads the answer to a refresh of `old`.
pub(super) fn read_refresh(heard: &Heard, old: &GarminTokens) -> Refreshed {
    let Heard::Answer(answer) = heard else {
        return Refreshed::Failed;
    };
    if answer.is_throttle() {
        return Refreshed::Throttled(answer.retry_after);
    }
    if !answer.is_success() {
        // RFC 6749, 5.2: an error of the request has a name. Anything else is not about the token.
        let has_name = answer
            .json()
            .is_some_and(|json| json.get("error").is_some_and(Value::is_string));
        let is_refused = matches!(answer.status, 400 | 401) && has_name;
        return if is_refused {
            Refreshed::Spent
        } else {
            Refreshed::Failed
        };
    }
    match read_tokens(answer, &old.client_id().unwrap_or_default()) {
        Some(mut new) => {
            // An answer without one means that the old one stays good.
            new.di_refresh_token = new.di_refresh_token.or_else(|| old.di_refresh_token.clone());
            Refreshed::Tokens(new)
        }
        None => Refreshed::Changed,
    }
}

/// The tokens of a successful answer; the client id is the token's own claim, else the one that was `tried`.
pub(super) fn read_tokens(answer: &Answer, tried: &str) -> Option<GarminTokens> {
    let json = answer.json().filter(|_| answer.is_success())?;
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

fn ask(hosts: &GarminHosts, client_id: &str, accept: &str, form: Vec<(&'static str, String)>) -> Ask {
    let url = wire::at(&hosts.diauth, "/di-oauth2-service/oauth/token");
    let mut ask = Ask::new(Method::Post, url, Body::Form(form))
        .header(
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("{client_id}:"))),
        )
        .header("accept", accept)
        .header("cache-control", "no-cache");
    ask.headers.extend(native());
    ask
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

    fn heard(status: u16, text: &str) -> Heard {
        Heard::Answer(Answer {
            status,
            text: text.to_owned(),
            ..Answer::default()
        })
    }

    #[test]
    fn an_answer_to_a_refresh_has_its_meaning() {
        let check = |status, text: &str, wanted: Refreshed| {
            assert_eq!(
                read_refresh(&heard(status, text), &held()),
                wanted,
                "{status} {text}"
            );
        };
        let tokens = |access: &str, refresh: &str| {
            Refreshed::Tokens(GarminTokens {
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
        check(200, r#"{"token":"new"}"#, Refreshed::Changed);
        check(200, "<html>", Refreshed::Changed);
        check(
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid refresh token: x"}"#,
            Refreshed::Spent,
        );
        check(401, r#"{"error":"invalid_client"}"#, Refreshed::Spent);
        check(400, "<html>", Refreshed::Failed);
        check(403, "<html>Just a moment", Refreshed::Failed);
        check(503, "{}", Refreshed::Failed);
        check(429, "{}", Refreshed::Throttled(None));
        assert_eq!(read_refresh(&Heard::Nothing, &held()), Refreshed::Failed);
    }

    #[test]
    fn a_refresh_names_the_client_that_the_tokens_belong_to() {
        let ask = refresh(&hosts(), &held()).unwrap();
        assert_eq!(
            ask.url.as_str(),
            "https://diauth.garmin.cn/di-oauth2-service/oauth/token"
        );
        // base64("SAVED:")
        assert!(
            ask.headers
                .contains(&("authorization", "Basic U0FWRUQ6".to_owned()))
        );
        let Body::Form(form) = ask.body else {
            panic!("a form")
        };
        assert!(form.contains(&("refresh_token", "spend me".to_owned())));
        assert!(
            refresh(
                &hosts(),
                &GarminTokens {
                    di_refresh_token: None,
                    ..held()
                }
            )
            .is_none()
        );
    }

    #[test]
    fn the_grants_name_is_the_same_in_china() {
        let ask = exchange(&hosts(), CLIENT_IDS[0], &Secret::new("ST-1"), "https://service");
        let Body::Form(form) = ask.body else {
            panic!("a form")
        };
        let grant = form.iter().find(|(name, _)| *name == "grant_type").unwrap();
        assert_eq!(
            grant.1,
            "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
        );
    }
}
