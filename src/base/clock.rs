//! The wall clock, passed in as a dependency.
//!
//! Business time (expiry, cool-down, last use) comes from this clock, so that tests can control it. Measured
//! durations use `std::time::Instant`, and timers use tokio's clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

/// A source of the current time in UTC. Clones share the same clock.
#[derive(Clone, Debug)]
pub struct Clock(ClockSource);

#[derive(Clone, Debug)]
enum ClockSource {
    System,
    CatchingUp(CatchUp),
    Manual(Arc<ManualClock>),
}

/// The pace of a clock that is behind the system's.
#[derive(Clone, Copy, Debug)]
struct CatchUp {
    /// The system's time when this clock started.
    since: Timestamp,
    /// How far this clock was behind at that moment.
    behind: SignedDuration,
    speed: i32,
}

impl CatchUp {
    /// The time that this clock shows when the system's clock shows `system`.
    fn at(self, system: Timestamp) -> Timestamp {
        let passed = system.duration_since(self.since).saturating_mul(self.speed);
        let shown = self
            .since
            .checked_sub(self.behind)
            .and_then(|start| start.checked_add(passed));
        shown.map_or(system, |shown| shown.min(system))
    }
}

/// A clock that moves only when a test moves it, and that keeps track of the tasks that wait for it.
#[derive(Debug)]
struct ManualClock {
    /// The time in microseconds since the epoch, which fits an atomic and a [`Timestamp`].
    micros: AtomicI64,
    /// Microseconds by which the clock was advanced; changes by [`Clock::set_by`] are not counted.
    elapsed_micros: AtomicI64,
    /// The tasks that wait on this clock, and their deadlines.
    sleepers: Mutex<Sleepers>,
    /// Signals that the clock moved, or that a task started or stopped waiting.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Sleepers {
    last: u64,
    until: BTreeMap<u64, Timestamp>,
}

impl ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock()
    }
}

/// One waiter on a manual clock. Dropping it ends the wait.
struct Sleeper<'a> {
    clock: &'a ManualClock,
    number: u64,
}

impl<'a> Sleeper<'a> {
    fn new(clock: &'a ManualClock, until: Timestamp) -> Self {
        let mut sleepers = clock.sleepers();
        sleepers.last += 1;
        let number = sleepers.last;
        sleepers.until.insert(number, until);
        drop(sleepers);
        clock.changed.send_replace(());
        Self { clock, number }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.sleepers().until.remove(&self.number);
        self.clock.changed.send_replace(());
    }
}

/// The longest sleep before the clock is checked again, because it may be set or the machine may be suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The shortest sleep. On a fast clock, the remaining time is divided, and would otherwise lead to many tiny sleeps.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

impl Clock {
    /// A clock that shows the operating system's time.
    pub fn system() -> Self {
        Self(ClockSource::System)
    }

    /// A clock that starts this far behind the system's and runs `speed` times as fast until both show the same. Its
    /// time is never in the future.
    pub fn catching_up(behind: SignedDuration, speed: u16) -> Self {
        Self(ClockSource::CatchingUp(CatchUp {
            since: Self::system().now(),
            behind,
            speed: speed.max(1).into(),
        }))
    }

    /// A clock that stays at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(ClockSource::Manual(Arc::new(ManualClock {
            micros: AtomicI64::new(start.as_microsecond()),
            elapsed_micros: AtomicI64::new(0),
            sleepers: Mutex::default(),
            changed: watch::channel(()).0,
        })))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            ClockSource::System => Timestamp::now(),
            ClockSource::CatchingUp(pace) => pace.at(Timestamp::now()),
            ClockSource::Manual(manual) => manual.now(),
        }
    }

    /// Time elapsed since a fixed moment. It never goes back, even if the clock is set, and does not count while the
    /// machine is suspended.
    pub fn elapsed(&self) -> SignedDuration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match &self.0 {
            ClockSource::System | ClockSource::CatchingUp(_) => {
                SignedDuration::try_from(START.elapsed()).unwrap_or(SignedDuration::MAX)
            }
            ClockSource::Manual(manual) => {
                SignedDuration::from_micros(manual.elapsed_micros.load(Ordering::SeqCst))
            }
        }
    }

    /// Waits until the clock shows `at` or later.
    pub async fn sleep_until(&self, at: Timestamp) {
        match &self.0 {
            ClockSource::System | ClockSource::CatchingUp(_) => loop {
                let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep((left / self.speed()).max(SHORTEST_SLEEP).min(LONGEST_SLEEP)).await;
            },
            ClockSource::Manual(manual) => {
                let mut changed = manual.changed.subscribe();
                let _sleeper = Sleeper::new(manual, at);
                while manual.now() < at {
                    // This can't fail: the sender lives as long as the clock.
                    drop(changed.changed().await);
                }
            }
        }
    }

    /// The maximum number of seconds that this clock advances in one second of the system's.
    fn speed(&self) -> u32 {
        match &self.0 {
            ClockSource::CatchingUp(pace) => pace.speed.unsigned_abs(),
            ClockSource::System | ClockSource::Manual(_) => 1,
        }
    }

    /// Moves a manual clock forward by this much time. Does nothing on the system clock.
    pub fn advance(&self, by: SignedDuration) {
        if let ClockSource::Manual(manual) = &self.0 {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            manual.elapsed_micros.fetch_add(micros, Ordering::SeqCst);
            manual.micros.fetch_add(micros, Ordering::SeqCst);
            manual.changed.send_replace(());
        }
    }

    /// Sets a manual clock forward or back, as time synchronisation does. This does not count as elapsed time.
    pub fn set_by(&self, by: SignedDuration) {
        if let ClockSource::Manual(manual) = &self.0 {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            manual.micros.fetch_add(micros, Ordering::SeqCst);
            manual.changed.send_replace(());
        }
    }

    /// The earliest deadline on a manual clock, once at least `sleepers` tasks are waiting and none is due. Tests use
    /// it to simulate hours in little real time. Never returns on the system clock.
    pub async fn next_due(&self, sleepers: usize) -> Timestamp {
        let ClockSource::Manual(manual) = &self.0 else {
            return std::future::pending().await;
        };
        let mut changed = manual.changed.subscribe();
        loop {
            let earliest = {
                let waiting = manual.sleepers();
                let earliest = waiting.until.values().min().copied();
                earliest.filter(|at| waiting.until.len() >= sleepers && *at > manual.now())
            };
            match earliest {
                Some(at) => return at,
                None => drop(changed.changed().await),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_moved() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let twin = clock.clone();
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(twin.now().as_second(), 90);
    }

    #[test]
    fn a_clock_that_catches_up_is_fast_until_it_shows_the_systems_time() {
        let since = Timestamp::UNIX_EPOCH;
        let pace = CatchUp {
            since,
            behind: SignedDuration::from_secs(1900),
            speed: 20,
        };
        for (passed_s, shown_s) in [
            (0, -1900),
            (1, -1880),
            (50, -900),
            (100, 100),
            (101, 101),
            (9000, 9000),
        ] {
            let system = since + SignedDuration::from_secs(passed_s);
            assert_eq!(pace.at(system).as_second(), shown_s, "after {passed_s} s");
        }
    }

    #[tokio::test]
    async fn a_sleep_by_a_fast_clock_ends_when_that_clock_shows_its_time() {
        let clock = Clock::catching_up(SignedDuration::from_hours(1), 1000);
        let until = clock.now() + SignedDuration::from_secs(20);
        clock.sleep_until(until).await;
        assert!(clock.now() >= until && clock.now() < Clock::system().now());
    }

    #[test]
    fn setting_the_clock_passes_no_time() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(5));
        clock.set_by(SignedDuration::from_secs(-3));
        assert_eq!((clock.now().as_second(), clock.elapsed().as_secs()), (2, 5));
        let system = Clock::system();
        assert!(system.elapsed() <= system.elapsed());
    }

    #[tokio::test]
    async fn sleepers_wake_when_it_is_moved_so_far() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let twin = clock.clone();
        let sleeping = async {
            for seconds in [10, 25] {
                twin.sleep_until(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds))
                    .await;
            }
            twin.now().as_second()
        };
        let moving = async {
            for _ in 0..2 {
                let due = clock.next_due(1).await;
                clock.advance(due.duration_since(clock.now()));
            }
        };
        let (woke_at, ()) = tokio::join!(sleeping, moving);
        assert_eq!(woke_at, 25);
    }
}
