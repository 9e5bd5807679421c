//! Who gets the views of tools: a client that names the extension in its capabilities, unless the person has switched
//! views off.
//!
//! A modern request carries the capabilities. A legacy client names them once, in `initialize`, and has no session
//! that could hold them. The gateway therefore remembers, until it is restarted, which sign-ins have a client that
//! names the extension. If it has forgotten, or if a sign-in has several clients, nothing breaks: a client that shows
//! no views ignores the links to them, and every answer is complete without one. A view that a client already knows
//! can be read at any time.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::value::{RawValue, to_raw_value};

use crate::accounts::Accounts;
use crate::mcp::views::{View, are_shown_by};
use crate::mcp::{Era, McpMethod, McpRequest};
use crate::races::RaceCaller;

use super::admission::{Caller, CallerScope};

/// Upper bound of sign-ins that are remembered. Beyond it, all are forgotten.
const MOST_SIGN_INS: usize = 4_096;

/// Decides which requests concern views that their caller gets.
#[derive(Debug)]
pub(super) struct ViewOffer {
    accounts: Accounts,
    /// The sign-ins with a legacy client that shows views.
    known: Mutex<HashSet<Arc<str>>>,
}

impl ViewOffer {
    pub(super) fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            known: Mutex::default(),
        }
    }

    /// Whether this request concerns views, and its caller gets them.
    pub(super) fn is_for(&self, caller: &Caller, request: &McpRequest<'_>) -> bool {
        let CallerScope::Tools(RaceCaller::SignIn(..)) = caller.scope else {
            return false;
        };
        let is_shown = match (request.method, request.era) {
            (McpMethod::ReadResource, _) => true,
            (McpMethod::Initialize, _) => {
                let is_named = are_shown_by(request.params.get("capabilities"));
                if is_named {
                    self.remember(&caller.connection);
                }
                is_named
            }
            (McpMethod::Discover | McpMethod::ListTools | McpMethod::ListResources, Era::Modern) => {
                are_shown_by(request.params.meta.capabilities())
            }
            (McpMethod::ListTools | McpMethod::ListResources, Era::Legacy) => {
                self.known.lock().contains(&caller.connection)
            }
            _ => false,
        };
        is_shown && !self.are_off(caller)
    }

    fn remember(&self, connection: &Arc<str>) {
        let mut known = self.known.lock();
        if known.len() >= MOST_SIGN_INS && !known.contains(connection) {
            known.clear();
        }
        known.insert(connection.clone());
    }

    fn are_off(&self, caller: &Caller) -> bool {
        match self.accounts.choices(&caller.account) {
            Ok(choices) => choices.are_views_off,
            Err(reason) => {
                tracing::error!(%reason, "views.choice_not_read");
                true
            }
        }
    }
}

/// The result of `resources/read` for a view.
pub(super) fn view_contents(view: &View) -> Box<RawValue> {
    to_raw_value(&view.contents()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
