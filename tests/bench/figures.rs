//! The figures to measure, and how each is obtained.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::console::console;
use crate::crowd::{Crowd, crowd};
use crate::house::{Garmin, House, Nginx, fast_worker, free_port};
use crate::load::{Target, Times, paced, saturated, sequence};
use crate::processes::{resident_mb, worker_bearer, worker_port, workers_of};
use crate::restart::restart;
use crate::wire::{Connection, legacy_request, mcp_request};
use crate::{person, upstream};

/// One row of the results table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) gateway: String,
    pub(crate) direct: String,
    pub(crate) nginx: String,
    pub(crate) wanted: String,
}

impl Row {
    /// A figure without a direct measurement to compare with.
    pub(crate) fn alone(name: &'static str, gateway: String, wanted: &str) -> Self {
        Self {
            name,
            gateway,
            direct: String::new(),
            nginx: String::new(),
            wanted: wanted.to_owned(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            name,
            gateway,
            direct,
            nginx,
            wanted,
        } = self;
        write!(f, "| {name} | {gateway} | {direct} | {nginx} | {wanted} |")
    }
}

/// How long and how often to measure.
struct Effort {
    paced: Duration,
    saturated: Duration,
    /// Rounds of the saturated load. The best one counts, because other load on the machine can only slow it down.
    rounds: usize,
    sequence: usize,
    accounts: usize,
    crowd: Crowd,
}

/// Measures everything in the order of the table, or only the calls through the gateway.
pub(crate) async fn all(smoke: bool, calls_only: bool) -> Result<Vec<Row>> {
    let effort = if smoke {
        Effort {
            paced: Duration::from_secs(1),
            saturated: Duration::from_millis(300),
            rounds: 1,
            sequence: 50,
            accounts: 3,
            crowd: Crowd {
                workers: 4,
                idle: Duration::from_secs(1),
                calls: 100,
            },
        }
    } else {
        Effort {
            paced: Duration::from_secs(20),
            saturated: Duration::from_secs(4),
            rounds: 3,
            sequence: 1000,
            accounts: 50,
            crowd: Crowd {
                workers: 100,
                idle: Duration::from_secs(20),
                calls: 4000,
            },
        }
    };
    let garmin = Garmin::start(effort.accounts.max(effort.crowd.workers)).await?;
    let mut rows = proxying(&garmin, &effort).await?;
    if !calls_only {
        rows.extend(with_the_built_in_worker(&garmin, &effort).await?);
        rows.extend(crowd(&garmin, &effort.crowd).await?);
        rows.extend(console(&garmin, effort.crowd.idle).await?);
        rows.push(restart(&garmin, effort.rounds * 5).await?);
    }
    Ok(rows)
}

/// A `tools/call` through the gateway, compared with the same call straight to the upstream: the gateway's total
/// overhead.
async fn proxying(garmin: &Garmin, effort: &Effort) -> Result<Vec<Row>> {
    let port = free_port()?;
    let house = House::start(garmin, &fast_worker(port)?).await?;
    let token = person::connect(&house.url, garmin.person(0)?).await?;
    let call = |port| Target {
        port,
        request: mcp_request(
            &token,
            "tools/call",
            &json!({"name": upstream::TOOL, "arguments": {}}),
        ),
        contains: b"daily_step_goal",
        tls: None,
    };
    let (gateway, direct) = (call(house.port), call(port));
    // The first call starts the worker; the others warm up both paths.
    sequence(&gateway, 200).await?;
    sequence(&direct, 200).await?;

    let proxy = Nginx::start(port).await?;
    let plain_hop = proxy.as_ref().map(|proxy| call(proxy.port));
    if let Some(plain_hop) = &plain_hop {
        sequence(plain_hop, 200).await?;
    }
    let targets: Vec<&Target> = [&direct, &gateway].into_iter().chain(&plain_hop).collect();
    let times = paced(&targets, 200, effort.paced).await?;
    let latency = |name, share, wanted: &str| {
        let mut cells = times.iter().map(|times| times.quantile(share));
        let straight = cells.next().unwrap_or_default();
        let mut hops = cells.map(|hop| format!("{} (+{})", ms(hop), ms(hop.saturating_sub(straight))));
        Row {
            name,
            gateway: hops.next().unwrap_or_default(),
            direct: ms(straight),
            nginx: hops.next().unwrap_or_default(),
            wanted: wanted.to_owned(),
        }
    };
    let mut rows = vec![
        latency("warm `tools/call` at 200 calls/s, p50", 0.5, "+0.15 ms at most"),
        latency("warm `tools/call` at 200 calls/s, p99", 0.99, "+2 ms at most"),
    ];

    let (mut ours, mut theirs, mut plain) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..effort.rounds {
        ours = ours.max(saturated(&gateway, 16, effort.saturated).await?);
        plain = plain.max(saturated(&direct, 16, effort.saturated).await?);
        if let Some(plain_hop) = &plain_hop {
            theirs = theirs.max(saturated(plain_hop, 16, effort.saturated).await?);
        }
    }
    let share = if proxy.is_some() {
        format!(" ({:.2} of nginx)", ours / theirs)
    } else {
        String::new()
    };
    rows.push(Row {
        name: "calls/s, 16 connections",
        gateway: format!("{ours:.0}{share}"),
        direct: format!("{plain:.0}"),
        nginx: if proxy.is_some() {
            format!("{theirs:.0}")
        } else {
            "not installed".to_owned()
        },
        wanted: "0.8 of nginx at least".to_owned(),
    });
    Ok(rows)
}

/// Answers that need no worker, a cold account, and memory, all with the built-in worker.
async fn with_the_built_in_worker(garmin: &Garmin, effort: &Effort) -> Result<Vec<Row>> {
    let settings = [
        ("MAX_WORKERS", effort.accounts.to_string()),
        ("WORKER_PORT_START", "20000".to_owned()),
        ("WORKER_PORT_END", "29999".to_owned()),
    ];
    let house = House::start(garmin, &settings).await?;
    let mut tokens = Vec::new();
    for number in 0..effort.accounts {
        tokens.push(person::connect(&house.url, garmin.person(number)?).await?);
    }
    let first = tokens.first().context("no account")?;
    let alone = from_the_catalogue(&house, first, effort.sequence).await?;
    ensure!(
        workers_of(house.process.id())?.is_empty(),
        "a worker was started for what needs none"
    );
    let cold = cold_accounts(&house, &tokens).await?;
    let worker = *workers_of(house.process.id())?.first().context("no worker")?;
    let direct = from_the_worker(worker_port(worker)?, &worker_bearer(worker)?, effort.sequence).await?;

    let rows = CATALOGUE
        .iter()
        .zip(alone)
        .zip(direct)
        .map(|(((name, ..), alone), direct)| Row {
            direct: direct.map_or_else(|| "not known there".to_owned(), |times| ms(times.quantile(0.5))),
            ..Row::alone(name, ms(alone.quantile(0.5)), "2 ms at most")
        });
    let mut rows: Vec<Row> = rows.collect();
    rows.push(cold);
    rows.extend(memory(&house, tokens.len())?);
    Ok(rows)
}

/// Requests that the gateway answers without a worker: name, method, and what the answer must contain.
const CATALOGUE: [(&str, &str, &[u8]); 3] = [
    (
        "`initialize`, no worker running, p50",
        "initialize",
        b"serverInfo",
    ),
    (
        "`server/discover`, no worker running, p50",
        "server/discover",
        b"supportedVersions",
    ),
    (
        "`tools/list`, no worker running, p50",
        "tools/list",
        b"get_full_name",
    ),
];

fn params(method: &str) -> Value {
    if method == "initialize" {
        let client = json!({"name": "bench", "version": "1"});
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
    } else {
        json!({})
    }
}

async fn from_the_catalogue(house: &House, token: &str, count: usize) -> Result<Vec<Times>> {
    let mut all = Vec::new();
    for (_, method, contains) in CATALOGUE {
        let request = mcp_request(token, method, &params(method));
        all.push(
            sequence(
                &Target {
                    port: house.port,
                    request,
                    contains,
                    tls: None,
                },
                count,
            )
            .await?,
        );
    }
    Ok(all)
}

/// The same requests straight to a built-in worker, which speaks the older protocol and lacks `server/discover`.
async fn from_the_worker(port: u16, bearer: &str, count: usize) -> Result<Vec<Option<Times>>> {
    let mut connection = Connection::open(port).await?;
    let hello = connection
        .exchange(&legacy_request(bearer, "initialize", &params("initialize"), None))
        .await?;
    let session = hello.session;
    let mut all = Vec::new();
    for (_, method, contains) in CATALOGUE {
        if method == "server/discover" {
            all.push(None);
            continue;
        }
        let session = session.as_deref().filter(|_| method != "initialize");
        let request = legacy_request(bearer, method, &params(method), session);
        all.push(Some(
            sequence(
                &Target {
                    port,
                    request,
                    contains,
                    tls: None,
                },
                count,
            )
            .await?,
        ));
    }
    Ok(all)
}

/// The first call of every account, including its worker's start and first contact with Garmin, compared with the
/// second.
async fn cold_accounts(house: &House, tokens: &[String]) -> Result<Row> {
    let stats = json!({"name": "get_stats", "arguments": {"date": "2026-11-02"}});
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for token in tokens {
        let request = mcp_request(token, "tools/call", &stats);
        let target = Target {
            port: house.port,
            request,
            contains: b"total_steps",
            tls: None,
        };
        let mut connection = Connection::open(house.port).await?;
        cold.push(target.once(&mut connection).await?);
        warm.push(target.once(&mut connection).await?);
    }
    let name = "first `tools/call` of a cold account, p50";
    let (cold, warm) = (Times::new(cold)?.quantile(0.5), Times::new(warm)?.quantile(0.5));
    Ok(Row {
        direct: format!("{} once warm", ms(warm)),
        ..Row::alone(name, ms(cold), "80 ms at most beyond Garmin's own time")
    })
}

/// Memory with one worker per account.
fn memory(house: &House, accounts: usize) -> Result<Vec<Row>> {
    let workers = workers_of(house.process.id())?;
    ensure!(
        workers.len() == accounts,
        "{} workers for {accounts} accounts",
        workers.len()
    );
    let gateway = resident_mb(house.process.id())?;
    let mut largest = 0.0_f64;
    for worker in workers {
        largest = largest.max(resident_mb(worker)?);
    }
    let mb = |mb: f64| format!("{mb:.1} MB");
    Ok(vec![
        Row::alone(
            "resident memory, gateway with 50 accounts",
            mb(gateway),
            "25 MB at most",
        ),
        Row::alone(
            "resident memory, largest built-in worker",
            mb(largest),
            "12 MB at most",
        ),
    ])
}

pub(crate) fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}
