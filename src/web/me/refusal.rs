//! Why a form of the page changed nothing, in the person's language.

use crate::accounts::{
    GrantNameProblem, GrantProblem, LastDayProblem, MOST_MAIL_ADDRESSES, MailAddressProblem,
};
use crate::notify::message::{PhoneTrouble, SetPhoneError};
use crate::races::RaceActError;
use crate::web::pages::Frame;
use crate::web::words::{MeRefusedWords, fill};

/// Why an act was not carried out.
#[derive(Debug)]
pub(in crate::web) enum PageRefusal {
    /// The page was closed while the act was under way.
    PageOver,
    AppGone,
    EraseUnconfirmed,
    ForgetUnconfirmed,
    UnknownZone,
    ToolNames,
    NoTool(String),
    /// A word that chooses tools, such as `core`, in a list of names.
    StandsAlone(String),
    GrantGone,
    Grant(GrantProblem),
    NoPhone,
    Phone(SetPhoneError),
    MailAddresses(MailAddressProblem),
    Race(RaceActError),
    /// The name for a page of a race is too long.
    RaceName,
}

/// Where on the page a problem stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum ProblemPlace {
    /// At the top: the row or the race of the form may not be there any more.
    Page,
    /// In the form, which is right as it is and can be sent again later.
    Form,
    /// Beside the field with this name.
    Field(&'static str),
}

/// What is wrong, and where it is told.
pub(in crate::web) struct PageProblem {
    pub(super) place: ProblemPlace,
    pub(super) text: String,
}

impl PageProblem {
    fn at(field: &'static str, text: &str) -> Self {
        Self {
            place: ProblemPlace::Field(field),
            text: text.to_owned(),
        }
    }

    fn of_form(text: &str) -> Self {
        Self {
            place: ProblemPlace::Form,
            text: text.to_owned(),
        }
    }

    fn of_page(text: &str) -> Self {
        Self {
            place: ProblemPlace::Page,
            text: text.to_owned(),
        }
    }
}

impl PageRefusal {
    /// What is wrong, and what to do. `origin`: the gateway's address.
    pub(in crate::web) fn problem(&self, frame: &Frame, origin: &str) -> PageProblem {
        let refused = &frame.words.me.refused;
        match self {
            Self::PageOver => PageProblem::of_page(refused.page_over),
            Self::AppGone => PageProblem::of_page(refused.app_gone),
            Self::EraseUnconfirmed => PageProblem::at("confirm", refused.erase_unconfirmed),
            Self::ForgetUnconfirmed => PageProblem::at("confirm", refused.forget_unconfirmed),
            Self::UnknownZone => PageProblem::at("time_zone", refused.zone),
            Self::ToolNames => PageProblem::at("names", refused.tool_names),
            Self::NoTool(name) => PageProblem::at("names", &fill(refused.no_tool, &[("name", name)])),
            Self::StandsAlone(name) => {
                PageProblem::at("names", &fill(refused.stands_alone, &[("name", name)]))
            }
            Self::GrantGone => PageProblem::of_page(refused.grant_gone),
            Self::Grant(problem) => about_grant(problem, frame, origin),
            Self::NoPhone => PageProblem::at("telegram_chat", refused.phone.empty),
            Self::MailAddresses(problem) => about_mail_addresses(problem, frame),
            Self::Race(why) => about_race(why, refused),
            Self::RaceName => PageProblem::at("name", refused.long_name),
            Self::Phone(error) => about_phone(error, refused, frame.operator()),
        }
    }
}

fn about_race(why: &RaceActError, refused: &MeRefusedWords) -> PageProblem {
    match why {
        RaceActError::NoSuchLink => PageProblem::at("with", refused.no_race_link),
        RaceActError::OnLinkAlready => PageProblem::at("with", refused.on_race_link),
        RaceActError::TooManyAthletes => PageProblem::at("with", refused.full_race_link),
        RaceActError::TooManyShares => PageProblem::of_form(refused.many_race_links),
        _ => PageProblem::of_page(refused.race_gone),
    }
}

fn about_grant(problem: &GrantProblem, frame: &Frame, origin: &str) -> PageProblem {
    let refused = &frame.words.me.refused;
    match problem {
        GrantProblem::NoMember => PageProblem::at("to", refused.no_member),
        GrantProblem::OwnEmail => PageProblem::at("to", refused.own_email),
        GrantProblem::UnknownEmail => PageProblem::at("to", refused.unknown_email),
        GrantProblem::SharedEmail => {
            let address = format!("{origin}/link");
            PageProblem::at("to", &fill(refused.shared_email, &[("address", &address)]))
        }
        GrantProblem::TooMany(most) => {
            let most = most.to_string();
            PageProblem::at("to", &fill(refused.too_many, &[("n", &most)]))
        }
        GrantProblem::NoGroup => PageProblem::at("group", refused.no_group),
        GrantProblem::UnknownGroup(name) => {
            PageProblem::at("group", &fill(refused.unknown_group, &[("name", name)]))
        }
        GrantProblem::Until { why, first, last } => {
            let sentence = match why {
                LastDayProblem::Missing => refused.no_day,
                LastDayProblem::NoDay => refused.wrong_day,
                LastDayProblem::Passed => refused.past_day,
                LastDayProblem::TooFar => refused.far_day,
            };
            let (first, last) = (frame.words.full_date(*first), frame.words.full_date(*last));
            PageProblem::at("until", &fill(sentence, &[("first", &first), ("last", &last)]))
        }
        GrantProblem::ProfileName(_) => PageProblem::at("name", refused.profile_name),
        GrantProblem::NameTaken => PageProblem::at("name", refused.taken_name),
        GrantProblem::Name(why) => PageProblem::at(
            "name",
            match why {
                GrantNameProblem::Empty => refused.no_name,
                GrantNameProblem::TooLong => refused.long_name,
                GrantNameProblem::Characters => refused.odd_name,
            },
        ),
    }
}

fn about_mail_addresses(problem: &MailAddressProblem, frame: &Frame) -> PageProblem {
    let refused = &frame.words.me.refused;
    let of = |sentence, address: &String| fill(sentence, &[("address", address)]);
    let text = match problem {
        MailAddressProblem::NoAddress(text) => of(refused.no_mail_address, text),
        MailAddressProblem::TooMany(_) => fill(
            refused.many_mail_addresses,
            &[("n", &MOST_MAIL_ADDRESSES.to_string())],
        ),
        MailAddressProblem::Taken(address) => fill(
            refused.taken_mail_address,
            &[("address", address.as_str()), ("operator", frame.operator())],
        ),
        MailAddressProblem::Mailbox(address) => of(refused.mailbox_address, address),
        // The store's error has its own page, and does not get here.
        MailAddressProblem::AccessEnded | MailAddressProblem::Store(_) => {
            return PageProblem::of_page(refused.page_over);
        }
    };
    PageProblem::at("mail_addresses", &text)
}

/// Names no setting, because only the operator has settings.
fn about_phone(error: &SetPhoneError, words: &MeRefusedWords, operator: &str) -> PageProblem {
    let refused = &words.phone;
    let operator = ("operator", operator);
    match error {
        SetPhoneError::Shape {
            field: field @ "ntfy_topic",
            ..
        } => PageProblem::at(field, refused.topic_shape),
        SetPhoneError::Shape { field, .. } => PageProblem::at(field, refused.chat_shape),
        SetPhoneError::NoChannel { field, channel, .. } => PageProblem::at(
            field,
            &fill(refused.no_channel, &[("channel", *channel), operator]),
        ),
        SetPhoneError::NotSent { field, trouble, .. } => {
            let sentence = match trouble {
                PhoneTrouble::UnknownChat => refused.unknown_chat,
                PhoneTrouble::ClosedTopic => refused.closed_topic,
                PhoneTrouble::NotInGroup => refused.not_in_group,
                PhoneTrouble::NotStarted => refused.not_started,
                PhoneTrouble::ProtectedTopic => refused.protected_topic,
                PhoneTrouble::Later => refused.later,
                PhoneTrouble::OfOperator => refused.of_operator,
            };
            PageProblem::at(field, &fill(sentence, &[operator]))
        }
        SetPhoneError::TooSoon => PageProblem::of_form(refused.too_soon),
        // The store's error has its own page, and does not get here.
        SetPhoneError::AccessEnded | SetPhoneError::Store(_) => PageProblem::of_page(words.page_over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::words::SiteWords;

    fn all() -> Vec<PageRefusal> {
        let day = |text: &str| text.parse().unwrap();
        let until = |why| GrantProblem::Until {
            why,
            first: day("2026-11-20"),
            last: day("2027-11-21"),
        };
        let grants = [
            GrantProblem::NoMember,
            GrantProblem::OwnEmail,
            GrantProblem::UnknownEmail,
            GrantProblem::SharedEmail,
            GrantProblem::TooMany(20),
            GrantProblem::NoGroup,
            GrantProblem::UnknownGroup("slumber".into()),
            until(LastDayProblem::Missing),
            until(LastDayProblem::NoDay),
            until(LastDayProblem::Passed),
            until(LastDayProblem::TooFar),
            GrantProblem::Name(GrantNameProblem::Empty),
            GrantProblem::Name(GrantNameProblem::TooLong),
            GrantProblem::Name(GrantNameProblem::Characters),
            GrantProblem::ProfileName(GrantNameProblem::TooLong),
            GrantProblem::NameTaken,
        ];
        let not_sent = [
            PhoneTrouble::UnknownChat,
            PhoneTrouble::ClosedTopic,
            PhoneTrouble::NotInGroup,
            PhoneTrouble::NotStarted,
            PhoneTrouble::ProtectedTopic,
            PhoneTrouble::Later,
            PhoneTrouble::OfOperator,
        ]
        .map(|trouble| SetPhoneError::NotSent {
            field: "telegram_chat",
            why: "check TELEGRAM_BOT_TOKEN".into(),
            trouble,
        });
        let shape = |field| SetPhoneError::Shape { field, shape: "" };
        let no_channel = SetPhoneError::NoChannel {
            field: "ntfy_topic",
            channel: "ntfy",
            setting: "NTFY_URL",
        };
        let phones = [
            shape("telegram_chat"),
            shape("ntfy_topic"),
            no_channel,
            SetPhoneError::TooSoon,
        ];
        let mut all = vec![
            PageRefusal::PageOver,
            PageRefusal::AppGone,
            PageRefusal::EraseUnconfirmed,
            PageRefusal::ForgetUnconfirmed,
            PageRefusal::UnknownZone,
            PageRefusal::ToolNames,
            PageRefusal::NoTool("get_dreams".into()),
            PageRefusal::StandsAlone("core".into()),
            PageRefusal::GrantGone,
            PageRefusal::NoPhone,
        ];
        let address = || "ann@example.org".to_owned();
        let mails = [
            MailAddressProblem::NoAddress("ann".into()),
            MailAddressProblem::TooMany(9),
            MailAddressProblem::Taken(address()),
            MailAddressProblem::Mailbox(address()),
        ];
        all.extend(mails.map(PageRefusal::MailAddresses));
        all.extend(grants.map(PageRefusal::Grant));
        all.extend(not_sent.into_iter().chain(phones).map(PageRefusal::Phone));
        all
    }

    #[test]
    fn every_refusal_has_its_own_words_and_names_no_setting() {
        for words in SiteWords::all() {
            let frame = Frame {
                words,
                ..Frame::new("gw.example.org", Some("Olga"), None, false)
            };
            let told = all()
                .into_iter()
                .map(|one| one.problem(&frame, "https://gw.example.org").text);
            let mut told: Vec<String> = told.collect();
            let n_told = told.len();
            for text in &told {
                assert!(text.len() > 15 && !text.contains(['{', '}']), "{text}");
                assert!(!text.contains("TELEGRAM_") && !text.contains("NTFY_"), "{text}");
            }
            for value in ["get_dreams", "slumber", "20 ", "2027", "/link", "Olga", "ntfy"] {
                assert!(
                    told.iter().any(|text| text.contains(value)),
                    "{}: {value}",
                    words.code
                );
            }
            told.sort();
            told.dedup();
            assert_eq!(told.len(), n_told, "{}: two share a text", words.code);
        }
    }
}
