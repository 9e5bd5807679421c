//! Checks, without a sign-in, whether Garmin's hosts answer and whether the local clock agrees with theirs.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::DATE;
use url::Url;

use super::{Finding, Patient, clock};
use crate::base::causes::root;
use crate::garmin;

pub(super) async fn hosts(patient: &Patient) -> Vec<Finding> {
    let hosts = &patient.config.garmin;
    let http = match garmin::client(hosts) {
        Ok(http) => http,
        Err(e) => {
            return vec![Finding::fail(
                "garmin",
                root(&e),
                "install the system's CA certificates (package ca-certificates)",
            )];
        }
    };
    let mut findings = Vec::new();
    let mut told = None;
    let mut asked: Vec<&Url> = Vec::new();
    for host in [&hosts.sso, &hosts.diauth, &hosts.connectapi, &hosts.livetrack] {
        // The simulator has one URL for all hosts.
        if asked.contains(&host) {
            continue;
        }
        asked.push(host);
        let before = patient.visit.clock.now();
        let (finding, time) = ask(&http, host, patient.visit.patience).await;
        findings.push(finding);
        told = told.or(time.map(|time| (before, time)));
    }
    if let Some((ours, theirs)) = told {
        findings.push(clock(ours, theirs, "Garmin"));
    }
    findings
}

/// Requests the host's URL. Any response counts as reachable.
async fn ask(http: &reqwest::Client, host: &Url, patience: Duration) -> (Finding, Option<Timestamp>) {
    let name = host.host_str().unwrap_or_default();
    match http.head(host.clone()).timeout(patience).send().await {
        Ok(answer) => {
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            let time = date.and_then(|date| rfc2822::parse(date).ok());
            let time = time.map(|time| time.timestamp());
            (Finding::ok("garmin", format!("{name} answers")), time)
        }
        Err(e) => {
            let fix = if e.is_timeout() {
                "it took too long: check this machine's internet connection and firewall"
            } else {
                "check this machine's DNS, firewall and proxy settings, and its CA certificates"
            };
            let says = format!("{name} can't be reached ({})", root(&e.without_url()));
            (Finding::fail("garmin", says, fix), None)
        }
    }
}
