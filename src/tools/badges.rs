//! Badges and challenges: tools of garmin_mcp's module `challenges`.

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::challenges::{clock, thousands};
use super::fields::{Changed, at, list};
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

const LIMIT: Parameter = Parameter::whole(
    "limit",
    "How many to return (default 20, at most 100)",
    (1, 100),
    20,
);
const FROM_ZERO: Parameter = Parameter::whole("start", "How many to skip (default 0)", (0, 100_000), 0);
const FROM_ONE: Parameter = Parameter::whole(
    "start",
    "The number of the first one (default 1)",
    (1, 100_000),
    1,
);

/// The table row of a tool that lists badge challenges.
macro_rules! badge_challenges {
    ($name:literal, $about:literal, $list:literal, $what:literal, $order:expr) => {
        Tool {
            name: $name,
            about: $about,
            parameters: &[FROM_ONE, LIMIT],
            ask: GarminQuery::Get(concat!(
                "/badgechallenge-service/badgeChallenge/",
                $list,
                "?start={start}&limit={limit}"
            )),
            tell: AnswerShape::Shaped(|_, document| challenges(document, $order)),
            nothing: concat!("No ", $what, "badge challenges found."),
            failing: concat!("Error retrieving ", $what, "badge challenges"),
        }
    };
}

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_earned_badges",
        about: "Badges that the person has earned, newest first: name, category, difficulty, points, date.",
        parameters: &[],
        ask: GarminQuery::Get("/badge-service/badge/earned"),
        tell: AnswerShape::Shaped(earned),
        nothing: "No earned badges found.",
        failing: "Error retrieving earned badges",
    },
    Tool {
        name: "get_adhoc_challenges",
        about: "Challenges among friends, newest first: name, sport, days, number of players, and the person's rank.",
        parameters: &[FROM_ZERO, LIMIT],
        ask: GarminQuery::Get(
            "/adhocchallenge-service/adHocChallenge/historical?start={start}&limit={limit}",
        ),
        tell: AnswerShape::Shaped(among_friends),
        nothing: "No adhoc challenges found.",
        failing: "Error retrieving adhoc challenges",
    },
    badge_challenges!(
        "get_available_badge_challenges",
        "Badge challenges that the person can join, in the order in which they begin.",
        "available",
        "available ",
        ChallengeOrder::Start
    ),
    badge_challenges!(
        "get_badge_challenges",
        "Badge challenges that the person has completed, newest first.",
        "completed",
        "",
        ChallengeOrder::NewestStart
    ),
    badge_challenges!(
        "get_non_completed_badge_challenges",
        "Badge challenges in progress, in the order in which they end, with the progress so far.",
        "non-completed",
        "in-progress ",
        ChallengeOrder::End
    ),
    Tool {
        name: "get_inprogress_virtual_challenges",
        about: "Virtual challenges in progress, such as a long trail walked with daily steps.",
        parameters: &[FROM_ONE, LIMIT],
        ask: GarminQuery::Get(
            "/badgechallenge-service/virtualChallenge/inProgress?start={start}&limit={limit}",
        ),
        tell: AnswerShape::Shaped(virtual_challenges),
        nothing: "No in-progress virtual challenges found.",
        failing: "Error retrieving in-progress virtual challenges",
    },
];

const STATUS: &[(i64, &str)] = &[
    (1, "Not Started"),
    (2, "In Progress"),
    (3, "Completed"),
    (4, "Ended"),
];
const BADGE_CATEGORY: &[(i64, &str)] = &[
    (1, "Activity"),
    (2, "Running"),
    (3, "Cycling"),
    (4, "Challenge"),
    (5, "Steps"),
    (9, "Diving"),
];
const CHALLENGE_CATEGORY: &[(i64, &str)] = &[
    (1, "Running"),
    (2, "Cycling"),
    (3, "Fitness"),
    (4, "Steps"),
    (5, "Walking"),
    (6, "Yoga/Mindfulness"),
    (9, "Multi-Activity"),
];
const DIFFICULTY: &[(i64, &str)] = &[(1, "Easy"), (2, "Medium"), (3, "Hard")];
const ACTIVITY_TYPE: &[(i64, &str)] = &[
    (1, "Running"),
    (2, "Cycling"),
    (3, "Swimming"),
    (4, "Steps"),
    (5, "Walking"),
];

/// The name of a numeric code; an unknown code is shown as its number.
fn named(document: &Value, key: &str, names: &[(i64, &str)], kind: &str) -> String {
    let Some(code) = at(document, key) else {
        return format!("{kind}_None");
    };
    let known = names.iter().find(|(known, _)| Some(*known) == code.as_i64());
    known.map_or_else(|| format!("{kind}_{code}"), |(_, name)| (*name).to_owned())
}

/// The day of a time; `null` if there is none.
fn day(document: &Value, key: &str) -> Value {
    let text = at(document, key).and_then(Value::as_str);
    text.map_or(Value::Null, |text| json!(text.get(..10).unwrap_or(text)))
}

/// A progress or a target in its unit.
fn measured(value: &Value, document: &Value) -> Value {
    let Some(number) = value.as_f64() else {
        return Value::Null;
    };
    let unit = document.get("badgeUnitId").and_then(Value::as_i64);
    json!(match unit {
        Some(1) if number >= 1_000.0 => format!("{:.2} km", number / 1_000.0),
        Some(1 | 2) => format!("{number:.0} m"),
        Some(3 | 5) => thousands(number),
        Some(7) => clock(number),
        _ => value.to_string(),
    })
}

fn earned(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let told = |badge: &Value| {
        let mut told = Map::new();
        let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
        put("name", badge.get("badgeName").cloned().unwrap_or_default());
        put(
            "category",
            json!(named(badge, "badgeCategoryId", BADGE_CATEGORY, "category")),
        );
        put(
            "difficulty",
            json!(named(badge, "badgeDifficultyId", DIFFICULTY, "level")),
        );
        put("points", badge.get("badgePoints").cloned().unwrap_or_default());
        put("earned_date", day(badge, "badgeEarnedDate"));
        if let (Some(progress), Some(target)) =
            (at(badge, "badgeProgressValue"), at(badge, "badgeTargetValue"))
        {
            put("progress", measured(progress, badge));
            put("target", measured(target, badge));
        }
        if let (Value::String(start), Value::String(end)) =
            (day(badge, "badgeStartDate"), day(badge, "badgeEndDate"))
        {
            put("challenge_period", json!(format!("{start} to {end}")));
        }
        if badge.get("badgeAssocType") == Some(&json!("activityId")) {
            put(
                "activity_id",
                badge.get("badgeAssocDataId").cloned().unwrap_or_default(),
            );
        }
        if let Some(series) = at(badge, "badgeSeriesId") {
            put("series_id", series.clone());
        }
        Value::Object(told)
    };
    let badges = sorted(
        list(document, "")?.iter().map(told).collect(),
        "earned_date",
        true,
    );
    Ok(ToolAnswer::Json(
        json!({"total_badges": badges.len(), "badges": badges}),
    ))
}

fn among_friends(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let told = |challenge: &Value| {
        json!({
            "name": challenge.get("adHocChallengeName"),
            "description": challenge.get("adHocChallengeDesc"),
            "uuid": challenge.get("uuid"),
            "activity_type": named(challenge, "socialChallengeActivityTypeId", ACTIVITY_TYPE, "type"),
            "status": named(challenge, "socialChallengeStatusId", STATUS, "status"),
            "start_date": day(challenge, "startDate"),
            "end_date": day(challenge, "endDate"),
            "your_ranking": challenge.get("userRanking"),
            "player_count": challenge.get("playerCount"),
        })
    };
    Ok(total(&sorted(
        list(document, "")?.iter().map(told).collect(),
        "start_date",
        true,
    )))
}

#[derive(Clone, Copy)]
enum ChallengeOrder {
    Start,
    NewestStart,
    End,
}

fn challenges(document: &Value, order: ChallengeOrder) -> Result<ToolAnswer, AnswerError> {
    let is_available = matches!(order, ChallengeOrder::Start);
    let told = |challenge: &Value| {
        let mut told = Map::new();
        let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
        put(
            "name",
            challenge.get("badgeChallengeName").cloned().unwrap_or_default(),
        );
        put("uuid", challenge.get("uuid").cloned().unwrap_or_default());
        put(
            "category",
            json!(named(
                challenge,
                "challengeCategoryId",
                CHALLENGE_CATEGORY,
                "category"
            )),
        );
        put(
            "status",
            json!(named(challenge, "badgeChallengeStatusId", STATUS, "status")),
        );
        put(
            "points",
            challenge.get("badgePoints").cloned().unwrap_or_default(),
        );
        put("start_date", day(challenge, "startDate"));
        put("end_date", day(challenge, "endDate"));
        put(
            "joined",
            json!(challenge.get("userJoined") == Some(&Value::Bool(true))),
        );
        let target = at(challenge, "badgeTargetValue").filter(|target| target.as_f64() > Some(0.0));
        if let Some(target) = target {
            let progress = at(challenge, "badgeProgressValue").unwrap_or(&Value::Null);
            put("progress", measured(progress, challenge));
            put("target", measured(target, challenge));
            put("progress_percent", percent(progress, target));
        }
        if at(challenge, "badgeEarnedDate").is_some() {
            put("earned_date", day(challenge, "badgeEarnedDate"));
        }
        if is_available {
            put(
                "joinable",
                json!(challenge.get("joinable") != Some(&Value::Bool(false))),
            );
        }
        Value::Object(told)
    };
    let told = list(document, "")?.iter().map(told).collect();
    Ok(total(&match order {
        ChallengeOrder::Start => sorted(told, "start_date", false),
        ChallengeOrder::NewestStart => sorted(told, "start_date", true),
        ChallengeOrder::End => sorted(told, "end_date", false),
    }))
}

/// A percentage of at most 100; `null` without progress.
fn percent(progress: &Value, target: &Value) -> Value {
    let share = progress
        .as_f64()
        .zip(target.as_f64())
        .filter(|(_, target)| *target > 0.0);
    share.map_or(Value::Null, |(progress, target)| {
        json!(format!("{:.1}%", (progress / target * 100.0).min(100.0)))
    })
}

/// Garmin sends a list, an object with a list, or a single challenge, and has two spellings of every key.
fn virtual_challenges(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let items = match document {
        Value::Array(items) => items.as_slice(),
        Value::Object(members) if members.contains_key("challenges") => list(document, "challenges")?,
        Value::Object(_) => std::slice::from_ref(document),
        _ => {
            return Err(AnswerError::Changed(Changed {
                path: "$".to_owned(),
                expected: "a list of challenges",
            }));
        }
    };
    let told = |challenge: &Value| {
        let first = |keys: [&str; 3]| keys.into_iter().find_map(|key| at(challenge, key));
        let mut told = json!({
            "name": first(["name", "challengeName", "badgeChallengeName"]),
            "uuid": challenge.get("uuid"),
            "start_date": day(challenge, "startDate"),
            "end_date": day(challenge, "endDate"),
        });
        let progress = first(["progress", "progressValue", "badgeProgressValue"]);
        let target = first(["target", "targetValue", "badgeTargetValue"]);
        if let (Some(progress), Some(target), Some(told)) = (progress, target, told.as_object_mut()) {
            let km = |value: &Value| value.as_f64().map(|metres| format!("{:.2} km", metres / 1_000.0));
            told.insert("progress_meters".to_owned(), progress.clone());
            told.insert("target_meters".to_owned(), target.clone());
            told.insert("progress_km".to_owned(), json!(km(progress)));
            told.insert("target_km".to_owned(), json!(km(target)));
            told.insert("progress_percent".to_owned(), percent(progress, target));
        }
        told
    };
    Ok(total(&items.iter().map(told).collect::<Vec<_>>()))
}

fn total(challenges: &[Value]) -> ToolAnswer {
    ToolAnswer::Json(json!({"total": challenges.len(), "challenges": challenges}))
}

/// Sorts by a day. Items without one come first in ascending order.
fn sorted(mut items: Vec<Value>, key: &str, is_descending: bool) -> Vec<Value> {
    let day = |item: &Value| {
        item.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if is_descending {
        items.sort_by_key(|item| std::cmp::Reverse(day(item)));
    } else {
        items.sort_by_key(day);
    }
    items
}
