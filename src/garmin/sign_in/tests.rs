//! Whole sign-ins, step by step: what is asked, in which order, and what it comes to.

use serde_json::json;

use super::chain::{Chain, Ended};
use super::mfa::{self, Verifying};
use super::*;
use crate::config::GarminDomain;
use crate::garmin::wire::Answer;

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

pub(super) fn answer(status: u16, content_type: &str, text: &str) -> Answer {
    Answer {
        status,
        content_type: content_type.to_owned(),
        text: text.to_owned(),
        ..Answer::default()
    }
}

fn json_answer(status: u16, body: &serde_json::Value) -> Heard {
    Heard::Answer(answer(status, "application/json", &body.to_string()))
}

fn said(kind: &str) -> Heard {
    json_answer(
        200,
        &json!({"responseStatus": {"type": kind}, "serviceTicketId": "ST-1-sso"}),
    )
}

fn page(text: &str) -> Heard {
    Heard::Answer(answer(200, "text/html", text))
}

fn tokens() -> Heard {
    json_answer(200, &json!({"access_token": "a.b.c", "refresh_token": "r"}))
}

fn profile() -> Heard {
    json_answer(
        200,
        &json!({"id": 1, "profileId": 900_001, "displayName": "ann1", "fullName": "Ann Example"}),
    )
}

/// Plays answers to a conversation. Gives the paths that were asked and what it came to; the answers must be used up.
fn play<C: Conversation>(conversation: &mut C, answers: Vec<Heard>) -> (Vec<String>, C::End) {
    let mut asked = Vec::new();
    let mut answers = answers.into_iter();
    let mut next = conversation.begin();
    loop {
        match next {
            Move::Done(end) => {
                assert_eq!(answers.len(), 0, "answers are left over after {asked:?}");
                return (asked, end);
            }
            Move::Send(ask) => {
                asked.push(ask.url.path().to_owned());
                let heard = answers
                    .next()
                    .unwrap_or_else(|| panic!("no answer for {asked:?}"));
                next = conversation.hear(&heard);
            }
        }
    }
}

#[track_caller]
fn check(answers: Vec<Heard>, paths: &[&str], end: impl FnOnce(Ended)) {
    let (hosts, credentials) = (hosts(), credentials());
    let desk = Desk {
        hosts: &hosts,
        credentials: &credentials,
    };
    let mut chain = Chain::new(desk, &SignInMethod::ALL, vec![]);
    let (asked, ended) = play(&mut chain, answers);
    assert_eq!(asked, paths);
    end(ended);
}

fn is_signed_in(ended: Ended) {
    let Ended::SignedIn(signed_in) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(
        (signed_in.profile_id, signed_in.display_name.as_str()),
        (900_001, "ann1")
    );
}

fn is_refused(wanted: SignInRefusal) -> impl FnOnce(Ended) {
    move |ended| assert_eq!(ended, Ended::Refused(wanted))
}

const MOBILE: &str = "/mobile/api/login";
const EMBED: &str = "/sso/embed";
const FORM: &str = "/sso/signin";
const PORTAL_PAGE: &str = "/portal/sso/en-US/sign-in";
const PORTAL: &str = "/portal/api/login";
const TOKEN: &str = "/di-oauth2-service/oauth/token";
const PROFILE: &str = "/userprofile-service/socialProfile";
const CSRF: &str = r#"<input name="_csrf" value="c">"#;

fn limited() -> SignInRefusal {
    SignInRefusal::RateLimited { until: None }
}

#[test]
fn the_phone_apps_way_is_first_and_mostly_enough() {
    check(
        vec![said("SUCCESSFUL"), tokens(), profile()],
        &[MOBILE, TOKEN, PROFILE],
        is_signed_in,
    );
}

#[test]
fn a_wrong_password_and_a_locked_account_end_it_at_once() {
    check(
        vec![said("INVALID_USERNAME_PASSWORD")],
        &[MOBILE],
        is_refused(SignInRefusal::WrongCredentials),
    );
    check(
        vec![said("ACCOUNT_LOCKED")],
        &[MOBILE],
        is_refused(SignInRefusal::AccountLocked),
    );
    let form_says_no = vec![
        json_answer(429, &json!({})),
        page(""),
        page(CSRF),
        page("<title>Invalid</title>"),
    ];
    check(
        form_says_no,
        &[MOBILE, EMBED, FORM, FORM],
        is_refused(SignInRefusal::WrongCredentials),
    );
}

#[test]
fn a_code_ends_the_chain() {
    check(vec![said("MFA_REQUIRED")], &[MOBILE], |ended| {
        assert!(
            matches!(
                ended,
                Ended::CodeWanted(Pending::Json {
                    way: SignInMethod::Mobile,
                    ..
                })
            ),
            "{ended:?}"
        );
    });
}

#[test]
fn the_next_way_is_tried_for_everything_else() {
    let success = page(r#"<title>Success</title><a href="embed?ticket=ST-2-cas">"#);
    let widget = [MOBILE, EMBED, FORM, FORM, TOKEN, PROFILE];
    for first in [
        json_answer(429, &json!({})),
        said("CAPTCHA_REQUIRED"),
        Heard::Nothing,
        json_answer(503, &json!({})),
        json_answer(401, &json!({})),
        said("SOMETHING_NEW"),
    ] {
        let success = if let Heard::Answer(answer) = &success {
            Heard::Answer(answer.clone())
        } else {
            Heard::Nothing
        };
        check(
            vec![first, page(""), page(CSRF), success, tokens(), profile()],
            &widget,
            is_signed_in,
        );
    }
}

#[test]
fn the_verdict_names_what_all_ways_agree_on_and_lists_what_they_do_not() {
    let all = [MOBILE, EMBED, PORTAL_PAGE];
    let no = || json_answer(429, &json!({}));
    check(vec![no(), no(), no()], &all, is_refused(limited()));
    let out_of_order = || json_answer(502, &json!({}));
    check(
        vec![out_of_order(), out_of_order(), out_of_order()],
        &all,
        is_refused(SignInRefusal::Temporary),
    );
    let ways = vec![
        (SignInMethod::Mobile, limited()),
        (SignInMethod::Widget, SignInRefusal::BotChallenge),
        (SignInMethod::Portal, limited()),
    ];
    let challenge = page("<title>Just a moment...</title>");
    check(
        vec![no(), challenge, no()],
        &all,
        is_refused(SignInRefusal::Exhausted { ways }),
    );
}

#[test]
fn without_a_connection_no_other_way_is_tried() {
    check(
        vec![Heard::NoConnection],
        &[MOBILE],
        is_refused(SignInRefusal::Unreachable),
    );
}

#[test]
fn a_ticket_is_offered_under_each_client_id_until_one_takes_it() {
    let refused = || json_answer(401, &json!({"error": "invalid_client"}));
    check(
        vec![said("SUCCESSFUL"), refused(), refused(), tokens(), profile()],
        &[MOBILE, TOKEN, TOKEN, TOKEN, PROFILE],
        is_signed_in,
    );
}

#[test]
fn a_throttled_token_service_ends_it_for_all_ways() {
    let answers = vec![said("SUCCESSFUL"), json_answer(429, &json!({}))];
    check(answers, &[MOBILE, TOKEN], is_refused(limited()));
}

#[test]
fn a_ticket_that_nobody_takes_leads_to_the_next_way() {
    let refused = || json_answer(400, &json!({"error": "invalid_grant"}));
    let no = || json_answer(429, &json!({}));
    check(
        vec![
            said("SUCCESSFUL"),
            refused(),
            refused(),
            refused(),
            refused(),
            no(),
            no(),
        ],
        &[MOBILE, TOKEN, TOKEN, TOKEN, TOKEN, EMBED, PORTAL_PAGE],
        is_refused(SignInRefusal::TicketRefused),
    );
}

#[test]
fn a_token_that_the_api_refuses_leads_to_the_next_way() {
    let not_active = || json_answer(401, &json!({}));
    check(
        vec![
            said("SUCCESSFUL"),
            tokens(),
            not_active(),
            json_answer(429, &json!({})),
            page(""),
            said("SUCCESSFUL"),
            tokens(),
            profile(),
        ],
        &[MOBILE, TOKEN, PROFILE, EMBED, PORTAL_PAGE, PORTAL, TOKEN, PROFILE],
        is_signed_in,
    );
}

#[test]
fn a_page_of_the_guard_is_no_answer_about_ticket_or_token_and_ends_it() {
    let guard = || Heard::Answer(answer(403, "text/html", "<title>Just a moment...</title>"));
    check(
        vec![said("SUCCESSFUL"), guard()],
        &[MOBILE, TOKEN],
        is_refused(SignInRefusal::BotChallenge),
    );
    check(
        vec![said("SUCCESSFUL"), tokens(), guard()],
        &[MOBILE, TOKEN, PROFILE],
        is_refused(SignInRefusal::BotChallenge),
    );
}

#[test]
fn a_profile_that_does_not_come_is_asked_for_three_times_and_costs_no_other_sign_in() {
    let out_of_order = || json_answer(503, &json!({}));
    let start = || vec![said("SUCCESSFUL"), tokens(), out_of_order(), Heard::Nothing];
    let paths = [MOBILE, TOKEN, PROFILE, PROFILE, PROFILE];
    let with = |last: Heard| start().into_iter().chain([last]).collect::<Vec<_>>();
    check(with(profile()), &paths, is_signed_in);
    check(with(out_of_order()), &paths, is_refused(SignInRefusal::Temporary));
    let unknown = SignInRefusal::Changed {
        path: "socialProfile: profileId".to_owned(),
    };
    check(
        vec![said("SUCCESSFUL"), tokens(), json_answer(200, &json!({"id": 1}))],
        &paths[..3],
        is_refused(unknown),
    );
}

#[track_caller]
fn check_code(pending: &Pending, answers: Vec<Heard>, paths: &[&str], wanted: impl FnOnce(mfa::Ended)) {
    let (hosts, mut pending) = (hosts(), pending.clone());
    let mut verifying = Verifying::new(&hosts, &mut pending, Secret::new("123456"));
    let (asked, ended) = play(&mut verifying, answers);
    assert_eq!(asked, paths);
    wanted(ended);
}

const MOBILE_CODE: &str = "/mobile/api/mfa/verifyCode";
const PORTAL_CODE: &str = "/portal/api/mfa/verifyCode";

#[test]
fn a_code_goes_by_its_own_path_and_by_the_other_only_when_it_was_not_heard() {
    let pending = |way| Pending::Json {
        way,
        method: "email".to_owned(),
        sent_to: None,
    };
    let mobile = pending(SignInMethod::Mobile);
    let no = || json_answer(429, &json!({}));
    let signed_in = |ended| assert!(matches!(ended, mfa::Ended::SignedIn(_)), "{ended:?}");
    let is = |wanted: mfa::Ended| move |ended| assert_eq!(ended, wanted);

    check_code(
        &mobile,
        vec![said("SUCCESSFUL"), tokens(), profile()],
        &[MOBILE_CODE, TOKEN, PROFILE],
        signed_in,
    );
    let by_other = [MOBILE_CODE, PORTAL_CODE, TOKEN, PROFILE];
    check_code(
        &mobile,
        vec![no(), said("SUCCESSFUL"), tokens(), profile()],
        &by_other,
        signed_in,
    );
    let by_other = [PORTAL_CODE, MOBILE_CODE, TOKEN, PROFILE];
    let answers = vec![page("<h1>"), said("SUCCESSFUL"), tokens(), profile()];
    check_code(&pending(SignInMethod::Portal), answers, &by_other, signed_in);
    check_code(
        &mobile,
        vec![said("INVALID_CODE")],
        &[MOBILE_CODE],
        is(mfa::Ended::WrongCode),
    );
    check_code(
        &mobile,
        vec![said("ACCOUNT_LOCKED")],
        &[MOBILE_CODE],
        is(mfa::Ended::Refused(SignInRefusal::AccountLocked)),
    );
    let both = [MOBILE_CODE, PORTAL_CODE];
    check_code(
        &mobile,
        vec![Heard::Nothing, no()],
        &both,
        is(mfa::Ended::NotHeard(limited())),
    );
    let refused = mfa::Ended::Refused(SignInRefusal::TokenNotAccepted);
    let answers = vec![said("SUCCESSFUL"), tokens(), json_answer(401, &json!({}))];
    check_code(&mobile, answers, &[MOBILE_CODE, TOKEN, PROFILE], is(refused));
}

#[test]
fn only_a_row_of_digits_is_sent_as_a_code() {
    let check = |typed: &str, wanted: Option<&str>| {
        assert_eq!(
            mfa::code_of(&Secret::new(typed)).as_ref().map(Secret::expose),
            wanted,
            "{typed}"
        );
    };
    check("123456", Some("123456"));
    check(" 123 456\n", Some("123456"));
    check("123-456", Some("123456"));
    check("123", None);
    check("12345678901", None);
    check("12345a", None);
    check("", None);
}

#[test]
fn a_challenge_closes_by_its_tries_and_by_its_age() {
    let start: jiff::Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let after = |minutes: i64| start + jiff::SignedDuration::from_mins(minutes);
    let person = Governor::new(GovernorSettings::default()).person("ann@example.org");
    let pending = Pending::Json {
        way: SignInMethod::Mobile,
        method: "email".to_owned(),
        sent_to: Some("a***@x".to_owned()),
    };
    let mut challenge = MfaChallenge::new(pending, Arc::default(), person, start);
    assert_eq!(
        challenge.instruction(),
        "Garmin sends a code by e-mail to a***@x. It may take a minute."
    );
    assert_eq!(challenge.closed(after(10)), None);
    assert_eq!(challenge.closed(after(11)), Some(SignInRefusal::ChallengeOver));
    for tries_left in [2, 1, 0] {
        assert_eq!(challenge.closed(start), None);
        assert_eq!(challenge.wrong_code(), SignInRefusal::WrongCode { tries_left });
    }
    assert_eq!(challenge.closed(start), Some(SignInRefusal::ChallengeOver));
}

#[test]
fn nothing_typed_is_printed() {
    assert!(!format!("{:?}", credentials()).contains("secret"));
}
