//! Questions to the person. A question about an act that hurts names what it hits, and stands on No.

use super::keys::KeyPress;
use super::state::limits;
use crate::admin::api::{AccountView, AdminAct};

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dialog {
    /// What it is about.
    pub(super) title: String,
    /// What it says.
    pub(super) lines: Vec<String>,
    /// How it is answered.
    pub(super) kind: Kind,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Yes or no.
    YesNo {
        /// What Yes does.
        act: AdminAct,
        /// Whether it stands on Yes.
        yes: bool,
    },
    /// By typing a word.
    Word {
        /// What it does.
        act: AdminAct,
        /// The word.
        word: &'static str,
        /// What was typed so far.
        typed: String,
    },
    /// By typing a text.
    Text {
        /// What it is for.
        purpose: TextPurpose,
        /// What was typed so far.
        typed: String,
        /// What is wrong with it.
        wrong: Option<&'static str>,
    },
}

/// What a text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextPurpose {
    /// An e-mail to invite.
    Invite,
    /// A LiveTrack link; the account if there is but one, otherwise it stands before the link.
    StartRace(Option<String>),
    /// Limits of this race.
    Limits(String),
}

/// What a key came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DialogOutcome {
    /// The question still stands.
    Open,
    /// It is withdrawn.
    Closed,
    /// It is agreed.
    Do(AdminAct),
}

impl Dialog {
    /// A yes-or-no question that stands on No.
    pub(super) fn confirm(title: &str, lines: Vec<String>, act: AdminAct) -> Self {
        Self {
            title: title.into(),
            lines,
            kind: Kind::YesNo { act, yes: false },
        }
    }

    /// The same, but a word must be typed.
    #[must_use]
    pub(super) fn with_word(mut self, word: &'static str) -> Self {
        if let Kind::YesNo { act, .. } = self.kind {
            self.kind = Kind::Word {
                act,
                word,
                typed: String::new(),
            };
        }
        self
    }

    /// Whom to invite.
    pub(super) fn invite() -> Self {
        Self::text(
            "Invite",
            "The e-mail address of their Garmin account:",
            TextPurpose::Invite,
        )
    }

    /// What race to watch.
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

    /// What limits to change.
    pub(super) fn limits(race: &str) -> Self {
        Self::text(
            "Change limits",
            "For example hr_max=150 power_max=200:",
            TextPurpose::Limits(race.into()),
        )
    }

    fn text(title: &str, line: &str, purpose: TextPurpose) -> Self {
        Self {
            title: title.into(),
            lines: vec![line.into()],
            kind: Kind::Text {
                purpose,
                typed: String::new(),
                wrong: None,
            },
        }
    }

    /// A letter was typed or pasted.
    pub(super) fn letter(&mut self, c: char) {
        match &mut self.kind {
            Kind::Word { typed, .. } => typed.push(c),
            Kind::Text { typed, wrong, .. } => {
                typed.push(c);
                *wrong = None;
            }
            Kind::YesNo { .. } => {}
        }
    }

    /// A key was pressed.
    pub(super) fn key(&mut self, key: KeyPress) -> DialogOutcome {
        if key == KeyPress::Esc {
            return DialogOutcome::Closed;
        }
        match &mut self.kind {
            Kind::YesNo { act, yes } => match key {
                KeyPress::Enter if !*yes => return DialogOutcome::Closed,
                KeyPress::Char('n' | 'N' | 'q') => return DialogOutcome::Closed,
                KeyPress::Char('y' | 'Y') | KeyPress::Enter => return DialogOutcome::Do(act.clone()),
                KeyPress::Left | KeyPress::Right | KeyPress::Tab | KeyPress::BackTab => *yes = !*yes,
                _ => {}
            },
            Kind::Word { act, word, typed } => match key {
                KeyPress::Char(c) => typed.push(c),
                KeyPress::Backspace => drop(typed.pop()),
                KeyPress::Enter if typed == word => return DialogOutcome::Do(act.clone()),
                _ => {}
            },
            Kind::Text {
                purpose,
                typed,
                wrong,
            } => match key {
                KeyPress::Char(c) => {
                    typed.push(c);
                    *wrong = None;
                }
                KeyPress::Backspace => drop(typed.pop()),
                KeyPress::Enter => match purpose.act(typed.trim()) {
                    Ok(act) => return DialogOutcome::Do(act),
                    Err(what) => *wrong = Some(what),
                },
                _ => {}
            },
        }
        DialogOutcome::Open
    }
}

impl TextPurpose {
    fn act(&self, text: &str) -> Result<AdminAct, &'static str> {
        match self {
            Self::Invite if text.contains('@') => Ok(AdminAct::Invite { email: text.into() }),
            Self::Invite => Err("That is no e-mail address."),
            Self::StartRace(account) => {
                let (account, link) = match account {
                    Some(account) => (account.as_str(), text),
                    None => text.split_once(' ').ok_or("Both are needed.")?,
                };
                if !link.trim().starts_with("https://") {
                    return Err("The link begins with https://");
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
                .ok_or("Write NAME=NUMBER, with spaces between."),
        }
    }
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
    fn it_stands_on_no() {
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
    fn a_word_must_be_typed_whole() {
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
        let limits = type_in(&mut Dialog::limits("race_1"), "hr_max=150 power_max=200");
        assert!(
            matches!(limits, DialogOutcome::Do(AdminAct::ChangeLimits { limits, .. }) if limits.len() == 2)
        );
        assert_eq!(
            type_in(&mut Dialog::limits("race_1"), "fast"),
            DialogOutcome::Open
        );
    }
}
