//! Capacity: which account gets it, which worker is evicted for it, and how long a call waits for it.

use std::time::Instant;

use super::Policy;
use super::entry::WorkerPhase;
use super::event::{Incarnation, StopReason, WorkerAction};
use crate::accounts::AccountId;
use crate::workers::call::WorkerError;

impl<H: Clone> Policy<H> {
    /// Starts processes for queued accounts while there is capacity, and evicts idle workers if there is none.
    pub(super) fn fill(&mut self, actions: &mut Vec<WorkerAction<H>>) {
        let mut looked_at = 0;
        while self.running < self.limits.max
            && let Some(account) = self.queue.get(looked_at)
        {
            let Some(entry) = self.entries.get_mut(account) else {
                break;
            };
            // The account's previous process has not exited yet.
            if !matches!(entry.phase, WorkerPhase::Absent) {
                looked_at += 1;
                continue;
            }
            self.last_incarnation += 1;
            let incarnation = Incarnation(self.last_incarnation);
            entry.phase = WorkerPhase::Starting(incarnation);
            entry.starts += 1;
            self.running += 1;
            if let Some(account) = self.queue.remove(looked_at) {
                actions.push(WorkerAction::Spawn { account, incarnation });
            }
        }
        // Each stopping process frees a slot for one queued account. A queued account whose own worker is retiring
        // needs no other slot.
        let waiting = |account: &&AccountId| {
            self.entries
                .get(*account)
                .is_some_and(|entry| !matches!(entry.phase, WorkerPhase::Ready(_)))
        };
        let in_need = self.queue.iter().filter(waiting).count();
        while in_need > self.stopping {
            let Some((account, entry)) = self
                .entries
                .iter_mut()
                .filter(|(_, entry)| matches!(&entry.phase, WorkerPhase::Ready(up) if up.is_idle()))
                .min_by_key(|(_, entry)| entry.idle_since())
            else {
                break;
            };
            let WorkerPhase::Ready(up) = &entry.phase else {
                break;
            };
            let incarnation = up.incarnation;
            self.stopping += 1;
            actions.push(entry.stop(account, incarnation, StopReason::Evicted));
        }
    }

    pub(super) fn tick(&mut self, now: Instant, actions: &mut Vec<WorkerAction<H>>) {
        for (account, entry) in &mut self.entries {
            if let WorkerPhase::Ready(up) = &entry.phase
                && up.is_idle()
                && up.used_at + self.limits.idle_ttl <= now
            {
                let incarnation = up.incarnation;
                self.stopping += 1;
                actions.push(entry.stop(account, incarnation, StopReason::Idle));
            }
        }
        let busy = WorkerError::Busy {
            retry_after: self.limits.wait_for_room,
        };
        let entries = &mut self.entries;
        self.queue.retain(|account| {
            let Some(entry) = entries.get_mut(account) else {
                return false;
            };
            entry.waiters.retain(|waiter| {
                let patient = waiter.until > now;
                if !patient {
                    actions.push(WorkerAction::Refuse {
                        ticket: waiter.ticket,
                        error: busy.clone(),
                    });
                }
                patient
            });
            !entry.waiters.is_empty()
        });
    }

    /// When the next [`super::WorkerEvent::Tick`] is due. While a call is in flight, the result may be too early but
    /// never too late, so the end of a call does not need to wake the timer.
    pub(in crate::workers) fn next_tick(&self, now: Instant) -> Option<Instant> {
        let reap = self.entries.values().filter_map(|entry| match &entry.phase {
            WorkerPhase::Ready(up) if !up.is_idle() => Some(now + self.limits.idle_ttl),
            WorkerPhase::Ready(up) => Some(up.used_at + self.limits.idle_ttl),
            _ => None,
        });
        let patience = self.queue.iter().filter_map(|account| {
            self.entries
                .get(account)
                .and_then(|entry| entry.waiters.iter().map(|waiter| waiter.until).min())
        });
        reap.chain(patience).min()
    }
}
