//! Requests the lists of a worker.

use serde_json::value::RawValue;

use crate::accounts::AccountId;
use crate::mcp::CatalogueError;
use crate::mcp::members::{Members, text, write_string};
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError, Workers};

use super::kept::LearnedLists;

/// The maximum number of pages of one list.
const MAX_PAGES: usize = 50;

#[derive(Debug, thiserror::Error)]
pub(super) enum LearnError {
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("it refused {0}")]
    Refused(&'static str),
    #[error("its answer to {0} is not a list")]
    Malformed(&'static str),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error("it took too long")]
    TooLong,
}

/// Requests all lists of the account's worker.
pub(super) async fn learn(workers: &Workers, account: &AccountId) -> Result<LearnedLists, LearnError> {
    Ok(LearnedLists {
        tools: list(workers, account, "tools/list", "tools").await?,
        resources: list(workers, account, "resources/list", "resources").await?,
        resource_templates: list(workers, account, "resources/templates/list", "resourceTemplates").await?,
        prompts: list(workers, account, "prompts/list", "prompts").await?,
        // The worker that answered is the most recently started one, or has the same version.
        server: workers.server(),
    })
}

/// All pages of one list. If a worker does not know the method, its list is empty. The tools are the exception: every
/// worker must list them.
async fn list(
    workers: &Workers,
    account: &AccountId,
    method: &'static str,
    key: &'static str,
) -> Result<String, LearnError> {
    let mut items = String::from("[");
    let mut params: Option<Box<RawValue>> = None;
    for _ in 0..MAX_PAGES {
        let call = UpstreamCall {
            method,
            params: params.take(),
            read_only: true,
            progress: None,
            messages: None,
        };
        let page = match workers.call(account, call).await? {
            UpstreamAnswer::Result(page) => page,
            UpstreamAnswer::Error(_) if key != "tools" => return Ok("[]".to_owned()),
            UpstreamAnswer::Error(_) => return Err(LearnError::Refused(method)),
        };
        let members = Members::of(page.get()).ok_or(LearnError::Malformed(method))?;
        let array = members
            .get(key)
            .map(RawValue::get)
            .ok_or(LearnError::Malformed(method))?;
        let inner = array
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or(LearnError::Malformed(method))?;
        if !inner.trim().is_empty() {
            if items.len() > 1 {
                items.push(',');
            }
            items.push_str(inner);
        }
        let Some(cursor) = members.get("nextCursor").and_then(text) else {
            items.push(']');
            return Ok(items);
        };
        let mut next = String::from("{\"cursor\":");
        write_string(&mut next, &cursor);
        next.push('}');
        params = RawValue::from_string(next).ok();
    }
    Err(LearnError::Malformed(method))
}
