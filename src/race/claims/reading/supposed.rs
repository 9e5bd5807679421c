//! The pace that a clause supposes for the rest of the way.

use super::mood;
use crate::race::claims::evidence::spans;
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::items::MessageItem;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimMetric, ClaimScope, Length, Mood};

/// The speed in metres per second: `if you keep the pace of the last kilometre`, `if you stay at 5:15`.
pub(super) fn kept_pace(clause: &[MessageItem], roles: &Roles, facts: &RaceFacts) -> Option<f64> {
    if let (true, Some(scope @ (ClaimScope::LastSplit | ClaimScope::Last(Length::Metres(_))))) =
        (mood::keeps_pace(clause), roles.scope())
    {
        let part = spans(scope, roles, facts).ok()?;
        return part.first()?.values(ClaimMetric::Pace, None).first().copied();
    }
    let supposes = roles.mood == Some(Mood::If) && roles.scope().is_none();
    let mut numbers = clause.iter().filter_map(MessageItem::quantity);
    let only = numbers.next().filter(|_| supposes && numbers.next().is_none())?;
    let pace = only.measures(Measure::Speed).filter(|_| only.to.is_empty())?;
    // Without its unit, a clock is a pace only if somebody may run it.
    let is_said = only.readings.len() == 1;
    let seen = facts.race.values(ClaimMetric::Pace, None);
    let is_near = |mps: &f64| (0.7..1.4).contains(&(pace.value / mps));
    (is_said || seen.iter().any(is_near)).then_some(pace.value)
}

/// "If you keep the pace of the last kilometre" is not about that kilometre.
pub(super) fn forget_part(clause: &mut [MessageItem], roles: &mut Roles) {
    if !mood::keeps_pace(clause) {
        return;
    }
    let is_part = |tag: &Tag| matches!(tag, Tag::Part(_));
    roles.tags.retain(|tag| !is_part(tag));
    for item in clause {
        item.tags.retain(|tag| !is_part(tag));
    }
}
