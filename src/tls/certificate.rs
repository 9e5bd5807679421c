//! A certificate and its private key.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustls::client::verify_server_name;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use super::TlsError;

/// Certificates are usually renewed a month before they expire, so renewal has failed for one this close to its end.
/// A short-lived one is renewed later: in the last third of its period.
const NEAR_ITS_END: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A certificate that rustls can serve, with its period of validity.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

/// The certificates of a PEM file, the server's own first.
pub(super) struct CertificateChain {
    certificates: Vec<CertificateDer<'static>>,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// Why clients refuse a certificate, today or soon, although it can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    Expired(Timestamp),
    NearEnd(Timestamp),
    NotYetValid(Timestamp),
    /// It is not for this host, which is that of the public URL.
    OtherHost(String),
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |at: &Timestamp| at.strftime("%Y-%m-%d").to_string();
        match self {
            Self::Expired(at) => write!(f, "it expired on {}, so no client accepts it", day(at)),
            Self::NearEnd(at) => write!(f, "it expires on {}, and no newer one is there yet", day(at)),
            Self::NotYetValid(at) => write!(f, "it is not valid before {}", day(at)),
            Self::OtherHost(host) => write!(f, "it is not for {host}, the host of PUBLIC_URL"),
        }
    }
}

impl CertificateChain {
    /// Errors: what is wrong with the file.
    pub(super) fn parse(pem: &[u8]) -> Result<Self, String> {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|_| "it is not in PEM format")?;
        let own = certificates
            .first()
            .ok_or("it contains no certificate; name the PEM file of the certificate and its chain")?;
        let (_, parsed) = X509Certificate::from_der(own).map_err(|_| "its certificate can't be parsed")?;
        if parsed.version() != X509Version::V3 {
            return Err(
                "its certificate is of an old version of X.509, which clients refuse; make one of version 3, \
                 with the host as a subject alternative name"
                    .to_owned(),
            );
        }
        let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp());
        let validity = parsed.validity();
        let (Ok(not_before), Ok(not_after)) = (at(validity.not_before), at(validity.not_after)) else {
            return Err("its certificate's period of validity can't be read".to_owned());
        };
        Ok(Self {
            certificates,
            not_before,
            not_after,
        })
    }
}

/// Parses the first private key of a PEM file. Errors: what is wrong with the file.
pub(super) fn private_key(pem: &[u8]) -> Result<Arc<dyn SigningKey>, String> {
    let key = PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| "it contains no private key in PEM format, or one that is encrypted")?;
    any_supported_type(&key).map_err(|_| "its private key has an unsupported type".to_owned())
}

impl Certificate {
    /// Parses a chain, the server's own certificate first, and the private key that belongs to it.
    pub(super) fn parse(chain_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateChain::parse(chain_pem);
        let pair = chain.and_then(|chain| Self::pair(chain, private_key(key_pem)?));
        pair.map_err(TlsError::Unusable)
    }

    /// Errors: why the two can't be used together, said of the key.
    pub(super) fn pair(chain: CertificateChain, key: Arc<dyn SigningKey>) -> Result<Self, String> {
        let key = CertifiedKey::new(chain.certificates, key);
        key.keys_match().map_err(|e| match e {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                "the private key does not belong to the certificate".to_owned()
            }
            e => format!("the private key can't be compared with the certificate ({e})"),
        })?;
        Ok(Self {
            key: Arc::new(key),
            not_before: chain.not_before,
            not_after: chain.not_after,
        })
    }

    /// The time at which it should be renewed: when two thirds of its period are over.
    pub(super) fn renew_at(&self) -> Timestamp {
        self.not_after - self.last_third()
    }

    fn last_third(&self) -> SignedDuration {
        self.not_after.duration_since(self.not_before) / 3
    }

    /// Why clients refuse it as the certificate of `host`.
    pub(super) fn faults(&self, host: &str, now: Timestamp) -> Vec<CertificateFault> {
        let left = self.not_after.duration_since(now);
        let period = if left <= SignedDuration::ZERO {
            Some(CertificateFault::Expired(self.not_after))
        } else if now < self.not_before {
            Some(CertificateFault::NotYetValid(self.not_before))
        } else if left < NEAR_ITS_END.min(self.last_third()) {
            Some(CertificateFault::NearEnd(self.not_after))
        } else {
            None
        };
        let other = (!self.is_for(host)).then(|| CertificateFault::OtherHost(host.to_owned()));
        period.into_iter().chain(other).collect()
    }

    fn is_for(&self, host: &str) -> bool {
        // A URL has brackets around an IPv6 address, and a certificate has not.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let own = self.key.end_entity_cert().and_then(ParsedCertificate::try_from);
        match (own, ServerName::try_from(host)) {
            (Ok(own), Ok(name)) => verify_server_name(&own, &name).is_ok(),
            _ => false,
        }
    }
}
