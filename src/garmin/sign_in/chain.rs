//! Tries the sign-in methods in order, and reduces their failures to one refusal.
//!
//! The chain ends at a success, a request for a code, a wrong password or a locked account; after any other refusal
//! the next method is tried. No method is tried twice, and one that Garmin throttled recently is skipped.

use std::ops::ControlFlow;

use super::attempt::SignInAttempt;
use super::credentials::Credentials;
use super::login::{Login, LoginFailure, PendingMfa};
use super::method::SignInMethod;
use super::outcome::SignedIn;
use super::refusal::SignInRefusal;
use super::{mobile, portal, redeem, widget};

pub(super) struct ChainResult {
    pub(super) end: ChainEnd,
    /// The method that was tried last.
    pub(super) method: Option<SignInMethod>,
    /// The methods that failed, in the order tried; the skipped ones come first.
    pub(super) failures: Vec<(SignInMethod, SignInRefusal)>,
}

pub(super) enum ChainEnd {
    SignedIn(SignedIn),
    CodeWanted(PendingMfa),
    Refused(SignInRefusal),
}

/// Tries `methods` in order. `skipped`: the methods left out, each with its reason.
pub(super) async fn sign_in(
    attempt: &mut SignInAttempt<'_>,
    credentials: &Credentials,
    methods: &[SignInMethod],
    skipped: Vec<(SignInMethod, SignInRefusal)>,
) -> ChainResult {
    let mut result = ChainResult {
        end: ChainEnd::Refused(SignInRefusal::Temporary),
        method: None,
        failures: skipped,
    };
    for &method in methods {
        result.method = Some(method);
        match sign_in_by(method, attempt, credentials).await {
            ControlFlow::Break(end) => {
                result.end = end;
                return result;
            }
            ControlFlow::Continue(refusal) => result.failures.push((method, refusal)),
        }
    }
    result.end = ChainEnd::Refused(verdict(&result.failures));
    result
}

/// `Continue`: this method failed for a reason that another method may avoid.
async fn sign_in_by(
    method: SignInMethod,
    attempt: &mut SignInAttempt<'_>,
    credentials: &Credentials,
) -> ControlFlow<ChainEnd, SignInRefusal> {
    let login = match method {
        SignInMethod::Mobile => mobile::sign_in(attempt, credentials).await,
        SignInMethod::Widget => widget::sign_in(attempt, credentials).await,
        SignInMethod::Portal => portal::sign_in(attempt, credentials).await,
    };
    let ticket = match login {
        Ok(Login::Ticket(ticket)) => ticket,
        Ok(Login::CodeWanted(pending)) => return ControlFlow::Break(ChainEnd::CodeWanted(pending)),
        Err(LoginFailure::NotConnected) => {
            return ControlFlow::Break(ChainEnd::Refused(SignInRefusal::Unreachable));
        }
        Err(LoginFailure::Refused(
            refusal @ (SignInRefusal::WrongCredentials | SignInRefusal::AccountLocked),
        )) => return ControlFlow::Break(ChainEnd::Refused(refusal)),
        Err(LoginFailure::Refused(refusal)) => return ControlFlow::Continue(refusal),
    };
    match redeem::redeem(attempt, &ticket).await {
        Ok(signed_in) => ControlFlow::Break(ChainEnd::SignedIn(signed_in)),
        Err(refusal) if is_about_the_ticket(&refusal) => ControlFlow::Continue(refusal),
        Err(refusal) => ControlFlow::Break(ChainEnd::Refused(refusal)),
    }
}

/// Whether the ticket was refused. Another method yields another ticket, but uses the same token service and API.
fn is_about_the_ticket(refusal: &SignInRefusal) -> bool {
    matches!(
        refusal,
        SignInRefusal::TokenNotAccepted | SignInRefusal::TicketRefused
    )
}

/// The refusal to report when every method failed. The failure of a method that obtained a ticket is the most
/// informative. If all methods agree, their common reason is reported.
fn verdict(failures: &[(SignInMethod, SignInRefusal)]) -> SignInRefusal {
    if let Some((_, refusal)) = failures.iter().find(|(_, refusal)| is_about_the_ticket(refusal)) {
        return refusal.clone();
    }
    match failures {
        [] => SignInRefusal::Temporary,
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other.reason() == first.reason()) => {
            first.clone()
        }
        _ => SignInRefusal::Exhausted {
            methods: failures.to_vec(),
        },
    }
}
