//! A person who connects a client: the complete OAuth flow over HTTP, without delays.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use garmin_gateway::base::secrets::{random_token, sha256};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// Nothing listens here: the redirect is read, not followed.
const CALLBACK: &str = "http://127.0.0.1:3939/callback";

/// A person whom the simulated Garmin knows.
#[derive(Deserialize)]
pub(crate) struct Person {
    pub(crate) email: String,
    password: String,
    /// The MFA code, for people who have MFA.
    pub(crate) mfa_code: Option<String>,
}

/// Registers a client, signs the person in on the gateway's pages, and returns the access token.
pub(crate) async fn connect(gateway: &str, person: &Person) -> Result<String> {
    connect_with(reqwest::Client::builder(), gateway, person).await
}

/// The same with a browser that trusts the gateway's certificate.
pub(crate) async fn connect_with(
    browser: reqwest::ClientBuilder,
    gateway: &str,
    person: &Person,
) -> Result<String> {
    let browser = browser
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let metadata = json!({"client_name": "bench", "redirect_uris": [CALLBACK]});
    let registered: Value = browser
        .post(format!("{gateway}/register"))
        .json(&metadata)
        .send()
        .await?
        .json()
        .await?;
    let client_id = registered["client_id"]
        .as_str()
        .with_context(|| format!("not registered: {registered}"))?;

    let verifier = random_token("");
    let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.expose().as_bytes()));
    let query = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("state", "bench"),
    ];
    let page = browser
        .get(format!("{gateway}/authorize"))
        .query(&query)
        .send()
        .await?;
    let page_url = page.url().clone();
    let html = page.text().await?;
    let mut form = hidden_fields(&html);
    ensure!(!form.is_empty(), "no form on the sign-in page: {html}");
    form.insert("email", &person.email);
    form.insert("password", &person.password);
    form.insert("access", "read_only");
    let answer = browser.post(page_url).form(&form).send().await?;
    ensure!(
        answer.status() == StatusCode::SEE_OTHER,
        "the sign-in ended with {}",
        answer.status()
    );
    let target = answer.headers().get(LOCATION).context("no redirect")?.to_str()?;
    let back = Url::parse(target)?;
    let code = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .with_context(|| format!("no code: {back}"))?
        .1;

    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", client_id),
        ("code_verifier", verifier.expose()),
    ];
    let granted: Value = browser
        .post(format!("{gateway}/token"))
        .form(&exchange)
        .send()
        .await?
        .json()
        .await?;
    Ok(granted["access_token"]
        .as_str()
        .with_context(|| format!("no token: {granted}"))?
        .to_owned())
}

/// The hidden fields of the first form: `<input type="hidden" name="…" value="…">`.
fn hidden_fields(html: &str) -> BTreeMap<&str, &str> {
    let first = html.split("</form>").next().unwrap_or_default();
    first
        .split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|tag| Some((between(tag, "name=\"", "\"")?, between(tag, "value=\"", "\"")?)))
        .collect()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    Some(text.split_once(from)?.1.split_once(to)?.0)
}
