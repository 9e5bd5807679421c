//! `get_activity_timeseries`: an activity over time, as columns.

use serde_json::{Value, json};

use super::{is_run, local_time, metric_named};
use crate::garmin::files;
use crate::tools::call::ToolCall;
use crate::tools::json::rounded;
use crate::tools::recordings::metric::SampleQuantity;
use crate::tools::recordings::series::{MOST_ROWS, rows, usual_interval_s};
use crate::tools::recordings::{Analysis, Window};
use crate::tools::table::AnswerError;

pub(super) const METRICS: &str = "Which, separated by commas: heart_rate, pace (or speed), power, cadence, altitude, grade, grade_adjusted_pace, temperature, distance; empty: heart_rate, pace, power and altitude";

const USUAL: [SampleQuantity; 4] = [
    SampleQuantity::HeartRate,
    SampleQuantity::Speed,
    SampleQuantity::Power,
    SampleQuantity::Altitude,
];
/// At most this many pauses and laps are listed.
const MOST_MARKS: usize = 60;

pub(super) fn read(call: &ToolCall, bytes: &[u8]) -> Result<Value, AnswerError> {
    let metrics = metrics(&call.text("metrics")).map_err(AnswerError::Argument)?;
    let recording = files::read(bytes)?;
    let analysis = Analysis::new(&recording);
    let window = window(&analysis, &call.text("window")).map_err(AnswerError::Argument)?;
    let interval_s = match call.whole("resolution") {
        0 => usual_interval_s(window),
        seconds => seconds as f64,
    };
    let rows = rows(window, interval_s);
    if rows > MOST_ROWS {
        let least = ((window.to_s - window.from_s) / MOST_ROWS as f64).ceil();
        return Err(AnswerError::Argument(format!(
            "resolution {interval_s:.0} would give {rows} values for each metric; at most {MOST_ROWS} fit: give {least:.0} \
             seconds or more, or a shorter window"
        )));
    }
    let columns = analysis.columns(&metrics, window, interval_s, is_run(recording.sport.as_deref()));
    let pauses: Vec<_> = recording
        .pauses
        .iter()
        .filter(|pause| pause.to_s > window.from_s && pause.from_s < window.to_s)
        .take(MOST_MARKS)
        .map(|pause| json!([rounded(pause.from_s, 0), rounded(pause.to_s, 0)]))
        .collect();
    let laps: Vec<_> = recording
        .laps
        .iter()
        .take(MOST_MARKS)
        .map(|lap| rounded(lap.from_s, 0))
        .collect();
    Ok(json!({
        "activity_id": call.whole("activity_id"),
        "sport": recording.sport,
        "start_time": local_time(&recording, 0.0),
        "from_s": rounded(window.from_s, 0),
        "interval_s": interval_s,
        "rows": rows,
        "columns": columns,
        "pauses_s": pauses,
        "lap_starts_s": laps,
        "track": analysis.track(window, interval_s),
        "is_cut": recording.is_cut.then_some(true),
    }))
}

fn metrics(words: &str) -> Result<Vec<SampleQuantity>, String> {
    let mut metrics = Vec::new();
    for word in words.split(',').filter(|word| !word.trim().is_empty()) {
        let metric = metric_named(word)
            .ok_or_else(|| format!("metrics must be among {METRICS}, not {}", word.trim()))?;
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    Ok(if metrics.is_empty() {
        USUAL.to_vec()
    } else {
        metrics
    })
}

/// A part of the activity: `all`, `lap 3`, `km 5-10`, or two times as `10:00-25:30`.
fn window(analysis: &Analysis<'_>, text: &str) -> Result<Window, String> {
    let whole = analysis.whole();
    let text = text.trim().to_lowercase();
    let form = || format!("window must be all, \"lap 3\", \"km 5-10\" or \"10:00-25:30\", not \"{text}\"");
    if text.is_empty() || text == "all" {
        return Ok(whole);
    }
    if let Some(number) = text.strip_prefix("lap") {
        let number: usize = number.trim().parse().map_err(|_| form())?;
        let laps = analysis.laps();
        let lap = number.checked_sub(1).and_then(|index| laps.get(index));
        let lap = lap.ok_or_else(|| {
            format!(
                "window: there is no lap {number}; the activity has {} laps",
                laps.len()
            )
        })?;
        return within(lap.from_s, lap.to_s, whole).ok_or_else(form);
    }
    let is_km = text.starts_with("km");
    let (from, to) = text
        .trim_start_matches("km")
        .split_once(['-', '–'])
        .ok_or_else(form)?;
    if is_km {
        let metres = |text: &str| {
            text.trim()
                .parse::<f64>()
                .map(|km| km * 1_000.0)
                .map_err(|_| form())
        };
        let (from_m, to_m) = (metres(from)?, metres(to)?);
        let reached = |metres: f64| {
            let samples = &analysis.recording.samples;
            samples
                .iter()
                .find(|sample| sample.distance_m.is_some_and(|m| f64::from(m) >= metres))
                .map(|sample| sample.at_s)
        };
        let from_s = reached(from_m)
            .ok_or_else(|| format!("window: the activity does not reach km {}", from.trim()))?;
        return within(from_s, reached(to_m).unwrap_or(whole.to_s), whole).ok_or_else(form);
    }
    let (from_s, to_s) = (clock_s(from).ok_or_else(form)?, clock_s(to).ok_or_else(form)?);
    within(from_s, to_s, whole).ok_or_else(|| {
        format!(
            "window {text} lies outside of the activity, which takes {:.0} s",
            whole.to_s
        )
    })
}

/// The part of a window that lies in the activity; `None` if there is none.
fn within(from_s: f64, to_s: f64, whole: Window) -> Option<Window> {
    let window = Window {
        from_s: from_s.max(0.0),
        to_s: to_s.min(whole.to_s),
    };
    (window.to_s > window.from_s).then_some(window)
}

/// Seconds, `mm:ss` or `h:mm:ss`.
fn clock_s(text: &str) -> Option<f64> {
    let parts: Option<Vec<f64>> = text
        .trim()
        .split(':')
        .map(|part| part.parse::<u32>().ok().map(f64::from))
        .collect();
    let parts = parts.filter(|parts| parts.len() <= 3)?;
    Some(parts.into_iter().fold(0.0, |sum, part| sum * 60.0 + part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_and_times_are_understood_as_people_write_them() {
        assert_eq!(
            metrics("HR, pace,power_w, grade-adjusted pace, heart_rate"),
            Ok(vec![
                SampleQuantity::HeartRate,
                SampleQuantity::Speed,
                SampleQuantity::Power,
                SampleQuantity::GradeAdjustedSpeed
            ])
        );
        assert_eq!(metrics(" "), Ok(USUAL.to_vec()));
        assert!(metrics("hr, mood").unwrap_err().contains("not mood"));
        assert_eq!(clock_s("90"), Some(90.0));
        assert_eq!(clock_s("1:02:03"), Some(3_723.0));
        for wrong in ["", "x", "1:2:3:4", "-5"] {
            assert_eq!(clock_s(wrong), None, "{wrong}");
        }
    }
}
