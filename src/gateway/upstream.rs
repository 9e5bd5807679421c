//! Where answers come from: the workers, and the gateway's own tools. Two seams, each one method wide.

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use crate::{
    accounts::AccountId,
    workers::{UpstreamAnswer, UpstreamCall, WorkerError},
};

/// One worker per account, started when it is needed.
pub trait Upstream: Send + Sync {
    /// Asks the worker of this account. Dropping the future cancels the call.
    fn call(
        &self,
        account: &AccountId,
        call: UpstreamCall,
    ) -> BoxFuture<'static, Result<UpstreamAnswer, WorkerError>>;

    /// The worker of this account is not ready yet: a first call waits for it.
    fn is_starting(&self, account: &AccountId) -> bool;
}

/// Tools that the gateway answers itself, for every account and every access: they don't touch Garmin's data.
pub trait LocalTools: Send + Sync {
    /// The tools, as the JSON text of an array. It is read once.
    fn list(&self) -> String;

    /// Answers a call with a tool result (an object with `content`), good or bad. `arguments` is an object.
    fn call(
        &self,
        account: &AccountId,
        tool: &str,
        arguments: Option<Box<RawValue>>,
    ) -> BoxFuture<'static, Box<RawValue>>;
}
