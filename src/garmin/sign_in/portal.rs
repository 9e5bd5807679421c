//! Sign-in as the web site does it: first the page, for its cookies, then the JSON request, after the time that a
//! person needs to type.

use super::attempt::SignInAttempt;
use super::credentials::Credentials;
use super::json_api::{login_request, portal_page_url, read_login};
use super::login::{Login, LoginFailure};
use super::method::SignInMethod;
use super::signals::check_page;
use crate::garmin::request::GarminRequest;

const METHOD: SignInMethod = SignInMethod::Portal;

pub(super) async fn sign_in(
    attempt: &mut SignInAttempt<'_>,
    credentials: &Credentials,
) -> Result<Login, LoginFailure> {
    attempt.clear_cookies();
    let page = GarminRequest::get(portal_page_url(attempt.hosts())).like_browser();
    check_page("portal page", &attempt.send(METHOD, page).await?)?;

    attempt.pause(&attempt.settings().portal_pause).await;
    let login = attempt
        .send(METHOD, login_request(attempt.hosts(), METHOD, credentials))
        .await?;
    Ok(read_login(attempt.hosts(), METHOD, &login)?)
}
