//! Questions to the person. A question about an act that hurts names what it hits, and stands on No.

use super::keys::Key;
use super::state::limits;
use crate::admin::api::{Account, Act};

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
        act: Act,
        /// Whether it stands on Yes.
        yes: bool,
    },
    /// By typing a word.
    Word {
        /// What it does.
        act: Act,
        /// The word.
        word: &'static str,
        /// What was typed so far.
        typed: String,
    },
    /// By typing a text.
    Text {
        /// What it is for.
        purpose: Purpose,
        /// What was typed so far.
        typed: String,
        /// What is wrong with it.
        wrong: Option<&'static str>,
    },
}

/// What a text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An e-mail to invite.
    Invite,
    /// A LiveTrack link; the account if there is but one, otherwise it stands before the link.
    StartRace(Option<String>),
    /// Limits of this race.
    Limits(String),
}

/// What a key came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The question still stands.
    Open,
    /// It is withdrawn.
    Closed,
    /// It is agreed.
    Do(Act),
}

impl Dialog {
    /// A yes-or-no question that stands on No.
    pub(super) fn confirm(title: &str, lines: Vec<String>, act: Act) -> Self {
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
            Purpose::Invite,
        )
    }

    /// What race to watch.
    pub(super) fn start_race(accounts: &[Account]) -> Self {
        match accounts {
            [only] => Self::text(
                "Watch a race",
                "The LiveTrack link:",
                Purpose::StartRace(Some(only.id.clone())),
            ),
            _ => Self::text(
                "Watch a race",
                "The account's e-mail, a space, the LiveTrack link:",
                Purpose::StartRace(None),
            ),
        }
    }

    /// What limits to change.
    pub(super) fn limits(race: &str) -> Self {
        Self::text(
            "Change limits",
            "For example hr_max=150 power_max=200:",
            Purpose::Limits(race.into()),
        )
    }

    fn text(title: &str, line: &str, purpose: Purpose) -> Self {
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
    pub(super) fn key(&mut self, key: Key) -> Outcome {
        if key == Key::Esc {
            return Outcome::Closed;
        }
        match &mut self.kind {
            Kind::YesNo { act, yes } => match key {
                Key::Enter if !*yes => return Outcome::Closed,
                Key::Char('n' | 'N' | 'q') => return Outcome::Closed,
                Key::Char('y' | 'Y') | Key::Enter => return Outcome::Do(act.clone()),
                Key::Left | Key::Right | Key::Tab | Key::BackTab => *yes = !*yes,
                _ => {}
            },
            Kind::Word { act, word, typed } => match key {
                Key::Char(c) => typed.push(c),
                Key::Backspace => drop(typed.pop()),
                Key::Enter if typed == word => return Outcome::Do(act.clone()),
                _ => {}
            },
            Kind::Text {
                purpose,
                typed,
                wrong,
            } => match key {
                Key::Char(c) => {
                    typed.push(c);
                    *wrong = None;
                }
                Key::Backspace => drop(typed.pop()),
                Key::Enter => match purpose.act(typed.trim()) {
                    Ok(act) => return Outcome::Do(act),
                    Err(what) => *wrong = Some(what),
                },
                _ => {}
            },
        }
        Outcome::Open
    }
}

impl Purpose {
    fn act(&self, text: &str) -> Result<Act, &'static str> {
        match self {
            Self::Invite if text.contains('@') => Ok(Act::Invite { email: text.into() }),
            Self::Invite => Err("That is no e-mail address."),
            Self::StartRace(account) => {
                let (account, link) = match account {
                    Some(account) => (account.as_str(), text),
                    None => text.split_once(' ').ok_or("Both are needed.")?,
                };
                if !link.trim().starts_with("https://") {
                    return Err("The link begins with https://");
                }
                Ok(Act::StartRace {
                    account: account.into(),
                    link: link.trim().into(),
                })
            }
            Self::Limits(race) => limits(text)
                .map(|limits| Act::ChangeLimits {
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

    fn type_in(dialog: &mut Dialog, text: &str) -> Outcome {
        for c in text.chars() {
            assert_eq!(dialog.key(Key::Char(c)), Outcome::Open);
        }
        dialog.key(Key::Enter)
    }

    #[test]
    fn it_stands_on_no() {
        let act = Act::TestNotify;
        for (keys, expected) in [
            (&[Key::Enter][..], Outcome::Closed),
            (&[Key::Esc], Outcome::Closed),
            (&[Key::Right, Key::Enter], Outcome::Do(act.clone())),
            (&[Key::Char('y')], Outcome::Do(act.clone())),
            (&[Key::Char(' ')], Outcome::Open),
        ] {
            let mut dialog = Dialog::confirm("Sure", Vec::new(), act.clone());
            let outcomes: Vec<Outcome> = keys.iter().map(|key| dialog.key(*key)).collect();
            assert_eq!(outcomes.last(), Some(&expected), "{keys:?}");
        }
    }

    #[test]
    fn a_word_must_be_typed_whole() {
        let act = Act::Forget { account: "a".into() };
        let mut dialog = Dialog::confirm("Forget", Vec::new(), act.clone()).with_word("forget");
        assert_eq!(type_in(&mut dialog, "forge"), Outcome::Open);
        assert_eq!(type_in(&mut dialog, "t"), Outcome::Do(act));
    }

    #[test]
    fn texts_become_acts() {
        let invite = |text: &str| type_in(&mut Dialog::invite(), text);
        assert_eq!(
            invite("dee@example.org"),
            Outcome::Do(Act::Invite {
                email: "dee@example.org".into()
            })
        );
        assert_eq!(invite("dee"), Outcome::Open);
        let start = type_in(&mut Dialog::start_race(&[]), "ann@example.org https://x/y");
        assert!(matches!(start, Outcome::Do(Act::StartRace { account, .. }) if account == "ann@example.org"));
        let limits = type_in(&mut Dialog::limits("race_1"), "hr_max=150 power_max=200");
        assert!(matches!(limits, Outcome::Do(Act::ChangeLimits { limits, .. }) if limits.len() == 2));
        assert_eq!(type_in(&mut Dialog::limits("race_1"), "fast"), Outcome::Open);
    }
}
