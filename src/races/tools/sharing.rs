//! `share_race`: makes, joins, lists and ends the links to a race's page.

use serde_json::{Value, json};

use super::calls::RaceCall;
use super::error::RaceToolError;
use crate::race::id::RaceId;
use crate::race::share::{MOST_HOURS_AFTER, MOST_PRIVACY_M, ShareId, ShareRole, ShareTerms};

/// The arguments that the tool takes besides `race`.
const ARGUMENTS: [&str; 7] = [
    "action",
    "role",
    "name",
    "privacy_m",
    "hours_after",
    "with",
    "share",
];

/// The arguments that go with one action only.
const OF_ACTIONS: [(&str, &[&str]); 6] = [
    ("role", &["make"]),
    ("name", &["make"]),
    ("privacy_m", &["make"]),
    ("hours_after", &["make"]),
    ("with", &["make"]),
    ("share", &["end"]),
];

pub(super) async fn share_race(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let action = call.args.action(&["make", "list", "end"])?;
    call.args.refuse_of_others(action, &OF_ACTIONS)?;
    match action {
        "make" => make(call).await,
        "list" => list(call),
        _ => end(call).await,
    }
}

async fn make(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let role = call.args.name("role")?;
    let role = role.map_or(Some(ShareRole::Family), |role| ShareRole::named(&role));
    let role = role.ok_or_else(|| RaceToolError("role: must be family or crew".into()))?;
    let name = call.args.name("name")?;
    let privacy_m = call.args.whole("privacy_m", 0, MOST_PRIVACY_M)?;
    let hours_after = call.args.whole("hours_after", 1, MOST_HOURS_AFTER)?;
    let with = call.args.name("with")?;
    let race = call.race(&ARGUMENTS)?;
    let terms = ShareTerms::new(role, name.as_deref(), privacy_m, hours_after);
    let terms = terms.map_err(|e| RaceToolError(e.to_string()))?;
    if let Some(link) = with {
        return join(call, &race, &link, terms).await;
    }
    let made = call.races.share(call.caller, &race, terms.clone()).await?;
    Ok(json!({
        "race": race.as_str(),
        "share": made.share.as_str(),
        "url": made.url.expose(),
        "role": role.name(),
        "name": terms.name,
        "note": format!(
            "Anyone with this link can see the page without signing in. The link is shown only now. It ends {} h after the \
             race, or at once with action end.",
            terms.hours_after
        ),
    }))
}

async fn join(
    call: &RaceCall<'_>,
    race: &RaceId,
    link: &str,
    terms: ShareTerms,
) -> Result<Value, RaceToolError> {
    let (role, name) = (terms.role.name(), terms.name.clone());
    let joined = call.races.join_share(call.caller, race, link, terms).await?;
    Ok(json!({
        "race": race.as_str(),
        "share": joined.share.as_str(),
        "athletes": joined.athletes,
        "role": role,
        "name": name,
        "note": "The page behind that link now shows this race too. Action end with this share takes it off again; the \
                 others stay.",
    }))
}

fn list(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&ARGUMENTS)?;
    listed(call, &race)
}

async fn end(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let share = call.args.name("share")?;
    let race = call.race(&ARGUMENTS)?;
    let wrong =
        |_| RaceToolError("share: must be an id such as share_abcdefgh23456723, or be left out".into());
    let share = share.map(|id| id.parse::<ShareId>().map_err(wrong)).transpose()?;
    let ended = call.races.end_shares(call.caller, &race, share.as_ref()).await?;
    let mut answer = listed(call, &race)?;
    if let Some(members) = answer.as_object_mut() {
        members.insert("ended".into(), ended.shares.into());
    }
    Ok(answer)
}

fn listed(call: &RaceCall<'_>, race: &RaceId) -> Result<Value, RaceToolError> {
    let shares = call.races.shares(call.caller.account(), race)?;
    let shares: Vec<_> = shares
        .iter()
        .map(|share| {
            let others = share.others.iter();
            let can_end = others.clone().filter_map(|other| {
                let id = other.share.as_ref()?;
                Some(json!({"share": id.as_str(), "name": other.name}))
            });
            json!({
                "share": share.share.as_str(),
                "role": share.terms.role.name(),
                "name": share.terms.name,
                "privacy_m": share.terms.privacy_m,
                "hours_after": share.terms.hours_after,
                "created_at": share.created_at,
                "ends_at": share.ends_at,
                "with": others.map(|other| &other.name).collect::<Vec<_>>(),
                "can_end": can_end.collect::<Vec<_>>(),
                "made_by": if share.by_operator { "the operator" } else { "this person" },
            })
        })
        .collect();
    Ok(json!({ "race": race.as_str(), "shares": shares }))
}
