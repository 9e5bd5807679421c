//! The ports that workers listen on: one each, out of `WORKER_PORT_START` to `WORKER_PORT_END` on `127.0.0.1`.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Hands out ports. A port that another program listens on is skipped.
#[derive(Debug, Clone)]
pub(super) struct Ports(Arc<Mutex<PortsState>>);

#[derive(Debug)]
struct PortsState {
    range: RangeInclusive<u16>,
    leased: HashSet<u16>,
    /// Where to look next: a port that was just given back rests as long as possible.
    next: u16,
}

/// A port that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct PortLease {
    port: u16,
    ports: Ports,
}

impl Ports {
    pub(super) fn new(range: RangeInclusive<u16>) -> Self {
        let next = *range.start();
        Ports(Arc::new(Mutex::new(PortsState {
            range,
            leased: HashSet::new(),
            next,
        })))
    }

    /// The next port that is free. `None`: all are taken, by workers or by other programs.
    pub(super) fn lease(&self) -> Option<PortLease> {
        let mut state = self.lock();
        for _ in 0..state.range.len() {
            let port = state.next;
            state.next = if port >= *state.range.end() {
                *state.range.start()
            } else {
                port + 1
            };
            if !state.leased.contains(&port) && is_free(port) {
                state.leased.insert(port);
                drop(state);
                return Some(PortLease {
                    port,
                    ports: self.clone(),
                });
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, PortsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PortLease {
    pub(super) fn number(&self) -> u16 {
        self.port
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        self.ports.lock().leased.remove(&self.port);
    }
}

/// The worker binds it itself a moment later, so this is a look, not a promise: losing that race is a failed start.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_once_and_none_that_is_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let only = Ports::new(port..=port);
        assert!(only.lease().is_none(), "somebody else listens there");
        drop(taken);
        let lease = only.lease().unwrap();
        assert_eq!(lease.number(), port);
        assert!(only.lease().is_none(), "leased");
        drop(lease);
        assert!(only.lease().is_some());
    }

    #[test]
    fn a_port_rests_before_it_is_used_again() {
        let ports = Ports::new(46000..=46009);
        let first = ports.lease().unwrap().number();
        let second = ports.lease().unwrap().number();
        assert_ne!(first, second);
    }
}
