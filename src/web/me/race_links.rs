//! Lists, makes and ends the links that show a person's races.

use super::acted::Acted;
use super::refusal::PageRefusal;
use super::rows::{OnLinkRow, RaceLinkRow, RaceWithLinks};
use crate::accounts::AccountId;
use crate::admin::operations::Rooms;
use crate::oauth::PageVisitor;
use crate::race::id::RaceId;
use crate::race::share::{ShareId, ShareRole, ShareTerms};
use crate::race::snapshot::distinct_titles;
use crate::races::{LinkedAthlete, RaceActError, RaceCaller, ShareOverview};
use crate::store::StoreError;

/// The races with their links. `moment` writes a time in the person's language and zone.
pub(super) fn rows(
    rooms: &Rooms,
    account: &AccountId,
    moment: impl Fn(jiff::Timestamp) -> String,
) -> Result<Vec<RaceWithLinks>, StoreError> {
    let mut races = Vec::new();
    let views = rooms.races.with_pages(account)?;
    let titles = distinct_titles(views.iter().map(|view| &view.snapshot));
    for (view, title) in views.into_iter().zip(titles) {
        let links = rooms.races.shares(account, &view.snapshot.race)?.into_iter();
        races.push(RaceWithLinks {
            title,
            id: view.snapshot.race.to_string(),
            links: links.map(|link| row(link, &moment)).collect(),
        });
    }
    Ok(races)
}

fn row(link: ShareOverview, moment: &impl Fn(jiff::Timestamp) -> String) -> RaceLinkRow {
    RaceLinkRow {
        id: link.share.to_string(),
        is_crew: link.terms.is_crew(),
        name: link.terms.name,
        ends: link.ends_at.map(moment),
        hours_after: link.terms.hours_after,
        others: link.others.into_iter().map(other).collect(),
    }
}

fn other(other: LinkedAthlete) -> OnLinkRow {
    OnLinkRow {
        name: other.name,
        share: other.share.map(|share| share.to_string()),
    }
}

/// Makes a link, or adds the race to that of another athlete.
pub(super) async fn share(
    rooms: &Rooms,
    visitor: &PageVisitor,
    race: &str,
    role: ShareRole,
    name: &str,
    with: &str,
) -> Result<Acted, StoreError> {
    let Ok(race) = race.parse::<RaceId>() else {
        return Ok(Acted::Refused(PageRefusal::Race(RaceActError::NoSuchRace)));
    };
    let name = Some(name).filter(|name| !name.is_empty());
    let Ok(terms) = ShareTerms::new(role, name, None, None) else {
        return Ok(Acted::Refused(PageRefusal::RaceName));
    };
    let caller = RaceCaller::Page(visitor.clone());
    let shared = if with.is_empty() {
        let made = rooms.races.share(&caller, &race, terms).await;
        made.map(|made| Acted::Shared(made.url))
    } else {
        let joined = rooms.races.join_share(&caller, &race, with, terms).await;
        joined.map(|_| Acted::Done("race_joined"))
    };
    refused(shared)
}

pub(super) async fn end(
    rooms: &Rooms,
    visitor: &PageVisitor,
    race: &str,
    share: &str,
) -> Result<Acted, StoreError> {
    let (Ok(race), Ok(share)) = (race.parse::<RaceId>(), share.parse::<ShareId>()) else {
        return Ok(Acted::Refused(PageRefusal::Race(RaceActError::NoSuchShare)));
    };
    let ended = rooms
        .races
        .end_shares(&RaceCaller::Page(visitor.clone()), &race, Some(&share))
        .await;
    refused(ended.map(|ended| {
        Acted::Done(if ended.is_anothers {
            "athlete_off"
        } else {
            "share_ended"
        })
    }))
}

fn refused(acted: Result<Acted, RaceActError>) -> Result<Acted, StoreError> {
    match acted {
        Ok(acted) => Ok(acted),
        Err(RaceActError::Store(reason)) => Err(reason),
        Err(RaceActError::AccessEnded) => Ok(Acted::Refused(PageRefusal::PageOver)),
        Err(why) => Ok(Acted::Refused(PageRefusal::Race(why))),
    }
}
