//! The certificate that new connections get.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The protocol of an authority's check (RFC 8737).
const ACME: &[u8] = b"acme-tls/1";

/// The current certificate, and the one for a running check. Handshakes fail while there is none.
#[derive(Debug, Default)]
pub(super) struct ServedCertificate {
    current: RwLock<Option<Arc<CertifiedKey>>>,
    challenge: RwLock<Option<Arc<CertifiedKey>>>,
}

impl ServedCertificate {
    pub(super) fn replace(&self, key: Arc<CertifiedKey>) {
        *self.current.write() = Some(key);
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
        self.current.read().clone()
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
