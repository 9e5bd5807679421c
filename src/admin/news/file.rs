//! The signed file with the news.

use std::time::Duration;

use serde::Deserialize;

use crate::base::download::{DownloadError, DownloadLimits, Downloader};
use crate::base::version::is_older;
use crate::config::NewsSettings;

const LIMITS: DownloadLimits = DownloadLimits {
    bytes: 32 * 1024,
    time: Duration::from_secs(30),
};
const LONGEST_SENTENCE: usize = 300;
const MOST_SENTENCES: usize = 3;

/// The contents of the file, which are those of `packaging/notes.json` at the time of the release.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NewsFile {
    pub(super) version: String,
    #[serde(default)]
    notes: Vec<NewsNote>,
}

/// One sentence, for the gateways to which it applies.
#[derive(Clone, Debug, Deserialize)]
struct NewsNote {
    /// Applies only to versions older than this one.
    before: Option<String>,
    /// Applies only to gateways with this worker: `built-in` or `garmin_mcp`.
    worker: Option<String>,
    says: String,
}

/// One sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewsSentence {
    /// Identifies the item, whatever this program's version is.
    pub(super) key: String,
    pub(super) says: String,
}

/// Why there is nothing new.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NewsError {
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error("it can't be read")]
    Unreadable,
}

impl NewsError {
    /// Whether only the server or the network is unreachable.
    pub(super) fn is_away(&self) -> bool {
        !matches!(
            self,
            Self::Unreadable | Self::Download(DownloadError::Signature(_) | DownloadError::TooLarge)
        )
    }
}

impl NewsFile {
    pub(super) async fn read(settings: &NewsSettings) -> Result<Self, NewsError> {
        // Created for the two requests of each day, so that it takes no memory in between.
        let downloader = Downloader::new(&settings.url)?;
        let url = settings.url.clone();
        let file = downloader.fetch_signed(url, &settings.key, LIMITS).await?;
        serde_json::from_slice(&file).map_err(|_| NewsError::Unreadable)
    }

    /// The sentences for a gateway of this version with this worker, the most important first.
    pub(super) fn sentences(&self, version: &str, worker: &str) -> Vec<NewsSentence> {
        let newest = &self.version;
        let newer = is_older(version, newest).then(|| NewsSentence {
            key: format!("version:{newest}"),
            says: format!("version {newest} is out, but this is {version}: run garmin-gateway upgrade"),
        });
        let notes = self.notes.iter().filter(|note| note.is_for(version, worker));
        let notes = notes.take(MOST_SENTENCES).map(|note| NewsSentence {
            key: format!("note:{}", note.says),
            says: plain(&note.says),
        });
        newer.into_iter().chain(notes).collect()
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

/// The sentence without control characters, which could disturb a terminal.
fn plain(says: &str) -> String {
    let shown = says.chars().filter(|c| !c.is_control());
    shown.take(LONGEST_SENTENCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_a_note_is_for_is_told_and_nobody_else() {
        let file: NewsFile =
            serde_json::from_str(include_str!("../../../tests/signatures/notes.json")).unwrap();
        let told = |version: &str, worker: &str| {
            let sentences = file.sentences(version, worker).into_iter();
            sentences.map(|sentence| sentence.says).collect::<Vec<_>>()
        };
        let built_in = told("0.1.0", "built-in");
        assert_eq!(built_in.len(), 2, "{built_in:?}");
        assert_eq!(
            built_in[0],
            "version 9.0.0 is out, but this is 0.1.0: run garmin-gateway upgrade"
        );
        assert!(built_in[1].contains("HRV"));
        assert!(told("0.1.0", "garmin_mcp")[2].contains("worker install"));
        assert!(told("9.0.0", "built-in").is_empty());
        let key = |version| file.sentences(version, "built-in")[0].key.clone();
        assert_eq!(key("0.1.0"), key("0.2.0"), "it is told once");
    }

    #[test]
    fn a_sentence_can_not_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(plain(&"x".repeat(1_000)).len(), LONGEST_SENTENCE);
    }
}
