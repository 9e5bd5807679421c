//! Sign-in as the phone app does it: one JSON request.

use super::attempt::SignInAttempt;
use super::credentials::Credentials;
use super::json_api::{login_request, read_login};
use super::login::{Login, LoginFailure};
use super::method::SignInMethod;

const METHOD: SignInMethod = SignInMethod::Mobile;

pub(super) async fn sign_in(
    attempt: &mut SignInAttempt<'_>,
    credentials: &Credentials,
) -> Result<Login, LoginFailure> {
    attempt.clear_cookies();
    let login = attempt
        .send(METHOD, login_request(attempt.hosts(), METHOD, credentials))
        .await?;
    Ok(read_login(attempt.hosts(), METHOD, &login)?)
}
