//! Where answers come from: the workers, and the gateway's own tools. Two seams, each one method wide.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use crate::accounts::AccountId;
use crate::races::RaceGrant;
use crate::races::tools::RaceTools;
use crate::store::StoreError;
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError, Workers};

/// One worker per account, started when it is needed.
pub trait Upstream: Send + Sync {
    /// Asks the worker of this account. Dropping the future cancels the call.
    fn call(
        &self,
        account: &AccountId,
        call: UpstreamCall,
    ) -> BoxFuture<'static, Result<UpstreamAnswer, WorkerError>>;

    /// What a call of this account waits for before its worker has it, in words for the person; `None` if for nothing.
    /// Asked once a call takes long.
    fn wait_reason(&self, account: &AccountId) -> Option<&'static str>;

    /// What the worker that was started last said of itself (`serverInfo`); `None` before the first.
    fn server(&self) -> Option<Arc<str>>;
}

impl Upstream for Workers {
    fn call(
        &self,
        account: &AccountId,
        call: UpstreamCall,
    ) -> BoxFuture<'static, Result<UpstreamAnswer, WorkerError>> {
        let (workers, account) = (self.clone(), account.clone());
        Box::pin(async move { workers.call(&account, call).await })
    }

    fn wait_reason(&self, account: &AccountId) -> Option<&'static str> {
        match self.state(account)? {
            "waiting" => Some("Waiting for a free place for your Garmin session"),
            "ready" => None,
            _ => Some("Starting your Garmin session"),
        }
    }

    fn server(&self) -> Option<Arc<str>> {
        Workers::server(self)
    }
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

    /// What a bearer token reaches that is no person's but one race's. Errors: it can't be said now.
    fn admit(&self, bearer: &str) -> Result<Option<RaceGrant>, StoreError>;

    /// The tools that such a token reaches, as [`LocalTools::list`].
    fn list_for_race(&self) -> String;

    /// Answers a call of who holds such a token, as [`LocalTools::call`].
    fn call_for_race(
        &self,
        grant: &RaceGrant,
        tool: &str,
        arguments: Option<Box<RawValue>>,
    ) -> BoxFuture<'static, Box<RawValue>>;
}

impl LocalTools for RaceTools {
    fn list(&self) -> String {
        RaceTools::list()
    }

    fn call(
        &self,
        account: &AccountId,
        tool: &str,
        arguments: Option<Box<RawValue>>,
    ) -> BoxFuture<'static, Box<RawValue>> {
        let (tools, account, tool) = (self.clone(), account.clone(), tool.to_owned());
        Box::pin(async move { RaceTools::call(&tools, &account, &tool, arguments.as_deref()).await })
    }

    fn admit(&self, bearer: &str) -> Result<Option<RaceGrant>, StoreError> {
        self.0.authenticate(bearer)
    }

    fn list_for_race(&self) -> String {
        RaceTools::list_for_race()
    }

    fn call_for_race(
        &self,
        grant: &RaceGrant,
        tool: &str,
        arguments: Option<Box<RawValue>>,
    ) -> BoxFuture<'static, Box<RawValue>> {
        let (tools, grant, tool) = (self.clone(), grant.clone(), tool.to_owned());
        Box::pin(async move { RaceTools::call_for_race(&tools, &grant, &tool, arguments.as_deref()).await })
    }
}
