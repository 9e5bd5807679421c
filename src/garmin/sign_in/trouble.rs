//! The class of an answer that is not what was asked for: told by its status and its kind, the same on every way in.

use crate::garmin::refusal::SignInRefusal;
use crate::garmin::wire::Answer;

/// The class of an answer that is not of the known JSON form. `None`: it is JSON and a success.
pub(super) fn json_trouble(place: &str, answer: &Answer) -> Option<SignInRefusal> {
    if let Some(refusal) = page_trouble(place, answer) {
        return Some(refusal);
    }
    if answer.is_throttle() {
        return Some(SignInRefusal::RateLimited { until: None });
    }
    answer.json().is_none().then_some(SignInRefusal::Temporary)
}

/// The class of an answer by its status and kind alone. `None`: a success.
pub(super) fn page_trouble(place: &str, answer: &Answer) -> Option<SignInRefusal> {
    if answer.is_challenge_page() {
        return Some(SignInRefusal::BotChallenge);
    }
    match answer.status {
        200..300 => None,
        300..400 => Some(changed(place, "redirect")),
        429 => Some(SignInRefusal::RateLimited { until: None }),
        403 => Some(SignInRefusal::BotChallenge),
        400 if is_problem(answer) => Some(SignInRefusal::RequestRejected),
        _ if answer.is_out_of_order() => Some(SignInRefusal::Temporary),
        status => Some(SignInRefusal::Unexplained { status }),
    }
}

/// An answer of a shape that is not known, and where in it that was noticed.
pub(super) fn changed(place: &str, path: &str) -> SignInRefusal {
    SignInRefusal::Changed {
        path: format!("{place}: {path}"),
    }
}

/// RFC 9457: our request was not understood.
pub(super) fn is_problem(answer: &Answer) -> bool {
    answer.content_type.contains("problem+json")
}
