//! Which return addresses are allowed. Checked at registration, at `/authorize`, and when the code is written.

use super::{RedirectProblem, RedirectUri};

/// Return addresses of Claude and ChatGPT: the host, and the start of the path. Another page on these hosts could pass
/// a code on, so the path is checked too. ChatGPT gives each connector a path of its own.
const SERVICES: [(&str, &str); 3] = [
    ("claude.ai", "/api/mcp/"),
    ("claude.com", "/api/mcp/"),
    ("chatgpt.com", "/connector/oauth/"),
];

/// Return addresses of well-known apps, each exactly as the app registers it. Another maker's app can claim
/// the same scheme on a person's device, but without the code verifier (PKCE) the code is useless to it.
pub(in crate::oauth) const APPS: [&str; 4] = [
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://insiders.vscode.dev/redirect",
    "https://vscode.dev/redirect",
];

/// The allowed return addresses: loopback, well-known services and apps, and the operator's additions.
#[derive(Clone, Debug, Default)]
pub(in crate::oauth) struct RedirectFence {
    /// Whole host names in lower case; any path is allowed on these.
    hosts: Vec<String>,
    /// Whole addresses of apps, exactly as registered.
    apps: Vec<String>,
}

impl RedirectFence {
    /// A fence with the operator's additions: host names, and whole addresses such as `app://host/callback`.
    pub(in crate::oauth) fn new(added: &[String]) -> Self {
        let added = added.iter().map(|one| one.trim());
        let (apps, hosts): (Vec<&str>, Vec<&str>) = added.partition(|one| one.contains("://"));
        Self {
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            apps: apps.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Reads `raw` and checks that codes may go there.
    pub(in crate::oauth) fn admit(&self, raw: &str) -> Result<RedirectUri, RedirectProblem> {
        let uri = RedirectUri::parse(raw)?;
        if uri.is_loopback() {
            return Ok(uri);
        }
        if APPS.contains(&uri.as_str()) || self.apps.iter().any(|app| app == uri.as_str()) {
            return Ok(uri);
        }
        if uri.is_app() {
            return Err(RedirectProblem::ForeignApp);
        }
        let host = uri.url.host_str().unwrap_or_default();
        let is_service = SERVICES.iter().any(|(name, path)| {
            host == *name && uri.url.path().starts_with(path) && uri.url.port().is_none()
        });
        if is_service || self.hosts.iter().any(|name| name == host) {
            Ok(uri)
        } else {
            Err(RedirectProblem::ForeignHost)
        }
    }
}
