//! `races rehearse`: plays recordings through the watch of a race, without Garmin and without a gateway.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::exit::UsageError;
use super::output::{note, say};
use super::table::TextTable;
use crate::console::words::many;
use crate::garmin::files::{self, MOST_BYTES};
use crate::race::course::{BadCourse, CourseFile};
use crate::race::rehearsal::{RaceRehearsal, RehearsalSummary, RehearsedPoll, playing_speed, rehearse};
use crate::race::text;

#[derive(Args)]
pub(super) struct RehearseArgs {
    /// FIT, GPX or TCX files, also zipped. `export --race ID --as gpx` writes a stored race as GPX
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The course of the race: its elevations improve the outlook, and its waypoints become checkpoints
    #[arg(long, value_name = "GPX")]
    course: Option<PathBuf>,
    /// Print the alerts as they come, this many times faster than the race [default: print no alerts]
    #[arg(long, value_name = "N", value_parser = playing_speed, allow_negative_numbers = true)]
    speed: Option<f64>,
}

pub(super) fn run(args: &RehearseArgs, json: bool) -> anyhow::Result<()> {
    let course = args.course.as_deref().map(read_course).transpose()?;
    let (mut played, mut damaged) = (Vec::new(), Vec::new());
    for path in &args.files {
        match play(path, course.as_deref(), args.speed.filter(|_| !json)) {
            Ok((rehearsal, damaged_after_s)) => {
                if let Some(seconds) = damaged_after_s {
                    let after = text::time(seconds);
                    note(&format!(
                        "{}: the file is damaged or too long after {after}; only the part before that was played",
                        path.display()
                    ));
                }
                damaged.push(damaged_after_s);
                played.push((path, rehearsal));
            }
            Err(why) => note(&format!("{}: {why}", path.display())),
        }
    }
    if played.is_empty() {
        let what = if course.is_some() {
            "no file could be played; give FIT, GPX or TCX files of a race on this course"
        } else {
            "no file could be played; give FIT, GPX or TCX files"
        };
        anyhow::bail!(UsageError(what.into()));
    }
    let rehearsals: Vec<RaceRehearsal> = played.iter().map(|(_, rehearsal)| rehearsal.clone()).collect();
    let summary = RehearsalSummary::of(&rehearsals);
    if json {
        let files: Vec<_> = played
            .iter()
            .zip(damaged)
            .map(|((path, rehearsal), damaged_after_s)| {
                serde_json::json!({
                    "file": path.display().to_string(),
                    "rehearsal": rehearsal,
                    "damaged_after_s": damaged_after_s,
                })
            })
            .collect();
        say(&serde_json::json!({"files": files, "summary": summary}).to_string());
        return Ok(());
    }
    for line in table(&played).lines(None, false) {
        say(&line);
    }
    for (path, rehearsal) in &played {
        for line in stages(rehearsal) {
            say(&format!("{}: {line}", file_name(path)));
        }
    }
    say("");
    for line in summary_lines(&summary) {
        say(&line);
    }
    Ok(())
}

/// Reads a course, and checks that it is one.
fn read_course(path: &Path) -> Result<String, UsageError> {
    let shown = path.display();
    let bytes =
        std::fs::read(path).map_err(|e| UsageError(format!("the course {shown} can't be read: {e}")))?;
    let text = files::text::decode(&bytes).ok_or_else(|| {
        UsageError(format!(
            "the course {shown} can't be read: {}",
            files::FileError::Characters
        ))
    })?;
    let problem = |problem: BadCourse| {
        let problem = problem.to_string();
        let problem = problem
            .strip_prefix("course_gpx: ")
            .unwrap_or(&problem)
            .to_owned();
        UsageError(format!("the course {shown} can't be used: {problem}"))
    };
    CourseFile::read(&text, None, 0.0).map_err(problem)?;
    Ok(text.into_owned())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The legs and the checkpoints of one recording, one per line.
fn stages(rehearsal: &RaceRehearsal) -> Vec<String> {
    let legs = rehearsal.legs.iter().map(|leg| {
        let found = match (leg.found_sport, leg.found_s) {
            (Some(sport), Some(at_s)) => format!("found as {sport} at {}", text::time(at_s)),
            _ => "not found".to_owned(),
        };
        format!(
            "{} {} in {} from {}, {found}",
            leg.sport,
            text::km(leg.distance_m),
            text::time(leg.lasted_s),
            text::time(leg.began_s),
        )
    });
    let checkpoints = rehearsal.checkpoints.iter().map(|checkpoint| {
        let at = |at_s: Option<f64>| at_s.map_or_else(|| "never".to_owned(), text::time);
        format!(
            "{} (km {:.1}) passed {}, reported {}",
            checkpoint.name,
            checkpoint.km,
            at(checkpoint.passed_s),
            at(checkpoint.told_s),
        )
    });
    legs.chain(checkpoints).collect()
}

/// Plays one file. Also returns where it is damaged, in seconds since its start.
fn play(
    path: &Path,
    course: Option<&str>,
    speed: Option<f64>,
) -> Result<(RaceRehearsal, Option<f64>), String> {
    let size = std::fs::metadata(path).map_err(|e| format!("it can't be read: {e}"))?;
    if size.is_dir() {
        return Err("it is a directory; name the files in it".into());
    }
    if size.len() > MOST_BYTES as u64 {
        return Err(files::FileError::TooLarge.to_string());
    }
    let bytes = std::fs::read(path).map_err(|e| format!("it can't be read: {e}"))?;
    let recording = files::read(&bytes).map_err(|e| e.to_string())?;
    let mut before_s = 0.0;
    let mut on_poll = |poll: &RehearsedPoll<'_>| {
        let Some(speed) = speed.filter(|_| !poll.alerts.is_empty()) else {
            return;
        };
        let at_s = poll.at.duration_since(recording.start).as_secs_f64();
        let wait_s = ((at_s - before_s) / speed).max(0.0);
        before_s = at_s;
        std::thread::sleep(Duration::try_from_secs_f64(wait_s).unwrap_or_default());
        for alert in poll.alerts {
            say(&format!(
                "{:>9}  {:<17} {}",
                text::time(at_s),
                alert.kind.name(),
                alert.text
            ));
        }
    };
    let rehearsal = rehearse(&recording, course, &mut on_poll).map_err(|e| e.to_string())?;
    Ok((rehearsal, recording.is_cut.then(|| recording.elapsed_s())))
}

/// One row per recording.
fn table(played: &[(&PathBuf, RaceRehearsal)]) -> TextTable {
    let header = [
        "file",
        "sport",
        "km",
        "time",
        "alerts right",
        "due found",
        "worst split",
        "window",
        "ETA error 1/4",
        "1/2",
        "3/4",
        "(plain)",
    ];
    let mut table = TextTable::new(&header, &["worst split", "sport"]);
    for (path, rehearsal) in played {
        let sum = |count: fn(&crate::race::rehearsal::KindScore) -> usize| {
            rehearsal.alerts.iter().map(count).sum::<usize>()
        };
        let of = |part: usize, whole: usize| format!("{part}/{whole}");
        let at = |part: f64| rehearsal.eta.iter().find(|eta| (eta.part - part).abs() < 0.01);
        let error = |part: f64| at(part).map_or_else(|| "-".into(), |eta| signed(eta.outlook_s));
        let plain =
            [0.25, 0.5, 0.75].map(|part| at(part).map_or_else(|| "-".into(), |eta| signed(eta.plain_s)));
        table.row([
            file_name(path),
            rehearsal.sport.clone(),
            format!("{:.1}", rehearsal.distance_m / 1000.0),
            text::time(rehearsal.elapsed_s),
            of(sum(|score| score.right), sum(|score| score.told)),
            of(sum(|score| score.found), sum(|score| score.due)),
            rehearsal
                .worst_split_s
                .map_or_else(|| "-".into(), |s| format!("{s:.1} s")),
            of(rehearsal.windows_right, rehearsal.windows),
            error(0.25),
            error(0.5),
            error(0.75),
            format!("({})", plain.join(" ")),
        ]);
    }
    table
}

/// Minutes and seconds with their sign: a late prediction is positive.
fn signed(seconds: f64) -> String {
    format!(
        "{}{}",
        if seconds < 0.0 { '-' } else { '+' },
        text::time(seconds.abs())
    )
}

fn summary_lines(summary: &RehearsalSummary) -> Vec<String> {
    let mut lines = vec![format!(
        "{}, {:.1} h",
        many(summary.recordings as u64, "recording"),
        summary.hours
    )];
    for score in &summary.alerts {
        lines.push(format!(
            "{}: {} of {} sent were right; {} of {} due were sent",
            score.kind, score.right, score.told, score.found, score.due
        ));
    }
    lines.extend(
        summary
            .coverage_percent
            .map(|percent| format!("the 80 % window held the finish {percent:.0} % of the time")),
    );
    lines.extend(summary.places_coverage_percent.map(|percent| {
        format!(
            "the 80 % window of the next checkpoint or quarter of the way held it {percent:.0} % of the time"
        )
    }));
    for eta in &summary.eta {
        lines.push(format!(
            "median ETA error at {} of the way: {:.1} % of the time, plain extrapolation {:.1} %",
            eta.part, eta.outlook_s, eta.plain_s
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_above_zero() {
        assert_eq!(playing_speed("600"), Ok(600.0));
        for wrong in ["0", "-1", "fast", "inf", ""] {
            assert!(playing_speed(wrong).unwrap_err().contains("above 0"), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_breaks_off_is_told_as_damaged() {
        let point = |second: u32| {
            let (minute, lat) = (second / 60, 48.0 + f64::from(second) * 3e-5);
            let second = second % 60;
            format!(
                "<trkpt lat=\"{lat}\" lon=\"10\"><time>2026-01-08T10:{minute:02}:{second:02}Z</time></trkpt>"
            )
        };
        let points: String = (0..1200).map(point).collect();
        let whole = format!("<gpx><trk><trkseg>{points}</trkseg></trk></gpx>");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.gpx");
        for (length, damaged) in [(whole.len(), None), (whole.len() - 30, Some(1198.0))] {
            std::fs::write(&path, whole.get(..length).unwrap()).unwrap();
            assert_eq!(play(&path, None, None).unwrap().1, damaged);
        }
    }

    #[test]
    fn a_wrong_file_is_named_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        assert!(play(dir.path(), None, None).unwrap_err().contains("directory"));
        assert!(
            play(&dir.path().join("none.fit"), None, None)
                .unwrap_err()
                .contains("can't be read")
        );
        let text = dir.path().join("notes.txt");
        std::fs::write(&text, "hello").unwrap();
        assert!(
            play(&text, None, None)
                .unwrap_err()
                .contains("neither FIT, GPX nor TCX")
        );
        let args = RehearseArgs {
            files: vec![text],
            course: None,
            speed: None,
        };
        assert!(
            run(&args, true)
                .unwrap_err()
                .to_string()
                .contains("no file could be played")
        );
    }
}
