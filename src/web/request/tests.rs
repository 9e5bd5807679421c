use http::HeaderValue;
use proptest::prelude::*;

use super::*;

proptest! {
    /// No header causes a panic.
    #[test]
    fn arbitrary_headers_never_panic(value in "[ -~]{0,80}") {
        let exchange = with(&[("cookie", &value), ("accept", &value), ("content-type", &value)]);
        exchange.check_headers().ok();
        exchange.cookie("gateway");
        exchange.wants_html();
        exchange.is_form();
    }
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn with(lines: &[(&str, &str)]) -> Exchange {
    Exchange {
        id: RequestId::default(),
        method: Method::GET,
        query: String::new(),
        headers: headers(lines),
        posted_language: None,
        connection: None,
        body: None,
    }
}

#[test]
fn ambiguous_headers_are_refused() {
    let check = |lines: &[(&str, &str)], expected| {
        assert_eq!(check_headers(&headers(lines)), expected, "{lines:?}");
    };
    check(&[("host", "a"), ("accept", "b"), ("user-agent", "c")], Ok(()));
    check(
        &[("accept", "text/event-stream"), ("accept", "application/json")],
        Ok(()),
    );
    check(
        &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")],
        Ok(()),
    );
    check(&[("x_forwarded_for", "1.1.1.1")], Err(Smuggled::Underscore));
    check(&[("content_length", "0")], Err(Smuggled::Underscore));
    for name in ONCE {
        check(
            &[(name.as_str(), "a"), (name.as_str(), "a")],
            Err(Smuggled::Doubled),
        );
        check(&[(name.as_str(), "caf\u{e9}")], Err(Smuggled::NotText));
    }
}

#[test]
fn doubled_cookies_count_as_none() {
    let check = |lines: &[(&str, &str)], expected| {
        assert_eq!(with(lines).cookie("gateway"), expected, "{lines:?}");
    };
    check(&[], None);
    check(&[("cookie", "gateway=abc")], Some("abc"));
    check(&[("cookie", "a=1; gateway=abc; b=2")], Some("abc"));
    check(&[("cookie", "a=1"), ("cookie", "gateway=abc")], Some("abc"));
    check(&[("cookie", "__Host-gateway=abc; notgateway=x; gatewa=y")], None);
    check(&[("cookie", "gateway=abc; gateway=evil")], None);
    check(&[("cookie", "gateway=abc"), ("cookie", "gateway=evil")], None);
}

#[test]
fn browsers_accept_html() {
    let check = |accept: &str, expected| {
        assert_eq!(with(&[("accept", accept)]).wants_html(), expected, "{accept}");
    };
    check(
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        true,
    );
    check("TEXT/HTML", true);
    check("*/*", false);
    check("application/json, text/event-stream", false);
    assert!(!with(&[]).wants_html());
    let lines = with(&[("accept", "application/json"), ("accept", "text/event-stream")]);
    assert_eq!(
        lines.accept().as_deref(),
        Some("application/json, text/event-stream")
    );
}

#[test]
fn forms_are_known_by_their_type() {
    let check = |value: &str, expected| {
        assert_eq!(with(&[("content-type", value)]).is_form(), expected, "{value}");
    };
    check("application/x-www-form-urlencoded", true);
    check("Application/X-WWW-Form-Urlencoded; charset=UTF-8", true);
    check("application/json", false);
    check("multipart/form-data; boundary=x", false);
    check("application/x-www-form-urlencoded-not", false);
    assert!(with(&[]).is_form());
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let mut exchange = with(&[]);
    exchange.body = Some(Box::pin(futures_util::stream::pending()));
    assert_eq!(
        exchange.body(4, Duration::from_millis(5)).await,
        Err(BodyError::TooSlow)
    );
    let mut oversized = with(&[("content-length", "5")]);
    oversized.body = Some(Box::pin(futures_util::stream::pending()));
    assert_eq!(
        oversized.body(4, Duration::from_millis(5)).await,
        Err(BodyError::TooLarge)
    );
}
