//! The permission to send a request: how many at once, how many per second, and none during a pause.
//!
//! Garmin counts requests per IP address, and all workers of a gateway share one address. Under a gateway, each request
//! therefore needs a permit from the gateway. A worker that was started by hand keeps its own pace.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};

use super::error::ApiError;
use super::settings::RequestRate;
use crate::base::clock::Clock;
use crate::base::rate::TokenBucket;

/// The answer to a request for a permit. The error is the end of a pause that Garmin asked for.
pub type Permission = Result<(), Timestamp>;

/// A message from a worker to the gateway, which grants the permits.
#[derive(Debug)]
pub enum PermitRequest {
    /// One request wants to be sent.
    Permit(oneshot::Sender<Permission>),
    /// Garmin wants no requests until this time.
    Paused(Timestamp),
}

/// The channel to the gateway, which grants the permits of all workers.
pub type PermitDesk = mpsc::UnboundedSender<PermitRequest>;

pub(super) struct RequestPace {
    slots: Semaphore,
    permits: PermitSource,
    paused_until: Mutex<Option<Timestamp>>,
}

enum PermitSource {
    Own(Mutex<TokenBucket>),
    Desk(PermitDesk),
}

impl RequestPace {
    /// Allows `in_flight` requests at once and, without a desk, limits them to `rate`.
    pub(super) fn new(in_flight: usize, rate: RequestRate, desk: Option<PermitDesk>) -> Self {
        Self {
            slots: Semaphore::new(in_flight.max(1)),
            permits: match desk {
                Some(desk) => PermitSource::Desk(desk),
                None => PermitSource::Own(Mutex::new(rate.bucket())),
            },
            paused_until: Mutex::default(),
        }
    }

    /// Waits for a free slot and for the next permitted moment. Drop the slot when the request is over.
    ///
    /// Errors: [`ApiError::RateLimited`] during a pause, [`ApiError::Unreachable`] when the gateway is gone.
    pub(super) async fn permit(&self, clock: &Clock) -> Result<SemaphorePermit<'_>, ApiError> {
        self.check_pause(clock.now())?;
        let slot = self.slots.acquire().await.map_err(|_| ApiError::Unreachable)?;
        // The request that held the slot until now may have started a pause.
        self.check_pause(clock.now())?;
        match &self.permits {
            PermitSource::Own(bucket) => {
                let wait = bucket.lock().reserve(1.0, Instant::now());
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
            }
            PermitSource::Desk(desk) => {
                let (reply, answer) = oneshot::channel();
                let asked = desk.send(PermitRequest::Permit(reply));
                asked.map_err(|_| ApiError::Unreachable)?;
                if let Err(until) = answer.await.map_err(|_| ApiError::Unreachable)? {
                    return Err(ApiError::RateLimited {
                        until: self.extend(until),
                    });
                }
            }
        }
        self.check_pause(clock.now())?;
        Ok(slot)
    }

    /// Begins a pause, and reports it to the gateway, which pauses the other workers. Returns the error for the request
    /// that was refused.
    pub(super) fn pause(&self, wait: Duration, now: Timestamp) -> ApiError {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_mins(1));
        let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        if let PermitSource::Desk(desk) = &self.permits {
            // An error means that the gateway is gone, and this worker is about to stop.
            drop(desk.send(PermitRequest::Paused(until)));
        }
        let until = self.extend(until);
        tracing::warn!(until = until.map(tracing::field::display), "garmin.throttled");
        ApiError::RateLimited { until }
    }

    /// Extends the pause to `until`, but never shortens it. Returns its end.
    fn extend(&self, until: Timestamp) -> Option<Timestamp> {
        let mut paused_until = self.paused_until.lock();
        *paused_until = Some(until).max(*paused_until);
        *paused_until
    }

    fn check_pause(&self, now: Timestamp) -> Result<(), ApiError> {
        match self.paused_until.lock().filter(|until| *until > now) {
            Some(until) => Err(ApiError::RateLimited { until: Some(until) }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const AT_ONCE: RequestRate = RequestRate {
        interval: Duration::ZERO,
        burst: 1,
    };

    #[tokio::test]
    async fn requests_in_flight_are_limited() {
        let (pace, clock) = (RequestPace::new(2, AT_ONCE, None), Clock::system());
        let first = pace.permit(&clock).await.unwrap();
        let _second = pace.permit(&clock).await.unwrap();
        assert!(pace.permit(&clock).now_or_never().is_none());
        drop(first);
        assert!(pace.permit(&clock).now_or_never().is_some());
    }

    #[tokio::test]
    async fn each_request_needs_a_permit_and_a_pause_is_told() {
        let (desk, mut asked) = mpsc::unbounded_channel();
        let (pace, clock) = (RequestPace::new(4, AT_ONCE, Some(desk)), Clock::system());
        let mut waiting = Box::pin(pace.permit(&clock));
        assert!(waiting.as_mut().now_or_never().is_none());
        let Some(PermitRequest::Permit(reply)) = asked.recv().await else {
            panic!("no permit was asked for");
        };
        reply.send(Ok(())).unwrap();
        drop(waiting.await.unwrap());

        let ApiError::RateLimited { until: Some(until) } = pace.pause(Duration::from_secs(60), clock.now())
        else {
            panic!("a pause is the reason");
        };
        assert!(matches!(asked.recv().await, Some(PermitRequest::Paused(told)) if told == until));
        let refused = pace.permit(&clock).now_or_never().unwrap();
        assert_eq!(refused.unwrap_err(), ApiError::RateLimited { until: Some(until) });
        assert!(asked.try_recv().is_err(), "nothing is asked during a pause");
    }

    #[tokio::test]
    async fn a_pause_of_another_worker_is_taken_over() {
        let (desk, mut asked) = mpsc::unbounded_channel();
        let (pace, clock) = (RequestPace::new(4, AT_ONCE, Some(desk)), Clock::system());
        let until = clock.now() + SignedDuration::from_mins(1);
        let answer = async {
            if let Some(PermitRequest::Permit(reply)) = asked.recv().await {
                reply.send(Err(until)).unwrap();
            }
        };
        let (refused, ()) = tokio::join!(pace.permit(&clock), answer);
        assert_eq!(refused.unwrap_err(), ApiError::RateLimited { until: Some(until) });
        assert!(pace.permit(&clock).now_or_never().unwrap().is_err());
    }
}
