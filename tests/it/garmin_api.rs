//! One person's data from the simulated Garmin, with tokens that are refreshed on the way.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::garmin::{Api, ApiParts, ApiSettings, GarminTokens, TokenFile};
use garmin_gateway::garmin::{ApiError, SignInReason};
use garmin_gateway::simulator::{Fault, FaultRule, Place};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::Value;

use crate::sign_in::{ANN, Garmin, noon};

const PROFILE: &str = "/userprofile-service/socialProfile";
const SETTINGS: &str = "/userprofile-service/userprofile/user-settings";
const TOKEN: &str = "/di-oauth2-service/oauth/token";
const NOTHING: [(&str, &str); 0] = [];

/// Ann, signed in, with a worker's access to the API.
struct Worker {
    garmin: Garmin,
    api: Api,
    file: TokenFile,
    lifecycle: Lifecycle,
    settings: ApiSettings,
    _dir: tempfile::TempDir,
}

impl Worker {
    async fn start() -> Self {
        Self::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(ApiSettings) -> ApiSettings) -> Self {
        let garmin = Garmin::start().await;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("garmin_tokens.json");
        let file = TokenFile::new(path.clone());
        file.write(&garmin.signed_in(ANN).await.tokens).unwrap();
        let settings = change(ApiSettings::new(&garmin.simulator.hosts()));
        let lifecycle = Lifecycle::new();
        let api = api(&garmin, path, &lifecycle, &settings);
        Self {
            garmin,
            api,
            file,
            lifecycle,
            settings,
            _dir: dir,
        }
    }

    /// Replaces the worker process with a new one.
    fn restart(&mut self) {
        self.api = api(
            &self.garmin,
            self.file.path().into(),
            &self.lifecycle,
            &self.settings,
        );
    }

    async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.api
            .get_json(path, &NOTHING)
            .await
            .map(|value| (*value).clone())
    }

    /// Sends a read that equals no other, and returns whether it succeeded.
    async fn asks(&self, n: impl std::fmt::Display) -> bool {
        self.api.get_json(PROFILE, &[("n", n.to_string())]).await.is_ok()
    }

    fn breaks(&self, place: Place, fault: Fault, times: u32) {
        self.garmin
            .simulator
            .add_fault(FaultRule::new(place, fault).times(times));
    }

    fn count(&self, path: &str) -> usize {
        self.garmin.simulator.count(path)
    }

    fn in_file(&self) -> GarminTokens {
        self.file.read().unwrap()
    }

    /// Waits for the refreshes that are in progress.
    async fn settle(&self) {
        assert!(self.lifecycle.drain(Duration::from_secs(5)).await);
    }

    /// Checks that exactly one refresh token works, and that it is the one in the file.
    fn assert_one_live(&self) {
        let live = self.garmin.simulator.live_refresh_tokens(ANN.0);
        assert_eq!(live.len(), 1, "one refresh token is live");
        assert_eq!(
            self.in_file().di_refresh_token.as_ref(),
            live.first(),
            "and it is in the file"
        );
    }
}

fn api(garmin: &Garmin, tokens: PathBuf, lifecycle: &Lifecycle, settings: &ApiSettings) -> Api {
    Api::new(ApiParts {
        permits: None,
        tokens,
        hosts: garmin.simulator.hosts(),
        http: garmin.http.clone(),
        clock: garmin.clock.clone(),
        lifecycle: lifecycle.clone(),
        settings: settings.clone(),
    })
}

#[tokio::test]
async fn equal_reads_share_one_request_and_are_kept_for_a_while() {
    let worker = Worker::start().await;
    let before = worker.count(PROFILE);
    let answers = join_all((0..20).map(|_| worker.get(PROFILE))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap()["profileId"] == 900_001)
    );
    worker.get(PROFILE).await.unwrap();
    assert_eq!(worker.api.display_name().await.unwrap(), "ann1");
    assert_eq!(worker.count(PROFILE) - before, 1);
    worker.get(SETTINGS).await.unwrap();
    assert_eq!(worker.count(SETTINGS), 1);
}

#[tokio::test]
async fn a_token_near_its_end_is_refreshed_once_for_all_who_ask() {
    let worker = Worker::start().await;
    let exchanged = worker.count(TOKEN);
    worker
        .garmin
        .clock
        .advance(SignedDuration::from_secs(107_182 - 800));
    let asked = (0..20).map(|n| worker.asks(n));
    assert!(join_all(asked).await.into_iter().all(|ok| ok));
    assert_eq!(worker.count(TOKEN) - exchanged, 1);
    worker.assert_one_live();
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_the_request_repeated() {
    let worker = Worker::start().await;
    worker.garmin.simulator.expire_access_tokens(ANN.0);
    let exchanged = worker.count(TOKEN);
    let asked = (0..20).map(|n| worker.asks(n));
    assert!(join_all(asked).await.into_iter().all(|ok| ok));
    assert_eq!(worker.count(TOKEN) - exchanged, 1);
    worker.assert_one_live();
}

#[tokio::test]
async fn a_refresh_goes_on_when_the_one_who_asked_has_left() {
    let worker = Worker::start().await;
    worker.garmin.simulator.expire_access_tokens(ANN.0);
    worker.breaks(Place::Refresh, Fault::Slow { ms: 150 }, 1);
    let left = tokio::time::timeout(Duration::from_millis(80), worker.get(PROFILE)).await;
    assert!(left.is_err());
    worker.settle().await;
    worker.assert_one_live();
}

#[tokio::test]
async fn when_the_login_is_over_a_new_one_in_the_file_is_taken_up() {
    let worker = Worker::start().await;
    worker.get(SETTINGS).await.unwrap();
    worker.garmin.simulator.revoke(ANN.0);
    let spent = Err(ApiError::SignInNeeded(SignInReason::Spent));
    assert_eq!(worker.get(PROFILE).await, spent);
    let refreshes = worker.count(TOKEN);
    assert_eq!(worker.get(PROFILE).await, spent);
    assert_eq!(
        worker.count(TOKEN),
        refreshes,
        "a spent refresh token is not sent again"
    );
    worker
        .file
        .write(&worker.garmin.signed_in(ANN).await.tokens)
        .unwrap();
    assert_eq!(worker.get(PROFILE).await.unwrap()["profileId"], 900_001);
}

#[tokio::test]
async fn without_a_token_file_a_sign_in_is_needed_and_then_found() {
    let worker = Worker::start().await;
    let tokens = worker.in_file();
    std::fs::remove_file(worker.file.path()).unwrap();
    assert_eq!(
        worker.get(PROFILE).await,
        Err(ApiError::SignInNeeded(SignInReason::NoTokens))
    );
    worker.file.write(&tokens).unwrap();
    worker.get(PROFILE).await.unwrap();
}

#[tokio::test]
async fn a_token_that_the_api_never_takes_costs_one_refresh() {
    let worker = Worker::start().await;
    worker.breaks(Place::Api, Fault::TokenNotAccepted, 99);
    let exchanged = worker.count(TOKEN);
    assert_eq!(
        worker.get(PROFILE).await,
        Err(ApiError::SignInNeeded(SignInReason::NotAccepted))
    );
    assert_eq!(worker.count(TOKEN) - exchanged, 1);
    worker.assert_one_live();
}

#[tokio::test]
async fn a_path_that_refuses_a_good_token_does_not_end_the_sign_in() {
    let worker = Worker::start().await;
    let rule = FaultRule::new(Place::Api, Fault::Status { status: 401 }).on("/particular");
    worker.garmin.simulator.add_fault(rule);
    let exchanged = worker.count(TOKEN);
    for _ in 0..3 {
        let refused = ApiError::Refused {
            status: 401,
            message: String::new(),
        };
        assert_eq!(worker.get("/particular").await, Err(refused));
    }
    assert_eq!(
        worker.count(TOKEN) - exchanged,
        1,
        "the first refusal could have been the token's"
    );
    worker.get(SETTINGS).await.unwrap();
}

#[tokio::test]
async fn short_lived_tokens_are_refreshed_when_they_are_refused() {
    let worker = Worker::start().await;
    worker.breaks(Place::Refresh, Fault::ShortLived { seconds: 60 }, 1);
    worker.garmin.simulator.expire_access_tokens(ANN.0);
    let exchanged = worker.count(TOKEN);
    assert!(worker.asks(1).await && worker.asks(2).await);
    assert_eq!(worker.count(TOKEN) - exchanged, 1);
    worker.garmin.clock.advance(SignedDuration::from_secs(61));
    assert!(worker.asks(3).await);
    assert_eq!(worker.count(TOKEN) - exchanged, 2);
    worker.assert_one_live();
}

#[tokio::test]
async fn reads_are_sent_again_and_changes_never() {
    let worker = Worker::start().await;
    // 520 comes from Cloudflare, when Garmin's server behind it sent nothing that it understands.
    for status in [503, 520] {
        worker.breaks(Place::Api, Fault::Status { status }, 1);
    }
    worker.get(SETTINGS).await.unwrap();
    assert_eq!(worker.count(SETTINGS), 3);
    worker.breaks(Place::Api, Fault::Status { status: 503 }, 3);
    assert_eq!(
        worker.get("/always/out/of/order").await,
        Err(ApiError::Unreachable)
    );
    for fault in [Fault::Status { status: 503 }, Fault::HangUp] {
        worker.breaks(Place::Api, fault, 1);
        let sent = worker
            .api
            .send(reqwest::Method::PUT, "/change", &NOTHING, None)
            .await;
        assert_eq!(sent, Err(ApiError::Uncertain));
    }
    assert_eq!(worker.count("/change"), 2);
}

/// The person looks again after they left in the middle of a change, and must not see what was there before it.
#[tokio::test]
async fn a_change_that_was_cancelled_empties_the_cache_too() {
    let worker = Worker::start().await;
    worker.get(SETTINGS).await.unwrap();
    worker.breaks(Place::Api, Fault::Slow { ms: 60_000 }, 1);
    let sent = worker.api.send(reqwest::Method::PUT, "/change", &NOTHING, None);
    assert!(
        tokio::time::timeout(Duration::from_millis(80), sent)
            .await
            .is_err()
    );
    worker.get(SETTINGS).await.unwrap();
    assert_eq!(worker.count(SETTINGS), 2);
}

#[tokio::test]
async fn refusals_have_their_class_and_are_not_repeated() {
    let worker = Worker::start().await;
    assert_eq!(worker.get("/no/such/thing").await, Err(ApiError::NotFound));
    worker.breaks(Place::Api, Fault::Status { status: 403 }, 1);
    let refused = ApiError::Refused {
        status: 403,
        message: String::new(),
    };
    assert_eq!(worker.get(SETTINGS).await, Err(refused));
    // The bot protection in front of Garmin says nothing about the request or the sign-in. More requests would prolong
    // it, so none are sent for a while.
    let pause = SignedDuration::from_mins(5);
    for (refusals, status) in [(0, 200), (0, 403), (2, 403)] {
        if refusals > 0 {
            worker.breaks(Place::Api, Fault::Status { status: 401 }, refusals);
        }
        worker.breaks(Place::Api, Fault::ChallengePage { status }, 1);
        let until = Some(worker.garmin.clock.now() + pause);
        assert_eq!(worker.get(SETTINGS).await, Err(ApiError::RateLimited { until }));
        let asked = worker.count(SETTINGS);
        assert_eq!(worker.get(SETTINGS).await, Err(ApiError::RateLimited { until }));
        assert_eq!(worker.count(SETTINGS), asked, "nothing is sent during the pause");
        worker.garmin.clock.advance(pause);
    }
    worker.breaks(Place::Api, Fault::Status { status: 204 }, 1);
    assert_eq!(worker.get("/empty").await, Ok(Value::Null));
    assert_eq!(worker.count("/no/such/thing"), 1);
}

#[tokio::test]
async fn after_a_429_nothing_is_sent_until_the_time_that_garmin_named() {
    let worker = Worker::start().await;
    worker.breaks(
        Place::Api,
        Fault::RateLimited {
            retry_after_s: Some(30),
            in_body: false,
        },
        1,
    );
    let until = Some(noon() + SignedDuration::from_secs(30));
    let limited = Err(ApiError::RateLimited { until });
    assert_eq!(worker.get(SETTINGS).await, limited);
    assert_eq!(worker.get(SETTINGS).await, limited);
    assert_eq!(worker.count(SETTINGS), 1);
    worker.garmin.clock.advance(SignedDuration::from_secs(30));
    worker.get(SETTINGS).await.unwrap();
}

#[tokio::test]
async fn tokens_that_cannot_be_saved_are_used_and_saved_later() {
    let worker = Worker::start().await;
    let directory = worker.file.path().parent().unwrap().to_owned();
    let aside = directory.with_extension("aside");
    std::fs::rename(&directory, &aside).unwrap();
    worker.garmin.clock.advance(SignedDuration::from_secs(107_000));
    // The file is missing along with its directory, and this process has not read any tokens yet.
    assert_eq!(
        worker.get(PROFILE).await,
        Err(ApiError::SignInNeeded(SignInReason::NoTokens))
    );
    std::fs::rename(&aside, &directory).unwrap();
    worker.get(PROFILE).await.unwrap();
    worker.assert_one_live();
    std::fs::rename(&directory, &aside).unwrap();
    worker.garmin.simulator.expire_access_tokens(ANN.0);
    worker.get(SETTINGS).await.unwrap();
    std::fs::rename(&aside, &directory).unwrap();
    worker.get("/anything").await.unwrap_err();
    worker.assert_one_live();
}

/// An event between two requests.
#[derive(Debug, Clone)]
enum Event {
    AskAtOnce(usize),
    AskAndLeave,
    TokensEnd,
    TimePasses(i64),
    RefreshFails,
    RefreshIsThrottled,
    RefreshKeepsItsToken,
    Restart,
    SignInAgain,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (1..5_usize).prop_map(Event::AskAtOnce),
        Just(Event::AskAndLeave),
        Just(Event::TokensEnd),
        (1..200_000_i64).prop_map(Event::TimePasses),
        Just(Event::RefreshFails),
        Just(Event::RefreshIsThrottled),
        Just(Event::RefreshKeepsItsToken),
        Just(Event::Restart),
        Just(Event::SignInAgain),
    ];
    prop::collection::vec(event, 1..12)
}

async fn happen(worker: &mut Worker, event: Event, n: usize) {
    match event {
        Event::AskAtOnce(people) => {
            join_all((0..people).map(|m| worker.asks(format!("{n}.{m}")))).await;
        }
        Event::AskAndLeave => {
            worker.breaks(Place::Refresh, Fault::Slow { ms: 3 }, 1);
            let ask = worker.asks(format!("{n}.left"));
            drop(tokio::time::timeout(Duration::from_millis(2), ask).await);
        }
        Event::TokensEnd => worker.garmin.simulator.expire_access_tokens(ANN.0),
        Event::TimePasses(seconds) => worker.garmin.clock.advance(SignedDuration::from_secs(seconds)),
        Event::RefreshFails => worker.breaks(Place::Refresh, Fault::Status { status: 503 }, 1),
        Event::RefreshIsThrottled => {
            worker.breaks(
                Place::Refresh,
                Fault::RateLimited {
                    retry_after_s: Some(30),
                    in_body: false,
                },
                1,
            );
        }
        Event::RefreshKeepsItsToken => worker.breaks(Place::Refresh, Fault::NoRotation, 1),
        Event::Restart => {
            // A worker that is stopped finishes first, including a refresh in progress.
            worker.settle().await;
            worker.restart();
        }
        Event::SignInAgain => {
            worker.settle().await;
            worker.garmin.simulator.revoke(ANN.0);
            worker.garmin.clock.advance(SignedDuration::from_hours(24));
            worker
                .file
                .write(&worker.garmin.signed_in(ANN).await.tokens)
                .unwrap();
            worker.restart();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_order_of_refreshes_one_refresh_token_is_live_and_ours(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut worker = Worker::with(|settings| ApiSettings { keep: Duration::ZERO, ..settings }).await;
            for (n, event) in events.into_iter().enumerate() {
                happen(&mut worker, event, n).await;
                prop_assert!(worker.garmin.simulator.live_refresh_tokens(ANN.0).len() <= 1);
            }
            worker.settle().await;
            worker.garmin.simulator.clear_faults();
            worker.garmin.clock.advance(SignedDuration::from_mins(2));
            prop_assert!(worker.get(SETTINGS).await.is_ok());
            worker.assert_one_live();
            Ok(())
        })?;
    }
}
