//! Refusals that a response's status and content type reveal, on every sign-in method alike.
//!
//! `place` names the response in [`SignInRefusal::Changed`], such as `mobile login`.

use super::refusal::SignInRefusal;
use crate::garmin::response::GarminResponse;

/// Errors: the refusal of a response that is not a success, or of a success that is not JSON.
pub(super) fn check_json(place: &str, response: &GarminResponse) -> Result<(), SignInRefusal> {
    check_page(place, response)?;
    if response.is_throttle() {
        return Err(SignInRefusal::RateLimited { until: None });
    }
    match response.json() {
        Some(_) => Ok(()),
        None => Err(SignInRefusal::Temporary),
    }
}

/// Errors: the refusal of a response that is not a success.
pub(super) fn check_page(place: &str, response: &GarminResponse) -> Result<(), SignInRefusal> {
    if response.is_challenge_page() {
        return Err(SignInRefusal::BotChallenge);
    }
    Err(match response.status {
        200..300 => return Ok(()),
        300..400 => changed(place, "redirect"),
        429 => SignInRefusal::RateLimited { until: None },
        403 => SignInRefusal::BotChallenge,
        400 if response.is_problem_document() => SignInRefusal::RequestRejected,
        _ if response.is_outage() => SignInRefusal::Temporary,
        status => SignInRefusal::Unexplained { status },
    })
}

/// A response of an unknown shape, and the path in it where the difference was noticed.
pub(super) fn changed(place: &str, path: &str) -> SignInRefusal {
    SignInRefusal::Changed {
        path: format!("{place}: {path}"),
    }
}
