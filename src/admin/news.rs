//! News of the program: a signed file at the address of its releases, read once a day if the operator wants it.
//!
//! The request names neither this gateway nor its version. The operator is shown what the file says, and nothing else
//! follows from it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;
use url::Url;

use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::loopback::is_loopback;
use crate::config::NewsSettings;

/// What a release key signs; see `packaging/release.sh`.
const NAMESPACE: &str = "garmin-gateway";
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// The wait after a failure.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// A server that is away for longer is told.
const LONGEST_AWAY: SignedDuration = SignedDuration::from_hours(7 * 24);
const TIMEOUT: Duration = Duration::from_secs(30);
const LARGEST: usize = 32 * 1024;
const LONGEST_SENTENCE: usize = 300;
const MOST_SENTENCES: usize = 3;

/// The signed file, as `packaging/notes.json` is before a release.
#[derive(Clone, Debug, Deserialize)]
struct NewsFile {
    version: String,
    #[serde(default)]
    notes: Vec<NewsNote>,
}

/// One sentence for some gateways.
#[derive(Clone, Debug, Deserialize)]
struct NewsNote {
    /// For earlier versions than this.
    before: Option<String>,
    /// For gateways with this worker: `built-in` or `garmin_mcp`.
    worker: Option<String>,
    says: String,
}

/// Why there is nothing new.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NewsError {
    #[error("{0} does not answer")]
    Away(&'static str),
    #[error("its signature is not accepted: {0}; nothing of it was taken")]
    Signature(String),
    #[error("it can't be read; nothing of it was taken")]
    Unreadable,
}

#[derive(Debug, Default)]
struct NewsState {
    file: Option<NewsFile>,
    trouble: Option<(Timestamp, NewsError)>,
}

/// What is new. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct News {
    state: Arc<Mutex<NewsState>>,
    worker: &'static str,
}

impl News {
    /// Reads the news now and then once a day; never without settings.
    pub fn start(
        settings: Option<NewsSettings>,
        worker: &'static str,
        clock: Clock,
        lifecycle: &Lifecycle,
    ) -> Self {
        let news = Self {
            state: Arc::default(),
            worker,
        };
        if let Some(settings) = settings {
            let (reader, stopping) = (news.clone(), lifecycle.stopping());
            lifecycle.spawn("news", async move {
                loop {
                    let read = tokio::select! {
                        () = stopping.cancelled() => return,
                        read = read(&settings) => read,
                    };
                    let now = clock.now();
                    let wait = if read.is_ok() { EVERY } else { AGAIN };
                    reader.take(read, now);
                    tokio::select! {
                        () = stopping.cancelled() => return,
                        () = clock.sleep_until(now.saturating_add(wait).unwrap_or(now)) => {}
                    }
                }
            });
        }
        news
    }

    fn take(&self, read: Result<NewsFile, NewsError>, now: Timestamp) {
        let mut state = self.state.lock();
        match read {
            Ok(file) => {
                tracing::info!(newest = file.version, "news.read");
                *state = NewsState {
                    file: Some(file),
                    trouble: None,
                };
            }
            Err(error) => {
                tracing::warn!(reason = %error, "news.not_read");
                let before = state.trouble.take();
                let since = before.map_or(now, |(since, _)| since);
                state.trouble = Some((since, error));
            }
        }
    }

    /// Sentences for the operator, the most important first.
    pub fn sentences(&self, now: Timestamp) -> Vec<String> {
        let state = self.state.lock();
        let mut told = Vec::new();
        if let Some((since, error)) = &state.trouble {
            let is_away = matches!(error, NewsError::Away(_));
            if !is_away || now.duration_since(*since) > LONGEST_AWAY {
                let since = since.strftime("%Y-%m-%d");
                told.push(format!(
                    "the news of new versions is not read since {since}: {error}"
                ));
            }
        }
        if let Some(file) = &state.file {
            let own = env!("CARGO_PKG_VERSION");
            if is_older(own, &file.version) {
                let newest = &file.version;
                told.push(format!(
                    "version {newest} is there, and this is {own}: run the line again that installed it"
                ));
            }
            let notes = file.notes.iter().filter(|note| note.is_for(own, self.worker));
            told.extend(notes.take(MOST_SENTENCES).map(|note| plain(&note.says)));
        }
        told
    }
}

impl NewsNote {
    fn is_for(&self, version: &str, worker: &str) -> bool {
        let is_version = self
            .before
            .as_ref()
            .is_none_or(|before| is_older(version, before));
        is_version && self.worker.as_ref().is_none_or(|named| named == worker)
    }
}

/// The sentence without what could disturb a terminal.
fn plain(says: &str) -> String {
    let shown = says.chars().filter(|c| !c.is_control());
    shown.take(LONGEST_SENTENCE).collect()
}

/// Whether a version such as `0.9.1` comes before another. False if one is not a version.
fn is_older(version: &str, than: &str) -> bool {
    let parts = |text: &str| {
        let parts: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
        parts.ok().filter(|parts| parts.len() == 3)
    };
    matches!((parts(version), parts(than)), (Some(own), Some(other)) if own < other)
}

async fn read(settings: &NewsSettings) -> Result<NewsFile, NewsError> {
    // Made for each day's two requests, so that nothing is held meanwhile.
    let client = client(&settings.url).ok_or(NewsError::Away("the network"))?;
    let mut signature = settings.url.clone();
    signature.set_path(&format!("{}.sig", settings.url.path()));
    let file = fetch(&client, settings.url.clone()).await?;
    let signature = fetch(&client, signature).await?;
    let signature = std::str::from_utf8(&signature).unwrap_or_default();
    let verified = settings.key.verify(&file, NAMESPACE, signature);
    verified.map_err(|reason| NewsError::Signature(reason.to_string()))?;
    serde_json::from_slice(&file).map_err(|_| NewsError::Unreadable)
}

fn client(url: &Url) -> Option<reqwest::Client> {
    let mut client = reqwest::Client::builder().timeout(TIMEOUT).referer(false);
    if is_loopback(url) {
        client = client.no_proxy();
    }
    client.build().ok()
}

async fn fetch(client: &reqwest::Client, url: Url) -> Result<Vec<u8>, NewsError> {
    const AWAY: NewsError = NewsError::Away("the server");
    let mut response = client.get(url).send().await.map_err(|_| AWAY)?;
    if !response.status().is_success() {
        return Err(AWAY);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| AWAY)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(NewsError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn news(worker: &'static str) -> News {
        News {
            worker,
            ..News::default()
        }
    }

    fn file() -> NewsFile {
        serde_json::from_str(include_str!("../../tests/signatures/notes.json")).unwrap()
    }

    #[test]
    fn who_a_note_is_for_is_told_and_nobody_else() {
        let now = at("2026-01-29T12:00:00Z");
        let built_in = news("built-in");
        assert!(built_in.sentences(now).is_empty());
        built_in.take(Ok(file()), now);
        let told = built_in.sentences(now);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("version 9.0.0 is there") && told[1].contains("HRV"));
        let python = news("garmin_mcp");
        python.take(Ok(file()), now);
        assert!(python.sentences(now)[2].contains("worker install"));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (older, newer) in [("0.9.0", "0.10.0"), ("0.9.9", "1.0.0"), ("1.2.3", "1.2.4")] {
            assert!(is_older(older, newer) && !is_older(newer, older));
        }
        assert!(!is_older("1.0.0", "1.0.0") && !is_older("1.0.0", "soon") && !is_older("1.0.0", "2"));
    }

    #[test]
    fn a_wrong_signature_is_told_at_once_and_a_server_that_is_away_after_a_week() {
        let (now, later) = (at("2026-01-29T12:00:00Z"), at("2026-02-06T12:00:00Z"));
        let news = news("built-in");
        news.take(Ok(file()), now);
        news.take(Err(NewsError::Away("the server")), now);
        assert_eq!(news.sentences(now).len(), 2, "what was read stays");
        news.take(Err(NewsError::Away("the server")), later);
        assert!(news.sentences(later)[0].contains("not read since 2026-01-29"));
        news.take(
            Err(NewsError::Signature("it does not fit the file".into())),
            later,
        );
        assert!(news.sentences(now)[0].contains("nothing of it was taken"));
        news.take(Ok(file()), later);
        assert_eq!(news.sentences(later).len(), 2);
    }

    #[test]
    fn a_sentence_can_not_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(plain(&"x".repeat(1_000)).len(), LONGEST_SENTENCE);
    }
}
