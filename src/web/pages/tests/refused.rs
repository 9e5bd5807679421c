//! The forms of a person's page that were refused: each with its problem beside the field, and what was typed.

use super::samples::{Sampler, in_language, own_page, plain};
use super::*;
use crate::accounts::{GrantNameProblem, GrantProblem, GrantWish, MailAddressProblem};
use crate::notify::message::SetPhoneError;
use crate::race::share::ShareRole;
use crate::races::RaceActError;
use crate::web::me::{OwnPage, PageAct, PageRefusal};

/// The acts that have fields, each with a refusal, and the id of the field that must be mended.
fn refusals(of: Sampler) -> Vec<(&'static str, PageAct, PageRefusal)> {
    let grant = || {
        PageAct::GrantAccess(GrantWish {
            to: of.text("zoe@example.org"),
            groups: vec!["sleep".to_owned(), "races".to_owned()],
            until: of.text("2027-01-31"),
            name: of.text("Ada at home"),
        })
    };
    let share = || PageAct::ShareRace {
        race: of.text("race_a"),
        role: ShareRole::Crew,
        name: of.text("Countess"),
        with: of.text("https://gw.example.org/r/a-secret"),
    };
    let phone = || PageAct::SetPhone {
        telegram_chat: of.text("1001"),
        ntfy_topic: of.text("a-secret-topic"),
    };
    let tools = || PageAct::SetTools(of.text("get_dreams"));
    let zone = PageAct::SetTimeZone(of.text("Nowhere/Else"));
    let mails = PageAct::SetMailAddresses(of.text("Ada at home"));
    let shape = |field| PageRefusal::Phone(SetPhoneError::Shape { field, shape: "" });
    let of_grant = PageRefusal::Grant;
    let too_long = || GrantProblem::Name(GrantNameProblem::TooLong);
    let no_address = MailAddressProblem::NoAddress(of.text("Ada at home"));
    vec![
        (
            "confirm-off",
            PageAct::HistoryOff { is_confirmed: false },
            PageRefusal::EraseUnconfirmed,
        ),
        (
            "confirm-forget",
            PageAct::Forget { is_confirmed: false },
            PageRefusal::ForgetUnconfirmed,
        ),
        ("grant-to", grant(), of_grant(GrantProblem::UnknownEmail)),
        ("group-activities", grant(), of_grant(GrantProblem::NoGroup)),
        ("grant-name", grant(), of_grant(too_long())),
        ("race-name-1", share(), PageRefusal::RaceName),
        (
            "race-with-1",
            share(),
            PageRefusal::Race(RaceActError::NoSuchLink),
        ),
        ("telegram-chat", phone(), shape("telegram_chat")),
        ("ntfy-topic", phone(), shape("ntfy_topic")),
        ("time-zone", zone, PageRefusal::UnknownZone),
        ("mail-addresses", mails, PageRefusal::MailAddresses(no_address)),
        ("tool-names", tools(), PageRefusal::NoTool(of.text("get_dreams"))),
    ]
}

/// Each page after such a refusal, with the id of the field that must be mended.
pub(super) fn refused_pages(of: Sampler) -> Vec<(&'static str, String)> {
    let pages = refusals(of).into_iter().map(|(field, act, why)| {
        let problem = why.problem(&of.frame(), "https://gw.example.org");
        let page = own_page(of).with_refused(problem, &act);
        (field, page.render().unwrap())
    });
    pages.collect()
}

/// The text between two marks, the first of which is there once.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let mut parts = page.split(before).skip(1);
    let part = parts.next().unwrap_or_else(|| panic!("no {before}"));
    assert!(parts.next().is_none(), "{before} is there more than once");
    part.split(after).next().unwrap()
}

#[test]
fn a_refused_form_is_tied_to_its_field() {
    for words in SiteWords::all() {
        for (field, page) in refused_pages(in_language(words)) {
            let page = page.replace(STYLE, "");
            let title = between(&page, "<title>", "</title>");
            assert!(
                title.contains(words.me.title) && title != words.me.title,
                "{title}"
            );
            let input = between(&page, &format!("id=\"{field}\""), ">");
            assert!(input.contains(r#"aria-invalid="true""#), "{field}: {input}");
            assert!(input.contains("autofocus"), "{field}: {input}");
            assert_eq!(
                page.matches("autofocus").count(),
                1,
                "{field}: the focus goes there"
            );
            assert_eq!(page.matches(r#"role="alert""#).count(), 1, "{field}: one problem");
            let described = between(input, "aria-describedby=\"", "\"");
            let problem = described.split(' ').next().unwrap();
            let told = between(&page, &format!("id=\"{problem}\" role=\"alert\">"), "<");
            assert!(told.len() > 15 && !told.starts_with(char::is_lowercase), "{told}");
            // Nobody searches for the field: what folds its form in is open.
            let before = page.split(&format!("id=\"{field}\"")).next().unwrap();
            if let Some((_, inside)) = before
                .rsplit_once("<details")
                .filter(|(_, rest)| !rest.contains("</details>"))
            {
                assert!(inside.starts_with(" open"), "{field}");
            }
        }
    }
}

#[test]
fn what_was_typed_stays_except_for_secrets() {
    let pages = refused_pages(plain());
    let page = |field| &pages.iter().find(|(known, _)| *known == field).unwrap().1;
    let grant = page("grant-to");
    for kept in [
        r#"value="zoe@example.org""#,
        r#"value="2027-01-31""#,
        r#"value="Ada at home""#,
        r#"value="sleep" checked"#,
        r#"value="races" checked"#,
    ] {
        assert!(grant.contains(kept), "{kept}");
    }
    assert!(!grant.contains(r#"value="heart" checked"#));
    assert!(page("time-zone").contains(r#"value="Nowhere/Else""#));
    assert!(page("mail-addresses").contains(r#"value="Ada at home""#));
    let tools = page("tool-names");
    assert!(tools.contains(r#"value="own" checked"#) && tools.contains(r#"value="get_dreams""#));

    let again = plain().words.me.refused.type_again;
    let share = page("race-name-1");
    assert!(share.contains(r#"value="crew" checked"#) && share.contains(r#"value="Countess""#));
    let with = between(share, "id=\"race-with-1\"", ">");
    assert!(with.contains("race-with-1-again race-with-1-hint"), "{with}");
    let phone = page("telegram-chat");
    assert!(phone.contains(r#"value="1001""#));
    for (field, page) in &pages {
        assert!(!page.contains("a-secret"), "{field}: no secret comes back");
        let has_secret = ["race-name-1", "race-with-1", "telegram-chat", "ntfy-topic"].contains(field);
        assert_eq!(page.matches(again).count(), usize::from(has_secret), "{field}");
    }
}

/// The form as a whole can be sent again; a problem without its form stands at the top.
#[test]
fn other_problems_stand_in_the_form_or_at_the_top() {
    let frame = plain().frame();
    let told = |page: OwnPage, act: &PageAct, why: PageRefusal| {
        let page = page.with_refused(why.problem(&frame, ""), act);
        page.render().unwrap().replace(STYLE, "")
    };
    let phone = PageAct::SetPhone {
        telegram_chat: "1001".to_owned(),
        ntfy_topic: String::new(),
    };
    let soon = told(
        own_page(plain()),
        &phone,
        PageRefusal::Phone(SetPhoneError::TooSoon),
    );
    let form = between(&soon, r#"name="step" value="set_phone""#, "</form>");
    assert!(form.contains(r#"role="alert" tabindex="-1" autofocus"#) && form.contains(r#"value="1001""#));
    assert!(!soon.contains("aria-invalid"), "no field can mend it");

    let gone = PageAct::EndApp("fam_a".to_owned());
    let off = PageAct::HistoryOff { is_confirmed: false };
    let without = OwnPage {
        history: None,
        ..own_page(plain())
    };
    for page in [
        told(own_page(plain()), &gone, PageRefusal::AppGone),
        told(without, &off, PageRefusal::EraseUnconfirmed),
    ] {
        let (top, rest) = page.split_once("<section").unwrap();
        assert!(top.contains(r#"role="alert" tabindex="-1" autofocus"#));
        assert!(!rest.contains("autofocus"));
    }
}
