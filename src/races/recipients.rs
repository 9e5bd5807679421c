//! The recipients of a race with phones of their own. They are checked before the plan is stored, and invited
//! afterwards.

use super::caller::RaceCaller;
use super::registry::Races;
use crate::accounts::AccountId;
use crate::base::secrets::Secret;
use crate::oauth::OAuth;
use crate::race::alerts::Voice;
use crate::race::fields::{BadField, BadFields};
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::race::recipients::{InvitedChatId, Recipient, RecipientPhone};
use crate::store::StoreError;

/// An invitation to read a race in Telegram. The person passes it on to the recipient.
#[derive(Clone, Debug)]
pub struct ChatInvitation {
    /// The recipient's name; without one, the role.
    pub to: String,
    pub id: InvitedChatId,
    /// The link that the recipient opens. If the bot's name is unknown, the text that they write to the bot.
    pub link: Secret,
}

/// Why the recipients of a plan were not accepted.
pub(super) enum RecipientProblem {
    Fields(BadFields),
    Store(StoreError),
}

impl From<StoreError> for RecipientProblem {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

fn bad(place: usize, field: &str, why: impl Into<String>) -> RecipientProblem {
    RecipientProblem::Fields(BadFields(vec![BadField {
        field: format!("recipients[{place}].{field}"),
        why: why.into(),
    }]))
}

impl Races {
    /// Checks the phones of a plan that will be stored, and sends a first message to those that `before` does not have.
    /// Recipients who are to be invited get the ids of their invitations. Waits for Telegram and ntfy.
    pub(super) async fn prepare_recipients(
        &self,
        account: &AccountId,
        before: &[Recipient],
        plan: &mut RacePlan,
        title: &str,
    ) -> Result<(), RecipientProblem> {
        let notifier = &self.0.notifier;
        for (place, recipient) in plan.recipients.iter_mut().enumerate() {
            let is_known = before.iter().any(|known| known.phone == recipient.phone);
            match &recipient.phone {
                Some(phone) if !is_known && notifier.is_own_phone(account, phone)? => {
                    let why = "is the phone that gets the person's own messages; leave it out, and the recipient reads it there";
                    let field = match phone {
                        RecipientPhone::Ntfy(_) => "ntfy_topic",
                        _ => "telegram",
                    };
                    return Err(bad(place, field, why));
                }
                Some(RecipientPhone::Invite) if !notifier.can_invite() => {
                    let why = "this gateway has no Telegram bot that reads messages; its operator can set \
                               TELEGRAM_BOT_TOKEN, and TELEGRAM_LISTEN to true. Use ntfy_topic, or no phone";
                    return Err(bad(place, "telegram", why));
                }
                Some(RecipientPhone::Invite) => {
                    recipient.phone = Some(RecipientPhone::Invited(InvitedChatId::random()));
                }
                Some(RecipientPhone::Invited(id)) if notifier.is_linked(account, id)?.is_none() => {
                    let why =
                        "there is no such invited chat, or it has left; use \"invite\" for a new invitation";
                    return Err(bad(place, "telegram", why));
                }
                Some(RecipientPhone::Telegram(chat)) if !is_known && !self.is_of_circle(chat)? => {
                    let why = "messages go only to chats of people in this circle, or to invited ones. Use \"invite\": the \
                               answer has a link, and whoever opens it gets the messages";
                    return Err(bad(place, "telegram", why));
                }
                _ => {}
            }
        }
        let (mut places, mut phones) = (Vec::new(), Vec::new());
        for (place, recipient) in plan.recipients.iter().enumerate() {
            let is_known = before.iter().any(|known| known.phone == recipient.phone);
            let Some(phone @ (RecipientPhone::Ntfy(_) | RecipientPhone::Telegram(_))) = &recipient.phone
            else {
                continue;
            };
            if !is_known {
                places.push(place);
                let voice = Voice::new(recipient.language.as_deref(), recipient.units);
                phones.push((phone, voice.arrive_here(title)));
            }
        }
        let greeted = notifier.greet(account, &phones).await;
        greeted.map_err(|(index, problem)| {
            let place = places.get(index).copied().unwrap_or_default();
            let text = problem.to_string();
            match text.split_once(": ") {
                Some((field @ ("telegram" | "ntfy_topic"), why)) => bad(place, field, why),
                _ => bad(place, "phone", text),
            }
        })
    }

    /// Whether a chat belongs to somebody who has access.
    fn is_of_circle(&self, chat: &str) -> Result<bool, StoreError> {
        for person in self.0.notifier.people_at(chat)? {
            if OAuth::has_access(&self.0.store, &person)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes the invitations of a race that were not made yet. Returns none if the caller's access has ended. Errors:
    /// the store's.
    pub(super) async fn invite(
        &self,
        caller: &RaceCaller,
        race: &RaceId,
    ) -> Result<Vec<ChatInvitation>, StoreError> {
        let Some(view) = self.view(caller.account(), race)? else {
            return Ok(Vec::new());
        };
        let mut wanted = Vec::new();
        for recipient in &view.snapshot.settings.recipients {
            if let Some(RecipientPhone::Invited(id)) = &recipient.phone
                && self.0.notifier.is_linked(caller.account(), id)?.is_none()
            {
                wanted.push((recipient.clone(), id.clone()));
            }
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let bot = self.0.notifier.bot_name().await;
        let (notifier, title, writer) = (self.0.notifier.clone(), view.snapshot.title(), caller.clone());
        let invited = self.0.store.atomic(move |tx| {
            let mut invited = Vec::new();
            if !writer.may_write(tx)? {
                return Ok(invited);
            }
            for (recipient, id) in wanted {
                let code = notifier.invite(tx, writer.account(), &id, &recipient, &title)?;
                invited.push((recipient.called().to_owned(), id, code));
            }
            Ok::<_, StoreError>(invited)
        });
        let link = |code: Secret| match &bot {
            Some(bot) => Secret::new(format!("https://t.me/{bot}?start={}", code.expose())),
            None => Secret::new(format!("/start {}", code.expose())),
        };
        let invited = invited.await?.into_iter();
        let invited = invited.map(|(to, id, code)| ChatInvitation {
            to,
            id,
            link: link(code),
        });
        Ok(invited.collect())
    }

    /// The recipients of a race who get no messages, because they have not taken up their invitation or have left.
    pub(super) fn waiting_recipients(
        &self,
        account: &AccountId,
        recipients: &[Recipient],
    ) -> Result<Vec<String>, StoreError> {
        let mut waiting = Vec::new();
        for recipient in recipients {
            if let Some(RecipientPhone::Invited(id)) = &recipient.phone
                && self.0.notifier.is_linked(account, id)? != Some(true)
            {
                waiting.push(recipient.called().to_owned());
            }
        }
        Ok(waiting)
    }
}
