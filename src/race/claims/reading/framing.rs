//! What a clause says around its numbers.

use super::role::{departs, mood, past};
use super::scope;
use super::{Part, Reader};
use crate::race::claims::claim::{
    ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, Reference, Sense, State, When,
};
use crate::race::claims::evidence::metric_of;
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;

impl Reader<'_> {
    /// What a clause says around its numbers.
    #[expect(clippy::too_many_lines, reason = "one step for each part of the frame")]
    pub(super) fn frame(&mut self, part: &mut Part<'_>, before: &ClaimFrame) -> ClaimFrame {
        let mut frame = before.carried_on();
        let own_when = part.items.iter().flat_map(MessageItem::tags);
        let own_when = own_when.filter_map(|tag| tag.when()).max().or_else(|| past(part));
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
        // "You have done the swim and the bike."
        if own_when.is_none() && part.values().is_empty() && part.has(|tag| matches!(tag, Tag::Leg(_))) {
            frame.progress = frame.progress.or(before.progress);
        }
        // "It closes at 1:30:00, you have 20 minutes to spare."
        if frame.reference.is_none()
            && matches!(frame.sense, Some(Sense::Ahead | Sense::Behind))
            && self.last_reference == Some(Reference::Cutoff)
        {
            frame.reference = self.last_reference;
        }
        if frame.reference == Some(Reference::Plan) && frame.sense.is_none() {
            let has = |words: &[&str]| part.items.iter().any(|item| words.contains(&item.words.as_str()));
            if has(&["lost", "lose", "losing", "down", "conceded", "verloren", "perdu"]) {
                frame.sense = Some(Sense::Behind);
            } else if has(&["gained", "won", "bought", "saved", "up", "gewonnen", "gagné"]) {
                frame.sense = Some(Sense::Ahead);
            }
        }
        frame.reference_before = self.last_reference;
        let tells = |item: &MessageItem| {
            matches!(
                item.words.as_str(),
                "tracker" | "signal" | "dot" | "data" | "position" | "phone" | "contact"
            )
        };
        frame.silent |= part.has(|tag| tag == Tag::Not) && part.items.iter().any(tells);
        // "11 watts more"
        let more = part.items.windows(2).find_map(|two| {
            let [value, more] = two else { return None };
            let metric = metric_of(value.quantity()?.readings.first()?.measure)?;
            let sense = match more.words.as_str() {
                "more" | "mehr" | "higher" => Sense::Above,
                "less" | "fewer" | "weniger" | "lower" => Sense::Below,
                _ => return None,
            };
            Some((metric, sense))
        });
        if let Some((metric, sense)) = more {
            (frame.metric, frame.sense, frame.progress) = (Some(metric), frame.sense.or(Some(sense)), None);
        }
        frame.not = part.has(|tag| tag == Tag::Not);
        frame.from_here = part.has(|tag| tag == Tag::FromHere);
        frame.reached = part.has(|tag| tag == Tag::Reached);
        frame.stranger = part.has(|tag| tag == Tag::Stranger);
        let stood = frame.standing;
        frame.standing |= part
            .has(|tag| tag == Tag::State(State::Standing) || tag == Tag::Metric(ClaimMetric::Stop))
            || part
                .items
                .iter()
                .filter_map(MessageItem::quantity)
                .any(|quantity| quantity.measures(Measure::Stops).is_some());
        frame.own_standing = frame.standing && !stood;
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
        frame.is_inherited = !before.is_label
            && ((part.scopes.is_empty() && frame.scope.is_some() && frame.scope == before.scope)
                || (!own_stat && frame.stat.is_some())
                || (own_when.is_none() && frame.when == Some(When::Now))
                || (checkpoint.is_none() && frame.checkpoint.is_some()));
        frame.mood = mood(part, before.mood);
        frame.departed = departs(part);
        let is_timed = matches!(frame.scope, Some(ClaimScope::Ago(_) | ClaimScope::Last(_)))
            && frame.scope != before.scope;
        frame.own_scope = !part.scopes.is_empty() || is_timed || (before.is_label && before.own_scope);
        frame.own_stat = own_stat;
        frame.own_place = checkpoint.is_some() || (before.is_label && before.own_place);
        frame.own_leg =
            part.has(|tag| matches!(tag, Tag::Leg(_) | Tag::OnLeg(_))) || (before.is_label && before.own_leg);
        frame.is_label = part.values().is_empty() && own_when.is_none();
        frame.limit_leads = part
            .items
            .first()
            .is_some_and(|first| first.has(Tag::Reference(Reference::Limit)));
        frame
    }
}
