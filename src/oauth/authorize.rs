//! `GET /authorize` and `GET /link`: checks the client and the return address, and shows the page that asks the
//! person.
//!
//! Invariants of this file and its submodules:
//! - A form is valid only together with the cookie of the browser that its page was made for.
//! - No sign-in lasts in a browser: every consent is given with Garmin's password, for one client, after the page has
//!   shown its name and return address.
//! - Until the redirect URI is proven, errors are pages; after that they go to the client with `state` and `iss`.
//! - A person without an invitation gets the page for a wrong password after an equally long time, and Garmin is not
//!   asked.

mod pages;
mod progress;
mod refusals;
mod request;
mod sign_in;
mod transactions;

use super::OAuth;
use super::client::OAuthClient;
use super::client_metadata;
use super::clients::ClientId;
use super::form::FormParameters;
use super::imported;
use super::redirect::RedirectUri;
use super::redirect::fence::RedirectFence;
use progress::SignInProgress;
use request::{AuthorizationRequest, ReturnAddress};

pub use pages::{
    AuthorizeStep, ClientOnPage, HiddenFields, MfaCodePage, PostedAnswer, PostedForm, SignInPage, Visitor,
};
pub use refusals::{AuthorizeRefusal, SignInNotice};
#[cfg(fuzzing)]
pub(super) use request::way_back;
use transactions::SignInPurpose;
pub(super) use transactions::{EndedSignIns, Transactions};

impl OAuth {
    /// `GET /authorize`. `query`: as it appears in the URL.
    ///
    /// Errors are pages until the redirect URI is proven, then redirects with `error`, `state` and `iss`.
    pub async fn authorize(&self, query: &str, visitor: Visitor<'_>) -> AuthorizeStep {
        let form = match FormParameters::parse(query) {
            Ok(form) => form,
            Err(e) => return AuthorizeRefusal::malformed(e.description()).into(),
        };
        let Some(raw_redirect) = form.find("redirect_uri") else {
            return AuthorizeRefusal::malformed("the parameter redirect_uri is missing").into();
        };
        let Some(client_id) = form.find("client_id") else {
            return AuthorizeRefusal::malformed("the parameter client_id is missing").into();
        };
        // The fence comes first, so that no document is fetched for a request that will be refused.
        let redirect_uri = match self.fence().admit(raw_redirect) {
            Ok(uri) => uri,
            Err(problem) => return AuthorizeRefusal::from(problem).into(),
        };
        let client = match self.find_client(client_id, &redirect_uri, visitor).await {
            Ok(client) => client,
            Err(refusal) => return refusal.into(),
        };
        if !client.admits(&redirect_uri) {
            return AuthorizeRefusal::OtherRedirect.into();
        }
        let return_to = ReturnAddress::new(redirect_uri, &form, &self.0.public_url);
        match AuthorizationRequest::read(&form, client, return_to.clone(), &self.0.public_url) {
            Ok(request) => self.first_page(&SignInPurpose::Connect(Box::new(request)), visitor),
            Err(e) => AuthorizeStep::Redirect {
                url: return_to.error(&e),
            },
        }
    }

    /// `GET /link`: the same sign-in without a client, for an account whose login at Garmin has ended.
    pub fn link_page(&self, visitor: Visitor<'_>) -> AuthorizeStep {
        self.first_page(&SignInPurpose::Link, visitor)
    }

    /// `GET /me` without an open visit: the same sign-in, which opens the person's own page.
    pub fn own_page_sign_in(&self, visitor: Visitor<'_>) -> AuthorizeStep {
        self.first_page(&SignInPurpose::OwnPage, visitor)
    }

    fn first_page(&self, purpose: &SignInPurpose, visitor: Visitor<'_>) -> AuthorizeStep {
        let now = self.0.clock.now();
        let (hidden, set_browser) = self.0.transactions.issue(purpose.clone(), visitor.browser, now);
        let page = sign_in::sign_in_page(hidden, purpose.request(), &SignInProgress::begin(now));
        AuthorizeStep::SignIn(SignInPage { set_browser, ..page })
    }

    /// The fence around the redirect URIs that are allowed now.
    pub(super) fn fence(&self) -> RedirectFence {
        RedirectFence::new(&self.0.live.borrow().redirect_hosts)
    }

    /// The client with this id, or the page that says why there is none. Claude's own documents are fetched only when
    /// the built-in copies do not suffice.
    async fn find_client(
        &self,
        client_id: &str,
        redirect_uri: &RedirectUri,
        visitor: Visitor<'_>,
    ) -> Result<OAuthClient, AuthorizeRefusal> {
        let url = match ClientId::parse(client_id) {
            Some(ClientId::Registered(client)) => return Ok(client),
            Some(ClientId::Document(url)) => url,
            None => {
                let imported = imported::find_client(&self.0.store, client_id);
                let imported = imported.map_err(|_| AuthorizeRefusal::Internal)?;
                return imported.ok_or(AuthorizeRefusal::UnknownClient);
            }
        };
        let built_in = client_metadata::built_in(&url);
        if let Some(client) = built_in.as_ref().filter(|client| client.admits(redirect_uri)) {
            return Ok(client.clone());
        }
        // The gateway's own pages describe no clients, and a request to itself would never end.
        if url.host() == self.0.public_url.host() {
            return Err(AuthorizeRefusal::UnknownClient);
        }
        let found = self.0.documents.find(&url, visitor.source).await.or(built_in);
        found.ok_or_else(|| AuthorizeRefusal::UnreadableClient {
            host: url.host().to_owned(),
        })
    }
}
