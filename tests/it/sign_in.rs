//! Sign-ins at the simulated Garmin, and the storage of their results, through the public functions of the `garmin`
//! module.

mod governor;

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
