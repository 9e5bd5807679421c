//! The loop beside the step: opens transactions, asks Garmin, keeps accounts, makes codes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::super::OAuth;
use super::super::client_metadata::{self, DocumentUrl};
use super::super::clients::{Client, ClientId};
use super::super::error::OAuthError;
use super::super::form::Form;
use super::super::grants::{AuthorizationCode, CODE_LIFE, CODE_PREFIX, Consent};
use super::super::redirect::{RedirectFence, RedirectUri};
use super::request::{AnswerTo, AuthorizationRequest};
use super::step::{Act, Event, Heard, Stage};
use super::transactions::{Answer, Purpose, Transaction, Visit};
use super::{AuthorizeStep, CodeForm, CodePage, CredentialsForm, DenyForm, SignInPage, refusals};
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::garmin::{Credentials, MfaChallenge, MfaMethod, SignInOutcome, SignedIn};
use crate::store::StoreError;

/// What a form brought.
enum Submitted {
    Credentials(CredentialsForm),
    Code(Secret),
    Deny,
}

impl OAuth {
    /// `GET /authorize`. `query`: as it stands in the URL; `browser`: the value of our cookie, if the browser sent it.
    ///
    /// Errors are pages until the redirect URI is proven, then redirects with `error`, `state` and `iss`.
    pub async fn authorize(&self, query: &str, browser: Option<&str>) -> AuthorizeStep {
        let form = match Form::parse(query) {
            Ok(form) => form,
            Err(e) => return refusals::malformed(e.description()),
        };
        let Some(raw_redirect) = form.find("redirect_uri") else {
            return refusals::malformed("the parameter redirect_uri is missing");
        };
        let Some(client_id) = form.find("client_id") else {
            return refusals::malformed("the parameter client_id is missing");
        };
        // First the fence: no document is fetched for a request that leads nowhere.
        let redirect_uri = match self.fence().admit(raw_redirect) {
            Ok(uri) => uri,
            Err(problem) => return refusals::redirect(problem),
        };
        let Some(client) = self.find_client(client_id, &redirect_uri).await else {
            return refusals::unknown_client();
        };
        if !client.admits(&redirect_uri) {
            return refusals::other_redirect();
        }
        let answer = AnswerTo::new(redirect_uri, &form, &self.0.public_url);
        match AuthorizationRequest::read(&form, client, answer.clone(), &self.0.public_url) {
            Ok(request) => self.open(Purpose::Client(Box::new(request)), browser).await,
            Err(e) => AuthorizeStep::Redirect {
                url: answer.error(&e),
            },
        }
    }

    /// `GET /link`: the same sign-in without a client, for an account whose login at Garmin is gone.
    pub async fn link_page(&self, browser: Option<&str>) -> AuthorizeStep {
        self.open(Purpose::Link, browser).await
    }

    /// `POST` with `step=credentials`. Takes as long as Garmin does; goes on even if the browser does not wait.
    pub async fn submit_credentials(&self, form: CredentialsForm, browser: Option<&str>) -> AuthorizeStep {
        let found = self.0.transactions.find(&form.transaction, &form.csrf, browser);
        self.submit(found, Submitted::Credentials(form)).await
    }

    /// `POST` with `step=code`.
    pub async fn submit_code(&self, form: CodeForm, browser: Option<&str>) -> AuthorizeStep {
        let found = self.0.transactions.find(&form.transaction, &form.csrf, browser);
        self.submit(found, Submitted::Code(form.code)).await
    }

    /// `POST` with `step=deny`.
    pub async fn deny(&self, form: DenyForm, browser: Option<&str>) -> AuthorizeStep {
        let found = self.0.transactions.find(&form.transaction, &form.csrf, browser);
        self.submit(found, Submitted::Deny).await
    }

    /// The fence as the operator has it now.
    pub(in crate::oauth) fn fence(&self) -> RedirectFence {
        RedirectFence::new(&self.0.live.borrow().redirect_hosts)
    }

    /// The client behind an id. Claude's own documents are asked for only when what is built in does not do.
    async fn find_client(&self, client_id: &str, redirect_uri: &RedirectUri) -> Option<Client> {
        let url = match ClientId::parse(client_id)? {
            ClientId::Registered(client) => return Some(client),
            ClientId::Document(url) => url,
        };
        let built_in = client_metadata::built_in(&url);
        if built_in
            .as_ref()
            .is_some_and(|client| client.admits(redirect_uri))
        {
            return built_in;
        }
        // Our own pages describe no clients, and asking ourselves would never end.
        if url.host() == self.0.public_url.host() {
            return None;
        }
        self.0.documents.find(&url).await.or(built_in)
    }

    async fn open(&self, purpose: Purpose, browser: Option<&str>) -> AuthorizeStep {
        let (transaction, set_browser) = self.0.transactions.open(purpose, browser, self.0.clock.now());
        let visit = transaction.visit.lock().await;
        match shown(&transaction, &visit, self.0.clock.now()) {
            AuthorizeStep::SignIn(page) => AuthorizeStep::SignIn(SignInPage { set_browser, ..page }),
            other => other,
        }
    }

    async fn submit(&self, found: Option<Arc<Transaction>>, submitted: Submitted) -> AuthorizeStep {
        let Some(transaction) = found else {
            return refusals::not_yours();
        };
        let Ok(click) = Arc::clone(&transaction.clicks).try_acquire_owned() else {
            return refusals::too_many_clicks();
        };
        let round = transaction.round.load(Ordering::Acquire);
        let (reply, answer) = oneshot::channel();
        let oauth = self.clone();
        // A browser that goes away, or clicks again, must not cut a sign-in at Garmin in two.
        self.0.lifecycle.spawn("oauth.sign_in", async move {
            let step = oauth.advance(&transaction, round, submitted).await;
            drop(click);
            drop(reply.send(step));
        });
        answer.await.unwrap_or_else(|_| refusals::ours())
    }

    async fn advance(&self, transaction: &Transaction, round: u64, submitted: Submitted) -> AuthorizeStep {
        let mut visit = transaction.visit.lock().await;
        // Whoever had to wait for an earlier click gets what that one got; but "no" is heard however late it comes.
        let is_second_click = transaction.round.load(Ordering::Acquire) != round;
        if is_second_click && !matches!(submitted, Submitted::Deny) {
            return shown(transaction, &visit, self.0.clock.now());
        }
        let acted = self.act(&mut visit, transaction, submitted).await;
        transaction.round.fetch_add(1, Ordering::AcqRel);
        match acted {
            Ok(()) => shown(transaction, &visit, self.0.clock.now()),
            Err(e) => {
                tracing::error!(error = %e, "sign_in.not_kept");
                refusals::ours()
            }
        }
    }

    /// Takes one form in, and what follows from it. Errors: the store's, before Garmin was asked.
    async fn act(
        &self,
        visit: &mut Visit,
        transaction: &Transaction,
        submitted: Submitted,
    ) -> Result<(), StoreError> {
        let event = match &submitted {
            Submitted::Credentials(form) => Event::Credentials {
                email: &form.email,
                n_password_bytes: form.password.expose().len(),
                access: form.access,
                is_invited: self.0.accounts.is_invited(form.email.trim())?,
            },
            Submitted::Code(_) => Event::Code,
            Submitted::Deny => Event::Deny {
                is_answered: !self.take_back(visit).await?,
            },
        };
        let mut act = visit.progress.step(event, self.0.clock.now(), &self.operator());
        let mut signed_in = None;
        // Garmin's answer is an event again; after that there is at most one thing to do.
        if let Some(heard) = self.hear(act, visit, submitted, &mut signed_in).await {
            let heard = Event::Heard(heard);
            act = visit.progress.step(heard, self.0.clock.now(), &self.operator());
        }
        if visit.progress.stage != Stage::AskCode {
            visit.challenge = None;
        }
        if act == Act::Finish
            && let Some(signed_in) = signed_in
        {
            let event = match self.finish(transaction, visit, signed_in).await {
                Ok(answer) => {
                    visit.answer = Some(answer);
                    Event::Kept
                }
                Err(e) => {
                    tracing::error!(error = %e, "sign_in.not_kept");
                    Event::Heard(Heard::NotKept)
                }
            };
            visit.progress.step(event, self.0.clock.now(), &self.operator());
        }
        Ok(())
    }

    /// Takes a code back that was made and not exchanged yet. `false`: it was exchanged, or it is a link.
    async fn take_back(&self, visit: &mut Visit) -> Result<bool, StoreError> {
        let code = match &visit.answer {
            None => return Ok(true),
            Some(Answer::Linked { .. }) => return Ok(false),
            Some(Answer::Code { code, .. }) => *code,
        };
        // Spent or not, it is not sent to the client again.
        visit.answer = None;
        self.0
            .store
            .atomic(move |tx| {
                let found = tx.find::<AuthorizationCode>(code.as_bytes())?;
                let is_unspent = found.is_some_and(|found| found.gave.is_none());
                if is_unspent {
                    tx.remove::<AuthorizationCode>(code.as_bytes());
                }
                Ok(is_unspent)
            })
            .await
    }

    /// Asks Garmin, or pretends to. `None`: there was nothing to ask.
    async fn hear(
        &self,
        act: Act,
        visit: &mut Visit,
        submitted: Submitted,
        signed_in: &mut Option<SignedIn>,
    ) -> Option<Heard> {
        let outcome = match (act, submitted) {
            (Act::AskGarmin, Submitted::Credentials(form)) => {
                visit.challenge = None;
                let email = visit.progress.email.clone();
                self.0
                    .sign_ins
                    .begin(Credentials {
                        email,
                        password: form.password,
                    })
                    .await
            }
            (Act::Decline, Submitted::Credentials(form)) => {
                visit.challenge = None;
                let email = visit.progress.email.clone();
                self.note_knock(email.clone());
                let password = form.password;
                let refusal = self.0.sign_ins.decline(Credentials { email, password }).await;
                tracing::info!(reason = "not_invited", "sign_in.declined");
                SignInOutcome::Refused(refusal)
            }
            (Act::VerifyCode, Submitted::Code(code)) => match visit.challenge.as_mut() {
                Some(challenge) => self.0.sign_ins.verify(challenge, &code).await,
                None => return None,
            },
            _ => return None,
        };
        Some(match outcome {
            SignInOutcome::SignedIn(one) => {
                *signed_in = Some(one);
                Heard::SignedIn
            }
            SignInOutcome::Mfa(challenge) => {
                visit.challenge = Some(challenge);
                Heard::CodeWanted
            }
            SignInOutcome::Refused(refusal) => Heard::Refused {
                refusal,
                codes_left: visit.challenge.as_ref().map_or(0, MfaChallenge::tries_left),
            },
        })
    }

    /// Tells the operator of somebody who was not invited. It is not waited for: the time that a write takes would tell
    /// the stranger too.
    fn note_knock(&self, email: String) {
        let accounts = self.0.accounts.clone();
        self.0.lifecycle.spawn("oauth.knock", async move {
            if let Err(e) = accounts.note_access_request(&email).await {
                tracing::error!(error = %e, "store.write_failed");
            }
        });
    }

    /// Keeps the account; for a client, makes the code and the way back.
    async fn finish(
        &self,
        transaction: &Transaction,
        visit: &Visit,
        signed_in: SignedIn,
    ) -> Result<Answer, StoreError> {
        let account = self.0.accounts.link(&visit.progress.email, signed_in).await?;
        let request = match &transaction.purpose {
            Purpose::Client(request) => request,
            Purpose::Link => {
                return Ok(Answer::Linked {
                    full_name: account.full_name,
                });
            }
        };
        let code = random_token(CODE_PREFIX);
        let issued_at = self.0.clock.now();
        let record = AuthorizationCode {
            consent: Consent {
                account: account.id,
                access: visit.progress.access,
                client_id: request.client.id.clone(),
                client_name: request.client_name(),
                resource: request.resource.clone(),
            },
            redirect_uri: request.answer.redirect_uri.as_str().to_owned(),
            challenge: request.challenge.clone(),
            issued_at,
            gave: None,
        };
        let hash = TokenHash::of(code.expose());
        self.0.store.put(hash.as_bytes(), record).await?;
        if let Some(url) = DocumentUrl::parse(&request.client.id)
            && let Err(e) = self.0.documents.keep(&url).await
        {
            // Only an outage of the client's host after a restart would miss it.
            tracing::warn!(error = %e, "store.write_failed");
        }
        Ok(Answer::Code {
            code: hash,
            url: request.answer.code(code.expose()),
            issued_at,
        })
    }

    /// How the texts call whoever runs the gateway.
    fn operator(&self) -> String {
        let live = self.0.live.borrow();
        live.operator
            .name
            .clone()
            .unwrap_or_else(|| "the operator of this gateway".to_owned())
    }
}

/// The page of the stage that the visit is in.
fn shown(transaction: &Transaction, visit: &Visit, now: Timestamp) -> AuthorizeStep {
    let progress = &visit.progress;
    let client = match &transaction.purpose {
        Purpose::Client(request) => Some(request),
        Purpose::Link => None,
    };
    match progress.stage {
        Stage::AskCredentials => AuthorizeStep::SignIn(SignInPage {
            transaction: transaction.id.clone(),
            csrf: transaction.csrf.expose().to_owned(),
            set_browser: None,
            client: client.map(|request| request.on_page()),
            email: progress.email.clone(),
            access: progress.access,
            notice: progress.notice.clone(),
            tries_left: progress.tries_left,
        }),
        Stage::AskCode => {
            let challenge = visit.challenge.as_ref();
            AuthorizeStep::Code(CodePage {
                transaction: transaction.id.clone(),
                csrf: transaction.csrf.expose().to_owned(),
                client: client.map(|request| request.on_page()),
                method: method_word(challenge.map(MfaChallenge::method)).to_owned(),
                sent_to: challenge.and_then(|one| one.sent_to()).map(str::to_owned),
                tries_left: challenge.map_or(0, MfaChallenge::tries_left),
                notice: progress.notice.clone(),
            })
        }
        Stage::Done => match &visit.answer {
            Some(Answer::Code { url, issued_at, .. }) if now.duration_since(*issued_at) <= CODE_LIFE => {
                AuthorizeStep::Redirect { url: url.clone() }
            }
            Some(Answer::Linked { full_name }) => AuthorizeStep::Linked {
                full_name: full_name.clone(),
            },
            _ => refusals::finished(),
        },
        Stage::Denied => match client {
            Some(request) => AuthorizeStep::Redirect {
                url: request
                    .answer
                    .error(&OAuthError::AccessDenied("the person did not allow it".into())),
            },
            None => refusals::cancelled(),
        },
        Stage::OutOfTries => refusals::out_of_tries(progress.notice.as_deref().unwrap_or_default()),
        Stage::Expired => refusals::not_yours(),
    }
}

fn method_word(method: Option<MfaMethod>) -> &'static str {
    match method {
        Some(MfaMethod::Email) => "email",
        Some(MfaMethod::Phone) => "phone",
        Some(MfaMethod::Authenticator) => "authenticator",
        Some(MfaMethod::Unknown) | None => "",
    }
}
