use super::*;

const LINK: &str = "livetrack.garmin.com/session/x";

fn id(name: &str) -> AccountId {
    format!("acc_{}", name.repeat(16)).parse().unwrap()
}

fn people(owners: &[&str], sender: &[&str], is_private: bool) -> ChatPeople {
    let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect();
    ChatPeople {
        owners: ids(owners),
        sender: ids(sender),
        is_private,
        is_reader: false,
    }
}

fn find(text: &str) -> Result<PastedLink, LinkProblem> {
    if text.contains("cut-off") {
        return Err(LinkProblem::Incomplete);
    }
    let found = text.contains(LINK).then(|| PastedLink::Short("x".into()));
    found.ok_or(LinkProblem::Missing)
}

fn text(text: &str) -> UpdateContent {
    UpdateContent::Text {
        text: text.into(),
        links: vec![],
    }
}

fn decided(content: &str, people: &ChatPeople) -> ChatAct {
    decide(text(content), people, find, true)
}

fn press() -> ButtonPress {
    ButtonPress {
        query: "1".into(),
        message: 2,
        data: "keep".into(),
    }
}

fn place() -> UpdateContent {
    UpdateContent::Place(Position { lat: 1.0, lon: 2.0 })
}

#[test]
fn who_was_invited_may_accept_and_leave() {
    let stranger = people(&[], &[], true);
    let reader = ChatPeople {
        is_reader: true,
        ..stranger.clone()
    };
    let both = ChatPeople {
        is_reader: true,
        ..people(&["a"], &["a"], true)
    };
    let join = ChatAct::Join("join_x".into());
    for chat in [&stranger, &reader, &both] {
        assert_eq!(decided("/start join_x", chat), join);
    }
    assert_eq!(decided("/leave", &stranger), ChatAct::TurnAway);
    assert_eq!(decided("/leave", &reader), ChatAct::Leave);
    assert_eq!(decided("/leave", &both), ChatAct::Leave);
    for written in ["hello", "/status", LINK] {
        assert_eq!(decided(written, &reader), ChatAct::ReaderHint, "{written}");
    }
    assert_eq!(decided("/status", &both), ChatAct::Status);
    assert_eq!(decide(place(), &reader, find, true), ChatAct::ReaderHint);
    // The menu offers `/leave` to everybody.
    assert_eq!(
        decided("/leave", &people(&["a"], &["a"], true)),
        ChatAct::NotInvited
    );
    // Nobody accepts for a whole group.
    let group = people(&[], &[], false);
    assert_eq!(decided("/start join_x", &group), ChatAct::TurnAway);
}

#[test]
fn a_stranger_is_turned_away_whatever_they_write() {
    let (alone, group) = (people(&[], &[], true), people(&[], &[], false));
    for written in ["hello", "/status", "/stop", LINK, "/dance"] {
        assert_eq!(decided(written, &alone), ChatAct::TurnAway, "{written}");
    }
    assert_eq!(decide(place(), &alone, find, true), ChatAct::TurnAway);
    // The people of a group may talk about anything.
    assert_eq!(decided("hello", &group), ChatAct::Ignore);
    assert_eq!(decided("/dance", &group), ChatAct::Ignore);
    assert_eq!(decide(place(), &group, find, true), ChatAct::Ignore);
    assert_eq!(decide(text("/status"), &group, find, false), ChatAct::Ignore);
    assert_eq!(decided("/status", &group), ChatAct::TurnAway);
    assert_eq!(decided(LINK, &group), ChatAct::TurnAway);
    // Somebody whom the gateway knows elsewhere is a stranger in this group.
    assert_eq!(decided(LINK, &people(&[], &["a"], false)), ChatAct::TurnAway);
    let pressed = decide(UpdateContent::Press(press()), &alone, find, true);
    assert_eq!(pressed, ChatAct::Release(press()));
}

#[test]
fn in_a_group_all_may_ask_and_known_members_may_change() {
    let (anybody, ann) = (people(&["a"], &[], false), people(&["a"], &["a"], false));
    for written in ["/status", "/eta Mill", "/help"] {
        assert_eq!(decided(written, &anybody), decided(written, &ann), "{written}");
        assert_ne!(decided(written, &anybody), ChatAct::Refuse);
    }
    for written in ["/stop", "/share", "/mute 1h", "/mute off", LINK] {
        assert_eq!(decided(written, &anybody), ChatAct::Refuse, "{written}");
        assert_ne!(decided(written, &ann), ChatAct::Refuse, "{written}");
    }
    let pressed = |people: &ChatPeople| decide(UpdateContent::Press(press()), people, find, true);
    assert_eq!(pressed(&anybody), ChatAct::RefusePress(press()));
    assert_eq!(pressed(&ann), ChatAct::Press(press()));
    for written in ["well done!", "/dance", "https://example.org"] {
        assert_eq!(decided(written, &ann), ChatAct::Ignore, "{written}");
    }
}

#[test]
fn a_link_starts_the_race_of_whom_it_is_about() {
    let athlete = |people: &ChatPeople| match decided(LINK, people) {
        ChatAct::Start { athlete, .. } => Some(athlete),
        ChatAct::WhoseRace => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(athlete(&people(&["a"], &["a"], true)), Some(id("a")));
    assert_eq!(athlete(&people(&["a", "b"], &["b"], false)), Some(id("b")));
    assert_eq!(athlete(&people(&["a"], &["b"], false)), Some(id("a")));
    assert_eq!(athlete(&people(&["a", "b"], &["c"], false)), None);
    assert_eq!(athlete(&people(&["a", "b"], &["a", "b"], true)), None);
}

/// A text of a chat or a mail, and what the bot makes of it.
#[derive(serde::Deserialize)]
struct LinkCase {
    shape: String,
    text: String,
    #[serde(default)]
    links: Vec<String>,
    act: String,
}

#[test]
fn links_are_found_in_chats_and_mails_of_all_shapes() {
    let garmin = url::Url::parse("https://sso.garmin.com").unwrap();
    let hosts = crate::config::GarminHosts {
        livetrack: url::Url::parse("https://livetrack.garmin.com").unwrap(),
        ..crate::config::GarminHosts::at(&garmin)
    };
    let cases = include_str!("../../../../tests/scenarios/chats/links.json");
    let cases: Vec<LinkCase> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 30);
    let ann = people(&["a"], &["a"], true);
    for LinkCase {
        shape,
        text,
        links,
        act,
    } in cases
    {
        let content = UpdateContent::Text { text, links };
        let find = |text: &str| crate::garmin::livetrack::find(text, &hosts);
        let decided = match decide(content, &ann, find, true) {
            ChatAct::Start { text, .. } => {
                if let PastedLink::Complete(link) = find(&text).unwrap() {
                    assert_eq!(link.session_id, "11112222-3333-4444-8555-666677778888", "{shape}");
                    assert_eq!(link.token.expose(), "0A1B2C3D4E5F60718293A4B5C6D7E8F", "{shape}");
                }
                "start"
            }
            ChatAct::BadLink(_) => "cut off",
            ChatAct::Hint => "hint",
            other => panic!("{shape}: {other:?}"),
        };
        assert_eq!(decided, act, "{shape}");
    }
}

#[test]
fn a_link_behind_words_or_after_a_command_counts() {
    let ann = people(&["a"], &["a"], true);
    let hidden = UpdateContent::Text {
        text: "follow me".into(),
        links: vec![format!("https://{LINK}")],
    };
    let is_start = |act| matches!(act, ChatAct::Start { .. });
    assert!(is_start(decide(hidden, &ann, find, true)));
    assert!(is_start(decided(&format!("/start {LINK}"), &ann)));
    assert!(is_start(decided(&format!("/track {LINK}"), &ann)));
    assert_eq!(
        decided(&format!("/eta {LINK}"), &ann),
        ChatAct::Eta(Some(LINK.into()))
    );
    let bad = ChatAct::BadLink(LinkProblem::Incomplete);
    assert_eq!(decided("cut-off", &ann), bad);
    assert_eq!(decided("/start", &ann), ChatAct::Help);
    assert_eq!(decided("/dance", &ann), ChatAct::UnknownCommand);
    assert_eq!(decided("how is she?", &ann), ChatAct::Hint);
    assert_eq!(decided("/share crew", &ann), ChatAct::ShareHow);
    let file = |people: &ChatPeople| decide(UpdateContent::Unreadable, people, find, true);
    assert_eq!(file(&ann), ChatAct::NoFiles);
    assert_eq!(file(&people(&[], &[], true)), ChatAct::TurnAway);
    assert_eq!(decide(text("/status"), &ann, find, false), ChatAct::Ignore);
}
