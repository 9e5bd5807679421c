//! The pretend token service: tickets into tokens, refresh tokens into the next ones.
//!
//! As Garmin's: a ticket is good once, and only with the service that it was asked for; a refresh token is spent when
//! it is used; an access token lives until its end whatever becomes of its refresh token. State lives in this process.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::reply::{Asked, Reply};
use crate::base::secrets::sha256;

const TICKET_GRANT: &str = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";

/// The client ids that Garmin's apps have had.
const CLIENT_IDS: [&str; 4] = [
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI",
    "GARMIN_CONNECT_MOBILE_IOS_DI",
];

/// Random-looking texts, the same in every run with the same seed.
#[derive(Debug)]
pub(super) struct Mint {
    seed: u64,
    count: u64,
}

impl Mint {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// The next text of 43 base64url characters.
    pub(super) fn next(&mut self) -> String {
        self.count += 1;
        let mut input = [0; 16];
        let (seed, count) = input.split_at_mut(8);
        seed.copy_from_slice(&self.seed.to_be_bytes());
        count.copy_from_slice(&self.count.to_be_bytes());
        URL_SAFE_NO_PAD.encode(sha256(&input))
    }
}

/// What the service knows.
#[derive(Debug, Default)]
pub(super) struct TokenService {
    tickets: HashMap<String, Ticket>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Grant>,
}

#[derive(Debug)]
struct Ticket {
    service: String,
    grant: Grant,
}

/// Whom tokens are for.
#[derive(Debug, Clone)]
struct Grant {
    email: String,
    client_id: String,
    /// Whether the API takes the tokens.
    is_active: bool,
}

#[derive(Debug)]
struct Access {
    grant: Grant,
    expires_at: Timestamp,
}

/// What the API makes of a bearer token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    Good(String),
    /// Unknown, over, or never active.
    NotActive,
}

/// On what terms tokens are issued.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// From now to the end of the access token.
    pub(super) lasts: SignedDuration,
    /// A refresh leaves the refresh token as it is.
    pub(super) keeps_refresh_token: bool,
    pub(super) now: Timestamp,
}

/// What the request to the service is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Exchange,
    Refresh,
}

impl TokenService {
    /// A new ticket, as the single sign-on gives out after a sign-in.
    pub(super) fn ticket(&mut self, mint: &mut Mint, email: &str, service: &str, is_active: bool) -> String {
        let random: String = mint
            .next()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(20)
            .collect();
        let ticket = format!("ST-0{}-{random}-sso", 100_000 + self.tickets.len());
        let grant = Grant {
            email: email.to_owned(),
            client_id: String::new(),
            is_active,
        };
        self.tickets.insert(
            ticket.clone(),
            Ticket {
                service: service.to_owned(),
                grant,
            },
        );
        ticket
    }

    /// What `asked` wants, and for whom as far as is known.
    pub(super) fn act(&self, asked: &Asked) -> (Act, Option<String>) {
        if asked.field("grant_type").as_deref() == Some("refresh_token") {
            let grant = asked
                .field("refresh_token")
                .and_then(|token| self.refresh.get(&token));
            return (Act::Refresh, grant.map(|grant| grant.email.clone()));
        }
        let ticket = asked
            .field("service_ticket")
            .and_then(|ticket| self.tickets.get(&ticket));
        (Act::Exchange, ticket.map(|ticket| ticket.grant.email.clone()))
    }

    /// Answers a request for tokens. The service does not know the client ids of `retired`.
    pub(super) fn answer(
        &mut self,
        mint: &mut Mint,
        asked: &Asked,
        terms: Terms,
        retired: &[String],
    ) -> Reply {
        let client_id = asked.field("client_id").unwrap_or_default();
        let is_known = CLIENT_IDS.contains(&client_id.as_str()) && !retired.contains(&client_id);
        let basic = format!("Basic {}", STANDARD.encode(format!("{client_id}:")));
        if !is_known || asked.header("authorization") != basic {
            return Reply::json(
                401,
                &json!({"error": "invalid_client", "error_description": "Bad client credentials"}),
            );
        }
        match asked.field("grant_type").as_deref() {
            Some(TICKET_GRANT) => self.exchange(mint, asked, client_id, terms),
            Some("refresh_token") => self.refresh(mint, asked, &client_id, terms),
            _ => Reply::json(400, &json!({"error": "unsupported_grant_type"})),
        }
    }

    fn exchange(&mut self, mint: &mut Mint, asked: &Asked, client_id: String, terms: Terms) -> Reply {
        let ticket = asked.field("service_ticket").unwrap_or_default();
        let fits = |known: &&Ticket| asked.field("service_url").as_ref() == Some(&known.service);
        let Some(grant) = self
            .tickets
            .get(&ticket)
            .filter(fits)
            .map(|known| known.grant.clone())
        else {
            return invalid_grant(&format!("Invalid service ticket: {ticket}"));
        };
        self.tickets.remove(&ticket);
        let grant = Grant { client_id, ..grant };
        let mut body = self.access_token(mint, &grant, terms);
        self.add_refresh_token(mint, &mut body, grant);
        Reply::json(200, &body)
    }

    fn refresh(&mut self, mint: &mut Mint, asked: &Asked, client_id: &str, terms: Terms) -> Reply {
        let token = asked.field("refresh_token").unwrap_or_default();
        let Some(grant) = self
            .refresh
            .get(&token)
            .filter(|grant| grant.client_id == client_id)
            .cloned()
        else {
            return invalid_grant(&format!("Invalid refresh token: {token}"));
        };
        let mut body = self.access_token(mint, &grant, terms);
        if !terms.keeps_refresh_token {
            self.refresh.remove(&token);
            self.add_refresh_token(mint, &mut body, grant);
        }
        Reply::json(200, &body)
    }

    fn access_token(&mut self, mint: &mut Mint, grant: &Grant, terms: Terms) -> Value {
        let expires_at = terms.now.checked_add(terms.lasts).unwrap_or(Timestamp::MAX);
        let id = mint.next();
        let token = jwt(grant, expires_at, terms.now, &id);
        let body = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": terms.lasts.as_secs(),
            "scope": "ATP_READ ATP_WRITE CONNECT_READ CONNECT_WRITE",
            "jti": id,
        });
        self.access.insert(
            token,
            Access {
                grant: grant.clone(),
                expires_at,
            },
        );
        body
    }

    fn add_refresh_token(&mut self, mint: &mut Mint, body: &mut Value, grant: Grant) {
        let token = mint.next();
        if let Some(body) = body.as_object_mut() {
            body.insert("refresh_token".to_owned(), json!(token));
            body.insert("refresh_token_expires_in".to_owned(), json!(2_591_999));
        }
        self.refresh.insert(token, grant);
    }

    /// What the API makes of `Authorization`.
    pub(super) fn bearer(&self, authorization: &str, now: Timestamp) -> Bearer {
        let access = authorization
            .strip_prefix("Bearer ")
            .and_then(|token| self.access.get(token));
        match access.filter(|access| access.grant.is_active && access.expires_at > now) {
            Some(access) => Bearer::Good(access.grant.email.clone()),
            None => Bearer::NotActive,
        }
    }

    /// The refresh tokens of a person that still work.
    pub(super) fn live_refresh_tokens(&self, email: &str) -> Vec<String> {
        self.refresh
            .iter()
            .filter(|(_, grant)| grant.email == email)
            .map(|(token, _)| token.clone())
            .collect()
    }

    /// Ends all access tokens of a person; refreshing still works.
    pub(super) fn expire(&mut self, email: &str) {
        self.access.retain(|_, access| access.grant.email != email);
    }

    /// Ends everything of a person, as a new password at Garmin does.
    pub(super) fn revoke(&mut self, email: &str) {
        self.expire(email);
        self.refresh.retain(|_, grant| grant.email != email);
    }
}

/// A real-looking token with a signature that nobody checks.
fn jwt(grant: &Grant, expires_at: Timestamp, now: Timestamp, id: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": "simulated"});
    let payload = json!({
        "iss": "https://diauth.garmin.com",
        "client_id": grant.client_id,
        "jti": id,
        "iat": now.as_second(),
        "exp": expires_at.as_second(),
        "fgp": "simulated",
    });
    format!(
        "{}.{}.{}",
        part(&header),
        part(&payload),
        URL_SAFE_NO_PAD.encode("simulated")
    )
}

fn invalid_grant(description: &str) -> Reply {
    Reply::json(
        400,
        &json!({"error": "invalid_grant", "error_description": description}),
    )
}
