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
use crate::tls::{self, CertificateFault};

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
            tls::renewal(&patient.config.tls),
        ),
    }]
}

/// Checks the files that `TLS_CERT` and `TLS_KEY` name, even if the public address can't be reached.
pub(super) fn in_files(patient: &Patient) -> Vec<Finding> {
    let https = &patient.config.tls;
    let (host, now) = (patient.config.public_url.host(), patient.visit.clock.now());
    let report = match tls::examine(https, host, now) {
        Ok(Some(report)) => report,
        Ok(None) => return Vec::new(),
        Err(e) => {
            let fix =
                "correct the files that TLS_CERT and TLS_KEY name, or use sudo if only root may read them";
            return vec![Finding::fail(CHECK, chain(&e), fix)];
        }
    };
    if report.faults.is_empty() {
        let until = report.until.strftime("%Y-%m-%d");
        return vec![Finding::ok(
            CHECK,
            format!("the file of TLS_CERT is for {host}, until {until}"),
        )];
    }
    let told = |fault: &CertificateFault| {
        let (says, fix) = (format!("the file of TLS_CERT: {fault}"), tls::fix(fault, https));
        match fault {
            CertificateFault::NearEnd(_) => Finding::warn(CHECK, says, fix),
            _ => Finding::fail(CHECK, says, fix),
        }
    };
    report.faults.iter().map(told).collect()
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

fn not_taken(host: &str, e: &std::io::Error, https: &TlsSettings) -> Finding {
    let inner = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let (says, fix) = match inner {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => ("it has expired".to_owned(), tls::renewal(https)),
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
        _ => (chain(e), no_handshake(https)),
    };
    Finding::fail(CHECK, says, fix)
}

/// What to check when the handshake fails.
fn no_handshake(https: &TlsSettings) -> &'static str {
    match https {
        TlsSettings::Off => "does the proxy speak TLS on this port?",
        TlsSettings::Files { .. } => "does port 443 of the router lead to the gateway's PORT?",
        TlsSettings::Acme(_) => {
            "port 443 of the router must lead to the gateway's PORT; if it does, tls.certificate_failed in the gateway's \
             log says why there is no certificate yet"
        }
    }
}

fn silent(host: &str, https: &TlsSettings) -> Finding {
    Finding::fail(
        CHECK,
        format!("{host} accepts connections but does not answer"),
        no_handshake(https),
    )
}
