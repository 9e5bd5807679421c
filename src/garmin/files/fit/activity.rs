//! Collects the messages of an activity into a recording.

use super::super::error::{FileError, MOST_SAMPLES};
use super::super::recording::{Pause, RecordedLap, RecordedSession, Recording, Sample, narrow};
use super::numbers::{TIMESTAMP, message};
use super::profile;
use super::wire::{FitMessage, messages};
use crate::garmin::livetrack::Position;

/// Reads an activity. A damaged file yields the part before the damage.
pub fn recording(bytes: &[u8]) -> Result<Recording, FileError> {
    let records = messages(bytes)
        .map_while(Result::ok)
        .filter(|found| found.number == message::RECORD);
    let mut samples = Vec::with_capacity(records.count().min(MOST_SAMPLES));
    let (mut pauses, mut laps, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    let mut stopped_s = None;
    let mut utc_offset_s = None;
    let mut is_cut = false;
    for found in messages(bytes) {
        let Ok(found) = found else {
            is_cut = true;
            break;
        };
        match found.number {
            message::RECORD if samples.len() < MOST_SAMPLES => samples.extend(sample(&found)),
            message::EVENT => match timer(&found) {
                Some((at_s, true)) => {
                    let stopped_s = stopped_s.take().filter(|_| pauses.len() < MOST_SAMPLES);
                    pauses.extend(stopped_s.map(|from_s| Pause { from_s, to_s: at_s }));
                }
                // A second stop does not begin a new pause.
                Some((at_s, false)) => stopped_s = stopped_s.or(Some(at_s)),
                None => {}
            },
            message::LAP if laps.len() < MOST_SAMPLES => laps.extend(lap(&found)),
            message::ACTIVITY => utc_offset_s = utc_offset(&found),
            message::SESSION if sessions.len() < MOST_SAMPLES => sessions.push(session(&found)),
            _ => {}
        }
    }
    if samples.is_empty() && is_cut {
        return Err(FileError::Damaged);
    }
    // Watches do not write the sessions in chronological order.
    let begin_s = |times: Option<(f64, f64)>| times.map_or(f64::INFINITY, |(from_s, _)| from_s);
    sessions.sort_by(|(_, a), (_, b)| begin_s(*a).total_cmp(&begin_s(*b)));
    let sport = sessions.iter().find_map(|(sport, _)| sport.clone());
    let recording = Recording::of(samples, pauses, laps, sport, is_cut)?;
    let sessions = sessions.into_iter().filter_map(|(sport, times)| {
        let (from_s, to_s) = times?;
        Some(RecordedSession { sport, from_s, to_s })
    });
    Ok(Recording {
        utc_offset_s,
        ..recording.with_sessions(sessions.collect())
    })
}

/// The device's local time against UTC, in whole quarters of an hour.
fn utc_offset(activity: &FitMessage<'_>) -> Option<i32> {
    const QUARTER_S: f64 = 900.0;
    let quarters = ((activity.time_of(5)? - activity.time_s()?) / QUARTER_S).round();
    // From UTC-12 to UTC+14.
    (-48..=56)
        .find(|known| (f64::from(*known) - quarters).abs() < 0.5)
        .map(|quarters| quarters * 900)
}

/// The sport of a session, and when it began and ended.
fn session(session: &FitMessage<'_>) -> (Option<String>, Option<(f64, f64)>) {
    let sport = session
        .number(5)
        .and_then(|sport| profile::value_name("sport", sport))
        .map(str::to_owned);
    let times = || {
        let from_s = session.time_of(2)?;
        let elapsed_s = session.number(7).map(|ms| ms / 1_000.0);
        let to_s = elapsed_s.map_or_else(|| session.time_s(), |elapsed_s| Some(from_s + elapsed_s))?;
        Some((from_s, to_s))
    };
    (sport, times())
}

fn sample(record: &FitMessage<'_>) -> Option<Sample> {
    let mut sample = Sample {
        at_s: record.time_s()?,
        ..Sample::default()
    };
    let (mut lat, mut lon) = (None, None);
    let (mut altitude, mut speed, mut fraction) = (None, None, 0.0);
    for field in record.fields().filter(|field| field.number != TIMESTAMP) {
        let Some(raw) = field.number() else { continue };
        match field.number {
            0 => lat = Some(degrees(raw)),
            1 => lon = Some(degrees(raw)),
            2 => altitude = altitude.or(Some(raw / 5.0 - 500.0)),
            3 => sample.heart_rate_bpm = Some(narrow(raw)).filter(|bpm| *bpm > 0.0),
            4 => sample.cadence_rpm = Some(narrow(raw)),
            5 => sample.distance_m = Some(narrow(raw / 100.0)),
            6 => speed = speed.or(Some(raw / 1_000.0)),
            7 => sample.power_w = Some(narrow(raw)),
            13 => sample.temperature_c = Some(narrow(raw)),
            53 => fraction = raw / 128.0,
            // The enhanced fields have a wider range than the plain ones beside them.
            73 => speed = Some(raw / 1_000.0),
            78 => altitude = Some(raw / 5.0 - 500.0),
            _ => {}
        }
    }
    sample.cadence_rpm = sample.cadence_rpm.map(|cadence| cadence + narrow(fraction));
    sample.altitude_m = altitude.map(narrow);
    sample.speed_mps = speed.map(narrow);
    sample.position = lat
        .zip(lon)
        .filter(|(lat, lon)| lat.abs() <= 90.0 && (*lat, *lon) != (0.0, 0.0))
        .map(|(lat, lon)| Position { lat, lon });
    Some(sample)
}

/// FIT counts a half circle as 2^31.
fn degrees(semicircles: f64) -> f64 {
    semicircles * 180.0 / 2_147_483_648.0
}

/// The time of a timer event, and whether it started the timer (`true`) or stopped it.
fn timer(event: &FitMessage<'_>) -> Option<(f64, bool)> {
    let kind = |field| event.number(field).and_then(whole);
    if kind(0) != Some(0) {
        return None;
    }
    match kind(1)? {
        0 => Some((event.time_s()?, true)),
        1 | 4 | 8 | 9 => Some((event.time_s()?, false)),
        _ => None,
    }
}

fn whole(value: f64) -> Option<u32> {
    (0..=255).find(|number| (f64::from(*number) - value).abs() < f64::EPSILON)
}

fn lap(lap: &FitMessage<'_>) -> Option<RecordedLap> {
    let from_s = lap.time_of(2)?;
    let elapsed_s = lap.number(7).map(|ms| ms / 1_000.0);
    let to_s = elapsed_s.map_or_else(|| lap.time_s(), |elapsed_s| Some(from_s + elapsed_s))?;
    Some(RecordedLap {
        from_s,
        to_s,
        timer_s: lap.number(8).map(|ms| ms / 1_000.0),
        distance_m: lap.number(9).map(|cm| cm / 100.0),
        ascent_m: lap.number(21),
        descent_m: lap.number(22),
        calories: lap.number(11),
    })
}
