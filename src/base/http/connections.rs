//! The open connections of a server, and which of them closes when there are too many.
//!
//! A connection is *proven* from the moment its request presents a valid bearer token until its next request begins.
//! A new connection is unproven. To admit others, the oldest unproven connection of the source with the most of them
//! closes; if all are proven, an idle one. A flood from a few addresses therefore displaces itself, and members always
//! get in.
//!
//! A connection of a proxy belongs to the proxy, and during a request to the client of that request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::base::source::{Proxies, network};

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
}

/// The open connections of one server.
#[derive(Debug)]
pub(super) struct Connections {
    capacity: Capacity,
    /// Addresses that many clients connect through, so they have no limit per source. Loopback always counts as one,
    /// because a local proxy may tell no addresses at all.
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
    /// Whether a request is in progress, or awaited for the first time.
    is_busy: bool,
    /// Whether the body of an unproven request is being read.
    is_reading: bool,
    /// When the connection, its request, or the pause after it began.
    since: Instant,
    close: CancellationToken,
}

/// One open connection. Dropping it removes the entry.
#[derive(Debug)]
pub(super) struct OpenConnection {
    id: u64,
    connections: Arc<Connections>,
    close: CancellationToken,
}

impl Connections {
    pub(super) fn new(capacity: Capacity, proxies: Arc<Proxies>) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            proxies,
            open: Mutex::default(),
        })
    }

    /// Registers a new connection, and closes another one if there are too many. Returns `None` if all are proven and
    /// busy.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<OpenConnection> {
        let mut open = self.open.lock();
        let peer = network(peer);
        self.keep_share(&mut open, peer, 1);
        if open.entries.len() >= self.capacity.total && !open.close_one() {
            return None;
        }
        open.last += 1;
        let (id, close) = (open.last, CancellationToken::new());
        let entry = Entry {
            peer,
            source: peer,
            is_proven: false,
            is_busy: true,
            is_reading: false,
            since: Instant::now(),
            close: close.clone(),
        };
        open.entries.insert(id, entry);
        Some(OpenConnection {
            id,
            connections: Arc::clone(self),
            close,
        })
    }

    /// Closes a connection, because there are no file descriptors left.
    pub(super) fn make_room(&self) {
        self.open.lock().close_one();
    }

    /// Closes unproven connections of `source` until it has room for `more`.
    fn keep_share(&self, open: &mut OpenEntries, source: IpAddr, more: usize) {
        let is_own = |entry: &Entry| entry.source == source && !entry.is_proven;
        if !self.is_shared(source) && open.count(is_own) + more > self.capacity.per_source {
            open.displace(is_own);
        }
    }

    fn is_shared(&self, source: IpAddr) -> bool {
        source.is_loopback() || self.proxies.is_trusted(source)
    }
}

impl OpenEntries {
    fn count(&self, is_meant: impl Fn(&Entry) -> bool) -> usize {
        self.entries.values().filter(|entry| is_meant(entry)).count()
    }

    /// Closes a connection of the source with the most unproven ones, or an idle one. Returns whether there was one.
    fn close_one(&mut self) -> bool {
        self.displace(|entry| !entry.is_proven) || self.displace(|entry| !entry.is_busy)
    }

    /// Among these connections, closes the oldest one of the source that has the most.
    fn displace(&mut self, is_meant: impl Fn(&Entry) -> bool) -> bool {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for entry in self.entries.values().filter(|entry| is_meant(entry)) {
            *counts.entry(entry.source).or_default() += 1;
        }
        let Some((source, _)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
            return false;
        };
        let own = self.entries.iter();
        let own = own.filter(|(_, entry)| entry.source == source && is_meant(entry));
        let oldest = own.map(|(id, entry)| (entry.since, *id)).min();
        let closed = oldest.and_then(|(_, id)| self.entries.remove(&id));
        if let Some(entry) = &closed {
            entry.close.cancel();
        }
        closed.is_some()
    }
}

impl OpenConnection {
    /// Resolves when the connection must close.
    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// A request of this source begins. Its client is unknown until a token is verified.
    pub(super) fn asked(&self, source: IpAddr) {
        let mut open = self.connections.open.lock();
        let source = network(source);
        let Some(entry) = open.entries.get_mut(&self.id) else {
            return;
        };
        let is_new = std::mem::replace(&mut entry.source, source) != source;
        (entry.is_proven, entry.is_busy, entry.is_reading) = (false, true, false);
        entry.since = Instant::now();
        if is_new {
            self.connections.keep_share(&mut open, source, 0);
        }
    }

    /// The request came from a known client.
    pub(super) fn proven(&self) {
        if let Some(entry) = self.connections.open.lock().entries.get_mut(&self.id) {
            entry.is_proven = true;
        }
    }

    /// The body of the request is about to be read. If too many bodies of unknown clients are, another connection
    /// closes.
    pub(super) fn reading(&self) {
        let mut open = self.connections.open.lock();
        let Some(entry) = open.entries.get_mut(&self.id).filter(|entry| !entry.is_proven) else {
            return;
        };
        entry.is_reading = true;
        let source = entry.source;
        let capacity = self.connections.capacity;
        let is_own = |entry: &Entry| entry.is_reading && entry.source == source;
        if !self.connections.is_shared(source) && open.count(is_own) > capacity.bodies_per_source() {
            open.displace(is_own);
        }
        if open.count(|entry| entry.is_reading) > capacity.bodies() {
            open.displace(|entry| entry.is_reading);
        }
    }

    /// The response is complete.
    pub(super) fn answered(&self) {
        if let Some(entry) = self.connections.open.lock().entries.get_mut(&self.id) {
            entry.source = entry.peer;
            (entry.is_busy, entry.is_reading) = (false, false);
            entry.since = Instant::now();
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.open.lock().entries.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(total: usize, per_source: usize) -> Arc<Connections> {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        Connections::new(Capacity { total, per_source }, Arc::new(proxies))
    }

    fn from(connections: &Arc<Connections>, address: &str) -> OpenConnection {
        connections.admit(address.parse().unwrap()).unwrap()
    }

    fn closed(of: &[OpenConnection]) -> Vec<usize> {
        let closed =
            |(at, connection): (usize, &OpenConnection)| connection.close.is_cancelled().then_some(at);
        of.iter().enumerate().filter_map(closed).collect()
    }

    #[test]
    fn a_source_displaces_itself() {
        let all = connections(10, 2);
        let other = from(&all, "192.0.2.9");
        let flood = ["192.0.2.1"; 4].map(|address| from(&all, address));
        assert_eq!(closed(&flood), [0, 1]);
        assert!(!other.close.is_cancelled());
        // A single IPv6 subscriber has a whole network of addresses.
        let flood = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
            .map(|address| from(&all, address));
        assert_eq!(closed(&flood), [0]);
    }

    #[test]
    fn a_proxy_has_no_share_of_its_own() {
        let all = connections(10, 2);
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "::1"] {
            let many = [address; 3].map(|address| from(&all, address));
            assert_eq!(closed(&many), [0_usize; 0], "{address}");
        }
    }

    #[test]
    fn proven_connections_stay_and_the_largest_source_makes_room() {
        let all = connections(4, 4);
        let member = from(&all, "192.0.2.1");
        member.proven();
        let flood = ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|address| from(&all, address));
        let newcomer = from(&all, "192.0.2.3");
        assert_eq!(closed(&flood), [0]);
        assert!(!member.close.is_cancelled() && !newcomer.close.is_cancelled());
        // Its next request counts as unproven from its own start.
        member.asked("192.0.2.1".parse().unwrap());
        all.make_room();
        all.make_room();
        assert!(!closed(&flood).is_empty());
    }

    #[test]
    fn nobody_is_taken_in_where_all_are_proven() {
        let all = connections(1, 1);
        let member = from(&all, "192.0.2.1");
        member.proven();
        assert!(all.admit("192.0.2.2".parse().unwrap()).is_none());
        drop(member);
        assert!(all.admit("192.0.2.2".parse().unwrap()).is_some());
    }
    /// A member's idle connections do not shut others out.
    #[test]
    fn an_idle_proven_connection_makes_room() {
        let all = connections(2, 2);
        let members = ["192.0.2.1"; 2].map(|address| from(&all, address));
        for member in &members {
            member.proven();
        }
        members[1].answered();
        from(&all, "192.0.2.2");
        assert_eq!(closed(&members), [1]);
    }

    /// Behind a proxy each request belongs to its client, and the pause after it to the proxy.
    #[test]
    fn clients_of_a_proxy_have_their_own_shares() {
        for proxy in ["10.1.2.3", "127.0.0.1"] {
            let all = connections(10, 2);
            let stranger = "203.0.113.7".parse().unwrap();
            let other = from(&all, proxy);
            other.asked("203.0.113.8".parse().unwrap());
            let flood = [proxy; 4].map(|address| from(&all, address));
            for one in &flood[..2] {
                one.asked(stranger);
                one.answered();
            }
            for one in &flood {
                one.asked(stranger);
            }
            assert_eq!(closed(&flood), [0, 1], "{proxy}");
            assert!(!other.close.is_cancelled());
        }
    }

    #[test]
    fn few_bodies_of_unknown_clients_are_read_at_once() {
        let all = connections(8, 8);
        let slow = ["192.0.2.1"; 3].map(|address| from(&all, address));
        let member = from(&all, "192.0.2.1");
        member.proven();
        for one in [&slow[0], &slow[1], &member] {
            one.reading();
        }
        assert_eq!(closed(&slow), [0_usize; 0]);
        slow[2].reading();
        assert_eq!(closed(&slow), [0], "two for one source");
        let other = from(&all, "192.0.2.2");
        other.reading();
        assert_eq!(closed(&slow), [0, 1], "two in all");
        assert!(!other.close.is_cancelled() && !member.close.is_cancelled());
    }
}
