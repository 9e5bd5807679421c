//! The limits that the API client keeps to, so that Garmin need not impose any.

use std::time::{Duration, Instant};

use crate::base::rate::TokenBucket;
use crate::config::GarminHosts;

/// How many requests per second are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRate {
    /// The interval between two requests, once the burst is used up.
    pub interval: Duration,
    /// Number of requests that may skip the interval.
    pub burst: u32,
}

impl RequestRate {
    /// A full bucket of permits at this rate.
    pub(crate) fn bucket(self) -> TokenBucket {
        // Without an interval, the bucket refills at once.
        let per_second = self.interval.as_secs_f64().recip().min(f64::MAX);
        TokenBucket::full(self.burst.max(1).into(), per_second, Instant::now())
    }
}

/// The pace of requests, and how long documents are cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// Maximum number of concurrent requests.
    pub in_flight: usize,
    /// The rate of a worker that was started by hand. Under a gateway, the gateway paces all workers together.
    pub rate: RequestRate,
    /// How long a cached document answers equal reads.
    pub keep: Duration,
    /// Upper bound of the random wait before a read is retried; it doubles each time.
    pub retry_wait: Duration,
}

impl Default for ApiSettings {
    /// For the real Garmin: two requests a second. No report of throttling at this rate is known.
    fn default() -> Self {
        Self {
            in_flight: 4,
            rate: RequestRate {
                interval: Duration::from_millis(500),
                burst: 8,
            },
            keep: Duration::from_secs(60),
            retry_wait: Duration::from_millis(400),
        }
    }
}

impl ApiSettings {
    /// The default settings, but without waits for a simulated Garmin on this machine.
    pub fn new(hosts: &GarminHosts) -> Self {
        let usual = Self::default();
        if hosts.is_simulated() {
            Self {
                rate: RequestRate {
                    interval: Duration::ZERO,
                    ..usual.rate
                },
                retry_wait: Duration::from_millis(1),
                ..usual
            }
        } else {
            usual
        }
    }
}
