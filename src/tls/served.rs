//! The certificate that new connections get.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, CertificateFault};
use crate::config::TlsSettings;

/// The protocol of an authority's check (RFC 8737).
const ACME: &[u8] = b"acme-tls/1";

/// The current certificate, and the one for a running check. Handshakes fail while there is none.
#[derive(Debug, Default)]
pub(super) struct ServedCertificate {
    current: RwLock<Option<Certificate>>,
    challenge: RwLock<Option<Arc<CertifiedKey>>>,
    /// Why there is no newer certificate, since the last attempt to get one failed.
    refused: RwLock<Option<String>>,
}

/// What the operator should know about the certificate that is served.
#[derive(Clone)]
pub struct CertificateHealth {
    pub(super) served: Arc<ServedCertificate>,
    pub(super) settings: TlsSettings,
    pub(super) host: String,
}

impl CertificateHealth {
    fn faults(&self, now: Timestamp) -> Vec<CertificateFault> {
        let current = self.served.current.read();
        current
            .as_ref()
            .map_or_else(Vec::new, |certificate| certificate.faults(&self.host, now))
    }

    /// A sentence for each problem, with its fix. They contain no elapsed time, so that a problem stays the same one.
    pub fn sentences(&self, now: Timestamp) -> Vec<String> {
        let faults = self.faults(now).into_iter();
        let refused = self.served.refused.read().clone();
        faults
            .map(|fault| format!("{fault}; {}", fix(&fault, &self.settings)))
            .chain(refused.map(|reason| format!("a new one can't be used: {reason}")))
            .collect()
    }

    /// Logs the faults that are not in `told`, and remembers them there.
    pub(super) fn log_faults(&self, now: Timestamp, told: &mut Vec<CertificateFault>) {
        let faults = self.faults(now);
        for fault in faults.iter().filter(|fault| !told.contains(fault)) {
            tracing::warn!(reason = %fault, fix = fix(fault, &self.settings), "tls.certificate_faulty");
        }
        *told = faults;
    }
}

/// What to do about a fault of the certificate that these settings provide.
pub fn fix(fault: &CertificateFault, settings: &TlsSettings) -> &'static str {
    match fault {
        CertificateFault::Expired(_) | CertificateFault::NearEnd(_) => renewal(settings),
        CertificateFault::NotYetValid(_) => "check the clock of this machine, or wait until then",
        CertificateFault::OtherHost(_) => "get one for this name, or correct PUBLIC_URL",
    }
}

/// How to find out why a certificate is not renewed.
pub fn renewal(settings: &TlsSettings) -> &'static str {
    match settings {
        TlsSettings::Off => {
            "check that it is still being renewed (certbot renew --dry-run, or the proxy's log)"
        }
        TlsSettings::Files { .. } => {
            "renew the file that TLS_CERT names; the gateway reads the new one automatically"
        }
        TlsSettings::Acme(_) => "tls.certificate_failed in the gateway's log says why it is not renewed",
    }
}

impl ServedCertificate {
    pub(super) fn replace(&self, certificate: Certificate) {
        *self.current.write() = Some(certificate);
    }

    /// Records why there is no newer certificate; `None`: nothing is wrong. Returns whether this is news.
    pub(super) fn refuse(&self, reason: Option<String>) -> bool {
        let mut refused = self.refused.write();
        let is_new = *refused != reason;
        *refused = reason;
        is_new
    }

    /// Sets the certificate that answers an authority's check; `None` when the check is over.
    pub(super) fn answer_challenge(&self, key: Option<Arc<CertifiedKey>>) {
        *self.challenge.write() = key;
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut protocols = hello.alpn().into_iter().flatten();
        if protocols.any(|protocol| protocol == ACME) {
            return self.challenge.read().clone();
        }
        self.current
            .read()
            .as_ref()
            .map(|certificate| Arc::clone(&certificate.key))
    }
}

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
pub(super) fn configuration(served: Arc<ServedCertificate>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut configuration = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(served);
    configuration.alpn_protocols = [b"h2".as_slice(), b"http/1.1", ACME].map(<[u8]>::to_vec).to_vec();
    Ok(configuration)
}
