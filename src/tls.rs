//! TLS for the public address, when no reverse proxy provides it.
//!
//! | file | |
//! |---|---|
//! | [`certificate`] | a certificate with its key, parsed from PEM |
//! | [`served`] | the certificate that new connections get, which may change at any time |
//! | [`files`] | certificates from files, read again when they change |
//! | [`acme`] | certificates from an ACME authority, renewed in time |
//!
//! # Invariants
//!
//! - A new certificate replaces the old one only if it can be used. Otherwise the old one stays and the log says why.
//! - Private keys and the ACME account are sealed in the store.
//!
//! # Absent on purpose
//!
//! HTTP-01 and DNS-01. TLS-ALPN-01 (RFC 8737) needs no second port and no access to the DNS zone.

mod acme;
mod certificate;
mod files;
mod served;

use std::sync::Arc;

use jiff::Timestamp;
use tokio_rustls::TlsAcceptor;

use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::TlsSettings;
use crate::store::{Kind, Store, StoreError};
use served::ServedCertificate;

pub use certificate::CertificateFault;
pub use served::{CertificateHealth, fix, renewal};

/// The kinds of record that are kept in the store.
pub const KINDS: &[Kind] = acme::KINDS;

/// Why TLS can't be used. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// What is wrong with the files, each with its setting.
    #[error("{}", .0.join("; and "))]
    Files(Vec<String>),
    #[error("{0}")]
    Unusable(String),
    #[error("the store can't be read")]
    Store(#[from] StoreError),
    #[error("TLS can't be set up")]
    Library(#[from] rustls::Error),
}

pub struct TlsParts {
    pub settings: TlsSettings,
    /// The host name that the certificate is for.
    pub host: String,
    pub store: Store,
    pub clock: Clock,
}

/// The handshakes of the public listener, and the state of their certificate.
pub struct ServedTls {
    pub acceptor: TlsAcceptor,
    pub health: CertificateHealth,
}

/// The certificate in the files that the settings name.
pub struct CertificateReport {
    pub until: Timestamp,
    /// Why clients refuse it.
    pub faults: Vec<CertificateFault>,
}

/// Looks at the certificate files, if the settings name some. Errors: what is wrong with either.
pub fn examine(
    settings: &TlsSettings,
    host: &str,
    now: Timestamp,
) -> Result<Option<CertificateReport>, TlsError> {
    let TlsSettings::Files { certificate, key } = settings else {
        return Ok(None);
    };
    let certificate = files::load(certificate, key)?;
    Ok(Some(CertificateReport {
        until: certificate.not_after,
        faults: certificate.faults(host, now),
    }))
}

/// Prepares the handshakes of the public listener, and keeps the certificate current from then on. Returns `None` if
/// TLS is off. A first certificate from an ACME authority is requested in the background: the authority connects to
/// the listener, which must be open by then.
pub fn start(parts: TlsParts, lifecycle: &Lifecycle) -> Result<Option<ServedTls>, TlsError> {
    let served = Arc::new(ServedCertificate::default());
    let health = CertificateHealth {
        served: Arc::clone(&served),
        settings: parts.settings.clone(),
        host: parts.host.clone(),
    };
    match parts.settings {
        TlsSettings::Off => return Ok(None),
        TlsSettings::Files { certificate, key } => {
            files::start(certificate, key, health.clone(), parts.clock, lifecycle)?;
        }
        TlsSettings::Acme(settings) => {
            let issuer = acme::Issuer {
                settings,
                host: parts.host,
                store: parts.store,
                clock: parts.clock,
                served: Arc::clone(&served),
            };
            issuer.start(lifecycle)?;
        }
    }
    Ok(Some(ServedTls {
        acceptor: TlsAcceptor::from(Arc::new(served::configuration(served)?)),
        health,
    }))
}

#[cfg(test)]
mod tests;
