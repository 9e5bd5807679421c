//! A share of a race: what its page shows, to whom, and for how long. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::base::id::{Id, Named};
use crate::race::schedule::{RacePhase, RaceWatch};
use crate::race::text::plain_text;

/// Radius in metres around start and end in which a family sees no position, unless the athlete chooses another.
pub const USUAL_PRIVACY_M: u32 = 300;
pub const MOST_PRIVACY_M: u32 = 5000;

/// Hours for which a page stays after the end of the race, unless another number is chosen.
pub const USUAL_HOURS_AFTER: u32 = 24;
pub const MOST_HOURS_AFTER: u32 = 720;

/// Maximum length of the name on the page.
pub const LONGEST_NAME: usize = 40;

/// Marker type that makes the ids of shares distinct from other ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfShare {}

impl Named for OfShare {
    const PREFIX: &'static str = "share_";
    const WORDS: &'static str = "the id of a share";
}

/// Identifies a share in lists: `share_` and 16 letters. Not a secret, and not the token in the page's address.
pub type ShareId = Id<OfShare>;

/// Who a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareRole {
    /// No heart rate, no power, no free text, and no position near the start and the end.
    Family,
    /// Everything that is known about the race.
    Crew,
}

impl ShareRole {
    pub const ALL: [Self; 2] = [Self::Family, Self::Crew];

    pub fn name(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Crew => "crew",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What the athlete chose for a share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShareTerms {
    pub role: ShareRole,
    /// The name on the page. Without one, the page names nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Radius in metres around start and end in which a family sees no position.
    pub privacy_m: u32,
    /// Hours for which the page stays after the end of the race.
    pub hours_after: u32,
}

/// A choice that is not valid. The text names the field and the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadShare {
    #[error("name: must have 1 to {LONGEST_NAME} letters; leave it out to name nobody")]
    Name,
    #[error("privacy_m: must be a whole number of metres from 0 to {MOST_PRIVACY_M}")]
    Privacy,
    #[error("hours_after: must be a whole number from 1 to {MOST_HOURS_AFTER}")]
    Hours,
}

impl ShareTerms {
    /// The terms with the usual radius and time where none is given.
    pub fn new(
        role: ShareRole,
        name: Option<&str>,
        privacy_m: Option<u32>,
        hours_after: Option<u32>,
    ) -> Result<Self, BadShare> {
        let name = name.map(plain_text);
        if name
            .as_ref()
            .is_some_and(|name| name.is_empty() || name.chars().count() > LONGEST_NAME)
        {
            return Err(BadShare::Name);
        }
        let privacy_m = privacy_m.unwrap_or(USUAL_PRIVACY_M);
        if privacy_m > MOST_PRIVACY_M {
            return Err(BadShare::Privacy);
        }
        let hours_after = hours_after.unwrap_or(USUAL_HOURS_AFTER);
        if !(1..=MOST_HOURS_AFTER).contains(&hours_after) {
            return Err(BadShare::Hours);
        }
        Ok(Self {
            role,
            name,
            privacy_m,
            hours_after,
        })
    }

    /// The terms without a name, with the usual radius and time.
    pub fn usual(role: ShareRole) -> Self {
        Self {
            role,
            name: None,
            privacy_m: USUAL_PRIVACY_M,
            hours_after: USUAL_HOURS_AFTER,
        }
    }

    pub fn is_crew(&self) -> bool {
        self.role == ShareRole::Crew
    }

    /// When the page ends: the chosen time after the end of the race, or after the share was made if that came later.
    /// `None` while the race goes on.
    pub fn ends_at(&self, created_at: Timestamp, watch: &RaceWatch) -> Option<Timestamp> {
        let RacePhase::Over { at, .. } = watch.phase else {
            return None;
        };
        let after = SignedDuration::from_hours(self.hours_after.into());
        Some(at.max(created_at).checked_add(after).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::ending::EndReason;
    use crate::race::support::at;

    #[test]
    fn a_share_ends_some_time_after_the_race() {
        let terms = ShareTerms::new(ShareRole::Family, Some(" Ann\u{202e} "), None, Some(2)).unwrap();
        assert_eq!(
            (terms.name.as_deref(), terms.privacy_m),
            (Some("Ann"), USUAL_PRIVACY_M)
        );
        let mut watch = RaceWatch::new(at(0));
        assert_eq!(terms.ends_at(at(0), &watch), None);
        watch.phase = RacePhase::Over {
            reason: EndReason::EndEvent,
            at: at(3600),
        };
        assert_eq!(terms.ends_at(at(0), &watch), Some(at(3 * 3600)));
        assert_eq!(terms.ends_at(at(7200), &watch), Some(at(4 * 3600)));
    }

    #[test]
    fn a_wrong_choice_names_its_field() {
        let new = |name, privacy_m, hours| ShareTerms::new(ShareRole::Crew, name, privacy_m, hours);
        for (wrong, field) in [
            (new(Some("  "), None, None), "name"),
            (new(Some(&"x".repeat(41)), None, None), "name"),
            (new(None, Some(5001), None), "privacy_m"),
            (new(None, None, Some(0)), "hours_after"),
            (new(None, None, Some(721)), "hours_after"),
        ] {
            assert!(wrong.unwrap_err().to_string().starts_with(field));
        }
    }
}
