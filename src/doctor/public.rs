//! Checks the public address as Claude sees it: name, port, certificate, then Claude's requests.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::requests::PublicClient;
use super::{Finding, Patient, Verdict, certificate};
use crate::base::causes::root;
use crate::config::PublicUrl;
use crate::oauth;

/// The only port to which Claude's servers connect.
const HTTPS: u16 = 443;

pub(super) async fn address(patient: &mut Patient) -> Vec<Finding> {
    let url = patient.config.public_url.clone();
    let mut findings = Vec::new();
    if url.is_loopback() {
        findings.push(Finding::warn(
            "address",
            format!("{} is reachable from this machine only", url.mcp()),
            "Claude on the web and on phones needs PUBLIC_URL=https://your.host, with TLS=acme, a reverse proxy or a tunnel: see the README",
        ));
    } else {
        findings.push(port(url.port()));
        let (named, reachable) = name(&url).await;
        findings.extend(named);
        if !reachable {
            return findings;
        }
    }
    if url.is_https() {
        let stream = match connect(&url, patient.visit.patience).await {
            Ok(stream) => stream,
            Err(finding) => {
                findings.push(finding);
                return findings;
            }
        };
        let seen = certificate::look(patient, stream).await;
        let is_good = seen.iter().all(|finding| finding.verdict < Verdict::Fail);
        findings.extend(seen);
        if !is_good {
            return findings;
        }
    }
    let client = match PublicClient::new(&url, patient.visit.patience) {
        Ok(client) => client,
        Err(e) => {
            findings.push(Finding::fail(
                "address",
                root(&e),
                "install the package ca-certificates",
            ));
            return findings;
        }
    };
    let challenged = client.challenge().await;
    let goes_on = challenged.verdict < Verdict::Fail;
    findings.push(challenged);
    if goes_on {
        findings.extend(client.documents().await);
        findings.push(client.authorization().await);
        findings.push(client.registration().await);
        findings.extend(client.call(patient).await);
    }
    findings
}

fn port(port: u16) -> Finding {
    if port == HTTPS {
        Finding::ok("port", "443")
    } else {
        Finding::warn(
            "port",
            format!("PUBLIC_URL has port {port}"),
            "Claude on the web and on phones connects only to port 443: let the proxy or the router accept connections there",
        )
    }
}

/// Resolves the name. Returns whether the next checks make sense.
async fn name(url: &PublicUrl) -> (Vec<Finding>, bool) {
    match lookup_host((url.host(), url.port())).await {
        Ok(addresses) => {
            let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
            (vec![judged(url.host(), &addresses)], true)
        }
        Err(e) => (
            vec![Finding::fail(
                "dns",
                format!("{} can't be resolved ({e})", url.host()),
                "create a DNS record for it that points to your home, or correct PUBLIC_URL",
            )],
            false,
        ),
    }
}

/// Judges the addresses of a name. In a private network, a private address may be intended.
pub(super) fn judged(host: &str, addresses: &[IpAddr]) -> Finding {
    const CHECK: &str = "dns";
    let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let shown = format!("{host} resolves to {}", shown.join(", "));
    if !addresses.iter().any(|ip| oauth::is_global(*ip)) {
        return Finding::warn(
            CHECK,
            format!("{shown}: an address in your own network"),
            "this is fine if only your own name server says so; Claude must get a public address",
        );
    }
    if !addresses.iter().any(IpAddr::is_ipv4) {
        return Finding::fail(
            CHECK,
            format!("{shown}: no IPv4 address"),
            "Claude connects over IPv4: add an A record, or use a tunnel if your provider gives you no IPv4",
        );
    }
    Finding::ok(CHECK, shown)
}

/// The host without the brackets that an IPv6 address has in a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

async fn connect(url: &PublicUrl, patience: Duration) -> Result<TcpStream, Finding> {
    let shown = format!("{} port {}", url.host(), url.port());
    let failed = |why: String| {
        let fix = if url.is_loopback() {
            "start the gateway; with TLS, its PORT must be that of PUBLIC_URL"
        } else {
            "does the router forward the port, and is the proxy (or, with TLS, the gateway) running? Some routers can't connect to \
             their own public address: in that case, try from a phone without Wi-Fi"
        };
        Finding::fail("connection", format!("{shown} {why}"), fix)
    };
    match timeout(patience, TcpStream::connect((bare(url.host()), url.port()))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) => Err(failed(format!("refuses the connection ({e})"))),
        Err(_) => Err(failed("does not answer".to_owned())),
    }
}
