//! What the sign-in methods have in common: their possible results, and the ticket that a login yields.

use super::method::SignInMethod;
use super::refusal::SignInRefusal;
use super::widget_page::WidgetMfaPage;
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::request::join;
use crate::garmin::response::NoResponse;

/// What follows when Garmin accepts the e-mail and password.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Login {
    Ticket(CasTicket),
    /// Garmin asks for a code as well.
    CodeWanted(PendingMfa),
}

/// Why one method failed to log in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LoginFailure {
    Refused(SignInRefusal),
    /// There is no connection to the host that all methods share.
    NotConnected,
}

impl From<SignInRefusal> for LoginFailure {
    fn from(refusal: SignInRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NoResponse> for LoginFailure {
    fn from(no_response: NoResponse) -> Self {
        match no_response {
            NoResponse::NotConnected => Self::NotConnected,
            NoResponse::Lost => Self::Refused(SignInRefusal::Unreachable),
        }
    }
}

/// A CAS service ticket. It is valid for one exchange, together with the service URL that it was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CasTicket {
    pub(super) ticket: Secret,
    pub(super) service_url: String,
}

impl CasTicket {
    pub(super) fn new(hosts: &GarminHosts, method: SignInMethod, ticket: impl Into<String>) -> Self {
        Self {
            ticket: Secret::new(ticket),
            service_url: service_url(hosts, method),
        }
    }
}

/// Where Garmin would send the browser after a sign-in by this method.
pub(super) fn service_url(hosts: &GarminHosts, method: SignInMethod) -> String {
    let domain = hosts.domain;
    match method {
        SignInMethod::Mobile => format!("https://mobile.integration.{domain}/gcm/ios"),
        SignInMethod::Widget => join(&hosts.sso, "/sso/embed").into(),
        SignInMethod::Portal => format!("https://connect.{domain}/app"),
    }
}

/// A login that waits for its code: the data needed to send the code to the method that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingMfa {
    Json {
        /// Either mobile or portal, never the widget.
        method: SignInMethod,
        /// The value of `mfaLastMethodUsed`, in Garmin's spelling.
        channel: String,
        /// The recipient of the code, masked by Garmin.
        sent_to: Option<String>,
    },
    Widget(WidgetMfaPage),
}

/// Why a code yielded no ticket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CodeFailure {
    Wrong,
    /// Garmin did not check the code: throttled, an outage, or no response. It may be sent again.
    NotRead(SignInRefusal),
    /// The challenge accepts no more codes.
    Final(SignInRefusal),
}
