//! Checks the certificate of the public address against the system's certificate authorities, for today and for two
//! weeks from now.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use rustls::CertificateError;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Finding, Patient};
use crate::base::causes::chain;
use crate::base::system_trust;
use crate::config::TlsSettings;

const CHECK: &str = "certificate";
/// Certificates are usually renewed a month before they expire, so renewal has failed for one this close to its
/// expiry.
const NEAR_ITS_END: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Checks the certificate on `stream`, a connection to the public address.
pub(super) async fn look(patient: &Patient, stream: TcpStream) -> Vec<Finding> {
    let host = patient.config.public_url.host().to_owned();
    let shown = timeout(patient.visit.patience, shaken(stream, &host)).await;
    let certificates = match shown {
        Ok(Ok(certificates)) => certificates,
        Ok(Err(e)) => return vec![not_taken(&host, &e, &patient.config.tls)],
        Err(_) => return vec![silent(&host, &patient.config.tls)],
    };
    let soon = patient.visit.clock.now() + NEAR_ITS_END;
    vec![match holds_at(&certificates, &host, soon.as_second()) {
        Ok(()) => Finding::ok(CHECK, format!("valid for {host}, for at least two weeks")),
        Err(_) => Finding::warn(
            CHECK,
            format!("valid for {host}, but it expires within two weeks"),
            renewal(&patient.config.tls),
        ),
    }]
}

/// Completes a TLS handshake. Returns the server's certificates, which the system's authorities accept today.
async fn shaken(stream: TcpStream, host: &str) -> Result<Vec<CertificateDer<'static>>, std::io::Error> {
    let invalid = |e: &dyn std::error::Error| std::io::Error::other(chain(e));
    let config = system_trust::client().map_err(|e| invalid(&e))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|e| invalid(&e))?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    let (_, session) = stream.get_ref();
    Ok(session.peer_certificates().unwrap_or_default().to_vec())
}

fn holds_at(certificates: &[CertificateDer<'_>], host: &str, second: i64) -> Result<(), rustls::Error> {
    let verifier = Verifier::new(Arc::new(rustls::crypto::ring::default_provider()))?;
    let (own, others) = certificates
        .split_first()
        .ok_or(rustls::Error::NoCertificatesPresented)?;
    let name = ServerName::try_from(host).map_err(|_| rustls::Error::General("no name".to_owned()))?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(second).unwrap_or_default()));
    verifier
        .verify_server_cert(own, others, &name, &[], at)
        .map(|_| ())
}

fn not_taken(host: &str, e: &std::io::Error, tls: &TlsSettings) -> Finding {
    let inner = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let (says, fix) = match inner {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => (
            "it has expired".to_owned(),
            "renew it, and find out why that did not happen automatically",
        ),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => (
            format!("it is not for {host}"),
            "get one for this name, or correct PUBLIC_URL; does the proxy have a site with this name?",
        ),
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => (
            "its issuer is not trusted by this system".to_owned(),
            "Claude does not accept self-signed certificates: get one from Let's Encrypt; if it is from there, the proxy \
             must send the whole chain (fullchain.pem)",
        ),
        _ => (chain(e), no_handshake(tls)),
    };
    Finding::fail(CHECK, says, fix)
}

/// How to find out why a certificate is not renewed.
fn renewal(tls: &TlsSettings) -> &'static str {
    match tls {
        TlsSettings::Off => {
            "check that it is still being renewed (certbot renew --dry-run, or the proxy's log)"
        }
        TlsSettings::Files { .. } => {
            "renew the file that TLS_CERT names; the gateway reads the new one automatically"
        }
        TlsSettings::Acme(_) => "tls.certificate_failed in the gateway's log says why it is not renewed",
    }
}

/// What to check when the handshake fails.
fn no_handshake(tls: &TlsSettings) -> &'static str {
    match tls {
        TlsSettings::Off => "does the proxy speak TLS on this port?",
        TlsSettings::Files { .. } => "does port 443 of the router lead to the gateway's PORT?",
        TlsSettings::Acme(_) => {
            "port 443 of the router must lead to the gateway's PORT; if it does, tls.certificate_failed in the gateway's \
             log says why there is no certificate yet"
        }
    }
}

fn silent(host: &str, tls: &TlsSettings) -> Finding {
    Finding::fail(
        CHECK,
        format!("{host} accepts connections but does not answer"),
        no_handshake(tls),
    )
}
