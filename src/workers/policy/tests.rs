//! Scenarios for the policy: a list of short steps, and a list of the actions that they cause.

mod whatever_happens;

use std::str::FromStr;

use super::entry::back_off;
use super::*;

/// Account ids are long, so this prefix is left out of the recorded actions.
const PADDING: &str = "aaaaaaaaaaaaaaa";

fn account(n: u8) -> AccountId {
    AccountId::from_str(&format!("acc_{PADDING}{n}")).unwrap()
}

fn limits(max: usize) -> PoolLimits {
    PoolLimits {
        max,
        idle_ttl: Duration::from_secs(900),
        wait_for_room: Duration::from_secs(10),
        silence: Duration::from_secs(60),
    }
}

/// A policy, and a record of all its actions.
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

    fn step(&mut self, event: WorkerEvent<u64>) {
        let actions = self.policy.step(event, self.now);
        self.say(actions);
    }

    fn say(&mut self, actions: impl IntoIterator<Item = WorkerAction<u64>>) {
        let said = actions.into_iter().map(|action| match action {
            WorkerAction::Spawn { account, incarnation } => format!("spawn {account} #{}", incarnation.0),
            WorkerAction::Check { account, .. } => format!("check {account}"),
            WorkerAction::Stop { account, reason, .. } => format!("stop {account} {}", reason.as_str()),
            WorkerAction::Admit { ticket, admission } => {
                format!("admit {} #{}", ticket.0, admission.incarnation.0)
            }
            WorkerAction::Refuse { ticket, error } => format!("refuse {}: {error}", ticket.0),
        });
        self.said.extend(said.map(|line| line.replace(PADDING, "")));
    }

    /// Each step is a short command: `call 1` (account), `up 1 2` (account, incarnation), `end 1 2 well`, `at 5`
    /// (seconds), …
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
                let ticket = WaitTicket(self.tickets);
                match self.policy.enter(&account) {
                    Some(admission) => self.say([WorkerAction::Admit { ticket, admission }]),
                    None => self.step(WorkerEvent::Wanted { account, ticket }),
                }
            }
            "end" => {
                let action = self
                    .policy
                    .leave(&account(), incarnation(), words.len() > 3, self.now);
                self.say(action);
            }
            "quit" => self.step(WorkerEvent::GaveUp {
                account: account(),
                ticket: WaitTicket(words[2].parse().unwrap()),
            }),
            "up" => self.step(WorkerEvent::Started {
                account: account(),
                incarnation: incarnation(),
                handle: 0,
            }),
            "gone" => self.gone(account(), incarnation(), WorkerExit::Stopped),
            "sign-in" => self.gone(account(), incarnation(), WorkerExit::SignInNeeded),
            "crash" => self.gone(account(), incarnation(), WorkerExit::Crashed { reason: reason() }),
            "fail" => self.gone(
                account(),
                incarnation(),
                WorkerExit::NotStarted { reason: reason() },
            ),
            "slow" => self.gone(
                account(),
                incarnation(),
                WorkerExit::TooSlow {
                    reason: "it was not ready in 20 s".into(),
                },
            ),
            "doubt" => self.step(WorkerEvent::Suspected {
                account: account(),
                incarnation: incarnation(),
            }),
            "timeout" => self.step(WorkerEvent::TimedOut {
                account: account(),
                incarnation: incarnation(),
            }),
            "clear" => self.step(WorkerEvent::Cleared {
                account: account(),
                incarnation: incarnation(),
                handle: 1,
            }),
            "revoke" => self.step(WorkerEvent::StopWanted {
                account: account(),
                reason: StopReason::Revoked,
            }),
            "relink" => self.step(WorkerEvent::StopWanted {
                account: account(),
                reason: StopReason::SignedInAgain,
            }),
            "drain" => self.step(WorkerEvent::Drain),
            "drain!" => self.step(WorkerEvent::DrainNow),
            "tick" => self.step(WorkerEvent::Tick),
            "at" => self.now = self.start + Duration::from_secs(words[1].parse().unwrap()),
            other => panic!("no such act: {other}"),
        }
    }

    fn gone(&mut self, account: AccountId, incarnation: Incarnation, end: WorkerExit) {
        self.step(WorkerEvent::Gone {
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
            "end 1 1", // account 2 has been idle for longer
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
fn a_worker_that_leaves_two_calls_in_a_row_unanswered_is_replaced() {
    check(
        1,
        &[
            "call 1",
            "up 1 1",
            "timeout 1 1",
            "end 1 1",
            "call 1",
            "end 1 1 well",
            "call 1",
            "timeout 1 1",
            "end 1 1",
        ],
        &["spawn acc_1 #1", "admit 1 #1", "admit 2 #1", "admit 3 #1"],
    );
    check(
        1,
        &[
            "call 1",
            "up 1 1",
            "call 1",
            "doubt 1 1",
            "call 1",
            "timeout 1 1",
            "end 1 1",
            "timeout 1 1",
            "end 1 1",
            "gone 1 1",
            "up 1 2",
        ],
        &[
            "spawn acc_1 #1",
            "admit 1 #1",
            "admit 2 #1",
            "check acc_1",
            "stop acc_1 unresponsive",
            "spawn acc_1 #2",
            "admit 3 #2",
        ],
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
