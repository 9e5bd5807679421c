//! `grant_access`, `withdraw_grant` and `list_grants`: who may see what of a person, and whose data the person may see.

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::discovery::{failed, told};
use super::sharing::Sharing;
use crate::accounts::{AccountId, GrantGiven, GrantWish, GrantWithdrawn};
use crate::mcp::DataGroup;
use crate::mcp::arguments::coerce;
use crate::races::RaceCaller;
use crate::store::StoreError;

const GIVE: &str = "grant_access";
const WITHDRAW: &str = "withdraw_grant";
const LIST: &str = "list_grants";

const NOT_STORED: &str = "The gateway's store can't be used at present. Nothing was changed. Try again.";
const CONNECTION_ENDED: &str = "This connection's access has ended. Nothing was changed. Connect again.";

/// Whether a tool is about grants.
pub(super) fn is_about_grants(tool: &str) -> bool {
    [GIVE, WITHDRAW, LIST].contains(&tool)
}

/// The tools, as entries of `tools/list`.
pub(super) fn listings() -> Vec<Value> {
    let tool =
        |name: &str, about: &str| json!({"name": name, "description": about, "inputSchema": input(name)});
    vec![
        tool(
            GIVE,
            "Let another member of this gateway see some of this person's data through their own Claude, until a given day: \
             share training, activities, sleep, races with a coach, partner or family. Read only. First tell the person who \
             will see what until when, and ask. A second call for the same member replaces the first.",
        ),
        tool(
            WITHDRAW,
            "End another member's access to this person's data at once, including calls under way.",
        ),
        tool(
            LIST,
            "Who may see which of this person's data until when, and whose data this person may see. Tools that can read \
             another member's data have an argument `person`.",
        ),
    ]
}

fn input(tool: &str) -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let to = text("The e-mail with which the other member signs in at Garmin, as the person gave it");
    let groups = DataGroup::ALL
        .map(|group| format!("{group}: {}", group.about()))
        .join("; ");
    match tool {
        GIVE => json!({
            "type": "object",
            "properties": {
                "to": to,
                "groups": {
                    "type": "array",
                    "items": {"type": "string", "enum": DataGroup::ALL.map(DataGroup::name)},
                    "description": format!("What they may see. {groups}"),
                },
                "until": text("The last day, YYYY-MM-DD, at most a year from now"),
                "name": text("The name under which they see this person; left out: that of the Garmin profile"),
            },
            "required": ["to", "groups", "until"],
        }),
        WITHDRAW => json!({"type": "object", "properties": {"to": to}, "required": ["to"]}),
        _ => json!({"type": "object", "properties": {}}),
    }
}

/// Answers one of the tools.
pub(super) async fn call(
    sharing: &Sharing,
    caller: &RaceCaller,
    tool: &str,
    arguments: Option<&RawValue>,
) -> Box<RawValue> {
    let RaceCaller::SignIn(account, _) = caller else {
        return failed("This token reaches one race, and only the tools of a race.");
    };
    let given = arguments
        .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
        .unwrap_or_default();
    let mut arguments = match coerce(given, &input(tool)) {
        Ok(arguments) => arguments,
        Err(mismatch) => return failed(&format!("{mismatch}. Nothing was changed.")),
    };
    let mut take = |name: &str| arguments.remove(name).filter(|value| !value.is_null());
    let text = |value: Option<Value>| {
        value
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let writing = caller.clone();
    let is_allowed = move |tx: &crate::store::Tx<'_>| writing.may_write(tx);
    let (to, name, until) = (text(take("to")), text(take("name")), text(take("until")));
    let groups = take("groups");
    let groups = groups.as_ref().and_then(Value::as_array).into_iter().flatten();
    let groups = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some((unknown, _)) = arguments.iter().find(|(_, value)| !value.is_null()) {
        let unknown: String = unknown.chars().take(40).collect();
        return failed(&format!(
            "{unknown}: is not an argument of this tool. Nothing was changed."
        ));
    }
    let wish = GrantWish {
        to: to.clone(),
        groups,
        until,
        name,
    };
    let note = match tool {
        GIVE => sharing.give(account, wish, is_allowed).await.map(given_note),
        WITHDRAW => sharing
            .withdraw(account, &to, is_allowed)
            .await
            .map(|withdrawn| withdrawn_note(&withdrawn)),
        _ => Ok(Ok(String::new())),
    };
    match note {
        Ok(Ok(note)) => list(sharing, account, &note),
        Ok(Err(refused)) => failed(&refused),
        Err(reason) => {
            tracing::error!(%reason, "grant.not_changed");
            failed(NOT_STORED)
        }
    }
}

fn given_note(given: GrantGiven) -> Result<String, String> {
    match given {
        GrantGiven::Done { grant, replaced } => Ok(format!(
            "{} {} may see {} until the end of {}, under the name {}. Their Claude asks with person: {}. withdraw_grant ends \
             it at any time.",
            if replaced { "Changed." } else { "Done." },
            grant.to_email,
            grant.groups_text(),
            grant.until,
            grant.name,
            grant.name
        )),
        GrantGiven::NotAllowed => Err(CONNECTION_ENDED.to_owned()),
        GrantGiven::Wrong(wrong) => Err(format!("{wrong}. Nothing was changed.")),
    }
}

fn withdrawn_note(withdrawn: &GrantWithdrawn) -> Result<String, String> {
    match withdrawn {
        GrantWithdrawn::Done(_) => Ok("Ended. They can no longer see any of it.".to_owned()),
        GrantWithdrawn::NotAllowed => Err(CONNECTION_ENDED.to_owned()),
        GrantWithdrawn::Missing => Err(
            "to: nobody with this e-mail may see this person's data; list_grants shows who may. Nothing was changed."
                .to_owned(),
        ),
    }
}

/// Both sides of a person's grants.
fn list(sharing: &Sharing, account: &AccountId, note: &str) -> Box<RawValue> {
    match sides(sharing, account) {
        Ok(mut answer) => {
            if !note.is_empty() {
                answer.insert("note".to_owned(), json!(note));
            }
            told(&Value::Object(answer))
        }
        Err(reason) => {
            tracing::error!(%reason, "grant.not_read");
            failed("The gateway's store can't be read at present. Try again.")
        }
    }
}

fn sides(sharing: &Sharing, account: &AccountId) -> Result<Map<String, Value>, StoreError> {
    let zone = sharing.zone(account)?;
    let local = |at: Timestamp| {
        at.to_zoned(zone.clone())
            .strftime("%Y-%m-%dT%H:%M%:z")
            .to_string()
    };
    let given = sharing.accounts.grants_given(account)?.into_iter().map(|one| {
        json!({
            "who": one.to_email,
            "sees": one.groups,
            "until": one.until,
            "ends_at": local(one.ends_at),
            "under_the_name": one.name,
        })
    });
    let held = sharing.accounts.grants_held(account)?.into_iter().map(|one| {
        let problem = sharing.is_link_broken(&one.granter).then_some(
            "Their link to Garmin is broken. Only they can fix it, by signing in at Garmin again.",
        );
        json!({
            "person": one.grant.name,
            "sees": one.grant.groups,
            "ends_at": local(one.grant.ends_at),
            "problem": problem,
        })
    });
    let mut answer = Map::new();
    answer.insert("may_see_my_data".to_owned(), given.collect());
    answer.insert("whose_data_i_may_see".to_owned(), held.collect());
    Ok(answer)
}
