//! People other than the athlete.

use super::Reader;
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::{Clause, ItemKind};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::names;
use crate::race::claims::roles::Roles;
use crate::race::claims::token::one_of;

impl Reader<'_> {
    /// Names of people other than the athlete.
    pub(super) fn names(&mut self, clause: &Clause, first: bool, is_german: bool) {
        for (index, item) in clause.iter().enumerate() {
            if item.kind != ItemKind::Capital {
                continue;
            }
            let before = index.checked_sub(1).and_then(|before| clause.get(before));
            let at_place = before.is_some_and(|before| {
                before
                    .tags
                    .iter()
                    .any(|tag| matches!(tag, Tag::At | Tag::Reached))
            });
            let in_name =
                before.is_some_and(|before| one_of(before.words.as_str(), "lake|monte|san|saint|santa|st"));
            let after = clause.get(index + 1);
            let owned = clause
                .get(index + 2)
                .filter(|_| after.is_some_and(|after| after.words == "s"));
            // "Julia's mum"
            let is_family = owned.is_some_and(|item| item.has(Tag::Reader) || item.has(Tag::Stranger));
            // "Hi Tom, Anna is at km 10."
            let acts = after.is_some_and(|after| {
                after.words == "s"
                    || after.is(|tag| {
                        matches!(
                            tag,
                            Tag::When(_)
                                | Tag::State(_)
                                | Tag::Motion
                                | Tag::Reached
                                | Tag::Trend(_)
                                | Tag::Leg(_)
                        )
                    })
            });
            let is_family = is_family || (self.names_own && !acts);
            let listed = names::is_first_name(&item.words);
            let owns = clause.get(index + 1).is_some_and(|after| after.words == "s");
            let alone = clause.len() == 1 && !first && !is_german;
            let starts = first && index == 0;
            if !is_family && ((listed && !in_name) || (!at_place && (owns || alone || starts))) {
                let name = ClaimBody::Name(item.words.clone());
                self.push(std::slice::from_ref(item), &Roles::default(), name);
            }
        }
    }
}
