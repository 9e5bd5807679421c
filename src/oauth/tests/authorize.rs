//! `/authorize` and `/link`, up to the point where Garmin is needed.

mod language;

use url::Url;

use super::*;
use crate::base::secrets::Secret;
use crate::config::Invited;
use crate::garmin::SignInRefusal;
use crate::oauth::{AuthorizeStep, HiddenFields, PostedAnswer, PostedForm, SignInNotice, SignInPage};

/// The parameters that Claude sends.
pub(super) fn query(changes: &[(&str, &str)]) -> String {
    let challenge = challenge_text();
    let base = [
        ("response_type", "code"),
        ("client_id", CLAUDE),
        ("redirect_uri", CLAUDE_CALLBACK),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "st&te"),
        ("scope", "garmin offline_access"),
        ("prompt", "consent"),
        ("resource", "https://gw.example.org/mcp"),
    ];
    form(&base, changes)
}

/// A sign-in page that is open in a browser.
struct Open {
    page: SignInPage,
    cookie: String,
}

async fn open(world: &World, changes: &[(&str, &str)]) -> Open {
    opened(world.oauth.authorize(&query(changes), visitor(None)).await)
}

fn opened(step: AuthorizeStep) -> Open {
    let AuthorizeStep::SignIn(page) = step else {
        panic!("{}", shown(&step))
    };
    let cookie = page.set_browser.as_ref().unwrap().expose().to_owned();
    Open { page, cookie }
}

/// Describes a step in a word or two.
fn shown(step: &AuthorizeStep) -> String {
    match step {
        AuthorizeStep::SignIn(page) => format!("sign in: {:?}", page.notice),
        AuthorizeStep::Mfa(_) => "code".into(),
        AuthorizeStep::Redirect { url } => url.clone(),
        AuthorizeStep::Linked { .. } => "linked".into(),
        AuthorizeStep::OwnPage { .. } => "own page".into(),
        AuthorizeStep::Refused(refusal) => format!("{} {refusal:?}", refusal.status()),
    }
}

impl Open {
    async fn post(&self, world: &World, email: &str, password: &str) -> AuthorizeStep {
        self.send(world, credentials(email, password)).await
    }

    async fn deny(&self, world: &World) -> AuthorizeStep {
        self.send(world, PostedAnswer::Deny).await
    }

    async fn send(&self, world: &World, answer: PostedAnswer) -> AuthorizeStep {
        let hidden = self.page.hidden.clone();
        send(world, hidden, answer, Some(&self.cookie)).await
    }
}

async fn send(
    world: &World,
    hidden: HiddenFields,
    answer: PostedAnswer,
    cookie: Option<&str>,
) -> AuthorizeStep {
    world
        .oauth
        .submit(PostedForm { hidden, answer }, visitor(cookie))
        .await
}

fn credentials(email: &str, password: &str) -> PostedAnswer {
    PostedAnswer::Credentials {
        email: email.to_owned(),
        password: Secret::new(password),
        access: Access::ReadAndChange,
    }
}

fn another_language(email: &str) -> PostedAnswer {
    PostedAnswer::ChangeLanguage {
        email: Some(email.to_owned()),
        access: Some(Access::ReadAndChange),
    }
}

fn invite(world: &World, email: &str) {
    world
        .live
        .send_modify(|live| live.invited.push(Invited::parse(email).unwrap()));
}

#[tokio::test]
async fn consent_page_names_the_client_and_where_it_leads_before_any_password() {
    let world = World::new();
    let Open { page, cookie } = open(&world, &[]).await;
    let client = page.client.unwrap();
    assert_eq!(
        (client.name.as_str(), client.redirect_host.as_str()),
        ("Claude", "claude.ai")
    );
    assert_eq!(
        (client.form_action.as_str(), client.on_this_device),
        ("https://claude.ai", false)
    );
    assert_eq!(
        (page.access, page.email.as_str(), page.tries_left),
        (Access::ReadOnly, "", 5)
    );
    assert!(cookie.len() >= 43 && !page.hidden.csrf.is_empty());

    let code = "https://claude.ai/oauth/claude-code-client-metadata";
    let page = open(
        &world,
        &[
            ("client_id", code),
            ("redirect_uri", "http://localhost:54321/callback"),
        ],
    )
    .await
    .page;
    let client = page.client.unwrap();
    assert_eq!(
        (client.redirect_host.as_str(), client.on_this_device),
        ("localhost", true)
    );
    assert_eq!(client.form_action, "http://localhost:54321");
}

#[tokio::test]
async fn a_registered_client_signs_in_with_any_loopback_port() {
    let world = World::new();
    let body =
        json!({ "client_name": "Inspector", "redirect_uris": ["http://127.0.0.1:6276/oauth/callback"] });
    let id = world.oauth.register(body.to_string().as_bytes()).unwrap();
    let id = id["client_id"].as_str().unwrap();
    let page = open(
        &world,
        &[
            ("client_id", id),
            ("redirect_uri", "http://127.0.0.1:9/oauth/callback"),
        ],
    )
    .await
    .page;
    assert_eq!(page.client.unwrap().name, "Inspector");
    let other = query(&[("client_id", id), ("redirect_uri", "http://127.0.0.1:9/other")]);
    assert!(shown(&world.oauth.authorize(&other, visitor(None)).await) == "400 OtherRedirect");
}

#[tokio::test]
async fn errors_before_the_redirect_uri_is_proven_are_pages() {
    let world = World::new();
    let (malformed, nobody) = ("400 Malformed", "400 UnknownClient");
    let (foreign, bad) = ("400 ForeignHost", "400 BadRedirect");
    for (changes, refusal) in [
        (&[("client_id", "")][..], malformed),
        (&[("redirect_uri", "")], malformed),
        (&[("client_id", "cli_unknown")], nobody),
        (&[("client_id", "claude")], nobody),
        (&[("client_id", "https://gw.example.org/client.json")], nobody),
        (
            &[("client_id", "https://169.254.169.254/latest/meta-data")],
            nobody,
        ),
        (&[("client_id", "https://localhost/client.json")], nobody),
        (
            &[("client_id", "https://app.example.org/client.json")],
            "503 UnreadableClient { host: \"app.example.org\" }",
        ),
        (&[("redirect_uri", "https://evil.example/callback")], foreign),
        (
            &[("redirect_uri", "https://claude.ai@evil.example/callback")],
            bad,
        ),
        (&[("redirect_uri", "javascript:alert(1)")], bad),
        (
            &[("redirect_uri", "https://claude.ai/api/mcp/auth_callback#x")],
            bad,
        ),
        (&[("redirect_uri", "app://evil/callback")], "400 ForeignApp"),
        (
            &[("redirect_uri", "http://localhost:1/callback")],
            "400 OtherRedirect",
        ),
        (
            &[
                ("redirect_uri", "https://evil.example/callback"),
                ("response_type", "token"),
            ],
            foreign,
        ),
    ] {
        let step = world.oauth.authorize(&query(changes), visitor(None)).await;
        assert!(matches!(step, AuthorizeStep::Refused(_)), "{changes:?}");
        assert!(shown(&step).starts_with(refusal), "{changes:?} {}", shown(&step));
    }
    for broken in [
        "",
        "%",
        &format!("{}&state=again", query(&[])),
        &format!("{}&x=%0d%0a", query(&[])),
    ] {
        assert!(
            matches!(
                world.oauth.authorize(broken, visitor(None)).await,
                AuthorizeStep::Refused(_)
            ),
            "{broken}"
        );
    }
}

#[tokio::test]
async fn errors_after_the_redirect_uri_is_proven_go_to_the_client() {
    let world = World::new();
    for (changes, error) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("resource", "https://other.example/mcp")], "invalid_target"),
        (&[("prompt", "none")], "login_required"),
    ] {
        let step = world.oauth.authorize(&query(changes), visitor(None)).await;
        let AuthorizeStep::Redirect { url } = step else {
            panic!("{}", shown(&step))
        };
        check_answer(&url, "error", error);
    }
}

/// Checks that an answer goes to Claude's callback, with the right `state` and `iss`.
fn check_answer(url: &str, name: &str, value: &str) {
    let url = Url::parse(url).unwrap();
    assert_eq!(
        format!("{}{}", url.origin().ascii_serialization(), url.path()),
        CLAUDE_CALLBACK
    );
    let values = |name: &str| -> Vec<String> {
        url.query_pairs()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    assert_eq!(values(name), [value]);
    assert_eq!(
        (values("state"), values("iss")),
        (vec!["st&te".to_owned()], vec![ORIGIN.to_owned()])
    );
}

#[tokio::test]
async fn a_redirect_host_that_the_operator_takes_away_is_shut_at_once() {
    let world = World::new();
    world
        .live
        .send_modify(|live| live.redirect_hosts.push("tools.example.org".into()));
    let uri = "https://tools.example.org/cb";
    let body = json!({ "redirect_uris": [uri] });
    let id = world.oauth.register(body.to_string().as_bytes()).unwrap();
    let asked = [
        ("client_id", id["client_id"].as_str().unwrap()),
        ("redirect_uri", uri),
    ];
    open(&world, &asked).await;
    world.live.send_modify(|live| live.redirect_hosts.clear());
    assert!(matches!(
        world.oauth.authorize(&query(&asked), visitor(None)).await,
        AuthorizeStep::Refused(_)
    ));
    assert!(world.oauth.register(body.to_string().as_bytes()).is_err());
}

#[tokio::test]
async fn deny_tells_the_client_and_ends_the_transaction() {
    let world = World::new();
    let open = open(&world, &[]).await;
    let AuthorizeStep::Redirect { url } = open.deny(&world).await else {
        panic!("a redirect")
    };
    check_answer(&url, "error", "access_denied");
    invite(&world, "ann@example.org");
    let AuthorizeStep::Redirect { url } = open.post(&world, "ann@example.org", "pw").await else {
        panic!("a redirect")
    };
    check_answer(&url, "error", "access_denied");

    let link = opened(world.oauth.link_page(visitor(None)));
    assert!(link.page.client.is_none());
    assert_eq!(shown(&link.deny(&world).await), "200 Cancelled");
}

#[tokio::test]
async fn csrf_cross_transaction_and_foreign_browser_posts_are_one_page() {
    let world = World::new();
    let (mine, theirs) = (open(&world, &[]).await, open(&world, &[]).await);
    let page = "400 NotYours";
    let hidden = |of: &Open, csrf: &str| HiddenFields {
        transaction: of.page.hidden.transaction.clone(),
        csrf: csrf.to_owned(),
    };
    let (own, foreign) = (&mine.page.hidden.csrf, &theirs.page.hidden.csrf);
    let answers: [fn() -> PostedAnswer; 4] = [
        || another_language("ann@example.org"),
        || credentials("ann@example.org", "pw"),
        || PostedAnswer::Code(Secret::new("123456")),
        || PostedAnswer::Deny,
    ];
    for answer in answers {
        for (hidden, cookie) in [
            (hidden(&mine, own), None),
            (hidden(&mine, own), Some("")),
            (hidden(&mine, own), Some(theirs.cookie.as_str())),
            (hidden(&mine, foreign), Some(&mine.cookie)),
            (hidden(&mine, ""), Some(&mine.cookie)),
            (hidden(&theirs, own), Some(&mine.cookie)),
        ] {
            assert_eq!(shown(&send(&world, hidden, answer(), cookie).await), page);
        }
    }
    // A code before a password, in the right browser, leads back to the first form.
    let early = mine.send(&world, PostedAnswer::Code(Secret::new("123456"))).await;
    assert!(shown(&early).starts_with("sign in"));
    // None of these requests used up a try.
    world.pass(16 * 60);
    assert_eq!(shown(&mine.post(&world, "ann@example.org", "pw").await), page);
}

#[tokio::test]
async fn who_was_not_invited_gets_the_page_of_a_wrong_password_and_the_operator_hears_of_it() {
    let world = World::new();
    let open = open(&world, &[]).await;
    let AuthorizeStep::SignIn(page) = open.post(&world, " Eve@example.org ", "pw").await else {
        panic!("a page")
    };
    assert_eq!(
        page.notice,
        Some(SignInNotice::Refused(SignInRefusal::WrongCredentials))
    );
    // The typed e-mail and the chosen access are still there; the password is not on the page at all.
    assert_eq!(
        (page.email.as_str(), page.access, page.tries_left),
        ("Eve@example.org", Access::ReadAndChange, 4)
    );
    let accounts = Accounts::new(world.store.clone(), world.clock.clone(), world.live.subscribe());
    assert_eq!(accounts.access_requests().unwrap()[0].email, "eve@example.org");
}

#[tokio::test]
async fn five_tries_then_a_page() {
    let world = World::new();
    invite(&world, "ann@example.org");
    let open = open(&world, &[]).await;
    for left in (1..5).rev() {
        let AuthorizeStep::SignIn(page) = open.post(&world, "ann@example.org", "pw").await else {
            panic!("a page")
        };
        assert_eq!(page.tries_left, left);
        assert_eq!(
            page.notice,
            Some(SignInNotice::Refused(SignInRefusal::Unreachable))
        );
    }
    for _ in 0..2 {
        let step = open.post(&world, "ann@example.org", "pw").await;
        assert_eq!(
            shown(&step),
            "400 OutOfTries(Some(Refused(Unreachable)))",
            "the last reason is kept"
        );
    }
}

#[tokio::test]
async fn a_click_that_comes_twice_is_one_try() {
    let world = World::new();
    let open = open(&world, &[]).await;
    let (first, second) = tokio::join!(
        open.post(&world, "eve@example.org", "pw"),
        open.post(&world, "eve@example.org", "pw")
    );
    for step in [first, second] {
        let AuthorizeStep::SignIn(page) = step else {
            panic!("a page")
        };
        assert_eq!(page.tries_left, 4);
        assert!(page.notice.is_some());
    }
}

#[tokio::test]
async fn a_program_that_clicks_without_end_is_turned_away() {
    let world = World::new();
    let open = open(&world, &[]).await;
    let clicks = (0..20).map(|_| open.post(&world, "eve@example.org", "pw"));
    let shown: Vec<String> = futures_util::future::join_all(clicks)
        .await
        .iter()
        .map(shown)
        .collect();
    let turned_away = shown
        .iter()
        .filter(|step| step.as_str() == "429 TooManyClicks")
        .count();
    assert_eq!(turned_away, 16);
    // After that, the sign-in continues.
    let AuthorizeStep::SignIn(page) = open.post(&world, "eve@example.org", "pw2").await else {
        panic!("a page")
    };
    assert_eq!(page.tries_left, 3);
}

#[tokio::test]
async fn a_browser_that_goes_away_does_not_cut_a_sign_in_in_two() {
    let world = World::new();
    let open = open(&world, &[]).await;
    let impatient = open.post(&world, "eve@example.org", "pw");
    assert!(
        tokio::time::timeout(Duration::from_millis(5), impatient)
            .await
            .is_err()
    );
    // The next click arrives while the first is still in progress, and gets its answer.
    let AuthorizeStep::SignIn(page) = open.post(&world, "eve@example.org", "pw").await else {
        panic!("a page")
    };
    assert_eq!(page.tries_left, 4);
}

#[tokio::test]
async fn a_second_tab_of_the_same_browser_needs_no_new_cookie() {
    let world = World::new();
    let first = open(&world, &[]).await;
    let AuthorizeStep::SignIn(page) = world
        .oauth
        .authorize(&query(&[]), visitor(Some(&first.cookie)))
        .await
    else {
        panic!("a page")
    };
    assert!(page.set_browser.is_none());
    let second = Open {
        page,
        cookie: first.cookie.clone(),
    };
    assert!(matches!(
        second.deny(&world).await,
        AuthorizeStep::Redirect { .. }
    ));
    assert!(matches!(first.deny(&world).await, AuthorizeStep::Redirect { .. }));
}
