//! The authorization request, once the client and its redirect URI are proven.

use serde::{Deserialize, Serialize};
use url::Url;

use super::super::client::OAuthClient;
use super::super::error::OAuthError;
use super::super::form::FormParameters;
use super::super::pkce::CodeChallenge;
use super::super::redirect::RedirectUri;
use super::super::resource;
use super::pages::ClientOnPage;
use crate::config::PublicUrl;

/// The state travels in the form of the sign-in page; Claude's has about 50 characters.
const MAX_STATE_BYTES: usize = 4096;

/// The client's request, and the return address for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    /// The client's own name for itself, or its return host if it has no name.
    pub(super) client_name: String,
    pub(super) challenge: CodeChallenge,
    pub(super) resource: String,
    pub(super) return_to: ReturnAddress,
}

/// The redirect URI with the `state` and `iss` that every answer carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReturnAddress {
    pub(super) redirect_uri: RedirectUri,
    state: Option<String>,
    issuer: String,
}

impl ReturnAddress {
    pub(super) fn new(redirect_uri: RedirectUri, form: &FormParameters, public_url: &PublicUrl) -> Self {
        let state = form.find("state").filter(|state| state.len() <= MAX_STATE_BYTES);
        Self {
            redirect_uri,
            state: state.map(str::to_owned),
            issuer: public_url.origin().to_owned(),
        }
    }

    /// The URL that returns a code to the client (RFC 6749 §4.1.2, RFC 9207 §2).
    pub(super) fn code(&self, code: &str) -> String {
        self.with(&[("code", code)])
    }

    /// The URL that returns an error to the client (RFC 6749 §4.1.2.1).
    pub(super) fn error(&self, error: &OAuthError) -> String {
        self.with(&[
            ("error", error.code()),
            ("error_description", error.description()),
        ])
    }

    fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut all = parameters.to_vec();
        if let Some(state) = &self.state {
            all.push(("state", state));
        }
        all.push(("iss", &self.issuer));
        self.redirect_uri.with(&all)
    }
}

impl AuthorizationRequest {
    /// Reads the rest of a request whose client and redirect URI are proven.
    ///
    /// `scope` is ignored, because there is one scope and older clients request others. Every `prompt` except `none`
    /// is accepted, because the page is always shown.
    /// Errors: those returned to the client by redirect (caller).
    pub(super) fn read(
        form: &FormParameters,
        client: OAuthClient,
        return_to: ReturnAddress,
        public_url: &PublicUrl,
    ) -> Result<Self, OAuthError> {
        if form.find("request").is_some() {
            return Err(OAuthError::RequestNotSupported(
                "request objects are not supported".into(),
            ));
        }
        if form.find("request_uri").is_some() {
            return Err(OAuthError::RequestUriNotSupported(
                "request objects are not supported".into(),
            ));
        }
        if form.require("response_type")? != "code" {
            return Err(OAuthError::UnsupportedResponseType(
                "response_type must be code".into(),
            ));
        }
        if form.find("response_mode").is_some_and(|mode| mode != "query") {
            return Err(OAuthError::InvalidRequest("response_mode must be query".into()));
        }
        if form
            .find("state")
            .is_some_and(|state| state.len() > MAX_STATE_BYTES)
        {
            return Err(OAuthError::InvalidRequest("state is too long".into()));
        }
        let challenge =
            CodeChallenge::parse(form.find("code_challenge"), form.find("code_challenge_method"))?;
        let resource = resource::audience(form.resources(), public_url)?;
        let prompts = form.find("prompt").unwrap_or_default();
        if prompts.split(' ').any(|prompt| prompt == "none") {
            return Err(OAuthError::LoginRequired(
                "the person has to sign in on a page".into(),
            ));
        }
        Ok(Self {
            client_id: client.id,
            client_name: client.name.unwrap_or_else(|| return_to.redirect_uri.host()),
            challenge,
            resource,
            return_to,
        })
    }

    pub(super) fn on_page(&self) -> ClientOnPage {
        let to = &self.return_to.redirect_uri;
        let published_at = Url::parse(&self.client_id).ok();
        let publisher = published_at.as_ref().and_then(Url::host_str);
        ClientOnPage {
            name: self.client_name.clone(),
            redirect_host: to.host(),
            on_this_device: to.is_on_this_device(),
            is_verified: !to.is_on_this_device() && publisher == Some(to.host().as_str()),
            form_action: to.form_action(),
        }
    }
}

/// Fuzzer entry point: the URLs that return a code and an error to a client with this redirect URI.
#[cfg(fuzzing)]
pub(in crate::oauth) fn way_back(
    form: &FormParameters,
    redirect_uri: &str,
    public_url: &PublicUrl,
) -> String {
    let client = OAuthClient {
        id: "cli_x".into(),
        name: None,
        redirect_uris: vec![redirect_uri.into()],
    };
    let return_to = ReturnAddress::new(RedirectUri::parse(redirect_uri).unwrap(), form, public_url);
    let to = return_to.clone();
    match AuthorizationRequest::read(form, client, return_to, public_url) {
        Ok(request) => request.return_to.code("gac_1"),
        Err(error) => to.error(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn read(query: &str) -> Result<AuthorizationRequest, String> {
        let public_url = PublicUrl::parse("https://gw.example.org").unwrap();
        let form = FormParameters::parse(query).unwrap_or_else(|e| panic!("{e}"));
        let client = OAuthClient {
            id: "cli_x".into(),
            name: None,
            redirect_uris: vec![],
        };
        let return_to = ReturnAddress::new(
            RedirectUri::parse("http://localhost:9/cb?a=1").unwrap(),
            &form,
            &public_url,
        );
        let to = return_to.clone();
        AuthorizationRequest::read(&form, client, return_to, &public_url).map_err(|e| to.error(&e))
    }

    #[test]
    fn what_claude_asks_for_is_understood() {
        for query in [
            // Claude Code, as observed.
            "response_type=code&{C}&code_challenge_method=S256&state=s&scope=garmin+offline_access&prompt=consent&resource=https%3A%2F%2Fgw.example.org%2Fmcp",
            // Older versions of claude.ai.
            "response_type=code&{C}&code_challenge_method=S256&state=s&scope=claudeai",
            "response_type=code&{C}&code_challenge_method=S256&response_mode=query&prompt=login+consent",
        ] {
            let request = read(&query.replace("{C}", CHALLENGE)).unwrap();
            assert_eq!(request.resource, "https://gw.example.org/mcp");
        }
    }

    #[test]
    fn errors_after_the_redirect_uri_is_proven_carry_state_and_iss() {
        let good = format!("response_type=code&{CHALLENGE}&code_challenge_method=S256&state=a%26b");
        for (query, error) in [
            (
                good.replace("response_type=code", "response_type=token"),
                "unsupported_response_type",
            ),
            (
                good.replace("response_type=code", "response_type="),
                "invalid_request",
            ),
            (good.replace("S256", "plain"), "invalid_request"),
            (good.replace("&code_challenge_method=S256", ""), "invalid_request"),
            (good.replace(CHALLENGE, "x=1"), "invalid_request"),
            (format!("{good}&response_mode=fragment"), "invalid_request"),
            (format!("{good}&response_mode=form_post"), "invalid_request"),
            (format!("{good}&prompt=none"), "login_required"),
            (format!("{good}&prompt=login+none"), "login_required"),
            (format!("{good}&request=e30"), "request_not_supported"),
            (
                format!("{good}&request_uri=https%3A%2F%2Fevil.example"),
                "request_uri_not_supported",
            ),
            (
                format!("{good}&resource=https%3A%2F%2Fevil.example"),
                "invalid_target",
            ),
        ] {
            let url = read(&query).err().unwrap_or_else(|| panic!("{query}"));
            assert!(
                url.starts_with(&format!(
                    "http://localhost:9/cb?a=1&error={error}&error_description="
                )),
                "{url}"
            );
            assert!(
                url.ends_with("&state=a%26b&iss=https%3A%2F%2Fgw.example.org"),
                "{url}"
            );
        }
        let long = format!("{good}{}", "x".repeat(MAX_STATE_BYTES));
        let url = read(&long).err().unwrap();
        assert!(
            url.contains("error=invalid_request") && !url.contains("state=a"),
            "{url}"
        );
    }

    #[test]
    fn state_and_iss_come_back_exactly_once() {
        let query = format!(
            "response_type=code&{CHALLENGE}&code_challenge_method=S256&state=%C3%A4+%2B%25&iss=https%3A%2F%2Fevil.example"
        );
        let request = read(&query).unwrap();
        let url = Url::parse(&request.return_to.code("gac_1")).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("a", "1"),
            ("code", "gac_1"),
            ("state", "ä +%"),
            ("iss", "https://gw.example.org"),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(request.on_page().name, "localhost");
        assert!(request.on_page().on_this_device);
    }
}
