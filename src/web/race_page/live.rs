//! One reader's stream: the parts of the page that changed, and a heartbeat while nothing changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::race::page::PageWords;
use crate::races::{OpenLink, RaceVersions};
use crate::web::face::Face;
use crate::web::race_view::RenderedRace;

/// The longest pause between two events. The script treats the connection as lost after three times as long.
const BEAT: Duration = Duration::from_secs(15);

/// How long the browser waits before it connects again.
const RETRY: &[u8] = b"retry: 3000\n\n";

const BEAT_EVENT: &[u8] = b"event: beat\ndata: 1\n\n";

const ENDED_EVENT: &[u8] = b"event: ended\ndata: 1\n\n";

/// The stream of one reader, from its first event to its last.
pub(super) struct Viewer {
    face: Arc<Face>,
    token: String,
    words: &'static PageWords,
    versions: watch::Receiver<RaceVersions>,
    /// The versions before the race was last read, so that no change is missed.
    seen: RaceVersions,
    /// The version of the page that the reader has.
    known: Option<String>,
    /// The page as the reader has it after the last event.
    sent: Option<Arc<RenderedRace>>,
    link: Option<OpenLink>,
    has_begun: bool,
    has_ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Viewer {
    pub(super) fn new(
        face: Arc<Face>,
        token: String,
        words: &'static PageWords,
        known: Option<String>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            versions: face.parts.races.versions(),
            seen: RaceVersions::default(),
            face,
            token,
            words,
            known,
            sent: None,
            link: None,
            has_begun: false,
            has_ended: false,
            _place: place,
        }
    }

    /// The events, until the link ends or the gateway stops.
    pub(super) fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        futures_util::stream::unfold(self, |mut viewer| async move {
            let event = viewer.next().await?;
            Some((Ok(event), viewer))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        let mut events = BytesMut::new();
        if self.has_begun {
            self.wait().await?;
        } else {
            self.has_begun = true;
            events.extend_from_slice(RETRY);
        }
        self.seen = self.versions.borrow_and_update().clone();
        match self.face.parts.races.open_link(&self.token) {
            Ok(Some(link)) => {
                let rendered = self
                    .face
                    .race_readers
                    .rendered(&self.face.parts, &link, self.words);
                self.link = Some(link);
                if let Ok(rendered) = rendered {
                    self.add_changes(&mut events, rendered);
                }
            }
            Ok(None) => {
                self.has_ended = true;
                events.extend_from_slice(ENDED_EVENT);
                return Some(events.freeze());
            }
            Err(e) => tracing::error!(reason = %e, "race_page.failed"),
        }
        events.extend_from_slice(BEAT_EVENT);
        Some(events.freeze())
    }

    fn add_changes(&mut self, events: &mut BytesMut, rendered: Arc<RenderedRace>) {
        let is_known = self.known.take().is_some_and(|known| known == rendered.version);
        if !is_known {
            for event in rendered.since(self.sent.as_deref()) {
                events.extend_from_slice(&event);
            }
        }
        self.sent = Some(rendered);
    }

    /// Waits for a change of a race, the end of a share, or the next beat. `None`: the gateway stops.
    async fn wait(&mut self) -> Option<()> {
        let stopping = self.face.parts.lifecycle.stopping();
        let ends_at = self.link.as_ref().and_then(OpenLink::changes_at);
        let clock = self.face.parts.races.clock();
        let shares = self.link.as_ref().map(|link| link.shares.as_slice());
        let shares = shares.unwrap_or_default();
        let (versions, seen) = (&mut self.versions, &self.seen);
        let changed = async {
            let is_newer = |now: &RaceVersions| {
                let mut races = shares.iter().map(|share| &share.race);
                races.any(|race| now.of(race) != seen.of(race))
            };
            // The sender lives as long as the gateway.
            versions.wait_for(is_newer).await.is_ok()
        };
        let ended = async {
            match ends_at {
                Some(at) => clock.sleep_until(at.max(Timestamp::UNIX_EPOCH)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stopping.cancelled() => None,
            is_open = changed => is_open.then_some(()),
            () = ended => Some(()),
            () = tokio::time::sleep(BEAT) => Some(()),
        }
    }
}
