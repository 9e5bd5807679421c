//! The request headers that MCP's transport defines rules for, and those rules.

use std::{borrow::Cow, net::IpAddr};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::error::McpError;

/// Request headers as text. The HTTP layer refuses a header that was sent twice or is not text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestHeaders<'a> {
    pub protocol_version: Option<&'a str>,
    pub mcp_method: Option<&'a str>,
    /// The header `Mcp-Name`, still encoded; see [`decoded`].
    pub mcp_name: Option<&'a str>,
    pub accept: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub host: Option<&'a str>,
}

/// The response formats that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepts {
    pub json: bool,
    /// The client accepts an event stream.
    pub stream: bool,
}

/// The host names by which clients reach the gateway.
#[derive(Debug, Clone)]
pub struct PublicHosts {
    /// The origin of `PUBLIC_URL`, e.g. `https://garmin.example.com`.
    origin: String,
    /// The host name of the origin, without the port.
    host: String,
}

/// Origins of foreign web pages that may call the gateway.
const CLAUDE_ORIGINS: [&str; 2] = ["https://claude.ai", "https://claude.com"];

impl PublicHosts {
    /// `origin` is the origin of `PUBLIC_URL`: scheme, host, and the port unless it is the default.
    pub fn new(origin: &str) -> Self {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        PublicHosts {
            origin: origin.to_owned(),
            host: without_port(host).to_owned(),
        }
    }

    /// Checks `Host` and `Origin`. `Host` must be the gateway's name or a loopback name. `Origin` must be absent, the
    /// gateway's, or Claude's. If `PUBLIC_URL` itself is a loopback address, any loopback origin is allowed.
    pub fn check(&self, headers: &RequestHeaders<'_>) -> Result<(), McpError> {
        if let Some(host) = headers.host {
            let host = without_port(host.trim());
            if !host.eq_ignore_ascii_case(&self.host) && !is_loopback(host) {
                return Err(McpError::ForeignHost);
            }
        }
        let Some(origin) = headers.origin.map(str::trim) else {
            return Ok(());
        };
        let ours = origin.eq_ignore_ascii_case(&self.origin)
            || CLAUDE_ORIGINS
                .iter()
                .any(|claude| origin.eq_ignore_ascii_case(claude));
        let local = is_loopback(&self.host)
            && origin.split_once("://").is_some_and(|(scheme, host)| {
                matches!(scheme, "http" | "https") && is_loopback(without_port(host))
            });
        if ours || local {
            Ok(())
        } else {
            Err(McpError::ForeignOrigin)
        }
    }
}

/// The host name in `host:port`. A bracketed IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl RequestHeaders<'_> {
    /// The formats in `Accept`. A missing header, or `*/*`, accepts both.
    pub fn accepts(&self) -> Result<Accepts, McpError> {
        let Some(accept) = self.accept.filter(|accept| !accept.trim().is_empty()) else {
            return Ok(Accepts {
                json: true,
                stream: true,
            });
        };
        let mut accepts = Accepts {
            json: false,
            stream: false,
        };
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let excluded = parts.any(|part| {
                part.split_once('=').is_some_and(|(name, quality)| {
                    name.trim().eq_ignore_ascii_case("q")
                        && quality.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
                })
            });
            if !excluded {
                let is = |names: [&str; 3]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
                accepts.json |= is(["application/json", "application/*", "*/*"]);
                accepts.stream |= is(["text/event-stream", "text/*", "*/*"]);
            }
        }
        if accepts.json || accepts.stream {
            Ok(accepts)
        } else {
            Err(McpError::NotAcceptable)
        }
    }

    /// Accepts JSON, and bodies without a content type.
    pub fn check_content_type(&self) -> Result<(), McpError> {
        let Some(content_type) = self.content_type else {
            return Ok(());
        };
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let json = kind.eq_ignore_ascii_case("application/json") || kind.is_empty();
        if json {
            Ok(())
        } else {
            Err(McpError::UnsupportedMediaType)
        }
    }
}

/// Decodes `Mcp-Name`: plain text, or UTF-8 in padded Base64 between `=?base64?` and `?=`.
///
/// Source: 2026-07-28 `basic/transports/streamable-http`, *Value Encoding*.
pub fn decoded(value: &str) -> Result<Cow<'_, str>, McpError> {
    let value = value.trim_matches([' ', '\t']);
    let Some(encoded) = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    else {
        return if value
            .bytes()
            .all(|byte| (0x20..0x7f).contains(&byte) || byte == b'\t')
        {
            Ok(Cow::Borrowed(value))
        } else {
            Err(McpError::HeaderMismatch(
                "Mcp-Name holds characters that must be Base64 encoded".into(),
            ))
        };
    };
    STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Cow::Owned)
        .ok_or(McpError::HeaderMismatch(
            "Mcp-Name is not valid Base64 of UTF-8".into(),
        ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Clients send many variants of `Accept`. Only a header that excludes both formats is refused.
    #[test]
    fn accept_is_read_leniently() {
        for (accept, expected) in [
            (None, Some((true, true))),
            (Some(""), Some((true, true))),
            (Some("*/*"), Some((true, true))),
            (Some("application/json, text/event-stream"), Some((true, true))),
            (
                Some("text/event-stream;q=0.9,Application/JSON"),
                Some((true, true)),
            ),
            (Some("application/json"), Some((true, false))),
            (Some("text/event-stream"), Some((false, true))),
            (
                Some("application/json, text/event-stream;q=0"),
                Some((true, false)),
            ),
            (Some("text/*"), Some((false, true))),
            (Some("text/html"), None),
            (Some("application/json;q=0.0"), None),
        ] {
            let headers = RequestHeaders {
                accept,
                ..RequestHeaders::default()
            };
            let seen = headers.accepts().map(|accepts| (accepts.json, accepts.stream));
            assert_eq!(seen.ok(), expected, "{accept:?}");
            assert_eq!(
                headers.accepts().err().map(|error| error.status()),
                expected.is_none().then_some(406)
            );
        }
    }

    #[test]
    fn bodies_are_json() {
        for (content_type, expected) in [
            (None, true),
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
        ] {
            let headers = RequestHeaders {
                content_type,
                ..RequestHeaders::default()
            };
            assert_eq!(headers.check_content_type().is_ok(), expected, "{content_type:?}");
        }
    }

    /// Requests with a foreign `Origin` or `Host` are refused.
    #[test]
    fn foreign_pages_and_foreign_names_are_refused() {
        let check = |public: &str, host: Option<&str>, origin: Option<&str>| {
            let headers = RequestHeaders {
                origin,
                host,
                ..RequestHeaders::default()
            };
            PublicHosts::new(public)
                .check(&headers)
                .map_err(|error| error.status())
        };
        let public = "https://garmin.example.com";
        for (host, origin, expected) in [
            (Some("garmin.example.com"), None, Ok(())),
            (Some("Garmin.Example.com:443"), None, Ok(())),
            (Some("127.0.0.1:8080"), None, Ok(())),
            (Some("localhost"), None, Ok(())),
            (Some("[::1]:8080"), None, Ok(())),
            (None, None, Ok(())),
            (Some("evil.example.com"), None, Err(403)),
            (Some("garmin.example.com.evil.com"), None, Err(403)),
            (Some("localhost.evil.com"), None, Err(403)),
            (Some("127.0.0.1.evil.com"), None, Err(403)),
            (Some(""), None, Err(403)),
            (
                Some("garmin.example.com"),
                Some("https://garmin.example.com"),
                Ok(()),
            ),
            (Some("garmin.example.com"), Some("https://claude.ai"), Ok(())),
            (Some("garmin.example.com"), Some("https://claude.com"), Ok(())),
            (
                Some("garmin.example.com"),
                Some("http://garmin.example.com"),
                Err(403),
            ),
            (
                Some("garmin.example.com"),
                Some("https://garmin.example.com.evil.com"),
                Err(403),
            ),
            (
                Some("garmin.example.com"),
                Some("http://localhost:6274"),
                Err(403),
            ),
            (Some("garmin.example.com"), Some("null"), Err(403)),
            (Some("garmin.example.com"), Some(""), Err(403)),
        ] {
            assert_eq!(check(public, host, origin), expected, "{host:?} {origin:?}");
        }
        for (host, origin, expected) in [
            (Some("localhost:8080"), Some("http://localhost:8080"), Ok(())),
            (Some("localhost:8080"), Some("http://localhost:6274"), Ok(())),
            (Some("127.0.0.1:8080"), Some("http://[::1]:1"), Ok(())),
            (Some("localhost:8080"), Some("http://evil.example.com"), Err(403)),
            (
                Some("evil.example.com"),
                Some("http://evil.example.com"),
                Err(403),
            ),
            (
                Some("localhost:8080"),
                Some("chrome-extension://localhost"),
                Err(403),
            ),
        ] {
            assert_eq!(
                check("http://localhost:8080", host, origin),
                expected,
                "{host:?} {origin:?}"
            );
        }
    }

    /// The encodings are those of the specification's own table.
    #[test]
    fn header_values_are_decoded() {
        for (value, expected) in [
            ("us-west1", Some("us-west1")),
            ("  get_stats\t", Some("get_stats")),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", Some("Hello, 世界")),
            ("=?base64?IHBhZGRlZCA=?=", Some(" padded ")),
            ("=?base64?bGluZTEKbGluZTI=?=", Some("line1\nline2")),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", Some("=?base64?literal?=")),
            ("=?BASE64?SGk=?=", Some("=?BASE64?SGk=?=")),
            ("=?base64?SGVsbG8=", Some("=?base64?SGVsbG8=")),
            ("=?base64??=", Some("")),
            ("=?base64?SGVsbG8?=", None),
            ("=?base64?SGVs!!!bG8=?=", None),
            ("=?base64?/w==?=", None),
            ("naïve", None),
            ("a\u{1}b", None),
        ] {
            assert_eq!(decoded(value).ok().as_deref(), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_name_survives_its_encoding(name in ".*") {
            let header = format!("=?base64?{}?=", STANDARD.encode(&name));
            let decoded = decoded(&header).unwrap();
            prop_assert_eq!(decoded.as_ref(), name.as_str());
        }

        #[test]
        fn arbitrary_headers_never_panic(text in ".*") {
            drop(decoded(&text));
            let headers = RequestHeaders {
                accept: Some(&text), content_type: Some(&text),
                host: Some(&text), origin: Some(&text), ..RequestHeaders::default()
            };
            drop(headers.accepts());
            drop(headers.check_content_type());
            drop(PublicHosts::new("https://a.example").check(&headers));
        }
    }
}
