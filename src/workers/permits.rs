//! The pace of requests to Garmin, shared by all workers.
//!
//! Garmin counts requests by IP address, and all workers share one. A built-in worker therefore asks for a permit
//! before each request, on the socket that is its standard input. Answers from its cache need no permit, so they go on
//! during a pause.
//!
//! # Invariants
//!
//! - Each worker has at most one place in the queue. A person whose call needs many requests delays another person by
//!   one request at a time.
//! - An unused permit is lost, so a killed worker leaves no permits behind that would allow a burst.
//! - During a pause that Garmin asked for (429, or its bot protection) no permit is granted.

mod wire;

use std::sync::Arc;
use std::time::Instant;

use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::pause::GarminPause;
use crate::base::clock::Clock;
use crate::base::rate::TokenBucket;
use crate::garmin::{Permission, RequestRate};

pub use wire::{PermitMessage, PermitReader, PermitWriter, permit_channel};

/// Grants permits to all workers.
#[derive(Debug)]
pub(super) struct GarminPermits {
    /// Locked while a worker waits for its permit. tokio's mutex is fair, so workers get it in the order of their
    /// requests.
    bucket: Mutex<TokenBucket>,
    pause: GarminPause,
    clock: Clock,
}

impl GarminPermits {
    pub(super) fn new(rate: RequestRate, pause: GarminPause, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            bucket: Mutex::new(rate.bucket()),
            pause,
            clock,
        })
    }

    /// Serves one worker until its socket closes or it sends something outside the protocol.
    pub(super) async fn serve(self: Arc<Self>, socket: UnixStream) {
        let (mut reader, mut writer) = permit_channel(socket);
        let mut asked = 0_u64;
        let mut permit = Box::pin(self.permit());
        loop {
            tokio::select! {
                message = reader.next() => match message {
                    Some(PermitMessage::Ask) => asked += 1,
                    Some(PermitMessage::Paused(until)) => self.pause.hear(until, self.clock.now()),
                    Some(PermitMessage::Granted) | None => return,
                },
                permission = &mut permit, if asked > 0 => {
                    let message = match permission {
                        Ok(()) => PermitMessage::Granted,
                        Err(until) => PermitMessage::Paused(until),
                    };
                    if !writer.send(message).await {
                        return;
                    }
                    asked -= 1;
                    permit = Box::pin(self.permit());
                }
            }
        }
    }

    /// Waits for the next permit. Fails at once during a pause.
    async fn permit(&self) -> Permission {
        let mut bucket = self.bucket.lock().await;
        loop {
            if let Some(until) = self.pause.until(self.clock.now()) {
                return Err(until);
            }
            match bucket.take(1.0, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(wait) => sleep(wait).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::lifecycle::Lifecycle;

    fn permits(burst: u32, interval: Duration) -> Arc<GarminPermits> {
        let rate = RequestRate { interval, burst };
        GarminPermits::new(rate, GarminPause::none(), Clock::system())
    }

    fn connect(permits: &Arc<GarminPermits>) -> (PermitReader, PermitWriter) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        Lifecycle::new().spawn("worker.permits", Arc::clone(permits).serve(ours));
        permit_channel(theirs)
    }

    #[tokio::test]
    async fn two_workers_share_one_burst() {
        let permits = permits(5, Duration::from_secs(3_600));
        let (mut ann, mut ben) = (connect(&permits), connect(&permits));
        for _ in 0..3 {
            ann.1.send(PermitMessage::Ask).await;
            assert_eq!(ann.0.next().await, Some(PermitMessage::Granted));
        }
        for _ in 0..2 {
            ben.1.send(PermitMessage::Ask).await;
            assert_eq!(ben.0.next().await, Some(PermitMessage::Granted));
        }
        ann.1.send(PermitMessage::Ask).await;
        ben.1.send(PermitMessage::Ask).await;
        let more = futures_util::future::select(Box::pin(ann.0.next()), Box::pin(ben.0.next()));
        assert!(
            tokio::time::timeout(Duration::from_millis(50), more)
                .await
                .is_err()
        );
    }

    /// A long call of one person must not hold up a short one of another.
    #[tokio::test]
    async fn one_who_asks_once_waits_for_one_permit_of_one_who_asks_often() {
        let permits = permits(1, Duration::from_millis(20));
        let (mut often, mut once) = (connect(&permits), connect(&permits));
        for _ in 0..100 {
            often.1.send(PermitMessage::Ask).await;
        }
        assert_eq!(often.0.next().await, Some(PermitMessage::Granted));
        once.1.send(PermitMessage::Ask).await;
        let mut granted_before = 0;
        loop {
            tokio::select! {
                biased;
                message = once.0.next() => {
                    assert_eq!(message, Some(PermitMessage::Granted));
                    break;
                }
                message = often.0.next() => {
                    assert_eq!(message, Some(PermitMessage::Granted));
                    granted_before += 1;
                }
            }
        }
        assert!(
            granted_before <= 3,
            "{granted_before} of the long call came first"
        );
    }

    #[tokio::test]
    async fn a_pause_that_one_worker_heard_is_the_answer_to_all() {
        let permits = permits(10, Duration::ZERO);
        let (mut ann, mut ben) = (connect(&permits), connect(&permits));
        let until = Clock::system().now() + jiff::SignedDuration::from_mins(2);
        ann.1.send(PermitMessage::Paused(until)).await;
        ann.1.send(PermitMessage::Ask).await;
        assert_eq!(ann.0.next().await, Some(PermitMessage::Paused(until)));
        ben.1.send(PermitMessage::Ask).await;
        assert_eq!(ben.0.next().await, Some(PermitMessage::Paused(until)));
    }

    #[tokio::test]
    async fn a_worker_that_speaks_otherwise_is_cut_off() {
        let permits = permits(10, Duration::ZERO);
        let (mut reader, mut writer) = connect(&permits);
        writer.send(PermitMessage::Granted).await;
        assert_eq!(reader.next().await, None);
    }
}
