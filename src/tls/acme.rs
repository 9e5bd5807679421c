//! Certificates from an ACME authority (RFC 8555), proven by TLS-ALPN-01 (RFC 8737).

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder,
    OrderStatus, RetryPolicy,
};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::TlsError;
use super::certificate::Certificate;
use super::served::ServedCertificate;
use crate::base::causes::chain;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::AcmeSettings;
use crate::store::{Kind, Record, Store, StoreError, Table};

pub(super) const KINDS: &[Kind] = &[Kind::of::<AcmeAccount>(), Kind::of::<IssuedCertificate>()];

/// The waits after failed attempts; the last one repeats. Let's Encrypt allows five failed checks per hour.
const RETRIES: [SignedDuration; 4] = [
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
];

/// The maximum time for one step at the authority. Its checks usually take seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// The maximum time for a whole certificate.
const ISSUE_TIMEOUT: Duration = Duration::from_secs(300);

/// The account at an authority. Key: the URL of the authority's directory.
#[derive(Serialize, Deserialize)]
struct AcmeAccount {
    credentials: AccountCredentials,
}

impl Record for AcmeAccount {
    const TABLE: Table = Table("acme_account");
}

/// The certificate in use. Key: the host name.
#[derive(Clone, Serialize, Deserialize)]
struct IssuedCertificate {
    /// The directory of the authority that issued it.
    directory: String,
    chain_pem: String,
    key_pem: String,
}

impl Record for IssuedCertificate {
    const TABLE: Table = Table("tls_certificate");
}

#[derive(Debug, thiserror::Error)]
enum IssueError {
    #[error(transparent)]
    Acme(#[from] instant_acme::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Certificate(#[from] TlsError),
    #[error("the answer to the check can't be made")]
    Challenge(#[from] rcgen::Error),
    #[error("the authority does not answer")]
    Silent,
    #[error("the authority does not offer TLS-ALPN-01")]
    NotOffered,
    #[error("the authority could not verify the host: {0}")]
    Unverified(String),
}

/// Requests certificates and renews them.
pub(super) struct Issuer {
    pub(super) settings: AcmeSettings,
    pub(super) host: String,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) served: Arc<ServedCertificate>,
}

impl Issuer {
    /// Serves the stored certificate, if there is one, and starts the renewals.
    pub(super) fn start(self, lifecycle: &Lifecycle) -> Result<(), TlsError> {
        let stored = self.store.find::<IssuedCertificate>(self.host.as_bytes())?;
        let stored = stored.filter(|stored| stored.directory == self.settings.directory.as_str());
        let mut renew_at = self.clock.now();
        if let Some(stored) = stored {
            let certificate = Certificate::parse(stored.chain_pem.as_bytes(), stored.key_pem.as_bytes())?;
            renew_at = certificate.renew_at();
            self.served.replace(certificate);
        }
        let stopping = lifecycle.stopping();
        lifecycle.spawn("certificate", async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = self.keep_current(renew_at) => {}
            }
        });
        Ok(())
    }

    async fn keep_current(&self, mut renew_at: Timestamp) {
        let mut failures = 0;
        loop {
            self.clock.sleep_until(renew_at).await;
            match timeout(ISSUE_TIMEOUT, self.issue())
                .await
                .unwrap_or(Err(IssueError::Silent))
            {
                Ok(certificate) => {
                    tracing::info!(until = %certificate.not_after, "tls.certificate_issued");
                    failures = 0;
                    renew_at = certificate.renew_at();
                    self.served.replace(certificate);
                    self.served.refuse(None);
                }
                Err(e) => {
                    let wait = RETRIES
                        .get(failures)
                        .or(RETRIES.last())
                        .copied()
                        .unwrap_or_default();
                    failures += 1;
                    renew_at = self.clock.now() + wait;
                    self.served.refuse(Some(chain(&e)));
                    tracing::warn!(reason = chain(&e), next_try = %renew_at, "tls.certificate_failed");
                }
            }
        }
    }

    /// Gets a new certificate and stores it.
    async fn issue(&self) -> Result<Certificate, IssueError> {
        let account = self.account().await?;
        let names = [Identifier::Dns(self.host.clone())];
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let retries = RetryPolicy::new().timeout(PATIENCE);
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization
                .challenge(ChallengeType::TlsAlpn01)
                .ok_or(IssueError::NotOffered)?;
            let answer = challenge_certificate(&self.host, challenge.key_authorization().digest().as_ref())?;
            self.served.answer_challenge(Some(answer));
            challenge.set_ready().await?;
        }
        let verified = order.poll_ready(&retries).await;
        self.served.answer_challenge(None);
        if verified? != OrderStatus::Ready {
            return Err(IssueError::Unverified(self.reason(&mut order).await));
        }
        let key_pem = order.finalize().await?;
        let chain_pem = order.poll_certificate(&retries).await?;
        let certificate = Certificate::parse(chain_pem.as_bytes(), key_pem.as_bytes())?;
        let issued = IssuedCertificate {
            directory: self.settings.directory.to_string(),
            chain_pem,
            key_pem,
        };
        self.store.put(self.host.as_bytes(), issued).await?;
        Ok(certificate)
    }

    /// The authority's own words about a failed check.
    async fn reason(&self, order: &mut instant_acme::Order) -> String {
        let mut authorizations = order.authorizations();
        while let Some(Ok(authorization)) = authorizations.next().await {
            let errors = authorization
                .challenges
                .iter()
                .filter_map(|challenge| challenge.error.as_ref());
            if let Some(detail) = { errors }.find_map(|error| error.detail.clone()) {
                return detail;
            }
        }
        format!("does port 443 of {} lead to this gateway?", self.host)
    }

    /// The account at the authority, which is created on first use.
    async fn account(&self) -> Result<Account, IssueError> {
        let builder = match &self.settings.root {
            Some(root) => Account::builder_with_root(root)?,
            None => Account::builder()?,
        };
        let directory = self.settings.directory.as_str();
        if let Some(stored) = self.store.find::<AcmeAccount>(directory.as_bytes())? {
            return Ok(builder.from_credentials(stored.credentials).await?);
        }
        let new = NewAccount {
            contact: &[],
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = builder.create(&new, directory.to_owned(), None).await?;
        self.store
            .put(directory.as_bytes(), AcmeAccount { credentials })
            .await?;
        Ok(account)
    }
}

/// The self-signed certificate that answers a check: it contains the digest of the key authorization.
pub(super) fn challenge_certificate(host: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new([host.to_owned()])?;
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = parameters.self_signed(&key)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = any_supported_type(&key).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}
