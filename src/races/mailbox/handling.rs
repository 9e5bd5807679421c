//! Handles one mail: starts a race, continues one, tells the person why not, or does nothing.
//!
//! A mail is handled in three steps, so that a crash between them repeats nothing and loses nothing: first the session
//! is stored as begun; then the race is started, or found if it was started already; last, one transaction stores the
//! message, the end of the handling and the position in the mailbox.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::addressee::{Addressee, MailPerson, addressee};
use super::connection::FetchedMail;
use super::letter::Letter;
use super::links::{complete_links, open_links};
use super::position::{MAIL_LIFE, MailboxPosition, MailedSession};
use super::successor::{Sighting, Succession, left_off_here, succession};
use super::wording::UnusedMail;
use crate::accounts::{AccountId, Accounts};
use crate::garmin::livetrack::{
    LinkProblem, LiveTrackError, LiveTrackLink, LiveTrackSession, PastedLink, ResolveError,
};
use crate::notify::message::{MessageSubject, PhoneMessage};
use crate::oauth::OAuth;
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::race::share::{ShareRole, ShareTerms};
use crate::race::snapshot::race_title;
use crate::races::by_link::{self, LinkStart, LinkWay};
use crate::races::caller::RaceCaller;
use crate::races::reach::ReachedLink;
use crate::races::records::{RaceProgress, RaceRow};
use crate::races::registry::Races;
use crate::races::started::{StartOutcome, TrackingError};
use crate::store::{StoreError, Tx};

/// How many sessions are followed for one person in 24 hours. More mails than that are taken for abuse.
const MOST_A_DAY: usize = 12;

/// How long after its start a new session may still turn out to continue a race. Later it is taken for a race of its
/// own.
const UNDECIDED: SignedDuration = SignedDuration::from_mins(10);

/// The title of the messages. Their text names the athlete.
const TITLE: &str = "LiveTrack";

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailEnd {
    /// It has no LiveTrack link, is too old, or is for nobody here. It stays unread.
    LeftAlone,
    Taken,
    /// Garmin does not answer, so it is tried again.
    PutOff,
}

/// A mail of a person, and where it is in the mailbox.
struct PersonalMail<'a> {
    caller: RaceCaller,
    /// The position once the mail is handled.
    after: &'a MailboxPosition,
    key: [u8; 32],
    /// Whether the mail is too old to wait for Garmin once more.
    is_last_try: bool,
}

/// Handles the mails, one after the other.
pub(super) struct MailHandler {
    pub(super) races: Races,
    pub(super) accounts: Accounts,
    /// Whether only this machine can open the links to pages.
    pub(super) is_local: bool,
    /// When the last LiveTrack mail was handled.
    pub(super) last_mail: Mutex<Option<Timestamp>>,
}

impl MailHandler {
    /// Handles a mail. `after`: the position to store with it. `has_waited`: whether Garmin did not answer an earlier
    /// try.
    pub(super) async fn handle(
        &self,
        mail: &FetchedMail,
        key: [u8; 32],
        after: &MailboxPosition,
        has_waited: bool,
    ) -> Result<MailEnd, StoreError> {
        let (races, now) = (&self.races.0, self.races.0.clock.now());
        let age = mail.received_at.map(|at| now.duration_since(at));
        let is_old = age.is_some_and(|age| age >= MAIL_LIFE);
        if is_old && !has_waited {
            return Ok(MailEnd::LeftAlone);
        }
        let letter = Letter::read(&mail.bytes);
        let pasted = races.livetrack.find(&letter.text);
        match &pasted {
            Ok(PastedLink::Complete(_)) | Err(LinkProblem::Incomplete) => {}
            // Garmin's other mails contain short links too.
            Ok(PastedLink::Short(_) | PastedLink::Profile(_)) if letter.is_about_livetrack() => {}
            Ok(_) | Err(LinkProblem::Missing | LinkProblem::OtherHost { .. }) => {
                return Ok(MailEnd::LeftAlone);
            }
        }
        *self.last_mail.lock() = Some(now);
        let account = match addressee(&letter, &self.people()?) {
            Addressee::One(account) => account,
            Addressee::Several => return Ok(left_alone("several_people")),
            Addressee::Nobody => return Ok(left_alone("nobody")),
        };
        let mail = PersonalMail {
            caller: RaceCaller::Mail(account),
            after,
            key,
            is_last_try: is_old,
        };
        if pasted == Err(LinkProblem::Incomplete) {
            return self.unused(&mail, None, UnusedMail::Incomplete).await;
        }
        let Ok(found) = races.livetrack.find_all(&letter.text) else {
            return Ok(MailEnd::LeftAlone);
        };
        let mut links = complete_links(&found);
        // Garmin's mails contain short links to other pages, which matter only without a complete link.
        if let (true, Some(pasted)) = (links.is_empty(), found.into_iter().next()) {
            match races.livetrack.resolve(pasted).await {
                Ok(link) => links.push(link),
                Err(ResolveError::Failed(_)) => return self.put_off(&mail).await,
                Err(ResolveError::Bad(_) | ResolveError::NoSession) => return Ok(MailEnd::LeftAlone),
            }
        }
        self.follow(&mail, &links).await
    }

    /// Everybody who has access, with their addresses.
    fn people(&self) -> Result<Vec<MailPerson>, StoreError> {
        let mut people = Vec::new();
        for account in self.accounts.list()? {
            if OAuth::has_access(&self.races.0.store, &account.id)? {
                people.push(MailPerson {
                    addresses: self.accounts.choices(&account.id)?.mail_addresses,
                    account: account.id,
                    email: account.email,
                });
            }
        }
        Ok(people)
    }

    /// Follows the first link of a person's mail whose session goes on.
    async fn follow(&self, mail: &PersonalMail<'_>, links: &[LiveTrackLink]) -> Result<MailEnd, StoreError> {
        let (races, account) = (&self.races, mail.caller.account());
        let (open, was_begun) = open_links(races, account, links)?;
        let key = |link| MailedSession::key(account, link);
        let Some(first) = open.first() else {
            return self.finish(mail, links.first().map(key), None).await;
        };
        let session_key = key(first);
        // One task handles all mails, so the count can't change in between. Beyond the limit, no session is requested.
        let now = races.0.clock.now();
        if !was_begun && MailedSession::count(&races.0.store, account, now)? >= MOST_A_DAY {
            return self.unused(mail, Some(session_key), UnusedMail::TooMany).await;
        }
        let reached = match races.reach_first(&open).await {
            Ok(reached) => reached,
            Err(TrackingError::Store(e)) => return Err(e),
            Err(_) => return self.unused(mail, Some(session_key), UnusedMail::Gone).await,
        };
        let session_key = key(&reached.link);
        let Some(session) = &reached.session else {
            return self.put_off(mail).await;
        };
        if !was_begun && (session.ended_at(races.0.clock.now()).is_some() || session.viewable == Some(false))
        {
            return self.unused(mail, Some(session_key), UnusedMail::Over).await;
        }
        let is_new = races.race_of_link(account, &reached.link)?.is_none();
        let before = if is_new {
            self.predecessor(account, &reached, session).await?
        } else {
            Predecessor::None
        };
        if matches!(before, Predecessor::NotKnownYet) {
            return self.put_off(mail).await;
        }
        if !self.begin(mail, session_key.clone()).await? {
            return Ok(left_alone("access_ended"));
        }
        let started = if let Predecessor::Race(race, title) = before {
            let continued = races.go_on(&mail.caller, &race, reached).await;
            continued.map(|started| LinkStart::continued(started, title))
        } else {
            by_link::start(races, &mail.caller, reached, LinkWay::Mail).await
        };
        let mut start = match started {
            Ok(start) => start,
            Err(TrackingError::Store(e)) => return Err(e),
            Err(TrackingError::AccessEnded) => return Ok(left_alone("access_ended")),
            Err(problem) => {
                let refused = UnusedMail::Refused(by_link::failed(&problem.to_string()));
                return self.unused(mail, Some(session_key), refused).await;
            }
        };
        if was_begun && start.started.outcome == StartOutcome::Known {
            start.was_started_before_a_crash();
        }
        let message = self.message(mail, &session_key, &start).await;
        let end = self.finish(mail, Some(session_key), Some(message)).await?;
        tracing::info!(account.id = %account, race.id = %start.started.race, "mailbox.race_started");
        Ok(end)
    }

    /// Garmin does not answer: the mail waits, unless its link has expired meanwhile.
    async fn put_off(&self, mail: &PersonalMail<'_>) -> Result<MailEnd, StoreError> {
        if mail.is_last_try {
            return self.unused(mail, None, UnusedMail::NoAnswer).await;
        }
        Ok(MailEnd::PutOff)
    }

    /// Stores that a session came by mail, before anything is done about it. Returns whether the person has access.
    async fn begin(&self, mail: &PersonalMail<'_>, session: Vec<u8>) -> Result<bool, StoreError> {
        let (caller, now) = (mail.caller.clone(), self.races.0.clock.now());
        let begun = self.races.0.store.atomic(move |tx| {
            let is_allowed = caller.may_write(tx)?;
            if is_allowed {
                put_session(tx, &session, now, false)?;
            }
            Ok::<_, StoreError>(is_allowed)
        });
        begun.await
    }

    /// The newest race that a session continues.
    async fn predecessor(
        &self,
        account: &AccountId,
        reached: &ReachedLink,
        session: &LiveTrackSession,
    ) -> Result<Predecessor, StoreError> {
        let (races, now) = (&self.races.0, self.races.0.clock.now());
        let mut known = Vec::new();
        for id in self.races.ids_of(account)? {
            let row: Option<RaceRow> = races.store.find(id.key())?;
            let progress: Option<RaceProgress> = races.store.find(id.key())?;
            known.extend(row.zip(progress).map(|(row, progress)| (id, row, progress.watch)));
        }
        known.sort_by_key(|(_, row, _)| std::cmp::Reverse(row.created_at));
        for (id, row, watch) in known {
            let succession = succession(session, &watch, now);
            if succession == Succession::No {
                continue;
            }
            let state = match races.watched_race(&id) {
                Some(race) => Some(race.state()),
                None => races.past_race(&id)?,
            };
            let track = state.as_ref().map(|state| &state.track);
            let is_silent = track.and_then(|track| watch.silence(track)) >= Some(watch.quiet_after());
            let has_ended = match &row.link {
                Some(link) if succession != Succession::Yes => self.has_ended(link, now).await,
                _ => true,
            };
            let last = track.and_then(|track| {
                let last = track.last?;
                Some(Sighting {
                    at: track.true_time(last.at),
                    position: last.position?,
                })
            });
            let sightings = last.zip(self.first_seen(&reached.link).await);
            let is_near = sightings.map(|(last, new)| left_off_here(last, new));
            match is_near {
                Some(false) => {}
                Some(true) if has_ended || is_silent => {
                    let title = race_title(watch.session.as_ref(), &row.settings);
                    return Ok(Predecessor::Race(id, title));
                }
                // The old session may still fall silent, and the new one may still report a position.
                _ if session.start.is_some_and(|at| now.duration_since(at) < UNDECIDED) => {
                    return Ok(Predecessor::NotKnownYet);
                }
                _ => {}
            }
        }
        Ok(Predecessor::None)
    }

    /// Whether Garmin says that a session is over. Without an answer, it counts as going on.
    async fn has_ended(&self, link: &LiveTrackLink, now: Timestamp) -> bool {
        match self.races.0.livetrack.session(link).await {
            Ok(session) => session.ended_at(now).is_some(),
            Err(e) => e == LiveTrackError::Gone,
        }
    }

    /// The first position that a session reports, with its time.
    async fn first_seen(&self, link: &LiveTrackLink) -> Option<Sighting> {
        let batch = self.races.0.livetrack.points(link, None).await.ok()?;
        batch.points.iter().find_map(|point| {
            Some(Sighting {
                at: point.at,
                position: point.position?,
            })
        })
    }

    /// The message about a race that a mail started, with the link to its page.
    async fn message(&self, mail: &PersonalMail<'_>, session: &[u8], start: &LinkStart) -> PhoneMessage {
        let started = &start.started;
        let link = if started.outcome != StartOutcome::New || self.is_local {
            None
        } else {
            let terms = ShareTerms::usual(ShareRole::Family);
            self.races.share(&mail.caller, &started.race, terms).await.ok()
        };
        let link = link.as_ref().map(|link| link.url.expose());
        PhoneMessage {
            account: mail.caller.account().clone(),
            to: None,
            subject: MessageSubject::Race(started.race.clone()),
            severity: Severity::Notice,
            title: TITLE.to_owned(),
            key: format!("mail:{}", STANDARD_NO_PAD.encode(session)),
            text: by_link::told(start, link, LinkWay::Mail),
        }
    }

    /// Tells the person why their mail started nothing: once a day for each reason, because anybody can send mails.
    async fn unused(
        &self,
        mail: &PersonalMail<'_>,
        session: Option<Vec<u8>>,
        why: UnusedMail,
    ) -> Result<MailEnd, StoreError> {
        let account = mail.caller.account();
        tracing::warn!(account.id = %account, reason = why.name(), "mailbox.mail_unused");
        let day = self.races.0.clock.now().strftime("%Y-%m-%d");
        let message = PhoneMessage {
            account: account.clone(),
            to: None,
            subject: MessageSubject::Mail,
            severity: Severity::Notice,
            title: TITLE.to_owned(),
            key: format!("{}:{day}", why.name()),
            text: why.told(),
        };
        self.finish(mail, session, Some(message)).await
    }

    /// Stores that a mail was handled, together with the message about it.
    async fn finish(
        &self,
        mail: &PersonalMail<'_>,
        session: Option<Vec<u8>>,
        message: Option<PhoneMessage>,
    ) -> Result<MailEnd, StoreError> {
        let (caller, now, notifier) = (
            mail.caller.clone(),
            self.races.0.clock.now(),
            self.races.0.notifier.clone(),
        );
        let (key, after) = (mail.key, mail.after.clone());
        let finished = self.races.0.store.atomic(move |tx| {
            tx.put(&key, &after)?;
            if !caller.may_write(tx)? {
                return Ok(());
            }
            MailedSession::sweep(tx, now)?;
            if let Some(session) = session {
                put_session(tx, &session, now, true)?;
            }
            match message {
                Some(message) => notifier.push(tx, &message),
                None => Ok::<_, StoreError>(()),
            }
        });
        finished.await?;
        self.races.0.notifier.wake();
        Ok(MailEnd::Taken)
    }
}

/// The race that a session continues.
enum Predecessor {
    None,
    /// The race's own session still goes on, or the new session has no position yet.
    NotKnownYet,
    /// The race that goes on, and its title for the message.
    Race(RaceId, String),
}

/// Stores a session. A known session keeps the time when it first came.
fn put_session(tx: &mut Tx<'_>, key: &[u8], now: Timestamp, is_done: bool) -> Result<(), StoreError> {
    let known = tx.find::<MailedSession>(key)?;
    let at = known.map_or(now, |known| known.at);
    tx.put(key, &MailedSession { at, is_done })
}

fn left_alone(reason: &'static str) -> MailEnd {
    tracing::warn!(reason, "mailbox.mail_unused");
    MailEnd::LeftAlone
}
