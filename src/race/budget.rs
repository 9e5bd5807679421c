//! How many messages of a race go to which phone. Pure.
//!
//! A phone that rings too often is switched off. So a family gets at most three messages an hour, with the finish among
//! them; crew and coach get what they chose.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::race::alerts::{Alert, Severity, Voice};
use crate::race::recipients::{MessageChoice, Recipient, RecipientPhone, RecipientRole};

/// Maximum number of messages in an hour for a family, and for a race without recipients.
pub const FAMILY_PER_HOUR: u32 = 3;

/// Maximum number of messages in an hour for crew and coach who chose nothing.
const OTHERS_PER_HOUR: u32 = 60;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The messages of the last hour to one phone. Stored, so that it survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageBudget {
    sent_at: Vec<Timestamp>,
}

/// The budgets of the recipients with phones of their own, by the key of the phone. Replacing the list of recipients
/// gives no phone a new budget.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecipientBudgets(BTreeMap<String, MessageBudget>);

/// The recipients without a phone of their own, who read the phone of the race's owner.
pub fn readers_of_own_phone(recipients: &[Recipient]) -> Vec<Recipient> {
    let mut readers = recipients.to_vec();
    readers.retain(|recipient| recipient.phone.is_none());
    readers
}

/// The language and units on a phone that these people read: theirs if they agree, else English and metric.
pub fn voice_of(readers: &[Recipient]) -> Voice {
    let mut voices = readers
        .iter()
        .map(|reader| Voice::new(reader.language.as_deref(), reader.units));
    let first = voices.next().unwrap_or_default();
    if voices.all(|voice| voice == first) {
        first
    } else {
        Voice::default()
    }
}

/// Maximum number of messages in an hour on a phone that these people read. The most generous choice counts.
fn per_hour(readers: &[Recipient]) -> u32 {
    let of = |recipient: &Recipient| match (recipient.role, recipient.messages_per_hour) {
        (RecipientRole::Family, chosen) => chosen.unwrap_or(FAMILY_PER_HOUR).min(FAMILY_PER_HOUR),
        (_, chosen) => chosen.unwrap_or(OTHERS_PER_HOUR),
    };
    readers.iter().map(of).max().unwrap_or(FAMILY_PER_HOUR)
}

/// Whether this alert is for somebody with a phone of their own.
fn is_wanted(recipient: &Recipient, alert: &Alert) -> bool {
    match (recipient.role, recipient.messages) {
        (RecipientRole::Family, _) => alert.kind.is_for_family(),
        (RecipientRole::Crew | RecipientRole::Coach, MessageChoice::All) => true,
        (RecipientRole::Crew | RecipientRole::Coach, MessageChoice::Important) => alert.is_important(),
    }
}

impl MessageBudget {
    /// Whether this alert goes to the phone now. Alerts that a person asked for always do. The last message of the hour
    /// is reserved for the end of the race, and the last two are closed to alerts of severity `Info`.
    pub fn admits(&mut self, readers: &[Recipient], alert: &Alert) -> bool {
        let most = per_hour(readers) as usize;
        let room = match alert.severity {
            _ if alert.kind.is_asked_for() => usize::MAX,
            _ if alert.kind.is_end() => most.max(2),
            Severity::Warning | Severity::Notice => most.saturating_sub(1).max(1),
            Severity::Info => most.saturating_sub(2),
        };
        self.spend(alert.at, room)
    }

    /// Counts a message and returns true, unless `room` messages were sent in the last hour.
    fn spend(&mut self, at: Timestamp, room: usize) -> bool {
        let since = at.checked_sub(HOUR).unwrap_or(at);
        self.sent_at.retain(|sent_at| *sent_at > since);
        let has_room = self.sent_at.len() < room;
        if has_room {
            self.sent_at.push(at);
        }
        has_room
    }
}

impl RecipientBudgets {
    /// Whether this alert goes to the phone of this recipient now.
    pub fn admits(&mut self, recipient: &Recipient, phone: &RecipientPhone, alert: &Alert) -> bool {
        let budget = self.0.entry(phone.key()).or_default();
        is_wanted(recipient, alert) && budget.admits(std::slice::from_ref(recipient), alert)
    }

    /// Whether a message of the coach goes to the phone of this recipient now.
    pub fn admits_coach(&mut self, recipient: &Recipient, phone: &RecipientPhone, at: Timestamp) -> bool {
        let budget = self.0.entry(phone.key()).or_default();
        let most = per_hour(std::slice::from_ref(recipient)) as usize;
        recipient.hears_the_coach() && budget.spend(at, most.saturating_sub(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::alerts::AlertKind;
    use crate::race::recipients::Units;
    use crate::race::support::at;

    fn alert(minute: i64, kind: AlertKind, severity: Severity) -> Alert {
        Alert {
            kind,
            severity,
            key: minute.to_string(),
            text: String::new(),
            translations: Vec::new(),
            happened_at: None,
            at: at(minute * 60),
        }
    }

    #[test]
    fn a_family_gets_three_an_hour_with_the_finish_among_them() {
        let mut budget = MessageBudget::default();
        let mut sent = Vec::new();
        for minute in 0..180 {
            let kinds = [
                (AlertKind::Split, Severity::Info),
                (AlertKind::NoSignal, Severity::Notice),
            ];
            for (kind, severity) in kinds {
                if budget.admits(&[], &alert(minute, kind, severity)) {
                    sent.push(minute);
                }
            }
        }
        assert!(budget.admits(&[], &alert(180, AlertKind::Finished, Severity::Notice)));
        sent.push(180);
        for from in 0..180 {
            let within = sent.iter().filter(|at| (from..from + 60).contains(*at)).count();
            assert!(within <= 3, "{sent:?}");
        }
        assert_eq!(sent.len(), 7);
    }

    #[test]
    fn crew_and_coach_get_what_they_chose() {
        let sent = |recipient: Recipient| {
            let mut budget = MessageBudget::default();
            (0..60)
                .filter(|minute| {
                    budget.admits(
                        std::slice::from_ref(&recipient),
                        &alert(*minute, AlertKind::Split, Severity::Notice),
                    )
                })
                .count()
        };
        let of = |role, messages_per_hour| Recipient {
            role,
            messages_per_hour,
            ..Recipient::default()
        };
        assert_eq!(sent(of(RecipientRole::Crew, Some(11))), 10);
        assert_eq!(sent(of(RecipientRole::Coach, None)), 59);
        assert_eq!(sent(of(RecipientRole::Family, Some(20))), 2);
        assert_eq!(sent(of(RecipientRole::Family, Some(1))), 1);
    }

    #[test]
    fn a_phone_of_its_own_gets_what_its_role_and_choice_say() {
        use MessageChoice::{All, Important};

        let phone = RecipientPhone::Ntfy("a".into());
        let sent = |role, messages| {
            let recipient = Recipient {
                role,
                messages,
                phone: Some(phone.clone()),
                ..Recipient::default()
            };
            let mut budgets = RecipientBudgets::default();
            let kinds = [
                (AlertKind::Split, Severity::Info),
                (AlertKind::HrOver, Severity::Notice),
                (AlertKind::NoSignal, Severity::Notice),
                (AlertKind::NoSignal, Severity::Warning),
                (AlertKind::Overdue, Severity::Warning),
                (AlertKind::Finished, Severity::Notice),
            ];
            let told = kinds.into_iter().zip(0..).filter(|((kind, severity), minute)| {
                budgets.admits(&recipient, &phone, &alert(*minute, *kind, *severity))
            });
            told.map(|(_, minute)| minute).collect::<Vec<_>>()
        };
        // A family gets neither body data nor the alerts about places that somebody asked for.
        assert_eq!(sent(RecipientRole::Family, All), [2, 3, 5]);
        assert_eq!(sent(RecipientRole::Family, Important), [2, 3, 5]);
        assert_eq!(sent(RecipientRole::Crew, All), [0, 1, 2, 3, 4, 5]);
        assert_eq!(sent(RecipientRole::Coach, Important), [3, 4, 5]);
    }

    #[test]
    fn a_new_list_gives_a_phone_no_new_budget() {
        let family = |name: &str, topic: &str| Recipient {
            name: Some(name.into()),
            phone: Some(RecipientPhone::Ntfy(topic.into())),
            ..Recipient::default()
        };
        let mut budgets = RecipientBudgets::default();
        let mut admits = |recipient: &Recipient, minute| {
            let stop = alert(minute, AlertKind::Stopped, Severity::Notice);
            budgets.admits(recipient, recipient.phone.as_ref().unwrap(), &stop)
        };
        let told = [0, 1, 2].map(|minute| admits(&family("Ann", "a"), minute));
        assert_eq!(told, [true, true, false]);
        assert!(!admits(&family("Bo", "a"), 3));
        assert!(admits(&family("Bo", "b"), 4));
    }

    #[test]
    fn the_coach_reaches_who_wants_all() {
        let phone = RecipientPhone::Ntfy("a".into());
        let heard = |role, messages, messages_per_hour| {
            let recipient = Recipient {
                role,
                messages,
                messages_per_hour,
                ..Recipient::default()
            };
            let mut budgets = RecipientBudgets::default();
            (0..10)
                .filter(|minute| budgets.admits_coach(&recipient, &phone, at(minute * 60)))
                .count()
        };
        assert_eq!(heard(RecipientRole::Crew, MessageChoice::All, None), 10);
        assert_eq!(heard(RecipientRole::Coach, MessageChoice::All, Some(4)), 3);
        assert_eq!(heard(RecipientRole::Crew, MessageChoice::Important, None), 0);
        assert_eq!(heard(RecipientRole::Family, MessageChoice::All, None), 0);
    }

    #[test]
    fn those_who_share_a_phone_are_told_as_they_agree() {
        let reader = |language: Option<&str>, units| Recipient {
            language: language.map(str::to_owned),
            units,
            ..Recipient::default()
        };
        let german = reader(Some("de-AT"), Units::Imperial);
        let voice = Voice::new(Some("de"), Units::Imperial);
        assert_eq!(voice_of(&[german.clone(), german.clone()]), voice);
        let others = [german, reader(None, Units::Imperial)];
        assert_eq!(voice_of(&others), Voice::default());
        assert_eq!(voice_of(&[]), Voice::default());
    }
}
