use jiff::civil::date;
use serde_json::{Value, json};

use super::*;
use crate::base::secrets::{RootSecret, Secret};
use crate::config::Live;
use crate::garmin::{GarminTokens, SignedIn};
use crate::history::kind::KeptKind;
use crate::history::reading::{KeptDocuments, KeptFreshness};

struct Bench {
    store: Store,
    accounts: Accounts,
    history: History,
    clock: Clock,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let clock = Clock::manual("2026-01-29T12:00:00Z".parse().unwrap());
        let (_, live) = watch::channel(Live::default());
        Self {
            accounts: Accounts::new(store.clone(), clock.clone(), live),
            history: History::new(store.clone(), clock.clone()),
            store,
            clock,
            _dir: dir,
        }
    }

    async fn person(&self, profile_id: u64) -> AccountId {
        let signed_in = SignedIn {
            profile_id,
            full_name: String::new(),
            display_name: String::new(),
            tokens: GarminTokens {
                di_token: Secret::new("a"),
                di_refresh_token: None,
                di_client_id: None,
            },
        };
        self.accounts.link("ann@example.org", signed_in).await.unwrap().id
    }
}

fn steps(from: Date, days: i32) -> Value {
    (0..days)
        .map(|n| json!({"calendarDate": from + n.days(), "totalSteps": 6_000 + 37 * n, "stepGoal": 8_000}))
        .collect()
}

fn fetched(kind: &str, from: Date, to: Date, document: &Value) -> FetchedRows {
    let kind = KeptKind::named(kind).unwrap();
    FetchedRows::read(DaysToFetch { kind, from, to }, document).unwrap()
}

fn document_of(documents: &KeptDocuments, path: &str) -> Option<Value> {
    documents.rows(path, &[]).map(|rows| rows.document())
}

const PATH: &str = "/usersummary-service/stats/steps/daily/2026-01-01/2026-01-29";

#[tokio::test]
async fn fetched_days_are_stored_once_and_read_in_garmins_shape() {
    let bench = Bench::new();
    let ann = bench.person(1).await;
    let (history, today) = (&bench.history, date(2026, 1, 29));
    assert_eq!(
        history.switch_on(&ann, |_| Ok(true)).await.unwrap(),
        Switched::Done
    );
    assert_eq!(
        history.switch_on(&ann, |_| Ok(true)).await.unwrap(),
        Switched::Unchanged
    );
    let since = history.kept(&ann).unwrap().unwrap().since;
    assert!(
        history
            .documents(&ann, KeptFreshness::MayBeOld)
            .unwrap()
            .is_none(),
        "nothing is stored yet"
    );
    history
        .store_zone(&ann, since, "Europe/Vienna".into())
        .await
        .unwrap();

    let from = date(2025, 12, 1);
    let document = steps(from, 60);
    for _ in 0..2 {
        let rows = fetched("steps", from, today, &document);
        assert!(history.store_days(&ann, since, rows, || Ok(true)).await.unwrap());
    }
    let kept = history.kept(&ann).unwrap().unwrap();
    assert_eq!((kept.days(), kept.kinds["steps"].first), (60, from));
    assert!(kept.bytes() > 50 && kept.bytes() < 500, "{}", kept.bytes());

    let documents = history.documents(&ann, KeptFreshness::Complete).unwrap().unwrap();
    let january = document.as_array().unwrap()[31..].to_vec();
    assert_eq!(document_of(&documents, PATH), Some(january.into()));
    let as_of = documents.as_of().unwrap();
    assert_eq!((as_of.last_day, as_of.is_last_day_over), (today, false));
    let sleep = "/sleep-service/stats/sleep/daily/2026-01-01/2026-01-29";
    assert_eq!(document_of(&documents, sleep), None, "it was never fetched");
}

#[tokio::test]
async fn switching_off_and_forgetting_erase_everything_and_late_days_are_not_stored() {
    let bench = Bench::new();
    let (ann, ben) = (bench.person(1).await, bench.person(2).await);
    let history = &bench.history;
    let from = date(2026, 1, 1);
    for person in [&ann, &ben] {
        history.switch_on(person, |_| Ok(true)).await.unwrap();
        let since = history.kept(person).unwrap().unwrap().since;
        let rows = fetched("steps", from, date(2026, 1, 20), &steps(from, 20));
        assert!(
            history
                .store_days(person, since, rows, || Ok(true))
                .await
                .unwrap()
        );
    }
    let since = history.kept(&ann).unwrap().unwrap().since;
    let late = || fetched("steps", from, date(2026, 1, 20), &steps(from, 20));
    let refused = history.store_days(&ann, since, late(), || Ok(false)).await;
    assert!(!refused.unwrap(), "the access has ended");
    assert_eq!(
        history.switch_off(&ann, |_| Ok(false)).await.unwrap(),
        Switched::NotAllowed
    );
    assert_eq!(
        history.switch_off(&ann, |_| Ok(true)).await.unwrap(),
        Switched::Done
    );
    assert_eq!(
        history.switch_off(&ann, |_| Ok(true)).await.unwrap(),
        Switched::Unchanged
    );
    assert!(
        !history
            .store_days(&ann, since, late(), || Ok(true))
            .await
            .unwrap()
    );
    bench.clock.advance(jiff::SignedDuration::from_secs(1));
    history.switch_on(&ann, |_| Ok(true)).await.unwrap();
    assert!(
        !history
            .store_days(&ann, since, late(), || Ok(true))
            .await
            .unwrap(),
        "they are of another time"
    );
    let count = |account: &AccountId| {
        let mut blocks = 0;
        history.export(account, |_, _| blocks += 1).unwrap();
        blocks
    };
    assert_eq!((count(&ann), count(&ben)), (0, 2), "January is in two blocks");

    let since = history.kept(&ben).unwrap().unwrap().since;
    bench.accounts.forget(&ben).await.unwrap();
    assert!(
        !history
            .store_days(&ben, since, late(), || Ok(true))
            .await
            .unwrap()
    );
    let forgotten = ben.clone();
    bench.store.atomic(move |tx| erase(tx, &forgotten)).await.unwrap();
    assert!(history.kept(&ben).unwrap().is_none());
    assert_eq!(
        history.switch_on(&ben, |_| Ok(true)).await.unwrap(),
        Switched::NotAllowed
    );
}

#[tokio::test]
async fn trouble_of_one_kind_is_stored_with_it() {
    let bench = Bench::new();
    let ann = bench.person(1).await;
    let history = &bench.history;
    history.switch_on(&ann, |_| Ok(true)).await.unwrap();
    let since = history.kept(&ann).unwrap().unwrap().since;
    history.store_zone(&ann, since, "+01:00".into()).await.unwrap();
    let kind = KeptKind::named("steps").unwrap();
    let days = DaysToFetch {
        kind,
        from: date(2026, 1, 5),
        to: date(2026, 1, 29),
    };
    history
        .store_trouble(&ann, since, Some(days), TroubleClass::Changed, None)
        .await
        .unwrap();
    history
        .store_trouble(&ann, since, Some(days), TroubleClass::Unreachable, None)
        .await
        .unwrap();
    let kept = history.kept(&ann).unwrap().unwrap();
    assert_eq!(kept.trouble.as_ref().unwrap().class, TroubleClass::Unreachable);
    assert_eq!(
        kept.kinds["steps"].trouble.as_ref().unwrap().class,
        TroubleClass::Changed
    );
    let documents = history.documents(&ann, KeptFreshness::MayBeOld).unwrap();
    assert!(documents.is_none(), "trouble covers nothing");
    bench.clock.advance(jiff::SignedDuration::from_hours(24));
    history.clear_trouble(&ann, since).await.unwrap();
    let kept = history.kept(&ann).unwrap().unwrap();
    let again = (0..20).scan(kept, |kept, _| match plan::next(kept, bench.clock.now()) {
        plan::FillStep::Fetch(days) => {
            plan::fetched(kept, &days, true, bench.clock.now());
            Some(days)
        }
        _ => None,
    });
    assert!(
        again.into_iter().any(|days| days.kind.name == "steps"),
        "it is tried again"
    );
}
