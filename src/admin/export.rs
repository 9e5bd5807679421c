//! Export of a person's own data: everything as JSON, or the points of one race as GPX or CSV.
//!
//! An export contains no token, secret or LiveTrack link.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api::{AdminRefusal, ExportForm, StreamSummary};
use super::service::AdminService;
use super::stream::StreamSink;
use crate::accounts::AccountId;
use crate::gateway::usage;
use crate::race::gpx::{GPX_END, gpx_point, gpx_start};
use crate::race::id::RaceId;
use crate::race::track::TrackSample;

/// Approximate size of a part in bytes.
const PART_BYTES: usize = 64 * 1024;

/// Collects text and sends it in parts.
struct TextStream<'a> {
    sink: &'a StreamSink,
    text: String,
}

impl TextStream<'_> {
    fn put(&mut self, text: &str) -> Result<(), AdminRefusal> {
        self.text.push_str(text);
        if self.text.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AdminRefusal> {
        self.sink.send(std::mem::take(&mut self.text).into_bytes())
    }
}

impl AdminService {
    /// Exports everything stored about a person, or the points of one of their races.
    pub(super) fn export(
        &self,
        account: &str,
        race: Option<&str>,
        form: ExportForm,
        sink: &StreamSink,
    ) -> Result<StreamSummary, AdminRefusal> {
        let account = self.account(account)?;
        let race = race.map(|race| self.race_of(race)).transpose()?;
        if race.as_ref().is_some_and(|(owner, _)| *owner != account) {
            return Err(AdminRefusal::NotFound(
                "this account has no such race; `races` lists them".into(),
            ));
        }
        let mut text = TextStream {
            sink,
            text: String::new(),
        };
        let records = match (form, race) {
            (ExportForm::Json, race) => self.json(&account, race.map(|(_, id)| id), &mut text)?,
            (ExportForm::Gpx, Some((_, id))) => self.gpx(&account, &id, &mut text)?,
            (ExportForm::Csv, Some((_, id))) => self.csv(&account, &id, &mut text)?,
            (ExportForm::Gpx | ExportForm::Csv, None) => {
                return Err(AdminRefusal::Invalid(
                    "GPX and CSV hold one race: name it with --race".into(),
                ));
            }
        };
        text.flush()?;
        Ok(StreamSummary {
            at: self.clock.now(),
            records,
        })
    }

    fn points(&self, account: &AccountId, race: &RaceId) -> Result<Vec<TrackSample>, AdminRefusal> {
        let races = &self.rooms.races;
        Ok(races.samples(account, race, Timestamp::UNIX_EPOCH, Timestamp::MAX)?)
    }

    /// Writes one JSON object with one point per line. Returns the number of points.
    fn json(
        &self,
        account: &AccountId,
        only: Option<RaceId>,
        text: &mut TextStream<'_>,
    ) -> Result<u64, AdminRefusal> {
        let rooms = &self.rooms;
        let missing = || AdminRefusal::NotFound("the account is gone".into());
        let person = rooms.accounts.find(account)?.ok_or_else(missing)?;
        let choices = rooms.accounts.choices(account)?;
        let families = rooms.oauth.families()?.into_iter();
        let sign_ins: Vec<Value> = families
            .filter(|family| family.account == *account)
            .map(|family| {
                json!({
                    "client": family.client_name,
                    "signed_in_at": family.created_at,
                    "last_used_at": family.last_used_at,
                    "ends_at": family.expires_at,
                })
            })
            .collect();
        let used: Vec<Value> = usage::used(&rooms.store, account)?
            .into_iter()
            .map(|line| {
                json!({
                    "day": line.day.to_string(),
                    "tool": line.tool,
                    "calls": line.usage.calls,
                    "errors": line.usage.errors,
                })
            })
            .collect();
        let given = rooms.accounts.grants_given(account)?.into_iter().map(|one| {
            json!({"to": one.to_email, "groups": one.groups, "until": one.until, "as": one.name, "given_at": one.given_at})
        });
        let held = rooms.accounts.grants_held(account)?.into_iter().map(|one| {
            let grant = one.grant;
            json!({"of": grant.name, "groups": grant.groups, "ends_at": grant.ends_at, "given_at": grant.given_at})
        });
        let head = json!({
            "exported_at": self.clock.now(),
            "account": {
                "id": person.id.to_string(),
                "garmin_profile_id": person.profile_id,
                "email": person.email,
                "name": person.full_name,
                "linked_at": person.linked_at,
            },
            "choices": {
                "time_zone": choices.time_zone,
                "tools": choices.tools.map(|tools| tools.to_string()),
                "mail_addresses": choices.mail_addresses,
            },
            "grants": {"given": given.collect::<Value>(), "held": held.collect::<Value>()},
            "sign_ins": sign_ins,
            "usage": used,
        });
        text.put(&open_object(&head))?;
        text.put(",\n\"races\":[")?;
        let exports_all = only.is_none();
        let ids = match only {
            Some(id) => vec![id],
            None => rooms
                .races
                .list(account)?
                .into_iter()
                .map(|view| view.snapshot.race)
                .collect(),
        };
        let mut n_points = 0;
        for (number, id) in ids.iter().enumerate() {
            text.put(if number == 0 { "\n" } else { ",\n" })?;
            text.put(&open_object(&self.race_head(id)?))?;
            text.put(",\n\"points\":[")?;
            for (number, sample) in self.points(account, id)?.iter().enumerate() {
                text.put(if number == 0 { "\n" } else { ",\n" })?;
                text.put(&point(sample).to_string())?;
                n_points += 1;
            }
            text.put("]}")?;
        }
        text.put("]")?;
        if exports_all {
            n_points += self.history(account, text)?;
            if let Some(coach) = self.rooms.advice.export(account)? {
                text.put(",\n\"coach\":")?;
                text.put(&coach.to_string())?;
            }
        }
        text.put("}\n")?;
        Ok(n_points)
    }

    /// Writes the kept days of a person who keeps a history, one document of Garmin per line. Returns their number.
    fn history(&self, account: &AccountId, text: &mut TextStream<'_>) -> Result<u64, AdminRefusal> {
        let mut documents = Vec::new();
        let export = |kind, document| documents.push(json!({"kind": kind, "document": document}));
        let Some(kept) = self.rooms.history.export(account, export)? else {
            return Ok(0);
        };
        let head = json!({"since": kept.since, "time_zone": kept.zone});
        text.put(",\n\"history\":")?;
        text.put(&open_object(&head))?;
        text.put(",\n\"days\":[")?;
        for (number, document) in documents.iter().enumerate() {
            text.put(if number == 0 { "\n" } else { ",\n" })?;
            text.put(&document.to_string())?;
        }
        text.put("]}")?;
        Ok(documents.len() as u64)
    }

    /// The data of a race without its points.
    fn race_head(&self, id: &RaceId) -> Result<Value, AdminRefusal> {
        let detail = self.race(id.as_str())?;
        let alerts = detail.alerts.iter();
        Ok(json!({
            "id": detail.race.id,
            "name": detail.race.name,
            "state": detail.race.state,
            "started_at": detail.race.started_at,
            "last_point_at": detail.race.last_point_at,
            "distance_m": detail.race.distance_m,
            "limits": detail.limits,
            "splits": detail.splits.iter().map(|(label, s)| json!({ "to": label, "duration_s": s })).collect::<Vec<_>>(),
            "alerts": alerts.map(|(at, text)| json!({ "at": at, "text": text })).collect::<Vec<_>>(),
            "course": detail.course,
            "last_words": detail.last_words,
            "recipients": detail.recipients,
            "own_fades": self.own_fades(id)?,
            "shares": self.shares(id.as_str())?,
        }))
    }

    /// What the athlete's past activities showed for the outlook of a race.
    fn own_fades(&self, id: &RaceId) -> Result<Value, AdminRefusal> {
        let races = &self.rooms.races;
        let view = match races.owner(id)? {
            Some(account) => races.view(&account, id)?,
            None => None,
        };
        let fades = view.and_then(|view| view.snapshot.watch.own_fades);
        Ok(fades.map_or(Value::Null, |fades| json!(fades)))
    }

    fn gpx(&self, account: &AccountId, id: &RaceId, text: &mut TextStream<'_>) -> Result<u64, AdminRefusal> {
        let name = self.race(id.as_str())?.race.name;
        text.put(&gpx_start(name.as_str()))?;
        let mut n_points = 0;
        for line in self.points(account, id)?.iter().filter_map(gpx_point) {
            text.put(&line)?;
            n_points += 1;
        }
        text.put(GPX_END)?;
        Ok(n_points)
    }

    /// Writes a header and one line per point. A value that the device did not send is empty.
    fn csv(&self, account: &AccountId, id: &RaceId, text: &mut TextStream<'_>) -> Result<u64, AdminRefusal> {
        text.put(concat!(
            "at,lat,lon,altitude_m,speed_mps,distance_m,total_distance_m,duration_s,total_duration_s,",
            "heart_rate_bpm,cadence_rpm,power_w,activity_type\n"
        ))?;
        let points = self.points(account, id)?;
        for TrackSample { point, .. } in &points {
            let or_empty = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
            let cells = [
                point.at.to_string(),
                or_empty(point.position.map(|place| place.lat)),
                or_empty(point.position.map(|place| place.lon)),
                or_empty(point.altitude_m),
                or_empty(point.speed_mps),
                or_empty(point.distance_m),
                or_empty(point.total_distance_m),
                or_empty(point.duration_s),
                or_empty(point.total_duration_s),
                or_empty(point.heart_rate_bpm.map(f64::from)),
                or_empty(point.cadence_rpm.map(f64::from)),
                or_empty(point.power_w.map(f64::from)),
                cell(point.activity_type.as_deref().unwrap_or_default()),
            ];
            text.put(&cells.join(","))?;
            text.put("\n")?;
        }
        Ok(points.len() as u64)
    }
}

/// An object without its closing brace, so that more members can follow.
fn open_object(object: &Value) -> String {
    let mut text = object.to_string();
    text.pop();
    text
}

/// Untrusted text reduced to letters, digits and a few signs, so that no spreadsheet interprets it as a formula.
fn cell(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || "_ .".contains(*c))
        .collect()
}

/// A point as JSON. A value that the device did not send is absent.
fn point(sample: &TrackSample) -> Value {
    let point = &sample.point;
    let members = [
        ("at", json!(point.at)),
        ("reported_at", json!(point.reported_at)),
        ("seen_at", json!(sample.seen_at)),
        ("lat", json!(point.position.map(|place| place.lat))),
        ("lon", json!(point.position.map(|place| place.lon))),
        ("altitude_m", json!(point.altitude_m)),
        ("speed_mps", json!(point.speed_mps)),
        ("distance_m", json!(point.distance_m)),
        ("total_distance_m", json!(point.total_distance_m)),
        ("duration_s", json!(point.duration_s)),
        ("total_duration_s", json!(point.total_duration_s)),
        ("heart_rate_bpm", json!(point.heart_rate_bpm)),
        ("cadence_rpm", json!(point.cadence_rpm)),
        ("power_w", json!(point.power_w)),
        ("activity_type", json!(point.activity_type)),
    ];
    let known = members.into_iter().filter(|(_, value)| !value.is_null());
    let mut json: Map<String, Value> = known.map(|(name, value)| (name.to_owned(), value)).collect();
    if !point.events.is_empty() {
        json.insert("events".into(), json!(point.events));
    }
    if !point.other.is_empty() {
        json.insert("other".into(), Value::Object(point.other.clone()));
    }
    Value::Object(json)
}
