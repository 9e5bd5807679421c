//! The pages that explain why a sign-in stops, in plain sentences.

use super::super::redirect::RedirectProblem;
use super::pages::{AuthorizeRefusal, AuthorizeStep};

fn page(status: u16, title: &str, explanation: impl Into<String>) -> AuthorizeStep {
    AuthorizeStep::Refused(AuthorizeRefusal {
        title: title.to_owned(),
        explanation: explanation.into(),
        status,
    })
}

/// The request cannot be read, or lacks the proof of its origin.
pub(super) fn malformed(what: &str) -> AuthorizeStep {
    page(
        400,
        "This sign-in link is not complete",
        format!(
            "The program that sent you here made a mistake: {what}. Start again from there; if it happens again, tell \
             whoever made it."
        ),
    )
}

pub(super) fn unknown_client() -> AuthorizeStep {
    page(
        400,
        "This connection is not known any more",
        "The program that sent you here is not known to this gateway. Remove the connector there and add it again; then \
         it introduces itself anew. Nothing was changed.",
    )
}

/// The client's metadata document cannot be fetched, or is not one.
pub(super) fn unreadable_client(host: &str) -> AuthorizeStep {
    page(
        503,
        "The program could not be identified",
        format!(
            "The description of the program that sent you here could not be read from {host}. Wait a minute, then try \
             again from there. If it stays so, tell the operator of this gateway. Nothing was changed."
        ),
    )
}

/// The client's redirect URI is not allowed.
pub(super) fn redirect(problem: RedirectProblem) -> AuthorizeStep {
    let fix = match problem {
        RedirectProblem::ForeignHost => {
            " If you trust it, ask the operator of this gateway to add the host to REDIRECT_HOSTS."
        }
        RedirectProblem::ForeignApp => {
            " If you trust the app, ask the operator of this gateway to add its whole address to REDIRECT_HOSTS."
        }
        _ => "",
    };
    page(
        400,
        "This sign-in would not lead back to Claude",
        format!("It was stopped to protect you: {problem}.{fix} Nothing was sent anywhere."),
    )
}

/// The redirect URI is allowed, but does not belong to this client.
pub(super) fn other_redirect() -> AuthorizeStep {
    page(
        400,
        "This sign-in would not lead back to Claude",
        "It was stopped to protect you: the address to return to is not one that the program registered. Remove the \
         connector in Claude and add it again. Nothing was sent anywhere.",
    )
}

/// The transaction is missing, finished, or another browser's. All three get the same page, so that it reveals
/// nothing.
pub(super) fn not_yours() -> AuthorizeStep {
    page(
        400,
        "This page can't go on",
        "It was open for too long, was started in another browser, or the gateway was restarted; it also needs cookies. \
         Nothing was sent to Garmin. Go back to Claude and connect again.",
    )
}

/// The transaction has no tries left.
pub(super) fn out_of_tries(notice: &str) -> AuthorizeStep {
    page(
        400,
        "That was one try too many",
        format!(
            "{notice} To keep your Garmin account from being locked, this page stops here. Wait a while, make sure of \
                 your password at connect.garmin.com, then go back to Claude and connect again."
        ),
    )
}

/// The same form was posted repeatedly while Garmin was being asked.
pub(super) fn too_many_clicks() -> AuthorizeStep {
    page(
        429,
        "Still signing in",
        "This sign-in is still under way, and the button was pressed several times. Wait a minute, then go back to Claude. \
         If it is not connected by then, connect again.",
    )
}

/// Sign-ins that Garmin has not answered yet fill all places of this source.
pub(super) fn no_room() -> AuthorizeStep {
    page(
        429,
        "Too many sign-ins at once",
        "Many sign-ins from your network are under way at this gateway. Nothing was sent to Garmin. Wait a minute, then go \
         back to Claude and connect again.",
    )
}

/// The operator withdrew the invitation or the access while the person was signing in.
pub(super) fn withdrawn() -> AuthorizeStep {
    page(
        403,
        "This sign-in was ended",
        "The operator of this gateway ended it, or changed who may use the gateway, while you were signing in. Nothing was \
         connected. Ask the operator whether you are still invited, then connect again from Claude.",
    )
}

/// The sign-in has already been completed.
pub(super) fn finished() -> AuthorizeStep {
    page(
        400,
        "This sign-in is finished",
        "There is nothing left to do on this page. Go back to Claude; if it still asks you to connect, start there.",
    )
}

/// The person declined at `/link`, where there is no client to inform.
pub(super) fn cancelled() -> AuthorizeStep {
    page(
        200,
        "Nothing was changed",
        "You did not sign in. What you connected before stays as it is; you can close this page.",
    )
}

/// An internal error occurred before there was a client to inform.
pub(super) fn ours() -> AuthorizeStep {
    page(
        503,
        "The gateway has a problem",
        "It can't reach its own data at the moment. Nothing was sent to Garmin. Try again in a minute; if it stays so, \
         tell the operator.",
    )
}
