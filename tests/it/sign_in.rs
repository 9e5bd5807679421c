//! Sign-ins at the simulated Garmin, and the storage of their results, through the public functions of the `garmin`
//! module.

use std::time::{Duration, Instant};

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::{RootSecret, Secret};
use garmin_gateway::garmin::{
    self, Credentials, GovernorSettings, MfaChallenge, MfaMethod, SignInOutcome, SignInRefusal, SignIns,
    SignedIn,
};
use garmin_gateway::simulator::{Fault, FaultRule, Place, Simulator, SimulatorSettings};
use garmin_gateway::store::{Record, Store, Table};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

pub(crate) const ANN: (&str, &str) = ("ann@example.org", "demo-ann");
const BEN: (&str, &str) = ("ben@example.org", "demo-ben");
const DORA: (&str, &str) = ("dora@example.org", "demo-dora");
const LOU: (&str, &str) = ("lou@example.org", "demo-lou");

const MOBILE: &str = "/mobile/api/login";
const WIDGET: &str = "/sso/signin";
const PORTAL: &str = "/portal/api/login";

/// A simulated Garmin, and a gateway's sign-ins there, with a clock of their own.
pub(crate) struct Garmin {
    pub(crate) simulator: Simulator,
    pub(crate) sign_ins: SignIns,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
    _lifecycle: Lifecycle,
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

impl Garmin {
    pub(crate) async fn start() -> Self {
        Self::with(GovernorSettings::without_pauses()).await
    }

    async fn with(settings: GovernorSettings) -> Self {
        // Another test may have installed it already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (lifecycle, clock) = (Lifecycle::new(), Clock::manual(noon()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings_of_it = SimulatorSettings {
            clock: clock.clone(),
            ..SimulatorSettings::default()
        };
        let simulator = Simulator::start(settings_of_it, listener, &lifecycle).unwrap();
        let http = garmin::client(&simulator.hosts()).unwrap();
        let sign_ins = SignIns::new(simulator.hosts(), http.clone(), clock.clone(), settings);
        Self {
            simulator,
            sign_ins,
            clock,
            http,
            _lifecycle: lifecycle,
        }
    }

    async fn begin(&self, (email, password): (&str, &str)) -> SignInOutcome {
        let credentials = Credentials {
            email: email.to_owned(),
            password: Secret::new(password),
        };
        self.sign_ins.begin(credentials).await
    }

    pub(crate) async fn signed_in(&self, who: (&str, &str)) -> SignedIn {
        match self.begin(who).await {
            SignInOutcome::SignedIn(signed_in) => signed_in,
            other => panic!("{other:?}"),
        }
    }

    async fn challenged(&self, who: (&str, &str)) -> MfaChallenge {
        match self.begin(who).await {
            SignInOutcome::Mfa(challenge) => challenge,
            other => panic!("{other:?}"),
        }
    }

    async fn refused(&self, who: (&str, &str)) -> SignInRefusal {
        match self.begin(who).await {
            SignInOutcome::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    async fn code(&self, challenge: &mut MfaChallenge, code: &str) -> Result<SignedIn, SignInRefusal> {
        match self.sign_ins.verify(challenge, &Secret::new(code)).await {
            SignInOutcome::SignedIn(signed_in) => Ok(signed_in),
            SignInOutcome::Refused(refusal) => Err(refusal),
            SignInOutcome::Mfa(_) => panic!("a code is not answered with a challenge"),
        }
    }

    fn breaks(&self, place: Place, fault: Fault) {
        self.simulator.add_fault(FaultRule::new(place, fault));
    }

    fn logins(&self) -> [usize; 3] {
        let posts = |path: &str| {
            self.simulator
                .requests()
                .iter()
                .filter(|r| r.method == "POST" && r.path == path)
                .count()
        };
        [posts(MOBILE), posts(WIDGET), posts(PORTAL)]
    }
}

fn limited(retry_after_s: u32) -> Fault {
    Fault::RateLimited {
        retry_after_s: Some(retry_after_s),
        in_body: false,
    }
}

fn after(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_person_signs_in_and_is_known_by_the_profile_id() {
    let garmin = Garmin::start().await;
    let ann = garmin.signed_in(ANN).await;
    assert_eq!((ann.profile_id, ann.full_name.as_str()), (900_001, "Ann Example"));
    assert_eq!(
        ann.tokens.di_client_id.as_deref(),
        Some("GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2")
    );
    assert_eq!(ann.tokens.expires_at(), Some(after(107_182)));
    assert_eq!(
        ann.tokens.di_refresh_token,
        garmin.simulator.live_refresh_tokens(ANN.0).pop()
    );
    assert_eq!(garmin.logins(), [1, 0, 0]);
}

#[tokio::test]
async fn a_wrong_password_is_called_one_and_not_sent_twice() {
    let garmin = Garmin::start().await;
    let wrong = (ANN.0, "a guess");
    assert_eq!(garmin.refused(wrong).await, SignInRefusal::WrongCredentials);
    assert_eq!(garmin.refused(wrong).await, SignInRefusal::SamePasswordAgain);
    assert_eq!(
        garmin.refused((" ANN@example.org", "a guess")).await,
        SignInRefusal::SamePasswordAgain
    );
    assert_eq!(garmin.logins(), [1, 0, 0]);
    garmin.signed_in(ANN).await;
}

#[tokio::test]
async fn a_locked_account_is_told_so_and_not_tried_by_other_ways() {
    let garmin = Garmin::start().await;
    assert_eq!(garmin.refused(LOU).await, SignInRefusal::AccountLocked);
    assert_eq!(garmin.logins(), [1, 0, 0]);
}

#[tokio::test]
async fn a_wrong_code_leaves_the_challenge_open_for_the_right_one() {
    let garmin = Garmin::start().await;
    let mut challenge = garmin.challenged(BEN).await;
    assert_eq!(
        (challenge.method(), challenge.sent_to()),
        (MfaMethod::Email, Some("b*****@example.org"))
    );
    assert_eq!(
        garmin.code(&mut challenge, "12").await,
        Err(SignInRefusal::NotACode)
    );
    assert_eq!(
        garmin.code(&mut challenge, "000000").await,
        Err(SignInRefusal::WrongCode { tries_left: 2 })
    );
    let ben = garmin.code(&mut challenge, "123 456").await.unwrap();
    assert_eq!(ben.profile_id, 900_002);
    assert_eq!(
        garmin.code(&mut challenge, "123456").await,
        Err(SignInRefusal::ChallengeOver)
    );
    assert_eq!(garmin.logins(), [1, 0, 0]);
}

#[tokio::test]
async fn a_code_is_good_only_in_the_sign_in_that_asked_for_it() {
    let garmin = Garmin::start().await;
    let mut bens = garmin.challenged(BEN).await;
    let mut doras = garmin.challenged(DORA).await;
    assert_eq!(
        garmin.code(&mut doras, "123456").await,
        Err(SignInRefusal::WrongCode { tries_left: 2 })
    );
    assert_eq!(
        garmin.code(&mut doras, "654321").await.unwrap().profile_id,
        900_003
    );
    assert_eq!(
        garmin.code(&mut bens, "123456").await.unwrap().profile_id,
        900_002
    );
}

#[tokio::test]
async fn three_wrong_codes_end_a_challenge() {
    let garmin = Garmin::start().await;
    let mut challenge = garmin.challenged(BEN).await;
    for tries_left in [2, 1, 0] {
        assert_eq!(
            garmin.code(&mut challenge, "000000").await,
            Err(SignInRefusal::WrongCode { tries_left })
        );
    }
    assert_eq!(
        garmin.code(&mut challenge, "123456").await,
        Err(SignInRefusal::ChallengeOver)
    );
}

#[tokio::test]
async fn a_challenge_of_yesterday_is_over() {
    let garmin = Garmin::start().await;
    let mut challenge = garmin.challenged(BEN).await;
    garmin.clock.advance(SignedDuration::from_mins(11));
    assert_eq!(
        garmin.code(&mut challenge, "123456").await,
        Err(SignInRefusal::ChallengeOver)
    );
    assert_eq!(garmin.simulator.count("/mobile/api/mfa"), 0);
}

#[tokio::test]
async fn the_widgets_code_is_asked_for_and_a_wrong_one_can_be_followed_by_the_right_one() {
    let garmin = Garmin::start().await;
    garmin.breaks(Place::Mobile, Fault::Captcha);
    let mut challenge = garmin.challenged(BEN).await;
    assert_eq!(garmin.simulator.count("/sso/verifyMFA/mfaCode"), 1);
    assert_eq!(
        garmin.code(&mut challenge, "000000").await,
        Err(SignInRefusal::WrongCode { tries_left: 2 })
    );
    assert_eq!(
        garmin.code(&mut challenge, "123456").await.unwrap().profile_id,
        900_002
    );

    let mut challenge = garmin.challenged(DORA).await;
    assert_eq!(challenge.method(), MfaMethod::Authenticator);
    assert_eq!(
        garmin.simulator.count("/sso/verifyMFA/mfaCode"),
        1,
        "an app needs none"
    );
    assert_eq!(
        garmin.code(&mut challenge, "654321").await.unwrap().profile_id,
        900_003
    );
}

#[tokio::test]
async fn the_portal_is_the_last_way_and_takes_codes_too() {
    let garmin = Garmin::start().await;
    garmin.breaks(Place::Mobile, Fault::Status { status: 503 });
    garmin.breaks(Place::Widget, Fault::ChallengePage { status: 403 });
    garmin.signed_in(ANN).await;
    let mut challenge = garmin.challenged(BEN).await;
    assert_eq!(
        garmin.code(&mut challenge, "000000").await,
        Err(SignInRefusal::WrongCode { tries_left: 2 })
    );
    assert_eq!(
        garmin.code(&mut challenge, "123456").await.unwrap().profile_id,
        900_002
    );
    assert_eq!(garmin.simulator.count("/mobile/api/mfa"), 0);
}

#[tokio::test]
async fn a_code_that_was_not_heard_goes_by_the_other_path() {
    let garmin = Garmin::start().await;
    let mut challenge = garmin.challenged(BEN).await;
    garmin
        .simulator
        .add_fault(FaultRule::new(Place::Verify, Fault::Status { status: 503 }).on("/mobile"));
    assert_eq!(
        garmin.code(&mut challenge, "123456").await.unwrap().profile_id,
        900_002
    );
    assert_eq!(garmin.simulator.count("/portal/api/mfa"), 1);
}

#[tokio::test]
async fn a_code_that_nobody_looked_at_costs_no_try() {
    let garmin = Garmin::start().await;
    let mut challenge = garmin.challenged(BEN).await;
    garmin.breaks(Place::Verify, Fault::HangUp);
    assert_eq!(
        garmin.code(&mut challenge, "123456").await,
        Err(SignInRefusal::Unreachable)
    );
    assert_eq!(challenge.tries_left(), 3);
}

#[tokio::test]
async fn a_throttled_way_is_left_alone_while_the_others_work() {
    let garmin = Garmin::start().await;
    garmin.breaks(Place::Mobile, limited(600));
    garmin.signed_in(ANN).await;
    assert_eq!(garmin.logins(), [1, 1, 0]);
    garmin.simulator.clear_faults();
    garmin.signed_in(ANN).await;
    assert_eq!(garmin.logins(), [1, 2, 0]);
    garmin.clock.advance(SignedDuration::from_secs(600));
    garmin.signed_in(ANN).await;
    assert_eq!(garmin.logins(), [2, 2, 0]);
}

#[tokio::test]
async fn throttled_everywhere_nobody_reaches_garmin_until_the_time_that_is_told() {
    let garmin = Garmin::start().await;
    garmin.breaks(Place::Anywhere, limited(900));
    let refusal = SignInRefusal::RateLimited {
        until: Some(after(900)),
    };
    assert_eq!(garmin.refused(ANN).await, refusal);
    let sent = garmin.simulator.requests().len();
    garmin.simulator.clear_faults();
    assert_eq!(garmin.refused(ANN).await, refusal);
    assert_eq!(garmin.refused(BEN).await, refusal, "it is one gateway for Garmin");
    assert_eq!(garmin.simulator.requests().len(), sent);
    assert!(refusal.for_person().contains("after 12:15 UTC on 20 November"));
    garmin.clock.advance(SignedDuration::from_secs(900));
    garmin.signed_in(ANN).await;
}

#[tokio::test]
async fn a_429_without_a_time_means_an_hour_also_when_it_calls_itself_200() {
    let garmin = Garmin::start().await;
    for place in [Place::Mobile, Place::Widget, Place::Portal] {
        garmin.breaks(
            place,
            Fault::RateLimited {
                retry_after_s: None,
                in_body: place == Place::Mobile,
            },
        );
    }
    assert_eq!(
        garmin.refused(ANN).await,
        SignInRefusal::RateLimited {
            until: Some(after(3600))
        }
    );
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_not_a_sign_in() {
    let garmin = Garmin::start().await;
    garmin.breaks(Place::Mobile, Fault::TokenNotAccepted);
    garmin.signed_in(ANN).await;
    assert_eq!(garmin.logins(), [1, 1, 0]);
    // The method whose token was refused is tried last from now on.
    garmin.signed_in(ANN).await;
    assert_eq!(garmin.logins(), [1, 2, 0]);
    garmin.breaks(Place::Api, Fault::TokenNotAccepted);
    garmin.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(garmin.refused(ANN).await, SignInRefusal::TokenNotAccepted);
    assert_eq!(garmin.logins(), [2, 3, 1]);
}

#[tokio::test]
async fn a_retired_client_id_is_followed_by_the_next() {
    let garmin = Garmin::start().await;
    let retired = [
        "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
        "GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
    ];
    garmin.breaks(
        Place::Exchange,
        Fault::ClientIdRefused {
            ids: retired.map(str::to_owned).to_vec(),
        },
    );
    let ann = garmin.signed_in(ANN).await;
    assert_eq!(
        ann.tokens.di_client_id.as_deref(),
        Some("GARMIN_CONNECT_MOBILE_ANDROID_DI")
    );
    assert_eq!(garmin.logins(), [1, 0, 0]);
}

#[tokio::test]
async fn what_garmin_changed_is_named_by_its_place() {
    let garmin = Garmin::start().await;
    garmin.breaks(Place::Mobile, Fault::ChangedShape);
    garmin.breaks(Place::Portal, Fault::ChangedShape);
    garmin.breaks(Place::Widget, Fault::ChangedShape);
    let refusal = garmin.refused(ANN).await;
    let SignInRefusal::Changed { path } = &refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(path, "mobile login: responseStatus.type");
    garmin.simulator.clear_faults();
    garmin.breaks(Place::Exchange, Fault::ChangedShape);
    let refusal = garmin.refused(ANN).await;
    assert_eq!(
        refusal,
        SignInRefusal::Changed {
            path: "token service: access_token".to_owned()
        }
    );
}

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
    // From a known address, she can still sign in after strangers have used up everything that the others share.
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

#[tokio::test]
async fn without_a_garmin_nothing_is_counted() {
    let garmin = Garmin::start().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(nobody);
    let hosts = garmin_gateway::config::GarminHosts::at(&url);
    let settings = GovernorSettings {
        daily: 1,
        ..GovernorSettings::without_pauses()
    };
    let sign_ins = SignIns::new(hosts, garmin.http.clone(), garmin.clock.clone(), settings);
    let alone = Garmin { sign_ins, ..garmin };
    for _ in 0..3 {
        assert_eq!(alone.refused(ANN).await, SignInRefusal::Unreachable);
    }
}

#[tokio::test]
async fn all_that_it_says_is_marked_and_the_same_in_every_run() {
    let (one, other) = (Garmin::start().await, Garmin::start().await);
    assert_eq!(one.signed_in(ANN).await, other.signed_in(ANN).await);
    for path in ["sso/embed", "nothing/here", "simulator/requests"] {
        let url = one.simulator.base_url().join(path).unwrap();
        let response = one.http.get(url).send().await.unwrap();
        assert_eq!(response.headers().get("x-simulated").unwrap(), "true", "{path}");
    }
}

#[tokio::test]
async fn faults_are_set_over_http_too() {
    let garmin = Garmin::start().await;
    let url = garmin.simulator.base_url().join("simulator/faults").unwrap();
    let set = |body: &'static str| garmin.http.post(url.clone()).body(body).send();
    let rule = r#"{"place":"mobile","fault":{"kind":"locked"},"person":"ann@example.org"}"#;
    assert_eq!(set(rule).await.unwrap().status(), 204);
    assert_eq!(set(r#"{"place":"mobile"}"#).await.unwrap().status(), 400);
    assert_eq!(garmin.refused(ANN).await, SignInRefusal::AccountLocked);
    assert_eq!(
        garmin.http.delete(url.clone()).send().await.unwrap().status(),
        204
    );
    garmin.signed_in(ANN).await;
}
