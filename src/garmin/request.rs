//! One request to Garmin, as data: its content, and which of Garmin's own clients it imitates.
//!
//! Invariant: a body may hold a password, so it is written into a buffer that is wiped when it is dropped or
//! reallocated. The buffer itself is passed to the socket; no copy remains on this process's heap.

use std::io;

use reqwest::Method;
use serde::Serialize;
use url::Url;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// User agent of a desktop browser, for pages made for browsers.
pub(super) const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";

/// The `Accept` header of a browser that opens a page.
pub(super) const ACCEPT_PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The `Accept` header of Garmin's own scripts and apps.
pub(super) const ACCEPT_JSON: &str = "application/json, text/plain, */*";

pub(super) struct GarminRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<RequestBody>,
}

impl GarminRequest {
    pub(super) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(super) fn post(url: Url, body: RequestBody) -> Self {
        Self {
            method: Method::POST,
            body: Some(body),
            ..Self::get(url)
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the headers of the phone app that the tokens were issued to.
    pub(super) fn like_app(mut self) -> Self {
        let headers = APP_HEADERS.map(|(name, value)| (name, value.to_owned()));
        self.headers.extend(headers);
        self
    }

    /// Adds the headers of a browser that opens a page.
    pub(super) fn like_browser(self) -> Self {
        self.header("user-agent", BROWSER)
            .header("accept", ACCEPT_PAGE)
            .header("accept-language", "en-US,en;q=0.9")
    }
}

/// The headers that the phone app sends with every request to the API and the token service, besides `Authorization`
/// and `Accept`.
pub(super) const APP_HEADERS: [(&str, &str); 8] = [
    ("user-agent", "GCM-Android-5.23"),
    (
        "x-garmin-user-agent",
        "com.garmin.android.apps.connectmobile/5.23; ; Google/sdk_gphone64_arm64/google; Android/33; Dalvik/2.1.0",
    ),
    ("x-garmin-paired-app-version", "10861"),
    ("x-app-ver", "10861"),
    ("x-garmin-client-platform", "Android"),
    ("x-lang", "en"),
    ("x-gcexperience", "GC5"),
    ("accept-language", "en-US,en;q=0.9"),
];

/// Implements no `Debug`, because bodies contain passwords, codes and tokens.
pub(super) struct RequestBody {
    pub(super) content_type: &'static str,
    pub(super) bytes: WipedBuffer,
}

impl RequestBody {
    pub(super) fn json(value: &impl Serialize) -> Self {
        let mut bytes = WipedBuffer::default();
        // All bodies are plain structs of text, which always serialise.
        drop(serde_json::to_writer(&mut bytes, value));
        Self {
            content_type: "application/json",
            bytes,
        }
    }

    pub(super) fn form(pairs: &[(&str, &str)]) -> Self {
        let mut bytes = WipedBuffer::default();
        for (n, (name, value)) in pairs.iter().enumerate() {
            if n > 0 {
                bytes.push(b"&");
            }
            byte_serialize(name.as_bytes()).for_each(|part| bytes.push(part.as_bytes()));
            bytes.push(b"=");
            byte_serialize(value.as_bytes()).for_each(|part| bytes.push(part.as_bytes()));
        }
        Self {
            content_type: "application/x-www-form-urlencoded",
            bytes,
        }
    }
}

/// A buffer that leaves no copy in memory: it is wiped when dropped, and also when it moves to a larger allocation.
#[derive(Default)]
pub(super) struct WipedBuffer(Zeroizing<Vec<u8>>);

impl WipedBuffer {
    fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(512) * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl AsRef<[u8]> for WipedBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl io::Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `base` with `path` appended to its own path, because a base URL may have one.
pub(super) fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!(
        "{}/{}",
        base.path().trim_end_matches('/'),
        path.trim_start_matches('/')
    );
    url.set_path(&joined);
    url.set_query(None);
    url
}

/// The origin of a URL: `scheme://host[:port]`.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
impl GarminRequest {
    /// The body as text; empty without a body.
    pub(super) fn text(&self) -> &str {
        self.body
            .as_ref()
            .map_or("", |body| std::str::from_utf8(body.bytes.as_ref()).unwrap())
    }

    pub(super) fn has_header(&self, name: &str, value: &str) -> bool {
        self.headers.iter().any(|(n, v)| *n == name && v == value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_appended_to_the_base() {
        let check = |base: &str, path: &str, whole: &str| {
            assert_eq!(join(&base.parse().unwrap(), path).as_str(), whole);
        };
        check(
            "https://sso.garmin.com",
            "/sso/embed",
            "https://sso.garmin.com/sso/embed",
        );
        check(
            "http://127.0.0.1:9/garmin/",
            "/sso/embed",
            "http://127.0.0.1:9/garmin/sso/embed",
        );
        check(
            "http://127.0.0.1:9/garmin?x=1",
            "sso/embed",
            "http://127.0.0.1:9/garmin/sso/embed",
        );
    }

    proptest! {
        #[test]
        fn bodies_read_back_as_what_was_put_in(name in "[a-z_-]{1,8}", value: String, long in 0_usize..3000) {
            let value = value + &"é&".repeat(long);
            let form = RequestBody::form(&[(&name, &value), ("embed", "true")]);
            let read: Vec<_> = url::form_urlencoded::parse(form.bytes.as_ref()).into_owned().collect();
            prop_assert_eq!(read, [(name, value.clone()), ("embed".to_owned(), "true".to_owned())]);
            let json = RequestBody::json(&[&value]);
            let read: Vec<String> = serde_json::from_slice(json.bytes.as_ref()).unwrap();
            prop_assert_eq!(read, [value]);
        }
    }
}
