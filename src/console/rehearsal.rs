//! The rehearsal of a stored race. The console reads the points from the gateway and replays them through the whole
//! race watch in its own process. The race view shows this at a multiple of the real speed. No request goes to Garmin,
//! and nothing is sent or stored.
//!
//! | file | what |
//! |---|---|
//! | `stored` | the exported points and the course → a recording |

mod stored;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::words::{clock, signed};
use crate::admin::api::{AdminStream, ExportForm};
use crate::admin::client::{AdminClient, ClientError};
use crate::admin::views::RaceDetail;
use crate::race::rehearsal::{RaceRehearsal, UnplayableRecording, rehearse};

/// A stored race that will be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RaceToPlay {
    pub(super) account: String,
    pub(super) race: String,
    /// Its course, with the places, as GPX; `None` without one.
    pub(super) course: Option<String>,
}

impl RaceToPlay {
    pub(super) fn of(detail: &RaceDetail) -> Self {
        Self {
            account: detail.race.account.clone(),
            race: detail.race.id.clone(),
            course: stored::course(detail),
        }
    }
}

/// What one poll of the replayed watch saw.
#[derive(Clone, Debug, PartialEq)]
struct PlayedPoll {
    at: Timestamp,
    progress_m: f64,
    finish: Option<[Timestamp; 3]>,
    alerts: Vec<String>,
}

/// A race after its replay: what the watch saw and would have sent, and how right it was.
#[derive(Clone, Debug)]
pub(super) struct RehearsedRace {
    /// The time of the first point.
    start: Timestamp,
    polls: Vec<PlayedPoll>,
    pub(super) score: RaceRehearsal,
    /// The points do not follow the course, so it was left out.
    pub(super) is_off_course: bool,
}

impl RehearsedRace {
    fn of(points: &str, course: Option<&str>) -> Result<Self, String> {
        let recording = stored::recording(points).ok_or("the gateway has no points of this race")?;
        let attempt = |course| {
            let mut polls = Vec::new();
            let score = rehearse(&recording, course, &mut |poll| {
                polls.push(PlayedPoll {
                    at: poll.at,
                    progress_m: poll.progress_m,
                    finish: poll.finish,
                    alerts: poll.alerts.iter().map(|alert| alert.text.clone()).collect(),
                });
            });
            score.map(|score| (score, polls))
        };
        let (played, is_off_course) = match attempt(course) {
            Err(UnplayableRecording::Course(_) | UnplayableRecording::Misfit(_)) => (attempt(None), true),
            played => (played, false),
        };
        let (score, polls) = played.map_err(|why| why.to_string())?;
        Ok(Self {
            start: recording.start,
            polls,
            score,
            is_off_course,
        })
    }

    fn end(&self) -> Timestamp {
        self.polls.last().map_or(self.start, |poll| poll.at)
    }
}

/// Reads the points of a race from the gateway, and plays them. Error: a clause for the operator.
pub(super) async fn play(socket: PathBuf, race: RaceToPlay) -> Result<Arc<RehearsedRace>, String> {
    let points = read(socket, &race).await.map_err(|why| why.to_string())?;
    let played = tokio::task::spawn_blocking(move || {
        RehearsedRace::of(&String::from_utf8_lossy(&points), race.course.as_deref())
    });
    let played = played.await.map_err(|_| "it could not be played".to_owned())?;
    played.map(Arc::new)
}

/// The points as CSV. They are read over a connection of their own, so that the views stay up to date meanwhile.
async fn read(socket: PathBuf, race: &RaceToPlay) -> Result<Vec<u8>, ClientError> {
    let mut client = AdminClient::connect(&socket).await?;
    let stream = AdminStream::Export {
        account: race.account.clone(),
        race: Some(race.race.clone()),
        form: ExportForm::Csv,
    };
    let mut points = Vec::new();
    client
        .stream(stream, |part| {
            points.extend_from_slice(part);
            Ok::<_, ClientError>(())
        })
        .await?;
    Ok(points)
}

/// A rehearsal on the screen.
pub(super) struct RaceReplay {
    pub(super) race: String,
    speed: f64,
    /// The replayed race, and when the screen began to show it.
    playing: Option<(Arc<RehearsedRace>, Timestamp)>,
}

impl RaceReplay {
    pub(super) fn of(race: &str, speed: f64) -> Self {
        Self {
            race: race.to_owned(),
            speed,
            playing: None,
        }
    }

    pub(super) fn begin(&mut self, played: Arc<RehearsedRace>, now: Timestamp) {
        self.playing = Some((played, now));
    }

    /// The replayed race, and the moment of the race that the screen shows.
    fn shown(&self, now: Timestamp) -> Option<(&RehearsedRace, Timestamp)> {
        let (played, begun_at) = self.playing.as_ref()?;
        let passed_s = now.duration_since(*begun_at).as_secs_f64() * self.speed;
        let passed = SignedDuration::try_from_secs_f64(passed_s).unwrap_or(SignedDuration::MAX);
        let at = played.start.checked_add(passed).unwrap_or(Timestamp::MAX);
        Some((played, at.min(played.end())))
    }

    /// The score, once the race is over on the screen.
    pub(super) fn score(&self, now: Timestamp) -> Option<&RehearsedRace> {
        let (played, at) = self.shown(now)?;
        (at >= played.end()).then_some(played)
    }

    /// One line that says what the screen shows.
    pub(super) fn banner(&self, now: Timestamp) -> String {
        let Some((played, at)) = self.shown(now) else {
            return "REHEARSAL: reading and playing the points. esc cancels.".to_owned();
        };
        let seconds = |until: Timestamp| clock(until.duration_since(played.start).as_secs_f64());
        if at >= played.end() {
            return "REHEARSAL finished: nothing was sent. r plays it again, esc closes it.".to_owned();
        }
        format!(
            "REHEARSAL at {}x, {} of {}: nothing is fetched or sent. esc ends it.",
            self.speed,
            seconds(at),
            seconds(played.end())
        )
    }

    /// The race as the watch would have seen it at this moment.
    pub(super) fn detail(&self, stored: &RaceDetail, now: Timestamp) -> RaceDetail {
        let mut detail = stored.clone();
        let (at, polls) = match self.shown(now) {
            Some((played, at)) => {
                let seen = played.polls.partition_point(|poll| poll.at <= at);
                (at, played.polls.get(..seen).unwrap_or_default())
            }
            None => (Timestamp::MIN, &[][..]),
        };
        detail.track.retain(|point| point.at <= at);
        detail.progress_m = polls.last().map(|poll| poll.progress_m);
        detail.race.distance_m = detail.progress_m;
        // The last point is shown as old as it was at that moment of the race.
        let last = detail.track.last();
        let age = last.map(|point| at.duration_since(point.at));
        detail.race.last_point_at = age.and_then(|age| now.checked_sub(age).ok());
        (
            detail.race.ended_at,
            detail.race.finished_at,
            detail.race.ahead_of_plan_s,
        ) = (None, None, None);
        "rehearsal".clone_into(&mut detail.race.state);
        detail.race.finish = polls.last().and_then(|poll| poll.finish);
        detail.alerts = polls
            .iter()
            .flat_map(|poll| poll.alerts.iter().map(|text| (poll.at, text.clone())))
            .collect();
        let started = detail.race.started_at;
        let elapsed_s = started.map_or(0.0, |started| at.duration_since(started).as_secs_f64());
        detail.splits.retain(|(_, seconds)| *seconds <= elapsed_s);
        let last = detail.places.len().saturating_sub(1);
        for (number, place) in detail.places.iter_mut().enumerate() {
            place.passed_at = place.passed_at.filter(|passed| *passed <= at);
            let is_finish = number == last && place.passed_at.is_none();
            place.arrival = detail.race.finish.filter(|_| is_finish);
        }
        (detail.last_words, detail.recipients) = (None, Vec::new());
        detail.shares.clear();
        detail
    }
}

/// Compares what the watch would have sent with what happened: first the alerts, then the expected finish.
pub(super) fn score_lines(played: &RehearsedRace) -> [Vec<String>; 2] {
    let score = &played.score;
    let mut alerts = vec![format!(
        "{:<14}{:>5}{:>7}{:>5}{:>7}",
        "", "sent", "right", "due", "found"
    )];
    alerts.extend(score.alerts.iter().map(|one| {
        format!(
            "{:<14}{:>5}{:>7}{:>5}{:>7}",
            one.kind, one.told, one.right, one.due, one.found
        )
    }));
    if let Some(worst_s) = score.worst_split_s {
        alerts.push(format!("worst split: {worst_s:.1} s off"));
    }
    if played.is_off_course {
        alerts.push("Played without the course: the points do not follow it.".to_owned());
    }
    let mut outlook = vec![format!(
        "{:<18}{:>9}{:>9}",
        "predicted finish", "outlook", "plain"
    )];
    outlook.extend(score.eta.iter().map(|eta| {
        let at = format!("at {:.0} % of the way", eta.part * 100.0);
        format!("{at:<18}{:>9}{:>9}", signed(eta.outlook_s), signed(eta.plain_s))
    }));
    let held = |right: usize, all: usize, what: &str| {
        let percent = right * 100 / all.max(1);
        format!("{what} in window: {right}/{all} ({percent} %)")
    };
    if score.windows > 0 {
        outlook.push(held(score.windows_right, score.windows, "finish"));
    }
    if score.place_windows > 0 {
        outlook.push(held(score.place_windows_right, score.place_windows, "next place"));
    }
    [alerts, outlook]
}
