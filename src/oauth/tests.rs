//! The authorization server through its public functions, over a real store, with a Garmin that cannot be reached.
//! Successful sign-ins are tested against the simulator in `tests/it`; these tests insert codes where a sign-in
//! would.

mod attacks;
mod authorize;
mod documents;
mod imported;
mod lifetimes;
mod tokens;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::watch;
use url::form_urlencoded;

use super::fetch::DocumentFetcher;
use super::grants::{AuthorizationCode, CODE_PREFIX, Consent};
use super::pkce::CodeChallenge;
use super::{OAuth, OAuthError, OAuthParts, Visitor};
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::{RootSecret, TokenHash, random_token, sha256};
use crate::config::{GarminHosts, Live, PublicUrl};
use crate::garmin::{GovernorSettings, SignIns};
use crate::mcp::Access;
use crate::store::Store;

pub(super) const ORIGIN: &str = "https://gw.example.org";
pub(super) const CLAUDE: &str = "https://claude.ai/oauth/mcp-oauth-client-metadata";
pub(super) const CLAUDE_CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";
pub(super) const VERIFIER: &str = "a-verifier-that-has-the-length-it-needs-0123456789";
const DAYS_90: Duration = Duration::from_secs(90 * 24 * 3600);

pub(super) struct World {
    pub(super) oauth: OAuth,
    pub(super) clock: Clock,
    pub(super) live: watch::Sender<Live>,
    store: Store,
    _dir: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_ttl(Some(DAYS_90))
    }

    pub(super) fn has_access(&self, account: &AccountId) -> bool {
        OAuth::has_access(&self.store, account).unwrap()
    }

    pub(super) fn with_ttl(sign_in_ttl: Option<Duration>) -> Self {
        Self::with(sign_in_ttl, nowhere())
    }

    /// Uses this fetcher for clients' documents.
    pub(super) fn with_fetcher(fetcher: DocumentFetcher) -> Self {
        Self::with(Some(DAYS_90), fetcher)
    }

    fn with(sign_in_ttl: Option<Duration>, fetcher: DocumentFetcher) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().unwrap());
        let (live, receiver) = watch::channel(Live::default());
        let oauth = build(&store, &clock, receiver, ORIGIN, sign_in_ttl, fetcher);
        Self {
            oauth,
            clock,
            live,
            store,
            _dir: dir,
        }
    }

    /// The same data in a new process, perhaps at another address.
    pub(super) fn restarted_at(&self, origin: &str) -> OAuth {
        build(
            &self.store,
            &self.clock,
            self.live.subscribe(),
            origin,
            Some(DAYS_90),
            nowhere(),
        )
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Writes a code as a sign-in would.
    pub(super) async fn code(&self, account: &AccountId, client_id: &str) -> String {
        let code = random_token(CODE_PREFIX);
        let record = AuthorizationCode {
            consent: Consent {
                account: account.clone(),
                access: Access::ReadOnly,
                client_id: client_id.to_owned(),
                client_name: "Claude".into(),
                resource: format!("{ORIGIN}/mcp"),
            },
            redirect_uri: CLAUDE_CALLBACK.to_owned(),
            challenge: challenge(),
            issued_at: self.clock.now(),
            gave: None,
        };
        self.store
            .put(TokenHash::of(code.expose()).as_bytes(), record)
            .await
            .unwrap();
        code.expose().to_owned()
    }

    /// The tokens of a sign-in with Claude.
    pub(super) async fn signed_in(&self, account: &AccountId) -> Pair {
        let code = self.code(account, CLAUDE).await;
        pair(self.oauth.token(&exchange(&code, &[]), None).await)
    }

    pub(super) fn is_good(&self, access: &str) -> bool {
        self.oauth.authenticate(access).is_ok()
    }
}

fn build(
    store: &Store,
    clock: &Clock,
    live: watch::Receiver<Live>,
    origin: &str,
    sign_in_ttl: Option<Duration>,
    fetcher: DocumentFetcher,
) -> OAuth {
    // Another test may have installed the provider already.
    drop(rustls::crypto::ring::default_provider().install_default());
    // The discard port, where no server listens.
    let hosts = GarminHosts::at(&"http://127.0.0.1:9/".parse().unwrap());
    let http = crate::garmin::client(&hosts).unwrap();
    let settings = GovernorSettings::without_pauses();
    let parts = OAuthParts {
        store: store.clone(),
        clock: clock.clone(),
        lifecycle: Lifecycle::new(),
        accounts: Accounts::new(store.clone(), clock.clone(), live.clone()),
        sign_ins: SignIns::new(hosts, http, clock.clone(), settings),
        public_url: PublicUrl::parse(origin).unwrap(),
        sign_in_ttl,
        live,
    };
    OAuth::with_fetcher(parts, fetcher)
}

/// No host resolves to an address, so no client's document can be fetched.
fn nowhere() -> DocumentFetcher {
    DocumentFetcher {
        lookup: |_| Box::pin(std::future::ready(Vec::new())),
        ..DocumentFetcher::default()
    }
}

/// A browser with this cookie.
pub(super) fn visitor(browser: Option<&str>) -> Visitor<'_> {
    Visitor {
        browser,
        source: Some(std::net::Ipv4Addr::new(192, 0, 2, 1).into()),
    }
}

pub(super) fn account(letter: char) -> AccountId {
    format!("acc_{}", letter.to_string().repeat(16)).parse().unwrap()
}

pub(super) fn challenge_text() -> String {
    URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()))
}

fn challenge() -> CodeChallenge {
    CodeChallenge::parse(Some(&challenge_text()), Some("S256"))
        .ok()
        .unwrap()
}

/// Builds a form from pairs. A later pair replaces an earlier one of the same name; an empty value removes it.
pub(super) fn form(base: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(&str, &str)> = base.to_vec();
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

pub(super) fn exchange(code: &str, changes: &[(&str, &str)]) -> String {
    let base = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", CLAUDE),
        ("redirect_uri", CLAUDE_CALLBACK),
        ("code_verifier", VERIFIER),
        ("resource", "https://gw.example.org/mcp"),
    ];
    form(&base, changes)
}

/// Refreshes as Claude does: with `resource`, without `scope`.
pub(super) fn refresh(token: &str, changes: &[(&str, &str)]) -> String {
    let base = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", CLAUDE),
        ("resource", "https://gw.example.org/mcp"),
    ];
    form(&base, changes)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in_s: i64,
}

/// The pair in an answer, after checking its other members.
pub(super) fn pair(answer: Result<Value, OAuthError>) -> Pair {
    let answer = answer.unwrap();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "garmin offline_access");
    assert_eq!(answer.as_object().unwrap().len(), 5);
    Pair {
        access: answer["access_token"].as_str().unwrap().to_owned(),
        refresh: answer["refresh_token"].as_str().unwrap().to_owned(),
        expires_in_s: answer["expires_in"].as_i64().unwrap(),
    }
}

/// The code and status of a refusal.
pub(super) fn refusal(answer: Result<Value, OAuthError>) -> (&'static str, u16) {
    let error = answer.unwrap_err();
    assert_eq!(
        error.body(),
        json!({ "error": error.code(), "error_description": error.description() })
    );
    (error.code(), error.status())
}

pub(super) const INVALID_GRANT: (&str, u16) = ("invalid_grant", 400);

pub(super) fn far(timestamp: Timestamp, days: i64) -> Timestamp {
    timestamp
        .checked_add(SignedDuration::from_hours(24 * days))
        .unwrap()
}
