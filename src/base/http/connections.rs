//! The open connections of a server, and which of them closes when there are too many.
//!
//! A connection is *proven* from the moment its request presents a valid bearer token until its next request begins. A
//! new connection is unproven. To make room, the server closes an unproven connection: among those of the source that
//! has the most, the one that has waited longest for its client. A request that was received completely is answered,
//! because it may have changed something; its connection is closed only if no other can be. A flood from a few
//! addresses therefore displaces itself, and members always get in.
//!
//! A new connection has a moment to send its request before it may be closed for others, so a flood waits in the
//! kernel's queue like everybody else.
//!
//! A connection of a proxy counts for the proxy, and during a request for the client of that request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::base::source::{Proxies, network};

/// How many connections are admitted per second while each of them displaces another.
const DISPLACED_PER_SECOND: usize = 500;

/// The maximum numbers of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    pub(super) total: usize,
    /// The maximum number of unproven connections from one source.
    pub(super) per_source: usize,
}

impl Capacity {
    /// The maximum number of bodies of unproven requests that are read at once.
    fn bodies(self) -> usize {
        (self.total / 4).max(1)
    }

    /// The same for one source.
    fn bodies_per_source(self) -> usize {
        (self.per_source / 4).max(1)
    }

    /// How long a connection may wait for its client before it is closed for another one.
    fn patience(self) -> Duration {
        Duration::from_secs(1) * u32::try_from(self.total).unwrap_or(u32::MAX)
            / u32::try_from(DISPLACED_PER_SECOND).unwrap_or(u32::MAX)
    }
}

/// The open connections of one server.
#[derive(Debug)]
pub(super) struct Connections {
    capacity: Capacity,
    /// Addresses through which many clients connect, so they have no limit per source. Loopback always counts as one,
    /// because a local proxy may not forward any addresses.
    proxies: Arc<Proxies>,
    open: Mutex<OpenEntries>,
}

#[derive(Debug, Default)]
struct OpenEntries {
    last: u64,
    entries: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The other end of the connection.
    peer: IpAddr,
    /// The source of the request in progress, else `peer`.
    source: IpAddr,
    is_proven: bool,
    /// The number of requests, from their header to the end of their response.
    requests: usize,
    /// The number of requests without a response yet.
    unanswered: usize,
    /// The number of unanswered requests whose body is being read.
    reading: usize,
    /// The start of the current state: connected, receiving a request, sending its response, or idle after it.
    since: Instant,
    /// Whether the connection has carried a request.
    has_asked: bool,
    close: CancellationToken,
}

/// Whether a new connection is admitted.
#[derive(Debug)]
pub(super) enum ConnectionSlot {
    Given(OpenConnection),
    /// Each of the others still has time to send its request. Ask again after this pause.
    Later(Duration),
    /// All others are answering requests.
    Full,
}

/// One open connection. Dropping it removes the entry.
#[derive(Debug)]
pub(super) struct OpenConnection {
    id: u64,
    connections: Arc<Connections>,
    /// When the first bytes of the next request arrived, until its header is complete. Every read checks this, so it
    /// has its own lock.
    head_since: Mutex<Option<Instant>>,
    close: CancellationToken,
}

/// A request in progress. It is dropped when its response was sent, or when that is no longer possible.
#[derive(Debug)]
pub(super) struct OpenRequest {
    connection: Arc<OpenConnection>,
    is_answered: bool,
}

/// A body being read, until this is dropped.
#[derive(Debug)]
pub struct ReadingBody(Arc<OpenConnection>);

impl Connections {
    pub(super) fn new(capacity: Capacity, proxies: Arc<Proxies>) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            proxies,
            open: Mutex::default(),
        })
    }

    /// Registers a new connection, and closes another one if there are too many.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> ConnectionSlot {
        let mut open = self.open.lock();
        let peer = network(peer);
        self.keep_share(&mut open, peer, 1);
        if open.entries.len() >= self.capacity.total {
            let Some(victim) = open.victim() else {
                return ConnectionSlot::Full;
            };
            if let Some(patience) = open.patience_left(victim, self.capacity.patience()) {
                return ConnectionSlot::Later(patience);
            }
            open.close(victim);
        }
        open.last += 1;
        let (id, close) = (open.last, CancellationToken::new());
        let entry = Entry {
            peer,
            source: peer,
            is_proven: false,
            requests: 0,
            unanswered: 0,
            reading: 0,
            since: Instant::now(),
            has_asked: false,
            close: close.clone(),
        };
        open.entries.insert(id, entry);
        ConnectionSlot::Given(OpenConnection {
            id,
            connections: Arc::clone(self),
            head_since: Mutex::default(),
            close,
        })
    }

    /// Closes a connection, because there are no file descriptors left.
    pub(super) fn make_room(&self) {
        let mut open = self.open.lock();
        if let Some(victim) = open.victim() {
            open.close(victim);
        }
    }

    /// Closes an unproven connection of `source` if there is no room for `more` of them.
    fn keep_share(&self, open: &mut OpenEntries, source: IpAddr, more: usize) {
        let is_own = |entry: &Entry| entry.source == source && !entry.is_proven;
        if !self.is_shared(source) && open.count(is_own) + more > self.capacity.per_source {
            let waiting = open.oldest(|entry| is_own(entry) && entry.waits_for_client());
            if let Some(victim) = waiting.or_else(|| open.oldest(is_own)) {
                open.close(victim);
            }
        }
    }

    fn is_shared(&self, source: IpAddr) -> bool {
        source.is_loopback() || self.proxies.is_trusted(source)
    }
}

impl Entry {
    /// Whether the client has to act next: to send a request or the rest of one, or to read the response.
    fn waits_for_client(&self) -> bool {
        self.unanswered <= self.reading
    }
}

impl OpenEntries {
    fn count(&self, is_meant: impl Fn(&Entry) -> bool) -> usize {
        self.entries.values().filter(|entry| is_meant(entry)).count()
    }

    /// The connection to close for others.
    fn victim(&self) -> Option<u64> {
        self.oldest(|entry| !entry.is_proven && entry.waits_for_client())
            .or_else(|| self.oldest(|entry| entry.requests == 0))
            .or_else(|| self.oldest(|entry| !entry.is_proven))
    }

    /// Among these connections, the oldest one of the source that has the most.
    fn oldest(&self, is_meant: impl Fn(&Entry) -> bool) -> Option<u64> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for entry in self.entries.values().filter(|entry| is_meant(entry)) {
            *counts.entry(entry.source).or_default() += 1;
        }
        let (source, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let own = self.entries.iter();
        let own = own.filter(|(_, entry)| entry.source == source && is_meant(entry));
        own.map(|(id, entry)| (entry.since, *id)).min().map(|(_, id)| id)
    }

    /// How much longer an unproven connection may wait for its client, if at all.
    fn patience_left(&self, id: u64, patience: Duration) -> Option<Duration> {
        let entry = self.entries.get(&id)?;
        let is_waiting = !entry.is_proven && entry.waits_for_client();
        let left = patience.checked_sub(entry.since.elapsed())?;
        (is_waiting && !left.is_zero()).then_some(left)
    }

    fn close(&mut self, id: u64) {
        if let Some(entry) = self.entries.remove(&id) {
            entry.close.cancel();
        }
    }
}

impl OpenConnection {
    /// Resolves when the connection must close.
    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Resolves when the client has kept the server waiting for `limit`.
    pub(super) async fn silent(&self, limit: Duration) {
        while let Some(left) = self.silence_left(limit) {
            sleep(left).await;
        }
    }

    /// How much longer the client may be silent; `None` if its time is over. After a request, a known client and a
    /// proxy may be idle, but no client may pause within a header.
    fn silence_left(&self, limit: Duration) -> Option<Duration> {
        let open = self.connections.open.lock();
        let entry = open.entries.get(&self.id)?;
        let may_idle = entry.has_asked && (entry.is_proven || self.connections.is_shared(entry.peer));
        let head_since = *self.head_since.lock();
        let since = match head_since {
            _ if entry.requests > 0 => return Some(limit),
            None if may_idle => return Some(limit),
            None => entry.since,
            Some(head_since) => head_since,
        };
        let left = limit.checked_sub(since.elapsed())?;
        (!left.is_zero()).then_some(left)
    }

    /// Records that bytes arrived. Between two requests, they are the beginning of the next one.
    pub(super) fn heard(&self) {
        self.head_since.lock().get_or_insert_with(Instant::now);
    }

    /// Records that a request from this source begins. Its client is unknown until a token is verified.
    pub(super) fn asked(self: &Arc<Self>, source: IpAddr) -> OpenRequest {
        let mut open = self.connections.open.lock();
        let source = network(source);
        if let Some(entry) = open.entries.get_mut(&self.id) {
            let is_new = std::mem::replace(&mut entry.source, source) != source;
            entry.is_proven = false;
            entry.has_asked = true;
            entry.requests += 1;
            entry.unanswered += 1;
            entry.since = Instant::now();
            if is_new {
                self.connections.keep_share(&mut open, source, 0);
            }
        }
        OpenRequest {
            connection: Arc::clone(self),
            is_answered: false,
        }
    }

    /// Records that the request came from a known client.
    pub(super) fn proven(&self) {
        self.change(|entry| entry.is_proven = true);
    }

    /// Records that the body of the request is about to be read. Closes another connection if too many bodies of
    /// unknown clients are being read.
    pub(super) fn reading(self: &Arc<Self>) -> ReadingBody {
        self.change(|entry| entry.reading += 1);
        let mut open = self.connections.open.lock();
        if let Some(entry) = open.entries.get(&self.id).filter(|entry| !entry.is_proven) {
            let source = entry.source;
            let capacity = self.connections.capacity;
            let is_read = |entry: &Entry| entry.reading > 0 && !entry.is_proven;
            let is_own = |entry: &Entry| is_read(entry) && entry.source == source;
            if !self.connections.is_shared(source)
                && open.count(is_own) > capacity.bodies_per_source()
                && let Some(victim) = open.oldest(is_own)
            {
                open.close(victim);
            }
            if open.count(is_read) > capacity.bodies()
                && let Some(victim) = open.oldest(is_read)
            {
                open.close(victim);
            }
        }
        ReadingBody(Arc::clone(self))
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.connections.open.lock().entries.get_mut(&self.id) {
            change(entry);
        }
    }
}

impl OpenRequest {
    /// Records that the response is known. The client now has to read it.
    pub(super) fn answered(&mut self) {
        self.is_answered = true;
        self.connection.change(|entry| {
            entry.unanswered -= 1;
            entry.since = Instant::now();
        });
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let is_answered = self.is_answered;
        // Bytes that arrived during a request were its body, and not the next header.
        *self.connection.head_since.lock() = None;
        self.connection.change(|entry| {
            entry.requests -= 1;
            if !is_answered {
                entry.unanswered -= 1;
            }
            if entry.requests == 0 {
                entry.source = entry.peer;
                entry.since = Instant::now();
            }
        });
    }
}

impl Drop for ReadingBody {
    fn drop(&mut self) {
        self.0.change(|entry| entry.reading -= 1);
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.open.lock().entries.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
