//! Questions to the operator. A question about a destructive act says what it ends, and No is preselected.

use serde_json::{Map, Value};

use super::keys::KeyPress;
use crate::accounts::is_email;
use crate::admin::api::AdminAct;
use crate::admin::views::AccountView;
use crate::race::share::ShareRole;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dialog {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) kind: DialogKind,
    /// Why the answer was not accepted. The dialog stays open with what was typed.
    pub(super) wrong: Option<&'static str>,
}

/// The form of the answer to a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DialogKind {
    YesNo {
        act: AdminAct,
        yes: bool,
    },
    /// The operator types a given word.
    Word {
        act: AdminAct,
        word: &'static str,
        typed: String,
    },
    Text {
        purpose: TextPurpose,
        typed: String,
    },
    /// A new link, which is never shown again.
    Link(String),
}

/// The purpose of a typed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextPurpose {
    Invite,
    /// A LiveTrack link for this account. `None`: the operator types the account's e-mail before the link.
    StartRace(Option<String>),
    Limits(String),
    /// The role of a link to this race's page, the name that the page shows, and a link to join.
    Share(String),
}

/// The result of a key press in a dialog.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DialogOutcome {
    Open,
    Closed,
    Do(AdminAct),
    /// Copy a text, and stay open.
    Copy(String),
}

impl Dialog {
    /// A yes-or-no question with No preselected.
    pub(super) fn confirm(title: &str, lines: Vec<String>, act: AdminAct) -> Self {
        Self {
            title: title.into(),
            lines,
            kind: DialogKind::YesNo { act, yes: false },
            wrong: None,
        }
    }

    /// Requires a word to be typed instead of Yes.
    #[must_use]
    pub(super) fn with_word(mut self, word: &'static str) -> Self {
        if let DialogKind::YesNo { act, .. } = self.kind {
            self.kind = DialogKind::Word {
                act,
                word,
                typed: String::new(),
            };
        }
        self
    }

    pub(super) fn invite() -> Self {
        Self::text(
            "Invite",
            "The e-mail address of their Garmin account:",
            TextPurpose::Invite,
        )
    }

    pub(super) fn start_race(accounts: &[AccountView]) -> Self {
        match accounts {
            [only] => Self::text(
                "Watch a race",
                "The LiveTrack link:",
                TextPurpose::StartRace(Some(only.id.clone())),
            ),
            _ => Self::text(
                "Watch a race",
                "The account's e-mail, a space, the LiveTrack link:",
                TextPurpose::StartRace(None),
            ),
        }
    }

    /// Asks for limits of the race with this id. `label` names the athlete and the race.
    pub(super) fn limits(race: &str, label: &str) -> Self {
        Self::text(
            "Change limits",
            "For example hr_max=150 power_max=200:",
            TextPurpose::Limits(race.into()),
        )
        .about(label)
    }

    /// Asks for the terms of a link to the page of the race with this id. `label` names the athlete and the race.
    pub(super) fn share(race: &str, label: &str) -> Self {
        Self::text(
            "Make a link to the live page",
            "family or crew, the name on the page, and a link to join, if any:",
            TextPurpose::Share(race.into()),
        )
        .about(label)
    }

    /// Begins with a line that names the subject.
    fn about(mut self, label: &str) -> Self {
        self.lines.insert(0, format!("of {label}"));
        self
    }

    /// Shows a link that was just made. `label` names the athlete and the race.
    pub(super) fn link(url: &str, label: &str) -> Self {
        Self {
            title: format!("The link to {label}, shown only once"),
            lines: vec![
                "Anyone who has it can see the page without signing in.".into(),
                String::new(),
                url.into(),
            ],
            kind: DialogKind::Link(url.into()),
            wrong: None,
        }
    }

    fn text(title: &str, line: &str, purpose: TextPurpose) -> Self {
        Self {
            title: title.into(),
            lines: vec![line.into()],
            kind: DialogKind::Text {
                purpose,
                typed: String::new(),
            },
            wrong: None,
        }
    }

    /// Inserts a typed or pasted character.
    pub(super) fn letter(&mut self, c: char) {
        self.wrong = None;
        match &mut self.kind {
            DialogKind::Word { typed, .. } | DialogKind::Text { typed, .. } => typed.push(c),
            DialogKind::YesNo { .. } | DialogKind::Link(_) => {}
        }
    }

    pub(super) fn key(&mut self, key: KeyPress) -> DialogOutcome {
        if key == KeyPress::Esc {
            return DialogOutcome::Closed;
        }
        self.wrong = None;
        match &mut self.kind {
            DialogKind::YesNo { act, yes } => match key {
                KeyPress::Enter if !*yes => return DialogOutcome::Closed,
                KeyPress::Char('n' | 'N' | 'q') => return DialogOutcome::Closed,
                KeyPress::Char('y' | 'Y') | KeyPress::Enter => return DialogOutcome::Do(act.clone()),
                KeyPress::Left | KeyPress::Right | KeyPress::Tab | KeyPress::BackTab => *yes = !*yes,
                _ => {}
            },
            DialogKind::Word { act, word, typed } => match key {
                KeyPress::Char(c) => typed.push(c),
                KeyPress::Backspace => drop(typed.pop()),
                KeyPress::Enter if typed == word => return DialogOutcome::Do(act.clone()),
                _ => {}
            },
            DialogKind::Text { purpose, typed } => match key {
                KeyPress::Char(c) => typed.push(c),
                KeyPress::Backspace => drop(typed.pop()),
                KeyPress::Enter => match purpose.act(typed.trim()) {
                    Ok(act) => return DialogOutcome::Do(act),
                    Err(what) => self.wrong = Some(what),
                },
                _ => {}
            },
            DialogKind::Link(url) => match key {
                KeyPress::Char('y') => return DialogOutcome::Copy(url.clone()),
                KeyPress::Enter => return DialogOutcome::Closed,
                _ => {}
            },
        }
        DialogOutcome::Open
    }
}

impl TextPurpose {
    fn act(&self, text: &str) -> Result<AdminAct, &'static str> {
        match self {
            Self::Invite if is_email(text) => Ok(AdminAct::Invite { email: text.into() }),
            Self::Invite => Err("That is not an e-mail address."),
            Self::StartRace(account) => {
                let (account, link) = match account {
                    Some(account) => (account.as_str(), text),
                    None => text
                        .split_once(' ')
                        .ok_or("Write the e-mail, a space, and the link.")?,
                };
                if !link.trim().starts_with("https://") {
                    return Err("The link must begin with https://");
                }
                Ok(AdminAct::StartRace {
                    account: account.into(),
                    link: link.trim().into(),
                })
            }
            Self::Limits(race) => limits(text)
                .map(|limits| AdminAct::ChangeLimits {
                    race: race.clone(),
                    limits,
                })
                .ok_or("Write NAME=NUMBER pairs, separated by spaces."),
            Self::Share(race) => {
                let (role, name) = text.split_once(' ').unwrap_or((text, ""));
                let role = ShareRole::named(role).ok_or("Write family or crew first.")?;
                let (name, link) = match name.rsplit_once(' ').unwrap_or(("", name)) {
                    (before, last) if last.contains("/r/") => (before.trim(), Some(last)),
                    _ => (name.trim(), None),
                };
                Ok(AdminAct::ShareRace {
                    race: race.clone(),
                    role: role.name().into(),
                    name: (!name.is_empty()).then(|| name.into()),
                    privacy_m: None,
                    hours_after: None,
                    with: link.map(str::to_owned),
                })
            }
        }
    }
}

fn limits(text: &str) -> Option<Map<String, Value>> {
    let mut limits = Map::new();
    for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value: f64 = value.parse().ok()?;
        limits.insert(name.to_owned(), value.into());
    }
    (!limits.is_empty()).then_some(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(dialog: &mut Dialog, text: &str) -> DialogOutcome {
        for c in text.chars() {
            assert_eq!(dialog.key(KeyPress::Char(c)), DialogOutcome::Open);
        }
        dialog.key(KeyPress::Enter)
    }

    #[test]
    fn no_is_preselected() {
        let act = AdminAct::TestNotify;
        for (keys, expected) in [
            (&[KeyPress::Enter][..], DialogOutcome::Closed),
            (&[KeyPress::Esc], DialogOutcome::Closed),
            (
                &[KeyPress::Right, KeyPress::Enter],
                DialogOutcome::Do(act.clone()),
            ),
            (&[KeyPress::Char('y')], DialogOutcome::Do(act.clone())),
            (&[KeyPress::Char(' ')], DialogOutcome::Open),
        ] {
            let mut dialog = Dialog::confirm("Sure", Vec::new(), act.clone());
            let outcomes: Vec<DialogOutcome> = keys.iter().map(|key| dialog.key(*key)).collect();
            assert_eq!(outcomes.last(), Some(&expected), "{keys:?}");
        }
    }

    #[test]
    fn the_whole_word_must_be_typed() {
        let act = AdminAct::Forget { account: "a".into() };
        let mut dialog = Dialog::confirm("Forget", Vec::new(), act.clone()).with_word("forget");
        assert_eq!(type_in(&mut dialog, "forge"), DialogOutcome::Open);
        assert_eq!(type_in(&mut dialog, "t"), DialogOutcome::Do(act));
    }

    #[test]
    fn texts_become_acts() {
        let invite = |text: &str| type_in(&mut Dialog::invite(), text);
        assert_eq!(
            invite("dee@example.org"),
            DialogOutcome::Do(AdminAct::Invite {
                email: "dee@example.org".into()
            })
        );
        assert_eq!(invite("dee"), DialogOutcome::Open);
        let start = type_in(&mut Dialog::start_race(&[]), "ann@example.org https://x/y");
        assert!(
            matches!(start, DialogOutcome::Do(AdminAct::StartRace { account, .. }) if account == "ann@example.org")
        );
        let limits = type_in(
            &mut Dialog::limits("race_1", "Ann, Half"),
            "hr_max=150 power_max=200",
        );
        assert!(
            matches!(limits, DialogOutcome::Do(AdminAct::ChangeLimits { limits, .. }) if limits.len() == 2)
        );
        assert_eq!(
            type_in(&mut Dialog::limits("race_1", "Ann, Half"), "fast"),
            DialogOutcome::Open
        );
    }
}
