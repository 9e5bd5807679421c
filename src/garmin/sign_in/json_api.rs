//! The JSON interface of the phone app and of the web site: the same requests and responses, under two paths and client
//! ids.

use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::credentials::Credentials;
use super::login::{CasTicket, CodeFailure, Login, PendingMfa, service_url};
use super::method::SignInMethod;
use super::refusal::SignInRefusal;
use super::signals::{changed, check_json};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::request::{ACCEPT_JSON, BROWSER, GarminRequest, RequestBody, join, origin};
use crate::garmin::response::GarminResponse;

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";

/// How a code reaches the person when the response does not say.
const DEFAULT_CHANNEL: &str = "email";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginBody<'a> {
    username: &'a str,
    password: &'a str,
    remember_me: bool,
    captcha_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeBody<'a> {
    mfa_method: &'a str,
    mfa_verification_code: &'a str,
    remember_my_browser: bool,
    reconsent_list: [&'a str; 0],
    mfa_setup: bool,
}

/// The page that the web site's sign-in starts from.
pub(super) fn portal_page_url(hosts: &GarminHosts) -> Url {
    let mut url = join(&hosts.sso, "/portal/sso/en-US/sign-in");
    url.query_pairs_mut()
        .append_pair("clientId", "GarminConnect")
        .append_pair("service", &service_url(hosts, SignInMethod::Portal));
    url
}

pub(super) fn login_request(
    hosts: &GarminHosts,
    method: SignInMethod,
    credentials: &Credentials,
) -> GarminRequest {
    let body = RequestBody::json(&LoginBody {
        username: credentials.email.trim(),
        password: credentials.password.expose(),
        remember_me: true,
        captcha_token: "",
    });
    post(hosts, method, "login", body)
}

/// The request that sends a code by the path of `method`, which may differ from the method that asked for it.
pub(super) fn code_request(
    hosts: &GarminHosts,
    method: SignInMethod,
    channel: &str,
    code: &Secret,
) -> GarminRequest {
    let body = RequestBody::json(&CodeBody {
        mfa_method: channel,
        mfa_verification_code: code.expose(),
        remember_my_browser: true,
        reconsent_list: [],
        mfa_setup: false,
    });
    post(hosts, method, "mfa/verifyCode", body)
}

fn post(hosts: &GarminHosts, method: SignInMethod, path: &str, body: RequestBody) -> GarminRequest {
    let is_portal = method == SignInMethod::Portal;
    let (root, client_id, user_agent) = if is_portal {
        ("portal", "GarminConnect", BROWSER)
    } else {
        ("mobile", "GCM_IOS_DARK", PHONE)
    };
    let mut url = join(&hosts.sso, &format!("/{root}/api/{path}"));
    url.query_pairs_mut()
        .append_pair("clientId", client_id)
        .append_pair("locale", "en-US")
        .append_pair("service", &service_url(hosts, method));
    let request = GarminRequest::post(url, body)
        .header("user-agent", user_agent)
        .header("accept", ACCEPT_JSON)
        .header("origin", origin(&hosts.sso));
    if is_portal {
        request.header("referer", portal_page_url(hosts))
    } else {
        request
    }
}

pub(super) fn read_login(
    hosts: &GarminHosts,
    method: SignInMethod,
    response: &GarminResponse,
) -> Result<Login, SignInRefusal> {
    let place = match method {
        SignInMethod::Portal => "portal login",
        _ => "mobile login",
    };
    match status_type(response).as_deref() {
        Some("SUCCESSFUL") => read_ticket(hosts, method, place, response).map(Login::Ticket),
        Some("MFA_REQUIRED") => Ok(Login::CodeWanted(read_pending(method, response))),
        Some("INVALID_USERNAME_PASSWORD") => Err(SignInRefusal::WrongCredentials),
        Some("ACCOUNT_LOCKED") => Err(SignInRefusal::AccountLocked),
        Some("CAPTCHA_REQUIRED") => Err(SignInRefusal::BotChallenge),
        _ => {
            check_json(place, response)?;
            Err(changed(place, "responseStatus.type"))
        }
    }
}

/// How the requested code reaches the person.
pub(super) fn read_pending(method: SignInMethod, response: &GarminResponse) -> PendingMfa {
    let info = response
        .json()
        .and_then(|json| json.get("customerMfaInfo").cloned())
        .unwrap_or_default();
    let text = |key: &str| {
        info.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let channel = text("mfaLastMethodUsed").unwrap_or_else(|| DEFAULT_CHANNEL.to_owned());
    let sent_to = match channel.as_str() {
        "email" => text("email"),
        "sms" | "phone" => text("phoneNumber"),
        _ => None,
    };
    PendingMfa::Json {
        method,
        channel,
        sent_to,
    }
}

/// `login_method`: the method that asked for the code; the ticket is bound to its service URL.
pub(super) fn read_code_response(
    hosts: &GarminHosts,
    login_method: SignInMethod,
    response: &GarminResponse,
) -> Result<CasTicket, CodeFailure> {
    let place = "code verification";
    let Some(status_type) = status_type(response) else {
        let is_json = response.json().is_some();
        // Garmin refused the code in JSON of an unknown form, so it did check the code.
        if is_json && matches!(response.status, 400..=403 | 422) && !response.is_problem_document() {
            return Err(CodeFailure::Wrong);
        }
        check_json(place, response).map_err(CodeFailure::NotRead)?;
        return Err(CodeFailure::Final(changed(place, "responseStatus.type")));
    };
    match status_type.as_str() {
        "SUCCESSFUL" => read_ticket(hosts, login_method, place, response).map_err(CodeFailure::Final),
        "ACCOUNT_LOCKED" => Err(CodeFailure::Final(SignInRefusal::AccountLocked)),
        "CAPTCHA_REQUIRED" => Err(CodeFailure::Final(SignInRefusal::BotChallenge)),
        // No known source documents the status of a wrong code, so every other status counts as one.
        _ => Err(CodeFailure::Wrong),
    }
}

fn read_ticket(
    hosts: &GarminHosts,
    method: SignInMethod,
    place: &str,
    response: &GarminResponse,
) -> Result<CasTicket, SignInRefusal> {
    let json = response.json().unwrap_or_default();
    json.get("serviceTicketId")
        .and_then(Value::as_str)
        .filter(|ticket| !ticket.is_empty())
        .map(|ticket| CasTicket::new(hosts, method, ticket))
        .ok_or_else(|| changed(place, "serviceTicketId"))
}

/// `responseStatus.type`, which takes precedence over the HTTP status.
fn status_type(response: &GarminResponse) -> Option<String> {
    let json = response.json()?;
    json.pointer("/responseStatus/type")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
