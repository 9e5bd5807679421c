//! Sign-in through the HTML form that other sites embed. Its rate limits are separate, so it often works while the
//! JSON methods are throttled.

use serde::Serialize;
use url::Url;

use super::attempt::SignInAttempt;
use super::credentials::Credentials;
use super::html;
use super::login::{CasTicket, CodeFailure, Login, LoginFailure, PendingMfa, service_url};
use super::method::SignInMethod;
use super::refusal::SignInRefusal;
use super::signals::{changed, check_page};
use super::widget_page::{WidgetMfaPage, WidgetPage, read_page};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::request::{ACCEPT_JSON, GarminRequest, RequestBody, join, origin};
use crate::garmin::response::GarminResponse;

const METHOD: SignInMethod = SignInMethod::Widget;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryBody<'a> {
    customer_guid: &'a str,
    mfa_method: &'a str,
    locale: &'a str,
}

pub(super) async fn sign_in(
    attempt: &mut SignInAttempt<'_>,
    credentials: &Credentials,
) -> Result<Login, LoginFailure> {
    attempt.clear_cookies();
    let frame = attempt.send(METHOD, frame_request(attempt.hosts())).await?;
    check_page("widget form", &frame)?;

    let form = attempt.send(METHOD, form_request(attempt.hosts())).await?;
    check_page("widget form", &form)?;
    let csrf = html::input(&form.text, "_csrf").ok_or_else(|| changed("widget form", "_csrf"))?;

    attempt.pause(&attempt.settings().form_pause).await;
    let submission = submit_request(attempt.hosts(), credentials, &csrf);
    let page = attempt.send(METHOD, submission).await?;
    let login = read_submitted(attempt.hosts(), &page)?;

    if let Login::CodeWanted(PendingMfa::Widget(page)) = &login
        && let Some(delivery) = delivery_request(attempt.hosts(), page)
    {
        // The result does not matter: the person sees whether a code arrives, and the sign-in continues either way.
        drop(attempt.send(METHOD, delivery).await);
    }
    Ok(login)
}

/// Sends a code. A page that asks again has a new `_csrf`, which goes into `page` for the next try.
pub(super) async fn verify_code(
    attempt: &mut SignInAttempt<'_>,
    page: &mut WidgetMfaPage,
    code: &Secret,
) -> Result<CasTicket, CodeFailure> {
    let request = code_request(attempt.hosts(), page, code);
    let response = attempt
        .send(METHOD, request)
        .await
        .map_err(|_| CodeFailure::NotRead(SignInRefusal::Unreachable))?;
    read_code_response(attempt.hosts(), page, &response)
}

pub(super) fn read_submitted(hosts: &GarminHosts, response: &GarminResponse) -> Result<Login, SignInRefusal> {
    let place = "widget form";
    check_page(place, response)?;
    match read_page(place, response)? {
        WidgetPage::Success { ticket } => Ok(Login::Ticket(CasTicket::new(hosts, METHOD, ticket))),
        WidgetPage::Code(page) => Ok(Login::CodeWanted(PendingMfa::Widget(page))),
    }
}

pub(super) fn read_code_response(
    hosts: &GarminHosts,
    page: &mut WidgetMfaPage,
    response: &GarminResponse,
) -> Result<CasTicket, CodeFailure> {
    let place = "widget code";
    check_page(place, response).map_err(CodeFailure::NotRead)?;
    match read_page(place, response) {
        Ok(WidgetPage::Success { ticket }) => Ok(CasTicket::new(hosts, METHOD, ticket)),
        Ok(WidgetPage::Code(next)) => {
            page.csrf = next.csrf;
            Err(CodeFailure::Wrong)
        }
        // "Invalid code", without a form for another try.
        Err(SignInRefusal::WrongCredentials) => Err(CodeFailure::Final(SignInRefusal::ChallengeOver)),
        Err(refusal) => Err(CodeFailure::Final(refusal)),
    }
}

fn frame_request(hosts: &GarminHosts) -> GarminRequest {
    let mut url = join(&hosts.sso, "/sso/embed");
    url.query_pairs_mut()
        .append_pair("id", "gauth-widget")
        .append_pair("embedWidget", "true")
        .append_pair("gauthHost", join(&hosts.sso, "/sso").as_str());
    GarminRequest::get(url).like_browser()
}

fn form_request(hosts: &GarminHosts) -> GarminRequest {
    GarminRequest::get(form_url(hosts))
        .like_browser()
        .header("referer", service_url(hosts, METHOD))
}

fn submit_request(hosts: &GarminHosts, credentials: &Credentials, csrf: &str) -> GarminRequest {
    let form = RequestBody::form(&[
        ("username", credentials.email.trim()),
        ("password", credentials.password.expose()),
        ("embed", "true"),
        ("_csrf", csrf),
    ]);
    posted_by_form(hosts, GarminRequest::post(form_url(hosts), form).like_browser())
}

fn code_request(hosts: &GarminHosts, page: &WidgetMfaPage, code: &Secret) -> GarminRequest {
    let mut url = form_url(hosts);
    url.set_path(join(&hosts.sso, "/sso/verifyMFA/loginEnterMfaCode").path());
    let form = RequestBody::form(&[
        ("mfa-code", code.expose()),
        ("embed", "true"),
        ("_csrf", &page.csrf),
        ("fromPage", "setupEnterMfaCode"),
    ]);
    posted_by_form(hosts, GarminRequest::post(url, form).like_browser())
}

/// Asks Garmin to send the code. Garmin's page does that by a script; without this request, e-mail codes never
/// arrive. An authenticator app needs no delivery, and a code that was sent already is not sent again.
fn delivery_request(hosts: &GarminHosts, page: &WidgetMfaPage) -> Option<GarminRequest> {
    let is_sent_by_garmin = ["email", "sms"]
        .iter()
        .any(|channel| page.channel.eq_ignore_ascii_case(channel));
    let delivery = page
        .delivery
        .as_ref()
        .filter(|_| is_sent_by_garmin && page.sent_to.is_none())?;
    let mut url = join(&hosts.sso, "/sso/verifyMFA/mfaCode");
    url.query_pairs_mut().append_pair("clientId", &delivery.client_id);
    let body = RequestBody::json(&DeliveryBody {
        customer_guid: &delivery.customer_guid,
        mfa_method: &page.channel,
        locale: &delivery.locale,
    });
    let mut request = GarminRequest::post(url, body).like_browser();
    request.headers.retain(|(name, _)| *name != "accept");
    Some(posted_by_form(hosts, request.header("accept", ACCEPT_JSON)))
}

fn posted_by_form(hosts: &GarminHosts, request: GarminRequest) -> GarminRequest {
    request
        .header("origin", origin(&hosts.sso))
        .header("referer", form_url(hosts))
}

fn form_url(hosts: &GarminHosts) -> Url {
    let embed = service_url(hosts, METHOD);
    let mut url = join(&hosts.sso, "/sso/signin");
    url.query_pairs_mut()
        .append_pair("id", "gauth-widget")
        .append_pair("embedWidget", "true")
        .append_pair("gauthHost", &embed)
        .append_pair("service", &embed)
        .append_pair("source", &embed)
        .append_pair("redirectAfterAccountLoginUrl", &embed)
        .append_pair("redirectAfterAccountCreationUrl", &embed);
    url
}

#[cfg(test)]
mod tests;
