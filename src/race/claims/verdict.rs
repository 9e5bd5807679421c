//! Whether a claim is true, by the facts of the race.

use super::claim::{Claim, ClaimBody};
use super::evidence::{ClaimVerdict, check, no};
use super::facts::RaceFacts;
use super::lexicon::Tag;
use super::value::number;
use super::{changes, comparison, reaching, splits, states};

pub(super) fn verdict(claim: &Claim, facts: &RaceFacts) -> ClaimVerdict {
    let roles = &claim.roles;
    if roles.has(Tag::Stranger) && !matches!(claim.body, ClaimBody::Name(_)) && roles.mood.is_none() {
        return no("the data is about one athlete and says nothing of others");
    }
    match &claim.body {
        ClaimBody::Unreadable => no("digits of another script cannot be read"),
        ClaimBody::Name(_) if facts.athlete.is_empty() => {
            no("the athlete's name is not known; leave names out")
        }
        ClaimBody::Name(_) => Err(format!(
            "the data is about {}, and no other person",
            facts.athlete.join(" ")
        )),
        ClaimBody::Speaker => no("the author follows the race and does not run it; say whom this is about"),
        ClaimBody::Number(quantity, roles) => {
            let first = roles.first().cloned().unwrap_or_default();
            let verdict = number(quantity, &first, facts);
            verdict.or_else(|why| {
                let others = roles.iter().skip(1);
                others
                    .into_iter()
                    .find(|roles| number(quantity, roles, facts).is_ok())
                    .map(|_| ())
                    .ok_or(why)
            })
        }
        ClaimBody::Reaching(distance, time) => reaching::reaching(distance, time, roles, facts),
        ClaimBody::Change(quantity, sense) => changes::change(quantity, *sense, roles, facts),
        ClaimBody::Sequence(seconds, from_m) => splits::sequence(seconds, *from_m, facts),
        ClaimBody::Splits(listed) => splits::splits(listed, facts),
        ClaimBody::Peak(metres) => splits::peak(*metres, roles, facts),
        ClaimBody::Relation => comparison::relation(roles, facts),
        ClaimBody::Comparison { with, said, by } => {
            comparison::comparison(roles, with, said.as_ref(), by.as_ref(), facts)
        }
        ClaimBody::Trend(sense) => changes::trend(*sense, roles, facts),
        ClaimBody::State(state) => states::state(*state, roles, facts),
        ClaimBody::Extreme(sense, metres) => splits::extreme(*sense, *metres, roles, facts),
        ClaimBody::Place(metres) => states::place(*metres, roles, facts),
        ClaimBody::Located(said_m, at_m) => check(
            (said_m - at_m).abs() <= 150.0,
            &format!("that place is at {:.1} km", at_m / 1000.0),
        ),
        ClaimBody::StopAt(metres) => states::stop_at(*metres, facts),
        ClaimBody::NthStop(number) => states::nth_stop(*number, facts),
        ClaimBody::StopAgainst(metres, longer) => states::stop_against(*metres, *longer, facts),
        ClaimBody::LongestStop(longest) => states::longest_stop(*longest, facts),
        ClaimBody::Halfway => states::halfway(roles, facts),
        ClaimBody::Leg(kind) => states::leg(*kind, roles, facts),
    }
}
