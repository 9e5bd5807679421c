//! The loop of the bot: takes an update, decides about it, and carries out the decision.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::buttons::{StopChoice, stop_buttons};
use super::command::{self, MuteWish};
use super::decision::{ChatAct, ChatPeople, decide};
use super::strangers::Strangers;
use super::{sharing, wording};
use crate::accounts::AccountId;
use crate::advice::Advice;
use crate::base::lifecycle::Lifecycle;
use crate::notify::Notifier;
use crate::notify::bot::{BotChat, BotListener, BotReply, BotUpdate, ButtonPress, UpdateContent};
use crate::oauth::OAuth;
use crate::race::ending::EndReason;
use crate::race::id::RaceId;
use crate::race::page::PageWords;
use crate::race::share::{ShareRole, ShareTerms};
use crate::races::acts::RaceActError;
use crate::races::by_link::{self, LinkWay};
use crate::races::caller::RaceCaller;
use crate::races::registry::{RaceOverview, Races};
use crate::races::started::{StartOutcome, TrackingError};
use crate::store::{StoreError, Tx};

/// How many links are followed at the same time. Each waits for Garmin.
const MOST_STARTS: usize = 4;

/// Pause after the store could not be read.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// Answers what people write to the Telegram bot. Clones share everything.
#[derive(Clone)]
pub struct RaceBot(Arc<RaceBotState>);

struct RaceBotState {
    races: Races,
    advice: Advice,
    notifier: Notifier,
    lifecycle: Lifecycle,
    strangers: Mutex<Strangers>,
    starts: Arc<Semaphore>,
    /// Whether only this machine can open the links to pages.
    is_local: bool,
}

impl RaceBot {
    /// Starts the task that reads and answers. `is_local`: whether the public address is one of this machine only.
    pub fn start(
        races: Races,
        advice: Advice,
        mut listener: BotListener,
        is_local: bool,
        lifecycle: &Lifecycle,
    ) {
        let bot = Self(Arc::new(RaceBotState {
            notifier: races.0.notifier.clone(),
            races,
            advice,
            lifecycle: lifecycle.clone(),
            strangers: Mutex::default(),
            starts: Arc::new(Semaphore::new(MOST_STARTS)),
            is_local,
        }));
        let stopping = lifecycle.stopping();
        lifecycle.spawn("telegram bot", async move {
            while let Some(updates) = listener.next().await {
                for update in updates {
                    tokio::select! {
                        biased;
                        () = stopping.cancelled() => return,
                        () = bot.handle(&listener, update) => {}
                    }
                }
            }
        });
    }

    async fn handle(&self, listener: &BotListener, update: BotUpdate) {
        let state = &self.0;
        let BotUpdate { chat, content, .. } = &update;
        let before = self.people(&update).await;
        let is_for_us = self.is_for_us(content, &before).await;
        let find = |text: &str| state.races.0.livetrack.find(text);
        let act = decide(content.clone(), &before, find, is_for_us);
        if act == ChatAct::Ignore {
            return;
        }
        let is_turned_away = act == ChatAct::TurnAway;
        if is_turned_away && !state.strangers.lock().admits(chat.id, state.races.0.clock.now()) {
            return;
        }
        if listener.take(&update).await.is_none() {
            return;
        }
        // Access may have ended meanwhile.
        let people = self.people(&update).await;
        let act = if people == before {
            act
        } else {
            decide(content.clone(), &people, find, is_for_us)
        };
        let language = update.sender.language.as_deref().unwrap_or_default();
        let words = PageWords::wanted(language);
        let done = self.carry_out(act, chat, &people, words).await;
        let reply = match done {
            Ok(Some(reply)) => reply,
            Ok(None) => return,
            Err(e) => {
                store_failed(&e);
                wording::STORE_FAILED.to_owned().into()
            }
        };
        state.notifier.reply(chat, &reply).await;
    }

    /// A command in a group may name another bot. A stranger can't make the gateway ask Telegram for the bot's own
    /// name.
    async fn is_for_us(&self, content: &UpdateContent, people: &ChatPeople) -> bool {
        let UpdateContent::Text { text, .. } = content else {
            return true;
        };
        let Some(named) = command::read(text).and_then(|read| read.bot) else {
            return true;
        };
        if people.owners.is_empty() {
            return false;
        }
        let own = self.0.notifier.bot_name().await;
        own.is_none_or(|own| own.eq_ignore_ascii_case(&named))
    }

    /// The people behind a chat who have access now. Waits while the store can't be read, so that nobody is taken for a
    /// stranger.
    async fn people(&self, update: &BotUpdate) -> ChatPeople {
        loop {
            match self.find_people(update) {
                Ok(people) => return people,
                Err(e) => store_failed(&e),
            }
            tokio::time::sleep(STORE_RETRY).await;
        }
    }

    fn find_people(&self, update: &BotUpdate) -> Result<ChatPeople, StoreError> {
        let (notifier, store) = (&self.0.notifier, &self.0.races.0.store);
        let with_access = |people: Vec<AccountId>| {
            let mut kept = Vec::new();
            for account in people {
                if OAuth::has_access(store, &account)? {
                    kept.push(account);
                }
            }
            Ok::<_, StoreError>(kept)
        };
        Ok(ChatPeople {
            owners: with_access(notifier.people_of(&update.chat)?)?,
            sender: with_access(notifier.people_who_are(&update.sender)?)?,
            is_private: update.chat.is_private,
            is_reader: notifier.reads_by_invitation(&update.chat)?,
        })
    }

    /// Carries out a decision. Returns the answer to the chat, if there is one.
    async fn carry_out(
        &self,
        act: ChatAct,
        chat: &BotChat,
        people: &ChatPeople,
        words: &'static PageWords,
    ) -> Result<Option<BotReply>, StoreError> {
        let owners = &people.owners;
        let fixed = |text: &str| text.to_owned();
        let text = match act {
            ChatAct::Ignore => return Ok(None),
            ChatAct::TurnAway => fixed(wording::UNKNOWN_CHAT),
            ChatAct::Join(code) => return self.join(&code, chat, people, words).await,
            ChatAct::Leave => {
                let left = self.0.notifier.leave(chat).await?;
                fixed(left.unwrap_or(wording::READER_HINT))
            }
            ChatAct::ReaderHint => fixed(wording::READER_HINT),
            ChatAct::Refuse => fixed(wording::ONLY_KNOWN),
            ChatAct::Hint => fixed(wording::HINT),
            ChatAct::Help => fixed(wording::HELP),
            ChatAct::NotInvited => fixed(words.chat.not_invited),
            ChatAct::NoFiles => fixed(words.chat.no_files),
            ChatAct::ShareHow => fixed(words.chat.share_how),
            ChatAct::UnknownCommand => fixed(wording::NO_SUCH_COMMAND),
            ChatAct::WhoseRace => fixed(wording::WHOSE_RACE),
            ChatAct::BadLink(problem) => by_link::failed(&problem.to_string()),
            ChatAct::Release(press) => {
                self.0.notifier.answer_press(&press, "").await;
                return Ok(None);
            }
            ChatAct::RefusePress(press) => {
                self.0.notifier.answer_press(&press, wording::ONLY_KNOWN).await;
                return Ok(None);
            }
            ChatAct::Status => self.status(owners, words)?,
            ChatAct::Eta(place) => wording::eta(&self.running(owners)?, place.as_deref(), words),
            ChatAct::PassesAt(place) => wording::passes_at(&self.running(owners)?, place, words),
            ChatAct::Why => self.0.advice.why(owners)?,
            ChatAct::OwnPage => wording::own_page(&self.0.races.0.public_url, self.0.is_local),
            ChatAct::Mute(wish) => self.mute(&wish, chat, owners).await?,
            ChatAct::Share { another } => {
                let running = self.running(owners)?;
                sharing::share(&self.0.races, &running, another, self.0.is_local, words).await?
            }
            ChatAct::JoinLink { athlete, link, name } => {
                let running = self.running(&[athlete])?;
                sharing::join(&self.0.races, running.first(), &link, name.as_deref(), words).await?
            }
            ChatAct::AskToStop => return Ok(Some(self.ask_to_stop(owners, words)?)),
            ChatAct::Press(press) => {
                self.press(&press, chat, owners).await?;
                return Ok(None);
            }
            ChatAct::Start { athlete, text } => return Ok(self.start_race(athlete, text, chat)),
        };
        Ok(Some(text.into()))
    }

    /// Accepts an invitation. A wrong code is answered as rarely as any unknown chat.
    async fn join(
        &self,
        code: &str,
        chat: &BotChat,
        people: &ChatPeople,
        words: &PageWords,
    ) -> Result<Option<BotReply>, StoreError> {
        let is_allowed = |tx: &Tx<'_>, account: &AccountId| OAuth::has_access_within(tx, account);
        let accepted = self.0.notifier.accept_invitation(code, chat, is_allowed).await?;
        if let Some(answer) = accepted {
            return Ok(Some(answer.into()));
        }
        // Whoever accepted and presses Start again finds the code used up.
        if people.is_reader {
            return Ok(Some(words.chat.already_linked.to_owned().into()));
        }
        let now = self.0.races.0.clock.now();
        let is_admitted = self.0.strangers.lock().admits(chat.id, now);
        Ok(is_admitted.then(|| wording::NO_INVITATION.to_owned().into()))
    }

    /// The races of these people that are watched, and were not stopped by hand.
    fn running(&self, people: &[AccountId]) -> Result<Vec<RaceOverview>, StoreError> {
        let mut running = Vec::new();
        for account in people {
            running.extend(self.0.races.watched(account)?);
        }
        running.retain(|race| race.snapshot.watch.over() != Some(EndReason::ByHand));
        Ok(running)
    }

    /// How the watched races stand; without one, how the newest race ended.
    fn status(&self, people: &[AccountId], words: &'static PageWords) -> Result<String, StoreError> {
        let running = self.running(people)?;
        let newest = match people {
            [account] if running.is_empty() => self.0.races.newest(account)?,
            _ => None,
        };
        Ok(match newest {
            Some(newest) => {
                let last = wording::status(&[newest], words);
                format!("{}\n{last}", words.chat.no_race)
            }
            None => wording::status(&running, words),
        })
    }

    async fn mute(
        &self,
        wish: &MuteWish,
        chat: &BotChat,
        people: &[AccountId],
    ) -> Result<String, StoreError> {
        let now = self.0.races.0.clock.now();
        let until = match wish {
            MuteWish::Unclear => return Ok(wording::MUTE_HOW.to_owned()),
            MuteWish::Off => None,
            MuteWish::For(time) => now.checked_add(*time).ok(),
        };
        self.0.notifier.mute_chat(chat, until).await?;
        let Some(until) = until else {
            return Ok(wording::UNMUTED.to_owned());
        };
        let running = self.running(people)?;
        let of_race = running.first().map(|race| race.snapshot.settings.zone());
        let usual = self.0.races.0.time_zone.as_deref();
        let usual = usual.and_then(|name| TimeZone::get(name).ok());
        let zone = of_race.or(usual).unwrap_or(TimeZone::UTC);
        Ok(wording::muted(until, now, &zone))
    }

    fn ask_to_stop(&self, people: &[AccountId], words: &PageWords) -> Result<BotReply, StoreError> {
        let running = self.running(people)?;
        let ids = running.iter().map(|race| race.snapshot.race.clone());
        let races: Vec<_> = ids.zip(wording::titles(&running)).collect();
        if races.is_empty() {
            return Ok(words.chat.no_race.to_owned().into());
        }
        let titles: Vec<_> = races.iter().map(|(_, title)| title.clone()).collect();
        Ok(BotReply {
            text: wording::ask_to_stop(&titles),
            buttons: stop_buttons(&races),
        })
    }

    /// Carries out a pressed button. The result replaces the question in the chat.
    async fn press(
        &self,
        press: &ButtonPress,
        chat: &BotChat,
        people: &[AccountId],
    ) -> Result<(), StoreError> {
        let text = match StopChoice::read(&press.data) {
            None => wording::STALE_BUTTON.to_owned(),
            Some(StopChoice::Keep) => wording::KEPT.to_owned(),
            Some(StopChoice::Stop(race)) => self.stop(&race, people).await?,
        };
        self.0.notifier.answer_press(press, &text).await;
        self.0.notifier.replace_message(chat, press, &text).await;
        Ok(())
    }

    async fn stop(&self, race: &RaceId, people: &[AccountId]) -> Result<String, StoreError> {
        let running = self.running(people)?;
        let found = running.iter().find(|running| running.snapshot.race == *race);
        let Some(found) = found else {
            return Ok(wording::STALE_BUTTON.to_owned());
        };
        let account = &found.snapshot.account;
        match self.0.races.stop_tracking(account, race).await {
            Ok(_) => {
                tracing::info!(race.id = %race, account.id = %account, "race.stopped_in_chat");
                Ok(wording::stopped(&found.snapshot.title()))
            }
            Err(RaceActError::Store(e)) => Err(e),
            Err(_) => Ok(wording::STALE_BUTTON.to_owned()),
        }
    }

    /// Follows a link in a task of its own, because Garmin may be slow and others wait.
    fn start_race(&self, athlete: AccountId, text: String, chat: &BotChat) -> Option<BotReply> {
        let Ok(permit) = Arc::clone(&self.0.starts).try_acquire_owned() else {
            return Some(wording::BUSY.to_owned().into());
        };
        let (bot, chat, stopping) = (self.clone(), chat.clone(), self.0.lifecycle.stopping());
        self.0.lifecycle.spawn("telegram link", async move {
            let reply = tokio::select! {
                () = stopping.cancelled() => return,
                reply = bot.started(athlete, &text) => reply,
            };
            drop(permit);
            bot.0.notifier.reply(&chat, &reply.into()).await;
        });
        None
    }

    /// Starts a race. Returns the answer, which says what is watched.
    async fn started(&self, athlete: AccountId, text: &str) -> String {
        let caller = RaceCaller::Chat(athlete);
        let races = &self.0.races;
        let start = async {
            let reached = races.reach(text).await?;
            by_link::start(races, &caller, reached, LinkWay::Chat).await
        };
        let start = match start.await {
            Ok(start) => start,
            Err(TrackingError::Store(e)) => {
                store_failed(&e);
                return wording::STORE_FAILED.to_owned();
            }
            Err(TrackingError::AccessEnded) => return wording::ENDED_ACCESS.to_owned(),
            Err(other) => return by_link::failed(&other.to_string()),
        };
        let started = &start.started;
        let is_new = started.outcome == StartOutcome::New;
        let link = if is_new && !self.0.is_local {
            let terms = ShareTerms::usual(ShareRole::Family);
            races.share(&caller, &started.race, terms).await.ok()
        } else {
            None
        };
        let link = link.as_ref().map(|link| link.url.expose());
        by_link::told(&start, link, LinkWay::Chat)
    }
}

fn store_failed(e: &StoreError) {
    tracing::error!(reason = %e, "race.chat_failed");
}
