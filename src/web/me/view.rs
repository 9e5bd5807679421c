//! What the page shows of one person.

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::super::face::Face;
use super::super::pages::Frame;
use super::super::request::Exchange;
use crate::accounts::{AccountId, GarminLogin, MAX_GRANT_DAYS};
use crate::config::ToolProfile;
use crate::mcp::{Access, DataGroup};
use crate::notify::message::MessageRoute;
use crate::oauth::PageVisitor;
use crate::store::StoreError;

/// What happened to the last form.
pub(in crate::web) struct PageNotice {
    pub(in crate::web) text: String,
    pub(in crate::web) is_problem: bool,
}

/// The page of one person.
#[derive(Template)]
#[template(path = "me.html", config = ".askama.toml")]
pub(in crate::web) struct OwnPage {
    pub(in crate::web) frame: Frame,
    pub(in crate::web) csrf: String,
    pub(in crate::web) notice: Option<PageNotice>,
    /// The name in Garmin's profile, else the e-mail.
    pub(in crate::web) name: String,
    pub(in crate::web) email: String,
    pub(in crate::web) needs_sign_in: bool,
    /// Until when the page is open.
    pub(in crate::web) open_until: String,
    /// The zone in which the page tells times.
    pub(in crate::web) shown_zone: String,
    pub(in crate::web) apps: Vec<OwnApp>,
    pub(in crate::web) history: Option<OwnHistory>,
    pub(in crate::web) messages: &'static str,
    pub(in crate::web) has_own_phone: bool,
    pub(in crate::web) time_zone: String,
    pub(in crate::web) tools: ChosenTools,
    pub(in crate::web) are_charts_off: bool,
    pub(in crate::web) grants: OwnGrants,
}

/// Who may see what of the person, and whose data the person may see.
pub(in crate::web) struct OwnGrants {
    pub(in crate::web) given: Vec<GivenRow>,
    pub(in crate::web) held: Vec<HeldRow>,
    /// The first and the last day that a grant can end on.
    pub(in crate::web) first_day: String,
    pub(in crate::web) last_day: String,
}

/// A grant to another member, as a row with its button.
pub(in crate::web) struct GivenRow {
    pub(in crate::web) id: String,
    pub(in crate::web) email: String,
    pub(in crate::web) groups: String,
    pub(in crate::web) until: String,
    pub(in crate::web) name: String,
}

/// A grant from another member.
pub(in crate::web) struct HeldRow {
    pub(in crate::web) name: String,
    pub(in crate::web) groups: String,
    pub(in crate::web) until: String,
    pub(in crate::web) is_link_broken: bool,
}

/// An app that has access, as a row with its button.
pub(in crate::web) struct OwnApp {
    pub(in crate::web) id: String,
    pub(in crate::web) name: String,
    pub(in crate::web) may_change: bool,
    pub(in crate::web) since: String,
    pub(in crate::web) last_used: String,
    /// It opened this page, which closes with it.
    pub(in crate::web) opened_page: bool,
}

pub(in crate::web) struct OwnHistory {
    pub(in crate::web) days: u32,
    pub(in crate::web) kilobytes: u64,
    pub(in crate::web) since: String,
    /// Why no days can be fetched, and what to do.
    pub(in crate::web) trouble: Option<&'static str>,
}

/// The choice of tools: one of `default`, `core`, `all`, `own`, and the names of an own list.
pub(in crate::web) struct ChosenTools {
    pub(in crate::web) choice: &'static str,
    pub(in crate::web) names: String,
}

impl From<Option<ToolProfile>> for ChosenTools {
    fn from(profile: Option<ToolProfile>) -> Self {
        let (choice, names) = match profile {
            None => ("default", String::new()),
            Some(ToolProfile::Core) => ("core", String::new()),
            Some(ToolProfile::All) => ("all", String::new()),
            Some(own @ ToolProfile::Only(_)) => ("own", own.to_string()),
        };
        Self { choice, names }
    }
}

impl OwnPage {
    fn is_chosen(&self, choice: &str) -> bool {
        self.tools.choice == choice
    }

    /// The groups of data, as the boxes of the form.
    fn groups() -> [DataGroup; 8] {
        DataGroup::ALL
    }
}

/// The notice after an act; `None` for an unknown name.
pub(super) fn notice(done: Option<&str>) -> Option<PageNotice> {
    let text = match done? {
        "app_ended" => "The app is cut off. It can’t read anything any more.",
        "history_on" => "Your days are kept from now on. They are fetched in the background, newest first.",
        "history_off" => "The history is off, and everything that was kept is erased.",
        "phone_set" => "A test message was sent to your phone. Messages arrive there from now on.",
        "phone_removed" => "Your phone is removed.",
        "time_zone_set" => "The time zone is set.",
        "charts_off" => "Charts are off. Apps that show charts notice it when they connect the next time.",
        "charts_on" => "Charts are on. Apps that show charts notice it when they connect the next time.",
        "grant_given" => "They can see it from now on, in their own Claude.",
        "grant_withdrawn" => "It is taken back. They see nothing of it any more.",
        "tools_set" => "The tools are set. Apps read the list when they connect the next time.",
        _ => return None,
    };
    Some(PageNotice {
        text: text.to_owned(),
        is_problem: false,
    })
}

pub(super) fn problem(text: String) -> PageNotice {
    PageNotice {
        text,
        is_problem: true,
    }
}

pub(super) fn own_page(
    face: &Face,
    exchange: &Exchange,
    visitor: &PageVisitor,
    notice: Option<PageNotice>,
) -> Result<OwnPage, StoreError> {
    let (rooms, id) = (&face.parts.rooms, &visitor.account);
    let account = rooms.accounts.find(id)?.ok_or(StoreError::Closed)?;
    let choices = rooms.accounts.choices(id)?;
    let kept = rooms.history.kept(id)?;
    let zone = rooms.gateway.sharing().zone(id)?;
    let moment = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M").to_string();
    let mut families = rooms.oauth.families()?;
    families.retain(|family| family.account == *id);
    families.sort_by_key(|family| std::cmp::Reverse(family.last_used_at));
    let apps = families
        .into_iter()
        .map(|family| OwnApp {
            opened_page: visitor.via.as_ref() == Some(&family.id),
            id: family.id.as_str().to_owned(),
            name: family.client_name,
            may_change: family.access == Access::ReadAndChange,
            since: moment(family.created_at),
            last_used: moment(family.last_used_at),
        })
        .collect();
    let history = kept.map(|kept| {
        let of_kinds = kept.kinds.values().filter_map(|kind| kind.trouble.as_ref());
        let trouble = kept.trouble.iter().chain(of_kinds).next();
        OwnHistory {
            days: kept.days(),
            kilobytes: kept.bytes().div_ceil(1_024),
            since: moment(kept.since),
            trouble: trouble.map(|trouble| trouble.class.advice()),
        }
    });
    let route = rooms.races.message_route(id);
    Ok(OwnPage {
        frame: face.frame(exchange).in_english(),
        csrf: visitor.csrf().to_owned(),
        notice,
        name: if account.full_name.is_empty() {
            account.email.clone()
        } else {
            account.full_name
        },
        email: account.email,
        needs_sign_in: matches!(account.garmin, GarminLogin::SignInNeeded { .. }),
        open_until: visitor
            .expires_at
            .to_zoned(zone.clone())
            .strftime("%H:%M")
            .to_string(),
        shown_zone: zone.iana_name().unwrap_or("your watch’s offset").to_owned(),
        apps,
        history,
        messages: match route {
            MessageRoute::Personal => "Messages about your races go to the phone that you set.",
            MessageRoute::Operator => {
                "Messages about your races go where the operator of this gateway set it up."
            }
            MessageRoute::Nowhere => "No phone is set up for you.",
        },
        has_own_phone: route == MessageRoute::Personal,
        time_zone: choices.time_zone.unwrap_or_default(),
        tools: choices.tools.into(),
        are_charts_off: choices.are_views_off,
        grants: grants(face, id, &zone)?,
    })
}

fn grants(face: &Face, account: &AccountId, zone: &TimeZone) -> Result<OwnGrants, StoreError> {
    let rooms = &face.parts.rooms;
    let given = rooms.accounts.grants_given(account)?.into_iter();
    let given = given.map(|one| GivenRow {
        id: one.to.as_str().to_owned(),
        groups: one.groups_text(),
        until: one.until.strftime("%-d %b %Y").to_string(),
        email: one.to_email,
        name: one.name,
    });
    let held = rooms.accounts.grants_held(account)?.into_iter();
    let held = held.map(|one| HeldRow {
        is_link_broken: rooms.gateway.sharing().is_link_broken(&one.granter),
        groups: one.grant.groups_text(),
        until: one
            .grant
            .ends_at
            .to_zoned(zone.clone())
            .strftime("%-d %b %Y, %H:%M")
            .to_string(),
        name: one.grant.name,
    });
    let today = face.parts.clock.now().to_zoned(zone.clone()).date();
    Ok(OwnGrants {
        given: given.collect(),
        held: held.collect(),
        first_day: today.to_string(),
        last_day: today.saturating_add(MAX_GRANT_DAYS.days()).to_string(),
    })
}
