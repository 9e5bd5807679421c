//! The recipients of a race. The addresses of their phones are shown nowhere, because others may see the race.

use serde_json::{Value, json};

use super::values::clean;
use crate::race::plan::RacePlan;
use crate::race::recipients::{MessageChoice, Recipient, RecipientPhone, RecipientRole};
use crate::races::recipients::ChatInvitation;

/// The recipients of a plan, in order.
pub(super) fn recipients(plan: &RacePlan) -> Vec<Value> {
    let recipient = |one: &Recipient| {
        let invited = match &one.phone {
            Some(RecipientPhone::Invited(id)) => Some(id.as_str()),
            _ => None,
        };
        clean(json!({
            "role": one.role,
            "name": one.name,
            "language": one.language,
            "units": one.units,
            "messages": (one.role != RecipientRole::Family).then_some(one.messages),
            "messages_per_hour": one.messages_per_hour,
            "phone": one.phone.as_ref().map(channel),
            "telegram": invited,
        }))
    };
    plan.recipients.iter().map(recipient).collect()
}

fn channel(phone: &RecipientPhone) -> &'static str {
    match phone {
        RecipientPhone::Ntfy(_) => "ntfy",
        RecipientPhone::Telegram(_) | RecipientPhone::Invited(_) | RecipientPhone::Invite => "telegram",
    }
}

/// One recipient in a line, such as `family Oma, de, imperial: telegram, invitation not accepted, or left`. `waiting`
/// names the recipients who get no messages at present.
pub fn recipient_line(one: &Recipient, waiting: &[String]) -> String {
    let mut parts = vec![match &one.name {
        Some(name) => format!("{} {name}", one.role.name()),
        None => one.role.name().to_owned(),
    }];
    parts.extend(one.language.clone());
    parts.push(one.units.name().to_owned());
    if one.messages == MessageChoice::Important {
        parts.push("important only".to_owned());
    }
    let phone = match &one.phone {
        None => "the person's phone",
        Some(RecipientPhone::Invited(_)) if waiting.iter().any(|name| name == one.called()) => {
            "telegram, invitation not accepted, or left"
        }
        Some(phone) => channel(phone),
    };
    format!("{}: {phone}", parts.join(", "))
}

/// Invitations to pass on, for the answers of `start_tracking` and `update_race`. Each link appears only there.
pub fn invitations(invitations: &[ChatInvitation]) -> Vec<Value> {
    let invitation =
        |one: &ChatInvitation| json!({"to": one.to, "telegram": one.id.as_str(), "link": one.link.expose()});
    invitations.iter().map(invitation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::recipients::Units;

    #[test]
    fn no_address_of_a_phone_is_shown() {
        let with = |phone| Recipient {
            role: RecipientRole::Crew,
            phone,
            ..Recipient::default()
        };
        let id = "chat_abcdefgh23456789".parse().unwrap();
        let plan = RacePlan {
            recipients: vec![
                with(Some(RecipientPhone::Ntfy("secret-topic".into()))),
                with(Some(RecipientPhone::Telegram("424242".into()))),
                with(Some(RecipientPhone::Invited(id))),
                with(None),
            ],
            ..RacePlan::default()
        };
        let shown = recipients(&plan);
        let text = format!("{shown:?} {plan:?}");
        assert!(
            !text.contains("secret-topic") && !text.contains("424242"),
            "{text}"
        );
        let phones: Vec<_> = shown.iter().map(|one| one["phone"].clone()).collect();
        assert_eq!(
            phones,
            [json!("ntfy"), json!("telegram"), json!("telegram"), Value::Null]
        );
        assert_eq!(shown[2]["telegram"], "chat_abcdefgh23456789");
        let oma = Recipient {
            name: Some("Oma".into()),
            language: Some("de".into()),
            units: Units::Imperial,
            phone: plan.recipients[2].phone.clone(),
            ..Recipient::default()
        };
        assert_eq!(recipient_line(&oma, &[]), "family Oma, de, imperial: telegram");
        assert!(recipient_line(&oma, &["Oma".into()]).ends_with("invitation not accepted, or left"));
    }
}
