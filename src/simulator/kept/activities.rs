//! Changed, new and deleted activities, and the gear used in them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    ChangeRequest, Planned, ReadRequest, at, done, listed, merge, missing, number, text, told, with,
};

#[derive(Debug, Default)]
pub(super) struct KeptActivities {
    patches: BTreeMap<i64, Value>,
    created: BTreeMap<i64, Value>,
    deleted: BTreeSet<i64>,
    /// Gear that was added to or removed from an activity.
    gear: BTreeMap<(i64, String), bool>,
}

pub(super) fn plan(change: &ChangeRequest<'_>) -> Option<Planned> {
    Some(match (change.method, change.path.as_slice()) {
        ("PUT", ["activity-service", "activity", id]) => {
            (change.read)(&format!("/activity-service/activity/{id}")).map_or_else(missing, |_| {
                let (id, patch) = (number(id), change.body.clone());
                done(204, move |kept| {
                    merge(kept.activities.patches.entry(id).or_insert(json!({})), &patch);
                })
            })
        }
        ("POST", ["activity-service", "activity"]) => {
            let id = change.id;
            let activity = with(&with(&change.body, "activityId", id), "isMultiSportParent", false);
            let kept_activity = activity.clone();
            told(&activity, move |kept| {
                kept.activities.created.insert(id, kept_activity);
            })
        }
        ("DELETE", ["activity-service", "activity", id]) => {
            (change.read)(&format!("/activity-service/activity/{id}")).map_or_else(missing, |_| {
                let id = number(id);
                done(204, move |kept| {
                    kept.activities.created.remove(&id);
                    kept.activities.deleted.insert(id);
                })
            })
        }
        (
            "PUT",
            [
                "gear-service",
                "gear",
                link @ ("link" | "unlink"),
                uuid,
                "activity",
                id,
            ],
        ) => {
            let (adds, uuid, id) = (*link == "link", (*uuid).to_owned(), number(id));
            let gear = json!({"uuid": uuid});
            told(&gear, move |kept| {
                kept.activities.gear.insert((id, uuid), adds);
            })
        }
        _ => return None,
    })
}

impl KeptActivities {
    pub(super) fn document(&self, request: &ReadRequest<'_>, computed: Option<Value>) -> Option<Value> {
        match request.path.as_slice() {
            ["activity-service", "activity", id] if id.parse::<i64>().is_ok() => {
                self.activity(number(id), computed)
            }
            ["activitylist-service", "activities", "search", "activities"] => {
                Some(self.list(request, computed))
            }
            ["gear-service", "gear", "filterGear"] => match request.parameter("activityId") {
                Some(id) => Some(self.gear_of(number(&id), computed)),
                None => computed,
            },
            _ => computed,
        }
    }

    fn activity(&self, id: i64, computed: Option<Value>) -> Option<Value> {
        if self.deleted.contains(&id) {
            return None;
        }
        let mut activity = self.created.get(&id).cloned().or(computed)?;
        if let Some(patch) = self.patches.get(&id) {
            merge(&mut activity, patch);
        }
        Some(activity)
    }

    fn list(&self, request: &ReadRequest<'_>, computed: Option<Value>) -> Value {
        let day = |name: &str| request.parameter(name).filter(|day| !day.is_empty());
        let (first, last) = (day("startDate"), day("endDate"));
        let is_first_page = request.parameter("start").is_none_or(|start| start == "0");
        let created = self.created.iter().filter_map(|(id, activity)| {
            let start = text(at(activity, "summaryDTO"), "startTimeLocal");
            let date = start.get(..10)?;
            let is_within = first.as_deref().is_none_or(|first| date >= first)
                && last.as_deref().is_none_or(|last| date <= last);
            (is_first_page && is_within).then(|| {
                json!({
                    "activityId": id,
                    "activityName": activity.get("activityName"),
                    "startTimeLocal": start.get(..19).map(|time| time.replace('T', " ")),
                    "activityType": activity.get("activityTypeDTO"),
                    "eventType": {"typeKey": "uncategorized"},
                    "distance": at(activity, "summaryDTO.distance"),
                    "duration": at(activity, "summaryDTO.duration"),
                })
            })
        });
        let id_of = |item: &Value| item.get("activityId").and_then(Value::as_i64).unwrap_or_default();
        let mut list = listed(computed, |item| !self.deleted.contains(&id_of(item)), created);
        for item in list.as_array_mut().into_iter().flatten() {
            if let Some(patch) = self.patches.get(&id_of(item)) {
                for (name, member) in [
                    ("activityName", "activityName"),
                    ("activityType", "activityTypeDTO"),
                    ("eventType", "eventTypeDTO"),
                ] {
                    if let Some(value) = patch.get(member) {
                        merge(item, &json!({name: value}));
                    }
                }
            }
        }
        list
    }

    fn gear_of(&self, id: i64, computed: Option<Value>) -> Value {
        let change = |uuid: &str| self.gear.get(&(id, uuid.to_owned())).copied();
        let has = |uuid: &str| {
            let mut known = computed.iter().filter_map(Value::as_array).flatten();
            known.any(|item| text(item, "uuid") == uuid)
        };
        let added = self
            .gear
            .iter()
            .filter(|((of, uuid), adds)| *of == id && **adds && !has(uuid));
        let added: Vec<Value> = added.map(|((_, uuid), _)| json!({"uuid": uuid})).collect();
        listed(computed, |item| change(text(item, "uuid")) != Some(false), added)
    }
}
