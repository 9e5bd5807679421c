//! The task of one race: polls LiveTrack on schedule, stores the result, raises alerts, and starts looks.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::caller::RaceCaller;
use super::race::{RaceChange, RaceState, WatchedRace};
use super::records::{RaceToken, hex};
use super::series;
use super::state::RacesState;
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::coach::look::{LookError, RaceLook};
use crate::garmin::livetrack::{LiveTrackError, LiveTrackLink, LiveTrackSession, Trackpoint};
use crate::race::ending::EndReason;
use crate::race::schedule::{NextPoll, PollResult};
use crate::race::track::TrackSample;
use crate::store::StoreError;

/// The prefix of a race's tokens.
pub(super) const TOKEN_PREFIX: &str = "grc_";

/// Valid tokens per race: one look may still be running when the next one starts.
const TOKENS: usize = 2;

/// Pause after the store has refused a write.
const STORE_RETRY: SignedDuration = SignedDuration::from_secs(5);

/// Maximum number of characters stored of Claude's reply.
const LONGEST_REPLY: usize = 4000;

#[derive(Default)]
struct PollResponse {
    session: Option<LiveTrackSession>,
    points: Vec<Trackpoint>,
    /// Number of entries without a time.
    unreadable: usize,
    /// Whether the page had to be read because the interface changed.
    changed: bool,
}

/// What is due next for a race.
enum DueStep {
    Poll {
        session: bool,
        /// Device time of the first point to request; `None` = all points.
        begin: Option<Timestamp>,
    },
    Look,
    /// Apply the alert rules, because a time in a person's rule passes before the next poll.
    Judge,
}

/// Watches a race until it is over, the program stops, or the race is erased.
pub(super) async fn watch(races: Arc<RacesState>, race: Arc<WatchedRace>) {
    let stopping = races.lifecycle.stopping();
    loop {
        races.note_fade(&race);
        let Some((due_at, step)) = due(&races, &race.state()) else {
            finish(&races, &race).await;
            if due(&races, &race.state()).is_none() {
                return;
            }
            continue;
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = race.cancelled.cancelled() => return,
            () = race.changed.notified() => continue,
            () = races.clock.sleep_until(due_at) => {}
        }
        let (session, begin) = match step {
            DueStep::Poll { session, begin } => (session, begin),
            DueStep::Look => {
                start_due_look(&races, &race).await;
                continue;
            }
            DueStep::Judge => {
                judge(&races, &race).await;
                continue;
            }
        };
        let Some(link) = race.state().row.link.clone() else {
            return;
        };
        let mut span = races.traces.begin("race.poll");
        span.text("race.id", &race.id);
        let response = tokio::select! {
            () = stopping.cancelled() => return,
            () = race.cancelled.cancelled() => return,
            response = poll(&races, &link, session, begin) => response,
        };
        match &response {
            Ok(response) => span.number("points", response.points.len()),
            Err(failure) => span.failed(failure.name()),
        }
        let mut store_span = span.begin("race.store");
        let kept = keep(&races, &race, &link, response).await;
        if kept.is_err() {
            store_span.failed("not_kept");
        }
        drop((store_span, span));
        if let Err(e) = kept {
            retry_later(&races, &race, &e).await;
        }
    }
}

/// Waits after the store has refused a write.
async fn retry_later(races: &RacesState, race: &WatchedRace, error: &StoreError) {
    tracing::error!(race.id = %race.id, reason = %error, "race.not_kept");
    let retry = races.clock.now() + STORE_RETRY;
    tokio::select! {
        () = races.lifecycle.stopping().cancelled_owned() => {}
        () = races.clock.sleep_until(retry) => {}
    }
}

fn due(races: &RacesState, state: &RaceState) -> Option<(Timestamp, DueStep)> {
    let now = races.clock.now();
    let watch = &state.progress.watch;
    // Counted from the last reply, so that computing it again does not postpone the poll.
    let basis = watch.last_ok_at.unwrap_or(now);
    let poll = match watch.next(basis, &state.row.settings, &state.track) {
        NextPoll::Ask { at, session, begin } => Some((at, DueStep::Poll { session, begin })),
        NextPoll::Nothing => None,
    };
    // A race that was stopped by hand sends no alerts. Otherwise a person's rules outlive the polls, because the
    // athlete may still be missing after the link has expired.
    let by_hand = watch.over() == Some(EndReason::ByHand);
    let judge_at = state
        .progress
        .told
        .next_due(&state.row.settings)
        .filter(|_| !by_hand);
    let look = poll.is_some().then(|| races.next_look(state)).flatten();
    let judge = judge_at.map(|at| (at, DueStep::Judge));
    // Of steps at the same time the poll comes first, because the others use what it brings.
    poll.into_iter()
        .chain(look.map(|at| (at, DueStep::Look)))
        .chain(judge)
        .min_by_key(|(at, _)| *at)
}

/// Applies the rules without a poll.
async fn judge(races: &RacesState, race: &WatchedRace) {
    let now = whole_ms(races.clock.now());
    let judged = race.change(&races.store, &races.notifier, |state| {
        Ok::<_, StoreError>(RaceChange {
            alerts: state.judge(now),
            ..RaceChange::default()
        })
    });
    match judged.await {
        Ok(state) => log_alerts(race, state.as_deref(), now),
        Err(e) => retry_later(races, race, &e).await,
    }
}

fn log_alerts(race: &WatchedRace, state: Option<&RaceState>, now: Timestamp) {
    let alerts = state
        .into_iter()
        .flat_map(|state| state.alerts.iter().rev().map(move |alert| (state, alert)));
    for (state, alert) in alerts.take_while(|(_, alert)| alert.at == now) {
        tracing::info!(race.id = %race.id, account.id = %state.row.account, alert = alert.kind.name(), "race.alert_raised");
    }
}

/// Requests the points and, if wanted, the session. If the interface fails, the public page is read instead.
async fn poll(
    races: &RacesState,
    link: &LiveTrackLink,
    session: bool,
    begin: Option<Timestamp>,
) -> Result<PollResponse, LiveTrackError> {
    let asked = async {
        let session = if session {
            Some(races.livetrack.session(link).await?)
        } else {
            None
        };
        let points = races.livetrack.points(link, begin).await?;
        Ok::<_, LiveTrackError>(PollResponse {
            session,
            unreadable: points.unreadable,
            points: points.points,
            changed: false,
        })
    };
    let failure = match asked.await {
        // An interface that moved also answers 404. Only the page can tell the two cases apart.
        Err(failure) if failure.is_change() || failure == LiveTrackError::Gone => failure,
        other => return other,
    };
    match races.livetrack.page(link).await {
        Ok(page) => Ok(PollResponse {
            session: page.session,
            points: page.points,
            unreadable: 0,
            // A web page instead of data is a temporary bot check or notice.
            changed: failure != LiveTrackError::Page,
        }),
        Err(_) => Err(failure),
    }
}

/// Commits a poll: points, the polling state, and the alerts that follow.
async fn keep(
    races: &RacesState,
    race: &WatchedRace,
    link: &LiveTrackLink,
    response: Result<PollResponse, LiveTrackError>,
) -> Result<(), StoreError> {
    let now = whole_ms(races.clock.now());
    let change = race.change(&races.store, &races.notifier, |state| {
        let mut change = RaceChange::default();
        if state.row.link.as_ref() != Some(link) {
            // A new link continues the race, and this reply belongs to the old one.
            return Ok(change);
        }
        match response {
            Err(failure) => {
                tracing::info!(race.id = %race.id, failure = failure.name(), "race.poll_failed");
                state.progress.watch.failed(now, &failure);
            }
            Ok(response) => {
                let points = response.points.into_iter();
                let batch: Vec<_> = points.map(|point| TrackSample { point, seen_at: now }).collect();
                let (new, keep) = series::sift(&races.store, &race.id, batch)?;
                let before = state.track.points;
                state.add(&races.store, &race.id, &new)?;
                tracing::debug!(race.id = %race.id, new = new.len(), "race.polled");
                state.progress.unreadable += response.unreadable as u64;
                let answer = PollResult {
                    session: response.session,
                    // A suspect point is no sign of life from the athlete.
                    new_points: state.track.points.saturating_sub(before),
                    changed: response.changed,
                };
                let watch = &mut state.progress.watch;
                watch.answered(now, answer);
                watch.conclude(
                    now,
                    races.rules,
                    &state.row.settings,
                    &state.track,
                    state.course.as_deref(),
                );
                change.samples = keep;
            }
        }
        change.alerts = state.judge(now);
        Ok::<_, StoreError>(change)
    });
    log_alerts(race, change.await?.as_deref(), now);
    Ok(())
}

/// Polling has ended: removes the tokens and marks the race as done, unless something changed meanwhile.
async fn finish(races: &RacesState, race: &WatchedRace) {
    let done = race.change(&races.store, &races.notifier, |state| {
        let over = state.progress.watch.over();
        state.progress.done = over.is_some() && due(races, state).is_none();
        Ok::<_, StoreError>(RaceChange {
            keep_tokens: state.progress.done.then_some(0),
            ..RaceChange::default()
        })
    });
    match done.await {
        Ok(Some(state)) if state.progress.done => {
            races.watched.lock().remove(&race.id);
            race.looks.end().await;
            let reason = state.progress.watch.over().map(EndReason::name);
            tracing::info!(race.id = %race.id, account.id = %state.row.account, reason, "race.ended");
        }
        Ok(_) => {}
        Err(e) => {
            // The next start of the program tries again.
            races.watched.lock().remove(&race.id);
            tracing::error!(race.id = %race.id, reason = %e, "race.not_kept");
        }
    }
}

/// Why a look starts.
#[derive(Debug)]
pub(super) enum LookCause {
    AskedFor(RaceCaller),
    /// The look was due, and its token was issued already.
    Due(Secret),
}

/// Starts a look that is due. Its time is stored first, because until then the look would be due again and again.
async fn start_due_look(races: &Arc<RacesState>, race: &Arc<WatchedRace>) {
    match new_token(races, race, None).await {
        Ok(Some(token)) => look(races, race, LookCause::Due(token)),
        Ok(None) => {}
        Err(e) => retry_later(races, race, &e).await,
    }
}

/// Starts a look in parallel with the polling. It ends with the race. A failure is logged.
pub(super) fn look(races: &Arc<RacesState>, race: &Arc<WatchedRace>, cause: LookCause) {
    let asked_for = matches!(cause, LookCause::AskedFor(_));
    let (races, race) = (Arc::clone(races), Arc::clone(race));
    let running = race.looks.enter();
    let lifecycle = races.lifecycle.clone();
    lifecycle.spawn("race look", async move {
        let stopping = races.lifecycle.stopping();
        let mut span = races.traces.begin("race.analysis");
        span.text("race.id", &race.id);
        tokio::select! {
            () = stopping.cancelled() => {}
            () = race.cancelled.cancelled() => {}
            () = running.ended() => {}
            looked = take_look(&races, &race, cause) => match looked {
                Ok(()) => tracing::info!(race.id = %race.id, asked_for, "race.looked_at"),
                Err(reason) => {
                    tracing::warn!(race.id = %race.id, asked_for, %reason, "race.look_failed");
                    span.failed(reason);
                }
            },
        }
    });
}

async fn take_look(races: &RacesState, race: &WatchedRace, cause: LookCause) -> Result<(), LookError> {
    let coach = races.coach().ok_or(LookError::NotSetUp)?;
    let failed = |e: StoreError| LookError::Failed(e.to_string());
    let (caller, token) = match cause {
        LookCause::Due(token) => (None, Some(token)),
        LookCause::AskedFor(caller) => {
            let token = new_token(races, race, Some(caller.clone()))
                .await
                .map_err(failed)?;
            (Some(caller), token)
        }
    };
    let Some(token) = token else {
        return Ok(());
    };
    let state = race.state();
    let look = RaceLook {
        snapshot: state.snapshot(&race.id, races.clock.now()),
        window: state.window(&races.store, &race.id).map_err(failed)?,
        said: state.progress.said.clone(),
        token,
        asked_for: caller.is_some(),
    };
    let Some(reply) = coach.look(look).await? else {
        return Ok(());
    };
    let reply: String = reply.chars().take(LONGEST_REPLY).collect();
    let replied_at = races.clock.now();
    let kept = race.change(&races.store, &races.notifier, |state| {
        state.progress.last_words = Some((replied_at, reply));
        Ok::<_, StoreError>(RaceChange {
            caller,
            ..RaceChange::default()
        })
    });
    kept.await.map(drop).map_err(failed)
}

/// Issues a token for this race. Only the newest [`TOKENS`] stay valid. `None` if the race was stopped or erased, or
/// the access of `caller` ended.
pub(super) async fn new_token(
    races: &RacesState,
    race: &WatchedRace,
    caller: Option<RaceCaller>,
) -> Result<Option<Secret>, StoreError> {
    let (token, now) = (random_token(TOKEN_PREFIX), races.clock.now());
    let hash = TokenHash::of(token.expose());
    let grant = RaceToken {
        race: race.id.clone(),
        account: race.state().row.account.clone(),
    };
    let changed = race.change(&races.store, &races.notifier, |state| {
        // Stopping the race has also removed its tokens.
        if state.is_over() {
            return Err(NoToken::Over);
        }
        state.progress.looked_at = Some(now);
        state.progress.tokens.push(hex(&hash));
        Ok(RaceChange {
            keep_tokens: Some(TOKENS),
            new_token: Some((hash, grant)),
            caller,
            ..RaceChange::default()
        })
    });
    match changed.await {
        Ok(state) => Ok(state.map(|_| token)),
        Err(NoToken::Over) => Ok(None),
        Err(NoToken::Store(e)) => Err(e),
    }
}

/// Why no token was issued.
enum NoToken {
    Over,
    Store(StoreError),
}

impl From<StoreError> for NoToken {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

/// Truncates to milliseconds, the resolution of stored times.
fn whole_ms(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
