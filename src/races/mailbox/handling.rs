//! What one mail does: start a race, continue one, tell why not, or nothing.
//!
//! A mail is handled in three steps, so that a crash between them repeats nothing and loses nothing: the session is
//! stored as begun; the race is started, which finds the race if it was started already; and the message, the end of the
//! handling and the position in the mailbox are stored at once.

use jiff::Timestamp;
use parking_lot::Mutex;

use super::addressee::{Addressee, MailPerson, addressee};
use super::connection::FetchedMail;
use super::letter::Letter;
use super::position::{MAIL_LIFE, MailboxPosition, MailedSession};
use super::successor::{Succession, succession};
use super::wording::UnusedMail;
use crate::accounts::Accounts;
use crate::garmin::livetrack::{LinkProblem, LiveTrackError, LiveTrackLink, PastedLink, ResolveError};
use crate::notify::message::{MessageSubject, PhoneMessage};
use crate::oauth::OAuth;
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::race::share::{ShareRole, ShareTerms};
use crate::races::by_link::{self, LinkStart, LinkWay};
use crate::races::caller::RaceCaller;
use crate::races::registry::Races;
use crate::races::start::{ReachedLink, TrackingError};
use crate::store::{StoreError, Tx};

/// Sessions that are followed for one person in 24 hours. Whoever sends more mails than these has no races in mind.
const MOST_A_DAY: usize = 12;

/// The title of the messages. Their text names the athlete.
const TITLE: &str = "LiveTrack";

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailEnd {
    /// It has no LiveTrack link, is too old, or is nobody's. It stays unread.
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
    /// Handles a mail. `after`: the position to store with it.
    pub(super) async fn handle(
        &self,
        mail: &FetchedMail,
        key: [u8; 32],
        after: &MailboxPosition,
    ) -> Result<MailEnd, StoreError> {
        let (races, now) = (&self.races.0, self.races.0.clock.now());
        let age = mail.received_at.map(|at| now.duration_since(at));
        if age.is_some_and(|age| age >= MAIL_LIFE) {
            return Ok(MailEnd::LeftAlone);
        }
        let letter = Letter::read(&mail.bytes);
        let pasted = races.livetrack.find(&letter.text);
        match &pasted {
            Ok(PastedLink::Complete(_)) | Err(LinkProblem::Incomplete) => {}
            // Other mails of Garmin's have short links too.
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
            caller: RaceCaller::Chat(account),
            after,
            key,
        };
        if pasted == Err(LinkProblem::Incomplete) {
            return self.unused(&mail, None, UnusedMail::Incomplete).await;
        }
        match races.livetrack.resolve(&letter.text).await {
            Ok(link) => self.follow(&mail, link).await,
            Err(ResolveError::Failed(_)) => Ok(MailEnd::PutOff),
            Err(ResolveError::Bad(_) | ResolveError::NoSession) => Ok(MailEnd::LeftAlone),
        }
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

    /// Follows the link of a person's mail.
    async fn follow(&self, mail: &PersonalMail<'_>, link: LiveTrackLink) -> Result<MailEnd, StoreError> {
        let (races, account) = (&self.races, mail.caller.account());
        let session_key = MailedSession::key(account, &link);
        let known: Option<MailedSession> = races.0.store.find(&session_key)?;
        if known.as_ref().is_some_and(|session| session.is_done) {
            return self.finish(mail, Some(session_key), None).await;
        }
        let was_begun = known.is_some();
        // The person was faster than the mail.
        if !was_begun && races.race_of_link(account, &link)?.is_some() {
            return self.finish(mail, Some(session_key), None).await;
        }
        // One task handles all mails, so no other mail comes in between. Garmin is not asked for a flood of them.
        let now = races.0.clock.now();
        if !was_begun && MailedSession::count(&races.0.store, account, now)? >= MOST_A_DAY {
            return self.unused(mail, Some(session_key), UnusedMail::TooMany).await;
        }
        let reached = match races.reach_link(link).await {
            Ok(reached) => reached,
            Err(TrackingError::Store(e)) => return Err(e),
            Err(_) => return self.unused(mail, Some(session_key), UnusedMail::Gone).await,
        };
        let Some(session) = &reached.session else {
            return Ok(MailEnd::PutOff);
        };
        if !was_begun && (session.ended_at(races.0.clock.now()).is_some() || session.viewable == Some(false))
        {
            return self.unused(mail, Some(session_key), UnusedMail::Over).await;
        }
        if !self.begin(mail, session_key.clone()).await? {
            return Ok(left_alone("access_ended"));
        }
        let mut start = match self.start_or_go_on(mail, reached).await {
            Ok(start) => start,
            Err(TrackingError::Store(e)) => return Err(e),
            Err(TrackingError::AccessEnded) => return Ok(left_alone("access_ended")),
            Err(problem) => {
                let refused = UnusedMail::Refused(by_link::failed(&problem.to_string()));
                return self.unused(mail, Some(session_key), refused).await;
            }
        };
        // Not known before, but found again after a crash.
        start.started.known &= !was_begun;
        let message = self.message(mail, &start).await;
        let end = self.finish(mail, Some(session_key), Some(message)).await?;
        tracing::info!(account.id = %account, race.id = %start.started.race, "mailbox.race_started");
        Ok(end)
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

    /// Continues the race that this session succeeds; else starts one.
    async fn start_or_go_on(
        &self,
        mail: &PersonalMail<'_>,
        reached: ReachedLink,
    ) -> Result<LinkStart, TrackingError> {
        let (races, account) = (&self.races, mail.caller.account());
        let (Some(session), now) = (&reached.session, races.0.clock.now()) else {
            return by_link::start(races, &mail.caller, reached, LinkWay::Mail).await;
        };
        if races.race_of_link(account, &reached.link)?.is_none() {
            for race in races.list(account)? {
                let found = match succession(session, &race.snapshot.watch, now) {
                    Succession::No => false,
                    Succession::Yes => true,
                    Succession::IfEnded => self.has_ended(&race.snapshot.race, now).await?,
                };
                if found {
                    let started = races.go_on(&mail.caller, &race.snapshot.race, reached).await?;
                    return Ok(LinkStart::continued(started, race.snapshot.title()));
                }
            }
        }
        by_link::start(races, &mail.caller, reached, LinkWay::Mail).await
    }

    /// Whether Garmin says that the session of a race is over. Without an answer it is not.
    async fn has_ended(&self, race: &RaceId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(link) = self.races.link_of(race)? else {
            return Ok(false);
        };
        Ok(match self.races.0.livetrack.session(&link).await {
            Ok(session) => session.ended_at(now).is_some(),
            Err(LiveTrackError::Gone) => true,
            Err(_) => false,
        })
    }

    /// What is told about a race that a mail started, with the link to its page.
    async fn message(&self, mail: &PersonalMail<'_>, start: &LinkStart) -> PhoneMessage {
        let started = &start.started;
        let link = if started.known || started.continued || self.is_local {
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
            key: format!("mail:{}", mail.after.next),
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

    /// Stores that a mail was handled, with what is told about it.
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

/// Stores a session. One that came before keeps its time.
fn put_session(tx: &mut Tx<'_>, key: &[u8], now: Timestamp, is_done: bool) -> Result<(), StoreError> {
    let known = tx.find::<MailedSession>(key)?;
    let at = known.map_or(now, |known| known.at);
    tx.put(key, &MailedSession { at, is_done })
}

fn left_alone(reason: &'static str) -> MailEnd {
    tracing::warn!(reason, "mailbox.mail_unused");
    MailEnd::LeftAlone
}
