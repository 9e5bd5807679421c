//! Many workers at once: what they cost while idle, and whether a call costs more with many of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::time::sleep;

use crate::figures::Row;
use crate::house::{Garmin, House};
use crate::load::{Target, sequence};
use crate::person;
use crate::processes::{cpu, resident_mb, workers_of};
use crate::wire::{Connection, mcp_request};

/// The number of workers, how long they are observed, and the number of calls to compare.
pub(crate) struct Crowd {
    pub(crate) workers: usize,
    pub(crate) idle: Duration,
    pub(crate) calls: usize,
}

/// Measures one worker, then all of them, behind one gateway.
pub(crate) async fn crowd(garmin: &Garmin, crowd: &Crowd) -> Result<Vec<Row>> {
    let settings = [
        ("MAX_WORKERS", crowd.workers.to_string()),
        ("WORKER_PORT_START", "30000".to_owned()),
        ("WORKER_PORT_END", "31999".to_owned()),
    ];
    let house = House::start(garmin, &settings).await?;
    let gateway = house.process.id();
    let call = |token: &str| Target {
        port: house.port,
        request: mcp_request(
            token,
            "tools/call",
            &json!({"name": "get_full_name", "arguments": {}}),
        ),
        contains: b"full_name",
        tls: None,
    };
    let first = person::connect(&house.url, garmin.person(0)?).await?;
    let alone = cost(gateway, &call(&first), crowd.calls).await?;
    for number in 1..crowd.workers {
        let token = person::connect(&house.url, garmin.person(number)?).await?;
        let mut connection = Connection::open(house.port).await?;
        call(&token).once(&mut connection).await?;
    }
    let workers = workers_of(gateway)?;
    ensure!(
        workers.len() == crowd.workers,
        "{} workers for {} people",
        workers.len(),
        crowd.workers
    );
    let among = cost(gateway, &call(&first), crowd.calls).await?;

    let everybody = || workers.iter().copied().chain([gateway]);
    let mut memory = 0.0;
    for process in everybody() {
        memory += resident_mb(process)?;
    }
    // Lets work left over from the starts and calls finish.
    sleep(Duration::from_secs(1)).await;
    let used = || everybody().map(cpu).sum::<Result<Duration>>();
    let before = used()?;
    sleep(crowd.idle).await;
    let busy = used()?.saturating_sub(before).as_secs_f64() / crowd.idle.as_secs_f64();

    let n = crowd.workers;
    let us = |time: Duration| format!("{:.0} µs", time.as_secs_f64() * 1e6);
    Ok(vec![
        Row::alone(
            "resident memory, gateway and 100 built-in workers",
            format!("{memory:.0} MB ({n})"),
            "1500 MB at most",
        ),
        Row::alone(
            "processor time of them all while nobody calls",
            format!("{:.2} % of a core ({n})", busy * 100.0),
            "1 % of a core at most",
        ),
        Row {
            direct: format!("{} with one worker", us(alone)),
            ..Row::alone(
                "gateway's processor time of a call among 100 workers",
                format!("{} ({n})", us(among)),
                "as with one worker",
            )
        },
    ])
}

/// The gateway's CPU time per warm call.
async fn cost(gateway: u32, target: &Target, calls: usize) -> Result<Duration> {
    sequence(target, calls / 4 + 1).await?;
    let before = cpu(gateway)?;
    sequence(target, calls).await?;
    let used = cpu(gateway)?.saturating_sub(before);
    used.checked_div(u32::try_from(calls)?).context("no calls")
}
