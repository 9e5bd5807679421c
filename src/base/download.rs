//! Downloads of published files, within limits. If the address is https, redirects to http are refused.
//!
//! A request names neither this program nor its version.

use std::time::Duration;

use url::Url;

use crate::base::loopback::is_loopback;
use crate::base::ssh_signature::{SignatureError, SignerKey};

/// The namespace of release signatures; see `packaging/release.sh`.
const NAMESPACE: &str = "garmin-gateway";
const CONNECT: Duration = Duration::from_secs(20);
/// The longest pause in a download.
const PAUSE: Duration = Duration::from_secs(30);

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    #[error("the network is not working")]
    NoNetwork,
    #[error("the server does not answer")]
    Away,
    #[error("the server answers {0}")]
    Status(u16),
    #[error("the download broke off")]
    BrokenOff,
    #[error("it is too large")]
    TooLarge,
    #[error("its signature is not accepted: {0}")]
    Signature(SignatureError),
}

/// The maximum size of a file, and the maximum time for its download.
#[derive(Clone, Copy, Debug)]
pub struct DownloadLimits {
    pub bytes: usize,
    pub time: Duration,
}

/// Fetches the files of one server.
#[derive(Debug)]
pub struct Downloader(reqwest::Client);

impl Downloader {
    /// A downloader for the file at `url` and for others on its server.
    pub fn new(url: &Url) -> Result<Self, DownloadError> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(PAUSE)
            .referer(false)
            // Refuses redirects from https to http.
            .https_only(url.scheme() == "https");
        if is_loopback(url) {
            client = client.no_proxy();
        }
        Ok(Self(client.build().map_err(|_| DownloadError::NoNetwork)?))
    }

    pub async fn fetch(&self, url: Url, limits: DownloadLimits) -> Result<Vec<u8>, DownloadError> {
        let asked = self.0.get(url).timeout(limits.time).send().await;
        let mut response = asked.map_err(|_| DownloadError::Away)?;
        if !response.status().is_success() {
            return Err(DownloadError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| DownloadError::BrokenOff)? {
            if body.len() + chunk.len() > limits.bytes {
                return Err(DownloadError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Fetches a file that `key` has signed. The signature must be at the same URL with `.sig` appended.
    pub async fn fetch_signed(
        &self,
        url: Url,
        key: &SignerKey,
        limits: DownloadLimits,
    ) -> Result<Vec<u8>, DownloadError> {
        let mut beside = url.clone();
        beside.set_path(&format!("{}.sig", url.path()));
        let file = self.fetch(url, limits).await?;
        let signature = self.fetch(beside, limits).await?;
        let signature = std::str::from_utf8(&signature).unwrap_or_default();
        let verified = key.verify(&file, NAMESPACE, signature);
        verified.map_err(DownloadError::Signature)?;
        Ok(file)
    }
}
