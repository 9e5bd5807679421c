//! Limits on the sign-ins that reach Garmin, by person and by address, and their order.

use super::*;

#[tokio::test]
async fn a_day_has_six_sign_ins_of_a_person_and_only_those_that_reached_garmin_count() {
    let garmin = Garmin::start().await;
    for guess in 0..6 {
        assert_eq!(
            garmin.refused((ANN.0, &format!("guess {guess}"))).await,
            SignInRefusal::WrongCredentials
        );
        // The attempt was not sent, so it is not counted.
        assert_eq!(
            garmin.refused((ANN.0, &format!("guess {guess}"))).await,
            SignInRefusal::SamePasswordAgain
        );
    }
    assert_eq!(
        garmin.refused(ANN).await,
        SignInRefusal::TooManyToday { until: after(86_400) }
    );
    assert_eq!(garmin.logins(), [6, 0, 0]);
    garmin.challenged(BEN).await;
    garmin.clock.advance(SignedDuration::from_hours(24));
    garmin.signed_in(ANN).await;
}

/// A restart must not undo the count of the day, a wrong password, or the throttling of a method.
#[tokio::test]
async fn a_restart_forgets_nothing_that_reached_garmin() {
    let mut garmin = Garmin::start().await;
    let dir = tempfile::tempdir().unwrap();
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&dir.path().join("db"), &secret).unwrap();
    let restarted = |garmin: &Garmin| {
        let settings = GovernorSettings::without_pauses();
        let (hosts, clock) = (garmin.simulator.hosts(), garmin.clock.clone());
        SignIns::kept_in(&store, hosts, garmin.http.clone(), clock, settings).unwrap()
    };
    garmin.sign_ins = restarted(&garmin);
    for guess in 0..6 {
        garmin.refused((ANN.0, &format!("guess {guess}"))).await;
        garmin.sign_ins = restarted(&garmin);
    }
    assert_eq!(
        garmin.refused((ANN.0, "guess 5")).await,
        SignInRefusal::SamePasswordAgain
    );
    let full = SignInRefusal::TooManyToday { until: after(86_400) };
    assert_eq!(garmin.refused(ANN).await, full);
    assert_eq!(garmin.logins(), [6, 0, 0]);

    garmin.breaks(Place::Anywhere, limited(600));
    let throttled = garmin.refused(BEN).await;
    let until = Some(after(600));
    assert_eq!(throttled, SignInRefusal::RateLimited { until });
    garmin.simulator.clear_faults();
    garmin.sign_ins = restarted(&garmin);
    let asked = garmin.simulator.requests().len();
    assert_eq!(garmin.refused(DORA).await, throttled);
    assert_eq!(garmin.simulator.requests().len(), asked, "Garmin is left alone");

    // A day later, Ann's history has no effect, and the next sign-in of another person removes it.
    garmin.clock.advance(SignedDuration::from_hours(24));
    garmin.sign_ins = restarted(&garmin);
    garmin.challenged(BEN).await;
    let kept = store.list::<Known>(b"").unwrap();
    assert_eq!(kept.len(), 1, "Ben's");
    assert!(!format!("{:?}", kept[0].1.0).contains("example"), "no e-mail");
    garmin.sign_ins = restarted(&garmin);
    garmin.signed_in(ANN).await;
}

/// An attempt counts even if the person leaves, or the gateway is killed, before the answer.
#[tokio::test]
async fn what_garmin_has_seen_counts_though_nobody_hears_the_answer() {
    let mut garmin = Garmin::start().await;
    let dir = tempfile::tempdir().unwrap();
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&dir.path().join("db"), &secret).unwrap();
    let restarted = |garmin: &Garmin| {
        let settings = GovernorSettings {
            daily: 1,
            ..GovernorSettings::without_pauses()
        };
        let (hosts, clock) = (garmin.simulator.hosts(), garmin.clock.clone());
        SignIns::kept_in(&store, hosts, garmin.http.clone(), clock, settings).unwrap()
    };
    garmin.sign_ins = restarted(&garmin);
    garmin
        .simulator
        .add_fault(FaultRule::new(Place::Mobile, Fault::Slow { ms: 60_000 }).of(ANN.0));
    let seen = async {
        while garmin.simulator.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = garmin.begin(ANN) => panic!("{outcome:?}"),
        () = seen => {}
    }
    let full = SignInRefusal::TooManyToday { until: after(86_400) };
    assert_eq!(garmin.refused(ANN).await, full);
    garmin.sign_ins = restarted(&garmin);
    assert_eq!(garmin.refused(ANN).await, full);
}

/// The store's records about people who signed in.
#[derive(serde::Serialize, serde::Deserialize)]
struct Known(serde_json::Value);

impl Record for Known {
    const TABLE: Table = Table("sign_ins_of");
}

#[tokio::test]
async fn sign_ins_go_one_by_one_with_a_distance() {
    let spacing = Duration::from_millis(60);
    let garmin = Garmin::with(GovernorSettings {
        spacing,
        ..GovernorSettings::without_pauses()
    })
    .await;
    let started = Instant::now();
    tokio::join!(
        garmin.signed_in(ANN),
        garmin.challenged(BEN),
        garmin.challenged(DORA)
    );
    assert!(started.elapsed() >= spacing * 2);
    let people: Vec<Option<String>> = garmin
        .simulator
        .requests()
        .into_iter()
        .map(|r| r.person)
        .collect();
    let mut in_rows = people.clone();
    in_rows.dedup();
    assert_eq!(
        in_rows.len(),
        3,
        "nobody's requests are mixed with another's: {people:?}"
    );
}

#[tokio::test]
async fn a_queue_that_is_too_long_says_so_and_sends_nothing() {
    let patience = Duration::from_millis(50);
    let garmin = Garmin::with(GovernorSettings {
        patience,
        ..GovernorSettings::without_pauses()
    })
    .await;
    garmin
        .simulator
        .add_fault(FaultRule::new(Place::Mobile, Fault::Slow { ms: 400 }).of(ANN.0));
    let (_, refusal) = tokio::join!(garmin.signed_in(ANN), garmin.refused(BEN));
    assert_eq!(refusal, SignInRefusal::Busy);
    assert_eq!(garmin.logins(), [1, 0, 0]);
}

/// An attempt from one address, as the sign-in page makes it.
async fn from_address(garmin: &Garmin, (email, password): (&str, &str), last_byte: u8) -> SignInOutcome {
    let credentials = Credentials {
        email: email.to_owned(),
        password: Secret::new(password),
    };
    let address = std::net::IpAddr::from([192, 0, 2, last_byte]);
    garmin.sign_ins.begin_from(credentials, Some(address)).await
}

#[tokio::test]
async fn six_wrong_passwords_of_a_stranger_do_not_lock_the_person_out() {
    let garmin = Garmin::start().await;
    for guess in 0..8 {
        let outcome = from_address(&garmin, (ANN.0, &format!("guess {guess}")), 66).await;
        let SignInOutcome::Refused(refusal) = outcome else {
            panic!("{outcome:?}")
        };
        let full = SignInRefusal::TooManyToday { until: after(86_400) };
        let wanted = if guess < 6 {
            SignInRefusal::WrongCredentials
        } else {
            full
        };
        assert_eq!(refusal, wanted, "{guess}");
    }
    let outcome = from_address(&garmin, ANN, 7).await;
    assert!(matches!(outcome, SignInOutcome::SignedIn(_)), "{outcome:?}");
    // From a known address, she can still sign in after strangers have used up the attempts that all other addresses
    // share.
    for address in 100..110 {
        for guess in 0..6 {
            let password = format!("guess {address} {guess}");
            from_address(&garmin, (ANN.0, &password), address).await;
        }
    }
    assert_eq!(garmin.logins()[0], 6 + 1 + 2, "nine from all sources together");
    let outcome = from_address(&garmin, ANN, 7).await;
    assert!(matches!(outcome, SignInOutcome::SignedIn(_)), "{outcome:?}");
}

#[tokio::test]
async fn made_up_addresses_from_one_source_do_not_fill_the_queue() {
    let garmin = Garmin::with(GovernorSettings {
        spacing: Duration::from_millis(100),
        patience: Duration::from_millis(1200),
        ..GovernorSettings::without_pauses()
    })
    .await;
    let flood = futures_util::future::join_all((0..40).map(|n| {
        let garmin = &garmin;
        async move {
            let email = format!("made-up-{n}@example.org");
            from_address(garmin, (&email, "guess"), 66).await
        }
    }));
    let others = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::join!(from_address(&garmin, ANN, 7), from_address(&garmin, ANN, 8))
    };
    let (flooded, (ann, again)) = tokio::join!(flood, others);
    for outcome in [ann, again] {
        assert!(matches!(outcome, SignInOutcome::SignedIn(_)), "{outcome:?}");
    }
    let busy = flooded
        .iter()
        .filter(|outcome| matches!(outcome, SignInOutcome::Refused(SignInRefusal::Busy)));
    assert!(busy.count() >= 36, "the source has four places: {flooded:?}");
}

#[tokio::test]
async fn a_person_who_leaves_does_not_hold_up_the_next() {
    let garmin = Garmin::start().await;
    garmin
        .simulator
        .add_fault(FaultRule::new(Place::Mobile, Fault::Slow { ms: 60_000 }).of(ANN.0));
    let left = tokio::time::timeout(Duration::from_millis(100), garmin.signed_in(ANN)).await;
    assert!(left.is_err());
    garmin.challenged(BEN).await;
}
