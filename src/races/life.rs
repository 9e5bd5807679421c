//! The task of one race: asks LiveTrack when it is time, keeps what came, tells what the rules say.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::House;
use super::race::{Also, Race, State};
use super::records::{RaceToken, hex};
use super::series;
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::coach::look::{Look, NotLooked};
use crate::garmin::livetrack::{LiveTrackError, LiveTrackLink, LiveTrackSession, Trackpoint};
use crate::race::sample::Sample;
use crate::race::schedule::{Answer, Next, Phase};
use crate::race::track::{Step, Track};
use crate::store::StoreError;

/// What a token of a race begins with.
pub(super) const TOKEN_PREFIX: &str = "grc_";

/// Tokens of a race that are good at once: a look may outlast the next one's beginning.
const TOKENS: usize = 2;

/// What the store refused is tried again after this.
const STORE_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// The longest text of Claude's that is kept.
const LONGEST_WORDS: usize = 4000;

/// What LiveTrack told.
#[derive(Default)]
struct Heard {
    session: Option<LiveTrackSession>,
    points: Vec<Trackpoint>,
    unreadable: usize,
    changed: bool,
}

/// Watches a race until it is over, the program stops, or it is erased.
pub(super) async fn watch(house: Arc<House>, race: Arc<Race>) {
    let stopping = house.lifecycle.stopping();
    loop {
        let Some((due_at, ask)) = due(&house, &race.state()) else {
            finish(&house, &race).await;
            if due(&house, &race.state()).is_none() {
                return;
            }
            continue;
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = race.cancelled.cancelled() => return,
            () = race.changed.notified() => continue,
            () = house.clock.sleep_until(due_at) => {}
        }
        let Some((session, begin)) = ask else {
            look(&house, &race, false);
            continue;
        };
        let link = race.state().row.link.clone();
        let mut poll = house.traces.begin("race.poll");
        poll.text("race.id", &race.id);
        let asked = tokio::select! {
            () = stopping.cancelled() => return,
            () = race.cancelled.cancelled() => return,
            asked = ask_garmin(&house, &link, session, begin) => asked,
        };
        match &asked {
            Ok(heard) => poll.number("points", heard.points.len()),
            Err(failure) => poll.failed(failure.name()),
        }
        let mut store = poll.begin("race.store");
        let kept = keep(&house, &race, &link, asked).await;
        if kept.is_err() {
            store.failed("not_kept");
        }
        drop((store, poll));
        if let Err(e) = kept {
            tracing::error!(race.id = %race.id, reason = %e, "race.not_kept");
            let again = house.clock.now() + STORE_AGAIN;
            tokio::select! {
                () = stopping.cancelled() => return,
                () = house.clock.sleep_until(again) => {}
            }
        }
    }
}

/// What is due next, and when: to ask Garmin (for the session too, from when), or (`None`) to have Claude look.
#[expect(clippy::type_complexity, reason = "two answers of one question, used once")]
fn due(house: &House, state: &State) -> Option<(Timestamp, Option<(bool, Option<Timestamp>)>)> {
    let now = house.clock.now();
    let watch = &state.progress.watch;
    // From the last answer on, so that being asked twice does not put it off.
    let basis = watch.last_ok_at.unwrap_or(now);
    let Next::Ask { at, session, begin } = watch.next(basis, &state.row.settings, &state.track) else {
        return None;
    };
    match next_look(house, state) {
        Some(look_at) if look_at < at => Some((look_at, None)),
        _ => Some((at, Some((session, begin)))),
    }
}

/// When Claude should look next by itself.
fn next_look(house: &House, state: &State) -> Option<Timestamp> {
    let live = state.progress.watch.phase == Phase::Live && state.track.started_at.is_some();
    if !live || !house.coach.is_set_up() {
        return None;
    }
    let since = state.progress.looked_at.unwrap_or(state.progress.watch.since);
    let every = SignedDuration::from_secs(state.row.settings.analyze_interval_s.into());
    since.checked_add(every).ok()
}

/// Asks for what is due; where the interface fails, the page is read.
async fn ask_garmin(
    house: &House,
    link: &LiveTrackLink,
    session: bool,
    begin: Option<Timestamp>,
) -> Result<Heard, LiveTrackError> {
    let asked = async {
        let session = if session {
            Some(house.livetrack.session(link).await?)
        } else {
            None
        };
        let points = house.livetrack.points(link, begin).await?;
        Ok::<_, LiveTrackError>(Heard {
            session,
            unreadable: points.unreadable,
            points: points.points,
            changed: false,
        })
    };
    let failure = match asked.await {
        // An interface that moved away answers 404 too; the page tells the two apart.
        Err(failure) if failure.is_change() || failure == LiveTrackError::Gone => failure,
        other => return other,
    };
    match house.livetrack.page(link).await {
        Ok(page) => Ok(Heard {
            session: page.session,
            points: page.points,
            unreadable: 0,
            // A bot check or a notice in the place of data passes.
            changed: failure != LiveTrackError::Page,
        }),
        Err(_) => Err(failure),
    }
}

/// Keeps what came and draws the conclusions.
async fn keep(
    house: &Arc<House>,
    race: &Race,
    link: &LiveTrackLink,
    asked: Result<Heard, LiveTrackError>,
) -> Result<(), StoreError> {
    let now = whole_ms(house.clock.now());
    let change = race.change(house, |state| {
        if state.row.link != *link {
            // A new link came meanwhile; this was the old one's.
            return Ok(Also::default());
        }
        let mut also = Also::default();
        match asked {
            Err(failure) => {
                tracing::info!(race.id = %race.id, failure = failure.name(), "race.poll_failed");
                state.progress.watch.failed(now, &failure);
            }
            Ok(heard) => {
                let seen = |point| Sample { point, seen_at: now };
                let batch: Vec<_> = heard.points.into_iter().map(seen).collect();
                let (new, batch) = series::sift(&house.store, &race.id, batch)?;
                state.take(&house.store, &race.id, &new)?;
                let answer = Answer {
                    session: heard.session,
                    new_points: new.len(),
                    changed: heard.changed,
                };
                tracing::debug!(race.id = %race.id, new = new.len(), "race.polled");
                state.progress.unreadable += heard.unreadable as u64;
                state.progress.watch.answered(now, answer);
                also.samples = batch;
                let course = state.course.clone();
                state
                    .progress
                    .watch
                    .conclude(now, house.rules, &state.track, course.as_deref());
            }
        }
        also.alerts = state.judge(now);
        Ok::<_, StoreError>(also)
    });
    if let Some(state) = change.await? {
        for alert in state.alerts.iter().rev().take_while(|alert| alert.at == now) {
            tracing::info!(race.id = %race.id, account.id = %state.row.account, alert = alert.kind.name(), "race.alert_raised");
        }
    }
    Ok(())
}

/// Nothing is asked any more: the tokens go, and the race is done, unless something came meanwhile.
async fn finish(house: &Arc<House>, race: &Race) {
    let done = race.change(house, |state| {
        let over = state.progress.watch.over();
        let again = due(house, state).is_some();
        state.progress.done = over.is_some() && !again;
        Ok::<_, StoreError>(Also {
            keep_tokens: state.progress.done.then_some(0),
            ..Also::default()
        })
    });
    match done.await {
        Ok(Some(state)) if state.progress.done => {
            house.live().remove(&race.id);
            let reason = state.progress.watch.over();
            tracing::info!(race.id = %race.id, account.id = %state.row.account, ?reason, "race.ended");
        }
        Ok(_) => {}
        Err(e) => {
            // The next start tries again.
            house.live().remove(&race.id);
            tracing::error!(race.id = %race.id, reason = %e, "race.not_kept");
        }
    }
}

/// Has Claude look, beside the polling. Errors are told when nothing is set up; what fails later is in the log.
pub(super) fn look(house: &Arc<House>, race: &Arc<Race>, asked_for: bool) {
    let (house, race) = (Arc::clone(house), Arc::clone(race));
    let lifecycle = house.lifecycle.clone();
    lifecycle.spawn("race look", async move {
        let stopping = house.lifecycle.stopping();
        let mut span = house.traces.begin("race.analysis");
        span.text("race.id", &race.id);
        tokio::select! {
            () = stopping.cancelled() => {}
            () = race.cancelled.cancelled() => {}
            looked = look_now(&house, &race, asked_for) => match looked {
                Ok(()) => tracing::info!(race.id = %race.id, asked_for, "race.looked_at"),
                Err(reason) => {
                    tracing::warn!(race.id = %race.id, asked_for, %reason, "race.look_failed");
                    span.failed(reason);
                }
            },
        }
    });
}

async fn look_now(house: &Arc<House>, race: &Race, asked_for: bool) -> Result<(), NotLooked> {
    let now = house.clock.now();
    let failed = |e: StoreError| NotLooked::Failed(e.to_string());
    let token = mint(house, race, now).await.map_err(failed)?;
    let Some(token) = token else { return Ok(()) };
    let state = race.state();
    let window = window(house, race, &state).map_err(failed)?;
    let look = Look {
        snapshot: state.snapshot(&race.id, now),
        window,
        token,
        asked_for,
    };
    let Some(words) = house.coach.look(look).await? else {
        return Ok(());
    };
    let words: String = words.chars().take(LONGEST_WORDS).collect();
    let said_at = house.clock.now();
    let kept = race.change(house, |state| {
        state.progress.last_words = Some((said_at, words));
        Ok::<_, StoreError>(Also::default())
    });
    kept.await.map(drop).map_err(failed)
}

/// A new token for this race; the older ones but one go. `None` when the race was erased.
pub(super) async fn mint(
    house: &Arc<House>,
    race: &Race,
    now: Timestamp,
) -> Result<Option<Secret>, StoreError> {
    let token = random_token(TOKEN_PREFIX);
    let hash = TokenHash::of(token.expose());
    let reaches = RaceToken {
        race: race.id.clone(),
        account: race.state().row.account.clone(),
    };
    let changed = race.change(house, |state| {
        state.progress.looked_at = Some(now);
        state.progress.tokens.push(hex(&hash));
        Ok::<_, StoreError>(Also {
            keep_tokens: Some(TOKENS),
            token: Some((hash, reaches)),
            ..Also::default()
        })
    });
    Ok(changed.await?.map(|_| token))
}

/// The last minutes as the settings have them.
pub(super) fn window(house: &House, race: &Race, state: &State) -> Result<Vec<Step>, StoreError> {
    let Some(last) = state.track.last else {
        return Ok(Vec::new());
    };
    let minutes = SignedDuration::from_mins(state.row.settings.analyze_window_min.into());
    let from = last.at.checked_sub(minutes).unwrap_or(last.at);
    let within = |step: &&Step| step.at >= from;
    if state.track.recent.front().is_some_and(|first| first.at <= from) {
        return Ok(state.track.recent.iter().filter(within).copied().collect());
    }
    // Longer than what is kept at hand: the whole way is gone over once more.
    let mut track = Track::new(state.row.settings.kind);
    let samples = series::read_all(&house.store, &race.id)?;
    let steps = samples
        .iter()
        .filter_map(|sample| track.push(state.course.as_deref(), sample));
    Ok(steps.filter(|step| step.at >= from).collect())
}

/// Milliseconds, as all times of points are.
fn whole_ms(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
