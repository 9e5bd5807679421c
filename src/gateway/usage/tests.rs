use jiff::SignedDuration;

use super::*;
use crate::base::secrets::RootSecret;

fn account(letter: &str) -> AccountId {
    format!("acc_{}", letter.repeat(16)).parse().unwrap()
}

struct TestStore {
    _dir: tempfile::TempDir,
    store: Store,
    clock: Clock,
}

fn test_store() -> TestStore {
    let dir = tempfile::tempdir().unwrap();
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&dir.path().join("db"), &secret).unwrap();
    let clock = Clock::manual("2026-03-01T23:59:50Z".parse().unwrap());
    TestStore {
        _dir: dir,
        store,
        clock,
    }
}

fn line(day: &str, tool: &str, calls: u64, errors: u64) -> UsageLine {
    UsageLine {
        day: day.parse().unwrap(),
        tool: tool.to_owned(),
        usage: CallCounts { calls, errors },
    }
}

#[tokio::test]
async fn counts_add_up_over_flushes_and_days() {
    let TestStore { _dir, store, clock } = test_store();
    let counters = UsageCounters::new(clock.clone());
    let (a, b) = (account("a"), account("b"));
    let (stats, sleep): (Arc<str>, Arc<str>) = ("get_stats".into(), "get_sleep_data".into());
    counters.count(&a, &stats, false);
    counters.count(&a, &stats, true);
    counters.count(&b, &sleep, false);
    counters.flush(&store).await.unwrap();
    counters.count(&a, &stats, false);
    clock.advance(SignedDuration::from_secs(20));
    counters.count(&a, &stats, false);
    counters.count(&a, &sleep, false);
    counters.flush(&store).await.unwrap();
    counters.flush(&store).await.unwrap();

    assert_eq!(
        used(&store, &a).unwrap(),
        [
            line("2026-03-01", "get_stats", 3, 1),
            line("2026-03-02", "get_sleep_data", 1, 0),
            line("2026-03-02", "get_stats", 1, 0),
        ]
    );
    assert_eq!(
        used(&store, &b).unwrap(),
        [line("2026-03-01", "get_sleep_data", 1, 0)]
    );
}

#[tokio::test]
async fn forgetting_one_account_keeps_the_others() {
    let TestStore { _dir, store, clock } = test_store();
    let counters = UsageCounters::new(clock);
    let (a, b) = (account("a"), account("b"));
    let stats: Arc<str> = "get_stats".into();
    counters.count(&a, &stats, false);
    counters.count(&b, &stats, false);
    counters.flush(&store).await.unwrap();
    let forgotten = a.clone();
    store.atomic(move |tx| forget(tx, &forgotten)).await.unwrap();
    assert_eq!(used(&store, &a).unwrap(), []);
    assert_eq!(used(&store, &b).unwrap().len(), 1);
}

/// After a failed flush, the counts are still in memory.
#[test]
fn counts_can_be_put_back() {
    let counters = UsageCounters::new(Clock::manual("2026-03-01T00:00:00Z".parse().unwrap()));
    let (a, stats): (_, Arc<str>) = (account("a"), "get_stats".into());
    counters.count(&a, &stats, false);
    let counted = counters.pending.lock().take();
    counters.count(&a, &stats, true);
    counters.pending.lock().put_back(counted.clone());
    counters.pending.lock().put_back(counted);
    let sum = counters
        .pending
        .lock()
        .take()
        .into_iter()
        .fold((0, 0), |sum, (.., usage)| {
            (sum.0 + usage.calls, sum.1 + usage.errors)
        });
    assert_eq!(sum, (3, 1));
}

/// The counts are stored before the program stops.
#[tokio::test]
async fn a_stop_flushes() {
    let TestStore { _dir, store, clock } = test_store();
    let counters = UsageCounters::new(clock);
    let lifecycle = Lifecycle::new();
    counters.keep_flushing(store.clone(), &lifecycle);
    let a = account("a");
    counters.count(&a, &"get_stats".into(), false);
    assert!(lifecycle.drain(Duration::from_secs(10)).await);
    assert_eq!(used(&store, &a).unwrap().len(), 1);
}
