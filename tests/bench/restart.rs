//! What clients notice of a restart, as during an upgrade.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use crate::figures::{Row, ms};
use crate::house::{Garmin, House};
use crate::load::Target;
use crate::person;
use crate::wire::{Connection, mcp_request};

/// The pause between two restarts.
const PAUSE: Duration = Duration::from_millis(500);

/// Calls without a pause, each time over a new connection as a proxy does, while the gateway is restarted `times`
/// times. No call may fail.
pub(crate) async fn restart(garmin: &Garmin, times: usize) -> Result<Row> {
    let mut house = House::start(garmin, &[]).await?;
    let token = person::connect(&house.url, garmin.person(0)?).await?;
    let target = Target {
        port: house.port,
        request: mcp_request(
            &token,
            "tools/call",
            &json!({"name": "get_full_name", "arguments": {}}),
        ),
        contains: b"full_name",
        tls: None,
    };
    let enough = Arc::new(AtomicBool::new(false));
    let calling = tokio::spawn({
        let enough = Arc::clone(&enough);
        async move {
            let (mut calls, mut longest) = (0, Duration::ZERO);
            while !enough.load(Ordering::Relaxed) {
                let began = Instant::now();
                target.once(&mut Connection::open(target.port).await?).await?;
                longest = longest.max(began.elapsed());
                calls += 1;
            }
            Ok::<_, anyhow::Error>((calls, longest))
        }
    });
    for _ in 0..times {
        tokio::time::sleep(PAUSE).await;
        house.restart().await?;
    }
    tokio::time::sleep(PAUSE).await;
    enough.store(true, Ordering::Relaxed);
    let (calls, longest): (u32, Duration) = calling.await?.context("a call was not answered")?;
    Ok(Row::alone(
        "a restart under calls: the longest that one waits",
        format!("{} ({times} restarts, {calls} calls, none failed)", ms(longest)),
        "2 s at most",
    ))
}
