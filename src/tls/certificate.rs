//! A certificate and its private key.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::TlsError;

/// A certificate that rustls can serve, with its period of validity.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

impl Certificate {
    /// Parses a chain, the server's own certificate first, and the private key that belongs to it.
    pub(super) fn parse(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        let unusable = |what: &str| TlsError::Unusable(what.to_owned());
        let chain = CertificateDer::pem_slice_iter(chain_pem).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| unusable("the certificate is not in PEM format"))?;
        let own = chain
            .first()
            .ok_or_else(|| unusable("the file contains no certificate"))?;
        let (_, parsed) =
            X509Certificate::from_der(own).map_err(|_| unusable("the certificate can't be parsed"))?;
        let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp());
        let validity = parsed.validity();
        let (Ok(not_before), Ok(not_after)) = (at(validity.not_before), at(validity.not_after)) else {
            return Err(unusable("the certificate's period of validity can't be read"));
        };
        let key = PrivateKeyDer::from_pem_slice(key_pem)
            .map_err(|_| unusable("the private key is not in PEM format, or is encrypted"))?;
        let key =
            any_supported_type(&key).map_err(|_| unusable("the private key has an unsupported type"))?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match()
            .map_err(|_| unusable("the private key does not belong to the certificate"))?;
        Ok(Self {
            key: Arc::new(key),
            not_before,
            not_after,
        })
    }

    /// The time at which it should be renewed: when two thirds of its period are over.
    pub(super) fn renew_at(&self) -> Timestamp {
        self.not_after - (self.not_after.duration_since(self.not_before) / 3)
    }
}
