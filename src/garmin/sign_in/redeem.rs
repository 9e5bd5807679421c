//! Exchanges a ticket for tokens, and checks that Garmin's API accepts them: the end of every sign-in.

use serde_json::Value;

use super::attempt::SignInAttempt;
use super::login::CasTicket;
use super::outcome::SignedIn;
use super::refusal::SignInRefusal;
use super::signals::changed;
use crate::config::GarminHosts;
use crate::garmin::request::{GarminRequest, join};
use crate::garmin::response::{GarminResponse, NoResponse};
use crate::garmin::token_service;
use crate::garmin::tokens::GarminTokens;

/// Upper bound of reads of the profile before the sign-in fails. An outage there says nothing about the tokens.
const PROFILE_TRIES: u8 = 3;

pub(super) async fn redeem(
    attempt: &mut SignInAttempt<'_>,
    ticket: &CasTicket,
) -> Result<SignedIn, SignInRefusal> {
    let tokens = exchange(attempt, ticket).await?;
    let mut last = SignInRefusal::Unreachable;
    for tried in 0..PROFILE_TRIES {
        if tried > 0 {
            let pause = attempt.settings().again_pause;
            attempt.pause(&(pause..=pause)).await;
        }
        let request = profile_request(attempt.hosts(), &tokens);
        match read_profile(attempt.send_without_cookies(request).await, &tokens) {
            Err(outage @ (SignInRefusal::Temporary | SignInRefusal::Unreachable)) => last = outage,
            other => return other,
        }
    }
    Err(last)
}

/// Offers the ticket under each client id until one is accepted.
async fn exchange(
    attempt: &mut SignInAttempt<'_>,
    ticket: &CasTicket,
) -> Result<GarminTokens, SignInRefusal> {
    let mut worst = SignInRefusal::TicketRefused;
    for client_id in attempt.client_ids() {
        let request =
            token_service::exchange_request(attempt.hosts(), &client_id, &ticket.ticket, &ticket.service_url);
        let response = attempt.send_without_cookies(request).await;
        match read_exchange(response, &client_id) {
            Ok(tokens) => return Ok(tokens),
            Err(refusal @ (SignInRefusal::RateLimited { .. } | SignInRefusal::BotChallenge)) => {
                return Err(refusal);
            }
            // An outage under one client id is more informative than a refusal under the next.
            Err(refusal) if worst == SignInRefusal::TicketRefused => worst = refusal,
            Err(_) => {}
        }
    }
    Err(worst)
}

pub(super) fn read_exchange(
    response: Result<GarminResponse, NoResponse>,
    client_id: &str,
) -> Result<GarminTokens, SignInRefusal> {
    let response = response.map_err(|_| SignInRefusal::Unreachable)?;
    if response.is_throttle() {
        return Err(SignInRefusal::RateLimited { until: None });
    }
    if response.is_challenge_page() {
        return Err(SignInRefusal::BotChallenge);
    }
    token_service::read_tokens(&response, client_id).ok_or_else(|| {
        if response.is_success() {
            changed("token service", "access_token")
        } else if response.is_outage() {
            SignInRefusal::Temporary
        } else {
            SignInRefusal::TicketRefused
        }
    })
}

fn profile_request(hosts: &GarminHosts, tokens: &GarminTokens) -> GarminRequest {
    GarminRequest::get(join(&hosts.connectapi, "/userprofile-service/socialProfile"))
        .header("authorization", format!("Bearer {}", tokens.di_token.expose()))
        .header("accept", "application/json")
        .like_app()
}

pub(super) fn read_profile(
    response: Result<GarminResponse, NoResponse>,
    tokens: &GarminTokens,
) -> Result<SignedIn, SignInRefusal> {
    let place = "socialProfile";
    let response = response.map_err(|_| SignInRefusal::Unreachable)?;
    if !response.is_success() {
        return Err(if response.is_challenge_page() {
            // Cloudflare did not look at the token, so another token would be blocked too.
            SignInRefusal::BotChallenge
        } else if matches!(response.status, 401 | 403) {
            // The API does not recognise this token as active. That says nothing about the password.
            SignInRefusal::TokenNotAccepted
        } else if response.is_throttle() {
            SignInRefusal::RateLimited { until: None }
        } else {
            SignInRefusal::Temporary
        });
    }
    let json = response.json().ok_or_else(|| changed(place, "$"))?;
    let profile_id = json
        .get("profileId")
        .and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()))
        .ok_or_else(|| changed(place, "profileId"))?;
    // A new profile has no names yet; its number is enough.
    let text = |key: &str| {
        json.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Ok(SignedIn {
        profile_id,
        display_name: text("displayName"),
        full_name: text("fullName"),
        tokens: tokens.clone(),
    })
}
