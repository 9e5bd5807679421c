//! Past activities for the outlook of a race: the laps of the longest ones of a sport.

use jiff::civil::Date;
use serde_json::Value;

use super::super::garmin_get::GarminGet;
use super::Server;
use crate::garmin::ApiError;
use crate::mcp::McpError;
use crate::mcp::params::Params;
use crate::race::past::{LEAST_PAST_S, MOST_PAST, PastActivity, PastLap, PastReply, PastRequest};
use crate::race::sport::{LegKind, is_indoors};
use crate::tools::fields::{at, list};
use crate::tools::outcome::ToolFailure;

/// Activities on one page of Garmin's list.
const PAGE: usize = 200;
/// Anybody's activities of one sport in a year and a half.
const MOST_PAGES: usize = 5;

/// Garmin's type for the activities of a sport and its subtypes; empty for all activities.
fn activity_type(sport: LegKind) -> &'static str {
    match sport {
        LegKind::Run => "running",
        LegKind::Ride => "cycling",
        LegKind::Swim => "swimming",
        LegKind::Walk => "walking",
        LegKind::Hike => "hiking",
        _ => "",
    }
}

impl Server {
    /// Answers [`crate::race::past::READ_PAST`] with the laps of the longest activities.
    pub(super) async fn read_past(&self, params: &Params<'_>) -> Result<String, McpError> {
        let request: PastRequest = params
            .for_worker()
            .and_then(|params| serde_json::from_str(params.get()).ok())
            .ok_or(McpError::InvalidParams(
                "params must have sport, from and to".into(),
            ))?;
        let reply = match self.past(&request).await {
            Ok(activities) => PastReply::Read(activities),
            Err(failure) => {
                if let ToolFailure::Garmin(ApiError::SignInNeeded(_)) = failure {
                    (self.0.sign_in_needed)();
                }
                PastReply::Failed(failure.class().to_owned())
            }
        };
        serde_json::to_string(&reply).map_err(|error| McpError::NoAnswer(error.to_string()))
    }

    async fn past(&self, request: &PastRequest) -> Result<Vec<PastActivity>, ToolFailure> {
        let mut long: Vec<(f64, u64)> = Vec::new();
        for page in 0..MOST_PAGES {
            let template = "/activitylist-service/activities/search/activities?startDate={from}&endDate={to}\
                            &start={start}&limit={limit}&activityType={type}";
            let get = GarminGet::of(template, |name| match name {
                "from" => request.from.to_string(),
                "to" => request.to.to_string(),
                "start" => (page * PAGE).to_string(),
                "type" => activity_type(request.sport).to_owned(),
                _ => PAGE.to_string(),
            });
            let document = self.0.api.get_json(&get.path, &get.query).await?;
            let activities = list(&document, "")?;
            long.extend(activities.iter().filter_map(|one| long_activity(one, request)));
            if activities.len() < PAGE {
                break;
            }
        }
        long.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut past = Vec::new();
        for (_, id) in long.into_iter().take(MOST_PAST) {
            let get = GarminGet::of("/activity-service/activity/{id}/splits", |_| id.to_string());
            match self.0.api.get_json(&get.path, &get.query).await {
                Ok(document) => past.push(PastActivity {
                    laps: list(&document, "lapDTOs")?.iter().map(lap).collect(),
                }),
                // It was deleted meanwhile, or has no laps.
                Err(ApiError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(past)
    }
}

/// Duration and id of an activity if it is long enough, of the sport, and outdoors.
fn long_activity(activity: &Value, request: &PastRequest) -> Option<(f64, u64)> {
    let kind = at(activity, "activityType.typeKey")?.as_str()?.to_uppercase();
    let duration_s = at(activity, "duration")?.as_f64()?;
    let day: Date = at(activity, "startTimeLocal")?
        .as_str()?
        .get(..10)?
        .parse()
        .ok()?;
    let is_wanted = LegKind::from_activity(&kind) == Some(request.sport)
        && !is_indoors(&kind)
        && duration_s >= LEAST_PAST_S
        && (request.from..=request.to).contains(&day);
    is_wanted.then_some((duration_s, at(activity, "activityId")?.as_u64()?))
}

/// A lap without a distance or a duration counts as zero, which the fade leaves out.
fn lap(lap: &Value) -> PastLap {
    let number = |key: &str| {
        at(lap, key)
            .and_then(Value::as_f64)
            .filter(|number| *number > 0.0)
    };
    PastLap {
        distance_m: number("distance").unwrap_or_default(),
        moving_s: number("movingDuration")
            .or(number("duration"))
            .unwrap_or_default(),
        ascent_m: number("elevationGain").unwrap_or_default(),
        descent_m: number("elevationLoss").unwrap_or_default(),
    }
}
