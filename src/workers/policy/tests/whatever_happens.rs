//! Checks the policy's invariants under random sequences of events.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// A random event. Its numbers select among the accounts and calls that exist at that moment.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Call(u8),
    GiveUp(usize),
    EndCall(usize),
    Start(usize),
    FailStart(usize),
    NeedSignIn(usize),
    Doubt(usize),
    TimeOut(usize),
    Clear(usize),
    Crash(usize),
    FinishStop(usize),
    Revoke(u8),
    Relink(u8),
    Later(u16),
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        8 => (0u8..6).prop_map(Chance::Call),
        1 => any::<usize>().prop_map(Chance::GiveUp),
        6 => any::<usize>().prop_map(Chance::EndCall),
        6 => any::<usize>().prop_map(Chance::Start),
        1 => any::<usize>().prop_map(Chance::FailStart),
        1 => any::<usize>().prop_map(Chance::NeedSignIn),
        2 => any::<usize>().prop_map(Chance::Doubt),
        2 => any::<usize>().prop_map(Chance::TimeOut),
        2 => any::<usize>().prop_map(Chance::Clear),
        2 => any::<usize>().prop_map(Chance::Crash),
        4 => any::<usize>().prop_map(Chance::FinishStop),
        1 => (0u8..6).prop_map(Chance::Revoke),
        1 => (0u8..6).prop_map(Chance::Relink),
        4 => (0u16..400).prop_map(Chance::Later),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Process {
    Starting,
    Ready,
    Checking,
    Stopping,
}

/// The world that results from the policy's actions; it also checks the invariants.
struct World {
    policy: Policy<u64>,
    max: usize,
    now: Instant,
    processes: BTreeMap<Incarnation, (AccountId, Process)>,
    in_flight: Vec<(AccountId, Incarnation)>,
    waiting: BTreeMap<WaitTicket, AccountId>,
    answered: BTreeSet<WaitTicket>,
}

fn pick<T: Clone>(of: &[T], number: usize) -> Option<T> {
    (!of.is_empty()).then(|| of[number % of.len()].clone())
}

impl World {
    fn in_state(&self, state: Process) -> Vec<(Incarnation, AccountId)> {
        self.processes
            .iter()
            .filter(|(_, (_, is))| *is == state)
            .map(|(incarnation, (account, _))| (*incarnation, account.clone()))
            .collect()
    }

    fn step(&mut self, event: WorkerEvent<u64>) {
        let actions = self.policy.step(event, self.now);
        self.apply(actions);
    }

    fn apply(&mut self, actions: impl IntoIterator<Item = WorkerAction<u64>>) {
        for action in actions {
            match action {
                WorkerAction::Spawn { account, incarnation } => {
                    assert!(
                        self.processes.values().all(|(owner, _)| *owner != account),
                        "two processes for {account}"
                    );
                    self.processes.insert(incarnation, (account, Process::Starting));
                    assert!(self.processes.len() <= self.max, "more processes than allowed");
                }
                WorkerAction::Check { incarnation, .. } => {
                    let (_, state) = self
                        .processes
                        .get_mut(&incarnation)
                        .expect("checks one that runs");
                    assert_eq!(*state, Process::Ready);
                    *state = Process::Checking;
                }
                WorkerAction::Stop {
                    account,
                    incarnation,
                    reason,
                } => {
                    let (_, state) = self.processes.get_mut(&incarnation).expect("stops one that runs");
                    assert_ne!(*state, Process::Stopping, "told twice");
                    *state = Process::Stopping;
                    if matches!(
                        reason,
                        StopReason::Idle | StopReason::Evicted | StopReason::SignedInAgain
                    ) {
                        assert!(
                            self.in_flight.iter().all(|(_, used)| *used != incarnation),
                            "{account} stopped with a call in flight: {reason:?}"
                        );
                    }
                }
                WorkerAction::Admit { ticket, admission } => {
                    let account = self.waiting.remove(&ticket).expect("admits one that waits");
                    assert!(self.answered.insert(ticket));
                    let (owner, state) = &self.processes[&admission.incarnation];
                    assert_eq!(*owner, account, "an admission at another person's worker");
                    assert_eq!(*state, Process::Ready);
                    self.in_flight.push((account, admission.incarnation));
                }
                WorkerAction::Refuse { ticket, .. } => {
                    assert!(
                        self.waiting.remove(&ticket).is_some(),
                        "refuses one that does not wait"
                    );
                    assert!(self.answered.insert(ticket));
                }
            }
        }
        assert_eq!(self.policy.running(), self.processes.len());
        // A call that waits for capacity always has a tick due by its deadline.
        assert!(
            self.waiting.is_empty() || !self.processes.is_empty(),
            "{:?} wait and nothing happens",
            self.waiting
        );
    }

    fn set(&mut self, incarnation: Incarnation, state: Process) {
        self.processes.get_mut(&incarnation).expect("runs").1 = state;
    }

    fn gone(&mut self, incarnation: Incarnation, end: WorkerExit) {
        let (account, _) = self.processes.remove(&incarnation).expect("runs");
        self.step(WorkerEvent::Gone {
            account,
            incarnation,
            end,
        });
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each thing that can happen")]
    fn happen(&mut self, chance: Chance, next_ticket: &mut u64) {
        match chance {
            Chance::Call(n) => {
                let account = account(n);
                *next_ticket += 1;
                let ticket = WaitTicket(*next_ticket);
                self.waiting.insert(ticket, account.clone());
                match self.policy.enter(&account) {
                    Some(admission) => self.apply([WorkerAction::Admit { ticket, admission }]),
                    None => self.step(WorkerEvent::Wanted { account, ticket }),
                }
            }
            Chance::GiveUp(n) => {
                let waiting: Vec<_> = self.waiting.clone().into_iter().collect();
                if let Some((ticket, account)) = pick(&waiting, n) {
                    self.waiting.remove(&ticket);
                    self.step(WorkerEvent::GaveUp { account, ticket });
                }
            }
            Chance::EndCall(n) => {
                if !self.in_flight.is_empty() {
                    let (account, incarnation) = self.in_flight.remove(n % self.in_flight.len());
                    let action = self
                        .policy
                        .leave(&account, incarnation, incarnation.0 % 2 == 0, self.now);
                    self.apply(action);
                }
            }
            Chance::Start(n) => {
                if let Some((incarnation, account)) = pick(&self.in_state(Process::Starting), n) {
                    self.set(incarnation, Process::Ready);
                    self.step(WorkerEvent::Started {
                        account,
                        incarnation,
                        handle: incarnation.0,
                    });
                }
            }
            Chance::FailStart(n) => {
                if let Some((incarnation, _)) = pick(&self.in_state(Process::Starting), n) {
                    self.gone(incarnation, WorkerExit::NotStarted { reason: "no".into() });
                }
            }
            Chance::NeedSignIn(n) => {
                if let Some((incarnation, _)) = pick(&self.in_state(Process::Starting), n) {
                    self.gone(incarnation, WorkerExit::SignInNeeded);
                }
            }
            Chance::Doubt(n) => {
                if let Some((account, incarnation)) = pick(&self.in_flight, n) {
                    self.step(WorkerEvent::Suspected { account, incarnation });
                }
            }
            Chance::TimeOut(n) => {
                if let Some((account, incarnation)) = pick(&self.in_flight, n) {
                    self.step(WorkerEvent::TimedOut { account, incarnation });
                }
            }
            Chance::Clear(n) => {
                if let Some((incarnation, account)) = pick(&self.in_state(Process::Checking), n) {
                    self.set(incarnation, Process::Ready);
                    self.step(WorkerEvent::Cleared {
                        account,
                        incarnation,
                        handle: incarnation.0,
                    });
                }
            }
            Chance::Crash(n) => {
                let mut up = self.in_state(Process::Ready);
                up.extend(self.in_state(Process::Checking));
                if let Some((incarnation, _)) = pick(&up, n) {
                    self.gone(incarnation, WorkerExit::Crashed { reason: "no".into() });
                }
            }
            Chance::FinishStop(n) => {
                if let Some((incarnation, _)) = pick(&self.in_state(Process::Stopping), n) {
                    self.gone(incarnation, WorkerExit::Stopped);
                }
            }
            Chance::Revoke(n) => {
                self.step(WorkerEvent::StopWanted {
                    account: account(n),
                    reason: StopReason::Revoked,
                });
            }
            Chance::Relink(n) => {
                self.step(WorkerEvent::StopWanted {
                    account: account(n),
                    reason: StopReason::SignedInAgain,
                });
            }
            Chance::Later(seconds) => {
                let until = self.now + Duration::from_secs(seconds.into());
                // The supervisor's loop wakes at every tick that is due.
                while let Some(at) = self.policy.next_tick(self.now).filter(|at| *at <= until) {
                    self.now = at.max(self.now);
                    self.step(WorkerEvent::Tick);
                    if self
                        .policy
                        .next_tick(self.now)
                        .is_some_and(|next| next <= self.now)
                    {
                        panic!("the clock would spin");
                    }
                }
                self.now = until;
                for (incarnation, account) in self.in_state(Process::Ready) {
                    let used = self.in_flight.iter().any(|(_, used)| *used == incarnation);
                    let status = self.policy.statuses().find(|(id, _)| **id == account).unwrap().1;
                    let idle = status.idle_since.map(|at| self.now.duration_since(at));
                    assert!(
                        used || idle < Some(limits(1).idle_ttl),
                        "{account} is idle and was not reaped"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(max in 1usize..4, chances in proptest::collection::vec(chance(), 1..200)) {
        let mut world = World {
            policy: Policy::new(limits(max)),
            max,
            now: Instant::now(),
            processes: BTreeMap::new(),
            in_flight: Vec::new(),
            waiting: BTreeMap::new(),
            answered: BTreeSet::new(),
        };
        let mut tickets = 0;
        for chance in chances {
            world.happen(chance, &mut tickets);
        }
        // Finish everything in progress; no call may be left without an answer.
        for _ in 0..20 {
            while !world.in_flight.is_empty() {
                world.happen(Chance::EndCall(0), &mut tickets);
            }
            for (state, chance) in [
                (Process::Starting, Chance::Start(0)),
                (Process::Checking, Chance::Clear(0)),
                (Process::Stopping, Chance::FinishStop(0)),
            ] {
                while !world.in_state(state).is_empty() {
                    world.happen(chance, &mut tickets);
                }
            }
        }
        prop_assert!(world.waiting.is_empty(), "left without an answer: {:?}", world.waiting);
        world.step(WorkerEvent::Drain);
        while !world.in_state(Process::Stopping).is_empty() {
            world.happen(Chance::FinishStop(0), &mut tickets);
        }
        prop_assert!(world.processes.is_empty());
    }
}
