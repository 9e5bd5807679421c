//! Asks a worker what it offers.

use serde_json::value::RawValue;

use crate::{
    accounts::AccountId,
    gateway::upstream::Upstream,
    mcp::{
        CatalogueError,
        members::{Members, text, write_string},
    },
    workers::{UpstreamAnswer, UpstreamCall, WorkerError},
};

use super::kept::Asked;

/// A list with more pages than this is no list.
const PAGES: usize = 50;
/// Why lists could not be learned.
#[derive(Debug, thiserror::Error)]
pub(super) enum LearnError {
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("it refused {0}")]
    Refused(&'static str),
    #[error("its answer to {0} is no list")]
    Shape(&'static str),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error("it took too long")]
    TooLong,
}

/// Asks a worker for all its lists.
pub(super) async fn ask_all(upstream: &dyn Upstream, account: &AccountId) -> Result<Asked, LearnError> {
    Ok(Asked {
        tools: ask(upstream, account, "tools/list", "tools").await?,
        resources: ask(upstream, account, "resources/list", "resources").await?,
        resource_templates: ask(upstream, account, "resources/templates/list", "resourceTemplates").await?,
        prompts: ask(upstream, account, "prompts/list", "prompts").await?,
        // Whoever was asked was started last, or says the same.
        server: upstream.server(),
    })
}

/// One list with all its pages. A worker that does not know the method has an empty one; tools it must have.
async fn ask(
    upstream: &dyn Upstream,
    account: &AccountId,
    method: &'static str,
    key: &'static str,
) -> Result<String, LearnError> {
    let mut items = String::from("[");
    let mut params: Option<Box<RawValue>> = None;
    for _ in 0..PAGES {
        let call = UpstreamCall {
            method,
            params: params.take(),
            read_only: true,
            progress: None,
            messages: None,
        };
        let page = match upstream.call(account, call).await? {
            UpstreamAnswer::Result(page) => page,
            UpstreamAnswer::Error(_) if key != "tools" => return Ok("[]".to_owned()),
            UpstreamAnswer::Error(_) => return Err(LearnError::Refused(method)),
        };
        let members = Members::of(page.get()).ok_or(LearnError::Shape(method))?;
        let array = members
            .get(key)
            .map(RawValue::get)
            .ok_or(LearnError::Shape(method))?;
        let inner = array
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or(LearnError::Shape(method))?;
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
    Err(LearnError::Shape(method))
}
