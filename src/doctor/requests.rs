//! Sends the same requests as Claude, one after the other, and checks each response.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::{Finding, Patient};
use crate::admin::api::{AdminAct, AdminAnswer, AdminRequest};
use crate::base::causes::root;
use crate::config::PublicUrl;

/// The maximum size of a response in bytes. The gateway's responses are smaller.
const LARGEST: usize = 64 << 10;

pub(super) struct PublicClient<'a> {
    http: Client,
    url: &'a PublicUrl,
}

struct PublicResponse {
    status: StatusCode,
    challenge: String,
    location: Option<String>,
    body: Value,
}

impl PublicResponse {
    /// The text value of a member of the JSON body.
    fn says(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }
}

impl<'a> PublicClient<'a> {
    pub(super) fn new(url: &'a PublicUrl, patience: Duration) -> reqwest::Result<Self> {
        let mut http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("garmin-gateway-doctor/", env!("CARGO_PKG_VERSION")))
            .timeout(patience);
        if url.is_loopback() {
            http = http.no_proxy().tls_certs_only([]);
        }
        Ok(Self {
            http: http.build()?,
            url,
        })
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.url.origin()));
        request
            .header(CONTENT_TYPE, "application/json")
            .header("Accept", "application/json, text/event-stream")
            .body(body.to_string())
    }

    /// `initialize`, the first request of every client.
    fn initialize(&self) -> RequestBuilder {
        let client = json!({ "name": "garmin-gateway-doctor", "version": env!("CARGO_PKG_VERSION") });
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        self.post("/mcp", &message)
    }

    /// Without a token, the gateway must answer 401 with a challenge that contains the URL of the metadata.
    pub(super) async fn challenge(&self) -> Finding {
        const CHECK: &str = "challenge";
        let seen = match see(self.initialize()).await {
            Ok(seen) => seen,
            Err(e) => {
                return Finding::fail(
                    CHECK,
                    format!("{} does not answer ({e})", self.url.mcp()),
                    "is the gateway running, and does the proxy point to its BIND_ADDRESS and PORT?",
                );
            }
        };
        if let Some(location) = &seen.location {
            return Finding::fail(
                CHECK,
                format!("{} redirects to {location}", self.url.mcp()),
                "let the proxy answer at this address, because Claude does not follow redirects; or correct PUBLIC_URL",
            );
        }
        let (says, fix) = match seen.status.as_u16() {
            401 if seen.challenge.contains("resource_metadata=") => {
                return Finding::ok(CHECK, "401 with the address of the sign-in");
            }
            401 => (
                "401, but not from the gateway".to_owned(),
                "the proxy asks for a password of its own, or drops WWW-Authenticate: switch that off for the gateway's paths",
            ),
            403 => (
                "403: the proxy refuses the request".to_owned(),
                "bot protection and address lists must allow the gateway's paths",
            ),
            404 => (
                "404: another server answers".to_owned(),
                "let the proxy pass /mcp to the gateway (see packaging/ and the README)",
            ),
            code @ (502..=504) => (
                format!("{code}: the proxy can't reach the gateway"),
                "is the gateway running? Does the proxy point to its BIND_ADDRESS and PORT?",
            ),
            code => (
                format!("{code} instead of 401"),
                "let the proxy pass /mcp to the gateway unchanged",
            ),
        };
        Finding::fail(CHECK, says, fix)
    }

    /// Checks the metadata documents that a client reads before it registers.
    pub(super) async fn documents(&self) -> Vec<Finding> {
        let (origin, mcp) = (self.url.origin(), self.url.mcp());
        let wanted = [
            (
                "/.well-known/oauth-protected-resource/mcp",
                "resource",
                mcp.as_str(),
            ),
            ("/.well-known/oauth-protected-resource", "resource", mcp.as_str()),
            ("/.well-known/oauth-authorization-server", "issuer", origin),
        ];
        let mut findings = Vec::new();
        for (path, member, value) in wanted {
            let seen = see(self.http.get(format!("{origin}{path}"))).await;
            let says = match seen {
                Ok(seen) if seen.status == StatusCode::OK && seen.says(member) == Some(value) => continue,
                Ok(seen) if seen.status == StatusCode::OK => match seen.says(member) {
                    Some(other) => format!("{path} names {other} instead of {value}"),
                    None => format!("{path} returns a different document"),
                },
                Ok(seen) => format!("{path} answers {}", seen.status.as_u16()),
                Err(e) => format!("{path} does not answer ({e})"),
            };
            findings.push(Finding::fail(
                "discovery",
                says,
                "let the proxy pass everything below /.well-known/oauth- to the gateway, and set PUBLIC_URL to the \
                 address that people use",
            ));
        }
        if findings.is_empty() {
            findings.push(Finding::ok(
                "discovery",
                "all documents exist and name this address",
            ));
        }
        findings
    }

    /// Sends an invalid token, to check that the `Authorization` header reaches the gateway.
    pub(super) async fn authorization(&self) -> Finding {
        const CHECK: &str = "authorization";
        match see(self.initialize().header(AUTHORIZATION, "Bearer doctor")).await {
            Ok(seen)
                if seen.status == StatusCode::UNAUTHORIZED && seen.challenge.contains("invalid_token") =>
            {
                Finding::ok(CHECK, "tokens reach the gateway")
            }
            Ok(_) => Finding::fail(
                CHECK,
                "the Authorization header does not reach the gateway",
                "let the proxy pass the Authorization header, and ask for no password of its own",
            ),
            Err(e) => Finding::fail(CHECK, e, "try again"),
        }
    }

    /// Registers a client, as Claude does.
    pub(super) async fn registration(&self) -> Finding {
        const CHECK: &str = "registration";
        let client = json!({
            "client_name": "garmin-gateway doctor",
            "redirect_uris": ["http://localhost/callback"],
            "token_endpoint_auth_method": "none",
        });
        match see(self.post("/register", &client)).await {
            Ok(seen) if seen.status == StatusCode::CREATED && seen.says("client_id").is_some() => {
                Finding::ok(CHECK, "clients can register")
            }
            Ok(seen) => Finding::fail(
                CHECK,
                format!("/register answers {}", seen.status.as_u16()),
                if seen.status == StatusCode::TOO_MANY_REQUESTS {
                    "a proxy in front limits requests: let it pass POST /register more often"
                } else {
                    "let the proxy pass POST /register, /token and /revoke to the gateway"
                },
            ),
            Err(e) => Finding::fail(CHECK, e, "let the proxy pass POST /register to the gateway"),
        }
    }

    /// Makes a call with a valid token, through the public address and the proxy.
    pub(super) async fn call(&self, patient: &mut Patient) -> Option<Finding> {
        const CHECK: &str = "call";
        let gateway = patient.gateway.as_mut()?;
        let token = match gateway.ask(AdminRequest::Act(AdminAct::Probe)).await {
            Ok(AdminAnswer::Probe { token }) => token,
            Ok(_) => return None,
            Err(e) => return Some(Finding::fail(CHECK, e.to_string(), "restart the gateway")),
        };
        let asked = self.initialize().header(AUTHORIZATION, format!("Bearer {token}"));
        Some(match see(asked).await {
            Ok(seen) if seen.body.pointer("/result/serverInfo").is_some() => {
                Finding::ok(CHECK, "a call through the public address is answered")
            }
            Ok(seen) if seen.status == StatusCode::UNAUTHORIZED => Finding::fail(
                CHECK,
                "the gateway at the public address is not the one running here",
                "point the proxy to this one",
            ),
            // The token was valid: an invalid one would have caused a 401 first.
            Ok(seen) if seen.status == StatusCode::FORBIDDEN => Finding::fail(
                CHECK,
                "403: the gateway does not know the host name of the request",
                "let the proxy pass the Host header (proxy_set_header Host $host), and set PUBLIC_URL to the \
                 address that people use",
            ),
            Ok(seen) => Finding::fail(
                CHECK,
                format!("the response is {}", seen.status.as_u16()),
                "watch `garmin-gateway monitor --all` while the doctor runs",
            ),
            Err(e) => Finding::fail(CHECK, e, "does the proxy wait long enough? (proxy_read_timeout)"),
        })
    }
}

/// Sends a request and reads the response. Errors: the reason, as text for people.
async fn see(request: RequestBuilder) -> Result<PublicResponse, String> {
    let answer = request.send().await.map_err(|e| root(&e.without_url()))?;
    let header = |name| {
        let value = answer.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let status = answer.status();
    let (challenge, location) = (header(WWW_AUTHENTICATE), header(LOCATION));
    let is_redirect = status.is_redirection();
    Ok(PublicResponse {
        status,
        challenge: challenge.unwrap_or_default(),
        location: location.filter(|_| is_redirect),
        body: body(answer).await?,
    })
}

/// The JSON of the body, or of the first event of a stream; null if there is none.
async fn body(mut answer: Response) -> Result<Value, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| root(&e.without_url()))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST {
            return Ok(Value::Null);
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let data = text.lines().find_map(|line| line.strip_prefix("data:"));
    Ok(serde_json::from_str(data.unwrap_or(&text)).unwrap_or_default())
}
