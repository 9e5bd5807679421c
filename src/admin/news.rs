//! News about releases of this program: a signed file next to the releases, read once a day if the operator wants it.
//!
//! The request names neither this gateway nor its version. The file is only shown to the operator, and has no other
//! effect.

mod file;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::advice::schedule::end_of_night;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::NewsSettings;
use crate::notify::{Notifier, OperatorMessage};
use file::{NewsError, NewsFile};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// The wait after a failure.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// How long the server may be unreachable before the operator is told.
const LONGEST_AWAY: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, Default)]
struct NewsState {
    file: Option<NewsFile>,
    trouble: Option<(Timestamp, NewsError)>,
}

/// The newest news that was read. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct News {
    state: Arc<Mutex<NewsState>>,
    worker: &'static str,
}

/// The source of the news, and the phone that is notified.
pub struct NewsReader {
    pub settings: NewsSettings,
    pub clock: Clock,
    /// Notifies the operator's phone once of each item.
    pub notifier: Notifier,
    /// The time zone that determines the nights, when no phone is notified.
    pub zone: TimeZone,
}

impl News {
    /// Reads the news now and then once a day; never without a reader.
    pub fn start(reader: Option<NewsReader>, worker: &'static str, lifecycle: &Lifecycle) -> Self {
        let news = Self {
            state: Arc::default(),
            worker,
        };
        if let Some(reader) = reader {
            let (news, stopping) = (news.clone(), lifecycle.stopping());
            lifecycle.spawn("news", async move {
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = news.read_daily(&reader) => {}
                }
            });
        }
        news
    }

    async fn read_daily(&self, reader: &NewsReader) {
        let clock = &reader.clock;
        loop {
            let read = NewsFile::read(&reader.settings).await;
            let now = clock.now();
            let wait = if read.is_ok() { EVERY } else { AGAIN };
            let next = now.saturating_add(wait).unwrap_or(now);
            if self.take(read, now) && reader.notifier.has_operator() {
                if let Some(morning) = end_of_night(&now.to_zoned(reader.zone.clone())) {
                    clock.sleep_until(morning).await;
                }
                self.tell_phone(&reader.notifier).await;
            }
            clock.sleep_until(next).await;
        }
    }

    /// Notifies the operator's phone of each item that it has not received before.
    async fn tell_phone(&self, notifier: &Notifier) {
        let file = self.state.lock().file.clone();
        let sentences = file.map(|file| file.sentences(VERSION, self.worker));
        for sentence in sentences.unwrap_or_default() {
            let message = OperatorMessage {
                key: sentence.key,
                text: sentence.says,
            };
            if let Err(e) = notifier.tell_operator(message).await {
                tracing::warn!(reason = %e, "news.not_told");
            }
        }
    }

    /// Stores the result of a read. Returns whether the news was read.
    fn take(&self, read: Result<NewsFile, NewsError>, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        match read {
            Ok(file) => {
                tracing::info!(newest = file.version, "news.read");
                *state = NewsState {
                    file: Some(file),
                    trouble: None,
                };
                true
            }
            Err(error) => {
                tracing::warn!(reason = %error, "news.not_read");
                let before = state.trouble.take();
                let since = before.map_or(now, |(since, _)| since);
                state.trouble = Some((since, error));
                false
            }
        }
    }

    /// Sentences for the operator, the most important first.
    pub fn sentences(&self, now: Timestamp) -> Vec<String> {
        let state = self.state.lock();
        let mut told = Vec::new();
        if let Some((since, error)) = &state.trouble {
            let is_away = error.is_away();
            if !is_away || now.duration_since(*since) > LONGEST_AWAY {
                let since = since.strftime("%Y-%m-%d");
                let nothing = if is_away { "" } else { "; it was ignored" };
                told.push(format!(
                    "news of new versions has not been readable since {since}: {error}{nothing}"
                ));
            }
        }
        if let Some(file) = &state.file {
            let sentences = file.sentences(VERSION, self.worker).into_iter();
            told.extend(sentences.map(|sentence| sentence.says));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::download::DownloadError;
    use crate::base::ssh_signature::SignatureError;

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
    fn a_wrong_signature_is_told_at_once_and_a_server_that_is_away_after_a_week() {
        let (now, later) = (at("2026-01-29T12:00:00Z"), at("2026-02-06T12:00:00Z"));
        let news = news("built-in");
        news.take(Ok(file()), now);
        let away = || Err(DownloadError::Away.into());
        news.take(away(), now);
        assert_eq!(news.sentences(now).len(), 2, "what was read stays");
        news.take(away(), later);
        assert!(news.sentences(later)[0].contains("not been readable since 2026-01-29"));
        let forged = DownloadError::Signature(SignatureError::Wrong);
        news.take(Err(forged.into()), later);
        assert!(news.sentences(now)[0].contains("it was ignored"));
        news.take(Ok(file()), later);
        assert_eq!(news.sentences(later).len(), 2);
    }
}
