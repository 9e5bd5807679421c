//! Links as people paste them, with the changes that mail programs, chats and keyboards make.

use super::*;

const ID: &str = "11112222-3333-4444-8555-666677778888";
const TOKEN: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F";

fn hosts() -> GarminHosts {
    let url = |text: &str| Url::parse(text).unwrap();
    GarminHosts {
        livetrack: url("https://livetrack.garmin.com"),
        ..GarminHosts::at(&url("https://sso.garmin.com"))
    }
}

fn canonical() -> String {
    format!("https://livetrack.garmin.com/session/{ID}/token/{TOKEN}")
}

/// In a case, `#` is replaced with the usual link, `%` with its percent-encoded form, and `^` with its path.
fn filled(case: &str) -> String {
    let encoded = canonical().replace(':', "%3A").replace('/', "%2F");
    case.replace('%', &encoded)
        .replace('#', &canonical())
        .replace('^', &format!("session/{ID}/token/{TOKEN}"))
}

fn found(text: &str) -> Result<String, LinkProblem> {
    find(text, &hosts()).map(|pasted| match pasted {
        PastedLink::Complete(link) => link.url(&hosts().livetrack).to_string(),
        PastedLink::Short(code) => format!("short {code}"),
        PastedLink::Profile(name) => format!("profile {name}"),
    })
}

#[track_caller]
fn is_found(text: &str) {
    assert_eq!(found(text), Ok(canonical()), "{text}");
}

fn other_host(host: &str) -> LinkProblem {
    LinkProblem::OtherHost {
        host: host.to_owned(),
    }
}

#[test]
fn every_form_of_the_link_is_read() {
    for case in [
        "#",
        "  #\n",
        "#/",
        "#?utm=x",
        "http://livetrack.garmin.com/^",
        "livetrack.garmin.com/^",
        "https://LiveTrack.Garmin.com/^",
        "HTTPS://LIVETRACK.GARMIN.COM/^",
        "Https://livetrack.garmin.com/^",
        "https://livetrack.garmin.com/de-DE/^",
        "https://livetrack.garmin.com/en/^",
        "https://livetrack.garmin.com/zh_CN/^",
        "https://livetrack.garmin.com/es-419/^",
    ] {
        is_found(&filled(case));
    }
    for text in [
        format!("{}#map", canonical()),
        format!("https://livetrack.garmin.com/session/{ID}?token={TOKEN}"),
        format!("https://livetrack.garmin.com/pt-BR/session/{ID}?a=b&token={TOKEN}"),
        format!("https://livetrack.garmin.com/session/{ID}?a=b&amp;token={TOKEN}"),
        format!("https://livetrack.garmin.com/Session/{ID}/Token/{TOKEN}"),
    ] {
        is_found(&text);
    }
    assert_eq!(found("https://gar.mn/AbC-1"), Ok("short AbC-1".to_owned()));
    assert_eq!(found("www.gar.mn/AbC-1."), Ok("short AbC-1".to_owned()));
    assert_eq!(found("Watch me: gar.mn/AbC-1!"), Ok("short AbC-1".to_owned()));
    let profile = Ok("profile ann_example".to_owned());
    assert_eq!(found("https://live.garmin.com/ann_example"), profile);
    assert_eq!(found("live.garmin.com/ann_example/"), profile);
}

#[test]
fn marks_around_a_link_do_not_hide_it() {
    for case in [
        "<#>",
        "(#)",
        "(see #).",
        "[#]",
        "**#**",
        "*#*",
        "_#_",
        "~#~",
        "`#`",
        "\"#\"",
        "'#'",
        "«#»",
        "“#”",
        "Link:#",
        "Link:livetrack.garmin.com/^",
        "#, and more",
        "#;",
        "#!",
        "#…",
        "#。",
        "[my race](#)",
        "<#|Ann's race>",
        "<https://example.org/help|help> <#|race>",
        "Ann's race<#>",
        "<a href=\"#\">Follow</a>",
        "<a href='#'>Follow</a>",
        "<a href=#>Follow</a>",
        "\u{200b}#\u{200b}",
        "\u{2068}#\u{2069}",
        "\u{feff}#",
        "{\"url\":\"#\"}",
        "Ann started! Follow her: #, or https://gar.mn/abc. https://example.org/x",
        "&lt;#&gt;",
        "#&nbsp;",
    ] {
        is_found(&filled(case));
    }
    let split_by_marks = canonical().replace("/token/", "/\u{200b}token\u{ad}/");
    is_found(&split_by_marks);
    is_found(&canonical().replace('/', "\\/"));
    is_found(&canonical().replace('/', "&#x2F;").replace(':', "&#58;"));
}

#[test]
fn wrappers_are_opened() {
    for case in [
        "https://nam12.safelinks.protection.outlook.com/?url=%&data=05%7C02%7Cann&sdata=x%3D&reserved=0",
        "https://www.google.com/url?q=%&sa=D&source=gmail&ust=17&usg=AOv",
        "https://www.google.com/url?sa=t&url=%",
        "https://l.facebook.com/l.php?u=%&h=AT0",
        "https://slack-redir.net/link?url=%",
        "https://linkprotect.cudasvc.com/url?a=%&c=E,1,x",
        "https://secure-web.cisco.com/1abcDEF/%",
        "https://urldefense.com/v3/__#__;!!AbC-d!xyz$",
        "https://web.archive.org/web/2026/#",
    ] {
        // The placeholder for a percent-encoded link is `%` itself, so the cases' own escapes are inserted last.
        let text = filled(&case.replace("%7C", "\u{1}7C").replace("%3D", "\u{1}3D")).replace('\u{1}', "%");
        is_found(&text);
    }
    let proofpoint = canonical()
        .replace('-', "-2D")
        .replace(':', "-3A")
        .replace('/', "_");
    is_found(&format!(
        "https://urldefense.proofpoint.com/v2/url?u={proofpoint}&d=DwMFaQ&c=x"
    ));
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, canonical());
    is_found(&format!(
        "https://eu-west-1.protection.sophos.com?d=garmin.com&u={base64}&i=x"
    ));
    // A wrapper inside a wrapper: the inner one is encoded twice.
    let twice = canonical().replace(':', "%253A").replace('/', "%252F");
    is_found(&format!(
        "https://nam.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3D{twice}%26sa%3DD&data=x"
    ));
    is_found(&canonical().replace(':', "%3A").replace('/', "%2F"));
}

#[test]
fn a_link_broken_over_lines_is_joined() {
    let link = canonical();
    for at in [40, 60, 72, 81, 85, 100] {
        for line_break in ["\n", "\r\n", "\n  ", "\n> ", "\n>> "] {
            let (first, rest) = link.split_at(at);
            is_found(&format!("Follow me:\n{first}{line_break}{rest}\nAnn is running"));
        }
    }
    let text = format!(
        "<a href=3D\"https://livetrack.garmin.com/session/1111=\r\n2222-3333-4444-8555-666677778888=\n/token/{TOKEN}\">"
    );
    is_found(&text);
    is_found(&format!(
        "Content-Transfer-Encoding: quoted-printable\n\nhttps://livetrack.garmin.com/session/{ID}?token=3D{TOKEN}"
    ));
    is_found(&format!(
        "=E2=80=8Bhttps://livetrack.garmin.com/session/{ID}=E2=80=8B/tok=\nen/{TOKEN}=E2=80=8B"
    ));
    // The text on the next line is not part of the token.
    is_found(&format!("{link}\nADD"));
    is_found(&format!("{link}\nAnn"));
}

#[test]
fn a_token_that_looks_encoded_is_left_alone() {
    let tricky = format!("3D{}", &TOKEN[2..]);
    let expected = format!("https://livetrack.garmin.com/session/{ID}/token/{tricky}");
    let text = format!("https://livetrack.garmin.com/session/{ID}?token={tricky}");
    assert_eq!(found(&text), Ok(expected));
}

#[test]
fn a_wrong_host_is_named() {
    for (case, host) in [
        (
            "https://livetrack.garmin.com.example.org/^",
            "livetrack.garmin.com.example.org",
        ),
        ("https://livetrack.garmin.com@example.org/^", "example.org"),
        ("https://user@livetrack.garmin.com/^", "livetrack.garmin.com"),
        ("https://livetrack.garmin.com:8443/^", "livetrack.garmin.com"),
        ("https://livetrack.gаrmin.com/^", "livetrack.g"),
        ("https://example.org\\@livetrack.garmin.com/^", "example.org"),
        ("https://xlivetrack.garmin.com/^", "xlivetrack.garmin.com"),
        ("https://connect.garmin.com/^", "connect.garmin.com"),
        ("https://127.0.0.1/^", "127.0.0.1"),
        ("https://www.strava.com/beacon/abc", "www.strava.com"),
        ("https://gar.mn:81/abc", "gar.mn"),
        ("https://gar.mn/", "gar.mn"),
        ("https://live.garmin.com/a/b", "live.garmin.com"),
    ] {
        assert_eq!(found(&filled(case)), Err(other_host(host)), "{case}");
    }
    let message = other_host("www.strava.com").to_string();
    assert!(message.contains("leads to www.strava.com"), "{message}");
}

#[test]
fn what_is_missing_is_told() {
    for (text, problem) in [
        ("", LinkProblem::Missing),
        ("follow me", LinkProblem::Missing),
        ("https://", LinkProblem::Missing),
        ("https://example.org/x", other_host("example.org")),
        ("https://livetrack.garmin.com/", LinkProblem::Incomplete),
        (
            "https://livetrack.garmin.com/session/1111/token/AA",
            LinkProblem::Incomplete,
        ),
        (
            &format!("https://livetrack.garmin.com/session/{ID}"),
            LinkProblem::Incomplete,
        ),
        (
            &format!("https://livetrack.garmin.com/session/{ID}/token/"),
            LinkProblem::Incomplete,
        ),
        (
            &format!("https://livetrack.garmin.com/a/b/session/{ID}/token/{TOKEN}"),
            LinkProblem::Incomplete,
        ),
    ] {
        assert_eq!(found(text), Err(problem), "{text}");
    }
}

#[test]
fn a_simulated_host_takes_its_own_links() {
    let base = Url::parse("http://127.0.0.1:4711").unwrap();
    let hosts = GarminHosts::at(&base);
    for start in ["http://", ""] {
        let text = format!("{start}127.0.0.1:4711/session/{ID}/token/{TOKEN}");
        let Ok(PastedLink::Complete(link)) = find(&text, &hosts) else {
            panic!("no link in {text}")
        };
        assert_eq!(link.session_id, ID);
    }
    let elsewhere = format!("http://127.0.0.1:4712/session/{ID}/token/{TOKEN}");
    assert_eq!(find(&elsewhere, &hosts), Err(other_host("127.0.0.1")));
}

/// Work that grew with the square of the length would take 64 times as long for eight times the text.
#[test]
fn work_for_a_hostile_text_grows_no_faster_than_its_length() {
    let shortest = |text: &str| {
        let times = (0..3).map(|_| {
            let started = std::time::Instant::now();
            drop(find(text, &hosts()));
            started.elapsed()
        });
        times.min().unwrap()
    };
    for (part, count) in [
        ("https://", 2_500),
        ("https://livetrack.garmin.com/session/\n", 500),
        ("%25", 5_000),
        ("u=https-3A__", 1_250),
        ("aHR0c", 2_500),
        ("&#", 5_000),
    ] {
        let (one, eight) = (shortest(&part.repeat(count)), shortest(&part.repeat(8 * count)));
        assert!(eight < one * 32, "{part}: {one:?}, {eight:?}");
    }
}

#[test]
fn debug_output_hides_the_token() {
    let link = LiveTrackLink::new(ID, TOKEN).unwrap();
    assert!(!format!("{link:?}").contains(TOKEN));
}

proptest::proptest! {
    #[test]
    fn any_text_is_searched_and_only_garmins_host_comes_out(text in ".{0,200}") {
        if let Ok(PastedLink::Complete(link)) = find(&text, &hosts()) {
            assert_eq!(link.url(&hosts().livetrack).host_str(), Some("livetrack.garmin.com"));
        }
    }

    #[test]
    fn a_link_is_found_in_any_text(before in "[^/.:&=%\\\\-]{0,40}", after in "[ \n.,!)>\"]{0,5}") {
        let text = format!("{before} {}{after}", canonical());
        assert_eq!(found(&text), Ok(canonical()), "{text:?}");
    }
}

#[test]
fn an_old_link_does_not_hide_the_new_one() {
    let hosts = hosts();
    let other = format!(
        "https://livetrack.garmin.com/session/{}/token/{TOKEN}",
        ID.replace('1', "9")
    );
    let sessions = |text: &str| -> Vec<String> {
        let found = find_all(text, &hosts).unwrap().into_iter();
        let session = |pasted| match pasted {
            PastedLink::Complete(link) => link.session_id,
            PastedLink::Short(code) | PastedLink::Profile(code) => code,
        };
        found.map(session).collect()
    };
    let (old, new) = (ID.replace('1', "9"), ID.to_owned());
    let both = format!("yesterday: {other}, today: {}", canonical());
    assert_eq!(sessions(&both), [old.clone(), new.clone()]);
    // An HTML mail has each link several times, and short links to other pages.
    let mail = format!(
        "gar.mn/app {both}\n<a href=\"{}\">{}</a>",
        canonical(),
        canonical()
    );
    assert_eq!(sessions(&mail), [old, new, "app".to_owned()]);
    let link = |n: u8| canonical().replace('1', &n.to_string());
    let many = (0..9).map(link).collect::<Vec<_>>().join(" ");
    assert_eq!(sessions(&many).len(), MAX_LINKS);
    assert_eq!(find_all("nothing", &hosts), Err(LinkProblem::Missing));
}
