//! Races in all their states, and what their pages say as text.

mod reports;
mod several_athletes;
mod single_pages;

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::alerts::{Alert, AlertKind, Severity};
use crate::race::course::CourseFile;
use crate::race::ending::EndReason;
use crate::race::id::RaceId;
use crate::race::plan::{Checkpoint, RacePlan};
use crate::race::schedule::{RacePhase, RaceWatch};
use crate::race::share::{ShareRole, ShareTerms};
use crate::race::snapshot::Snapshot;
use crate::race::sport::RaceKind;
use crate::race::support::{at, running, steady};
use crate::race::track::{Track, TrackSample};

const WHOLE_M: f64 = 21_097.5;

/// A course along the road of [`running`], over a hill.
fn course() -> CourseFile {
    let point = |i: u32| {
        let along_m = f64::from(i) / 200.0 * WHOLE_M;
        let lon = 14.3 + along_m / 76_370.0;
        let height_m = 450.0 + 300.0 * (along_m / WHOLE_M * std::f64::consts::PI).sin();
        format!("<trkpt lat=\"46.62\" lon=\"{lon:.6}\"><ele>{height_m:.1}</ele></trkpt>")
    };
    let points: String = (0..=200).map(point).collect();
    let gpx = format!("<gpx><trk><trkseg>{points}</trkseg></trk></gpx>");
    CourseFile::read(&gpx, Some(WHOLE_M), 0.1).unwrap()
}

fn checkpoint(name: &str, km: f64, cutoff_s: Option<u32>) -> Checkpoint {
    Checkpoint {
        name: name.into(),
        km,
        cutoff_s,
        ..Checkpoint::default()
    }
}

fn alert(kind: AlertKind, seconds: i64, text: &str) -> Alert {
    Alert {
        kind,
        severity: Severity::Notice,
        key: text.into(),
        text: text.into(),
        translations: Vec::new(),
        happened_at: None,
        at: at(seconds),
    }
}

/// The race with these points at a moment, answered by Garmin until then.
fn race(samples: &[TrackSample], phase: RacePhase, now: Timestamp) -> PageSource {
    let course = Arc::new(course().course);
    let settings = RacePlan {
        kind: RaceKind::Run,
        checkpoints: vec![
            checkpoint("K1 <Mill>", 5.0, None),
            checkpoint("K2 Pass", 10.6, Some(3700)),
            checkpoint("K3 Bridge", 15.0, Some(6000)),
        ],
        time_zone: Some("Europe/Vienna".into()),
        ..RacePlan::default()
    };
    let mut watch = RaceWatch::new(at(-1200));
    watch.phase = phase;
    watch.last_ok_at = Some(now);
    watch.session = Some(LiveTrackSession {
        athlete: Some("Josefine Berger".into()),
        ..LiveTrackSession::default()
    });
    let snapshot = Snapshot {
        race: RaceId::nobody(),
        account: "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
        now,
        track: Track::of(RaceKind::Run, Some(&course), samples),
        settings,
        course: Some(course),
        watch,
        alerts: vec![
            alert(AlertKind::Started, 20, "Start at 10:00."),
            alert(AlertKind::HrOver, 1200, "Heart rate 171 bpm, limit 165."),
            alert(AlertKind::Checkpoint, 1700, "K1 after 0:27:46."),
        ],
    };
    let sent = vec![
        (at(1000), "Josefine runs well.".to_owned()),
        (at(1500), "152 bpm on the climb, all good.".to_owned()),
    ];
    PageSource::new(snapshot, samples, sent)
}

fn terms(role: ShareRole, name: Option<&str>) -> ShareTerms {
    ShareTerms::new(role, name, None, None).unwrap()
}

fn over(reason: EndReason, seconds: i64) -> RacePhase {
    RacePhase::Over {
        reason,
        at: at(seconds),
    }
}

fn stopped() -> PageSource {
    let mut samples = steady(3500, 3.0);
    samples.extend((1..=30).map(|i| running(3500 + i * 10, 10_500.0)));
    for sample in samples.iter_mut().skip(351) {
        sample.point.cadence_rpm = Some(0);
    }
    race(&samples, RacePhase::Live, at(3805))
}

fn finished() -> PageSource {
    let mut samples = steady(7030, 3.0);
    samples.push(running(7033, WHOLE_M));
    race(&samples, over(EndReason::EndEvent, 7100), at(7200))
}

fn silent() -> PageSource {
    race(&steady(3600, 3.0), RacePhase::Live, at(3600 + 14 * 60))
}

fn under_way() -> PageSource {
    race(&steady(3600, 3.0), RacePhase::Live, at(3725))
}

fn report_said(report: &PageReport) -> Vec<String> {
    let mut lines = vec![format!("report: {}", report.sentences.join(" "))];
    let margin = |margin: &Option<(String, bool)>| {
        let margin = margin.as_ref();
        margin.map_or_else(String::new, |(text, late)| format!("; {text} {late}"))
    };
    lines.extend(report.places.iter().map(|place| {
        let margin = margin(&place.margin);
        format!(
            "  {} {}: {}, {} {}{margin}",
            place.name, place.km, place.passed, place.after, place.against
        )
    }));
    lines.extend(
        report
            .stops
            .iter()
            .map(|stop| format!("  stop {} {} {}", stop.from, stop.at, stop.time)),
    );
    let splits = report.splits.iter().take(2);
    lines.extend(splits.map(|split| {
        format!(
            "  {} {} {} {} {}",
            split.to, split.time, split.pace, split.against, split.body
        )
    }));
    lines.extend(report.pace.iter().map(|pace| format!("  {}", pace.range)));
    lines
}

fn said(page: &RacePage) -> String {
    let mut lines = vec![
        format!("# {} [{:?}]", page.title, page.state.tone),
        page.state.headline.clone(),
    ];
    lines.extend(page.state.details.iter().map(|sentence| format!("  {sentence}")));
    lines.extend(
        page.body
            .iter()
            .map(|figure| format!("= {} {}", figure.label, figure.value)),
    );
    for place in &page.places {
        let when = match &place.window {
            Some(window) => window.join(" | "),
            None => place.instead.clone(),
        };
        let cutoff = place
            .cutoff
            .as_ref()
            .map(|at| format!("; {} {at}", page.words.cutoff));
        let margin = place
            .margin
            .as_ref()
            .map(|(text, late)| format!(", {text} {late}"));
        let geo = place.geo.as_ref().map(|geo| format!("; {geo}"));
        let more: String = [cutoff, margin, geo].into_iter().flatten().collect();
        lines.push(format!("@ {} ({}) {when}{more}", place.name, place.km));
    }
    if let Some(report) = &page.report {
        lines.extend(report_said(report));
    }
    lines.push(format!("splits: {}", page.splits.caption));
    for split in page.splits.rows.iter().take(2) {
        let body = split.body.as_deref().unwrap_or("-");
        lines.push(format!("  {} {} {} {body}", split.to, split.time, split.pace));
    }
    lines.extend(
        page.events
            .iter()
            .map(|event| format!("* {} {}", event.at, event.text)),
    );
    if let Some(map) = &page.map {
        let labels: Vec<_> = map.places.iter().map(|place| place.label.as_str()).collect();
        let hidden = page.hidden.as_deref().unwrap_or("nothing hidden");
        lines.push(format!(
            "map: {:?}; here {:?}; {hidden}; {}",
            labels, map.tracks[0].here, map.alt
        ));
    }
    if let Some(profile) = &page.profile {
        lines.push(format!(
            "profile: {}; here {:?}",
            profile.alt,
            profile.here.first().map(|(_, x)| x)
        ));
    }
    lines.extend(page.ends_at.clone());
    lines.push(page.zone.clone());
    lines.join("\n")
}
