//! The cost of serving https from the gateway itself, compared with nginx in front of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use crate::figures::{Row, ms};
use crate::house::{Garmin, House, Nginx, fast_worker, free_port};
use crate::load::{Target, Times, saturated, sequence};
use crate::processes::{resident_mb, workers_of};
use crate::wire::{Connection, mcp_request, with_port};
use crate::{person, upstream};

/// A certificate for `localhost`, and the clients that trust it.
pub(crate) struct Certificate {
    directory: TempDir,
    pem: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Result<Self> {
        let directory = TempDir::new()?;
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let made = Self {
            directory,
            pem: own.cert.pem(),
            der: own.cert.der().clone(),
        };
        std::fs::write(made.chain(), &made.pem)?;
        std::fs::write(made.key(), own.signing_key.serialize_pem())?;
        Ok(made)
    }

    fn chain(&self) -> PathBuf {
        self.directory.path().join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    /// A gateway's settings for this certificate.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BIND_ADDRESS", "127.0.0.1".to_owned()),
            ("TLS_CERT", self.chain().display().to_string()),
            ("TLS_KEY", self.key().display().to_string()),
        ]
    }

    /// The same for a `server` block of nginx.
    pub(crate) fn settings_of_nginx(&self) -> String {
        let (chain, key) = (self.chain(), self.key());
        format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            chain.display(),
            key.display()
        )
    }

    /// A browser that trusts only this certificate.
    pub(crate) fn browser(&self) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder().no_proxy();
        match reqwest::Certificate::from_pem(self.pem.as_bytes()) {
            Ok(certificate) => builder.tls_certs_only([certificate]),
            // Without the certificate no request succeeds, and the error says why.
            Err(_) => builder,
        }
    }

    /// Connects without resuming an earlier session, so that each handshake is a full one.
    fn connector(&self) -> Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone())?;
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// Measures handshakes, calls per second, and memory.
pub(crate) async fn all(smoke: bool) -> Result<Vec<Row>> {
    let (handshakes, lasting, rounds, accounts) = if smoke {
        (20, Duration::from_millis(300), 1, 3)
    } else {
        (500, Duration::from_secs(4), 3, 50)
    };
    let garmin = Garmin::start(accounts).await?;
    let certificate = Certificate::new()?;
    let mut rows = beside_nginx(&garmin, &certificate, handshakes, lasting, rounds).await?;
    rows.push(memory(&garmin, &certificate, accounts).await?);
    Ok(rows)
}

async fn beside_nginx(
    garmin: &Garmin,
    certificate: &Certificate,
    handshakes: usize,
    lasting: Duration,
    rounds: usize,
) -> Result<Vec<Row>> {
    let worker = free_port()?;
    let own = House::start_over_https(garmin, certificate, &fast_worker(worker)?).await?;
    let own_token = person::connect_with(certificate.browser(), &own.url, garmin.person(0)?).await?;
    let tls = certificate.connector()?;
    let params = json!({"name": upstream::TOOL, "arguments": {}});
    let call = |port, token: &str| {
        Ok::<_, anyhow::Error>(Target {
            port,
            request: with_port(mcp_request(token, "tools/call", &params), port)?,
            contains: b"daily_step_goal",
            tls: Some(tls.clone()),
        })
    };
    let ours = call(own.port, &own_token)?;
    sequence(&ours, 200).await?;

    // nginx in front of a second gateway, which is what an operator would run instead.
    let behind = House::start(garmin, &fast_worker(free_port()?)?).await?;
    let token = person::connect(&behind.url, garmin.person(0)?).await?;
    let proxy = Nginx::start_over_https(behind.port, certificate).await?;
    let hop = Nginx::start_over_https(worker, certificate).await?;
    let to = |nginx: &Option<Nginx>| nginx.as_ref().map(|nginx| call(nginx.port, &token)).transpose();
    let (before_gateway, before_worker) = (to(&proxy)?, to(&hop)?);
    for target in before_gateway.iter().chain(&before_worker) {
        sequence(target, 200).await?;
    }

    let shaken = handshake(own.port, &tls, handshakes).await?;
    let shaken_by_nginx = match &before_worker {
        Some(nginx) => ms(handshake(nginx.port, &tls, handshakes).await?.quantile(0.5)),
        None => NOT_INSTALLED.to_owned(),
    };
    let (mut here, mut there, mut straight) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..rounds {
        here = here.max(saturated(&ours, 16, lasting).await?);
        if let (Some(gateway), Some(worker)) = (&before_gateway, &before_worker) {
            there = there.max(saturated(gateway, 16, lasting).await?);
            straight = straight.max(saturated(worker, 16, lasting).await?);
        }
    }
    let is_compared = before_gateway.is_some();
    let told = |text: String| {
        if is_compared {
            text
        } else {
            NOT_INSTALLED.to_owned()
        }
    };
    Ok(vec![
        Row {
            nginx: shaken_by_nginx,
            ..Row::alone(
                "TLS handshake of a new connection, p50",
                ms(shaken.quantile(0.5)),
                "5 ms at most",
            )
        },
        Row {
            direct: told(format!("{straight:.0} by nginx alone ({:.2})", here / straight)),
            nginx: told(format!(
                "{there:.0} in front of the gateway ({:.2})",
                here / there
            )),
            ..Row::alone(
                "calls/s over TLS, 16 connections",
                format!("{here:.0}"),
                "0.8 of nginx at least",
            )
        },
    ])
}

const NOT_INSTALLED: &str = "not installed";

/// The times of full TLS handshakes, including the TCP connection.
async fn handshake(port: u16, tls: &TlsConnector, count: usize) -> Result<Times> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        let connection = Connection::open_tls(port, tls).await?;
        times.push(began.elapsed());
        drop(connection);
    }
    Times::new(times)
}

/// Memory of a gateway that serves https itself, after every account has made a call.
async fn memory(garmin: &Garmin, certificate: &Certificate, accounts: usize) -> Result<Row> {
    let settings = [
        ("MAX_WORKERS", accounts.to_string()),
        ("WORKER_PORT_START", "20000".to_owned()),
        ("WORKER_PORT_END", "29999".to_owned()),
    ];
    let house = House::start_over_https(garmin, certificate, &settings).await?;
    let tls = certificate.connector()?;
    let mut open = Vec::new();
    for number in 0..accounts {
        let token = person::connect_with(certificate.browser(), &house.url, garmin.person(number)?).await?;
        let stats = json!({"name": "get_stats", "arguments": {"date": "2026-11-02"}});
        let target = Target {
            port: house.port,
            request: with_port(mcp_request(&token, "tools/call", &stats), house.port)?,
            contains: b"total_steps",
            tls: Some(tls.clone()),
        };
        let mut connection = target.connect().await?;
        target.once(&mut connection).await?;
        open.push(connection);
    }
    let workers = workers_of(house.process.id())?.len();
    ensure!(workers == accounts, "{workers} workers for {accounts} accounts");
    let used = resident_mb(house.process.id()).context("the gateway")?;
    Ok(Row::alone(
        "resident memory, gateway with 50 accounts connected over TLS",
        format!("{used:.1} MB"),
        "28 MB at most",
    ))
}
