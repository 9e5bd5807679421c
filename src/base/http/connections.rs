//! The open connections of a server, and which of them closes when there are too many.
//!
//! A connection is *proven* from the moment its request presents a valid bearer token until its next request begins.
//! A new connection is unproven. Only unproven connections are closed to admit others: the oldest one of the source
//! that has the most. A flood from a few addresses therefore displaces itself, and members always get in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::base::source::network;

/// The maximum numbers of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    pub(super) total: usize,
    /// The maximum number of unproven connections from one source.
    pub(super) per_source: usize,
}

/// The open connections of one server.
#[derive(Debug)]
pub(super) struct Connections {
    capacity: Capacity,
    /// Addresses that many clients connect through, so they have no limit per source. Loopback always counts as one,
    /// so that a local reverse proxy missing from the settings does not limit its clients.
    proxies: Vec<IpNet>,
    open: Mutex<OpenEntries>,
}

#[derive(Debug, Default)]
struct OpenEntries {
    last: u64,
    entries: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    source: IpAddr,
    /// `None` while the connection is proven.
    unproven_since: Option<Instant>,
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
    pub(super) fn new(capacity: Capacity, proxies: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            proxies,
            open: Mutex::default(),
        })
    }

    /// Registers a new connection, and closes an unproven one if there are too many. Returns `None` if all are
    /// proven.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<OpenConnection> {
        let mut open = self.open.lock();
        let source = network(peer);
        let address = peer.to_canonical();
        let is_proxy = address.is_loopback() || self.proxies.iter().any(|net| net.contains(&address));
        if !is_proxy && open.unproven(source) >= self.capacity.per_source {
            open.close_oldest(source);
        }
        if open.entries.len() >= self.capacity.total && !open.close_one() {
            return None;
        }
        open.last += 1;
        let (id, close) = (open.last, CancellationToken::new());
        let entry = Entry {
            source,
            unproven_since: Some(Instant::now()),
            close: close.clone(),
        };
        open.entries.insert(id, entry);
        Some(OpenConnection {
            id,
            connections: Arc::clone(self),
            close,
        })
    }

    /// Closes an unproven connection, because there are no file descriptors left.
    pub(super) fn make_room(&self) {
        self.open.lock().close_one();
    }
}

impl OpenEntries {
    fn unproven(&self, source: IpAddr) -> usize {
        let of_source = |entry: &&Entry| entry.source == source && entry.unproven_since.is_some();
        self.entries.values().filter(of_source).count()
    }

    /// Closes a connection of the source with the most unproven ones. Returns whether there was one.
    fn close_one(&mut self) -> bool {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for entry in self
            .entries
            .values()
            .filter(|entry| entry.unproven_since.is_some())
        {
            *counts.entry(entry.source).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.is_some_and(|(source, _)| self.close_oldest(source))
    }

    fn close_oldest(&mut self, source: IpAddr) -> bool {
        let unproven = self.entries.iter().filter_map(|(id, entry)| {
            let since = entry.unproven_since.filter(|_| entry.source == source)?;
            Some((since, *id))
        });
        let oldest = unproven.min().and_then(|(_, id)| self.entries.remove(&id));
        if let Some(entry) = &oldest {
            entry.close.cancel();
        }
        oldest.is_some()
    }
}

impl OpenConnection {
    /// Resolves when the connection must close.
    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// A request begins. Its client is unknown until a token is verified.
    pub(super) fn asked(&self) {
        if let Some(entry) = self.connections.open.lock().entries.get_mut(&self.id) {
            entry.unproven_since.get_or_insert_with(Instant::now);
        }
    }

    /// The request came from a known client.
    pub(super) fn proven(&self) {
        if let Some(entry) = self.connections.open.lock().entries.get_mut(&self.id) {
            entry.unproven_since = None;
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
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Connections::new(Capacity { total, per_source }, proxies)
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
        member.asked();
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
}
