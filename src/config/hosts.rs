//! Garmin's hosts.

use std::fmt;

use url::Url;

use super::reader::Reader;
use crate::base::http::is_loopback;

/// Which of Garmin's two worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GarminDomain {
    /// garmin.com
    #[default]
    Com,
    /// garmin.cn
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

/// Base URLs of Garmin's hosts, without a trailing slash in use: join with [`Url::join`] or push segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GarminHosts {
    /// The domain that service URLs name, whatever host they are fetched from.
    pub domain: GarminDomain,
    /// Sign-in.
    pub sso: Url,
    /// Tokens.
    pub diauth: Url,
    /// API.
    pub connectapi: Url,
    /// LiveTrack.
    pub livetrack: Url,
}

impl GarminHosts {
    /// All hosts played by one server, as the simulator does.
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

    /// Whether these are not Garmin's own hosts: what they answer is then marked as simulated.
    pub fn is_simulated(&self) -> bool {
        [&self.sso, &self.diauth, &self.connectapi]
            .iter()
            .any(|url| is_loopback(url))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let domain = reader.parse(
            "GARMIN_DOMAIN",
            GarminDomain::Com,
            "write garmin.com or garmin.cn",
            |text| match text {
                "garmin.com" => Ok(GarminDomain::Com),
                "garmin.cn" => Ok(GarminDomain::Cn),
                other => Err(format!("{other} is not one of Garmin's domains")),
            },
        );
        let mut host = |name: &'static str, word: &str| {
            let fix = "write https://host; plain http is for loopback only";
            let url = reader.parse(name, usual(word, domain), fix, base_url);
            reader.show(name, &url);
            url
        };
        let sso = host("GARMIN_SSO_URL", "sso");
        let diauth = host("GARMIN_DIAUTH_URL", "diauth");
        let connectapi = host("GARMIN_CONNECTAPI_URL", "connectapi");
        let livetrack = host("GARMIN_LIVETRACK_URL", "livetrack");
        reader.show("GARMIN_DOMAIN", domain);
        Self {
            domain,
            sso,
            diauth,
            connectapi,
            livetrack,
        }
    }
}

#[expect(clippy::expect_used, reason = "made of constants")]
fn usual(word: &str, domain: GarminDomain) -> Url {
    Url::parse(&format!("https://{word}.{domain}")).expect("a host name parses")
}

/// https anywhere, http on loopback only; no query, no fragment, no user.
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
