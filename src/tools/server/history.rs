//! Days for the gateway's history: one kind of document over a range, reduced to what is kept.

use serde_json::Value;

use super::super::garmin_get::GarminGet;
use super::Server;
use crate::garmin::ApiError;
use crate::history::kept::{TroubleClass, zone_text};
use crate::history::kind::KeptKind;
use crate::history::wire::{DaysReply, DaysRequest, FailedDays};
use crate::mcp::McpError;
use crate::mcp::params::Params;

/// Activities on one page of Garmin's list.
const PAGE: usize = 200;
/// More activities than anybody has in four weeks.
const MOST_PAGES: usize = 5;

impl Server {
    /// The result of [`crate::history::wire::READ_DAYS`].
    pub(super) async fn read_days(&self, params: &Params<'_>) -> Result<String, McpError> {
        let request: DaysRequest = params
            .for_worker()
            .and_then(|params| serde_json::from_str(params.get()).ok())
            .ok_or(McpError::InvalidParams(
                "params must have kind, from and to".into(),
            ))?;
        let (document, failed) = match &request.kind {
            None => (None, None),
            Some(name) => {
                let kind =
                    KeptKind::named(name).ok_or(McpError::InvalidParams("params.kind is unknown".into()))?;
                match self.days(kind, &request).await {
                    Ok(document) => (Some(document), None),
                    Err(failed) => (None, Some(failed)),
                }
            }
        };
        if failed
            .as_ref()
            .is_some_and(|failed| failed.class == TroubleClass::SignInNeeded)
        {
            (self.0.sign_in_needed)();
        }
        let reply = DaysReply {
            zone: self.known_zone().await.map(|now| zone_text(&now)),
            document,
            failed,
        };
        serde_json::to_string(&reply).map_err(|error| McpError::NoAnswer(error.to_string()))
    }

    async fn days(&self, kind: &KeptKind, request: &DaysRequest) -> Result<Value, FailedDays> {
        let mut rows = Vec::new();
        for page in 0..if kind.is_paged() { MOST_PAGES } else { 1 } {
            let get = GarminGet::of(kind.path, |name| match name {
                "from" => request.from.to_string(),
                "to" => request.to.to_string(),
                "start" => (page * PAGE).to_string(),
                _ => PAGE.to_string(),
            });
            let document = match self.0.api.get_json(&get.path, &get.query).await {
                Ok(document) => document,
                // Garmin answers this way if the person has no such device.
                Err(ApiError::NotFound) => return Ok(Value::Null),
                Err(error) => return Err(failed(&error)),
            };
            let reduced = kind.reduced(&document).map_err(|unknown| {
                tracing::warn!(kind = kind.name, reason = %unknown, "history.shape_unknown");
                FailedDays {
                    class: TroubleClass::Changed,
                    until: None,
                }
            })?;
            let is_full = document.as_array().is_some_and(|list| list.len() >= PAGE);
            match reduced {
                Value::Array(list) if kind.is_paged() => rows.extend(list),
                whole => return Ok(whole),
            }
            if !is_full {
                break;
            }
        }
        Ok(rows.into())
    }
}

fn failed(error: &ApiError) -> FailedDays {
    let class = match error {
        ApiError::SignInNeeded(_) => TroubleClass::SignInNeeded,
        ApiError::RateLimited { .. } => TroubleClass::RateLimited,
        ApiError::Unreachable | ApiError::Uncertain | ApiError::NotFound => TroubleClass::Unreachable,
        ApiError::Refused { .. } => TroubleClass::Refused,
        ApiError::Changed { .. } => TroubleClass::Changed,
    };
    let until = match error {
        ApiError::RateLimited { until } => *until,
        _ => None,
    };
    FailedDays { class, until }
}
