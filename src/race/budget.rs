//! How many messages of a race go to the phone. Pure.
//!
//! A phone that rings too often is switched off. So a family gets at most three messages an hour, with the finish among
//! them; crew and coach get what they chose.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::race::alerts::{Alert, AlertKind, Severity};
use crate::race::recipients::{Recipient, RecipientRole};

/// Maximum number of messages in an hour for a family, and for a race without recipients.
pub const FAMILY_PER_HOUR: u32 = 3;

/// Maximum number of messages in an hour for crew and coach who chose nothing.
const OTHERS_PER_HOUR: u32 = 60;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The messages of the last hour. Stored, so that it survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageBudget {
    sent_at: Vec<Timestamp>,
}

/// Maximum number of messages in an hour. All recipients read the same phone, so the most generous choice counts.
fn per_hour(recipients: &[Recipient]) -> u32 {
    let of = |recipient: &Recipient| match (recipient.role, recipient.messages_per_hour) {
        (RecipientRole::Family, chosen) => chosen.unwrap_or(FAMILY_PER_HOUR).min(FAMILY_PER_HOUR),
        (_, chosen) => chosen.unwrap_or(OTHERS_PER_HOUR),
    };
    recipients.iter().map(of).max().unwrap_or(FAMILY_PER_HOUR)
}

impl MessageBudget {
    /// Whether this alert goes to the phone now. What a person asked for always does. The last message of the hour is
    /// kept for an end, and of the others only one may be of the least severity.
    pub fn admits(&mut self, recipients: &[Recipient], alert: &Alert) -> bool {
        let since = alert.at.checked_sub(HOUR).unwrap_or(alert.at);
        self.sent_at.retain(|at| *at > since);
        let most = per_hour(recipients) as usize;
        let is_end = matches!(
            alert.kind,
            AlertKind::Finished | AlertKind::ProbablyFinished | AlertKind::Ended
        );
        let room = match alert.severity {
            _ if is_end => most.max(2),
            Severity::Warning | Severity::Notice => most.saturating_sub(1).max(1),
            Severity::Info => most.saturating_sub(2),
        };
        let admitted = alert.kind.is_asked_for() || self.sent_at.len() < room;
        if admitted {
            self.sent_at.push(alert.at);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::support::at;

    fn alert(minute: i64, kind: AlertKind, severity: Severity) -> Alert {
        Alert {
            kind,
            severity,
            key: minute.to_string(),
            text: String::new(),
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
}
