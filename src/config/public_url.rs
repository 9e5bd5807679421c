//! The public address of the gateway, which is also the issuer of its tokens.

use url::Url;

use crate::base::loopback::is_loopback;

/// The public address: scheme, host and port, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    url: Url,
}

impl PublicUrl {
    /// Reads `https://host[:port]`, or http on loopback. Errors: what is wrong, for a setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("it has a path; the gateway answers at the root of its host".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user name".into());
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                return Err("Claude connects over https only, and a password would cross the network".into());
            }
            other => return Err(format!("{other} is not a scheme for this")),
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            url,
        })
    }

    #[expect(clippy::expect_used, reason = "a constant with a number parses")]
    pub fn local(port: u16) -> Self {
        Self::parse(&format!("http://localhost:{port}")).expect("localhost with a port parses")
    }

    /// `https://host`, without a slash: the issuer.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `https://host/mcp`: the connector URL, and the resource for which tokens are issued.
    pub fn mcp(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port that was given, or the default of the scheme.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// The value of a `Host` header: the host, and the port unless it is the default of the scheme.
    pub fn authority(&self) -> &str {
        self.origin
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether only this machine can reach the address.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}
