//! The pretend token service: exchanges service tickets for tokens, and refreshes tokens.
//!
//! As at Garmin, a ticket works once and only with the service URL it was issued for. A refresh token is spent when it
//! is used. An access token stays valid until it expires, whatever happens to its refresh token.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::reply::{SimulatedRequest, SimulatedResponse};
use crate::base::secrets::sha256;

const TICKET_GRANT: &str = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";

/// The client ids that Garmin's apps have used.
const CLIENT_IDS: [&str; 4] = [
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    "GARMIN_CONNECT_MOBILE_ANDROID_DI",
    "GARMIN_CONNECT_MOBILE_IOS_DI",
];

/// Pseudo-random strings that repeat in every run with the same seed.
#[derive(Debug)]
pub(super) struct Mint {
    seed: u64,
    count: u64,
}

impl Mint {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// The next string: 43 base64url characters.
    pub(super) fn next(&mut self) -> String {
        self.count += 1;
        let mut input = [0; 16];
        let (seed, count) = input.split_at_mut(8);
        seed.copy_from_slice(&self.seed.to_be_bytes());
        count.copy_from_slice(&self.count.to_be_bytes());
        URL_SAFE_NO_PAD.encode(sha256(&input))
    }
}

#[derive(Debug, Default)]
pub(super) struct TokenService {
    tickets: HashMap<String, IssuedTicket>,
    access: HashMap<String, IssuedToken>,
    refresh: HashMap<String, TokenOwner>,
}

#[derive(Debug)]
struct IssuedTicket {
    service: String,
    grant: TokenOwner,
}

/// The person and the client that tokens were issued to.
#[derive(Debug, Clone)]
struct TokenOwner {
    email: String,
    client_id: String,
    /// Whether the API accepts these tokens.
    is_active: bool,
}

#[derive(Debug)]
struct IssuedToken {
    grant: TokenOwner,
    expires_at: Timestamp,
}

/// The API's verdict on a bearer token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    Good(String),
    /// The token is unknown, expired or was never active.
    NotActive,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct IssueTerms {
    /// The lifetime of the access token to issue.
    pub(super) lasts: SignedDuration,
    /// Whether a refresh returns no new refresh token and keeps the old one valid.
    pub(super) keeps_refresh_token: bool,
    pub(super) now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenRequest {
    Exchange,
    Refresh,
}

impl TokenService {
    /// Issues a service ticket, as the single sign-on does after a sign-in.
    pub(super) fn ticket(&mut self, mint: &mut Mint, email: &str, service: &str, is_active: bool) -> String {
        let random: String = mint
            .next()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(20)
            .collect();
        let ticket = format!("ST-0{}-{random}-sso", 100_000 + self.tickets.len());
        let grant = TokenOwner {
            email: email.to_owned(),
            client_id: String::new(),
            is_active,
        };
        self.tickets.insert(
            ticket.clone(),
            IssuedTicket {
                service: service.to_owned(),
                grant,
            },
        );
        ticket
    }

    /// The kind of the request, and the e-mail of its person if known.
    pub(super) fn act(&self, request: &SimulatedRequest) -> (TokenRequest, Option<String>) {
        if request.field("grant_type").as_deref() == Some("refresh_token") {
            let grant = request
                .field("refresh_token")
                .and_then(|token| self.refresh.get(&token));
            return (TokenRequest::Refresh, grant.map(|grant| grant.email.clone()));
        }
        let ticket = request
            .field("service_ticket")
            .and_then(|ticket| self.tickets.get(&ticket));
        (
            TokenRequest::Exchange,
            ticket.map(|ticket| ticket.grant.email.clone()),
        )
    }

    /// Answers a token request. Client ids in `retired` are refused.
    pub(super) fn answer(
        &mut self,
        mint: &mut Mint,
        request: &SimulatedRequest,
        terms: IssueTerms,
        retired: &[String],
    ) -> SimulatedResponse {
        let client_id = request.field("client_id").unwrap_or_default();
        let is_known = CLIENT_IDS.contains(&client_id.as_str()) && !retired.contains(&client_id);
        let basic = format!("Basic {}", STANDARD.encode(format!("{client_id}:")));
        if !is_known || request.header("authorization") != basic {
            return SimulatedResponse::json(
                401,
                &json!({"error": "invalid_client", "error_description": "Bad client credentials"}),
            );
        }
        match request.field("grant_type").as_deref() {
            Some(TICKET_GRANT) => self.exchange(mint, request, client_id, terms),
            Some("refresh_token") => self.refresh(mint, request, &client_id, terms),
            _ => SimulatedResponse::json(400, &json!({"error": "unsupported_grant_type"})),
        }
    }

    fn exchange(
        &mut self,
        mint: &mut Mint,
        request: &SimulatedRequest,
        client_id: String,
        terms: IssueTerms,
    ) -> SimulatedResponse {
        let ticket = request.field("service_ticket").unwrap_or_default();
        let fits = |known: &&IssuedTicket| request.field("service_url").as_ref() == Some(&known.service);
        let Some(grant) = self
            .tickets
            .get(&ticket)
            .filter(fits)
            .map(|known| known.grant.clone())
        else {
            return invalid_grant(&format!("Invalid service ticket: {ticket}"));
        };
        self.tickets.remove(&ticket);
        let grant = TokenOwner { client_id, ..grant };
        let mut body = self.access_token(mint, &grant, terms);
        self.add_refresh_token(mint, &mut body, grant);
        SimulatedResponse::json(200, &body)
    }

    fn refresh(
        &mut self,
        mint: &mut Mint,
        request: &SimulatedRequest,
        client_id: &str,
        terms: IssueTerms,
    ) -> SimulatedResponse {
        let token = request.field("refresh_token").unwrap_or_default();
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
        SimulatedResponse::json(200, &body)
    }

    fn access_token(&mut self, mint: &mut Mint, grant: &TokenOwner, terms: IssueTerms) -> Value {
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
            IssuedToken {
                grant: grant.clone(),
                expires_at,
            },
        );
        body
    }

    fn add_refresh_token(&mut self, mint: &mut Mint, body: &mut Value, grant: TokenOwner) {
        let token = mint.next();
        if let Some(body) = body.as_object_mut() {
            body.insert("refresh_token".to_owned(), json!(token));
            body.insert("refresh_token_expires_in".to_owned(), json!(2_591_999));
        }
        self.refresh.insert(token, grant);
    }

    /// Checks the value of an `Authorization` header.
    pub(super) fn bearer(&self, authorization: &str, now: Timestamp) -> Bearer {
        let access = authorization
            .strip_prefix("Bearer ")
            .and_then(|token| self.access.get(token));
        match access.filter(|access| access.grant.is_active && access.expires_at > now) {
            Some(access) => Bearer::Good(access.grant.email.clone()),
            None => Bearer::NotActive,
        }
    }

    /// A person's refresh tokens that are still valid.
    pub(super) fn live_refresh_tokens(&self, email: &str) -> Vec<String> {
        self.refresh
            .iter()
            .filter(|(_, grant)| grant.email == email)
            .map(|(token, _)| token.clone())
            .collect()
    }

    /// Expires all access tokens of a person; refreshing still works.
    pub(super) fn expire(&mut self, email: &str) {
        self.access.retain(|_, access| access.grant.email != email);
    }

    /// Revokes all tokens of a person, as Garmin does after a password change.
    pub(super) fn revoke(&mut self, email: &str) {
        self.expire(email);
        self.refresh.retain(|_, grant| grant.email != email);
    }
}

/// A token in the format of Garmin's JWTs. Nobody verifies its signature.
fn jwt(grant: &TokenOwner, expires_at: Timestamp, now: Timestamp, id: &str) -> String {
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

fn invalid_grant(description: &str) -> SimulatedResponse {
    SimulatedResponse::json(
        400,
        &json!({"error": "invalid_grant", "error_description": description}),
    )
}
