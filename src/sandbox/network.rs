//! The ports that a program may connect to, derived from its environment: HTTPS, name servers and proxies.

use std::collections::BTreeSet;

use url::Url;

/// Environment variables that name a proxy.
const PROXIES: &[&str] = &["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

/// Environment variables that name files or directories of certificates.
pub(crate) const CERTIFICATES: &[&str] = &[
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
];

/// The TCP ports that a program with this environment needs to reach these services, in ascending order.
pub(crate) fn ports(environment: &[(String, String)], services: impl IntoIterator<Item = Url>) -> Vec<u16> {
    let proxies = environment
        .iter()
        .filter(|(name, _)| PROXIES.contains(&name.as_str()))
        // Without a scheme, `proxy:3128` would parse as a URL with the scheme `proxy`.
        .filter_map(|(_, text)| {
            let scheme = if text.contains("://") { "" } else { "http://" };
            Url::parse(&format!("{scheme}{text}")).ok()
        });
    let known = proxies.chain(services);
    let ports: BTreeSet<u16> = [443, 53]
        .into_iter()
        .chain(known.filter_map(|url| url.port_or_known_default()))
        .collect();
    ports.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_and_the_services_are_reached() {
        let environment = [
            ("HTTPS_PROXY".to_owned(), "proxy.example:3128".to_owned()),
            ("https_proxy".to_owned(), "http://[::1]:3129".to_owned()),
            ("OTHER_PROXY".to_owned(), "http://x:1".to_owned()),
        ];
        let service = Url::parse("http://127.0.0.1:7777/x").unwrap();
        assert_eq!(ports(&environment, [service]), [53, 443, 3128, 3129, 7777]);
    }
}
