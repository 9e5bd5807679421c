//! The races of livetrack-mcp, from a database whose layout is not published.
//!
//! The table of points is recognised by its columns ([`members`](super::members)). A column of that table may name the
//! session; without one, a long pause separates two races. Any other table may have the session's LiveTrack link and
//! its `race_config`. Columns that mean nothing here stay with their points.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};

use super::database::AnyTable;
use super::error::ImportError;
use super::files::is_open_elsewhere;
use super::members::{PointMember, add, are_of_points, bare, members};
use crate::config::GarminHosts;
use crate::garmin::livetrack::{LiveTrackLink, PastedLink, Trackpoint, find};
use crate::race::plan::RacePlan;
use crate::races::PastRace;

/// A pause of this length separates two races if no column does.
const PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// Columns that name the session of a point, without separators.
const SESSION: [&str; 8] = [
    "sessionid",
    "session",
    "raceid",
    "trackingid",
    "trackid",
    "sessionuuid",
    "livetrackid",
    "runid",
];

/// A database of livetrack-mcp.
#[derive(Debug)]
pub struct OldRaces {
    pub database: PathBuf,
    /// The name of the table that has the points.
    pub table: String,
    /// In order of time.
    pub races: Vec<OldRace>,
    /// Rows of that table without a plausible time.
    pub n_unreadable: usize,
    /// Other tables that have rows.
    pub left_tables: Vec<String>,
}

/// A race, and what of it can't be taken.
#[derive(Debug)]
pub struct OldRace {
    pub past: PastRace,
    /// Why its `race_config` is left out, if it is.
    pub bad_config: Option<String>,
}

/// The points of one session.
struct Session {
    /// What the column of the session says; `None` without such a column.
    key: Option<String>,
    points: Vec<Trackpoint>,
}

impl OldRaces {
    pub fn read(database: &Path, hosts: &GarminHosts) -> Result<Self, ImportError> {
        if is_open_elsewhere(database)? {
            return Err(ImportError::LiveTrackRunning(database.to_owned()));
        }
        Self::recognise(database, &AnyTable::read_all(database)?, hosts)
    }

    fn recognise(database: &Path, tables: &[AnyTable], hosts: &GarminHosts) -> Result<Self, ImportError> {
        let is_of_points = |table: &&AnyTable| are_of_points(&members(&table.columns));
        let Some(points) = tables
            .iter()
            .filter(is_of_points)
            .max_by_key(|table| table.rows.len())
        else {
            return Err(ImportError::NoPoints(database.to_owned()));
        };
        let (sessions, n_unreadable) = sessions(points);
        let others: Vec<&AnyTable> = tables
            .iter()
            .filter(|table| table.name != points.name && !table.rows.is_empty())
            .collect();
        let is_only = sessions.len() == 1;
        let mut races: Vec<OldRace> = sessions
            .into_iter()
            .map(|session| described(session, is_only, points, &others, hosts))
            .collect();
        races.sort_by_key(|race| race.past.began_at());
        Ok(Self {
            database: database.to_owned(),
            table: points.name.clone(),
            races,
            n_unreadable,
            left_tables: others.iter().map(|table| table.name.clone()).collect(),
        })
    }
}

/// The points by session, and how many rows have no plausible time.
fn sessions(table: &AnyTable) -> (Vec<Session>, usize) {
    let members = members(&table.columns);
    let key_at = session_column(table);
    let mut sessions: Vec<Session> = Vec::new();
    let mut n_unreadable = 0;
    for row in &table.rows {
        let Some(point) = point(table, &members, key_at, row) else {
            n_unreadable += 1;
            continue;
        };
        let key = key_at.and_then(|at| row.get(at)).map(words);
        match sessions.iter_mut().find(|session| session.key == key) {
            Some(session) => session.points.push(point),
            None => sessions.push(Session {
                key,
                points: vec![point],
            }),
        }
    }
    for session in &mut sessions {
        session.points.sort_by_key(|point| point.at);
    }
    if key_at.is_none() {
        sessions = sessions.into_iter().flat_map(split_at_pauses).collect();
    }
    (sessions, n_unreadable)
}

fn session_column(table: &AnyTable) -> Option<usize> {
    table
        .columns
        .iter()
        .position(|column| SESSION.contains(&&*bare(column)))
}

/// A row as a point; `None` without a plausible time.
fn point(
    table: &AnyTable,
    members: &[Option<PointMember>],
    key_at: Option<usize>,
    row: &[Cell],
) -> Option<Trackpoint> {
    let (mut known, mut whole) = (Map::new(), None);
    for (at, ((column, member), cell)) in table.columns.iter().zip(members).zip(row).enumerate() {
        let value = json_of(cell);
        if value.is_null() || key_at == Some(at) || bare(column) == "id" {
            continue;
        }
        match (member, value) {
            (Some(member), value) => add(&mut known, *member, value),
            // The point as Garmin sent it.
            (None, value @ Value::Object(_)) if value.get("dateTime").is_some() => whole = Some(value),
            (None, value) => {
                known.insert(column.clone(), value);
            }
        }
    }
    let whole = whole.as_ref().and_then(Trackpoint::read);
    match (Trackpoint::read(&known.into()), whole) {
        (Some(mut point), Some(whole)) => {
            point.absorb(whole);
            Some(point)
        }
        (point, whole) => point.or(whole),
    }
}

fn split_at_pauses(session: Session) -> Vec<Session> {
    let mut parts: Vec<Session> = Vec::new();
    for point in session.points {
        let last = parts.last().and_then(|part| part.points.last());
        let goes_on = last.is_some_and(|last| point.at.duration_since(last.at) < PAUSE);
        match parts.last_mut().filter(|_| goes_on) {
            Some(part) => part.points.push(point),
            None => parts.push(Session {
                key: None,
                points: vec![point],
            }),
        }
    }
    parts
}

/// Adds what the tables say about a session. A row is the session's if one of its cells is the session's key, or if
/// there is only this session.
fn described(
    session: Session,
    is_only: bool,
    points: &AnyTable,
    others: &[&AnyTable],
    hosts: &GarminHosts,
) -> OldRace {
    let is_of_session = |row: &[Cell]| match &session.key {
        Some(key) => row.iter().any(|cell| words(cell) == *key),
        None => is_only,
    };
    let mut link = None;
    let mut config = Map::new();
    let own_rows = points
        .rows
        .iter()
        .filter(|row| session.key.is_some() && is_of_session(row))
        .take(1);
    let rows = others
        .iter()
        .flat_map(|table| table.rows.iter().map(move |row| (*table, row)))
        .filter(|(_, row)| is_of_session(row))
        .chain(own_rows.map(|row| (points, row)));
    for (table, row) in rows {
        link = link.or_else(|| link_in(table, row, hosts));
        config_in(table, row, &mut config);
    }
    let (settings, bad_config) = match RacePlan::read(&config) {
        Ok((settings, _)) => (settings, None),
        Err(bad) => {
            config.retain(|field, _| field == "race_name");
            let settings = RacePlan::read(&config).map(|(settings, _)| settings);
            (settings.unwrap_or_default(), Some(bad.to_string()))
        }
    };
    OldRace {
        past: PastRace {
            settings,
            link,
            points: session.points,
        },
        bad_config,
    }
}

/// The LiveTrack link in a row: as text, or as a session id and a token.
fn link_in(table: &AnyTable, row: &[Cell], hosts: &GarminHosts) -> Option<LiveTrackLink> {
    let as_text = row.iter().find_map(|cell| match cell {
        Cell::Text(text) => match find(text, hosts) {
            Ok(PastedLink::Complete(link)) => Some(link),
            _ => None,
        },
        _ => None,
    });
    as_text.or_else(|| {
        let token = cell_of(table, row, &["token", "sessiontoken"])?;
        row.iter()
            .find_map(|cell| LiveTrackLink::new(&words(cell), &token))
    })
}

/// The fields of `race_config` in a row: as a JSON object, or as columns for its name and type.
fn config_in(table: &AnyTable, row: &[Cell], config: &mut Map<String, Value>) {
    for (column, names) in [
        ("race_name", ["racename", "name", "title"].as_slice()),
        ("race_type", &["racetype"]),
    ] {
        if let Some(text) = cell_of(table, row, names).filter(|text| !text.is_empty()) {
            config.entry(column).or_insert(json!(text));
        }
    }
    let given = cell_of(table, row, &["raceconfig", "config", "settings", "thresholds"]);
    if let Some(Value::Object(given)) = given.and_then(|text| serde_json::from_str(&text).ok()) {
        config.extend(given.into_iter().filter(|(_, value)| !value.is_null()));
    }
}

fn cell_of(table: &AnyTable, row: &[Cell], names: &[&str]) -> Option<String> {
    let at = table
        .columns
        .iter()
        .position(|column| names.contains(&&*bare(column)))?;
    row.get(at).map(words)
}

fn words(cell: &Cell) -> String {
    match cell {
        Cell::Null | Cell::Blob(_) => String::new(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// Text that holds a JSON object or list becomes that. A blob is no value of a point.
fn json_of(cell: &Cell) -> Value {
    match cell {
        Cell::Null | Cell::Blob(_) => Value::Null,
        Cell::Integer(number) => json!(number),
        Cell::Real(number) => json!(number),
        Cell::Text(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| json!(text))
        }
        Cell::Text(text) => json!(text),
    }
}

#[cfg(test)]
mod tests;
