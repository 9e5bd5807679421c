//! The class of an answer that is not what was asked for: told by its status and its kind, the same on every way in.

use crate::garmin::refusal::Refusal;
use crate::garmin::wire::Answer;

/// The class of an answer that is not of the known JSON form. `None`: it is JSON and a success.
pub(super) fn json_trouble(place: &str, answer: &Answer) -> Option<Refusal> {
    if let Some(refusal) = page_trouble(place, answer) {
        return Some(refusal);
    }
    if answer.is_throttle() {
        return Some(Refusal::RateLimited { until: None });
    }
    answer.json().is_none().then_some(Refusal::Temporary)
}

/// The class of an answer by its status and kind alone. `None`: a success.
pub(super) fn page_trouble(place: &str, answer: &Answer) -> Option<Refusal> {
    if answer.is_challenge_page() {
        return Some(Refusal::BotChallenge);
    }
    match answer.status {
        200..300 => None,
        300..400 => Some(changed(place, "redirect")),
        429 => Some(Refusal::RateLimited { until: None }),
        403 => Some(Refusal::BotChallenge),
        400 if is_problem(answer) => Some(Refusal::RequestRejected),
        _ if answer.is_out_of_order() => Some(Refusal::Temporary),
        status => Some(Refusal::Unexplained { status }),
    }
}

/// An answer of a shape that is not known, and where in it that was noticed.
pub(super) fn changed(place: &str, path: &str) -> Refusal {
    Refusal::Changed {
        path: format!("{place}: {path}"),
    }
}

/// RFC 9457: our request was not understood.
pub(super) fn is_problem(answer: &Answer) -> bool {
    answer.content_type.contains("problem+json")
}
