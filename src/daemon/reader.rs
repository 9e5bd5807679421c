//! Reads from Garmin what the gateway itself wants to know about a person: the days of a history, and the past
//! activities of an athlete. The person's built-in worker does it.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;

use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::gateway::Gateway;
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError, Workers};

/// The time limit of one request, including a cold start of the worker and the wait for the shared pace.
const LIMIT: Duration = Duration::from_secs(200);

/// The parts that reading needs. Clones share everything.
#[derive(Clone)]
pub(super) struct BackgroundReader {
    pub(super) accounts: Accounts,
    pub(super) gateway: Gateway,
    /// Built-in workers, which read.
    pub(super) workers: Workers,
    /// The people's own workers, if these run an external program.
    pub(super) own_workers: Option<Workers>,
    pub(super) clock: Clock,
    pub(super) lifecycle: Lifecycle,
}

impl BackgroundReader {
    /// Whether the person's own worker runs and holds the tokens. Garmin accepts each refresh token only once, so two
    /// workers of one person must not run at a time.
    pub(super) fn must_wait(&self, account: &AccountId) -> bool {
        let own = self.own_workers.as_ref();
        own.is_some_and(|own| own.state(account).is_some())
    }

    /// Asks the person's worker.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        account: &AccountId,
        method: &'static str,
        request: &impl Serialize,
    ) -> Result<T, WorkerError> {
        let call = UpstreamCall {
            method,
            params: to_raw_value(request).ok(),
            read_only: true,
            progress: None,
            messages: None,
        };
        let answer = tokio::time::timeout(LIMIT, self.workers.call(account, call)).await;
        match answer.unwrap_or(Err(WorkerError::TimedOut))? {
            UpstreamAnswer::Result(result) => {
                serde_json::from_str(result.get()).map_err(|error| WorkerError::BadAnswer {
                    reason: format!("{:?} at column {}", error.classify(), error.column()),
                })
            }
            UpstreamAnswer::Error(_) => Err(WorkerError::BadAnswer {
                reason: format!("it refused {method}"),
            }),
        }
    }
}
