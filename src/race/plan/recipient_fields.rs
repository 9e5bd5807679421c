//! Reads the recipients of a race from the plan.

use serde_json::Value;

use crate::config::{is_ntfy_topic, is_telegram_chat};
use crate::race::alerts::Voice;
use crate::race::fields::FieldReader;
use crate::race::recipients::{MessageChoice, Recipient, RecipientPhone, RecipientRole, Units};

/// Reads one recipient, and names the fields that it may have.
pub(super) fn recipient(fields: &mut FieldReader) -> (Option<Recipient>, &'static [&'static str]) {
    fields.require(&["role"]);
    let roles = RecipientRole::ALL.map(|role| (role.name(), role));
    let units = [Units::Metric, Units::Imperial].map(|units| (units.name(), units));
    let choices = [
        ("all", MessageChoice::All),
        ("important", MessageChoice::Important),
    ];
    let role = fields.one_of("role", &roles);
    let messages = fields.one_of("messages", &choices);
    let recipient = Recipient {
        role: role.unwrap_or_default(),
        name: fields.text("name", 40),
        language: language(fields),
        units: fields.one_of("units", &units).unwrap_or_default(),
        messages: messages.unwrap_or_default(),
        messages_per_hour: fields.number("messages_per_hour", 1, 60, "messages"),
        phone: phone(fields),
    };
    if recipient.role == RecipientRole::Family && messages.is_some() {
        fields.refuse(
            "messages",
            "is for crew and coach, so leave it out: a family gets the messages made for it, at most 3 an hour",
        );
    }
    (
        role.map(|_| recipient),
        &[
            "role",
            "name",
            "language",
            "units",
            "messages",
            "messages_per_hour",
            "telegram",
            "ntfy_topic",
        ],
    )
}

fn language(fields: &mut FieldReader) -> Option<String> {
    let language = fields.text("language", 20)?;
    if !Voice::speaks(&language) {
        let known = Voice::languages().join(", ");
        fields.refuse("language", format!("must be one of {known}"));
    }
    Some(language)
}

/// Reads the phone of a recipient: an ntfy topic, or a Telegram chat given by its number, by the id of an invited chat,
/// or as a wish to invite one.
fn phone(fields: &mut FieldReader) -> Option<RecipientPhone> {
    let (chat, topic) = (fields.text("telegram", 64), fields.text("ntfy_topic", 64));
    let chat = chat.and_then(|chat| {
        let phone = if chat.eq_ignore_ascii_case("invite") {
            Some(RecipientPhone::Invite)
        } else if let Ok(id) = chat.parse() {
            Some(RecipientPhone::Invited(id))
        } else {
            is_telegram_chat(&chat).then_some(RecipientPhone::Telegram(chat))
        };
        if phone.is_none() {
            fields.refuse(
                "telegram",
                "must be \"invite\", the id of an invited chat, or the number of a chat of somebody in the circle",
            );
        }
        phone
    });
    let topic = topic.filter(|topic| {
        let fits = is_ntfy_topic(topic);
        if !fits {
            fields.refuse("ntfy_topic", "must be a name of 1 to 64 letters, digits, - and _");
        }
        fits
    });
    if chat.is_some() && topic.is_some() {
        fields.refuse(
            "ntfy_topic",
            "name one phone for each recipient, telegram or ntfy_topic; list the person twice for both",
        );
    }
    chat.or(topic.map(RecipientPhone::Ntfy))
}

/// Recipients whose phone the new list does not mention keep the phone of the old list: the address of a phone is shown
/// nowhere, so nobody can repeat it. Recipients are matched by role and name.
pub(super) fn keep_phones(before: &[Recipient], now: &mut [Recipient], given: Option<&Value>) {
    let given = given.and_then(Value::as_array).into_iter().flatten();
    for (recipient, given) in now.iter_mut().zip(given) {
        let is_mentioned = given.get("telegram").is_some() || given.get("ntfy_topic").is_some();
        if recipient.name.is_some() && !is_mentioned {
            let who = |one: &&Recipient| (one.role, &one.name) == (recipient.role, &recipient.name);
            recipient.phone = before.iter().find(who).and_then(|one| one.phone.clone());
        }
    }
}

/// Refuses a phone that is listed twice, because it would get each message twice.
pub(super) fn refuse_doubles(fields: &mut FieldReader, recipients: &[Recipient]) {
    let phones: Vec<_> = recipients
        .iter()
        .map(|recipient| {
            let phone = recipient.phone.as_ref();
            phone.filter(|phone| **phone != RecipientPhone::Invite)
        })
        .collect();
    for (i, phone) in phones.iter().enumerate() {
        if phone.is_some() && phones.iter().take(i).any(|before| before == phone) {
            fields.refuse(
                &format!("recipients[{i}]"),
                "has the phone of another recipient; list each phone once",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::race::plan::RacePlan;

    fn read(recipients: &Value) -> Result<Vec<Recipient>, String> {
        let config = json!({ "recipients": recipients });
        let read = RacePlan::read(config.as_object().unwrap());
        read.map(|(plan, _)| plan.recipients).map_err(|e| e.to_string())
    }

    #[test]
    fn a_recipient_has_a_role_and_at_most_one_phone() {
        let id = "chat_abcdefgh23456789";
        let read_all = read(&json!([
            {"role": "family", "name": "Oma", "language": "de", "units": "imperial", "telegram": "invite"},
            {"role": "crew", "messages": "important", "ntfy_topic": "crew-topic"},
            {"role": "coach", "telegram": id},
            {"role": "coach", "telegram": "-1001234567890_7"},
            {"role": "family"},
        ]));
        let phones: Vec<_> = read_all.unwrap().into_iter().map(|one| one.phone).collect();
        assert_eq!(
            phones,
            [
                Some(RecipientPhone::Invite),
                Some(RecipientPhone::Ntfy("crew-topic".into())),
                Some(RecipientPhone::Invited(id.parse().unwrap())),
                Some(RecipientPhone::Telegram("-1001234567890_7".into())),
                None,
            ]
        );
    }

    #[test]
    fn who_is_listed_again_keeps_their_phone() {
        let first = json!({"recipients": [{"role": "family", "name": "Oma", "ntfy_topic": "oma"}, {"role": "crew", "ntfy_topic": "crew"}]});
        let (plan, _) = RacePlan::read(first.as_object().unwrap()).unwrap();
        let phones = |list: Value| {
            let changes = json!({ "recipients": list });
            let (plan, _) = plan.with(changes.as_object().unwrap()).unwrap();
            plan.recipients
                .into_iter()
                .map(|one| one.phone)
                .collect::<Vec<_>>()
        };
        let oma = Some(RecipientPhone::Ntfy("oma".into()));
        assert_eq!(
            phones(json!([{"role": "crew"}, {"role": "family", "name": "Oma", "language": "de"}])),
            [None, oma]
        );
        let other =
            json!([{"role": "family", "name": "Oma", "ntfy_topic": null}, {"role": "crew", "name": "Oma"}]);
        assert_eq!(phones(other), [None, None]);
    }

    #[test]
    fn what_can_not_be_is_named_with_its_fix() {
        for (recipient, field, fix) in [
            (
                json!({"role": "crew", "language": "nl"}),
                "language",
                "en, de, fr",
            ),
            (
                json!({"role": "family", "messages": "important"}),
                "messages",
                "at most 3",
            ),
            (
                json!({"role": "family", "messages": "all"}),
                "messages",
                "leave it out",
            ),
            (json!({"role": "crew", "telegram": "Bo"}), "telegram", "invite"),
            (
                json!({"role": "crew", "ntfy_topic": "a b"}),
                "ntfy_topic",
                "letters",
            ),
            (
                json!({"role": "crew", "ntfy_topic": "a", "telegram": "invite"}),
                "ntfy_topic",
                "one phone",
            ),
        ] {
            let refused = read(&json!([{"role": "crew"}, recipient])).unwrap_err();
            assert!(
                refused.starts_with(&format!("recipients[1].{field}: ")) && refused.contains(fix),
                "{refused}"
            );
        }
        let twice = json!([{"role": "crew", "ntfy_topic": "a"}, {"role": "coach", "ntfy_topic": "a"}]);
        assert!(read(&twice).unwrap_err().starts_with("recipients[1]: "));
        let two = json!([{"role": "crew", "telegram": "invite"}, {"role": "coach", "telegram": "invite"}]);
        assert_eq!(read(&two).unwrap().len(), 2);
    }
}
