//! Fuzzer entry points (`tests/fuzz`) for this module's parsers of untrusted input, with the properties that must
//! always hold. Built only with `--cfg fuzzing`.

use jiff::Timestamp;
use url::Url;

use super::authorize::way_back;
use super::client_metadata::{self, DocumentUrl};
use super::clients::{self, ClientId};
use super::form::FormParameters;
use super::redirect::RedirectUri;
use super::redirect::fence::{APPS, RedirectFence};
use crate::config::PublicUrl;

/// A redirect URI that passes the fence leads to loopback or to a callback of Claude or ChatGPT. The URL of an answer
/// keeps that target and contains each parameter of the answer exactly once.
pub fn redirect_uri(text: &str) {
    let Ok(uri) = RedirectFence::default().admit(text) else {
        return;
    };
    if APPS.contains(&text) {
        return;
    }
    let answer = Url::parse(&uri.with(&[("code", "a b&c"), ("state", text), ("iss", "i")])).unwrap();
    let registered = Url::parse(text).unwrap();
    assert_eq!(answer.origin(), registered.origin());
    assert_eq!(answer.path(), registered.path());
    assert!(answer.username().is_empty() && answer.fragment().is_none());
    let host = answer.host_str().unwrap();
    let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let is_service = match host {
        "claude.ai" | "claude.com" => answer.path().starts_with("/api/mcp/"),
        "chatgpt.com" => answer.path().starts_with("/connector/oauth/"),
        _ => false,
    };
    assert!(
        is_loopback || is_service && answer.scheme() == "https",
        "{answer}"
    );
    for (name, wanted) in [("code", "a b&c"), ("state", text), ("iss", "i")] {
        let values: Vec<_> = answer.query_pairs().filter(|(key, _)| key == name).collect();
        assert!(values.len() == 1 && values[0].1 == wanted, "{answer}");
    }
    assert!(uri.admits(&uri) && uri.without_loopback_port().admits(&uri));
}

/// The query of `/authorize`, or a body of `/token`: an error redirect to the client leads to the client's own
/// address.
pub fn parameters(text: &str) {
    let Ok(form) = FormParameters::parse(text) else {
        return;
    };
    for value in form.resources().chain(form.find("client_id")) {
        ClientId::parse(value);
    }
    let public_url = PublicUrl::parse("https://gw.example.org").unwrap();
    let location = way_back(&form, "http://localhost:9/cb?a=1", &public_url);
    assert!(location.starts_with("http://localhost:9/cb?a=1&"), "{location}");
    assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
}

/// An accepted registration gives an id that decodes to the registered metadata, and a name that fits on one line.
pub fn registration(body: &[u8]) {
    let Ok(answer) = clients::register(body, &RedirectFence::default(), Timestamp::UNIX_EPOCH) else {
        return;
    };
    let Some(ClientId::Registered(client)) = ClientId::parse(answer["client_id"].as_str().unwrap()) else {
        panic!("an id of ours that can't be read: {answer}");
    };
    assert!(
        client
            .name
            .is_none_or(|name| !name.is_empty() && !name.contains(char::is_control))
    );
    for uri in answer["redirect_uris"].as_array().unwrap() {
        let requested = RedirectUri::parse(uri.as_str().unwrap()).unwrap();
        let registered = client.redirect_uris.iter();
        assert!(
            registered
                .filter_map(|raw| RedirectUri::parse(raw).ok())
                .any(|one| one.admits(&requested))
        );
    }
}

/// A client-id metadata document, its URL and its header: an accepted URL is exactly the one that is requested.
pub fn document(id: &str, cache_control: &str, body: &[u8]) {
    client_metadata::freshness(Some(cache_control));
    let known = DocumentUrl::parse("https://app.example.org/client.json").unwrap();
    if let Ok(client) = client_metadata::read(&known, body) {
        assert_eq!(client.id, known.as_str());
    }
    if let Some(url) = DocumentUrl::parse(id) {
        let asked = Url::parse(id).unwrap();
        assert_eq!(asked.host_str(), Some(url.host()));
        assert!(id.starts_with(&format!("https://{}/", url.host())), "{id}");
    }
}
