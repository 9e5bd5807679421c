//! The parts of an e-mail that races need: its addresses, and the text that may contain a LiveTrack link. Pure.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{
    Addr, Address, HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};

/// Maximum depth of mails that are attached to mails.
const MAX_DEPTH: usize = 3;

/// Maximum number of parts and of addresses that are looked at. They limit the work for a hostile mail.
const MAX_PARTS: usize = 100;
const MAX_ADDRESSES: usize = 500;

/// The longest address that mail servers accept.
const MAX_ADDRESS_BYTES: usize = 254;

/// Headers in which servers and forwarding programs record the address to which they delivered.
const DELIVERY: [&str; 6] = [
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Forwarded-To",
    "X-Forwarded-For",
];

/// What an e-mail says about itself. Anybody can write anything into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    /// The addresses to which it was delivered, in lower case.
    pub(super) delivered_to: Vec<String>,
    /// The addresses to which it was written.
    pub(super) written_to: Vec<String>,
    /// The addresses of those who wrote or forwarded it.
    pub(super) written_by: Vec<String>,
    /// The subject and the decoded text of all parts.
    pub(super) text: String,
}

impl Letter {
    /// Reads an e-mail, which may be cut off. A text that is not an e-mail gives an empty letter.
    ///
    /// Strangers write mails, and a panic in a task stops the gateway: a mail on which the parser panics gives an empty
    /// letter too. In debug builds, mail-parser 0.11 asserts that mails are nested correctly.
    pub(super) fn read(bytes: &[u8]) -> Self {
        catch_unwind(AssertUnwindSafe(|| Self::parse(bytes))).unwrap_or_else(|_| {
            tracing::error!("mailbox.parser_failed");
            Self::default()
        })
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut letter = Self::default();
        let Some(message) = MessageParser::default().parse(bytes) else {
            return letter;
        };
        for header in message.headers() {
            let list = match &header.name {
                HeaderName::To | HeaderName::Cc => &mut letter.written_to,
                HeaderName::From | HeaderName::ResentFrom => &mut letter.written_by,
                HeaderName::ResentTo | HeaderName::ResentCc => &mut letter.delivered_to,
                name if DELIVERY.iter().any(|one| name.as_str().eq_ignore_ascii_case(one)) => {
                    &mut letter.delivered_to
                }
                _ => continue,
            };
            match &header.value {
                HeaderValue::Address(Address::List(people)) => people.iter().for_each(|one| add(list, one)),
                HeaderValue::Address(Address::Group(groups)) => {
                    let people = groups.iter().flat_map(|group| &group.addresses);
                    people.for_each(|one| add(list, one));
                }
                HeaderValue::Text(text) => text.split(SEPARATORS).for_each(|one| add_text(list, one)),
                HeaderValue::TextList(texts) => {
                    let texts = texts.iter().flat_map(|text| text.split(SEPARATORS));
                    texts.for_each(|one| add_text(list, one));
                }
                _ => {}
            }
        }
        let subject = message.subject().unwrap_or_default();
        subject.clone_into(&mut letter.text);
        let mut parts = 0;
        add_parts(&mut letter.text, &message, &mut parts, 0);
        letter
    }

    /// Whether the text mentions LiveTrack. Garmin uses this name in all languages.
    pub(super) fn is_about_livetrack(&self) -> bool {
        self.text.to_lowercase().contains("livetrack")
    }
}

/// The separators of addresses in a header without a standard form.
const SEPARATORS: [char; 4] = [',', ';', ' ', '\t'];

fn add(list: &mut Vec<String>, one: &Addr<'_>) {
    add_text(list, one.address.as_deref().unwrap_or_default());
}

fn add_text(list: &mut Vec<String>, text: &str) {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let is_address = text.contains('@') && text.len() <= MAX_ADDRESS_BYTES;
    if is_address && list.len() < MAX_ADDRESSES {
        let address = text.to_lowercase();
        if !list.contains(&address) {
            list.push(address);
        }
    }
}

/// Adds the text of all parts, and of mails that are attached.
fn add_parts(text: &mut String, message: &Message<'_>, parts: &mut usize, depth: usize) {
    for part in &message.parts {
        *parts += 1;
        if *parts > MAX_PARTS {
            return;
        }
        match &part.body {
            PartType::Text(body) | PartType::Html(body) => {
                text.push('\n');
                text.push_str(body);
            }
            PartType::Message(inner) if depth < MAX_DEPTH => add_parts(text, inner, parts, depth + 1),
            // Some mail programs attach a mail as a file of an unknown type.
            PartType::Binary(file) | PartType::InlineBinary(file) if depth < MAX_DEPTH && is_mail(part) => {
                if let Some(inner) = MessageParser::default().parse(&**file) {
                    add_parts(text, &inner, parts, depth + 1);
                } else {
                    tracing::warn!("mailbox.attachment_unreadable");
                }
            }
            PartType::Message(_)
            | PartType::Binary(_)
            | PartType::InlineBinary(_)
            | PartType::Multipart(_) => {}
        }
    }
}

/// Whether the name of an attached file says that it is a mail.
fn is_mail(part: &MessagePart<'_>) -> bool {
    let name = part.attachment_name().unwrap_or_default().trim();
    name.to_lowercase().ends_with(".eml")
}

#[cfg(test)]
mod tests;
