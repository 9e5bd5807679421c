//! An emulation of claude.ai: the observed behaviour of its backend, run against the whole gateway. The backend's calls
//! come from many machines without cookies. The person's browser is a separate client.

use futures_util::future::join_all;
use garmin_gateway::base::secrets::random_token;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::whole::{World, challenge};

const CLIENT_ID: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";
const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";
const MODERN: &str = "2026-07-28";

/// Claude's backend, with the connector URL that the person entered.
struct Claude {
    http: reqwest::Client,
    url: String,
}

/// The result of OAuth discovery: the resource, and the metadata of its authorization server.
struct Discovered {
    resource: String,
    server: Value,
}

struct Tokens {
    access: String,
    refresh: String,
}

impl Claude {
    fn new(world: &World) -> Self {
        let http = reqwest::Client::builder()
            .user_agent("python-httpx/0.28.1")
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            url: world.url("/mcp"),
        }
    }

    async fn json(&self, url: &str) -> Value {
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        answer.json().await.unwrap()
    }

    /// Performs discovery, from the 401 to the authorization server's metadata.
    async fn discover(&self) -> Discovered {
        let refused = self.post(None, &probe(), &[]).await;
        assert_eq!(refused.status(), 401);
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            !challenge.contains("error="),
            "a failure that did not happen: {challenge}"
        );
        let metadata = challenge.split("resource_metadata=\"").nth(1).unwrap();
        let resource = self.json(metadata.split('"').next().unwrap()).await;
        assert_eq!(resource["resource"], self.url.as_str());
        let issuer = resource["authorization_servers"][0].as_str().unwrap();
        let server = self
            .json(&format!("{issuer}/.well-known/oauth-authorization-server"))
            .await;
        assert_eq!(server["issuer"], issuer);
        Discovered {
            resource: resource["resource"].as_str().unwrap().to_owned(),
            server,
        }
    }

    /// The person's part in a browser, up to the code that is returned to Claude's callback.
    async fn sign_in(
        &self,
        world: &World,
        server: &Value,
        request: &[(&str, &str)],
        verifier: &str,
    ) -> String {
        let mut url = Url::parse(server["authorization_endpoint"].as_str().unwrap()).unwrap();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", CALLBACK)
            .append_pair("code_challenge", &challenge(verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", "the state")
            .extend_pairs(request);
        let page = world.http.get(url).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("claude.ai"), "where it returns to is not shown");
        let typed = [
            ("email", "ann@example.org"),
            ("password", "demo-ann"),
            ("access", "read_only"),
        ];
        let answer = world.post(&page, "credentials", &typed).await;
        assert_eq!(answer.status(), 303, "claude.ai's callback takes GET alone");
        let location = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        assert!(location.as_str().starts_with(&format!("{CALLBACK}?")));
        let value = |name: &str| {
            let found = location.query_pairs().find(|(known, _)| known == name);
            found.map(|(_, value)| value.into_owned()).unwrap()
        };
        assert_eq!(
            (value("state").as_str(), value("iss").as_str()),
            ("the state", server["issuer"].as_str().unwrap())
        );
        value("code")
    }

    async fn token(&self, server: &Value, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let endpoint = server["token_endpoint"].as_str().unwrap();
        let answer = self.http.post(endpoint).form(form).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status(), answer.json().await.unwrap())
    }

    async fn tokens(&self, server: &Value, form: &[(&str, &str)]) -> Tokens {
        let (status, answer) = self.token(server, form).await;
        assert_eq!(status, 200, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    async fn post(&self, token: Option<&str>, body: &Value, headers: &[(&str, &str)]) -> Response {
        let mut request = self
            .http
            .post(&self.url)
            .json(body)
            .header("accept", "application/json, text/event-stream");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        assert!(
            !answer.headers().contains_key("mcp-session-id"),
            "a session that would be lost"
        );
        answer
    }

    /// Whether the endpoint accepts this token.
    async fn opens(&self, token: &str) -> bool {
        let headers = [
            ("mcp-protocol-version", MODERN),
            ("mcp-method", "server/discover"),
        ];
        match self.post(Some(token), &probe(), &headers).await.status().as_u16() {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }
}

/// The first request that Claude sends to a server.
fn probe() -> Value {
    json!({ "jsonrpc": "2.0", "id": "server-discover-probe-1", "method": "server/discover", "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    } } })
}

/// The form parameters with which Claude exchanges a code.
fn exchange<'a>(code: &'a str, client_id: &'a str, verifier: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("code_verifier", verifier),
    ]
}

fn refresh<'a>(token: &'a str, client_id: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client_id),
    ]
}

#[tokio::test]
async fn it_connects_by_its_metadata_document_and_refreshes_from_two_machines_at_once() {
    let mut world = World::start().await;
    let claude = Claude::new(&world);
    let Discovered { resource, server } = claude.discover().await;
    // Claude uses its metadata document as client id only if the server announces both.
    assert_eq!(server["client_id_metadata_document_supported"], true);
    assert_eq!(server["token_endpoint_auth_methods_supported"], json!(["none"]));

    let verifier = random_token("");
    let asked = [
        ("client_id", CLIENT_ID),
        ("scope", "garmin offline_access"),
        ("resource", resource.as_str()),
    ];
    let code = claude.sign_in(&world, &server, &asked, verifier.expose()).await;
    let mut form = exchange(&code, CLIENT_ID, verifier.expose());
    form.push(("resource", &resource));
    let first = claude.tokens(&server, &form).await;

    // Two egress nodes refresh at the same time, with the resource and without a scope.
    let mut form = refresh(&first.refresh, CLIENT_ID);
    form.push(("resource", &resource));
    let nodes = join_all((0..2).map(|_| claude.tokens(&server, &form))).await;
    assert_eq!(nodes[0].refresh, nodes[1].refresh);
    for token in [&first.access, &nodes[0].access, &nodes[1].access] {
        assert!(claude.opens(token).await);
    }

    // A node that missed the rotation presents the old refresh token again, after a restart of the gateway.
    world.restart().await;
    let late = claude.tokens(&server, &form).await;
    assert_eq!(late.refresh, nodes[0].refresh);
    assert!(claude.opens(&first.access).await);
}

#[tokio::test]
async fn it_registers_twice_asks_for_a_secret_and_leaves_out_scope_and_resource() {
    let world = World::start().await;
    let claude = Claude::new(&world);
    let Discovered { server, .. } = claude.discover().await;
    // These are the endpoints that Claude assumes when discovery fails.
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("registration_endpoint", "/register"),
    ] {
        assert_eq!(server[name], world.url(path));
    }
    let metadata = json!({
        "client_name": "Claude",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "claudeai",
    });
    let register = async || -> Value {
        let endpoint = server["registration_endpoint"].as_str().unwrap();
        let answer = claude.http.post(endpoint).json(&metadata).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json().await.unwrap()
    };
    let (first, second) = (register().await, register().await);
    assert_eq!(first["client_id"], second["client_id"]);
    assert_eq!(first["token_endpoint_auth_method"], "none");
    assert!(first.get("client_secret").is_none() && first.get("client_secret_expires_at").is_none());

    let client_id = first["client_id"].as_str().unwrap();
    let verifier = random_token("");
    let asked = [("client_id", client_id), ("scope", "claudeai")];
    let code = claude.sign_in(&world, &server, &asked, verifier.expose()).await;
    // This exact error makes a client that was forgotten by the server register again.
    let (status, answer) = claude
        .token(&server, &exchange(&code, "forgotten", verifier.expose()))
        .await;
    assert_eq!(
        (status.as_u16(), &answer["error"]),
        (401, &json!("invalid_client"))
    );
    let mut form = exchange(&code, client_id, verifier.expose());
    form.push(("client_secret", "undefined"));
    let tokens = claude.tokens(&server, &form).await;
    let next = claude.tokens(&server, &refresh(&tokens.refresh, client_id)).await;
    assert!(claude.opens(&next.access).await);

    // This error, and never a 401, makes Claude ask the person to sign in again.
    let (status, answer) = claude.token(&server, &refresh("grt_lost", client_id)).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[tokio::test]
async fn it_sends_no_session_or_a_stale_one_and_initialises_whenever_it_likes() {
    let world = World::start().await;
    let claude = Claude::new(&world);
    let Discovered { server, .. } = claude.discover().await;
    let verifier = random_token("");
    let code = claude
        .sign_in(&world, &server, &[("client_id", CLIENT_ID)], verifier.expose())
        .await;
    let token = claude
        .tokens(&server, &exchange(&code, CLIENT_ID, verifier.expose()))
        .await
        .access;
    let ask = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let initialize = ask(
        1,
        "initialize",
        json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "Anthropic/ClaudeAI", "version": "1.0.0" },
        }),
    );
    let call = ask(
        2,
        "tools/call",
        json!({ "name": "get_full_name", "arguments": {} }),
    );
    let stale = [("mcp-session-id", "1868a90c-0000-4000-8000-000000000000")];
    for headers in [&[][..], &stale] {
        // A call before any handshake, a list, a late handshake, a repeated handshake and another call: each must
        // succeed on its own.
        for body in [
            &call,
            &ask(3, "tools/list", json!({})),
            &initialize,
            &initialize,
            &call,
        ] {
            let answer = claude.post(Some(&token), body, headers).await;
            assert_eq!(answer.status(), 200, "{body}");
            assert!(answer.text().await.unwrap().contains("\"result\""), "{body}");
        }
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(
            claude.post(Some(&token), &initialized, headers).await.status(),
            202
        );
    }
    // The same call, sent concurrently by many machines.
    let answers = join_all((0..10).map(|_| claude.post(Some(&token), &call, &[]))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
    for method in [Method::GET, Method::DELETE] {
        let request = claude.http.request(method, &claude.url).bearer_auth(&token);
        assert_eq!(request.send().await.unwrap().status(), 405);
    }
    // People may type a trailing slash. A redirect would lose the token, so `/mcp/` must answer directly.
    let slash = Claude {
        http: claude.http.clone(),
        url: format!("{}/", claude.url),
    };
    assert!(slash.opens(&token).await);
}
