//! Checks what a message says about a race, because nobody should change their pace over something that a model made
//! up. Pure.
//!
//! Words have roles: metric, tense, part of the race, leg, place, sense, negation, advice. A number may mean every fact
//! of its unit that agrees with its roles. It is right if one of these has its value, and wrong if none has. A word
//! without a role changes nothing. States, places and comparisons need no number and are checked alike. What is wrong
//! is held, with a reason, so that its author can say it another way.
//!
//! To hold a right message is worse than to send a wrong one, so a number is held only if its words say what it is:
//! - A fact that no word contradicts is enough for a precise number, which few facts have by chance, and for a rough
//!   one without a word about it, or with one that no table knows.
//! - A time that has not come yet is a forecast or a limit, whatever its clause says of today.
//! - What follows from other figures counts as a fact: gaps, margins, what is left, arrivals, times of day.
//! - A small number without a unit may count anything, and a supposed pace need not be true.
//!
//! Advice is not a claim: a target must be plausible in this race, and grams and minutes of advice are free.
//!
//! Deliberately unchecked: praise, and what the data does not contain as long as no number is attached to it.
//!
//! | file | what |
//! |---|---|
//! | `token`, `phrases`, `number`, `units`, `readings`, `wording`, `quantity` | words, numbers and units |
//! | `terms`, `lexicon`, `items`, `names` | the roles of words; sentences and clauses |
//! | `reading`, `roles`, `claim` | the claims of a clause, and the roles that each number may have |
//! | `facts` | what is known of the race |
//! | `known`, `measured`, `gaps` | what a number with these roles may mean |
//! | `verdict`, `value`, `percent`, `reaching`, `comparison`, `splits`, `states`, `evidence` | whether a claim is true |
//! | `age` | how old the data of a message is, in the message's language |

mod age;
mod claim;
mod comparison;
mod evidence;
mod facts;
mod gaps;
mod items;
mod known;
mod lexicon;
mod measured;
mod names;
mod number;
mod percent;
mod phrases;
mod quantity;
mod reaching;
mod reading;
mod readings;
mod roles;
mod splits;
mod states;
mod terms;
#[cfg(test)]
mod tests;
mod token;
mod units;
mod value;
mod verdict;
mod wording;

use jiff::Timestamp;

use crate::race::snapshot::Snapshot;
use crate::race::track::TrackStep;
use claim::ClaimBody;
use facts::ToldFigure;

pub use age::with_age;
pub use facts::RaceFacts;

/// A part of a message that the race does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldClaim {
    /// The words in the message.
    pub said: String,
    pub why: String,
}

/// The facts of a race. `looked_at` is when the author of a message last saw them, if that is known.
pub fn facts(race: &Snapshot, window: &[TrackStep], looked_at: Option<Timestamp>) -> RaceFacts {
    let mut facts = RaceFacts::of(race, window, looked_at);
    let figures = race.alerts.iter().flat_map(|alert| {
        let ago_s = race.now.duration_since(alert.at).as_secs_f64();
        let claims = reading::claims(&alert.text, &facts).into_iter();
        claims.flat_map(move |claim| {
            let sense = claim.roles.sense();
            let ClaimBody::Number(quantity, _) = claim.body else {
                return Vec::new();
            };
            let told = |reading| ToldFigure {
                reading,
                sense,
                ago_s,
            };
            quantity.readings.into_iter().map(told).collect()
        })
    });
    facts.told = figures.collect();
    facts
}

/// The claims of a message that the race does not support. If there are none, the message may be sent.
pub fn held(text: &str, facts: &RaceFacts) -> Vec<HeldClaim> {
    let mut held: Vec<HeldClaim> = Vec::new();
    for claim in reading::claims(text, facts) {
        if let Err(why) = verdict::verdict(&claim, facts)
            && !held
                .iter()
                .any(|other| other.said == claim.said && other.why == why)
        {
            held.push(HeldClaim {
                said: claim.said,
                why,
            });
        }
    }
    held
}
