//! The gateway's metrics in the OpenMetrics text format. No label names a person.

use std::collections::BTreeMap;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::views::{ConsoleViews, Overview, WorkerView};

pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All states of a worker, so that a state without workers is reported as 0.
const STATES: [&str; 5] = ["waiting", "starting", "ready", "stopping", "failed"];

/// All metrics as one page of text. `bot` tells whether the Telegram bot's messages are being read; `None` without a
/// bot.
pub(super) fn page(
    views: &ConsoleViews,
    writable: bool,
    bot: Option<bool>,
) -> Result<String, std::fmt::Error> {
    let ConsoleViews {
        overview,
        workers,
        people,
        ..
    } = views;
    let mut registry = Registry::with_prefix("garmin_gateway");
    let version = [("version", overview.program.clone())];
    registry.register("build", "The running program", Info::new(version.to_vec()));
    let mut unit = |name: &str, help: &str, unit: Unit, value: f64| {
        registry.register_with_unit(name, help, unit, ConstGauge::new(value));
    };
    let started_s = overview.started_at.as_millisecond() as f64 / 1000.0;
    unit(
        "start_time",
        "Start time since the Unix epoch",
        Unit::Seconds,
        started_s,
    );
    unit(
        "memory",
        "Resident memory of the gateway",
        Unit::Bytes,
        overview.memory_bytes as f64,
    );
    unit(
        "store",
        "Size of the store on disk",
        Unit::Bytes,
        overview.store_bytes as f64,
    );
    let memory: u64 = workers.iter().filter_map(|worker| worker.memory_bytes).sum();
    unit(
        "workers_memory",
        "Resident memory of all workers",
        Unit::Bytes,
        memory as f64,
    );

    let needed = people
        .accounts
        .iter()
        .filter(|account| account.sign_in_needed)
        .count();
    let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    for (name, help, value) in [
        (
            "store_writable",
            "1 while the store can write",
            i64::from(writable),
        ),
        ("accounts", "Accounts", i64::from(overview.accounts)),
        ("people", "People with access", i64::from(overview.people)),
        ("clients", "Clients with access", i64::from(overview.clients)),
        (
            "token_families",
            "Valid sign-ins of clients",
            i64::from(overview.tokens),
        ),
        (
            "sign_ins_needed",
            "Accounts that need a new Garmin sign-in",
            whole(needed),
        ),
        (
            "knocks",
            "People who tried without an invitation",
            whole(people.access_requests.len()),
        ),
        ("races", "Races under way", i64::from(overview.races)),
        (
            "workers_limit",
            "Workers that may run at once",
            i64::from(overview.max_workers),
        ),
        (
            "attention",
            "Problems for the operator",
            whole(overview.attention.len()),
        ),
    ] {
        registry.register(name, help, ConstGauge::new(value));
    }

    if let Some(bot) = bot {
        registry.register(
            "telegram_heard",
            "1 while messages to the Telegram bot are being read",
            ConstGauge::new(i64::from(bot)),
        );
    }
    histories(&mut registry, overview);
    registry.register("workers", "Workers, by state", by_state(workers));

    for (name, help, value) in [
        ("calls", "Tool calls since the start", overview.calls),
        ("call_errors", "Tool calls that failed", overview.errors),
    ] {
        registry.register(name, help, ConstCounter::new(value));
    }

    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// The number of histories and of their days, and when the last day was fetched.
fn histories(registry: &mut Registry, overview: &Overview) {
    let days = i64::try_from(overview.history_days).unwrap_or(i64::MAX);
    for (name, help, value) in [
        (
            "histories",
            "People who keep a history of their days",
            i64::from(overview.histories),
        ),
        ("history_days", "Days kept by all of them together", days),
    ] {
        registry.register(name, help, ConstGauge::new(value));
    }
    if let Some(filled_at) = overview.history_filled_at {
        registry.register_with_unit(
            "history_filled_time",
            "When days were last fetched for a history, since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(filled_at.as_millisecond() as f64 / 1000.0),
        );
    }
}

fn by_state(workers: &[WorkerView]) -> Family<Vec<(String, String)>, Gauge> {
    let states = Family::<Vec<(String, String)>, Gauge>::default();
    let mut in_state: BTreeMap<&str, i64> = STATES.iter().map(|state| (*state, 0)).collect();
    for worker in workers {
        *in_state.entry(&worker.state).or_default() += 1;
    }
    for (state, n) in in_state {
        let labels = vec![("state".to_owned(), state.to_owned())];
        states.get_or_create(&labels).set(n);
    }
    states
}
