//! The workers' ports: one per worker, from `WORKER_PORT_START` to `WORKER_PORT_END` on `127.0.0.1`.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

/// Allocates ports. Skips a port that another program listens on.
#[derive(Debug, Clone)]
pub(super) struct Ports(Arc<Mutex<PortsState>>);

#[derive(Debug)]
struct PortsState {
    range: RangeInclusive<u16>,
    leased: HashSet<u16>,
    /// Where the next search starts. A released port is reused as late as possible.
    next: u16,
}

/// A port reserved for one worker until this is dropped.
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

    /// Reserves the next free port. `None` means that workers or other programs use all of them.
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
        self.0.lock()
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

/// Only a check, not a reservation: the worker binds the port a moment later. If it loses that race, its start fails.
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
