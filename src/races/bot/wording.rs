//! The answers of the bot in words. Pure.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::places::{self, EtaAnswer};
use crate::garmin::livetrack::Position;
use crate::race::page::{PageWords, SpokenRace};
use crate::race::share::LONGEST_NAME;
use crate::race::snapshot::distinct_titles;
use crate::race::text;
use crate::races::registry::RaceOverview;

/// Reveals neither whose gateway it is nor what the bot would obey.
pub(super) const UNKNOWN_CHAT: &str = "Sorry, this bot only answers chats that were set up for it.";

/// Does not reveal who sent the invitation.
pub(super) const NO_INVITATION: &str =
    "This invitation has expired or was already used. Ask whoever sent it for a new one.";

pub(super) const READER_HINT: &str = "This chat gets messages about somebody's races because an invitation was accepted here. /leave stops them.";

pub(super) const ONLY_KNOWN: &str = "Only people whom this gateway knows can do that: those whose own chat with this bot is, or was, set as their phone.";

pub(super) const HELP: &str = "Send me a LiveTrack link, or Garmin's e-mail with it, and I'll watch the race.\n\
    /status: how the race is going\n\
    /eta: when the athlete will be at the next places; /eta Mill or /eta 31.5 for one place\n\
    A location (the paper clip, then Location): when the athlete will pass there\n\
    /why: the figures behind the coach's last message\n\
    /share: a link to the live page for family and friends\n\
    /share join, another athlete's link, and a name: both of you on one page\n\
    /mute 1h: no messages here for an hour, except warnings; /mute off\n\
    /stop: stop watching the race\n\
    /me: your own page, with what the gateway keeps and who may reach it\n\
    Everything else is set in Claude.";

/// The commands as Telegram offers them: at most 32 letters, and what each does.
pub const MENU: &[(&str, &str)] = &[
    ("status", "How the race is going"),
    (
        "eta",
        "When the athlete will be at the next places; /eta Mill for one",
    ),
    ("why", "The figures behind the coach's last message"),
    ("share", "A link to the live page for family and friends"),
    ("mute", "No messages here for an hour, except warnings"),
    ("unmute", "Get messages here again"),
    ("stop", "Stop watching the race"),
    ("me", "Your own page"),
    ("leave", "Stop getting messages about somebody's races"),
    ("help", "What I can do"),
];

pub(super) const HINT: &str =
    "I understand commands, a LiveTrack link and a location. /help shows what I can do.";

pub(super) const NO_SUCH_COMMAND: &str = "I don't know that command. /help shows what I can do.";

pub(super) const WHOSE_RACE: &str = "This chat belongs to several people, so I can't tell whose race it is. Send the link from \
    your own chat with this bot, or start the race in Claude.";

pub(super) const MUTE_HOW: &str =
    "Write a time of up to 24 hours, such as /mute 30m, /mute 2h or /mute 1h30, or /mute off.";

pub(super) const UNMUTED: &str = "Messages are on again in this chat.";

pub(super) const ENDED_ACCESS: &str = "Access has ended; nothing was changed.";

/// The answer while too many links are being followed.
pub(super) const BUSY: &str = "I'm still following other links. Send this one again in a minute.";

pub(super) const STORE_FAILED: &str = "The races can't be read or saved right now. Try again in a minute; if it keeps failing, tell the operator.";

/// Joins a text for each race. The title comes before each if there are several.
pub(super) fn for_each_race(texts: &[(String, String)], words: &PageWords) -> String {
    match texts {
        [] => words.chat.no_race.to_owned(),
        [(_, text)] => text.clone(),
        several => {
            let blocks: Vec<_> = several
                .iter()
                .map(|(title, text)| format!("{title}\n{text}"))
                .collect();
            blocks.join("\n\n")
        }
    }
}

/// The titles of the races, each with its start if another race has the same title.
pub(super) fn titles(races: &[RaceOverview]) -> Vec<String> {
    distinct_titles(races.iter().map(|race| &race.snapshot))
}

/// How the races stand. The title is always shown, because the chat may follow other races later.
pub(super) fn status(races: &[RaceOverview], words: &'static PageWords) -> String {
    if races.is_empty() {
        return words.chat.no_race.to_owned();
    }
    let of = |(title, race): (String, &RaceOverview)| {
        let spoken = SpokenRace::new(&race.snapshot, words);
        format!("{title}: {}", spoken.state())
    };
    let mut blocks: Vec<_> = titles(races).into_iter().zip(races).map(of).collect();
    if let [one] = races {
        blocks.push(SpokenRace::new(&one.snapshot, words).zone());
        return blocks.join("\n");
    }
    blocks.join("\n\n")
}

/// The answer to `/eta` for all races, or for those that have the named place.
pub(super) fn eta(races: &[RaceOverview], asked: Option<&str>, words: &'static PageWords) -> String {
    let (mut told, mut offered) = (Vec::new(), Vec::new());
    for (title, race) in titles(races).into_iter().zip(races) {
        match places::eta(&race.snapshot, asked, words) {
            EtaAnswer::Told(text) => told.push((title, text)),
            EtaAnswer::NoSuchPlace(names) => offered.extend(names),
        }
    }
    if told.is_empty() && !races.is_empty() {
        // Several races may have a place of the same name.
        let mut known = BTreeSet::new();
        offered.retain(|name| known.insert(name.clone()));
        let chat = &words.chat;
        let is_finish = |name: &str| name == "finish";
        for name in offered.iter_mut().filter(|name| is_finish(name)) {
            words.finish.clone_into(name);
        }
        let known = text::fill(chat.known_places, &[("places", &offered.join(", "))]);
        let known = (!offered.is_empty()).then_some(known);
        let sentences = [
            Some(chat.no_such_place),
            known.as_deref(),
            Some(chat.by_kilometre),
        ];
        return sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
    }
    for_each_race(&told, words)
}

pub(super) fn passes_at(races: &[RaceOverview], position: Position, words: &'static PageWords) -> String {
    let texts = races
        .iter()
        .map(|race| places::passes_at(&race.snapshot, position, words));
    let texts: Vec<_> = titles(races).into_iter().zip(texts).collect();
    for_each_race(&texts, words)
}

/// Says until when the chat is muted, in this time zone; with the weekday on another day than now.
pub(super) fn muted(until: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (until, now) = (until.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if until.date() == now.date() {
        "%H:%M %Z"
    } else {
        "%A %H:%M %Z"
    };
    format!(
        "Messages to this chat, including the coach's, are paused until {}. What you miss is not sent later; /status shows how the race \
         is going. Warnings still come: a long loss of signal, a long stop, far off the course, a missed cut-off, a broken \
         link to Garmin.",
        until.strftime(format)
    )
}

/// Asks whether to stop watching the races with these titles.
pub(super) fn ask_to_stop(titles: &[String]) -> String {
    match titles {
        [one] => format!("Stop watching {one}? Its messages end; what was recorded is kept."),
        _ => "Which race should I stop watching? Its messages end; what was recorded is kept.".to_owned(),
    }
}

pub(super) fn stopped(title: &str) -> String {
    format!(
        "I've stopped watching {title}. What was recorded is kept. Send the same LiveTrack link to continue the race."
    )
}

pub(super) const KEPT: &str = "I'll keep watching.";

pub(super) const STALE_BUTTON: &str = "That button is out of date: the race is no longer being watched.";

/// Where a person's own page is. The answer has no code that opens the page, because somebody else may read the chat,
/// and the page can delete everything.
pub(super) fn own_page(origin: &str, only_here: bool) -> String {
    format!(
        "{origin}/me\nSign in there with your Garmin account. To get in without a password, ask Claude to open your page \
         at the gateway.{}",
        reach(only_here)
    )
}

/// A note that a link opens only on the gateway's own machine, if that is so.
fn reach(only_here: bool) -> &'static str {
    if only_here {
        "\nThis gateway has no public address (PUBLIC_URL), so the link opens only on its own machine."
    } else {
        ""
    }
}

/// A new link to the page of a race. `only_here`: it opens only on the gateway's own machine.
pub(super) fn shared(url: &str, hours_after: u32, only_here: bool) -> String {
    let here = reach(only_here);
    format!(
        "{url}\nAnyone with this link can see the live page, without heart rate or positions near the start and finish. It \
         works until {hours_after} hours after the race; Claude or the operator can end it at any time.{here}"
    )
}

pub(super) const JOIN_HOW: &str = "Write the link that the other athlete made, and the name to show if you want one: \
    /share join https://…/r/… Ben";

pub(super) const NO_SUCH_LINK: &str =
    "No link with this address works. Copy it whole, or ask the athlete who made it for a new one.";

pub(super) const ON_LINK_ALREADY: &str =
    "Your race is already on that page. Claude or the operator can take it off.";

pub(super) const FULL_LINK: &str = "That link is full: no more athletes can join it.";

pub(super) const MANY_LINKS: &str =
    "This race has no room for another link. Claude or the operator can end one of its links first.";

pub(super) const NOT_SHARED: &str = "That race is no longer there, so nothing was shared.";

/// Says that the name for a page is too long, or has no letters.
pub(super) fn bad_name() -> String {
    format!("The name must have 1 to {LONGEST_NAME} letters. Leave it out to show none.")
}

/// Says that the race is on another athlete's page now.
pub(super) fn joined(athletes: usize) -> String {
    format!(
        "Your race is on that page now, with {athletes} athletes in all, without your heart rate or positions near \
         your start and finish. Claude or the operator can take it off at any time; the others stay."
    )
}

/// Says that a link was made before. It can't be shown again, because only its hash is stored.
pub(super) fn shared_already(age: SignedDuration, by_mail: bool) -> String {
    let minutes = age.as_mins().max(0);
    let ago = match minutes {
        0 | 1 => "a minute ago".to_owned(),
        2..=119 => format!("{minutes} minutes ago"),
        _ => format!("{} hours ago", minutes / 60),
    };
    let source = if by_mail {
        "with the message that a LiveTrack e-mail started the race"
    } else {
        "in a chat"
    };
    format!(
        "There is already a link: it was sent {ago} {source}, and still works. It can't be shown again; /share new makes \
         another one."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::plan::Checkpoint;
    use crate::race::schedule::RacePhase;
    use crate::race::support::hour;

    fn english() -> &'static PageWords {
        PageWords::named("en").unwrap()
    }

    fn running(name: &str) -> RaceOverview {
        let (mut snapshot, _) = hour();
        snapshot.watch.phase = RacePhase::Live;
        snapshot.watch.last_ok_at = Some(snapshot.now);
        snapshot.settings.name = Some(name.into());
        RaceOverview {
            snapshot,
            last_words: None,
            watched: true,
            waiting: Vec::new(),
        }
    }

    #[test]
    fn the_status_says_what_the_page_says() {
        let one = status(&[running("Lake Run")], english());
        assert!(
            one.starts_with("Lake Run: Running. Last seen just now at km 10.8."),
            "{one}"
        );
        assert!(one.contains("Expected at Finish between"), "{one}");
        assert!(one.ends_with("All times are local to the race (UTC)."), "{one}");
        let two = status(&[running("Lake Run"), running("Hill Run")], english());
        assert!(two.contains("\n\nHill Run: Running."), "{two}");
        assert_eq!(status(&[], english()), english().chat.no_race);
        let twins = status(&[running("Lake Run"), running("Lake Run")], english());
        assert!(
            twins.starts_with("Lake Run (2026-10-04 08:00): Running."),
            "{twins}"
        );
        let german = status(&[running("Lake Run")], PageWords::named("de").unwrap());
        assert!(german.starts_with("Lake Run: Läuft."), "{german}");
    }

    #[test]
    fn an_unknown_place_is_answered_with_the_known_ones() {
        let races = [running("Lake Run")];
        let unknown = eta(&races, Some("summit"), english());
        assert_eq!(
            unknown,
            "I don't know that place. I know Finish. Ask by kilometres from the start, such as /eta 31.5."
        );
        let german = eta(&races, Some("K4"), PageWords::named("de").unwrap());
        assert!(
            german.starts_with("Diesen Ort kenne ich nicht. Ich kenne Ziel. Frag"),
            "{german}"
        );
        let with_mill = |name| {
            let mut race = running(name);
            race.snapshot.settings.checkpoints = vec![Checkpoint {
                name: "Mill".into(),
                km: 15.0,
                ..Checkpoint::default()
            }];
            race
        };
        let races_with_mill = [with_mill("Lake Run"), with_mill("Hill Run")];
        let unknown = eta(&races_with_mill, Some("summit"), english());
        assert!(unknown.contains("I know Mill, Finish."), "{unknown}");
        assert!(eta(&races, None, english()).starts_with("Expected at Finish"));
        assert_eq!(eta(&[], Some("x"), english()), english().chat.no_race);
        let both = eta(&[running("Lake Run"), running("Hill Run")], None, english());
        assert!(
            both.starts_with("Lake Run\nExpected") && both.contains("\n\nHill Run\n"),
            "{both}"
        );
    }

    #[test]
    fn a_mute_says_until_when_and_what_still_comes() {
        let until = "2026-10-04T09:05:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        let text = muted(until, until - SignedDuration::from_hours(1), &zone);
        assert!(
            text.contains("until 11:05 CEST.") && text.contains("a missed cut-off"),
            "{text}"
        );
        let tomorrow = muted(until, until - SignedDuration::from_hours(24), &zone);
        assert!(tomorrow.contains("until Sunday 11:05 CEST."), "{tomorrow}");
    }

    #[test]
    fn a_link_of_this_machine_says_so() {
        assert!(shared("http://localhost/r/x", 24, true).contains("PUBLIC_URL"));
        assert!(!shared("https://gw.example.org/r/x", 24, false).contains("PUBLIC_URL"));
        assert!(own_page("http://localhost", true).contains("http://localhost/me\n"));
        assert!(own_page("http://localhost", true).contains("PUBLIC_URL"));
        assert!(!own_page("https://gw.example.org", false).contains("PUBLIC_URL"));
        let minutes = |n| shared_already(SignedDuration::from_mins(n), false);
        assert!(minutes(0).contains("a minute ago"));
        assert!(minutes(45).contains("45 minutes ago") && minutes(300).contains("5 hours ago"));
        assert!(minutes(45).contains("in a chat"));
        let mailed = shared_already(SignedDuration::from_mins(3), true);
        assert!(
            mailed.contains("3 minutes ago with the message that a LiveTrack e-mail")
                && !mailed.contains("in a chat"),
            "{mailed}"
        );
    }
}
