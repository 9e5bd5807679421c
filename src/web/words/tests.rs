//! Checks that every language has all texts, with the same placeholders.

use jiff::Timestamp;

use super::*;
use crate::garmin::{SignInMethod, SignInRefusal};
use crate::oauth::{AuthorizeRefusal, SignInNotice};

/// All texts of a language, in the order of the table.
fn texts(words: &SiteWords) -> Vec<String> {
    let text = format!("{words:?}").replace("\\u{a0}", "\u{a0}");
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names in braces of a sentence.
fn names(sentence: &str) -> Vec<&str> {
    let parts = sentence.split('{').skip(1);
    let mut names: Vec<&str> = parts.filter_map(|part| Some(part.split_once('}')?.0)).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_language_says_everything_in_its_own_words() {
    let english = texts(SiteWords::english());
    assert!(english.len() > 300, "{}", english.len());
    for words in &SiteWords::all()[1..] {
        let own = texts(words);
        assert_eq!(own.len(), english.len(), "{}", words.code);
        for (own, english) in own.iter().zip(&english) {
            assert!(!own.trim().is_empty(), "{}: {english}", words.code);
            assert_eq!(names(own), names(english), "{}: {own}", words.code);
            let is_sentence = english.split(' ').count() > 2;
            assert!(
                !is_sentence || own != english,
                "{}: not translated: {english}",
                words.code
            );
        }
    }
}

/// The readers of these pages can't change the gateway's settings.
#[test]
fn no_text_names_a_setting() {
    for words in SiteWords::all() {
        for text in texts(words) {
            let named = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
            let setting = named
                .into_iter()
                .find(|word| word.trim_matches('_').contains('_'));
            assert_eq!(setting, None, "{}: {text}", words.code);
        }
    }
}

#[test]
fn the_reader_chooses_the_language() {
    for (wanted, code) in [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("pt-BR, fr;q=0.5, it;q=0.7", "it"),
        ("es;q=0, nl", "en"),
        ("", "en"),
    ] {
        assert_eq!(SiteWords::wanted(wanted).code, code, "{wanted}");
    }
    for words in SiteWords::all() {
        assert_eq!(SiteWords::named(words.code).unwrap().name, words.name);
    }
    assert!(SiteWords::named("klingon").is_none());
}

fn notices() -> Vec<SignInNotice> {
    let at: Timestamp = "2026-11-21T14:29:30Z".parse().unwrap();
    let refusals = [
        SignInRefusal::WrongCredentials,
        SignInRefusal::AccountLocked,
        SignInRefusal::Restricted,
        SignInRefusal::BotChallenge,
        SignInRefusal::RateLimited { until: Some(at) },
        SignInRefusal::RateLimited { until: None },
        SignInRefusal::TooManyToday { until: at },
        SignInRefusal::Busy,
        SignInRefusal::NotACode,
        SignInRefusal::WrongCode { tries_left: 2 },
        SignInRefusal::WrongCode { tries_left: 0 },
        SignInRefusal::ChallengeOver,
        SignInRefusal::TokenNotAccepted,
        SignInRefusal::TicketRefused,
        SignInRefusal::Temporary,
        SignInRefusal::Unreachable,
        SignInRefusal::RequestRejected,
        SignInRefusal::Unexplained { status: 401 },
        SignInRefusal::Changed {
            path: "mobile login: responseStatus.type".to_owned(),
        },
        SignInRefusal::Exhausted {
            methods: vec![(SignInMethod::Widget, SignInRefusal::BotChallenge)],
        },
    ];
    let mut notices: Vec<_> = refusals.map(SignInNotice::Refused).into();
    notices.extend([
        SignInNotice::NoEmail,
        SignInNotice::NoPassword,
        SignInNotice::NotKept,
    ]);
    notices
}

#[test]
fn every_failure_has_its_own_words() {
    let what = || "the parameter is missing".to_owned();
    let refusals = [
        AuthorizeRefusal::Malformed { what: what() },
        AuthorizeRefusal::UnknownClient,
        AuthorizeRefusal::UnreadableClient {
            host: "app.example.org".to_owned(),
        },
        AuthorizeRefusal::ForeignHost,
        AuthorizeRefusal::ForeignApp,
        AuthorizeRefusal::BadRedirect { what: what() },
        AuthorizeRefusal::OtherRedirect,
        AuthorizeRefusal::NotYours,
        AuthorizeRefusal::OutOfTries(Some(SignInNotice::Refused(SignInRefusal::Unreachable))),
        AuthorizeRefusal::TooManyClicks,
        AuthorizeRefusal::NoRoom,
        AuthorizeRefusal::Withdrawn,
        AuthorizeRefusal::Finished,
        AuthorizeRefusal::Cancelled,
        AuthorizeRefusal::Internal,
    ];
    for words in SiteWords::all() {
        let mut told: Vec<String> = notices()
            .iter()
            .map(|notice| words.notice(notice, "Olga"))
            .collect();
        told.extend(refusals.iter().map(|refusal| words.refusal(refusal, "Olga").text));
        let n_told = told.len();
        for text in &told {
            assert!(text.len() > 20 && !text.contains(['{', '}']), "{text}");
        }
        told.sort();
        told.dedup();
        assert_eq!(told.len(), n_told, "{}: two share a text", words.code);
        let malformed = words.refusal(&refusals[0], "Olga");
        assert_eq!(malformed.technical.as_deref(), Some("the parameter is missing"));
        assert!(!malformed.text.contains("parameter"));
        let tried = words.refusal(&refusals[8], "Olga").text;
        let unreachable = SignInNotice::Refused(SignInRefusal::Unreachable);
        assert!(tried.starts_with(&words.notice(&unreachable, "Olga")), "{tried}");
    }
}

#[test]
fn a_wrong_password_reads_like_a_missing_invitation() {
    for words in SiteWords::all() {
        let told = |refusal| words.notice(&SignInNotice::Refused(refusal), "Olga");
        let wrong = told(SignInRefusal::WrongCredentials);
        assert_eq!(wrong, told(SignInRefusal::SamePasswordAgain));
        assert!(wrong.contains("Olga"), "{wrong}");
    }
}

#[test]
fn times_are_rounded_up_and_written_as_people_do() {
    let told = |code: &str, at: &str| {
        let until = Some(at.parse().unwrap());
        let limited = SignInNotice::Refused(SignInRefusal::RateLimited { until });
        SiteWords::named(code).unwrap().notice(&limited, "Olga")
    };
    let at = "2026-11-21T14:29:30Z";
    for (code, at, expected) in [
        ("en", at, "after 14:30 UTC on 21 November."),
        ("de", at, "nach 14:30 UTC am 21. November wieder"),
        ("fr", "2026-12-31T23:59:01Z", "après 00:00 UTC le 1er janvier."),
        ("es", at, "después de las 14:30 UTC del 21 de noviembre."),
        ("it", at, "dopo le 14:30 UTC del 21 novembre."),
    ] {
        assert!(told(code, at).contains(expected), "{}", told(code, at));
    }
}

#[test]
fn dates_and_numbers_are_written_as_people_do() {
    let at = |text: &str| text.parse::<jiff::Zoned>().unwrap();
    for (code, at, expected, number) in [
        (
            "en",
            at("2026-11-21T14:05[UTC]"),
            "21 November 2026, 14:05",
            "1,095",
        ),
        (
            "de",
            at("2026-11-01T14:05[UTC]"),
            "1. November 2026, 14:05",
            "1.095",
        ),
        (
            "fr",
            at("2026-11-01T14:05[UTC]"),
            "1er novembre 2026 à 14:05",
            "1\u{202f}095",
        ),
        (
            "es",
            at("2026-11-01T14:05[UTC]"),
            "1 de noviembre de 2026, 14:05",
            "1095",
        ),
        (
            "it",
            at("2026-11-01T14:05[UTC]"),
            "1º novembre 2026, 14:05",
            "1.095",
        ),
    ] {
        let words = SiteWords::named(code).unwrap();
        assert_eq!(words.date_and_time(&at), expected);
        assert_eq!(words.number(1_095), number, "{code}");
        assert_eq!(words.number(95), "95");
    }
    let spanish = SiteWords::named("es").unwrap();
    assert_eq!(spanish.number(1_234_567), "1\u{202f}234\u{202f}567");
}
