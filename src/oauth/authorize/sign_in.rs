//! The forms of the sign-in page, in order: ask Garmin, request a code if needed, link the account, issue the code.
//!
//! Conditions checked before a wait are checked again after it: the invitation, the operator's revocations and the
//! redirect URI are verified where the account and the code are written, in the same unit of work.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::super::OAuth;
use super::super::client_metadata::DocumentUrl;
use super::super::error::OAuthError;
use super::super::grants::{AuthorizationCode, CODE_LIFE, CODE_PREFIX, Consent};
use super::super::own_page;
use super::pages::{AuthorizeStep, HiddenFields, MfaCodePage, PostedAnswer, PostedForm, SignInPage, Visitor};
use super::progress::{SignInAnswer, SignInProgress, SignInStage};
use super::refusals::AuthorizeRefusal;
use super::request::AuthorizationRequest;
use super::transactions::{NotFound, SignInPurpose, Transaction};
use crate::accounts::Account;
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::garmin::{SignInOutcome, SignedIn};
use crate::mcp::Access;
use crate::store::{StoreError, Tx};

impl OAuth {
    /// Handles a posted form. Takes as long as Garmin does, and continues even if the browser disconnects.
    pub async fn submit(&self, form: PostedForm, visitor: Visitor<'_>) -> AuthorizeStep {
        let PostedForm { hidden, answer } = form;
        let from = visitor.source;
        let transaction = match self.0.transactions.find(&hidden, visitor, self.0.clock.now()) {
            Ok(transaction) => transaction,
            Err(NotFound::NotYours) => return AuthorizeRefusal::NotYours.into(),
            Err(NotFound::NoRoom) => return AuthorizeRefusal::NoRoom.into(),
        };
        let Ok(click) = Arc::clone(&transaction.clicks).try_acquire_owned() else {
            return AuthorizeRefusal::TooManyClicks.into();
        };
        let round = transaction.round.load(Ordering::Acquire);
        let (reply, shown) = oneshot::channel();
        let oauth = self.clone();
        // A browser that disconnects, or clicks again, must not interrupt a sign-in at Garmin.
        self.0.lifecycle.spawn("oauth.sign_in", async move {
            let step = oauth.take_form(&transaction, round, answer, from).await;
            drop(click);
            drop(reply.send(step));
        });
        shown.await.unwrap_or_else(|_| AuthorizeRefusal::Internal.into())
    }

    /// Accepts a form and returns the next step. `round`: the number of forms accepted when it was posted.
    async fn take_form(
        &self,
        transaction: &Arc<Transaction>,
        round: u64,
        answer: PostedAnswer,
        from: Option<IpAddr>,
    ) -> AuthorizeStep {
        let mut progress = transaction.progress.lock().await;
        let progress = &mut *progress;
        // A second click gets the answer of the first. "Don't connect" always counts, however late it arrives.
        let is_second_click = transaction.round.load(Ordering::Acquire) != round;
        if is_second_click && !matches!(answer, PostedAnswer::Deny | PostedAnswer::ChangeLanguage { .. }) {
            return shown(transaction, progress, self.0.clock.now());
        }
        let taken = match answer {
            PostedAnswer::Credentials {
                email,
                password,
                access,
            } => {
                progress.from = from;
                self.take_credentials(transaction, progress, &email, password, access)
                    .await
            }
            PostedAnswer::Code(code) => self.take_code(transaction, progress, &code).await,
            PostedAnswer::Deny => self.take_denial(progress).await,
            // A change of language tries nothing, so it does not count as an accepted form.
            PostedAnswer::ChangeLanguage { email, access } => {
                if self.may_go_on(transaction, progress) {
                    progress.keep_typed(email, access);
                }
                return shown(transaction, progress, self.0.clock.now());
            }
        };
        transaction.round.fetch_add(1, Ordering::AcqRel);
        match taken {
            Ok(()) => shown(transaction, progress, self.0.clock.now()),
            Err(error) => {
                tracing::error!(%error, "sign_in.not_kept");
                AuthorizeRefusal::Internal.into()
            }
        }
    }

    /// Errors: the store's, before Garmin is asked.
    async fn take_credentials(
        &self,
        transaction: &Arc<Transaction>,
        progress: &mut SignInProgress,
        email: &str,
        password: Secret,
        access: Access,
    ) -> Result<(), StoreError> {
        if !self.may_go_on(transaction, progress) {
            return Ok(());
        }
        // A sign-in that cannot be saved would waste a login at Garmin. This is checked for everybody, so that the
        // answer does not reveal who is invited.
        self.0.store.probe().await?;
        let Some(credentials) = progress.typed(email, password, access) else {
            return Ok(());
        };
        let outcome = if self.0.accounts.is_invited(&credentials.email)? {
            self.0.sign_ins.begin_from(credentials, progress.from).await
        } else {
            self.note_access_request(credentials.email.clone());
            let refusal = self.0.sign_ins.decline_from(credentials, progress.from).await;
            tracing::info!(reason = "not_invited", "sign_in.declined");
            SignInOutcome::Refused(refusal)
        };
        self.take_outcome(transaction, progress, outcome).await;
        Ok(())
    }

    async fn take_code(
        &self,
        transaction: &Arc<Transaction>,
        progress: &mut SignInProgress,
        code: &Secret,
    ) -> Result<(), StoreError> {
        if !self.may_go_on(transaction, progress) {
            return Ok(());
        }
        self.0.store.probe().await?;
        if let SignInStage::AskCode(challenge) = &mut progress.stage {
            let outcome = self.0.sign_ins.verify(challenge, code).await;
            self.take_outcome(transaction, progress, outcome).await;
        }
        Ok(())
    }

    /// The person declines to connect. A code that was issued but not exchanged is withdrawn.
    async fn take_denial(&self, progress: &mut SignInProgress) -> Result<(), StoreError> {
        if let SignInStage::Done(SignInAnswer::Code { code, .. }) = &progress.stage {
            progress.stage = if self.take_back(*code).await? {
                SignInStage::Denied
            } else {
                SignInStage::Exchanged
            };
        } else if progress.is_open(self.0.clock.now()) {
            progress.stage = SignInStage::Denied;
        }
        Ok(())
    }

    /// Whether forms still count: the sign-in is neither finished nor expired, and the operator has not ended it.
    fn may_go_on(&self, transaction: &Transaction, progress: &mut SignInProgress) -> bool {
        if !progress.is_open(self.0.clock.now()) {
            return false;
        }
        if self.0.transactions.is_ended(transaction, &progress.email, None) {
            progress.stage = SignInStage::Withdrawn;
            return false;
        }
        true
    }

    /// Applies Garmin's answer, however late it arrives, because the person waited for it.
    async fn take_outcome(
        &self,
        transaction: &Arc<Transaction>,
        progress: &mut SignInProgress,
        outcome: SignInOutcome,
    ) {
        match outcome {
            SignInOutcome::Mfa(challenge) => progress.ask_code(challenge),
            SignInOutcome::Refused(refusal) => progress.refused(refusal),
            SignInOutcome::SignedIn(signed_in) => match self.finish(transaction, progress, signed_in).await {
                Ok(answer) => progress.stage = SignInStage::Done(answer),
                Err(NotFinished::Withdrawn) => {
                    tracing::info!(reason = "withdrawn", "sign_in.declined");
                    progress.stage = SignInStage::Withdrawn;
                }
                Err(NotFinished::Store(error)) => {
                    tracing::error!(%error, "sign_in.not_kept");
                    progress.not_kept();
                }
            },
        }
    }

    /// Links the account and, for a client, writes the code. Either both happen or neither does.
    async fn finish(
        &self,
        transaction: &Arc<Transaction>,
        progress: &SignInProgress,
        signed_in: SignedIn,
    ) -> Result<SignInAnswer, NotFinished> {
        let issued_at = self.0.clock.now();
        let code = random_token(CODE_PREFIX);
        let hash = TokenHash::of(code.expose());
        let (oauth, transaction_too) = (self.clone(), Arc::clone(transaction));
        let page_code = own_page::new_code();
        let opening = page_code.clone();
        let (email, access) = (progress.email.clone(), progress.access);
        let and_code = move |tx: &mut Tx<'_>, account: &Account| {
            if oauth
                .0
                .transactions
                .is_ended(&transaction_too, &email, Some(account))
            {
                return Err(NotFinished::Withdrawn);
            }
            if transaction_too.purpose == SignInPurpose::OwnPage {
                own_page::put_code(tx, &opening, &account.id, None, issued_at)?;
            }
            if let Some(request) = transaction_too.purpose.request() {
                // The operator may have removed the host in the meantime.
                if oauth
                    .fence()
                    .admit(request.return_to.redirect_uri.as_str())
                    .is_err()
                {
                    return Err(NotFinished::Withdrawn);
                }
                let record = authorization_code(request, account, access, issued_at);
                tx.put(hash.as_bytes(), &record)?;
            }
            Ok(())
        };
        let linked = self
            .0
            .accounts
            .link_invited(&progress.email, signed_in, and_code)
            .await?;
        let account = linked.ok_or(NotFinished::Withdrawn)?;
        let request = match &transaction.purpose {
            SignInPurpose::Connect(request) => request,
            SignInPurpose::Link => {
                let has_app = Self::has_access(&self.0.store, &account.id).unwrap_or_else(|error| {
                    // The sign-in is saved already; only the wording of the next page depends on this.
                    tracing::error!(%error, "store.read_failed");
                    true
                });
                return Ok(SignInAnswer::Linked {
                    full_name: account.full_name,
                    has_app,
                });
            }
            SignInPurpose::OwnPage => return Ok(SignInAnswer::OwnPage { code: page_code }),
        };
        if let Some(url) = DocumentUrl::parse(&request.client_id)
            && let Err(error) = self.0.documents.keep(&url).await
        {
            // The copy matters only if the client's host has an outage after a restart, so the sign-in continues.
            tracing::warn!(%error, "store.write_failed");
        }
        Ok(SignInAnswer::Code {
            code: hash,
            url: request.return_to.code(code.expose()),
            issued_at,
        })
    }

    /// Withdraws a code. `false`: it has already been exchanged.
    async fn take_back(&self, code: TokenHash) -> Result<bool, StoreError> {
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

    /// Shows the operator an access request. The caller does not wait for the write, because its duration would
    /// reveal that there is no invitation.
    fn note_access_request(&self, email: String) {
        let accounts = self.0.accounts.clone();
        self.0.lifecycle.spawn("oauth.access_request", async move {
            if let Err(error) = accounts.note_access_request(&email).await {
                tracing::error!(%error, "store.write_failed");
            }
        });
    }
}

/// Why a sign-in that Garmin accepted has no result.
#[derive(Debug, thiserror::Error)]
enum NotFinished {
    #[error("the invitation or the access was withdrawn")]
    Withdrawn,
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn authorization_code(
    request: &AuthorizationRequest,
    account: &Account,
    access: Access,
    issued_at: Timestamp,
) -> AuthorizationCode {
    AuthorizationCode {
        consent: Consent {
            account: account.id.clone(),
            access,
            client_id: request.client_id.clone(),
            client_name: request.client_name.clone(),
            resource: request.resource.clone(),
        },
        redirect_uri: request.return_to.redirect_uri.as_str().to_owned(),
        challenge: request.challenge.clone(),
        issued_at,
        gave: None,
    }
}

/// The page for the current stage of a posted sign-in.
fn shown(transaction: &Transaction, progress: &SignInProgress, now: Timestamp) -> AuthorizeStep {
    let request = transaction.purpose.request();
    match &progress.stage {
        SignInStage::AskCredentials => {
            AuthorizeStep::SignIn(sign_in_page(transaction.hidden.clone(), request, progress))
        }
        SignInStage::AskCode(challenge) => AuthorizeStep::Mfa(MfaCodePage {
            hidden: transaction.hidden.clone(),
            client: request.map(AuthorizationRequest::on_page),
            method: challenge.method(),
            sent_to: challenge.sent_to().map(str::to_owned),
            tries_left: challenge.tries_left(),
            notice: progress.notice.clone(),
        }),
        SignInStage::Done(SignInAnswer::Code { url, issued_at, .. })
            if now.duration_since(*issued_at) <= CODE_LIFE =>
        {
            AuthorizeStep::Redirect { url: url.clone() }
        }
        SignInStage::Done(SignInAnswer::Code { .. }) | SignInStage::Exchanged => {
            AuthorizeRefusal::Finished.into()
        }
        SignInStage::Done(SignInAnswer::Linked { full_name, has_app }) => AuthorizeStep::Linked {
            full_name: full_name.clone(),
            has_app: *has_app,
        },
        // The code opens the page once, so a form that is posted again later opens nothing.
        SignInStage::Done(SignInAnswer::OwnPage { code }) => AuthorizeStep::OwnPage { code: code.clone() },
        SignInStage::Denied => match request {
            Some(request) => AuthorizeStep::Redirect {
                url: request
                    .return_to
                    .error(&OAuthError::AccessDenied("the person did not allow it".into())),
            },
            None => AuthorizeRefusal::Cancelled.into(),
        },
        SignInStage::OutOfTries => AuthorizeRefusal::OutOfTries(progress.notice.clone()).into(),
        SignInStage::Expired => AuthorizeRefusal::NotYours.into(),
        SignInStage::Withdrawn => AuthorizeRefusal::Withdrawn.into(),
    }
}

/// The first page, new or after a failed attempt.
pub(super) fn sign_in_page(
    hidden: HiddenFields,
    request: Option<&AuthorizationRequest>,
    progress: &SignInProgress,
) -> SignInPage {
    SignInPage {
        hidden,
        set_browser: None,
        client: request.map(AuthorizationRequest::on_page),
        email: progress.email.clone(),
        access: progress.access,
        notice: progress.notice.clone(),
        tries_left: progress.tries_left,
    }
}
