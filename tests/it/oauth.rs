//! The authorization server with people who sign in at the simulated Garmin: from `/authorize` to a working token.

mod refused;

use std::time::{Duration, Instant};

use garmin_gateway::accounts::{Accounts, GarminLogin};
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::{RootSecret, Secret};
use garmin_gateway::config::{Invited, Live, PublicUrl};
use garmin_gateway::garmin::{self, GovernorSettings, MfaMethod, SignInRefusal, SignIns};
use garmin_gateway::mcp::Access;
use garmin_gateway::oauth::{
    AuthorizeStep, EndedBy, HiddenFields, MfaCodePage, OAuth, OAuthParts, PostedAnswer, PostedForm,
    RevocationScope, SignInNotice, SignInPage, Visitor,
};
use garmin_gateway::simulator::{Fault, FaultRule, Place, Simulator, SimulatorSettings};
use garmin_gateway::store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;
use url::form_urlencoded;

const CLAUDE: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";
const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";
/// The example verifier of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct World {
    oauth: OAuth,
    accounts: Accounts,
    simulator: Simulator,
    live: watch::Sender<Live>,
    dir: tempfile::TempDir,
}

async fn world(settings: GovernorSettings) -> World {
    // Another test may have installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let lifecycle = Lifecycle::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let simulator = Simulator::start(SimulatorSettings::default(), listener, &lifecycle).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&dir.path().join("db"), &secret).unwrap();
    let clock = Clock::system();
    let invited =
        ["ann", "ben", "dora", "lou"].map(|name| Invited::parse(&format!("{name}@example.org")).unwrap());
    let (sender, live) = watch::channel(Live {
        invited: invited.to_vec(),
        ..Live::default()
    });
    let accounts = Accounts::new(store.clone(), clock.clone(), live.clone());
    let http = garmin::client(&simulator.hosts()).unwrap();
    let oauth = OAuth::new(OAuthParts {
        store,
        clock: clock.clone(),
        lifecycle,
        accounts: accounts.clone(),
        sign_ins: SignIns::new(simulator.hosts(), http, clock, settings),
        public_url: PublicUrl::parse("https://gw.example.org").unwrap(),
        sign_in_ttl: None,
        live,
    });
    World {
        oauth,
        accounts,
        simulator,
        live: sender,
        dir,
    }
}

/// A browser with one sign-in page open.
struct Browser {
    hidden: HiddenFields,
    cookie: String,
}

/// A browser with this cookie.
fn visitor(browser: Option<&str>) -> Visitor<'_> {
    Visitor {
        browser,
        source: None,
    }
}

impl World {
    async fn open(&self) -> Browser {
        self.open_as(CLAUDE, CALLBACK).await
    }

    async fn open_as(&self, client_id: &str, redirect_uri: &str) -> Browser {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", client_id),
                ("redirect_uri", redirect_uri),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
                ("state", "the state"),
            ])
            .finish();
        Browser::new(page(self.oauth.authorize(&query, visitor(None)).await))
    }

    fn open_link(&self) -> Browser {
        Browser::new(page(self.oauth.link_page(visitor(None))))
    }

    async fn type_in(&self, browser: &Browser, email: &str, password: &str) -> AuthorizeStep {
        let answer = PostedAnswer::Credentials {
            email: email.to_owned(),
            password: Secret::new(password),
            access: Access::ReadAndChange,
        };
        self.send(browser, answer).await
    }

    async fn type_code(&self, browser: &Browser, code: &str) -> AuthorizeStep {
        self.send(browser, PostedAnswer::Code(Secret::new(code))).await
    }

    async fn deny(&self, browser: &Browser) -> AuthorizeStep {
        self.send(browser, PostedAnswer::Deny).await
    }

    async fn send(&self, browser: &Browser, answer: PostedAnswer) -> AuthorizeStep {
        let hidden = browser.hidden.clone();
        let form = PostedForm { hidden, answer };
        self.oauth.submit(form, visitor(Some(&browser.cookie))).await
    }

    /// Exchanges a code for an access token, or returns the error.
    async fn exchange(&self, code: &str) -> Result<String, &'static str> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", code),
                ("client_id", CLAUDE),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ])
            .finish();
        let answer = self.oauth.token(&form, None).await.map_err(|e| e.code())?;
        Ok(answer["access_token"].as_str().unwrap().to_owned())
    }

    /// The notice on the page after a failed attempt, and how long the attempt took.
    async fn notice(&self, email: &str, password: &str) -> (&'static str, Duration) {
        let browser = self.open().await;
        let started = Instant::now();
        let page = page(self.type_in(&browser, email, password).await);
        (told(page.notice), started.elapsed())
    }
}

impl Browser {
    fn new(page: SignInPage) -> Self {
        Self {
            cookie: page.set_browser.unwrap().expose().to_owned(),
            hidden: page.hidden,
        }
    }
}

/// The kind of a notice as a person sees it: a repeated password has the same text as a wrong one.
fn told(notice: Option<SignInNotice>) -> &'static str {
    match notice.unwrap() {
        SignInNotice::Refused(SignInRefusal::SamePasswordAgain) => "wrong_credentials",
        SignInNotice::Refused(refusal) => refusal.reason(),
        other => panic!("{other:?}"),
    }
}

fn shown(step: &AuthorizeStep) -> String {
    match step {
        AuthorizeStep::SignIn(page) => format!("sign in: {:?}", page.notice),
        AuthorizeStep::Mfa(page) => format!("code: {:?}", page.notice),
        AuthorizeStep::Redirect { .. } => "redirect".to_owned(),
        AuthorizeStep::Linked { full_name, .. } => format!("linked: {full_name}"),
        AuthorizeStep::OwnPage { .. } => "own page".to_owned(),
        AuthorizeStep::Refused(refusal) => format!("refused: {refusal:?}"),
    }
}

fn page(step: AuthorizeStep) -> SignInPage {
    match step {
        AuthorizeStep::SignIn(page) => page,
        other => panic!("{}", shown(&other)),
    }
}

fn code_page(step: AuthorizeStep) -> MfaCodePage {
    match step {
        AuthorizeStep::Mfa(page) => page,
        other => panic!("{}", shown(&other)),
    }
}

/// A parameter of the redirect to the client.
fn answered(step: &AuthorizeStep, name: &str) -> Option<String> {
    let AuthorizeStep::Redirect { url } = step else {
        panic!("{}", shown(step))
    };
    let url = Url::parse(url).unwrap();
    assert!(url.as_str().starts_with(&format!("{CALLBACK}?")));
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

fn quick() -> GovernorSettings {
    GovernorSettings::without_pauses()
}

#[tokio::test]
async fn a_person_signs_in_and_the_token_opens_what_was_allowed() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let step = world.type_in(&browser, " Ann@example.org", "demo-ann").await;
    assert_eq!(answered(&step, "state").as_deref(), Some("the state"));
    assert_eq!(answered(&step, "iss").as_deref(), Some("https://gw.example.org"));
    let access_token = world.exchange(&answered(&step, "code").unwrap()).await.unwrap();
    let grant = world.oauth.authenticate(&access_token).unwrap();
    assert_eq!(grant.access, Access::ReadAndChange);
    let account = world.accounts.find(&grant.account).unwrap().unwrap();
    assert_eq!(
        (account.email.as_str(), account.full_name.as_str()),
        ("ann@example.org", "Ann Example")
    );
    assert!(world.accounts.tokens(&grant.account).unwrap().is_some());

    // The same person in another browser has the same account and a separate sign-in.
    let again = world.open().await;
    let step = world.type_in(&again, "ann@example.org", "demo-ann").await;
    let second = world.exchange(&answered(&step, "code").unwrap()).await.unwrap();
    let second = world.oauth.authenticate(&second).unwrap();
    assert_eq!(second.account, grant.account);
    assert_ne!(second.family, grant.family);
}

#[tokio::test]
async fn a_code_of_garmin_may_be_wrong_once() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let first = code_page(world.type_in(&browser, "ben@example.org", "demo-ben").await);
    assert_eq!(
        (first.method, first.sent_to.as_deref()),
        (MfaMethod::Email, Some("b*****@example.org"))
    );
    assert!(first.notice.is_none());
    let second = code_page(world.type_code(&browser, "000000").await);
    assert_eq!(second.tries_left, first.tries_left - 1);
    assert_eq!(told(second.notice), "wrong_code");
    let step = world.type_code(&browser, " 123 456 ").await;
    assert!(world.exchange(&answered(&step, "code").unwrap()).await.is_ok());
}

#[tokio::test]
async fn codes_that_stay_wrong_lead_back_to_the_password() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let mut left = code_page(world.type_in(&browser, "ben@example.org", "demo-ben").await).tries_left;
    while left > 1 {
        left = code_page(world.type_code(&browser, "000000").await).tries_left;
    }
    let page = page(world.type_code(&browser, "000000").await);
    assert_eq!((page.email.as_str(), page.tries_left), ("ben@example.org", 4));
    code_page(world.type_in(&browser, "ben@example.org", "demo-ben").await);
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_the_next_try_may_succeed() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let refused = page(world.type_in(&browser, "ann@example.org", "wrong").await);
    assert_eq!(told(refused.notice), "wrong_credentials");
    assert_eq!(refused.access, Access::ReadAndChange);
    let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
    assert!(answered(&step, "code").is_some());

    let (locked, _) = world.notice("lou@example.org", "demo-lou").await;
    assert_eq!(locked, "account_locked");
}

#[tokio::test]
async fn who_was_not_invited_can_not_tell_and_garmin_hears_nothing() {
    let world = world(quick()).await;
    // The gateway learns from invited people how long Garmin takes to refuse a password.
    for n in 0..4 {
        let (notice, took) = world.notice("dora@example.org", &format!("wrong-{n}")).await;
        assert_eq!(notice, "wrong_credentials", "{took:?}");
    }
    let before = world.simulator.requests().len();
    let mut stranger = Vec::new();
    for n in [0, 1, 1, 2, 3, 4, 5, 6] {
        stranger.push(world.notice("eve@example.org", &format!("wrong-{n}")).await);
    }
    assert_eq!(world.simulator.requests().len(), before);
    let mut invited = Vec::new();
    for n in [0, 1, 1, 2, 3, 4, 5, 6] {
        invited.push(world.notice("ann@example.org", &format!("wrong-{n}")).await);
    }
    for ((ours, _), (theirs, _)) in stranger.iter().zip(&invited) {
        assert_eq!(ours, theirs);
    }
    let sum = |all: &[(&str, Duration)]| all.iter().map(|(_, took)| *took).sum::<Duration>();
    let (ours, theirs) = (sum(&stranger), sum(&invited));
    assert!(ours < theirs * 20 && theirs < ours * 20, "{ours:?} {theirs:?}");
}

#[tokio::test]
async fn a_click_that_comes_twice_signs_in_once() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let click = || world.type_in(&browser, "ann@example.org", "demo-ann");
    let (first, second) = tokio::join!(click(), click());
    assert_eq!(answered(&first, "code"), answered(&second, "code"));
    assert_eq!(world.simulator.count("/mobile/api/login"), 1);
    // The browser sends the form again, in case the first answer was lost.
    assert_eq!(answered(&click().await, "code"), answered(&first, "code"));
    assert!(world.exchange(&answered(&first, "code").unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_no_that_comes_while_garmin_is_asked_is_a_no() {
    let world = world(quick()).await;
    world
        .simulator
        .add_fault(FaultRule::new(Place::Mobile, Fault::Slow { ms: 100 }));
    let browser = world.open().await;
    let (signed_in, denied) = tokio::join!(
        world.type_in(&browser, "ann@example.org", "demo-ann"),
        world.deny(&browser)
    );
    assert_eq!(answered(&denied, "error").as_deref(), Some("access_denied"));
    let code = answered(&signed_in, "code").unwrap();
    assert_eq!(world.exchange(&code).await, Err("invalid_grant"));

    // Too late: the client has the tokens, and the page says that the sign-in is complete.
    let browser = world.open().await;
    let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
    let access_token = world.exchange(&answered(&step, "code").unwrap()).await.unwrap();
    assert_eq!(shown(&world.deny(&browser).await), "refused: Finished");
    assert!(world.oauth.authenticate(&access_token).is_ok());
}

#[tokio::test]
async fn link_renews_the_garmin_login_and_leaves_the_clients_alone() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
    let access_token = world.exchange(&answered(&step, "code").unwrap()).await.unwrap();
    let account = world.oauth.authenticate(&access_token).unwrap().account;
    let held = world.accounts.tokens(&account).unwrap().unwrap();
    world
        .accounts
        .mark_sign_in_needed(&account, held.generation, "test")
        .await
        .unwrap();

    let browser = world.open_link();
    let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
    assert_eq!(shown(&step), "linked: Ann Example");
    assert!(matches!(step, AuthorizeStep::Linked { has_app: true, .. }));
    let renewed = world.accounts.find(&account).unwrap().unwrap();
    assert_eq!(renewed.garmin, GarminLogin::Working);
    assert_eq!(world.oauth.authenticate(&access_token).unwrap().account, account);
    assert_eq!(world.oauth.families().unwrap().len(), 1);

    // The same for a person with an MFA code.
    let browser = world.open_link();
    code_page(world.type_in(&browser, "dora@example.org", "demo-dora").await);
    let step = world.type_code(&browser, "654321").await;
    assert_eq!(shown(&step), "linked: Dora Example");
    assert!(matches!(step, AuthorizeStep::Linked { has_app: false, .. }));
}

#[tokio::test]
async fn nothing_that_was_typed_or_given_lies_on_the_disk() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
    let code = answered(&step, "code").unwrap();
    let access_token = world.exchange(&code).await.unwrap();
    let stranger = world.open().await;
    page(
        world
            .type_in(&stranger, "eve@example.org", "a password of hers")
            .await,
    );
    let secrets = [
        "ann@example.org",
        "eve@example.org",
        "demo-ann",
        "a password of hers",
        &code,
        &access_token,
    ];
    for file in files(world.dir.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.display());
        }
    }
}

fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[tokio::test]
async fn http_basic_names_the_client_in_a_token_request() {
    let world = world(quick()).await;
    let browser = world.open().await;
    let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
    let code = answered(&step, "code").unwrap();
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .finish();
    let basic = |client: &str| {
        use base64::Engine;
        let encoded: String = form_urlencoded::byte_serialize(client.as_bytes()).collect();
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{encoded}:ignored"));
        format!("Basic {credentials}")
    };
    let refused = world.oauth.token(&form, None).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_request");
    let other = "https://claude.ai/oauth/claude-code-client-metadata";
    let refused = world.oauth.token(&form, Some(&basic(other))).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_grant");
    assert!(world.oauth.token(&form, Some(&basic(CLAUDE))).await.is_ok());
}

/// Cursor registers only its own scheme. The page names it, the policy allows it, and the code is sent to it.
#[tokio::test]
async fn cursor_signs_in_by_its_own_scheme() {
    let world = world(quick()).await;
    let callback = "cursor://anysphere.cursor-mcp/oauth/callback";
    let body = serde_json::json!({ "client_name": "Cursor", "redirect_uris": [callback] }).to_string();
    let client = world.oauth.register(body.as_bytes()).unwrap();
    let browser = world
        .open_as(client["client_id"].as_str().unwrap(), callback)
        .await;
    let AuthorizeStep::Redirect { url } = world.type_in(&browser, "ann@example.org", "demo-ann").await else {
        panic!("a redirect")
    };
    assert!(url.starts_with(&format!("{callback}?code=gac_")), "{url}");
}
