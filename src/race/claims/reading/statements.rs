//! Claims of a clause that need no number: states, legs, places, relations, names.

use super::Reader;
use super::part::Part;
use super::scope;
use crate::race::claims::claim::{ClaimBody, ClaimFrame, ClaimMetric, ClaimScope, State, When};
use crate::race::claims::items::{Clause, ItemKind};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::names;

impl Reader<'_> {
    /// Claims without a number.
    pub(super) fn statements(&mut self, part: &Part<'_>, frame: &ClaimFrame, compared: bool) {
        let items = part.items;
        let has_values = !part.values().is_empty();
        let measures = part.has(|tag| {
            matches!(
                tag,
                Tag::Metric(
                    ClaimMetric::HeartRate | ClaimMetric::Power | ClaimMetric::Cadence | ClaimMetric::Pace
                )
            )
        });
        let is_waiting = part.has(|tag| tag == Tag::State(State::Waiting));
        if frame.mood.is_none() {
            for (index, item) in items.iter().enumerate() {
                for tag in item.tags() {
                    match tag {
                        // A heart rate that has not moved is no stop.
                        Tag::State(State::Standing | State::Moving) if measures => {}
                        Tag::State(state) => self.push(items, frame, ClaimBody::State(*state)),
                        Tag::Trend(sense) if !compared => self.push(items, frame, ClaimBody::Trend(*sense)),
                        Tag::Leg(_) if scope::is_ahead(items, index) => {}
                        Tag::Leg(kind) | Tag::OnLeg(kind) => {
                            let is_half = part.has(|tag| tag == Tag::Scope(ScopeWord::Half));
                            let progress = frame.progress.filter(|_| !has_values && !is_half);
                            let when = if is_waiting {
                                Some(When::Future)
                            } else {
                                frame.when
                            };
                            self.push(
                                items,
                                &ClaimFrame {
                                    when,
                                    progress,
                                    ..frame.clone()
                                },
                                ClaimBody::Leg(*kind),
                            );
                            if is_motion(&item.words)
                                && part.has(|tag| tag == Tag::Athlete)
                                && matches!(frame.when, Some(When::Present | When::Now))
                            {
                                self.push(items, frame, ClaimBody::State(State::Moving));
                            }
                        }
                        Tag::Scope(ScopeWord::Half) => self.push(items, frame, ClaimBody::Halfway),
                        _ => {}
                    }
                }
            }
            let extreme = part.find(Tag::extreme);
            match (extreme, frame.scope) {
                (Some(sense), Some(ClaimScope::Mark(metres))) => {
                    self.push(items, frame, ClaimBody::Extreme(sense, Some(metres)));
                }
                (Some(sense), Some(ClaimScope::LastSplit)) => {
                    self.push(items, frame, ClaimBody::Extreme(sense, None));
                }
                _ => {}
            }
            self.places(part, frame, extreme.is_some());
            if frame.not
                && !has_values
                && items.iter().any(|item| {
                    item.has(Tag::Metric(ClaimMetric::Stop)) || item.has(Tag::State(State::Standing))
                })
            {
                let past = matches!(frame.when, Some(When::Perfect | When::Past))
                    || frame.scope == Some(ClaimScope::Race)
                    || frame.when.is_none();
                if past {
                    self.push(items, frame, ClaimBody::NoStops);
                }
            }
        }
        if frame.sense.is_some() && !compared && (frame.reference.is_some() || !has_values) {
            self.push(items, frame, ClaimBody::Relation);
        }
    }

    /// Marks and checkpoints that the athlete is said to be at, to have passed or to reach.
    fn places(&mut self, part: &Part<'_>, frame: &ClaimFrame, is_extreme: bool) {
        let items = part.items;
        let has_values = !part.values().is_empty();
        let at_place = part.has(|tag| matches!(tag, Tag::At)) && part.has(|tag| tag == Tag::Athlete);
        let is_next = part.has(|tag| tag == Tag::Scope(ScopeWord::Next));
        let when = if is_next { Some(When::Future) } else { frame.when };
        let place_frame = ClaimFrame {
            when,
            at_place,
            ..frame.clone()
        };
        let place = match (
            frame.scope,
            items.iter().any(|item| matches!(item.kind, ItemKind::Mark(_))),
        ) {
            (Some(ClaimScope::Mark(metres)), true) if !has_values && !is_extreme => Some(metres),
            _ => None,
        };
        if let Some(metres) = place {
            self.push(items, &place_frame, ClaimBody::Place(Some(metres)));
        }
        let named = items
            .iter()
            .any(|item| matches!(item.kind, ItemKind::Checkpoint(_)));
        if named && frame.reference.is_none() {
            self.push(items, &place_frame, ClaimBody::Place(None));
        }
    }

    /// Names of people other than the athlete.
    pub(super) fn names(&mut self, clause: &Clause, first: bool, is_german: bool) {
        for (index, item) in clause.iter().enumerate() {
            if item.kind != ItemKind::Capital {
                continue;
            }
            let before = index.checked_sub(1).and_then(|before| clause.get(before));
            let after = clause.get(index + 1);
            let at_place = before.is_some_and(|before| {
                before
                    .tags()
                    .iter()
                    .any(|tag| matches!(tag, Tag::At | Tag::Reached))
            });
            let listed = names::is_first_name(&item.words);
            let owns = after.is_some_and(|after| after.words == "s");
            let alone = clause.len() == 1 && !first && !is_german;
            let starts = first && index == 0;
            if (listed && !(at_place && before.is_some_and(|before| before.words == "lake")))
                || (!at_place && (owns || alone || starts))
            {
                let frame = ClaimFrame::default();
                self.push(
                    std::slice::from_ref(item),
                    &frame,
                    ClaimBody::Name(item.words.clone()),
                );
            }
        }
    }
}

fn is_motion(word: &str) -> bool {
    matches!(
        word,
        "runs"
            | "running"
            | "rides"
            | "riding"
            | "swims"
            | "swimming"
            | "läuft"
            | "läufst"
            | "fährt"
            | "fährst"
            | "corriendo"
    )
}
