//! A certificate from PEM files, which another program renews.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::TlsError;
use super::certificate::Certificate;
use super::served::ServedCertificate;
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
    served: Arc<ServedCertificate>,
    lifecycle: &Lifecycle,
) -> Result<(), TlsError> {
    let mut last = read(&chain, &key)?;
    served.replace(Certificate::parse(&last.chain, &last.key)?.key);
    let stopping = lifecycle.stopping();
    lifecycle.spawn("certificate files", async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut refused = None;
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let pair = match read(&chain, &key) {
                Ok(pair) if pair == last => continue,
                Ok(pair) => pair,
                Err(e) => {
                    refuse(&e, &mut refused);
                    continue;
                }
            };
            // A renewal may be half written, so a pair that does not match is tried again.
            match Certificate::parse(&pair.chain, &pair.key) {
                Ok(certificate) => {
                    tracing::info!(until = %certificate.not_after, "tls.certificate_changed");
                    served.replace(certificate.key);
                    (last, refused) = (pair, None);
                }
                Err(e) => refuse(&e, &mut refused),
            }
        }
    });
    Ok(())
}

/// Logs a problem once, not at each reading.
fn refuse(e: &TlsError, logged: &mut Option<String>) {
    let reason = e.to_string();
    if logged.as_ref() != Some(&reason) {
        tracing::warn!(reason, "tls.certificate_refused");
        *logged = Some(reason);
    }
}

fn read(chain: &Path, key: &Path) -> Result<PemPair, TlsError> {
    let file = |setting: &'static str, path: &Path| {
        std::fs::read(path).map_err(|source| TlsError::Unreadable {
            setting,
            path: path.display().to_string(),
            source,
        })
    };
    Ok(PemPair {
        chain: file("TLS_CERT", chain)?,
        key: file("TLS_KEY", key)?,
    })
}
