//! Reads the claims of a message: each number, state, comparison, place and person, with the words around it.
//!
//! A clause inherits what the clause before it in the same sentence said. In "On the bike you averaged 205 W and
//! 141 bpm", the 141 is a mean on the bike.

mod part;
mod role;
mod scope;
mod statements;

use super::claim::{
    Claim, ClaimBody, ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, Length, Mood, Progress, Reference,
    Sense, State, When,
};
use super::facts::RaceFacts;
use super::items::{self, Clause, ItemKind, MessageItem};
use super::lexicon::Tag;
use super::quantity::{Measure, Quantity, Reading};
use part::Part;
use role::{around, mood, role};

/// All claims of a message, in order.
pub(super) fn claims(text: &str, facts: &RaceFacts) -> Vec<Claim> {
    let mut reader = Reader {
        text,
        claims: Vec::new(),
        last_length: None,
        last_metric: None,
        last_reference: None,
        last_checkpoint: None,
        here: facts.place_here(),
    };
    for sentence in items::sentences(text, facts) {
        reader.last_reference = None;
        let mut frame = ClaimFrame::default();
        let is_german = sentence.iter().flatten().any(|item| is_german(&item.words));
        for (index, clause) in sentence.iter().enumerate() {
            frame = reader.clause(clause, &frame);
            reader.last_metric = frame.metric.or(reader.last_metric);
            reader.last_reference = frame.reference.or(reader.last_reference);
            reader.names(clause, index == 0, is_german);
        }
    }
    reader.claims
}

fn is_german(word: &str) -> bool {
    matches!(
        word,
        "du" | "dein"
            | "deine"
            | "ist"
            | "und"
            | "der"
            | "die"
            | "das"
            | "nicht"
            | "auf"
            | "noch"
            | "im"
            | "gut"
            | "mit"
            | "bei"
    )
}

struct Reader<'a> {
    text: &'a str,
    claims: Vec<Claim>,
    /// The length of the last stretch named, for "the first", "the next five".
    last_length: Option<Length>,
    /// The metric of the sentence before, for "it is down to 110".
    last_metric: Option<ClaimMetric>,
    /// What the clause before compared with.
    last_reference: Option<Reference>,
    /// The place named last, for "you reached it".
    last_checkpoint: Option<usize>,
    /// The checkpoint that the athlete is at.
    here: Option<usize>,
}

impl Reader<'_> {
    fn push(&mut self, items: &[MessageItem], frame: &ClaimFrame, body: ClaimBody) {
        let from = items.first().map_or(0, |item| item.from);
        let to = items.last().map_or(0, |item| item.to);
        let said = self
            .text
            .get(from..to)
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect();
        self.claims.push(Claim {
            said,
            frame: frame.clone(),
            body,
        });
    }

    fn clause(&mut self, clause: &Clause, before: &ClaimFrame) -> ClaimFrame {
        let than = clause.iter().position(|item| item.has(Tag::Than));
        let (left, right) = than.map_or((clause.as_slice(), None), |at| {
            let (left, right) = clause.split_at(at);
            (left, right.get(1..))
        });
        let mut part = Part {
            items: left,
            used: vec![false; left.len()],
            scopes: Vec::new(),
        };
        let frame = self.frame(&mut part, before);
        for item in left.iter().filter(|item| item.kind == ItemKind::Unreadable) {
            self.push(std::slice::from_ref(item), &frame, ClaimBody::Unreadable);
        }
        if let Some(right) = right {
            self.comparison(clause, &mut part, &frame, right);
        }
        self.values(&part, &frame);
        if matches!(frame.mood, None | Some(Mood::Modal)) {
            self.statements(&part, &frame, right.is_some());
        }
        frame
    }

    /// What a clause says around its numbers.
    fn frame(&mut self, part: &mut Part<'_>, before: &ClaimFrame) -> ClaimFrame {
        let mut frame = before.carried_on();
        let own_when = part.items.iter().flat_map(MessageItem::tags);
        let own_when = own_when.filter_map(|tag| tag.when()).max();
        if own_when == Some(When::Now) {
            (frame.stat, frame.scope) = (None, None);
        }
        // "If you keep this up, you are there in an hour."
        let stays_future = own_when == Some(When::Present) && frame.when == Some(When::Future);
        frame.when = own_when.filter(|_| !stays_future).or(frame.when);
        scope::scope(part, &mut frame, &mut self.last_length);
        scope::legs(part, &mut frame);
        frame.stat = part.find(Tag::stat).or(frame.stat);
        frame.metric = part.find(Tag::metric).or(frame.metric);
        frame.sense = part.find(Tag::sense);
        frame.reference = part.find(Tag::reference);
        frame.progress = part.find(Tag::progress).or(frame.progress);
        // "It closes at 1:30:00, you have 20 minutes to spare."
        if frame.reference.is_none()
            && matches!(frame.sense, Some(Sense::Ahead | Sense::Behind))
            && self.last_reference == Some(Reference::Cutoff)
        {
            frame.reference = self.last_reference;
        }
        frame.not = part.has(|tag| tag == Tag::Not);
        frame.from_here = part.has(|tag| tag == Tag::FromHere);
        frame.reached = part.has(|tag| tag == Tag::Reached);
        frame.stranger = part.has(|tag| tag == Tag::Stranger);
        frame.standing |=
            part.has(|tag| tag == Tag::State(State::Standing) || tag == Tag::Metric(ClaimMetric::Stop));
        frame.silent |= part.has(|tag| {
            matches!(
                tag,
                Tag::State(State::Silent) | Tag::LastSeen | Tag::Metric(ClaimMetric::Gap)
            )
        });
        let own_stat = part.has(|tag| matches!(tag, Tag::Stat(_)));
        if !part.scopes.is_empty() && !own_stat && matches!(frame.stat, Some(ClaimStat::Max | ClaimStat::Min))
        {
            frame.stat = None;
        }
        let is_mean = part.has(|tag| tag == Tag::Stat(ClaimStat::Mean));
        if is_mean
            && part.scopes.is_empty()
            && matches!(frame.scope, Some(ClaimScope::Mark(_) | ClaimScope::LastSplit))
        {
            frame.scope = None;
        }
        let checkpoint = part.items.iter().find_map(|item| match item.kind {
            ItemKind::Checkpoint(index) => Some(index),
            _ => None,
        });
        let is_here = part.items.iter().any(|item| {
            matches!(
                item.words.as_str(),
                "here" | "this" | "hier" | "ici" | "aquí" | "qui"
            )
        });
        let checkpoint = checkpoint.or(self.here.filter(|_| is_here));
        let is_it = part.has(|tag| tag == Tag::Reached);
        frame.checkpoint = checkpoint
            .or(frame.checkpoint)
            .or(self.last_checkpoint.filter(|_| is_it && part.scopes.is_empty()));
        self.last_checkpoint = checkpoint.or(self.last_checkpoint);
        frame.is_inherited = (part.scopes.is_empty() && frame.scope.is_some() && frame.scope == before.scope)
            || (!own_stat && frame.stat.is_some())
            || (own_when.is_none() && frame.when == Some(When::Now))
            || (checkpoint.is_none() && frame.checkpoint.is_some());
        frame.mood = mood(part, before.mood);
        frame
    }

    fn values(&mut self, part: &Part<'_>, frame: &ClaimFrame) {
        let values = part.values();
        if let [one, two] = values.as_slice()
            && let Some((distance, time)) = Self::reaching(part, frame, *one, *two)
        {
            let items = part.items.get(*one..=*two).unwrap_or_default();
            self.push(items, frame, ClaimBody::Reaching(distance, time));
            return;
        }
        let mut unit = None;
        for (number, index) in values.iter().copied().enumerate().rev() {
            let from = number
                .checked_sub(1)
                .and_then(|before| values.get(before))
                .map_or(0, |before| before + 1);
            let to = values.get(number + 1).copied().unwrap_or(part.items.len());
            let (Some(item), Some(before), Some(after)) = (
                part.items.get(index),
                part.items.get(from..index),
                part.items.get(index + 1..to),
            ) else {
                continue;
            };
            let Some(mut quantity) = item.quantity().cloned() else {
                continue;
            };
            // "10.8 of 21.1 km"
            let joined = after.len() <= 1
                && after
                    .iter()
                    .all(|item| matches!(item.words.as_str(), "of" | "out of" | "von" | "de" | "di" | "sur"));
            match (quantity.whole(), unit) {
                (Some(value), Some((measure, factor))) if joined => {
                    let step = quantity.measures(Measure::Bare).map_or(1.0, |bare| bare.step);
                    quantity.readings = vec![Reading {
                        measure,
                        value: value * factor,
                        step: factor * step,
                    }];
                }
                _ => {
                    unit = quantity
                        .measures(Measure::Distance)
                        .map(|_| (Measure::Distance, 1000.0));
                }
            }
            let mut frame = ClaimFrame {
                scope: part
                    .scope_at(index, to)
                    .filter(|_| frame.scope.is_some())
                    .or(frame.scope),
                ..frame.clone()
            };
            frame = around(&frame, before, after);
            // "10.8 of 21.1 km", "10.8/21.1 km": the second is the whole.
            let is_whole = number > 0
                && before.iter().all(|item| {
                    matches!(
                        item.words.as_str(),
                        "of" | "von" | "de" | "di" | "sur" | "into" | "into the"
                    )
                });
            if is_whole && quantity.measures(Measure::Distance).is_some() {
                frame.progress = None;
            }
            frame.metric = frame.metric.or(self.last_metric);
            // "46.3 of them are done"
            let of_them = matches!(after, [of, them, ..] if matches!(of.words.as_str(), "of" | "von") && matches!(them.words.as_str(), "them" | "those" | "denen"));
            if let (Some(value), true) = (quantity.whole(), of_them) {
                quantity.readings = vec![Reading {
                    measure: Measure::Distance,
                    value: value * 1000.0,
                    step: 100.0,
                }];
            }
            let body = role(quantity, &frame, (before, after), number + 1 == values.len());
            self.push(
                part.items
                    .get(index.saturating_sub(2)..(index + 3).min(part.items.len()))
                    .unwrap_or_default(),
                &frame,
                body,
            );
        }
    }

    /// A distance and a time in one clause: `10 km in 55:11`.
    fn reaching(part: &Part<'_>, frame: &ClaimFrame, one: usize, two: usize) -> Option<(Quantity, Quantity)> {
        let is_plain = frame.mood.is_none()
            && !frame.from_here
            && !frame.standing
            && frame.reference.is_none()
            && frame.progress != Some(Progress::ToGo)
            && frame.scope.is_none_or(|scope| scope == ClaimScope::Race);
        let quantity = |index: usize| part.items.get(index).and_then(MessageItem::quantity);
        let (one, two) = (quantity(one)?, quantity(two)?);
        let is_pair = |distance: &Quantity, time: &Quantity| {
            distance.measures(Measure::Distance).is_some() && time.measures(Measure::Duration).is_some()
        };
        let pair = if is_pair(one, two) {
            (one, two)
        } else if is_pair(two, one) {
            (two, one)
        } else {
            return None;
        };
        let is_difference = part.has(|tag| matches!(tag, Tag::Sense(Sense::Ahead | Sense::Behind)));
        (is_plain && !is_difference).then(|| (pair.0.clone(), pair.1.clone()))
    }

    /// `9 seconds faster than the first`: the number before the comparative is used up.
    fn comparison(
        &mut self,
        clause: &[MessageItem],
        left: &mut Part<'_>,
        frame: &ClaimFrame,
        right: &[MessageItem],
    ) {
        if frame.sense.is_none() || !matches!(frame.mood, None | Some(Mood::Modal)) {
            return;
        }
        let mut part = Part {
            items: right,
            used: vec![false; right.len()],
            scopes: Vec::new(),
        };
        let blank = ClaimFrame {
            metric: frame.metric,
            leg: frame.leg,
            ..ClaimFrame::default()
        };
        let with = self.frame(&mut part, &blank);
        let said = part
            .values()
            .first()
            .and_then(|index| right.get(*index))
            .and_then(MessageItem::quantity)
            .cloned();
        let by = left.values().last().copied().filter(|index| {
            left.items
                .get(index + 1)
                .is_some_and(|next| next.tags().iter().any(|tag| matches!(tag, Tag::Sense(_))))
        });
        let difference = by
            .and_then(|index| left.items.get(index))
            .and_then(MessageItem::quantity)
            .cloned();
        if let Some(index) = by {
            left.take(index);
        }
        self.push(
            clause,
            frame,
            ClaimBody::Comparison {
                with: Box::new(with),
                said,
                by: difference,
            },
        );
    }
}
