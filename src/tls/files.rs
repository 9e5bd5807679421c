//! A certificate from PEM files, which another program renews.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::TlsError;
use super::certificate::{Certificate, CertificateChain, private_key};
use super::served::CertificateHealth;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;

/// How often the files are read. certbot replaces symbolic links, which file notifications miss.
const EVERY: Duration = Duration::from_secs(10);

/// The contents of both files.
#[derive(Clone, PartialEq, Eq)]
struct PemPair {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// Serves the certificate, and reads the files again from time to time. Errors: the files can't be used now.
pub(super) fn start(
    chain: PathBuf,
    key: PathBuf,
    health: CertificateHealth,
    clock: Clock,
    lifecycle: &Lifecycle,
) -> Result<(), TlsError> {
    let (mut last, certificate) = read(&chain, &key)?;
    health.served.replace(certificate);
    let mut told = Vec::new();
    health.log_faults(clock.now(), &mut told);
    let stopping = lifecycle.stopping();
    lifecycle.spawn("certificate files", async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            // A renewal may be half written, so a pair that does not match is tried again.
            match read(&chain, &key) {
                Ok((pair, certificate)) => {
                    health.served.refuse(None);
                    if pair != last {
                        tracing::info!(until = %certificate.not_after, "tls.certificate_changed");
                        health.served.replace(certificate);
                        last = pair;
                    }
                }
                Err(e) => {
                    let reason = e.to_string();
                    // The log gets it once, not at each reading.
                    if health.served.refuse(Some(reason.clone())) {
                        tracing::warn!(reason, "tls.certificate_refused");
                    }
                }
            }
            health.log_faults(clock.now(), &mut told);
        }
    });
    Ok(())
}

/// Reads and parses both files. Errors: what is wrong with either, each with its setting.
pub(super) fn load(chain: &Path, key: &Path) -> Result<Certificate, TlsError> {
    read(chain, key).map(|(_, certificate)| certificate)
}

fn read(chain: &Path, key: &Path) -> Result<(PemPair, Certificate), TlsError> {
    let text = |path: &Path| {
        std::fs::read(path).map_err(|e| format!("it can't be read ({e}); name a readable PEM file"))
    };
    let of_chain = |what: String| format!("TLS_CERT ({}): {what}", chain.display());
    let of_key = |what: String| format!("TLS_KEY ({}): {what}", key.display());
    let certificates = text(chain).and_then(|pem| Ok((CertificateChain::parse(&pem)?, pem)));
    let signing = text(key).and_then(|pem| Ok((private_key(&pem)?, pem)));
    let ((certificates, chain_pem), (signing, key_pem)) =
        match (certificates.map_err(of_chain), signing.map_err(of_key)) {
            (Ok(certificates), Ok(signing)) => (certificates, signing),
            (certificates, signing) => {
                let problems = [certificates.err(), signing.err()];
                return Err(TlsError::Files(problems.into_iter().flatten().collect()));
            }
        };
    let certificate = Certificate::pair(certificates, signing);
    let certificate = certificate.map_err(|what| TlsError::Files(vec![of_key(what)]))?;
    let pair = PemPair {
        chain: chain_pem,
        key: key_pem,
    };
    Ok((pair, certificate))
}
