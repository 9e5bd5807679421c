//! `watch_place`: alerts about a place of a race, such as "not at K3 by 14:00".

use serde_json::{Value, json};

use super::calls::RaceCall;
use super::error::RaceToolError;
use crate::race::id::RaceId;
use crate::race::outlook::PlaceState;
use crate::race::place_rule::{
    PlaceEvent, PlaceRule, RADIUS_M, RulePlace, USUAL_RADIUS_M, read_due_time, read_kilometres, read_position,
};
use crate::race::snapshot::Snapshot;
use crate::races::answers;

/// The arguments that the tool takes besides `race`.
const ARGUMENTS: [&str; 6] = ["action", "place", "by", "on", "radius_m", "name"];

/// The arguments that do not go with every action.
const OF_ACTIONS: [(&str, &[&str]); 5] = [
    ("by", &["add"]),
    ("on", &["add"]),
    ("radius_m", &["add"]),
    ("place", &["add", "remove"]),
    ("name", &["add", "remove"]),
];

/// Maximum length of a place's name in characters.
const LONGEST_NAME: usize = 40;

/// Words for the end of the activity.
const FINISH: [&str; 3] = ["finish", "back", "end"];

pub(super) async fn watch_place(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let action = call.args.action(&["add", "list", "remove"])?;
    call.args.refuse_of_others(action, &OF_ACTIONS)?;
    match action {
        "add" => add(call).await,
        "list" => {
            let race = call.race(&ARGUMENTS)?;
            listed(call, &race)
        }
        _ => remove(call).await,
    }
}

async fn add(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let missing =
        || RaceToolError("place: is missing; give a checkpoint, \"finish\", kilometres, or lat,lon".into());
    let asked = call.args.name("place")?.ok_or_else(missing)?;
    let (by, on) = (call.args.name("by")?, call.args.name("on")?);
    let name = call.args.name("name")?;
    let (least, most) = RADIUS_M;
    let radius_m = call.args.whole("radius_m", least, most)?;
    let race = call.race(&ARGUMENTS)?;
    let snapshot = call.view(&race)?.snapshot;
    let event = match (by, on.as_deref()) {
        (Some(by), None) => {
            let at = read_due_time(&by, snapshot.now, &snapshot.settings.zone());
            PlaceEvent::NotThereBy(at.map_err(|e| RaceToolError(format!("by: {e}")))?)
        }
        (None, Some("enter")) => PlaceEvent::Enters,
        (None, Some("leave")) => PlaceEvent::Leaves,
        (None, Some(_)) => return Err(RaceToolError("on: must be enter or leave".into())),
        _ => {
            return Err(RaceToolError(
                "by, on: give one of them: by \"14:00\" sends a message if the athlete is not there by then, on \
                 \"enter\" or \"leave\" when the athlete arrives or leaves"
                    .into(),
            ));
        }
    };
    let place = place(&snapshot, &asked, radius_m)?;
    if radius_m.is_some() && !matches!(place.place, RulePlace::Circle { .. }) {
        return Err(RaceToolError(
            "radius_m: only with a position such as 46.62,14.31; leave it out for a checkpoint, the finish or kilometres"
                .into(),
        ));
    }
    let name = name.unwrap_or_else(|| place.name.clone());
    if name.chars().count() > LONGEST_NAME {
        return Err(RaceToolError(format!(
            "name: must have at most {LONGEST_NAME} characters"
        )));
    }
    let rule = PlaceRule {
        name,
        place: place.place,
        event,
    };
    refuse_passed(&snapshot, &rule)?;
    call.races.watch_place(call.caller, &race, rule).await?;
    listed(call, &race)
}

async fn remove(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let (place, name) = (call.args.name("place")?, call.args.name("name")?);
    let race = call.race(&ARGUMENTS)?;
    let Some(which) = name.or(place) else {
        return Err(RaceToolError(
            "place: is missing; name the place whose alerts to remove, or give \"all\" to remove every one"
                .into(),
        ));
    };
    let is_all = which.eq_ignore_ascii_case("all");
    let which = Some(which.as_str()).filter(|_| !is_all);
    call.races.unwatch_place(call.caller, &race, which).await?;
    listed(call, &race)
}

fn listed(call: &RaceCall<'_>, race: &RaceId) -> Result<Value, RaceToolError> {
    let snapshot = call.view(race)?.snapshot;
    Ok(json!({
        "race": race.as_str(),
        "watched_places": answers::place_rules(&snapshot),
        "messages": super::calls::reach(call.races.message_route(call.caller.account())),
    }))
}

struct NamedPlace {
    name: String,
    place: RulePlace,
}

/// The place that was asked for. Errors: an unknown name, with the names that are known; a distance beyond the finish.
fn place(snapshot: &Snapshot, asked: &str, radius_m: Option<u32>) -> Result<NamedPlace, RaceToolError> {
    let named = |name: &str, place: RulePlace| {
        Ok(NamedPlace {
            name: name.to_owned(),
            place,
        })
    };
    let mut checkpoints = snapshot.settings.checkpoints.iter();
    if let Some(checkpoint) = checkpoints.find(|checkpoint| checkpoint.name.eq_ignore_ascii_case(asked)) {
        return named(
            &checkpoint.name,
            RulePlace::Mark {
                at_m: checkpoint.km * 1000.0,
            },
        );
    }
    if FINISH.iter().any(|word| asked.eq_ignore_ascii_case(word)) {
        return named("finish", RulePlace::Finish);
    }
    if let Some(at) = read_position(asked) {
        let radius_m = radius_m.unwrap_or(USUAL_RADIUS_M);
        return named(
            asked,
            RulePlace::Circle {
                lat: at.lat,
                lon: at.lon,
                radius_m,
            },
        );
    }
    if let Some(at_m) = read_kilometres(asked) {
        let whole_m = snapshot.goal().whole_m();
        if let Some(whole_m) = whole_m.filter(|whole_m| at_m > *whole_m) {
            let long = crate::race::text::km(whole_m);
            return Err(RaceToolError(format!(
                "place: the race is {long} long; use \"finish\" for its end"
            )));
        }
        return named(crate::race::text::mark(at_m).as_str(), RulePlace::Mark { at_m });
    }
    let known: Vec<_> = snapshot
        .settings
        .checkpoints
        .iter()
        .map(|checkpoint| checkpoint.name.as_str())
        .collect();
    let known = if known.is_empty() {
        "this race has no checkpoints; update_race adds them".to_owned()
    } else {
        format!("its checkpoints are {}", known.join(", "))
    };
    Err(RaceToolError(format!(
        "place: must be the name of a checkpoint, \"finish\", kilometres from the start such as 31.5, or a position such \
         as 46.62,14.31; {known}"
    )))
}

/// Refuses a rule about a place that was passed already.
fn refuse_passed(snapshot: &Snapshot, rule: &PlaceRule) -> Result<(), RaceToolError> {
    let RulePlace::Mark { .. } = rule.place else {
        return Ok(());
    };
    let found = answers::find_place(snapshot, &rule.name);
    match found.map(|place| place.state) {
        Some(PlaceState::Passed(_)) => Err(RaceToolError(format!(
            "place: {} has already been passed; get_outlook shows when",
            rule.name
        ))),
        _ => Ok(()),
    }
}
