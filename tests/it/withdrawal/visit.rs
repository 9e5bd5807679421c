//! A person's sign-in, stage by stage, as a browser and a client go through it.

use super::*;

/// The progress of a sign-in.
pub(super) enum SignIn {
    /// The page that was shown last.
    Page(String),
    Code(String),
}

pub(super) struct Visit<'a> {
    pub(super) world: &'a World,
    pub(super) client_id: String,
}

impl Visit<'_> {
    pub(super) async fn open(&self) -> String {
        let challenge = challenge(VERIFIER);
        let query = [
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(&self.world.url("/authorize"), query).unwrap();
        self.world
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    pub(super) async fn post(&self, page: &str, step: &str, fields: &[(&str, &str)]) -> SignIn {
        let answer = self.world.post(page, step, fields).await;
        match answer.headers().get("location") {
            Some(location) => {
                let url = Url::parse(location.to_str().unwrap()).unwrap();
                let code = url.query_pairs().find(|(name, _)| name == "code");
                SignIn::Code(code.unwrap().1.into_owned())
            }
            None => SignIn::Page(answer.text().await.unwrap()),
        }
    }

    pub(super) async fn type_in(&self, page: &str, email: &str, password: &str) -> SignIn {
        let fields = [("email", email), ("password", password), ("access", "read_only")];
        self.post(page, "credentials", &fields).await
    }

    /// Continues a sign-in from its current state as far as possible. Returns the access token, if there is one.
    pub(super) async fn go_on(&self, sign_in: SignIn, code: Option<&str>) -> Option<String> {
        let authorization_code = match (sign_in, code) {
            (SignIn::Page(page), Some(code)) if page.contains("one-time-code") => {
                match self.post(&page, "code", &[("code", code)]).await {
                    SignIn::Code(code) => code,
                    SignIn::Page(_) => return None,
                }
            }
            (SignIn::Page(_), _) => return None,
            (SignIn::Code(code), _) => code,
        };
        self.exchange(&authorization_code).await
    }

    pub(super) async fn exchange(&self, code: &str) -> Option<String> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("redirect_uri", CALLBACK),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        self.ask_for_tokens(&form).await
    }

    pub(super) async fn refresh(&self, connected: &Connected) -> Option<String> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &connected.client_id),
            ("refresh_token", &connected.refresh_token),
        ];
        self.ask_for_tokens(&form).await
    }

    pub(super) async fn ask_for_tokens(&self, form: &[(&str, &str)]) -> Option<String> {
        let answer = self.world.http.post(self.world.url("/token")).form(form);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().map(str::to_owned)
    }

    /// Whether a bearer token still authorizes anything.
    pub(super) async fn is_alive(&self, access_token: &str) -> bool {
        self.call(access_token, "tools/list", json!({})).await == 200
    }

    /// A LiveTrack link that was not used before.
    pub(super) fn link(&self) -> String {
        let scenario = livetrack::demo_race().unwrap();
        let pace = livetrack::Playback::default();
        self.world.simulator.play(&scenario, pace).remove(0).to_string()
    }

    pub(super) async fn call(&self, access_token: &str, method: &str, params: Value) -> u16 {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let request = self.world.http.post(self.world.url("/mcp"));
        let request = request.bearer_auth(access_token).json(&body);
        request.send().await.unwrap().status().as_u16()
    }
}
