//! Checks what a message says about a race, because nobody should change their pace over something that a model made
//! up. Pure.
//!
//! Words have roles: metric, tense, part of the race, leg, place, sense, negation, advice. A number may refer to any
//! fact of its unit that agrees with its roles. It is right if one of these facts has its value, and wrong otherwise. A
//! word without a role changes nothing. States, places and comparisons are checked the same way, without a number. A
//! message with a wrong claim is held, with a reason, so that its author can rephrase it.
//!
//! Holding a right message is worse than sending a wrong one, so a number is held only if its words say what it refers
//! to:
//! - A precise number passes if it matches any fact that no word contradicts, because few facts match one by chance. So
//!   does a rough number if no word says what it is, or if its clause has a word that no table knows.
//! - A time in the future is taken for a forecast or a limit, whatever else its clause says.
//! - Figures derived from others count as facts: gaps, margins, remaining distances, arrivals, times of day.
//! - A small number without a unit may count anything, and a hypothetical pace need not be true.
//!
//! Advice is not a claim. A target in it must be plausible in this race; grams and minutes in it are not checked.
//!
//! Deliberately unchecked: praise, and statements without a number about things that the data does not contain.
//!
//! | file | what |
//! |---|---|
//! | `token`, `phrases`, `number`, `units`, `readings`, `parts`, `wording`, `spoken`, `quantity` | words, numbers and units |
//! | `terms`, `lexicon`, `items`, `names` | the roles of words; sentences and clauses |
//! | `reading`, `roles`, `claim` | the claims of a clause, and the roles that each number may have |
//! | `facts` | what is known about the race |
//! | `known`, `measured`, `gaps` | what a number with these roles may mean |
//! | `verdict`, `value`, `distance`, `time_of_day`, `percent`, `reaching`, `comparison`, `limits`, `changes`, `splits`, `states`, `evidence` | whether a claim is true |
//! | `age` | how old the data of a message is, in the message's language |

mod age;
mod changes;
mod claim;
mod comparison;
mod distance;
mod evidence;
mod facts;
mod gaps;
mod items;
mod known;
mod lexicon;
mod limits;
mod measured;
mod names;
mod number;
mod parts;
mod percent;
mod phrases;
mod quantity;
mod reaching;
mod reading;
mod readings;
mod roles;
mod splits;
mod spoken;
mod states;
mod terms;
#[cfg(test)]
mod tests;
mod time_of_day;
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

/// A part of a message that the data of the race does not support.
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
            let (sense, progress) = (claim.roles.sense(), claim.roles.progress());
            let ClaimBody::Number(quantity, _) = claim.body else {
                return Vec::new();
            };
            let told = |reading| ToldFigure {
                reading,
                sense,
                progress,
                is_future: claim.roles.is_future(),
                ago_s,
            };
            quantity.readings.into_iter().map(told).collect()
        })
    });
    facts.told = figures.collect();
    facts
}

/// The claims of a message that the data of the race does not support. If there are none, the message may be sent.
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
