//! The form that was refused, as the page shows it again: with what was typed, and what is wrong where.

use super::form::PageAct;
use super::refusal::{PageProblem, ProblemPlace};

/// A refused form and its problem.
pub(in crate::web) struct RefusedForm {
    step: &'static str,
    /// The race of a form that every race has; empty for the others.
    race: String,
    typed: Vec<(&'static str, String)>,
    /// The fields with a secret. It is not sent back, because the page may be kept by the browser or be on a screen that others see.
    withheld: Vec<&'static str>,
    problem: PageProblem,
}

impl RefusedForm {
    /// `None`: the form had no fields.
    pub(in crate::web) fn new(act: &PageAct, problem: PageProblem) -> Option<Self> {
        let mut form = Self {
            step: "",
            race: String::new(),
            typed: Vec::new(),
            withheld: Vec::new(),
            problem,
        };
        form.step = match act {
            PageAct::HistoryOff { .. } => "history_off",
            PageAct::Forget { .. } => "forget",
            PageAct::SetPhone {
                telegram_chat,
                ntfy_topic,
            } => {
                form.keep("telegram_chat", telegram_chat);
                // Whoever knows a topic can read along.
                form.withhold("ntfy_topic", ntfy_topic);
                "set_phone"
            }
            PageAct::SetTimeZone(name) => {
                form.keep("time_zone", name);
                "set_time_zone"
            }
            PageAct::SetMailAddresses(addresses) => {
                form.keep("mail_addresses", addresses);
                "set_mail_addresses"
            }
            PageAct::SetTools(names) => {
                // The other choices have no names, and are not refused.
                form.keep("tools", "own");
                form.keep("names", names);
                "set_tools"
            }
            PageAct::GrantAccess(wish) => {
                form.keep("to", &wish.to);
                for group in &wish.groups {
                    form.keep("group", group);
                }
                form.keep("until", &wish.until);
                form.keep("name", &wish.name);
                "grant_access"
            }
            PageAct::ShareRace {
                race,
                role,
                name,
                with,
            } => {
                race.clone_into(&mut form.race);
                form.keep("role", role.name());
                form.keep("name", name);
                // Whoever has the address of a link sees its page.
                form.withhold("with", with);
                "share_race"
            }
            PageAct::SignOut
            | PageAct::EndApp(_)
            | PageAct::HistoryOn
            | PageAct::Export
            | PageAct::RemovePhone
            | PageAct::SetCharts { .. }
            | PageAct::EndShare { .. }
            | PageAct::WithdrawGrant(_) => return None,
        };
        Some(form)
    }

    fn keep(&mut self, field: &'static str, value: &str) {
        self.typed.push((field, value.to_owned()));
    }

    fn withhold(&mut self, field: &'static str, secret: &str) {
        if !secret.is_empty() {
            self.withheld.push(field);
        }
    }
}

/// A form as the page shows it: as it was refused, else with what is stored.
#[derive(Clone, Copy)]
pub(super) struct FormOnPage<'a>(Option<&'a RefusedForm>);

impl<'a> FormOnPage<'a> {
    pub(super) fn new(refused: Option<&'a RefusedForm>, step: &str, race: &str) -> Self {
        Self(refused.filter(|form| form.step == step && form.race == race))
    }

    /// Whether it is the form that was refused: what folds it in is open.
    pub(super) fn is_refused(self) -> bool {
        self.0.is_some()
    }

    /// A problem of the form as a whole.
    pub(super) fn problem(self) -> Option<&'a str> {
        self.problem_in(ProblemPlace::Form)
    }

    pub(super) fn problem_at(self, field: &str) -> Option<&'a str> {
        match self.0?.problem.place {
            ProblemPlace::Field(wrong) if wrong == field => self.problem_in(ProblemPlace::Field(wrong)),
            _ => None,
        }
    }

    fn problem_in(self, place: ProblemPlace) -> Option<&'a str> {
        let form = self.0.filter(|form| form.problem.place == place)?;
        Some(&form.problem.text)
    }

    pub(super) fn is_wrong(self, field: &str) -> bool {
        self.problem_at(field).is_some()
    }

    /// What was typed, else what is stored.
    pub(super) fn value<'b>(self, field: &str, stored: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let Some(form) = self.0 else { return stored };
        let typed = form.typed.iter().find(|(name, _)| *name == field);
        typed.map_or("", |(_, value)| value)
    }

    /// Whether a box is ticked: as it was sent, else as it is stored.
    pub(super) fn is_ticked(self, field: &str, value: &str, stored: bool) -> bool {
        self.0.map_or(stored, |form| {
            form.typed
                .iter()
                .any(|(name, ticked)| *name == field && ticked == value)
        })
    }

    /// Whether a secret was typed here, which must be typed again.
    pub(super) fn is_withheld(self, field: &str) -> bool {
        self.0.is_some_and(|form| form.withheld.contains(&field))
    }
}
