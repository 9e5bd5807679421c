use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn governor() -> (Governor, PersonKey, CredentialsHash) {
    let governor = Governor::new(GovernorSettings {
        daily: 2,
        ..GovernorSettings::default()
    });
    let person = governor.person("Ann@Example.org ");
    let credentials = governor.credentials_hash(person, &Secret::new("right"));
    (governor, person, credentials)
}

fn granted(methods: &[SignInMethod]) -> SignInAdmission {
    SignInAdmission::Granted {
        methods: methods.to_vec(),
        skipped: vec![],
    }
}

#[test]
fn an_e_mail_is_the_same_person_however_it_is_written() {
    let (governor, person, _) = governor();
    assert_eq!(governor.person("ann@example.org"), person);
    assert_ne!(governor.person("bob@example.org"), person);
}

#[test]
fn attempts_are_counted_over_the_last_24_hours() {
    let (mut governor, person, credentials) = governor();
    governor.count_attempt(person, None, at(0));
    governor.count_attempt(person, None, at(100));
    let full = SignInAdmission::Refused(SignInRefusal::TooManyToday { until: at(86_400) });
    assert_eq!(governor.admit(person, credentials, None, at(200)), full);
    let other = governor.person("bob@example.org");
    assert_eq!(
        governor.admit(other, credentials, None, at(200)),
        granted(&SignInMethod::ALL)
    );
    assert_eq!(
        governor.admit(person, credentials, None, at(86_400)),
        granted(&SignInMethod::ALL)
    );
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Six attempts a day for one source, nine for all, and twelve including those from known sources.
fn with_sources() -> (Governor, PersonKey, CredentialsHash) {
    let governor = Governor::new(GovernorSettings {
        daily: 6,
        ..GovernorSettings::default()
    });
    let person = governor.person("ann@example.org");
    let hash = governor.credentials_hash(person, &Secret::new("right"));
    (governor, person, hash)
}

fn fill(governor: &mut Governor, person: PersonKey, hash: CredentialsHash, source: SourceKey) -> usize {
    (0..50)
        .take_while(|_| {
            let admitted = governor.admit(person, hash, Some(source), at(0)) == granted(&SignInMethod::ALL);
            if admitted {
                governor.count_attempt(person, Some(source), at(0));
            }
            admitted
        })
        .count()
}

#[test]
fn a_stranger_cannot_use_up_the_attempts_of_other_sources() {
    let (mut governor, person, hash) = with_sources();
    let [stranger, own, other] = [1, 2, 3].map(|last| governor.source(address(last)));
    assert_eq!(fill(&mut governor, person, hash, stranger), 6);
    assert_eq!(fill(&mut governor, person, hash, own), 3);
    assert_eq!(fill(&mut governor, person, hash, other), 0);
}

#[test]
fn a_source_that_signed_in_before_keeps_attempts_to_itself() {
    let (mut governor, person, hash) = with_sources();
    let own = governor.source(address(1));
    governor.signed_in(person, Some(own), at(0));
    for last in 2..50 {
        let stranger = governor.source(address(last));
        fill(&mut governor, person, hash, stranger);
    }
    assert_eq!(fill(&mut governor, person, hash, own), 3);
    // The source stays known for longer than attempts count.
    let (shared, history) = governor.records(person);
    let mut later = Governor::restore(governor.settings.clone(), shared, [(person, history)]);
    let three_months = 89 * 86_400;
    later.drop_expired(at(three_months));
    assert!(later.people[&person].is_known(Some(own)));
    later.drop_expired(at(three_months + 2 * 86_400));
    assert!(later.people.is_empty());
}

#[test]
fn addresses_of_one_subscriber_are_one_source() {
    let (governor, ..) = with_sources();
    let source = |text: &str| governor.source(text.parse().unwrap());
    assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
    assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
}

#[test]
fn known_sources_of_one_person_are_few() {
    let (mut governor, person, _) = with_sources();
    for last in 0..100 {
        let source = governor.source(address(last));
        governor.signed_in(person, Some(source), at(i64::from(last)));
    }
    assert_eq!(governor.people[&person].known_sources.len(), MAX_KNOWN_SOURCES);
    assert!(governor.people[&person].is_known(Some(governor.source(address(99)))));
}

#[test]
fn a_record_from_before_sources_is_still_read() {
    let old =
        r#"{"reached":["2026-11-20T12:00:00Z"],"wrong":[],"unfruitful":[["mobile","2026-11-20T12:00:00Z"]]}"#;
    let history: PersonHistory = serde_json::from_str(old).unwrap();
    assert_eq!(history.reached.len(), 1);
    assert!(history.known_sources.is_empty());
}

#[test]
fn a_wrong_password_is_not_sent_again_for_a_while() {
    let (mut governor, person, credentials) = governor();
    governor.wrong_password(person, credentials, at(0));
    assert_eq!(
        governor.admit(person, credentials, None, at(60)),
        SignInAdmission::Refused(SignInRefusal::SamePasswordAgain)
    );
    let another = governor.credentials_hash(person, &Secret::new("another"));
    assert_eq!(
        governor.admit(person, another, None, at(60)),
        granted(&SignInMethod::ALL)
    );
    assert_eq!(
        governor.admit(person, credentials, None, at(900)),
        granted(&SignInMethod::ALL)
    );
}

#[test]
fn a_throttled_method_is_left_out_and_all_throttled_is_a_refusal() {
    let (mut governor, person, credentials) = governor();
    governor.throttled(Some(SignInMethod::Mobile), Some(Duration::from_secs(60)), at(0));
    assert_eq!(
        governor.admit(person, credentials, None, at(1)),
        SignInAdmission::Granted {
            methods: vec![SignInMethod::Widget, SignInMethod::Portal],
            skipped: vec![(
                SignInMethod::Mobile,
                SignInRefusal::RateLimited { until: Some(at(60)) }
            )],
        }
    );
    governor.throttled(None, None, at(2));
    let refused = SignInAdmission::Refused(SignInRefusal::RateLimited {
        until: Some(at(3602)),
    });
    assert_eq!(governor.admit(person, credentials, None, at(61)), refused);
    assert_eq!(
        governor.admit(person, credentials, None, at(3602)),
        granted(&SignInMethod::ALL)
    );
}

#[test]
fn a_shorter_wait_does_not_undo_a_longer_one() {
    let (mut governor, ..) = governor();
    governor.throttled(None, Some(Duration::from_secs(500)), at(0));
    governor.throttled(None, Some(Duration::from_secs(5)), at(0));
    assert_eq!(governor.all_cooling_until(), Some(at(500)));
}

#[test]
fn a_method_whose_token_was_refused_comes_last() {
    let (mut governor, person, credentials) = governor();
    governor.token_refused(person, SignInMethod::Mobile, at(0));
    assert_eq!(
        governor.admit(person, credentials, None, at(1)),
        granted(&[SignInMethod::Widget, SignInMethod::Portal, SignInMethod::Mobile])
    );
    assert_eq!(
        governor.admit(person, credentials, None, at(86_401)),
        granted(&SignInMethod::ALL)
    );
}

#[test]
fn people_are_forgotten_when_their_records_expire() {
    let (mut governor, person, credentials) = governor();
    governor.count_attempt(person, None, at(0));
    governor.wrong_password(person, credentials, at(0));
    governor.drop_expired(at(200_000));
    assert!(governor.people.is_empty());
}
