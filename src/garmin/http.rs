//! The HTTP client for Garmin, and the function that sends one request.
//!
//! TLS is rustls with the system's trust store. Redirects are followed only within one origin, because the requests
//! contain passwords and codes. Cookies belong to one sign-in and are never kept in the client.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::{Body, Client, Response};
use url::Url;

use super::request::GarminRequest;
use super::response::{GarminResponse, NoResponse};
use crate::config::GarminHosts;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Covers a request from the connection to the last byte of the response.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Idle connections are dropped after this time, which is shorter than any server's limit: a request sent on a
/// connection that is being closed may or may not have been read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Garmin's sign-in pages are about 50 KB long.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// More hops within one origin are a loop.
const MAX_REDIRECTS: usize = 5;

/// Upper bound for a server's `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The client for Garmin's hosts. It keeps no cookies and follows no redirects: `send` handles both. Install a rustls
/// provider first (`main` does).
///
/// Proxy settings come from the environment, but a simulated Garmin on this machine is never reached through a proxy.
/// If none of the hosts uses TLS, the trust store is not read, because reading it is most of a worker's start time.
pub fn client(hosts: &GarminHosts) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if hosts.is_simulated() {
        builder = builder.no_proxy();
    }
    let all = [&hosts.sso, &hosts.diauth, &hosts.connectapi, &hosts.livetrack];
    if all.iter().all(|host| host.scheme() == "http") {
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Sends a request and reads the whole response. `jar`: its cookies are sent and updated, across redirects too.
pub(super) async fn send(
    client: &Client,
    request: GarminRequest,
    jar: Option<&Jar>,
    now: Timestamp,
) -> Result<GarminResponse, NoResponse> {
    follow(client, request, jar, now).await.map_err(|e| match e {
        Some(e) if e.is_connect() => NoResponse::NotConnected,
        _ => NoResponse::Lost,
    })
}

/// Errors: `None` means too many redirects or too many bytes.
async fn follow(
    client: &Client,
    request: GarminRequest,
    jar: Option<&Jar>,
    now: Timestamp,
) -> Result<GarminResponse, Option<reqwest::Error>> {
    let mut url = request.url;
    let mut next = client.request(request.method, url.clone());
    if let Some(body) = request.body {
        next = next.header(CONTENT_TYPE, body.content_type);
        next = next.body(Body::from(Bytes::from_owner(body.bytes)));
    }
    for _ in 0..=MAX_REDIRECTS {
        for (name, value) in &request.headers {
            next = next.header(*name, value);
        }
        if let Some(cookies) = jar.and_then(|jar| jar.cookies(&url)) {
            next = next.header(COOKIE, cookies);
        }
        let response = next.send().await?;
        if let Some(jar) = jar {
            jar.set_cookies(&mut response.headers().get_all(SET_COOKIE).iter(), &url);
        }
        match redirect_target(&response, &url) {
            Some(target) => url = target,
            None => return read(response, now).await,
        }
        next = client.get(url.clone());
    }
    Err(None)
}

/// The target of a redirect, if it may be followed: by GET, and within the origin.
fn redirect_target(response: &Response, from: &Url) -> Option<Url> {
    let by_get = matches!(response.status().as_u16(), 301..=303);
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let target = from.join(location).ok()?;
    (by_get && target.origin() == from.origin()).then_some(target)
}

async fn read(mut response: Response, now: Timestamp) -> Result<GarminResponse, Option<reqwest::Error>> {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), now);
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let Some(bytes) = read_up_to(&mut response, MAX_PAGE_BYTES).await? else {
        return Err(None);
    };
    Ok(GarminResponse {
        status,
        retry_after,
        content_type,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// The body of a response; `None` when it has more than `limit` bytes.
pub(super) async fn read_up_to(response: &mut Response, limit: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// `Retry-After` (RFC 9110, 10.2.3), in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(until.duration_since(now)).ok()?
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-06T08:00:00Z".parse().unwrap();
        let check = |text: &'static str, wanted: Option<u64>| {
            let headers =
                HeaderMap::from_iter([(RETRY_AFTER, reqwest::header::HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now).map(|d| d.as_secs()), wanted, "{text}");
        };
        check("120", Some(120));
        check("Fri, 06 Nov 2026 08:01:30 GMT", Some(90));
        check("Fri, 06 Nov 2026 07:00:00 GMT", None);
        check("99999999", Some(86_400));
        check("soon", None);
        check("-5", None);
    }
}
