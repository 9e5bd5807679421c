//! Two things in one clause: one part of the race against another, and a distance with its time.

use super::{Part, Reader};
use crate::race::claims::claim::{ClaimBody, ClaimFrame, ClaimScope, Mood, Progress, Sense};
use crate::race::claims::items::MessageItem;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::{Measure, Quantity};

impl Reader<'_> {
    /// A distance and a time in one clause: `10 km in 55:11`.
    pub(super) fn reaching(
        part: &Part<'_>,
        frame: &ClaimFrame,
        one: usize,
        two: usize,
    ) -> Option<(Quantity, Quantity)> {
        let is_plain = frame.mood.is_none()
            && !frame.from_here
            && !frame.standing
            && !frame.silent
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
    pub(super) fn comparison(
        &mut self,
        clause: &[MessageItem],
        left: &mut Part<'_>,
        frame: &ClaimFrame,
        right: &[MessageItem],
    ) {
        if !matches!(frame.mood, None | Some(Mood::Modal)) {
            return;
        }
        let mut part = Part {
            items: right,
            used: vec![false; right.len()],
            scopes: Vec::new(),
        };
        if frame.sense.is_none() {
            // "150 against a ceiling of 165"
            if !part.has(|tag| matches!(tag, Tag::Reference(_))) {
                return;
            }
            let frame = self.frame(&mut part, frame);
            self.values(&part, &frame);
            return;
        }
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
            left.items.get(index + 1).is_some_and(|next| {
                next.tags().iter().any(|tag| matches!(tag, Tag::Sense(_)))
                    || matches!(
                        next.words.as_str(),
                        "more" | "less" | "fewer" | "mehr" | "weniger"
                    )
            })
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
