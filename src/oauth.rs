//! The authorization server without HTTP: registers clients (`/register`, client-id metadata), signs people in
//! (`/authorize`, `/link`), issues and renews tokens (`/token`), revokes them (`/revoke`), and authenticates every
//! call. It implements OAuth 2.1 with the parts that MCP requires, as Claude and the other clients use them.
//!
//! `web` decodes, calls one function of [`OAuth`], and encodes. The gateway calls [`OAuth::authenticate`], and the
//! operator's commands call [`OAuth::end_access`].
//!
//! Invariants:
//! - Every client is a public client with PKCE (S256), and every consent is given on the gateway's own page with
//!   Garmin's password. A browser remembers no consent, only a visit of half an hour to the person's own page.
//! - An access token is opaque and looked up on every call, so a revocation takes effect at the next call.
//! - `/token` never waits for Garmin.
//! - Tokens change only on the store's single writer, so two requests cannot spend the same code or token.
//! - The password is passed on to Garmin, and is never stored or logged.
//!
//! - Tokens and clients of another gateway can be [imported], and then follow the same rules.
//!
//! Absent on purpose: client secrets, other grants, `plain` PKCE, a second scope, request objects, introspection, and
//! pages with scripts or in frames.

mod addresses;
mod authenticate;
mod authorize;
mod client;
mod client_metadata;
mod clients;
mod clock_agreement;
mod documents;
mod error;
mod family;
mod fetch;
mod form;
#[cfg(fuzzing)]
pub mod fuzzing;
mod grants;
mod imported;
mod metadata;
mod overview;
mod own_page;
mod pkce;
mod redirect;
mod resource;
mod revoke;
mod token;
mod unused;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::{Live, PublicUrl};
use crate::garmin::SignIns;
use crate::store::{Kind, Reread, Store};
pub use addresses::is_global;
pub use authenticate::{Grant, Unauthenticated};
pub use authorize::{
    AuthorizeRefusal, AuthorizeStep, ClientOnPage, HiddenFields, MfaCodePage, PostedAnswer, PostedForm,
    SignInNotice, SignInPage, Visitor,
};
use clock_agreement::{ClockAgreement, ClockSeen};
pub use error::OAuthError;
use fetch::DocumentFetcher;
pub use grants::FamilyId;
pub use imported::{ForeignClient, ForeignToken, allowed_redirects};
pub use overview::FamilyOverview;
pub use own_page::{PAGE_CODE_LIFE, PageVisitor, VISIT_LIFE};
pub use revoke::{EndedBy, Revocation, RevocationReason, RevocationScope, Revoked};

/// The kinds of record that this module stores.
pub const KINDS: &[Kind] = &[
    Kind::of::<grants::AuthorizationCode>(),
    Kind::of::<grants::AccessToken>(),
    Kind::of::<grants::RefreshToken>(),
    Kind::of::<grants::FamilyUse>(),
    Kind::of::<family::TokenFamily>(),
    Kind::of::<Revocation>(),
    // Earlier versions tested the disk with this record, and a backup may contain it.
    Kind {
        table: "sign_in_write_test",
        version: 1,
    },
    Kind::of::<ClockSeen>(),
    documents::KIND,
    imported::KIND,
    own_page::KINDS[0],
    own_page::KINDS[1],
];

/// How often last uses are written: often enough for the console, rarely enough for an SD card.
const FLUSH_EVERY: Duration = Duration::from_secs(5 * 60);

#[derive(Clone)]
pub struct OAuthParts {
    pub store: Store,
    pub clock: Clock,
    /// Runs the housekeeping, and sign-ins that outlast their request.
    pub lifecycle: Lifecycle,
    pub accounts: Accounts,
    pub sign_ins: SignIns,
    /// The issuer. With `/mcp` appended, it is the resource.
    pub public_url: PublicUrl,
    /// How long a sign-in lasts without use (`ACCESS_TOKEN_TTL_DAYS`); `None`: forever.
    pub sign_in_ttl: Option<Duration>,
    /// Holds the redirect hosts and the operator's name.
    pub live: watch::Receiver<Live>,
}

/// The authorization server. Clones share everything.
#[derive(Clone)]
pub struct OAuth(Arc<OAuthState>);

struct OAuthState {
    store: Store,
    clock: Clock,
    lifecycle: Lifecycle,
    accounts: Accounts,
    sign_ins: SignIns,
    public_url: PublicUrl,
    /// `https://host/mcp`, the audience of every token.
    resource: String,
    sign_in_ttl: Option<SignedDuration>,
    live: watch::Receiver<Live>,
    documents: documents::Documents,
    transactions: authorize::Transactions,
    /// Decrypted access tokens; the stored bytes are read on every call.
    access_tokens: Reread<grants::AccessToken>,
    uses: authenticate::FamilyUses,
    clocks: ClockAgreement,
    sign_in_ended: OnceLock<SignInEnded>,
    /// Notified when a client gets the first tokens of a sign-in.
    sign_in_begun: watch::Sender<()>,
}

type SignInEnded = Box<dyn Fn(&FamilyId) + Send + Sync>;

impl OAuth {
    /// Creates the server and starts the housekeeping, which ends with the lifecycle.
    pub fn new(parts: OAuthParts) -> Self {
        Self::with_fetcher(parts, DocumentFetcher::default())
    }

    fn with_fetcher(parts: OAuthParts, fetcher: DocumentFetcher) -> Self {
        let resource = parts.public_url.mcp();
        let documents = documents::Documents::new(parts.store.clone(), parts.clock.clone(), fetcher);
        // If no earlier reading was stored, lack of use counts from now.
        let seen = parts.store.find(b"").ok().flatten();
        let clocks = ClockAgreement::new(&parts.clock, seen);
        let oauth = Self(Arc::new(OAuthState {
            store: parts.store,
            clock: parts.clock,
            lifecycle: parts.lifecycle.clone(),
            accounts: parts.accounts,
            sign_ins: parts.sign_ins,
            public_url: parts.public_url,
            resource,
            // A duration that does not fit is treated as forever.
            sign_in_ttl: parts
                .sign_in_ttl
                .and_then(|ttl| SignedDuration::try_from(ttl).ok()),
            live: parts.live,
            documents,
            transactions: authorize::Transactions::default(),
            access_tokens: Reread::default(),
            uses: authenticate::FamilyUses::default(),
            clocks,
            sign_in_ended: OnceLock::new(),
            sign_in_begun: watch::Sender::new(()),
        }));
        let housekeeper = oauth.clone();
        let stopping = parts.lifecycle.stopping();
        parts.lifecycle.spawn("oauth.housekeeping", async move {
            loop {
                let is_over = tokio::select! {
                    () = tokio::time::sleep(FLUSH_EVERY) => false,
                    () = stopping.cancelled() => true,
                };
                housekeeper.keep_house(is_over).await;
                if is_over {
                    return;
                }
            }
        });
        oauth
    }

    /// Sets the callback that runs after a client has revoked its sign-in or one of its tokens, or after a token was
    /// reused. The tokens have ended by then. The operator's revocations do not run it: [`OAuth::end_access`] returns
    /// what it ended.
    pub fn when_sign_in_ends(&self, act: impl Fn(&FamilyId) + Send + Sync + 'static) {
        self.0.sign_in_ended.get_or_init(|| Box::new(act));
    }

    fn tell_sign_in_ended(&self, family: &FamilyId) {
        if let Some(act) = self.0.sign_in_ended.get() {
            act(family);
        }
    }

    /// Changes when a client gets the first tokens of a sign-in, which may give access to a person who had none.
    pub fn sign_ins_begun(&self) -> watch::Receiver<()> {
        self.0.sign_in_begun.subscribe()
    }

    /// Writes last uses and, unless the gateway is stopping, removes what has expired.
    async fn keep_house(&self, is_over: bool) {
        let mut kept = self.flush_uses().await;
        self.0.clocks.counted_since(&self.0.clock);
        if let Some(seen) = self.0.clocks.to_keep() {
            kept = kept.and(self.0.store.put(b"", seen).await);
        }
        if !is_over {
            self.0.transactions.sweep(self.0.clock.now());
            kept = kept.and(self.sweep().await);
        }
        if let Err(e) = kept {
            tracing::warn!(error = %e, "store.write_failed");
        }
    }

    /// The protected-resource metadata (RFC 9728), for both its well-known paths.
    pub fn protected_resource_metadata(&self) -> Value {
        metadata::protected_resource(&self.0.public_url)
    }

    /// The authorization-server metadata (RFC 8414), for its well-known path and its aliases.
    pub fn authorization_server_metadata(&self) -> Value {
        metadata::authorization_server(&self.0.public_url)
    }

    /// The value of `WWW-Authenticate` for a 401 at `/mcp`. `presented`: a token was sent and rejected.
    pub fn challenge(&self, presented: bool) -> String {
        metadata::challenge(&self.0.public_url, presented)
    }

    /// `POST /register` (RFC 7591), which returns 201. `body`: JSON.
    ///
    /// Nothing is stored: see the module `clients`. Errors: `InvalidClientMetadata` (caller), `InvalidRedirectUri`
    /// (caller, or the operator, who may add a host).
    pub fn register(&self, body: &[u8]) -> Result<Value, OAuthError> {
        let answer = clients::register(body, &self.fence(), self.0.clock.now());
        match &answer {
            Ok(registered) => {
                let name = registered.get("client_name").and_then(Value::as_str);
                tracing::info!(client.name = name, "client.registered");
            }
            Err(e) => tracing::info!(reason = %e, "client.refused"),
        }
        answer
    }
}
