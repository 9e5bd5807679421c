//! The authorization server without HTTP: it lets a client in (`/register`, client-id metadata), a person sign in
//! (`/authorize`, `/link`), gives and renews tokens (`/token`), takes them back (`/revoke`), and says on every call
//! whose token it is. OAuth 2.1 with the parts that MCP asks for, as Claude and the other clients really use them.
//!
//! The door is [`OAuth`]. The public face decodes, calls one function, encodes; the gateway calls
//! [`OAuth::authenticate`]; the operator's acts are the `revoke_…` functions.
//!
//! Invariants:
//! - Every client is a public client with PKCE (S256), and every consent was given on our own page with Garmin's
//!   password. Nothing is remembered in a browser.
//! - An access token is opaque and looked up on every call: what is revoked is over with the next one.
//! - `/token` never waits for Garmin.
//! - What happens to a token happens on the store's one writer: no two requests can spend the same thing.
//! - The password is an argument on its way to Garmin, in no record and in no log.
//!
//! Absent on purpose: client secrets, other grants, `plain`, scopes beyond one, request objects, introspection, and
//! anything that a browser could frame or script.

mod addresses;
mod authenticate;
mod authorize;
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
mod metadata;
mod pkce;
mod redirect;
mod resource;
mod revoke;
mod token;

#[cfg(test)]
mod tests;

use std::sync::Arc;
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
    AuthorizeRefusal, AuthorizeStep, ClientOnPage, HiddenFields, MfaPage, PostedAnswer, PostedForm,
    SignInPage, Visitor,
};
use clock_agreement::ClockAgreement;
pub use error::OAuthError;
use fetch::DocumentFetcher;
pub use grants::FamilyId;
pub use revoke::{FamilyOverview, Revocation, RevocationReason, RevocationScope, Revoked};

/// What this room keeps in the store.
pub const KINDS: &[Kind] = &[
    Kind::of::<grants::AuthorizationCode>(),
    Kind::of::<grants::AccessToken>(),
    Kind::of::<grants::RefreshToken>(),
    Kind::of::<grants::FamilyUse>(),
    Kind::of::<family::TokenFamily>(),
    Kind::of::<Revocation>(),
    Kind::of::<grants::WriteTest>(),
    documents::KIND,
];

/// How often last uses are written down: often enough for the console, seldom enough for a memory card.
const FLUSH_EVERY: Duration = Duration::from_secs(5 * 60);

/// What the authorization server is built from.
#[derive(Clone)]
pub struct OAuthParts {
    /// Where codes, tokens and revocations are kept.
    pub store: Store,
    /// Business time.
    pub clock: Clock,
    /// Runs sign-ins to their end, and the housekeeping.
    pub lifecycle: Lifecycle,
    /// Who may sign in, and where a sign-in is kept.
    pub accounts: Accounts,
    /// The way to Garmin.
    pub sign_ins: SignIns,
    /// The issuer and the resource.
    pub public_url: PublicUrl,
    /// How long a sign-in lasts unused (`ACCESS_TOKEN_TTL_DAYS`); `None`: for ever.
    pub sign_in_ttl: Option<Duration>,
    /// Redirect hosts and the operator's name.
    pub live: watch::Receiver<Live>,
}

/// The authorization server. Clones are the same.
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
    /// The access tokens that are called with.
    access_tokens: Reread<grants::AccessToken>,
    uses: authenticate::FamilyUses,
    clocks: ClockAgreement,
}

impl OAuth {
    /// Builds it and starts its housekeeping, which ends with the lifecycle.
    pub fn new(parts: OAuthParts) -> Self {
        Self::with_fetcher(parts, DocumentFetcher::default())
    }

    fn with_fetcher(parts: OAuthParts, fetcher: DocumentFetcher) -> Self {
        let resource = parts.public_url.mcp();
        let documents = documents::Documents::new(parts.store.clone(), parts.clock.clone(), fetcher);
        let oauth = Self(Arc::new(OAuthState {
            store: parts.store,
            clock: parts.clock,
            lifecycle: parts.lifecycle.clone(),
            accounts: parts.accounts,
            sign_ins: parts.sign_ins,
            public_url: parts.public_url,
            resource,
            // A duration that does not fit is for ever.
            sign_in_ttl: parts
                .sign_in_ttl
                .and_then(|ttl| SignedDuration::try_from(ttl).ok()),
            live: parts.live,
            documents,
            transactions: authorize::Transactions::default(),
            access_tokens: Reread::default(),
            uses: authenticate::FamilyUses::default(),
            clocks: ClockAgreement::default(),
        }));
        // The first look at the clocks: nothing ends for lack of use within an hour of it.
        oauth.0.clocks.is_steady(&oauth.0.clock);
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

    /// Writes last uses down and removes what is over; at the end only the former.
    async fn keep_house(&self, is_over: bool) {
        let mut kept = self.flush_uses().await;
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

    /// The value of `WWW-Authenticate` for a 401 at `/mcp`. `presented`: a token was sent and is no good.
    pub fn challenge(&self, presented: bool) -> String {
        metadata::challenge(&self.0.public_url, presented)
    }

    /// `POST /register` (RFC 7591), answered with 201. `body`: JSON, at most what the face lets through.
    ///
    /// Nothing is written: see the module `clients`. Errors: `InvalidClientMetadata` (caller), `InvalidRedirectUri`
    /// (caller, or the operator who may add a host).
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
