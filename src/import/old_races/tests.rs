use std::fs;

use rusqlite::Connection;

use super::*;
use crate::race::sport::RaceKind;

const LINK: &str = "https://livetrack.garmin.com/session/d0b8f1d6-5a6c-4a4e-9f6b-3c2d1e0f9a8b/token/ABCDEF0123456789ABCDEF0123456789";

fn hosts() -> GarminHosts {
    GarminHosts::at(&"https://livetrack.garmin.com".parse().unwrap())
}

/// Creates a database with these statements, and reads it.
fn read(sql: &str) -> Result<OldRaces, ImportError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("livetrack.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    OldRaces::read(&path, &hosts())
}

/// An hour of points, one per minute from this second on.
fn an_hour(table: &str, columns: &str, values: &str, from_s: i64) -> String {
    format!(
        "INSERT INTO {table} ({columns}) WITH RECURSIVE minute(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM minute WHERE \
         n < 59) SELECT {} FROM minute;",
        values.replace("TIME", &format!("{from_s} + 60 * n"))
    )
}

const MORNING: i64 = 1_783_242_000;

#[test]
fn sessions_with_their_link_and_settings_become_races() {
    let races = read(&format!(
        r#"CREATE TABLE sessions (session_id TEXT PRIMARY KEY, url TEXT, race_config TEXT, started_at REAL);
           CREATE TABLE trackpoints (id INTEGER PRIMARY KEY, session_id TEXT, ts REAL, lat REAL, lon REAL, speed REAL,
               distance REAL, hr INTEGER, power INTEGER, cadence INTEGER, temperature REAL);
           CREATE TABLE analyses (ts REAL, said TEXT);
           INSERT INTO analyses VALUES (1, 'well done');
           INSERT INTO sessions VALUES ('b', 'no link', '{{"race_name": "Evening ride", "hr_max": "high"}}', 0),
               ('a', '{LINK}', '{{"race_name": "CT2026", "race_type": "triathlon", "hr_max": 144}}', 0);
           INSERT INTO trackpoints (session_id, ts, hr) VALUES ('a', 'yesterday', 140);
           {}{}"#,
        an_hour("trackpoints", "session_id, ts, speed", "'b', TIME, 8.5", MORNING + 36_000),
        an_hour(
            "trackpoints",
            "session_id, ts, lat, lon, speed, distance, hr, temperature",
            "'a', TIME, 48.0 + n * 0.001, 11.0, 3.1, 186.0 * n, 140, 21.5",
            MORNING
        ),
    ))
    .unwrap();
    assert_eq!((races.table.as_str(), races.n_unreadable), ("trackpoints", 1));
    assert_eq!(races.left_tables, ["analyses", "sessions"]);
    let [first, second] = races.races.as_slice() else {
        panic!("{races:?}")
    };
    assert_eq!(first.past.settings.name.as_deref(), Some("CT2026"));
    assert_eq!(first.past.settings.kind, RaceKind::Triathlon);
    assert!(
        first
            .past
            .link
            .as_ref()
            .is_some_and(|link| link.session_id.starts_with("d0b8f1d6"))
    );
    assert_eq!((first.past.points.len(), &first.bad_config), (60, &None));
    let last = first.past.points.last().unwrap();
    assert_eq!(
        (last.distance_m, last.heart_rate_bpm),
        (Some(10_974.0), Some(140))
    );
    // What means nothing here is kept.
    assert_eq!(last.other.get("temperature"), Some(&json!(21.5)));
    assert_eq!(last.other.len(), 1);
    // Settings that do not fit are left out, but for the name.
    assert_eq!(second.past.settings.name.as_deref(), Some("Evening ride"));
    assert!(
        second
            .bad_config
            .as_ref()
            .is_some_and(|why| why.contains("hr_max"))
    );
    assert!(second.past.link.is_none());
}

#[test]
fn points_without_a_session_are_split_at_long_pauses() {
    let table = "CREATE TABLE points (timestamp TEXT, heart_rate INTEGER);";
    let hour = |from_s| {
        let values = "strftime('%Y-%m-%dT%H:%M:%S+00:00', TIME, 'unixepoch'), 120";
        an_hour("points", "timestamp, heart_rate", values, from_s)
    };
    let races = read(
        &[
            table,
            &hour(MORNING + 86_400),
            &hour(MORNING),
            &hour(MORNING + 7_200),
        ]
        .concat(),
    )
    .unwrap();
    let lengths: Vec<usize> = races.races.iter().map(|race| race.past.points.len()).collect();
    assert_eq!(lengths, [120, 60]);
}

#[test]
fn points_as_garmin_sent_them_are_read_whole() {
    let races = read(&format!(
        r#"CREATE TABLE data (recorded_at INTEGER, hr INTEGER, raw TEXT);
           CREATE TABLE tracking (session TEXT, token TEXT, name TEXT);
           INSERT INTO tracking VALUES ('d0b8f1d6-5a6c-4a4e-9f6b-3c2d1e0f9a8b', 'ABCDEF0123456789ABCDEF0123456789', 'Ann');
           INSERT INTO data VALUES ({MORNING}000, 141, '{{"dateTime": "2026-07-05T09:00:00.000Z", "powerWatts": 210,
               "position": {{"lat": 48.1, "lon": 11.5}}}}');"#
    ))
    .unwrap();
    let past = &races.races[0].past;
    assert_eq!(past.settings.name.as_deref(), Some("Ann"));
    assert!(past.link.is_some());
    let point = &past.points[0];
    assert_eq!((point.heart_rate_bpm, point.power_w), (Some(141), Some(210)));
    assert!(point.position.is_some());
}

#[test]
fn what_holds_no_points_says_so() {
    let told = |read: Result<OldRaces, ImportError>| read.unwrap_err().to_string();
    let alerts = "CREATE TABLE alerts (ts REAL, said TEXT); INSERT INTO alerts VALUES (1, 'x');";
    for sql in ["", alerts] {
        assert!(told(read(sql)).contains("has no table of track points"));
    }
    assert!(
        read("CREATE TABLE points (ts REAL, hr INTEGER);")
            .unwrap()
            .races
            .is_empty()
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("livetrack.db");
    fs::write(&path, "Dear Ada, this is a letter and not a database.").unwrap();
    assert!(told(OldRaces::read(&path, &hosts())).contains("not a SQLite database"));
    assert!(told(OldRaces::read(&dir.path().join("none.db"), &hosts())).contains("can't be read"));
}
