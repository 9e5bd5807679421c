//! Reads the claims of a message: each number, state, comparison, place and person, with the words around it.
//!
//! A clause inherits what the clause before it in the same sentence said. In "On the bike you averaged 205 W and
//! 141 bpm", the 141 is a mean on the bike.

mod comparing;
mod framing;
mod part;
mod role;
mod scope;
mod statements;

use super::claim::{Claim, ClaimBody, ClaimFrame, ClaimMetric, Length, Mood, Reference};
use super::evidence::metric_of;
use super::facts::RaceFacts;
use super::items::{self, Clause, ItemKind, MessageItem};
use super::lexicon::Tag;
use super::quantity::{Measure, Reading};
use part::Part;
use role::{ChangeOverTime, around, change_over_time, is_miles, role};

/// All claims of a message, in order.
pub(super) fn claims(text: &str, facts: &RaceFacts) -> Vec<Claim> {
    let mut reader = Reader {
        text,
        claims: Vec::new(),
        last_length: None,
        last_metric: None,
        last_reference: None,
        athlete_is_named: false,
        in_miles: false,
        compared_with: None,
        last_checkpoint: None,
        here: facts.place_here(),
        whole_m: facts.whole_m,
    };
    for sentence in items::sentences(text, facts) {
        reader.last_reference = reader
            .last_reference
            .filter(|reference| *reference == Reference::Cutoff);
        let mut frame = ClaimFrame::default();
        reader.athlete_is_named = sentence
            .iter()
            .flatten()
            .any(|item| item.kind == ItemKind::Athlete);
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
    /// Whether the sentence names the athlete.
    athlete_is_named: bool,
    /// Whether the last distance was in miles.
    in_miles: bool,
    /// The other side of a comparison, if a clause before named it: "compared with the first five,".
    compared_with: Option<Clause>,
    /// The place named last, for "you reached it".
    last_checkpoint: Option<usize>,
    /// The checkpoint that the athlete is at.
    here: Option<usize>,
    whole_m: Option<f64>,
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
        // "Compared with the first five, the second five were faster."
        if than == Some(0) && clause.len() > 1 {
            let subject = clause.iter().position(|item| {
                item.has(Tag::Athlete) && item.words.starts_with("you") && item.words.len() == 3
            });
            self.compared_with = clause
                .get(1..subject.unwrap_or(clause.len()))
                .map(<[MessageItem]>::to_vec);
            let Some(subject) = subject else {
                return before.clone();
            };
            return self.clause(&clause.get(subject..).unwrap_or_default().to_vec(), before);
        }
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
        let earlier = self.compared_with.take();
        let right = right.or(earlier.as_deref());
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

    #[expect(
        clippy::too_many_lines,
        reason = "one condition for each way to combine numbers"
    )]
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
            let bare = quantity.measures(Measure::Bare).map(|bare| bare.value);
            match (bare, unit) {
                (Some(value), Some((measure, factor))) if joined => {
                    let step = quantity.measures(Measure::Bare).map_or(1.0, |bare| bare.step);
                    quantity.readings = vec![Reading {
                        measure,
                        value: value * factor,
                        step: factor * step,
                    }];
                }
                (Some(value), None)
                    if self
                        .whole_m
                        .is_some_and(|m| (value * 1000.0 - m).abs() < m * 0.005)
                        && number > 0 =>
                {
                    unit = Some((Measure::Distance, 1000.0));
                    quantity.readings.push(Reading {
                        measure: Measure::Distance,
                        value: value * 1000.0,
                        step: 1000.0,
                    });
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
                        "of" | "von"
                            | "de"
                            | "di"
                            | "sur"
                            | "into"
                            | "into the"
                            | "the"
                            | "of the"
                            | "der"
                            | "den"
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
            if let Some(ChangeOverTime { sense }) = change_over_time(&quantity, &frame, before, part) {
                self.push(part.items, &frame, ClaimBody::Change(quantity, sense));
                continue;
            }
            let measured = quantity
                .readings
                .first()
                .and_then(|reading| metric_of(reading.measure));
            self.last_metric = measured
                .filter(|_| quantity.readings.len() == 1)
                .or(self.last_metric);
            if let Some(distance) = quantity.measures(Measure::Distance) {
                self.in_miles = is_miles(distance);
            }
            if let (Some(bare), true, Some(_)) =
                (quantity.measures(Measure::Bare), self.in_miles, frame.progress)
            {
                quantity.readings.push(Reading {
                    measure: Measure::Distance,
                    value: bare.value * 1609.344,
                    step: bare.step * 1609.344,
                });
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
}
