//! The HTTP client for Garmin, and the sending of the requests that the steps decide on.
//!
//! TLS is rustls with the system's trust store. Redirects are followed only within one origin, because what is sent
//! here holds passwords and codes. Cookies are kept per sign-in, never in the client.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

use super::wire::{Answer, Ask, Body, Cookies, Heard, Method};
use crate::config::GarminHosts;

/// A server that does not take a connection in this time will not in more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest a request of the sign-in may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Shorter than any server keeps a connection, so that nothing is sent on one that is being closed: a request that may
/// or may not have been read is what this room avoids.
const IDLE: Duration = Duration::from_secs(15);

/// Garmin's sign-in pages have some 50 KB.
const LARGEST_PAGE: usize = 2 * 1024 * 1024;

/// Hops within one origin; more is a loop.
const MOST_REDIRECTS: usize = 5;

/// No `Retry-After` keeps us away longer than this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The client for Garmin's hosts: no cookies, no redirects, compression left to the server's default.
///
/// A proxy is taken from the environment as every program does, but never for a Garmin that runs on this machine.
/// Install a rustls provider before (`main` does). Only for Garmin's hosts: when none of them speaks TLS, the trust store
/// is left unread, because that is most of what a worker's start costs.
pub fn client(hosts: &GarminHosts) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_idle_timeout(IDLE)
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

/// Sends one request and reads its answer to the end.
pub(super) async fn send(client: &Client, ask: &Ask, jar: &Jar, now: Timestamp) -> Heard {
    match send_following(client, ask, jar, now).await {
        Ok(Some(answer)) => Heard::Answer(answer),
        Err(e) if e.is_connect() => Heard::NoConnection,
        Ok(None) | Err(_) => Heard::Nothing,
    }
}

async fn send_following(
    client: &Client,
    ask: &Ask,
    jar: &Jar,
    now: Timestamp,
) -> reqwest::Result<Option<Answer>> {
    let with_cookies = ask.cookies != Cookies::None;
    let mut url = ask.url.clone();
    let mut request = first(client, ask);
    for _ in 0..=MOST_REDIRECTS {
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(cookies) = jar.cookies(&url).filter(|_| with_cookies) {
            request = request.header(COOKIE, cookies);
        }
        let response = request.send().await?;
        if with_cookies {
            jar.set_cookies(&mut response.headers().get_all(SET_COOKIE).iter(), &url);
        }
        match next_hop(&response, &url) {
            Some(next) => url = next,
            None => return read(response, now).await,
        }
        request = client.get(url.clone());
    }
    Ok(None)
}

fn first(client: &Client, ask: &Ask) -> RequestBuilder {
    let request = match ask.method {
        Method::Get => client.get(ask.url.clone()),
        Method::Post => client.post(ask.url.clone()),
    };
    match &ask.body {
        Body::Empty => request,
        Body::Json(json) => request.json(json),
        Body::Form(form) => request.form(form),
    }
}

/// Where a redirect leads, if we go there: with GET, and within the origin.
fn next_hop(response: &Response, from: &Url) -> Option<Url> {
    let by_get = matches!(response.status().as_u16(), 301..=303);
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let next = from.join(location).ok()?;
    (by_get && next.origin() == from.origin()).then_some(next)
}

async fn read(mut response: Response, now: Timestamp) -> reqwest::Result<Option<Answer>> {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), now);
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > LARGEST_PAGE {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(Answer {
        status,
        retry_after,
        content_type,
        text,
    }))
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
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_both_forms() {
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
