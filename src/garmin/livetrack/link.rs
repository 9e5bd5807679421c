//! Finds the LiveTrack link in pasted text, which may be the link itself, a short link, or a whole e-mail.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::link_text::candidates;
use crate::base::secrets::Secret;
use crate::config::GarminHosts;

/// An example of a link, for the error messages.
const EXAMPLE: &str = "https://livetrack.garmin.com/session/<id>/token/<token>";

/// Maximum number of links that are taken from one text. Each may cost a request.
const MAX_LINKS: usize = 4;

/// Garmin's tokens have 31 or 32 upper-case hexadecimal digits. Longer and other tokens are accepted too.
const USUAL_TOKEN_BYTES: usize = 31;

/// The session id and token that give access to one LiveTrack session. Anyone who has both can watch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTrackLink {
    /// A UUID of 36 characters.
    pub session_id: String,
    pub token: Secret,
}

impl LiveTrackLink {
    /// The pair, if both parts have the right form.
    pub fn new(session_id: &str, token: &str) -> Option<Self> {
        (is_session_id(session_id) && is_token(token)).then(|| Self {
            session_id: session_id.to_owned(),
            token: Secret::new(token),
        })
    }

    /// The link as a person opens it, on Garmin's host `base`.
    pub fn url(&self, base: &Url) -> Url {
        append(base, &["session", &self.session_id, "token", self.token.expose()])
    }
}

impl fmt::Debug for LiveTrackLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveTrackLink({}, …)", self.session_id)
    }
}

/// `base` with these path segments appended, each escaped.
pub(super) fn append(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// A link in the form in which it was pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastedLink {
    Complete(LiveTrackLink),
    /// The code of `gar.mn/…`, which must be resolved.
    Short(String),
    /// The name in `live.garmin.com/…`, the athlete's page, which leads to the running session.
    Profile(String),
}

/// Why no link was found. Each message shows an example link. None repeats the pasted text, except for the name of a
/// wrong host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkProblem {
    #[error("there is no LiveTrack link in the text; a link looks like {EXAMPLE}")]
    Missing,
    /// The link points to another host. Only Garmin's host is ever requested.
    #[error("the link leads to {host}, not to Garmin's LiveTrack; a link looks like {EXAMPLE}")]
    OtherHost {
        /// The host name in ASCII, as a browser would resolve it.
        host: String,
    },
    /// The host is right, but the id or the token is missing or cut off.
    #[error("the link has no complete session id and token (was it cut off?); a link looks like {EXAMPLE}")]
    Incomplete,
}

/// Finds the LiveTrack link in `text`: the usual form, the one with the token in the query, a short link, a profile
/// page, or any text that contains one of these, even inside a wrapper such as SafeLinks.
///
/// A complete link takes precedence over one that must be resolved.
pub fn find(text: &str, hosts: &GarminHosts) -> Result<PastedLink, LinkProblem> {
    let mut found = find_all(text, hosts)?.into_iter();
    found.next().ok_or(LinkProblem::Missing)
}

/// Finds the distinct links in `text`, at most [`MAX_LINKS`] and at least one: first the complete ones in the order of
/// the text, then the first that must be resolved. An old link often comes before the new one.
pub fn find_all(text: &str, hosts: &GarminHosts) -> Result<Vec<PastedLink>, LinkProblem> {
    let (mut complete, mut other) = (Vec::new(), None);
    let mut worst = LinkProblem::Missing;
    for candidate in candidates(text, &bare_hosts(hosts)) {
        match judge_grown(&candidate, hosts) {
            Ok(link @ PastedLink::Complete(_)) if complete.len() < MAX_LINKS => {
                if !complete.contains(&link) {
                    complete.push(link);
                }
            }
            Ok(PastedLink::Complete(_)) => break,
            Ok(unresolved) => other = other.or(Some(unresolved)),
            // An e-mail links to many pages, so a broken LiveTrack link explains more than another host.
            Err(LinkProblem::Incomplete) => worst = LinkProblem::Incomplete,
            Err(problem) if worst == LinkProblem::Missing => worst = problem,
            Err(_) => {}
        }
    }
    complete.extend(other);
    complete.truncate(MAX_LINKS);
    if complete.is_empty() {
        return Err(worst);
    }
    Ok(complete)
}

/// Hosts whose links are recognised without `https://`.
fn bare_hosts(hosts: &GarminHosts) -> Vec<String> {
    let own = hosts
        .livetrack
        .host_str()
        .map(|host| match hosts.livetrack.port() {
            Some(port) => format!("{host}:{port}/"),
            None => format!("{host}/"),
        });
    let usual = format!("livetrack.{}/", hosts.domain);
    let mut bare: Vec<String> = own.into_iter().collect();
    for host in [usual.as_str(), "gar.mn/", "www.gar.mn/", "live.garmin.com/"] {
        if !bare.iter().any(|known| known == host) {
            bare.push(host.to_owned());
        }
    }
    bare
}

/// Checks an address that may continue on the next lines, and adds only as many lines as a complete link needs.
fn judge_grown(candidate: &[String], hosts: &GarminHosts) -> Result<PastedLink, LinkProblem> {
    let mut best = Err(LinkProblem::Missing);
    for address in candidate {
        let judged = judge(address, hosts);
        match (&best, &judged) {
            (Err(LinkProblem::Missing), _) | (Err(_), Ok(_)) => best = judged,
            (Ok(PastedLink::Complete(short)), Ok(PastedLink::Complete(long)))
                if is_rest_of_token(short, long) =>
            {
                best = judged;
            }
            _ => {}
        }
    }
    best
}

/// Whether the token of `short` was broken at the end of a line, and `long` has the rest of it.
fn is_rest_of_token(short: &LiveTrackLink, long: &LiveTrackLink) -> bool {
    let is_hex = |token: &str| token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    let (short, long) = (short.token.expose(), long.token.expose());
    short.len() < USUAL_TOKEN_BYTES && long.len() <= USUAL_TOKEN_BYTES + 1 && is_hex(long)
}

fn judge(address: &str, hosts: &GarminHosts) -> Result<PastedLink, LinkProblem> {
    let has_scheme = address
        .get(..8)
        .is_some_and(|start| start.to_ascii_lowercase().starts_with("http") && start.contains("//"));
    let url = if has_scheme {
        Url::parse(address)
    } else {
        Url::parse(&format!("{}://{address}", hosts.livetrack.scheme()))
    };
    let Ok(url) = url else {
        return Err(LinkProblem::Missing);
    };
    let host = url.host_str().unwrap_or_default();
    let other_host = || LinkProblem::OtherHost {
        host: host.to_owned(),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(other_host());
    }
    let segments: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    let has_usual_port = url.port().is_none();
    let is_own = host == hosts.livetrack.host_str().unwrap_or_default()
        && url.port_or_known_default() == hosts.livetrack.port_or_known_default();
    if is_own || (has_usual_port && host == format!("livetrack.{}", hosts.domain)) {
        return read_session(&url, &segments).map(PastedLink::Complete);
    }
    match (host, segments.as_slice()) {
        ("gar.mn" | "www.gar.mn", [code, ..]) if has_usual_port => {
            let code = leading_code(code);
            let short = (1..=64).contains(&code.len()).then(|| code.to_owned());
            short.map(PastedLink::Short).ok_or_else(other_host)
        }
        ("live.garmin.com", [name] | [name, ""]) if has_usual_port => {
            let name = leading_code(name);
            let profile = (3..=64).contains(&name.len()).then(|| name.to_owned());
            profile.map(PastedLink::Profile).ok_or_else(other_host)
        }
        _ => Err(other_host()),
    }
}

/// The id and token of a link on the right host. A language such as `/de-DE/` may precede them.
fn read_session(url: &Url, segments: &[&str]) -> Result<LiveTrackLink, LinkProblem> {
    let is = |segment: &str, word: &str| segment.eq_ignore_ascii_case(word);
    let rest = match segments {
        [first, rest @ ..] if is(first, "session") => rest,
        [language, first, rest @ ..] if is_language(language) && is(first, "session") => rest,
        _ => return Err(LinkProblem::Incomplete),
    };
    let (id, token) = match rest {
        [id, word, token, ..] if is(word, "token") => (*id, (*token).to_owned()),
        [id, ..] => {
            let in_query = url.query_pairs().find(|(key, _)| is(key, "token"));
            (*id, in_query.ok_or(LinkProblem::Incomplete)?.1.into_owned())
        }
        [] => return Err(LinkProblem::Incomplete),
    };
    // A full stop, an asterisk of bold text or a wrapper's own parameters may follow the token.
    let end = token
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(token.len());
    LiveTrackLink::new(id, token.get(..end).unwrap_or_default()).ok_or(LinkProblem::Incomplete)
}

fn is_language(segment: &str) -> bool {
    let mut parts = segment.split(['-', '_']);
    let is_word = |part: &str, len: std::ops::RangeInclusive<usize>| {
        len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    parts.next().is_some_and(|language| is_word(language, 2..=3)) && parts.all(|part| is_word(part, 2..=4))
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

/// The code at the start of a path segment, without any punctuation after it.
fn leading_code(segment: &str) -> &str {
    let end = segment.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    end.and_then(|end| segment.get(..end)).unwrap_or(segment)
}

#[cfg(test)]
mod tests;
