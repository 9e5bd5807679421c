//! The rules for alerts about places of a watched race, which the person sets.

use super::acts::RaceActError;
use super::caller::RaceCaller;
use super::race::RaceChange;
use super::registry::Races;
use crate::race::id::RaceId;
use crate::race::place_rule::{MOST_PLACE_RULES, PlaceRule};

impl Races {
    /// Adds a rule. A rule for the same place and event stays as it is. Errors: no such race, it is over, it has as
    /// many rules as are allowed, or the caller's access has ended.
    pub(super) async fn watch_place(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        rule: PlaceRule,
    ) -> Result<(), RaceActError> {
        self.change_place_rules(caller, id, |rules| {
            if rules.iter().any(|known| known.key() == rule.key()) {
                return Ok(());
            }
            if rules.len() >= MOST_PLACE_RULES {
                return Err(RaceActError::TooManyPlaces);
            }
            rules.push(rule);
            Ok(())
        })
        .await
    }

    /// Removes the rules about a place, or all. Errors: there is no such rule, and those of [`Races::watch_place`].
    pub(super) async fn unwatch_place(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        name: Option<&str>,
    ) -> Result<(), RaceActError> {
        self.change_place_rules(caller, id, |rules| {
            let before = rules.len();
            rules.retain(|rule| name.is_some_and(|name| !rule.name.eq_ignore_ascii_case(name)));
            if rules.len() == before && name.is_some() {
                return Err(RaceActError::NoSuchPlace);
            }
            Ok(())
        })
        .await
    }

    async fn change_place_rules(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        change: impl FnOnce(&mut Vec<PlaceRule>) -> Result<(), RaceActError>,
    ) -> Result<(), RaceActError> {
        let race = self.watched_race_of(caller.account(), id)?;
        let changed = race.change(&self.0.store, &self.0.notifier, |state| {
            if state.is_over() {
                return Err(RaceActError::Over);
            }
            change(&mut state.row.settings.place_rules)?;
            Ok::<_, RaceActError>(RaceChange {
                row: true,
                caller: Some(caller.clone()),
                ..RaceChange::default()
            })
        });
        changed.await?.ok_or(RaceActError::AccessEnded)?;
        tracing::info!(race.id = %id, account.id = %caller.account(), "race.places_changed");
        race.changed.notify_one();
        Ok(())
    }
}
