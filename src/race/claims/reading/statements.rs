//! Claims of a clause that need no number: states, legs, places, relations, names.

use super::Reader;
use super::part::Part;
use super::scope;
use crate::race::claims::claim::{ClaimBody, ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, State, When};
use crate::race::claims::evidence::{is_measured, metric_of};
use crate::race::claims::items::{Clause, ItemKind, MessageItem};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::names;
use crate::race::claims::quantity::Measure;

impl Reader<'_> {
    /// Claims without a number.
    #[expect(clippy::too_many_lines, reason = "one condition for each kind of claim")]
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
        let has_pace = part.values().iter().any(|index| {
            let quantity = items.get(*index).and_then(MessageItem::quantity);
            quantity.is_some_and(|quantity| {
                quantity
                    .readings
                    .iter()
                    .any(|reading| metric_of(reading.measure).is_some())
                    && quantity.measures(Measure::Duration).is_none()
            })
        });
        let is_waiting = part.has(|tag| tag == Tag::State(State::Waiting));
        if frame.mood.is_none() {
            for (index, item) in items.iter().enumerate() {
                let named = self.athlete_is_named || part.has(|tag| tag == Tag::Athlete);
                let is_present = matches!(frame.when, Some(When::Present | When::Now));
                let is_word = item.kind == ItemKind::Word
                    || item.has(Tag::Metric(ClaimMetric::Ascent))
                    || item.has(Tag::Metric(ClaimMetric::Stop))
                    || item.has(Tag::State(State::Walking));
                if let (Some(state), true) =
                    (doing(&item.words), named && is_present && is_word && !frame.not)
                {
                    self.push(items, frame, ClaimBody::State(state));
                }
                for tag in item.tags() {
                    match tag {
                        // A heart rate that has not moved is no stop.
                        Tag::State(State::Standing) if measures => {}
                        // "9:20 /km on the move"
                        Tag::State(State::Moving)
                            if has_values && (has_pace || frame.metric.is_some_and(is_measured)) => {}
                        Tag::State(state) => {
                            let is_verb = item.has(Tag::Metric(ClaimMetric::Stop));
                            let when = frame.when.or(is_verb.then_some(When::Past));
                            self.push(
                                items,
                                &ClaimFrame {
                                    when,
                                    ..frame.clone()
                                },
                                ClaimBody::State(*state),
                            );
                        }
                        Tag::Trend(_) if self.has_change(items) => {}
                        Tag::Trend(sense) if !compared => {
                            let metric = frame.metric.or(self.last_metric);
                            self.push(
                                items,
                                &ClaimFrame {
                                    metric,
                                    ..frame.clone()
                                },
                                ClaimBody::Trend(*sense),
                            );
                        }
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
            let peaks = part.has(|tag| tag == Tag::Stat(ClaimStat::Max)) && measures && !has_values;
            if let (true, Some(ClaimScope::Mark(metres))) = (peaks, frame.scope) {
                self.push(items, frame, ClaimBody::Peak(metres));
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

    /// Whether a change told with both its ends has been read from these items.
    fn has_change(&self, items: &[MessageItem]) -> bool {
        let last = self.claims.last();
        !items.is_empty() && last.is_some_and(|claim| matches!(claim.body, ClaimBody::Change(..)))
    }

    /// Marks and checkpoints that the athlete is said to be at, to have passed or to reach.
    fn places(&mut self, part: &Part<'_>, frame: &ClaimFrame, is_extreme: bool) {
        let items = part.items;
        let has_values = !part.values().is_empty();
        let at_place = part.has(|tag| matches!(tag, Tag::At)) && part.has(|tag| tag == Tag::Athlete);
        let is_next = part.has(|tag| tag == Tag::Scope(ScopeWord::Next));
        let is_after = items
            .iter()
            .any(|item| matches!(item.words.as_str(), "after" | "nach" | "since" | "seit"));
        let when = match frame.when {
            _ if is_next => Some(When::Future),
            Some(When::Present | When::Now) | None if is_after => Some(When::Past),
            when => when,
        };
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

/// What a present participle says of the athlete.
fn doing(word: &str) -> Option<State> {
    const MOVES: &str = " climbing cruising rolling flying progress descending spinning striding trotting marching hiking jogging galloping gliding walking advancing plodding ";
    const RESTS: &str = " sitting waiting stopping pausing sleeping lying napping queueing ";
    let word = format!(" {word} ");
    if MOVES.contains(&word) {
        Some(State::Moving)
    } else {
        RESTS.contains(&word).then_some(State::Standing)
    }
}
