//! Garmin's two domains and its hosts.

use std::fmt;

use url::Url;

use super::reader::SettingsReader;
use super::settings;
use crate::base::loopback::is_loopback;

/// Garmin runs two separate services: one for China and one for the rest of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GarminDomain {
    #[default]
    Com,
    Cn,
}

impl fmt::Display for GarminDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Com => "garmin.com",
            Self::Cn => "garmin.cn",
        })
    }
}

/// Base URLs of Garmin's hosts. They may or may not end in a slash: use [`Url::join`] or push segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GarminHosts {
    /// The domain that appears in service URLs, even if another host serves them.
    pub domain: GarminDomain,
    pub sso: Url,
    /// The host that issues the tokens.
    pub diauth: Url,
    pub connectapi: Url,
    pub livetrack: Url,
}

impl GarminHosts {
    /// Uses one server for all hosts, as the simulator does.
    pub fn at(base: &Url) -> Self {
        let [sso, diauth, connectapi, livetrack] = std::array::from_fn(|_| base.clone());
        Self {
            domain: GarminDomain::Com,
            sso,
            diauth,
            connectapi,
            livetrack,
        }
    }

    /// Whether these are not Garmin's own hosts. Their data is then marked as simulated.
    pub fn is_simulated(&self) -> bool {
        [&self.sso, &self.diauth, &self.connectapi]
            .iter()
            .any(|url| is_loopback(url))
    }

    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        let domain = reader.get(&settings::GARMIN_DOMAIN, |text| match text {
            "garmin.com" => Ok(GarminDomain::Com),
            "garmin.cn" => Ok(GarminDomain::Cn),
            other => Err(format!("{other} is not one of Garmin's domains")),
        });
        // The defaults of the hosts contain the domain, which must be valid.
        reader.show(&settings::GARMIN_DOMAIN, &domain);
        Self {
            domain,
            sso: reader.get(&settings::GARMIN_SSO_URL, base_url),
            diauth: reader.get(&settings::GARMIN_DIAUTH_URL, base_url),
            connectapi: reader.get(&settings::GARMIN_CONNECTAPI_URL, base_url),
            livetrack: reader.get(&settings::GARMIN_LIVETRACK_URL, base_url),
        }
    }
}

/// A base URL: https, or http on loopback; no query, no fragment, no user. Errors: what is wrong, for a setting.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("it has more than a host and a path".into());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("plain http would send passwords over the network".into()),
        other => Err(format!("{other} is not a scheme for this")),
    }
}

/// Parses the URL of a server run by the operator. Plain http is allowed, because the server may be in a private
/// network.
pub(super) fn any_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(format!("{other} is not a scheme for this")),
    }
}
