//! What all readers of race pages share: the rendered pages, the places for streams, and the limit per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fragments::SharedPage;
use super::rendered::RenderedRace;
use crate::base::rate::TokenBucket;
use crate::base::source::network;
use crate::race::id::RaceId;
use crate::race::page::{JoinedPage, PagePart, PageSource, PageWords, RacePage};
use crate::race::share::ShareTerms;
use crate::races::{OpenLink, OpenShare};
use crate::store::StoreError;
use crate::web::parts::WebParts;

/// Maximum number of streams: half of the server's connections, so that some are always left for members.
const MOST_STREAMS: usize = 256;

/// Requests of one address: at once, and per second afterwards. A family behind one address reloads each minute.
const BURST: f64 = 120.0;
const PER_SECOND: f64 = 4.0;

/// The part of a page's request that a map tile counts as. A page shows up to twelve.
const TILE_SHARE: f64 = 1.0 / 12.0;

/// The maximum number of addresses whose requests are counted.
const MOST_SOURCES: usize = 10_000;

/// Maximum number of cached pages, for all races, roles and languages.
const MOST_PAGES: usize = 256;
const MOST_RACES: usize = 64;

/// A page is rendered again after this time, because it shows ages; seconds.
const AGES_S: i64 = 15;

/// What decides the content of a page.
#[derive(Clone, PartialEq, Eq, Hash)]
struct PageKey {
    shares: Vec<(RaceId, ShareTerms, Option<Timestamp>)>,
    language: &'static str,
}

/// When a page was rendered: the versions of its races, and the time in steps of [`AGES_S`].
type Freshness = (Vec<u64>, i64);

/// The state of all readers.
pub(in crate::web) struct RaceReaders {
    sources: Mutex<HashMap<IpAddr, TokenBucket>>,
    races: Mutex<HashMap<RaceId, (u64, Arc<PageSource>)>>,
    pages: Mutex<HashMap<PageKey, (Freshness, Arc<RenderedRace>)>>,
    streams: Arc<Semaphore>,
}

impl Default for RaceReaders {
    fn default() -> Self {
        Self {
            sources: Mutex::default(),
            races: Mutex::default(),
            pages: Mutex::default(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        }
    }
}

impl RaceReaders {
    /// Whether this address may make another request now. A local proxy that forwards no addresses has no limit.
    pub(in crate::web) fn may_ask(&self, source: Option<IpAddr>) -> bool {
        self.may_take(source, 1.0)
    }

    pub(in crate::web) fn may_have_tile(&self, source: Option<IpAddr>) -> bool {
        self.may_take(source, TILE_SHARE)
    }

    fn may_take(&self, source: Option<IpAddr>, share: f64) -> bool {
        let Some(source) = source.filter(|source| !source.is_loopback()) else {
            return true;
        };
        let now = Instant::now();
        let mut sources = self.sources.lock();
        if sources.len() >= MOST_SOURCES {
            sources.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = sources
            .entry(network(source))
            .or_insert_with(|| TokenBucket::full(BURST, PER_SECOND, now));
        bucket.take(share, now).is_ok()
    }

    /// A place for one stream, until it is dropped.
    pub(in crate::web) fn stream_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// The page of a link in one language, rendered at most once per change and per [`AGES_S`]. Errors are logged.
    pub(in crate::web) fn rendered(
        &self,
        parts: &WebParts,
        link: &OpenLink,
        words: &'static PageWords,
    ) -> Result<Arc<RenderedRace>, ()> {
        let versions: Vec<u64> = {
            let all = parts.races.versions();
            let all = all.borrow();
            link.shares.iter().map(|share| all.of(&share.race)).collect()
        };
        let now = parts.races.clock().now();
        let freshness = (versions, now.as_second().div_euclid(AGES_S));
        let of = |share: &OpenShare| (share.race.clone(), share.terms.clone(), share.ends_at);
        let key = PageKey {
            shares: link.shares.iter().map(of).collect(),
            language: words.code,
        };
        // The lock is held while a page is rendered, so that other readers wait for it instead of rendering it again.
        let mut pages = self.pages.lock();
        if let Some((_, page)) = pages.get(&key).filter(|(of, _)| *of == freshness) {
            return Ok(Arc::clone(page));
        }
        let mut sources = Vec::new();
        for (share, version) in link.shares.iter().zip(&freshness.0) {
            let source = self.source(parts, share, *version).map_err(|e| {
                tracing::error!(reason = %e, "race_page.failed");
            })?;
            // An athlete whose race was erased a moment ago is no longer shown.
            let Some(source) = source else {
                continue;
            };
            let mut source = PageSource::clone(&source);
            source.snapshot.now = now;
            source.tiles.clone_from(&parts.map_tiles);
            sources.push((source, share));
        }
        let shown: Vec<PagePart<'_>> = sources
            .iter()
            .map(|(source, share)| (source, &share.terms, share.ends_at))
            .collect();
        let page = match shown.as_slice() {
            [] => return Err(()),
            [(source, terms, ends_at)] => {
                SharedPage::One(Box::new(RacePage::of(source, terms, *ends_at, words)))
            }
            several => SharedPage::Several(Box::new(JoinedPage::of(several, words))),
        };
        let page = RenderedRace::of(&page, parts.simulated).map_err(|_| {
            tracing::error!(place = "race page template", "bug");
        })?;
        if pages.len() >= MOST_PAGES {
            pages.clear();
        }
        let page = Arc::new(page);
        pages.insert(key, (freshness, Arc::clone(&page)));
        Ok(page)
    }

    /// The race, read once per change.
    fn source(
        &self,
        parts: &WebParts,
        share: &OpenShare,
        version: u64,
    ) -> Result<Option<Arc<PageSource>>, StoreError> {
        let mut kept = self.races.lock();
        if let Some((_, source)) = kept.get(&share.race).filter(|(of, _)| *of == version) {
            return Ok(Some(Arc::clone(source)));
        }
        let (races, account, race) = (&parts.races, &share.account, &share.race);
        let Some(view) = races.view(account, race)? else {
            return Ok(None);
        };
        let samples = races.samples(account, race, Timestamp::UNIX_EPOCH, Timestamp::MAX)?;
        let sent = races.sent_messages(account, race)?;
        let source = Arc::new(PageSource::new(view.snapshot, &samples, sent));
        if kept.len() >= MOST_RACES {
            kept.clear();
        }
        kept.insert(race.clone(), (version, Arc::clone(&source)));
        Ok(Some(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_asks_too_often_waits() {
        let readers = RaceReaders::default();
        let own: IpAddr = "203.0.113.7".parse().unwrap();
        let asked = (0..200).filter(|_| readers.may_ask(Some(own))).count();
        assert!((120..130).contains(&asked), "{asked}");
        assert!(readers.may_ask(Some("203.0.113.8".parse().unwrap())));
        assert!((0..500).all(|_| readers.may_ask(Some("127.0.0.1".parse().unwrap()))));
    }

    #[test]
    fn streams_have_an_end() {
        let readers = RaceReaders::default();
        let places: Vec<_> = std::iter::from_fn(|| readers.stream_place()).collect();
        assert_eq!(places.len(), MOST_STREAMS);
        drop(places);
        assert!(readers.stream_place().is_some());
    }
}
