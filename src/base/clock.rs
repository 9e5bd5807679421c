//! The time of day, as something that is handed in.
//!
//! Business time (expiry, cool-down, last use) comes from here, so that a test can move it. Measured durations
//! use `std::time::Instant` and timers use tokio's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Tells the time, in UTC. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock(ClockSource);

#[derive(Clone, Debug)]
enum ClockSource {
    System,
    Manual(Arc<ManualClock>),
}

/// A clock that stands still until it is moved, and knows who waits for it.
#[derive(Debug)]
struct ManualClock {
    /// Microseconds since the epoch: what a [`Timestamp`] of ours needs and an atomic can hold.
    micros: AtomicI64,
    /// Microseconds by which the clock was advanced, apart from what it was set.
    elapsed_micros: AtomicI64,
    /// Who waits, and until when.
    sleepers: Mutex<Sleepers>,
    /// The clock was moved, or somebody began or ended to wait.
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

    fn sleepers(&self) -> std::sync::MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits on a manual clock; it does no longer when this goes.
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

/// The machine's clock may be set, or the machine sleep: it is looked at again after this.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(ClockSource::System)
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(ClockSource::Manual(Arc::new(ManualClock {
            micros: AtomicI64::new(start.as_microsecond()),
            elapsed_micros: AtomicI64::new(0),
            sleepers: Mutex::default(),
            changed: watch::channel(()).0,
        })))
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            ClockSource::System => Timestamp::now(),
            ClockSource::Manual(manual) => manual.now(),
        }
    }

    /// Time that has passed since some fixed moment. It never goes back, whatever the clock is set to, and stands still
    /// while the machine sleeps.
    pub fn elapsed(&self) -> SignedDuration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match &self.0 {
            ClockSource::System => SignedDuration::try_from(START.elapsed()).unwrap_or(SignedDuration::MAX),
            ClockSource::Manual(manual) => {
                SignedDuration::from_micros(manual.elapsed_micros.load(Ordering::SeqCst))
            }
        }
    }

    /// Returns when the clock shows `at` or later.
    pub async fn sleep_until(&self, at: Timestamp) {
        match &self.0 {
            ClockSource::System => loop {
                let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            },
            ClockSource::Manual(manual) => {
                let mut changed = manual.changed.subscribe();
                let _sleeper = Sleeper::new(manual, at);
                while manual.now() < at {
                    // The sender lives as long as the clock.
                    drop(changed.changed().await);
                }
            }
        }
    }

    /// Moves a manual clock; the machine's clock is not ours to move and stays as it is.
    pub fn advance(&self, by: SignedDuration) {
        if let ClockSource::Manual(manual) = &self.0 {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            manual.elapsed_micros.fetch_add(micros, Ordering::SeqCst);
            manual.micros.fetch_add(micros, Ordering::SeqCst);
            manual.changed.send_replace(());
        }
    }

    /// Sets a manual clock forward or back, as time synchronisation does: no time passes meanwhile.
    pub fn set_by(&self, by: SignedDuration) {
        if let ClockSource::Manual(manual) = &self.0 {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            manual.micros.fetch_add(micros, Ordering::SeqCst);
            manual.changed.send_replace(());
        }
    }

    /// The earliest moment that somebody waits for on a manual clock, once `sleepers` of them wait and none is due. With
    /// it a test plays hours in the time that the work of them takes. Never returns on the machine's clock.
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
