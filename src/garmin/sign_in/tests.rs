//! Whole sign-ins against a server with prepared responses: which requests are sent, in which order, and the outcome.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::login::{CodeFailure, PendingMfa};
use super::*;
use crate::base::lifecycle::Lifecycle;
use crate::base::stand_in::StandIn;
use crate::config::GarminDomain;
use crate::garmin::response::GarminResponse;

pub(super) fn hosts() -> GarminHosts {
    let host = |word: &str| format!("https://{word}.garmin.com").parse().unwrap();
    GarminHosts {
        domain: GarminDomain::Com,
        sso: host("sso"),
        diauth: host("diauth"),
        connectapi: host("connectapi"),
        livetrack: host("livetrack"),
    }
}

pub(super) fn credentials() -> Credentials {
    Credentials {
        email: "ann@example.org".to_owned(),
        password: Secret::new("secret"),
    }
}

pub(super) fn response(status: u16, content_type: &str, text: &str) -> GarminResponse {
    GarminResponse {
        status,
        content_type: content_type.to_owned(),
        text: text.to_owned(),
        ..GarminResponse::default()
    }
}

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn json_reply(status: u16, body: &Value) -> GarminResponse {
    response(status, "application/json", &body.to_string())
}

fn status(status_type: &str) -> GarminResponse {
    json_reply(
        200,
        &json!({"responseStatus": {"type": status_type}, "serviceTicketId": "ST-1-sso"}),
    )
}

fn page(text: &str) -> GarminResponse {
    response(200, "text/html", text)
}

fn outage() -> GarminResponse {
    json_reply(503, &json!({}))
}

fn throttle() -> GarminResponse {
    json_reply(429, &json!({}))
}

/// A page longer than the limit, which counts as no response.
fn endless() -> GarminResponse {
    page(&"x".repeat(2 * 1024 * 1024 + 1))
}

fn tokens() -> GarminResponse {
    json_reply(200, &json!({"access_token": "a.b.c", "refresh_token": "r"}))
}

fn profile() -> GarminResponse {
    json_reply(
        200,
        &json!({"id": 1, "profileId": 900_001, "displayName": "ann1", "fullName": "Ann Example"}),
    )
}

/// A Garmin whose responses are given in advance.
struct ScriptedGarmin {
    server: StandIn,
    sign_ins: SignIns,
    _lifecycle: Lifecycle,
}

impl ScriptedGarmin {
    async fn start(settings: GovernorSettings, replies: Vec<GarminResponse>) -> Self {
        let lifecycle = Lifecycle::new();
        let server = StandIn::start(&lifecycle).await;
        let hosts = GarminHosts::at(&server.url);
        let http = crate::garmin::client(&hosts).unwrap();
        let garmin = Self {
            sign_ins: SignIns::new(hosts, http, Clock::manual(noon()), settings),
            server,
            _lifecycle: lifecycle,
        };
        garmin.will_reply(replies);
        garmin
    }

    fn will_reply(&self, replies: Vec<GarminResponse>) {
        for reply in replies {
            let headers = [("content-type", reply.content_type.as_str())];
            self.server.will_answer(reply.status, &headers, &reply.text);
        }
    }

    fn paths(&self) -> Vec<String> {
        let asked = self.server.asked();
        asked.into_iter().map(|request| request.path).collect()
    }
}

#[track_caller]
fn is_signed_in(outcome: SignInOutcome) {
    let SignInOutcome::SignedIn(signed_in) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        (signed_in.profile_id, signed_in.display_name.as_str()),
        (900_001, "ann1")
    );
}

fn is_refused(wanted: SignInRefusal) -> impl FnOnce(SignInOutcome) {
    move |outcome| {
        let SignInOutcome::Refused(refusal) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(refusal, wanted);
    }
}

async fn check(replies: Vec<GarminResponse>, paths: &[&str], wanted: impl FnOnce(SignInOutcome)) {
    let garmin = ScriptedGarmin::start(GovernorSettings::without_pauses(), replies).await;
    let outcome = garmin.sign_ins.begin(credentials()).await;
    assert_eq!(garmin.paths(), paths, "{outcome:?}");
    wanted(outcome);
}

const MOBILE: &str = "/mobile/api/login";
const FRAME: &str = "/sso/embed";
const FORM: &str = "/sso/signin";
const DELIVERY: &str = "/sso/verifyMFA/mfaCode";
const PORTAL_PAGE: &str = "/portal/sso/en-US/sign-in";
const PORTAL: &str = "/portal/api/login";
const TOKEN: &str = "/di-oauth2-service/oauth/token";
const PROFILE: &str = "/userprofile-service/socialProfile";
const CSRF: &str = r#"<input name="_csrf" value="c">"#;

/// The refusal after all methods were throttled at noon for the usual hour.
fn limited() -> SignInRefusal {
    SignInRefusal::RateLimited {
        until: Some(noon() + SignedDuration::from_hours(1)),
    }
}

#[tokio::test]
async fn the_phone_apps_method_comes_first_and_is_enough() {
    check(
        vec![status("SUCCESSFUL"), tokens(), profile()],
        &[MOBILE, TOKEN, PROFILE],
        is_signed_in,
    )
    .await;
}

#[tokio::test]
async fn a_wrong_password_and_a_locked_account_end_the_sign_in() {
    check(
        vec![status("INVALID_USERNAME_PASSWORD")],
        &[MOBILE],
        is_refused(SignInRefusal::WrongCredentials),
    )
    .await;
    check(
        vec![status("ACCOUNT_LOCKED")],
        &[MOBILE],
        is_refused(SignInRefusal::AccountLocked),
    )
    .await;
    check(
        vec![throttle(), page(""), page(CSRF), page("<title>Invalid</title>")],
        &[MOBILE, FRAME, FORM, FORM],
        is_refused(SignInRefusal::WrongCredentials),
    )
    .await;
}

#[tokio::test]
async fn other_failures_lead_to_the_next_method() {
    let success = r#"<title>Success</title><a href="embed?ticket=ST-2-cas">"#;
    for first in [
        throttle(),
        status("CAPTCHA_REQUIRED"),
        endless(),
        outage(),
        json_reply(401, &json!({})),
        status("SOMETHING_NEW"),
    ] {
        check(
            vec![first, page(""), page(CSRF), page(success), tokens(), profile()],
            &[MOBILE, FRAME, FORM, FORM, TOKEN, PROFILE],
            is_signed_in,
        )
        .await;
    }
}

#[tokio::test]
async fn a_failure_that_all_methods_share_is_the_verdict_and_others_are_listed() {
    let all = [MOBILE, FRAME, PORTAL_PAGE];
    check(
        vec![throttle(), throttle(), throttle()],
        &all,
        is_refused(limited()),
    )
    .await;
    check(
        vec![outage(), outage(), outage()],
        &all,
        is_refused(SignInRefusal::Temporary),
    )
    .await;
    let throttled = SignInRefusal::RateLimited { until: None };
    let methods = vec![
        (SignInMethod::Mobile, throttled.clone()),
        (SignInMethod::Widget, SignInRefusal::BotChallenge),
        (SignInMethod::Portal, throttled),
    ];
    let challenge = page("<title>Just a moment...</title>");
    check(
        vec![throttle(), challenge, throttle()],
        &all,
        is_refused(SignInRefusal::Exhausted { methods }),
    )
    .await;
}

#[tokio::test]
async fn a_ticket_is_offered_under_each_client_id_until_one_is_accepted() {
    let refused = || json_reply(401, &json!({"error": "invalid_client"}));
    check(
        vec![status("SUCCESSFUL"), refused(), refused(), tokens(), profile()],
        &[MOBILE, TOKEN, TOKEN, TOKEN, PROFILE],
        is_signed_in,
    )
    .await;
}

#[tokio::test]
async fn a_throttled_token_service_ends_the_sign_in() {
    check(
        vec![status("SUCCESSFUL"), throttle()],
        &[MOBILE, TOKEN],
        is_refused(limited()),
    )
    .await;
}

#[tokio::test]
async fn a_ticket_that_no_client_id_can_redeem_leads_to_the_next_method() {
    let refused = || json_reply(400, &json!({"error": "invalid_grant"}));
    check(
        vec![
            status("SUCCESSFUL"),
            refused(),
            refused(),
            refused(),
            refused(),
            throttle(),
            throttle(),
        ],
        &[MOBILE, TOKEN, TOKEN, TOKEN, TOKEN, FRAME, PORTAL_PAGE],
        is_refused(SignInRefusal::TicketRefused),
    )
    .await;
}

#[tokio::test]
async fn a_token_that_the_api_refuses_leads_to_the_next_method() {
    check(
        vec![
            status("SUCCESSFUL"),
            tokens(),
            json_reply(401, &json!({})),
            throttle(),
            page(""),
            status("SUCCESSFUL"),
            tokens(),
            profile(),
        ],
        &[MOBILE, TOKEN, PROFILE, FRAME, PORTAL_PAGE, PORTAL, TOKEN, PROFILE],
        is_signed_in,
    )
    .await;
}

#[tokio::test]
async fn a_challenge_page_at_the_token_service_or_the_api_ends_the_sign_in() {
    let challenge = || response(403, "text/html", "<title>Just a moment...</title>");
    check(
        vec![status("SUCCESSFUL"), challenge()],
        &[MOBILE, TOKEN],
        is_refused(SignInRefusal::BotChallenge),
    )
    .await;
    check(
        vec![status("SUCCESSFUL"), tokens(), challenge()],
        &[MOBILE, TOKEN, PROFILE],
        is_refused(SignInRefusal::BotChallenge),
    )
    .await;
}

#[tokio::test]
async fn the_profile_is_read_up_to_three_times() {
    let paths = [MOBILE, TOKEN, PROFILE, PROFILE, PROFILE];
    let twice_without = |last| vec![status("SUCCESSFUL"), tokens(), outage(), endless(), last];
    check(twice_without(profile()), &paths, is_signed_in).await;
    let temporary = is_refused(SignInRefusal::Temporary);
    check(twice_without(outage()), &paths, temporary).await;
    let changed = SignInRefusal::Changed {
        path: "socialProfile: profileId".to_owned(),
    };
    let without_id = json_reply(200, &json!({"id": 1}));
    check(
        vec![status("SUCCESSFUL"), tokens(), without_id],
        &paths[..3],
        is_refused(changed),
    )
    .await;
}

#[tokio::test]
async fn a_failed_delivery_request_does_not_end_the_sign_in() {
    let code_page = format!(
        r#"<script>var customerGuid = "g"; var mfaMethod = "email"; var codeSentTo = "";</script>
        <input name="mfa-code">{CSRF}"#
    );
    check(
        vec![throttle(), page(""), page(CSRF), page(&code_page), outage()],
        &[MOBILE, FRAME, FORM, FORM, DELIVERY],
        |outcome| assert!(matches!(outcome, SignInOutcome::Mfa(_)), "{outcome:?}"),
    )
    .await;
}

#[tokio::test]
async fn forms_are_submitted_after_the_time_a_person_takes_to_type() {
    let pause = Duration::from_millis(80);
    let settings = GovernorSettings {
        form_pause: pause..=pause,
        portal_pause: pause..=pause,
        ..GovernorSettings::without_pauses()
    };
    let replies = vec![
        throttle(),
        page(""),
        page(CSRF),
        outage(),
        page(""),
        status("SUCCESSFUL"),
        tokens(),
        profile(),
    ];
    let garmin = ScriptedGarmin::start(settings, replies).await;
    let started = Instant::now();
    is_signed_in(garmin.sign_ins.begin(credentials()).await);
    assert!(started.elapsed() >= pause * 2, "{:?}", started.elapsed());
}

async fn check_code(
    login: Vec<GarminResponse>,
    replies: Vec<GarminResponse>,
    paths: &[&str],
    wanted: impl FnOnce(SignInOutcome),
) {
    let garmin = ScriptedGarmin::start(GovernorSettings::without_pauses(), login).await;
    let SignInOutcome::Mfa(mut challenge) = garmin.sign_ins.begin(credentials()).await else {
        panic!("no code is wanted")
    };
    let before = garmin.paths().len();
    garmin.will_reply(replies);
    let code = Secret::new("123456");
    let outcome = garmin.sign_ins.verify(&mut challenge, &code).await;
    assert_eq!(garmin.paths()[before..], *paths, "{outcome:?}");
    wanted(outcome);
}

const MOBILE_CODE: &str = "/mobile/api/mfa/verifyCode";
const PORTAL_CODE: &str = "/portal/api/mfa/verifyCode";

#[tokio::test]
async fn a_code_goes_by_the_other_path_only_when_it_was_not_read() {
    let mobile = || vec![status("MFA_REQUIRED")];
    let portal = || vec![outage(), outage(), page(""), status("MFA_REQUIRED")];
    let end = || vec![status("SUCCESSFUL"), tokens(), profile()];
    let after = |first| [vec![first], end()].concat();

    check_code(mobile(), end(), &[MOBILE_CODE, TOKEN, PROFILE], is_signed_in).await;
    let by_portal = [MOBILE_CODE, PORTAL_CODE, TOKEN, PROFILE];
    check_code(mobile(), after(throttle()), &by_portal, is_signed_in).await;
    let by_mobile = [PORTAL_CODE, MOBILE_CODE, TOKEN, PROFILE];
    check_code(portal(), after(page("<h1>")), &by_mobile, is_signed_in).await;

    let wrong = is_refused(SignInRefusal::WrongCode { tries_left: 2 });
    check_code(mobile(), vec![status("INVALID_CODE")], &[MOBILE_CODE], wrong).await;
    let locked = is_refused(SignInRefusal::AccountLocked);
    check_code(mobile(), vec![status("ACCOUNT_LOCKED")], &[MOBILE_CODE], locked).await;
    let not_read = is_refused(SignInRefusal::Temporary);
    let both = [MOBILE_CODE, PORTAL_CODE];
    check_code(mobile(), vec![endless(), outage()], &both, not_read).await;
    let not_accepted = is_refused(SignInRefusal::TokenNotAccepted);
    let replies = vec![status("SUCCESSFUL"), tokens(), json_reply(401, &json!({}))];
    check_code(mobile(), replies, &[MOBILE_CODE, TOKEN, PROFILE], not_accepted).await;
}

#[test]
fn a_code_is_read_as_people_type_and_paste_it() {
    let check = |typed: &str, wanted: Option<&str>| {
        let read = mfa::read_code(&Secret::new(typed));
        assert_eq!(read.as_ref().map(Secret::expose), wanted, "{typed:?}");
    };
    for typed in [
        "123456",
        " 123 456\n",
        "123-456",
        "123\u{2013}456",
        "123\u{a0}456",
        "123\u{202f}456",
        "123.456",
        "１２３４５６",
        "１２３　４５６",
        "١٢٣٤٥٦",
        "۱۲۳۴۵۶",
        "१२३४५६",
        "๑๒๓๔๕๖",
        "𝟏𝟐𝟑𝟒𝟓𝟔",
        "1\u{fe0f}\u{20e3}2\u{fe0f}\u{20e3}3456",
        "\u{200b}123456\u{feff}",
        "\u{200e}123456\u{202c}",
        "\u{2068}123456\u{2069}",
        "12\u{ad}34\u{2060}56",
    ] {
        check(typed, Some("123456"));
    }
    for typed in [
        "",
        "123",
        "12345678901",
        "12345a",
        "12345六",
        "²³⁴⁵",
        "½½½½",
        "12345+",
        "１２３",
    ] {
        check(typed, None);
    }
}

#[test]
fn a_challenge_closes_by_its_tries_and_by_its_age() {
    let start = noon();
    let after = |minutes: i64| start + SignedDuration::from_mins(minutes);
    let governor = Governor::new(GovernorSettings::default());
    let person = governor.person("ann@example.org");
    let keys = state::AttemptKeys {
        person,
        credentials: governor.credentials_hash(person, &credentials().password),
        source: None,
    };
    let pending = PendingMfa::Json {
        method: SignInMethod::Mobile,
        channel: "email".to_owned(),
        sent_to: Some("a***@x".to_owned()),
    };
    let mut challenge = MfaChallenge::new(pending, Arc::default(), keys, start);
    assert_eq!(
        (challenge.method(), challenge.sent_to()),
        (MfaMethod::Email, Some("a***@x"))
    );
    assert!(!challenge.is_over(after(10)));
    assert!(challenge.is_over(after(11)));
    for tries_left in [2, 1, 0] {
        assert!(!challenge.is_over(start));
        let refusal = challenge.note_failure(CodeFailure::Wrong);
        assert_eq!(refusal, SignInRefusal::WrongCode { tries_left });
    }
    assert!(challenge.is_over(start));
}

#[test]
fn debug_output_hides_the_password() {
    assert!(!format!("{:?}", credentials()).contains("secret"));
}
