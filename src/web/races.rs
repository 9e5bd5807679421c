//! Races over plain HTTP: `/control` for the holder of a race token, `/health` for monitoring.

use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::face::Face;
use super::problem::Problem;
use super::reply::{self, Response};
use super::request::Exchange;
use crate::races::{RaceActError, RaceCaller};

/// Upper bound of the body of `/control`, in bytes. It contains at most eight numbers.
const CONTROL_LIMIT: usize = 4096;

/// `POST /control`: changes the limits of the race whose token is the bearer token. The body is an object with
/// thresholds of `race_config`. A number sets a threshold; null removes it.
pub(super) async fn control(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let bearer = exchange
        .header(AUTHORIZATION)
        .and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let grant = match bearer.map(|(_, token)| face.parts.races.authenticate(token.trim())) {
        Some(Ok(Some(grant))) => grant,
        Some(Err(e)) => {
            tracing::error!(reason = %e, "control.failed");
            return refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "Try again.",
            );
        }
        Some(Ok(None)) | None => return unauthorized(),
    };
    let body = match exchange.body(CONTROL_LIMIT, face.parts.limits.body_timeout).await {
        Ok(body) => body,
        Err(problem) => return Problem::Body(problem).as_json(),
    };
    let Ok(changes) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        let text = "The body must be a JSON object of limits, such as {\"power_max\": 150}.";
        return refused(StatusCode::BAD_REQUEST, "invalid_request", text);
    };
    let (races, race) = (&face.parts.races, grant.race.clone());
    match races
        .update_thresholds(&RaceCaller::Race(grant), &race, &changes)
        .await
    {
        Ok(limits) => {
            let body = json!({"race": race.as_str(), "limits": limits});
            reply::json(StatusCode::OK, body.to_string())
        }
        Err(RaceActError::Fields(bad)) => {
            let fields: Vec<_> = bad.0.iter().map(|bad| bad.field.as_str()).collect();
            let body =
                json!({"error": "invalid_request", "error_description": bad.to_string(), "fields": fields});
            reply::json(StatusCode::BAD_REQUEST, body.to_string())
        }
        Err(RaceActError::Store(e)) => {
            tracing::error!(reason = %e, "control.failed");
            refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "Try again.",
            )
        }
        Err(RaceActError::AccessEnded) => unauthorized(),
        Err(other) => refused(StatusCode::CONFLICT, "race_over", &other.to_string()),
    }
}

/// `GET /health`: the number and states of tracked races, and the store's figures. It contains nothing that
/// identifies a person.
pub(super) async fn health(face: Arc<Face>, _: Exchange) -> Response {
    let ready = (face.parts.ready)();
    let figures = face.parts.races.metrics();
    let body = json!({
        "status": if ready.is_ok() { "ok" } else { "degraded" },
        "problem": ready.err(),
        "tracking": {
            "active": figures.races > 0,
            "races": figures.races,
            "states": figures.states,
            "poll_errors": figures.poll_errors,
            "longest_stale_s": figures.longest_stale_s,
        },
        "store": { "points": figures.points, "bytes": figures.store_bytes, "writing": ready.is_ok() },
    });
    let status = if ready.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    reply::json(status, body.to_string())
}

fn unauthorized() -> Response {
    let mut response = refused(
        StatusCode::UNAUTHORIZED,
        "invalid_token",
        "Send the token of a tracked race: Authorization: Bearer grc_…",
    );
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    reply::json(status, body.to_string())
}
