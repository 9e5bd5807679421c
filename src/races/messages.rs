//! The messages of a race to each phone, in the language and units of its readers and within its budget; and the
//! clean-up when a recipient is removed.

use jiff::Timestamp;

use super::records::{AccountRace, RaceProgress, RaceRow, account_key};
use crate::accounts::AccountId;
use crate::notify::Notifier;
use crate::notify::message::{MessageSubject, PhoneMessage};
use crate::race::alerts::{Alert, Voice};
use crate::race::budget::{readers_of_own_phone, voice_of};
use crate::race::id::RaceId;
use crate::race::recipients::{Recipient, RecipientPhone};
use crate::store::{StoreError, Tx};

/// The race that messages are about: its owner, its id and its title.
pub(super) struct MessageHead<'a> {
    pub(super) account: &'a AccountId,
    pub(super) race: &'a RaceId,
    pub(super) title: &'a str,
}

/// The recipients without those who have not accepted their invitation. Those get no messages, so their budget is not
/// spent.
pub(super) fn reachable(
    notifier: &Notifier,
    account: &AccountId,
    recipients: &[Recipient],
) -> Result<Vec<Recipient>, StoreError> {
    let mut reachable = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let is_reached = match &recipient.phone {
            Some(RecipientPhone::Invited(id)) => notifier.is_linked(account, id)? == Some(true),
            Some(RecipientPhone::Invite) => false,
            Some(RecipientPhone::Ntfy(_) | RecipientPhone::Telegram(_)) | None => true,
        };
        if is_reached {
            reachable.push(recipient.clone());
        }
    }
    Ok(reachable)
}

/// The messages about alerts, to the person's phone and to the phones of recipients who have their own.
pub(super) fn of_alerts(
    head: &MessageHead<'_>,
    recipients: &[Recipient],
    progress: &mut RaceProgress,
    alerts: &[Alert],
) -> Vec<PhoneMessage> {
    let readers = readers_of_own_phone(recipients);
    let own_voice = voice_of(&readers);
    let message = |alert: &Alert, to: Option<&RecipientPhone>, voice: Voice| PhoneMessage {
        account: head.account.clone(),
        to: to.cloned(),
        subject: MessageSubject::Race(head.race.clone()),
        severity: alert.severity,
        key: alert.key.clone(),
        title: head.title.to_owned(),
        text: alert.told(voice).to_owned(),
    };
    let mut messages = Vec::new();
    for alert in alerts {
        if progress.budget.admits(&readers, alert) {
            messages.push(message(alert, None, own_voice));
        }
        for recipient in recipients {
            let Some(phone) = &recipient.phone else { continue };
            if progress.recipient_budgets.admits(recipient, phone, alert) {
                let voice = Voice::new(recipient.language.as_deref(), recipient.units);
                messages.push(message(alert, Some(phone), voice));
            }
        }
    }
    messages
}

/// Copies of a coach's message for the recipients who have a phone of their own and want such messages.
pub(super) fn of_coach(
    message: &PhoneMessage,
    recipients: &[Recipient],
    progress: &mut RaceProgress,
    at: Timestamp,
) -> Vec<PhoneMessage> {
    let budgets = &mut progress.recipient_budgets;
    let phones = recipients.iter().filter_map(|recipient| {
        let phone = recipient.phone.as_ref()?;
        budgets.admits_coach(recipient, phone, at).then_some(phone)
    });
    let to = |phone: &RecipientPhone| PhoneMessage {
        to: Some(phone.clone()),
        ..message.clone()
    };
    phones.map(to).collect()
}

/// The phones of `before` that `now` lacks.
pub(super) fn dropped_phones(before: &[Recipient], now: &[Recipient]) -> Vec<RecipientPhone> {
    let has = |phone: &RecipientPhone| now.iter().any(|one| one.phone.as_ref() == Some(phone));
    let phones = before.iter().filter_map(|one| one.phone.clone());
    phones.filter(|phone| !has(phone)).collect()
}

/// Removes the queued messages of a race to these phones. An invitation ends too, unless another race of the person
/// uses it.
pub(super) fn drop_phones(
    tx: &mut Tx<'_>,
    account: &AccountId,
    race: &RaceId,
    phones: &[RecipientPhone],
) -> Result<(), StoreError> {
    for phone in phones {
        Notifier::withdraw_from(tx, account, race, phone)?;
        let RecipientPhone::Invited(id) = phone else {
            continue;
        };
        let mut is_elsewhere = false;
        for (_, AccountRace { race: other }) in tx.list::<AccountRace>(&account_key(account, ""))? {
            let row = tx.find::<RaceRow>(other.key())?.filter(|_| other != *race);
            let recipients = row.map_or_else(Vec::new, |row| row.settings.recipients);
            is_elsewhere |= recipients.iter().any(|one| one.phone.as_ref() == Some(phone));
        }
        if !is_elsewhere {
            Notifier::erase_invitation(tx, account, id)?;
        }
    }
    Ok(())
}
