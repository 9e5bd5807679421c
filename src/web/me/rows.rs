//! The rows of the page, each with its sentences in the person's language.

use std::collections::BTreeSet;

use crate::history::TroubleClass;
use crate::mcp::DataGroup;
use crate::web::words::{MeAppWords, MeGrantWords, MeHistoryWords, MeRaceWords, SiteWords, fill};

/// An app that has access, as a row with its button.
pub(in crate::web) struct OwnApp {
    pub(in crate::web) id: String,
    pub(in crate::web) name: String,
    pub(in crate::web) may_change: bool,
    pub(in crate::web) since: String,
    pub(in crate::web) last_used: String,
    /// Whether it opened this page, which closes when the app's access ends.
    pub(in crate::web) opened_page: bool,
}

impl OwnApp {
    pub(super) fn access(&self, words: &MeAppWords) -> &'static str {
        if self.may_change {
            words.changes
        } else {
            words.reads
        }
    }

    pub(super) fn times(&self, words: &MeAppWords) -> String {
        fill(words.times, &[("since", &self.since), ("used", &self.last_used)])
    }

    pub(super) fn end(&self, words: &MeAppWords) -> &'static str {
        if self.opened_page {
            words.end_and_close
        } else {
            words.end
        }
    }

    pub(super) fn end_label(&self, words: &MeAppWords) -> String {
        fill(words.end_label, &[("app", &self.name), ("since", &self.since)])
    }
}

pub(in crate::web) struct OwnHistory {
    pub(in crate::web) days: String,
    pub(in crate::web) kilobytes: String,
    pub(in crate::web) since: String,
    /// Why no days can be fetched.
    pub(in crate::web) trouble: Option<TroubleClass>,
}

impl OwnHistory {
    pub(super) fn state(&self, words: &MeHistoryWords) -> String {
        let values = [
            ("since", self.since.as_str()),
            ("days", &self.days),
            ("size", &self.kilobytes),
        ];
        fill(words.on, &values)
    }

    /// Why no days can be fetched, and what to do.
    pub(super) fn trouble(&self, words: &MeHistoryWords, operator: &str) -> Option<String> {
        let troubles = &words.troubles;
        let sentence = match self.trouble? {
            TroubleClass::SignInNeeded => troubles.sign_in,
            TroubleClass::RateLimited => troubles.pause,
            TroubleClass::Unreachable => troubles.unreachable,
            TroubleClass::Refused => troubles.refused,
            TroubleClass::Changed => troubles.changed,
            TroubleClass::Worker => troubles.worker,
            TroubleClass::NotStored => troubles.not_stored,
        };
        Some(fill(sentence, &[("operator", operator)]))
    }
}

/// A race with the links that show it.
pub(in crate::web) struct RaceWithLinks {
    pub(in crate::web) id: String,
    /// The athlete and the race.
    pub(in crate::web) title: String,
    pub(in crate::web) links: Vec<RaceLinkRow>,
}

pub(in crate::web) struct RaceLinkRow {
    pub(in crate::web) id: String,
    pub(in crate::web) is_crew: bool,
    /// The person's name on the page.
    pub(in crate::web) name: Option<String>,
    /// The end of the link, if it is known.
    pub(in crate::web) ends: Option<String>,
    pub(in crate::web) hours_after: u32,
    pub(in crate::web) others: Vec<OnLinkRow>,
}

/// Another athlete on the link.
pub(in crate::web) struct OnLinkRow {
    /// The name that they chose.
    pub(in crate::web) name: Option<String>,
    /// The id with which they are taken off; `None` if another athlete made the link.
    pub(in crate::web) share: Option<String>,
}

impl OnLinkRow {
    /// Names them, and says how they are taken off.
    pub(super) fn take_off(&self, words: &MeRaceWords) -> String {
        match &self.name {
            Some(name) => fill(words.take_off, &[("name", name)]),
            None => words.take_nameless_off.to_owned(),
        }
    }
}

impl RaceLinkRow {
    /// Says for whom the link is, under which name, with how many others, and until when.
    pub(super) fn about(&self, words: &MeRaceWords) -> String {
        let mut sentences = vec![
            (if self.is_crew {
                words.for_crew
            } else {
                words.for_family
            })
            .to_owned(),
        ];
        sentences.extend(self.name.iter().map(|name| fill(words.named, &[("name", name)])));
        if !self.others.is_empty() {
            sentences.push(fill(words.others, &[("n", &self.others.len().to_string())]));
        }
        sentences.push(match &self.ends {
            Some(time) => fill(words.ends_at, &[("time", time)]),
            None => fill(words.ends_after, &[("n", &self.hours_after.to_string())]),
        });
        sentences.join(" ")
    }
}

/// Who may see what of the person, and whose data the person may see.
pub(in crate::web) struct OwnGrants {
    pub(in crate::web) given: Vec<GivenRow>,
    pub(in crate::web) held: Vec<HeldRow>,
    /// The first and the last day that a grant can end on.
    pub(in crate::web) first_day: String,
    pub(in crate::web) last_day: String,
}

/// A grant to another member, as a row with its button.
pub(in crate::web) struct GivenRow {
    pub(in crate::web) id: String,
    pub(in crate::web) email: String,
    pub(in crate::web) groups: String,
    pub(in crate::web) until: String,
    pub(in crate::web) name: String,
}

impl GivenRow {
    pub(super) fn seen(&self, words: &MeGrantWords) -> String {
        let values = [
            ("groups", self.groups.as_str()),
            ("date", &self.until),
            ("name", &self.name),
        ];
        fill(words.given, &values)
    }

    pub(super) fn take_back_label(&self, words: &MeGrantWords) -> String {
        fill(words.take_back_label, &[("email", &self.email)])
    }
}

/// A grant from another member.
pub(in crate::web) struct HeldRow {
    pub(in crate::web) name: String,
    pub(in crate::web) groups: String,
    pub(in crate::web) until: String,
    pub(in crate::web) is_link_broken: bool,
}

impl HeldRow {
    pub(super) fn heading(&self, words: &MeGrantWords) -> String {
        fill(words.held_heading, &[("name", &self.name)])
    }

    pub(super) fn seen(&self, words: &MeGrantWords) -> String {
        fill(words.held, &[("groups", &self.groups), ("until", &self.until)])
    }
}

/// A group of data as a box of the form. Its value is the name that all languages share.
pub(in crate::web) struct GroupBox {
    pub(super) value: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
}

impl GroupBox {
    pub(super) fn of(group: DataGroup, words: &SiteWords) -> Self {
        let groups = &words.me.groups;
        let said = match group {
            DataGroup::Activities => &groups.activities,
            DataGroup::Training => &groups.training,
            DataGroup::Steps => &groups.steps,
            DataGroup::Sleep => &groups.sleep,
            DataGroup::Heart => &groups.heart,
            DataGroup::Body => &groups.body,
            DataGroup::Races => &groups.races,
            DataGroup::Everything => &groups.everything,
        };
        Self {
            value: group.name(),
            name: said.title,
            about: said.text,
        }
    }
}

/// The names of some groups, within a sentence.
pub(super) fn group_names(groups: &BTreeSet<DataGroup>, words: &SiteWords) -> String {
    let names = groups.iter().map(|group| GroupBox::of(*group, words).name);
    names.collect::<Vec<_>>().join(", ")
}
