//! A person goes through the pages: what the browser shows, what the client receives, and what stays secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use garmin_gateway::base::secrets::sha256;
use garmin_gateway::simulator::SimulatorSettings;
use serde_json::Value;
use url::form_urlencoded;

use super::face::{FORM, Face, HTML, Reply, Start};
use super::whole::{World, log};

const VERIFIER: &str = "a-code-verifier-that-is-long-enough-for-the-rules";
const CALLBACK: &str = "http://localhost:53682/callback";
const ANN: [(&str, &str); 3] = [
    ("email", "ann@example.org"),
    ("password", "demo-ann"),
    ("access", "read_only"),
];
const BEN: [(&str, &str); 3] = [
    ("email", "ben@example.org"),
    ("password", "demo-ben"),
    ("access", "read_and_change"),
];

/// One browser. It keeps one cookie, fills in forms, and follows no redirect automatically.
struct Browser<'a> {
    face: &'a Face,
    cookie: Option<String>,
    /// The page that the browser shows.
    page: Reply,
}

impl<'a> Browser<'a> {
    async fn open(face: &'a Face, path: &str) -> Self {
        let page = face.ask(&format!("GET {path}"), HTML, "").await;
        let cookie = page
            .header("set-cookie")
            .map(|set| set.split(';').next().unwrap().to_owned());
        Self { face, cookie, page }
    }

    /// Submits the page's form for this step, with the values that the person typed.
    async fn submit(&mut self, step: &str, typed: &[(&str, &str)]) {
        let action = between(&self.page.body, "<form method=\"post\" action=\"", "\"").to_owned();
        let fields = fields(&self.page, step, typed);
        self.post(&action, &fields).await;
    }

    async fn post(&mut self, action: &str, fields: &str) {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n"));
        let headers = format!("{HTML}{FORM}{}", cookie.unwrap_or_default());
        self.page = self.face.ask(&format!("POST {action}"), &headers, fields).await;
    }

    fn sees(&self, text: &str) {
        assert!(
            self.page.body.contains(text),
            "no {text:?} on the page:\n{}",
            words(&self.page.body)
        );
    }

    /// The URL that the page redirects to, and one parameter of it.
    fn returned(&self, parameter: &str) -> Option<String> {
        assert_eq!(self.page.status, 303, "{}", words(&self.page.body));
        let location = self.page.header("location").unwrap();
        let (target, query) = location.split_once('?').unwrap();
        assert_eq!(target, CALLBACK);
        let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == parameter);
        found.next().map(|(_, value)| value.into_owned())
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before:?} in {}", words(text)));
    rest.split_once(after).unwrap().0
}

fn fields(page: &Reply, step: &str, typed: &[(&str, &str)]) -> String {
    let hidden = |name: &str| between(&page.body, &format!("name=\"{name}\" value=\""), "\"").to_owned();
    form_urlencoded::Serializer::new(String::new())
        .append_pair("transaction", &hidden("transaction"))
        .append_pair("csrf", &hidden("csrf"))
        .append_pair("step", step)
        .extend_pairs(typed)
        .finish()
}

/// The text of a page, without its style and tags.
fn words(page: &str) -> String {
    let main = page.split_once("<main").map_or(page, |(_, main)| main);
    main.split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text)
        .collect()
}

async fn authorize_path(face: &Face) -> String {
    let registration = format!(r#"{{"client_name": "Claude <i>Code</i>", "redirect_uris": ["{CALLBACK}"]}}"#);
    let reply = face
        .ask(
            "POST /register",
            "Content-Type: application/json\r\n",
            &registration,
        )
        .await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let client: Value = serde_json::from_str(&reply.body).unwrap();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client["client_id"].as_str().unwrap())
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("state", "st&te")
        .append_pair(
            "code_challenge",
            &URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes())),
        )
        .append_pair("code_challenge_method", "S256")
        .finish();
    format!("/authorize?{query}")
}

fn exchange_form(authorize: &str, code: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("client_id", between(authorize, "client_id=", "&"))
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("code_verifier", VERIFIER)
        .finish()
}

/// Signs a person in and returns the header that authorizes calls to the endpoint.
pub(crate) async fn bearer(face: &Face) -> String {
    let authorize = authorize_path(face).await;
    let mut browser = Browser::open(face, &authorize).await;
    browser.submit("credentials", &ANN).await;
    let form = exchange_form(&authorize, &browser.returned("code").unwrap());
    let tokens = face.ask("POST /token", FORM, &form).await;
    let tokens: Value = serde_json::from_str(&tokens.body).unwrap();
    format!(
        "Authorization: Bearer {}\r\n",
        tokens["access_token"].as_str().unwrap()
    )
}

/// Checks that the page's form may lead to the client and nowhere else.
fn leads_to_client_only(page: &Reply) {
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("; form-action 'self' http://localhost:53682;"),
        "{policy}"
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_sign_in_ends_with_a_token_that_opens_the_endpoint() {
    let face = Face::start().await;
    let authorize = authorize_path(&face).await;
    let mut browser = Browser::open(&face, &authorize).await;
    assert_eq!(browser.page.status, 200);
    leads_to_client_only(&browser.page);
    browser.sees("Claude &#60;i&#62;Code&#60;/i&#62;");
    browser.sees("is an app on this device (localhost)");
    browser.sees("Did you start this yourself?");
    browser.sees("run by Ada &#60;Lovelace&#62;");
    browser.sees("name=\"access\" value=\"read_only\" checked");
    let set = browser.page.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-gateway="), "{set}");
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{set}");

    browser.submit("credentials", &ANN).await;
    assert_eq!(browser.returned("state").as_deref(), Some("st&te"));
    assert_eq!(
        browser.returned("iss").as_deref(),
        Some("https://garmin.example.org")
    );
    let form = exchange_form(&authorize, &browser.returned("code").unwrap());
    let reply = face.ask("POST /token", FORM, &form).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    let tokens: Value = serde_json::from_str(&reply.body).unwrap();
    let bearer = format!(
        "Authorization: Bearer {}\r\n",
        tokens["access_token"].as_str().unwrap()
    );
    let reply = face.ask("GET /mcp", &bearer, "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    let large = face.ask("POST /mcp", &bearer, &"x".repeat((1 << 20) + 1)).await;
    assert_eq!(large.status, 413);

    let again = face.ask("POST /token", FORM, &form).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("invalid_grant"));
    assert_eq!(
        face.ask("GET /mcp", &bearer, "").await.status,
        401,
        "a code used twice ends what it gave"
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_and_another_try_given() {
    let face = Face::start().await;
    let mut browser = Browser::open(&face, &authorize_path(&face).await).await;
    let typed = [
        ("email", "ann@example.org"),
        ("password", "wrong"),
        ("access", "read_and_change"),
    ];
    browser.submit("credentials", &typed).await;
    assert_eq!(browser.page.status, 200);
    leads_to_client_only(&browser.page);
    browser.sees("id=\"password-problem\" role=\"alert\">This e-mail and password were not accepted.");
    browser.sees("ask Ada &#60;Lovelace&#62; whether this address is invited");
    browser.sees("value=\"ann@example.org\"");
    browser.sees("value=\"read_and_change\" checked");
    assert!(
        !browser.page.body.contains("wrong\""),
        "the password is not sent back"
    );
    assert_eq!(browser.page.header("set-cookie"), None, "the browser is known");
    browser.submit("credentials", &ANN).await;
    assert!(browser.returned("code").is_some());
}

#[tokio::test]
async fn who_was_not_invited_learns_nothing() {
    let face = Face::start().await;
    let authorize = authorize_path(&face).await;
    let mut pages = Vec::new();
    for email in ["ann@example.org", "ann@elsewhere.example"] {
        let mut browser = Browser::open(&face, &authorize).await;
        browser
            .submit(
                "credentials",
                &[("email", email), ("password", "wrong"), ("access", "read_only")],
            )
            .await;
        let hidden = ["transaction", "csrf"]
            .map(|name| between(&browser.page.body, &format!("name=\"{name}\" value=\""), "\"").to_owned());
        let mut page = browser.page.body.replace(email, "E-MAIL");
        for value in hidden {
            page = page.replace(&value, "HIDDEN");
        }
        pages.push((browser.page.status, page));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_code_is_asked_for_and_a_wrong_one_forgiven() {
    let face = Face::start().await;
    let mut browser = Browser::open(&face, &authorize_path(&face).await).await;
    browser.submit("credentials", &BEN).await;
    leads_to_client_only(&browser.page);
    browser.sees("Garmin has sent a code to b*****@example.org.");
    browser.sees("autocomplete=\"one-time-code\"");
    browser.submit("code", &[("code", "000000")]).await;
    leads_to_client_only(&browser.page);
    browser.sees("id=\"problem\" role=\"alert\"");
    browser.submit("code", &[("code", "123 456")]).await;
    assert!(browser.returned("code").is_some());
}

#[tokio::test]
async fn no_means_no() {
    let face = Face::start().await;
    let authorize = authorize_path(&face).await;
    let mut browser = Browser::open(&face, &authorize).await;
    browser.submit("deny", &[]).await;
    assert_eq!(browser.returned("error").as_deref(), Some("access_denied"));
    assert_eq!(browser.returned("state").as_deref(), Some("st&te"));
    assert_eq!(browser.returned("code"), None);

    let mut browser = Browser::open(&face, &authorize).await;
    browser.submit("credentials", &BEN).await;
    browser.submit("deny", &[]).await;
    assert_eq!(browser.returned("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn the_login_at_garmin_is_renewed_without_a_client() {
    let face = Start {
        public_url: None,
        ..Start::default()
    }
    .face()
    .await;
    let mut browser = Browser::open(&face, "/link").await;
    browser.sees("Sign in at Garmin again");
    assert!(
        !browser.page.body.contains("type=\"radio\""),
        "there is no client to choose for"
    );
    let set = browser.page.header("set-cookie").unwrap();
    assert!(
        set.starts_with("gateway=") && !set.contains("Secure"),
        "plain http on loopback: {set}"
    );
    let policy = browser.page.header("content-security-policy").unwrap();
    assert!(policy.contains("; form-action 'self';"), "{policy}");
    browser.submit("credentials", &ANN).await;
    browser.sees("<h1>You are signed in at Garmin</h1>");
    browser.sees("Welcome, Ann Example");
    browser.sees("No app is connected yet");
    browser.sees("/mcp</code>");
    bearer(&face).await;
    let mut browser = Browser::open(&face, "/link").await;
    browser.submit("credentials", &ANN).await;
    browser.sees("<h1>You are signed in at Garmin again</h1>");
    browser.sees("Welcome back, Ann Example");

    let mut browser = Browser::open(&face, "/link").await;
    browser.submit("deny", &[]).await;
    assert!(browser.page.status < 500);
    browser.sees("<h1>");
}

#[tokio::test]
async fn a_reader_gets_a_language_and_keeps_it() {
    const GERMAN: &str = "Accept-Language: de-AT,de;q=0.9,en;q=0.5\r\n";
    let face = Face::start().await;
    let get = async |path: &str| {
        let headers = format!("{HTML}{GERMAN}");
        face.ask(&format!("GET {path}"), &headers, "").await
    };
    let speaks = |reply: &Reply, language: &str| {
        let html = format!("<html lang=\"{language}\">");
        assert!(reply.body.contains(&html), "{language}: {}", words(&reply.body));
    };
    for (path, language) in [
        ("/", "de"),
        ("/link", "de"),
        ("/me", "de"),
        ("/authorize", "de"),
        ("/nothing/here", "de"),
        ("/mcp", "de"),
        ("/token", "de"),
        ("/link?lang=es", "es"),
        ("/?x=%22%3E&lang=it", "it"),
        ("/?lang=klingon", "de"),
    ] {
        speaks(&get(path).await, language);
    }
    let landing = get("/?x=%22%3E&lang=it").await.body;
    assert!(
        landing.contains("<a href=\"?x=%22%3E&#38;lang=fr\" lang=\"fr\""),
        "{landing}"
    );
    assert!(
        landing.contains("<a href=\"/link?lang=it\">"),
        "the choice is carried on"
    );
    assert!(!landing.contains("Ada"), "strangers learn no name");
    let link = get("/link").await;
    assert!(link.body.contains("Garmin-Gateway von Ada"));
    let program = face.ask("GET /token", GERMAN, "").await;
    assert!(
        program.body.contains("This address does not support"),
        "{}",
        program.body
    );

    let mut browser = Browser::open(&face, "/link").await;
    speaks(&browser.page, "en");
    let typed = [
        ("email", "ann@example.org"),
        ("password", "half a passw"),
        ("access", "read_only"),
        ("lang", "en"),
        ("language", "fr"),
    ];
    browser.submit("credentials", &typed).await;
    assert_eq!(browser.page.status, 200);
    speaks(&browser.page, "fr");
    browser.sees("value=\"ann@example.org\"");
    browser.sees("name=\"lang\" value=\"fr\"");
    assert!(!browser.page.body.contains("half a passw") && !browser.page.body.contains("role=\"alert\""));
    let policy = browser.page.header("content-security-policy").unwrap();
    assert!(policy.contains("; form-action 'self';"), "{policy}");

    let typed = [ANN[0], ("password", "wrong"), ANN[2], ("lang", "fr")];
    browser.submit("credentials", &typed).await;
    speaks(&browser.page, "fr");
    browser.sees("n’ont pas été acceptés");
    browser.submit("deny", &[("lang", "it")]).await;
    assert_eq!(browser.page.status, 200);
    speaks(&browser.page, "it");
    browser.post("/link", "step=deny&lang=es").await;
    assert_eq!(browser.page.status, 400);
    speaks(&browser.page, "es");
}

#[tokio::test]
async fn refusals_are_pages_with_a_way_on() {
    let face = Face::start().await;
    let authorize = authorize_path(&face).await;
    let client_id = between(&authorize, "client_id=", "&");
    let redirect = form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect::<String>();
    for (what, path) in [
        ("nothing", "/authorize".to_owned()),
        ("an unknown client", authorize.replace(client_id, "cli_unknown")),
        (
            "a foreign redirect",
            authorize.replace(&redirect, "https%3A%2F%2Fevil.example%2Fcallback"),
        ),
        ("a script", authorize.replace(&redirect, "javascript%3Aalert(1)")),
        ("another path", authorize.replace("callback", "other")),
        ("two clients", format!("{authorize}&client_id=cli_other")),
        (
            "markup",
            "/authorize?client_id=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        ),
    ] {
        let browser = Browser::open(&face, &path).await;
        assert_eq!(browser.page.status, 400, "{what}");
        assert_eq!(browser.page.header("location"), None, "{what}");
        assert!(
            browser
                .page
                .header("content-security-policy")
                .unwrap()
                .contains("form-action 'none'"),
            "{what}"
        );
        browser.sees("remove the connector there and add it again: https://garmin.example.org/mcp");
        browser.sees(browser.page.header("x-request-id").unwrap());
        assert!(!browser.page.body.contains("<script"), "{what}");
    }
}

#[tokio::test]
async fn a_form_belongs_to_one_browser_and_one_visit() {
    let face = Face::start().await;
    let authorize = authorize_path(&face).await;
    let mut own = Browser::open(&face, &authorize).await;
    let mut other = Browser::open(&face, &authorize).await;

    let stolen = fields(&own.page, "credentials", &ANN);
    let stranger = other.cookie.take();
    other.post("/authorize", &stolen).await;
    assert_eq!(other.page.status, 400, "without a cookie");
    other.cookie = stranger;
    other.post("/authorize", &stolen).await;
    assert_eq!(other.page.status, 400, "with another browser's cookie");
    other.cookie = own.cookie.as_ref().map(|own| format!("{own}; {own}x"));
    other.post("/authorize", &stolen).await;
    assert_eq!(other.page.status, 400, "with two cookies of one name");
    let forged = stolen.replace("csrf=", "csrf=x");
    own.post("/authorize", &forged).await;
    assert_eq!(own.page.status, 400, "with a wrong csrf value");

    own.post("/authorize", &stolen).await;
    assert!(own.returned("code").is_some(), "the right one works all the same");
}

/// A failed guess writes one line in the form that the firewall's filter expects; a successful sign-in writes none.
#[tokio::test]
async fn failed_sign_ins_are_told_with_their_address() {
    const GUESSER: &str = "203.0.113.77";
    let filter = include_str!("../../packaging/fail2ban/filter.conf");
    let rule = filter
        .lines()
        .find_map(|line| line.split_once(r#"(?:"at":"[^"]+")?,"#));
    let (_, awaited) = rule.unwrap();
    let awaited = awaited.replace("\\.", ".").replace("<ADDR>", GUESSER);
    let told = || {
        let (events, _) = log().ring().follow();
        let lines = events.iter().map(|event| event.to_json());
        lines.filter(|line| line.contains(&awaited)).count()
    };

    let mut world = World::with(
        SimulatorSettings::default(),
        3,
        &[("TRUSTED_PROXIES", "127.0.0.1")],
    )
    .await;
    let from = [("x-forwarded-for".parse().unwrap(), GUESSER.parse().unwrap())];
    world.http = reqwest::Client::builder()
        .cookie_store(true)
        .default_headers(from.into_iter().collect())
        .no_proxy()
        .build()
        .unwrap();
    let begin = async || {
        world
            .http
            .get(world.url("/link"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let with_password = |password| {
        [
            ("email", "ben@example.org"),
            ("password", password),
            ("access", "read_only"),
        ]
    };

    let page = begin().await;
    world.post(&page, "credentials", &with_password("a guess")).await;
    assert_eq!(told(), 1);
    let page = begin().await;
    let page = world
        .post(&page, "credentials", &with_password("demo-ben"))
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(told(), 1, "a code was asked for, and that is no failure");
    let page = world
        .post(&page, "code", &[("code", "000000")])
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(told(), 2);
    let page = world
        .post(&page, "code", &[("code", "123456")])
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("Ben Example"), "{}", words(&page));
    assert_eq!(told(), 2);
    world.end().await;
}
