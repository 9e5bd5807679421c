use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use std::str::FromStr;

use super::*;

/// Account ids are long; what is said is told without this part of them.
const PADDING: &str = "aaaaaaaaaaaaaaa";

fn account(n: u8) -> AccountId {
    AccountId::from_str(&format!("acc_{PADDING}{n}")).unwrap()
}

fn limits(max: usize) -> Limits {
    Limits {
        max,
        idle_ttl: Duration::from_secs(900),
        wait_for_room: Duration::from_secs(10),
    }
}

/// A policy and the world it acts on, told in one line a step.
struct Play {
    policy: Policy<u64>,
    start: Instant,
    now: Instant,
    tickets: u64,
    said: Vec<String>,
}

impl Play {
    fn new(max: usize) -> Self {
        let start = Instant::now();
        Play {
            policy: Policy::new(limits(max)),
            start,
            now: start,
            tickets: 0,
            said: Vec::new(),
        }
    }

    fn step(&mut self, event: Event<u64>) {
        let actions = self.policy.step(event, self.now);
        self.say(actions);
    }

    fn say(&mut self, actions: impl IntoIterator<Item = Action<u64>>) {
        let said = actions.into_iter().map(|action| match action {
            Action::Spawn { account, incarnation } => format!("spawn {account} #{}", incarnation.0),
            Action::Check { account, .. } => format!("check {account}"),
            Action::Stop { account, reason, .. } => format!("stop {account} {}", reason.as_str()),
            Action::Admit { ticket, seat } => format!("admit {} #{}", ticket.0, seat.incarnation.0),
            Action::Refuse { ticket, error } => format!("refuse {}: {error}", ticket.0),
        });
        self.said.extend(said.map(|line| line.replace(PADDING, "")));
    }

    /// One word each: `call 1` (account), `up 1 2` (account, incarnation), `end 1 2 well`, `at 5` (seconds), …
    fn act(&mut self, script: &str) {
        let words: Vec<&str> = script.split(' ').collect();
        let who = || account(words[1].parse().unwrap());
        let which = || Incarnation(words[2].parse().unwrap());
        let (account, incarnation) = (who, which);
        let reason = || "it ended with exit code 1".to_owned();
        match words[0] {
            "call" => {
                let account = account();
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                match self.policy.enter(&account) {
                    Some(seat) => self.say([Action::Admit { ticket, seat }]),
                    None => self.step(Event::Wanted { account, ticket }),
                }
            }
            "end" => {
                let action = self
                    .policy
                    .leave(&account(), incarnation(), words.len() > 3, self.now);
                self.say(action);
            }
            "quit" => self.step(Event::GaveUp {
                account: account(),
                ticket: Ticket(words[2].parse().unwrap()),
            }),
            "up" => self.step(Event::Started {
                account: account(),
                incarnation: incarnation(),
                handle: 0,
            }),
            "gone" => self.gone(account(), incarnation(), End::Stopped),
            "sign-in" => self.gone(account(), incarnation(), End::SignInNeeded),
            "crash" => self.gone(account(), incarnation(), End::Crashed { reason: reason() }),
            "fail" => self.gone(account(), incarnation(), End::NotStarted { reason: reason() }),
            "slow" => self.gone(
                account(),
                incarnation(),
                End::TooSlow {
                    reason: "it was not ready in 20 s".into(),
                },
            ),
            "doubt" => self.step(Event::Suspected {
                account: account(),
                incarnation: incarnation(),
            }),
            "clear" => self.step(Event::Cleared {
                account: account(),
                incarnation: incarnation(),
                handle: 1,
            }),
            "revoke" => self.step(Event::StopWanted {
                account: account(),
                reason: StopReason::Revoked,
            }),
            "relink" => self.step(Event::StopWanted {
                account: account(),
                reason: StopReason::SignedInAgain,
            }),
            "drain" => self.step(Event::Drain),
            "drain!" => self.step(Event::DrainNow),
            "tick" => self.step(Event::Tick),
            "at" => self.now = self.start + Duration::from_secs(words[1].parse().unwrap()),
            other => panic!("no such act: {other}"),
        }
    }

    fn gone(&mut self, account: AccountId, incarnation: Incarnation, end: End) {
        self.step(Event::Gone {
            account,
            incarnation,
            end,
        });
    }
}

#[track_caller]
fn check(max: usize, script: &[&str], expected: &[&str]) {
    let mut play = Play::new(max);
    for act in script {
        play.act(act);
    }
    assert_eq!(play.said, expected, "after {script:?}");
}

#[test]
fn many_calls_share_one_start() {
    check(
        2,
        &["call 1", "call 1", "call 1", "up 1 1", "call 1"],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "admit 2 #1",
            "admit 3 #1",
            "admit 4 #1",
        ],
    );
}

#[test]
fn an_idle_worker_is_reaped_and_a_used_one_is_not() {
    check(
        2,
        &[
            "call 1", "up 1 1", "at 2000", "tick", "end 1 1", "at 2899", "tick", "at 2900", "tick",
            "gone 1 1", "call 1",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "stop acc_1 idle",
            "spawn acc_1 #2",
        ],
    );
}

#[test]
fn the_least_recently_used_idle_worker_makes_room() {
    check(
        2,
        &[
            "call 1", "up 1 1", "call 2", "up 2 2", "at 1", "end 2 2", "at 2",
            "end 1 1", // 2 is idle for longer
            "call 3", "gone 2 2", "up 3 3",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "spawn acc_2 #2",
            "admit 2 #2",
            "stop acc_2 evicted",
            "spawn acc_3 #3",
            "admit 3 #3",
        ],
    );
}

#[test]
fn one_in_flight_is_never_evicted_and_the_next_to_be_idle_makes_room() {
    check(
        1,
        &["call 1", "up 1 1", "call 2", "tick", "end 1 1", "gone 1 1"],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "stop acc_1 evicted",
            "spawn acc_2 #2",
        ],
    );
}

#[test]
fn who_waits_too_long_for_room_is_told_when_to_come_again() {
    check(
        1,
        &[
            "call 1", "up 1 1", "call 2", "at 9", "tick", "at 10", "tick", "end 1 1",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "refuse 2: all workers are busy; try again in 10 s",
        ],
    );
}

#[test]
fn room_goes_to_who_came_first_unless_it_left() {
    check(
        1,
        &[
            "call 1", "up 1 1", "call 2", "call 3", "call 4", "quit 2 2", "end 1 1", "gone 1 1",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "stop acc_1 evicted",
            "spawn acc_3 #2",
        ],
    );
}

#[test]
fn a_crash_is_followed_by_a_start_and_a_second_one_by_a_pause() {
    check(
        1,
        &[
            "call 1",
            "up 1 1",
            "crash 1 1",
            "call 1",
            "fail 1 2",
            "call 1",
            "at 1",
            "call 1",
            "fail 1 3",
            "at 2",
            "call 1",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "spawn acc_1 #2",
            "refuse 2: the worker could not be started: it ended with exit code 1; the next try is possible in 1 s",
            "refuse 3: the worker could not be started: it ended with exit code 1; the next try is possible in 1 s",
            "spawn acc_1 #3",
            "refuse 4: the worker could not be started: it ended with exit code 1; the next try is possible in 2 s",
            "refuse 5: the worker could not be started: it ended with exit code 1; the next try is possible in 1 s",
        ],
    );
}

#[test]
fn the_first_failed_start_is_repeated_for_those_who_wait_unless_it_took_all_their_time() {
    check(
        1,
        &["call 1", "fail 1 1", "up 1 2"],
        &["spawn acc_1 #1", "spawn acc_1 #2", "admit 1 #2"],
    );
    check(
        1,
        &["call 1", "slow 1 1"],
        &[
            "spawn acc_1 #1",
            "refuse 1: the worker could not be started: it was not ready in 20 s; the next try is possible in 1 s",
        ],
    );
}

#[test]
fn a_long_good_life_clears_the_record() {
    check(
        1,
        &["call 1", "fail 1 1", "up 1 2", "at 60", "crash 1 2", "call 1"],
        &["spawn acc_1 #1", "spawn acc_1 #2", "admit 1 #2", "spawn acc_1 #3"],
    );
}

#[test]
fn a_worker_that_served_may_end_as_often_as_it_likes() {
    check(
        1,
        &[
            "call 1",
            "up 1 1",
            "end 1 1 well",
            "crash 1 1",
            "call 1",
            "up 1 2",
            "end 1 2 well",
            "crash 1 2",
            "call 1",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "spawn acc_1 #2",
            "admit 2 #2",
            "spawn acc_1 #3",
        ],
    );
}

#[test]
fn pauses_grow_to_a_minute() {
    let pauses: Vec<u64> = (0..10).map(|failures| back_off(failures).as_secs()).collect();
    assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn without_tokens_all_are_told_to_sign_in() {
    check(
        1,
        &["call 1", "call 1", "sign-in 1 1", "call 1"],
        &[
            "spawn acc_1 #1",
            "refuse 1: Garmin asks this person to sign in again",
            "refuse 2: Garmin asks this person to sign in again",
            "spawn acc_1 #2",
        ],
    );
}

#[test]
fn a_worker_in_doubt_gets_no_new_call_until_it_is_cleared() {
    check(
        1,
        &[
            "call 1",
            "up 1 1",
            "doubt 1 1",
            "doubt 1 1",
            "end 1 1",
            "call 1",
            "at 5000",
            "tick",
            "clear 1 1",
        ],
        &["spawn acc_1 #1", "admit 1 #1", "check acc_1", "admit 2 #1"],
    );
    check(
        1,
        &["call 1", "up 1 1", "doubt 1 1", "call 1", "crash 1 1"],
        &["spawn acc_1 #1", "admit 1 #1", "check acc_1", "spawn acc_1 #2"],
    );
}

#[test]
fn a_new_sign_in_lets_calls_end_and_sends_new_ones_to_the_next_worker() {
    check(
        1,
        &[
            "call 1", "up 1 1", "relink 1", "call 1", "end 1 1", "gone 1 1", "up 1 2",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "stop acc_1 signed_in_again",
            "spawn acc_1 #2",
            "admit 2 #2",
        ],
    );
    check(
        1,
        &["call 1", "relink 1", "gone 1 1", "up 1 2"],
        &[
            "spawn acc_1 #1",
            "stop acc_1 signed_in_again",
            "spawn acc_1 #2",
            "admit 1 #2",
        ],
    );
}

#[test]
fn a_revoked_account_is_stopped_at_once() {
    check(
        1,
        &["call 1", "up 1 1", "revoke 1", "gone 1 1"],
        &["spawn acc_1 #1", "admit 1 #1", "stop acc_1 revoked"],
    );
    check(
        1,
        &["call 1", "revoke 1", "gone 1 1"],
        &[
            "spawn acc_1 #1",
            "refuse 1: the worker was stopped",
            "stop acc_1 revoked",
        ],
    );
}

#[test]
fn a_drain_lets_calls_end_for_a_while() {
    check(
        2,
        &[
            "call 1", "up 1 1", "call 2", "up 2 2", "end 2 2", "drain", "call 1", "end 1 1",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "spawn acc_2 #2",
            "admit 2 #2",
            "stop acc_2 draining",
            "refuse 3: the worker was stopped",
            "stop acc_1 draining",
        ],
    );
    check(
        1,
        &["call 1", "up 1 1", "drain", "drain!"],
        &["spawn acc_1 #1", "admit 1 #1", "stop acc_1 draining"],
    );
}

/// What can happen to the policy's world, with numbers that pick among what there is.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Call(u8),
    GiveUp(usize),
    End(usize),
    Start(usize),
    FailStart(usize),
    NeedSignIn(usize),
    Doubt(usize),
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
        6 => any::<usize>().prop_map(Chance::End),
        6 => any::<usize>().prop_map(Chance::Start),
        1 => any::<usize>().prop_map(Chance::FailStart),
        1 => any::<usize>().prop_map(Chance::NeedSignIn),
        2 => any::<usize>().prop_map(Chance::Doubt),
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
    Up,
    Checking,
    Stopping,
}

/// The world as the policy's actions make it, which also judges them.
struct World {
    policy: Policy<u64>,
    max: usize,
    now: Instant,
    processes: BTreeMap<Incarnation, (AccountId, Process)>,
    in_flight: Vec<(AccountId, Incarnation)>,
    waiting: BTreeMap<Ticket, AccountId>,
    answered: BTreeSet<Ticket>,
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

    fn step(&mut self, event: Event<u64>) {
        let actions = self.policy.step(event, self.now);
        self.apply(actions);
    }

    fn apply(&mut self, actions: impl IntoIterator<Item = Action<u64>>) {
        for action in actions {
            match action {
                Action::Spawn { account, incarnation } => {
                    assert!(
                        self.processes.values().all(|(owner, _)| *owner != account),
                        "two processes for {account}"
                    );
                    self.processes.insert(incarnation, (account, Process::Starting));
                    assert!(self.processes.len() <= self.max, "more processes than allowed");
                }
                Action::Check { incarnation, .. } => {
                    let (_, state) = self
                        .processes
                        .get_mut(&incarnation)
                        .expect("checks one that lives");
                    assert_eq!(*state, Process::Up);
                    *state = Process::Checking;
                }
                Action::Stop {
                    account,
                    incarnation,
                    reason,
                } => {
                    let (_, state) = self
                        .processes
                        .get_mut(&incarnation)
                        .expect("stops one that lives");
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
                Action::Admit { ticket, seat } => {
                    let account = self.waiting.remove(&ticket).expect("admits one that waits");
                    assert!(self.answered.insert(ticket));
                    let (owner, state) = &self.processes[&seat.incarnation];
                    assert_eq!(*owner, account, "a seat at another person's worker");
                    assert_eq!(*state, Process::Up);
                    self.in_flight.push((account, seat.incarnation));
                }
                Action::Refuse { ticket, .. } => {
                    assert!(
                        self.waiting.remove(&ticket).is_some(),
                        "refuses one that does not wait"
                    );
                    assert!(self.answered.insert(ticket));
                }
            }
        }
        assert_eq!(self.policy.running(), self.processes.len());
        // A tick is always due in time for whoever waits for room.
        assert!(
            self.waiting.is_empty() || !self.processes.is_empty(),
            "{:?} wait and nothing happens",
            self.waiting
        );
    }

    fn set(&mut self, incarnation: Incarnation, state: Process) {
        self.processes.get_mut(&incarnation).expect("lives").1 = state;
    }

    fn gone(&mut self, incarnation: Incarnation, end: End) {
        let (account, _) = self.processes.remove(&incarnation).expect("lives");
        self.step(Event::Gone {
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
                let ticket = Ticket(*next_ticket);
                self.waiting.insert(ticket, account.clone());
                match self.policy.enter(&account) {
                    Some(seat) => self.apply([Action::Admit { ticket, seat }]),
                    None => self.step(Event::Wanted { account, ticket }),
                }
            }
            Chance::GiveUp(n) => {
                let waiting: Vec<_> = self.waiting.clone().into_iter().collect();
                if let Some((ticket, account)) = pick(&waiting, n) {
                    self.waiting.remove(&ticket);
                    self.step(Event::GaveUp { account, ticket });
                }
            }
            Chance::End(n) => {
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
                    self.set(incarnation, Process::Up);
                    self.step(Event::Started {
                        account,
                        incarnation,
                        handle: incarnation.0,
                    });
                }
            }
            Chance::FailStart(n) => {
                if let Some((incarnation, _)) = pick(&self.in_state(Process::Starting), n) {
                    self.gone(incarnation, End::NotStarted { reason: "no".into() });
                }
            }
            Chance::NeedSignIn(n) => {
                if let Some((incarnation, _)) = pick(&self.in_state(Process::Starting), n) {
                    self.gone(incarnation, End::SignInNeeded);
                }
            }
            Chance::Doubt(n) => {
                if let Some((account, incarnation)) = pick(&self.in_flight, n) {
                    self.step(Event::Suspected { account, incarnation });
                }
            }
            Chance::Clear(n) => {
                if let Some((incarnation, account)) = pick(&self.in_state(Process::Checking), n) {
                    self.set(incarnation, Process::Up);
                    self.step(Event::Cleared {
                        account,
                        incarnation,
                        handle: incarnation.0,
                    });
                }
            }
            Chance::Crash(n) => {
                let mut up = self.in_state(Process::Up);
                up.extend(self.in_state(Process::Checking));
                if let Some((incarnation, _)) = pick(&up, n) {
                    self.gone(incarnation, End::Crashed { reason: "no".into() });
                }
            }
            Chance::FinishStop(n) => {
                if let Some((incarnation, _)) = pick(&self.in_state(Process::Stopping), n) {
                    self.gone(incarnation, End::Stopped);
                }
            }
            Chance::Revoke(n) => {
                self.step(Event::StopWanted {
                    account: account(n),
                    reason: StopReason::Revoked,
                });
            }
            Chance::Relink(n) => {
                self.step(Event::StopWanted {
                    account: account(n),
                    reason: StopReason::SignedInAgain,
                });
            }
            Chance::Later(seconds) => {
                let until = self.now + Duration::from_secs(seconds.into());
                // The loop beside the policy wakes at each tick that is due.
                while let Some(at) = self.policy.next_tick(self.now).filter(|at| *at <= until) {
                    self.now = at.max(self.now);
                    self.step(Event::Tick);
                    if self
                        .policy
                        .next_tick(self.now)
                        .is_some_and(|next| next <= self.now)
                    {
                        panic!("the clock would spin");
                    }
                }
                self.now = until;
                for (incarnation, account) in self.in_state(Process::Up) {
                    let used = self.in_flight.iter().any(|(_, used)| *used == incarnation);
                    let standing = self.policy.standings().find(|(id, _)| **id == account).unwrap().1;
                    let idle = standing.idle_since.map(|at| self.now.duration_since(at));
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
        // Everything that is under way comes to its end: nobody is left without an answer.
        for _ in 0..20 {
            while !world.in_flight.is_empty() {
                world.happen(Chance::End(0), &mut tickets);
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
        world.step(Event::Drain);
        while !world.in_state(Process::Stopping).is_empty() {
            world.happen(Chance::FinishStop(0), &mut tickets);
        }
        prop_assert!(world.processes.is_empty());
    }
}
