//! Finding the LiveTrack link in what a person pasted: the link itself, a short one, or a whole e-mail.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::base::secrets::Secret;
use crate::config::GarminHosts;

/// What a good link looks like, for answers to a bad one.
const GOOD: &str = "https://livetrack.garmin.com/session/<id>/token/<token>";

/// The pair that opens one session of LiveTrack. Whoever has it can watch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTrackLink {
    /// The session: a UUID, 36 characters.
    pub session_id: String,
    /// Its key.
    pub token: Secret,
}

impl LiveTrackLink {
    /// The pair, if both parts have their shape.
    pub fn new(session_id: &str, token: &str) -> Option<Self> {
        (is_session_id(session_id) && is_token(token)).then(|| Self {
            session_id: session_id.to_owned(),
            token: Secret::new(token),
        })
    }

    /// The link as a person opens it, on Garmin's host `base`.
    pub fn url(&self, base: &Url) -> Url {
        at(base, &["session", &self.session_id, "token", self.token.expose()])
    }
}

impl fmt::Debug for LiveTrackLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveTrackLink({}, …)", self.session_id)
    }
}

/// `base` with these path segments, each escaped.
pub(super) fn at(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// A link as it was pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastedLink {
    /// Complete.
    Link(LiveTrackLink),
    /// `gar.mn/…`: the code, to be resolved.
    Short(String),
    /// `live.garmin.com/…`: the athlete's page, to be asked for the running session.
    Profile(String),
}

/// Why no link was found; each says what a good one looks like, and none repeats what was pasted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkProblem {
    /// There is no web address in it.
    #[error("there is no LiveTrack link in the text; a good one looks like {GOOD}")]
    Missing,
    /// The address is on another host; only Garmin's is ever asked.
    #[error("the link does not lead to Garmin's LiveTrack; a good one looks like {GOOD}")]
    OtherHost,
    /// Right host, but the id or the token is not there or is cut off.
    #[error("the link has no complete session id and token (was it cut off?); a good one looks like {GOOD}")]
    Incomplete,
}

/// Finds the LiveTrack link in `text`, as D.1 has its forms: the canonical link, the one with the token in the query,
/// a short link, a profile page, or an e-mail (also as its quoted-printable source) that holds one of these.
///
/// A complete link wins over one that must be resolved first.
pub fn find(text: &str, hosts: &GarminHosts) -> Result<PastedLink, LinkProblem> {
    let text = plain(text);
    let mut other = None;
    let mut worst = LinkProblem::Missing;
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')')) {
        let Some(url) = address(word) else { continue };
        match judge(&url, hosts) {
            Ok(link @ PastedLink::Link(_)) => return Ok(link),
            Ok(unresolved) => other = other.or(Some(unresolved)),
            // An e-mail links to many pages; only a LiveTrack address that is broken says more than "other host".
            Err(LinkProblem::Incomplete) => worst = LinkProblem::Incomplete,
            Err(bad) if worst == LinkProblem::Missing => worst = bad,
            Err(_) => {}
        }
    }
    other.ok_or(worst)
}

/// A web address, also without its scheme.
fn address(word: &str) -> Option<Url> {
    let word = word.trim_matches(|c: char| matches!(c, ',' | ';' | '.' | '!' | '[' | ']' | '{' | '}' | '`'));
    if word.starts_with("https://") || word.starts_with("http://") {
        return Url::parse(word).ok();
    }
    let host = word.split('/').next().unwrap_or_default();
    (word.contains('/') && host.contains('.'))
        .then(|| Url::parse(&format!("https://{word}")).ok())
        .flatten()
}

fn judge(url: &Url, hosts: &GarminHosts) -> Result<PastedLink, LinkProblem> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(LinkProblem::OtherHost);
    }
    let host = url.host_str().unwrap_or_default();
    let ours = (url.host_str(), url.port_or_known_default())
        == (
            hosts.livetrack.host_str(),
            hosts.livetrack.port_or_known_default(),
        );
    let segments: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    let usual_port = url.port().is_none();
    let usual = usual_port && host == format!("livetrack.{}", hosts.domain);
    match (host, segments.as_slice()) {
        _ if usual || ours => {
            let in_query = || url.query_pairs().find(|(key, _)| key == "token");
            let (id, token) = match segments.as_slice() {
                ["session", id, "token", token, ..] => (*id, (*token).to_owned()),
                ["session", id, ..] => (*id, in_query().ok_or(LinkProblem::Incomplete)?.1.into_owned()),
                _ => return Err(LinkProblem::Incomplete),
            };
            LiveTrackLink::new(id, &token)
                .map(PastedLink::Link)
                .ok_or(LinkProblem::Incomplete)
        }
        ("gar.mn" | "www.gar.mn", [code, ..]) if usual_port && is_code(code, 1, 64) => {
            Ok(PastedLink::Short((*code).to_owned()))
        }
        ("live.garmin.com", [name]) if usual_port && is_code(name, 3, 64) => {
            Ok(PastedLink::Profile((*name).to_owned()))
        }
        _ => Err(LinkProblem::OtherHost),
    }
}

fn is_session_id(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| {
            if dashes.contains(&i) {
                b == b'-'
            } else {
                b.is_ascii_hexdigit()
            }
        })
}

fn is_token(text: &str) -> bool {
    (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_code(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Takes quoted-printable and HTML escapes off, if there are any.
fn plain(text: &str) -> String {
    // A token may begin with "3D", so "=3D" alone does not make a text quoted-printable.
    let soft_break = text.contains("=\n") || text.contains("=\r\n");
    let text = if soft_break || text.contains("=3D\"") || text.contains("quoted-printable") {
        text.replace("=\r\n", "")
            .replace("=\n", "")
            .replace("=3D", "=")
            .replace("=3d", "=")
    } else {
        text.to_owned()
    };
    text.replace("&amp;", "&")
        .replace("&#x2F;", "/")
        .replace("&quot;", "\"")
}

#[cfg(test)]
mod tests {
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

    fn check(text: &str, expected: Result<&str, LinkProblem>) {
        let found = find(text, &hosts()).map(|pasted| match pasted {
            PastedLink::Link(link) => link.url(&hosts().livetrack).to_string(),
            PastedLink::Short(code) => format!("short {code}"),
            PastedLink::Profile(name) => format!("profile {name}"),
        });
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn every_form_of_the_link_is_read() {
        let canonical = format!("https://livetrack.garmin.com/session/{ID}/token/{TOKEN}");
        for text in [
            canonical.clone(),
            format!("  {canonical}\n"),
            format!("{canonical}/"),
            format!("{canonical}?utm=x#map"),
            format!("http://livetrack.garmin.com/session/{ID}/token/{TOKEN}"),
            format!("livetrack.garmin.com/session/{ID}/token/{TOKEN}"),
            format!("https://LiveTrack.Garmin.com/session/{ID}/token/{TOKEN}"),
            format!("https://livetrack.garmin.com/session/{ID}?token={TOKEN}"),
            format!("https://livetrack.garmin.com/session/{ID}?a=b&amp;token={TOKEN}"),
            format!("Ann started! Follow her: <{canonical}>, or https://gar.mn/abc. https://example.org/x"),
            format!(
                "<a href=3D\"https://livetrack.garmin.com/session/1111=\r\n2222-3333-4444-8555-666677778888=\n/token/{TOKEN}\">"
            ),
            format!(
                "Content-Transfer-Encoding: quoted-printable\n\nhttps://livetrack.garmin.com/session/{ID}?token=3D{TOKEN}"
            ),
        ] {
            check(&text, Ok(&canonical));
        }
        let tricky = format!("3D{}", &TOKEN[2..]);
        let expected = format!("https://livetrack.garmin.com/session/{ID}/token/{tricky}");
        check(
            &format!("https://livetrack.garmin.com/session/{ID}?token={tricky}"),
            Ok(&expected),
        );
        check("https://gar.mn/AbC-1", Ok("short AbC-1"));
        check("www.gar.mn/AbC-1", Ok("short AbC-1"));
        check("https://live.garmin.com/ann_example", Ok("profile ann_example"));
    }

    #[test]
    fn lookalikes_are_refused() {
        for url in [
            format!("https://livetrack.garmin.com.example.org/session/{ID}/token/{TOKEN}"),
            format!("https://livetrack.garmin.com@example.org/session/{ID}/token/{TOKEN}"),
            format!("https://user@livetrack.garmin.com/session/{ID}/token/{TOKEN}"),
            format!("https://livetrack.garmin.com:8443/session/{ID}/token/{TOKEN}"),
            format!("https://livetrack.gаrmin.com/session/{ID}/token/{TOKEN}"),
            format!("https://example.org\\@livetrack.garmin.com/session/{ID}/token/{TOKEN}"),
            format!("https://connect.garmin.com/session/{ID}/token/{TOKEN}"),
            format!("https://127.0.0.1/session/{ID}/token/{TOKEN}"),
            "https://gar.mn:81/abc".into(),
            "https://gar.mn/".into(),
            "https://live.garmin.com/a/b".into(),
        ] {
            check(&url, Err(LinkProblem::OtherHost));
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        for (text, bad) in [
            ("", LinkProblem::Missing),
            ("follow me", LinkProblem::Missing),
            ("https://example.org/x", LinkProblem::OtherHost),
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
        ] {
            check(text, Err(bad));
        }
    }

    #[test]
    fn a_simulated_host_takes_links_of_its_own() {
        let base = Url::parse("http://127.0.0.1:4711").unwrap();
        let hosts = GarminHosts::at(&base);
        let text = format!("http://127.0.0.1:4711/session/{ID}/token/{TOKEN}");
        let Ok(PastedLink::Link(link)) = find(&text, &hosts) else {
            panic!("no link")
        };
        assert_eq!(link.url(&base).as_str(), text);
        let elsewhere = text.replace("4711", "4712");
        assert_eq!(find(&elsewhere, &hosts), Err(LinkProblem::OtherHost));
    }

    #[test]
    fn the_token_is_never_shown() {
        let link = LiveTrackLink::new(ID, TOKEN).unwrap();
        assert!(!format!("{link:?}").contains(TOKEN));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_pasted_only_garmins_host_comes_out(text in ".{0,200}") {
            if let Ok(PastedLink::Link(link)) = find(&text, &hosts()) {
                assert_eq!(link.url(&hosts().livetrack).host_str(), Some("livetrack.garmin.com"));
            }
        }
    }
}
