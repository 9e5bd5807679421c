//! Makes, joins, lists and ends the links to a race's page.

use super::api::{AdminAnswer, AdminRefusal};
use super::service::AdminService;
use super::views::{LinkedAthleteView, ShareView};
use crate::race::share::{ShareId, ShareRole, ShareTerms};
use crate::races::{LinkedAthlete, RaceCaller};

fn athlete_view(other: LinkedAthlete) -> LinkedAthleteView {
    LinkedAthleteView {
        name: other.name,
        share: other.share.map(|share| share.to_string()),
    }
}

impl AdminService {
    pub(super) fn shares(&self, race: &str) -> Result<Vec<ShareView>, AdminRefusal> {
        let (account, race) = self.race_of(race)?;
        let shares = self.rooms.races.shares(&account, &race)?;
        Ok(shares
            .into_iter()
            .map(|share| ShareView {
                id: share.share.to_string(),
                role: share.terms.role.name().to_owned(),
                name: share.terms.name,
                privacy_m: share.terms.privacy_m,
                hours_after: share.terms.hours_after,
                created_at: share.created_at,
                ends_at: share.ends_at,
                by_operator: share.by_operator,
                with: share.others.into_iter().map(athlete_view).collect(),
            })
            .collect())
    }

    /// Makes a link, or adds the race to the link `with`.
    pub(super) async fn share_race(
        &self,
        race: &str,
        terms: ShareTerms,
        with: Option<&str>,
    ) -> Result<AdminAnswer, AdminRefusal> {
        let (account, race) = self.race_of(race)?;
        let operator = RaceCaller::Operator(account);
        if let Some(link) = with {
            let joined = self.rooms.races.join_share(&operator, &race, link, terms).await?;
            return Ok(AdminAnswer::Done(format!(
                "The page behind that link now shows the races of {} athletes. The id of this share is {}.",
                joined.athletes, joined.share
            )));
        }
        let made = self.rooms.races.share(&operator, &race, terms).await?;
        Ok(AdminAnswer::Shared {
            id: made.share.to_string(),
            url: made.url.expose().to_owned(),
        })
    }

    /// Ends one share, or all. The returned sentence says how many.
    pub(super) async fn end_shares(&self, race: &str, share: Option<&str>) -> Result<String, AdminRefusal> {
        let (account, race) = self.race_of(race)?;
        let unknown = |_| AdminRefusal::Invalid("the id of a share is share_ and 16 letters".into());
        let share = share.map(|id| id.trim().parse::<ShareId>().map_err(unknown));
        let share = share.transpose()?;
        let ended = self
            .rooms
            .races
            .end_shares(&RaceCaller::Operator(account), &race, share.as_ref())
            .await?;
        if ended.is_anothers {
            return Ok(
                "The athlete is off the page, also where it is open. Their race and their own links stay."
                    .to_owned(),
            );
        }
        Ok(match ended.shares {
            0 => "The race had no share to end.".to_owned(),
            1 => "The share has ended, including on open pages.".to_owned(),
            more => format!("{more} shares have ended, including on open pages."),
        })
    }

    /// The terms of a share as the operator writes them.
    pub(super) fn share_terms(
        role: &str,
        name: Option<&str>,
        privacy_m: Option<u32>,
        hours_after: Option<u32>,
    ) -> Result<ShareTerms, AdminRefusal> {
        let role = ShareRole::named(role)
            .ok_or_else(|| AdminRefusal::Invalid("role: write family or crew".into()))?;
        ShareTerms::new(role, name, privacy_m, hours_after).map_err(|e| AdminRefusal::Invalid(e.to_string()))
    }
}
