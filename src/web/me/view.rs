//! What the page shows about one person.

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::super::face::Face;
use super::super::language::LanguageChoice;
use super::super::pages::Frame;
use super::super::request::Exchange;
use super::super::words::{MeWords, SiteWords, fill};
use super::form::PageAct;
use super::race_links;
use super::refusal::{PageProblem, ProblemPlace};
use super::refused_form::{FormOnPage, RefusedForm};
use super::rows::{GivenRow, GroupBox, HeldRow, OwnApp, OwnGrants, OwnHistory, RaceWithLinks, group_names};
use crate::accounts::{AccountId, GarminLogin, MAX_GRANT_DAYS};
use crate::base::secrets::Secret;
use crate::config::ToolProfile;
use crate::mcp::{Access, DataGroup};
use crate::notify::message::MessageRoute;
use crate::oauth::PageVisitor;
use crate::store::StoreError;

/// What came of the last form, if there was one.
pub(super) enum LastForm {
    Done(Option<PageNotice>),
    Refused(PageProblem, PageAct),
}

/// What the page says at its top.
pub(in crate::web) struct PageNotice {
    pub(in crate::web) text: String,
    pub(in crate::web) is_problem: bool,
    /// A link that was just made.
    pub(in crate::web) link: Option<String>,
}

/// The page of one person.
#[derive(Template)]
#[template(path = "me.html", config = ".askama.toml")]
pub(in crate::web) struct OwnPage {
    pub(in crate::web) frame: Frame,
    pub(in crate::web) csrf: String,
    pub(in crate::web) notice: Option<PageNotice>,
    pub(in crate::web) refused: Option<RefusedForm>,
    /// The name in Garmin's profile, else the e-mail.
    pub(in crate::web) name: String,
    pub(in crate::web) email: String,
    pub(in crate::web) needs_sign_in: bool,
    /// Until when the page is open.
    pub(in crate::web) open_until: String,
    /// The zone in which the page shows times; `None` if only its offset is known.
    pub(in crate::web) shown_zone: Option<String>,
    pub(in crate::web) apps: Vec<OwnApp>,
    pub(in crate::web) history: Option<OwnHistory>,
    pub(in crate::web) route: MessageRoute,
    pub(in crate::web) time_zone: String,
    /// The addresses to which LiveTrack mails go; `None` where no mailbox is watched.
    pub(in crate::web) mail_addresses: Option<String>,
    pub(in crate::web) tools: ChosenTools,
    pub(in crate::web) are_charts_off: bool,
    pub(in crate::web) grants: OwnGrants,
    pub(in crate::web) races: Vec<RaceWithLinks>,
    /// Whether the operator's home automation shows the person's races.
    pub(in crate::web) is_at_broker: bool,
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
    fn words(&self) -> &'static MeWords {
        self.frame.words.me
    }

    fn title(&self) -> String {
        let is_problem = self.notice.as_ref().is_some_and(|notice| notice.is_problem);
        if is_problem || self.refused.is_some() {
            self.frame.title_of_problem(self.words().title)
        } else {
            self.words().title.to_owned()
        }
    }

    /// Shows a refused form again, with the problem beside its field. The problem of a form that is not on the page
    /// any more stands at the top.
    pub(in crate::web) fn with_refused(mut self, problem: PageProblem, act: &PageAct) -> Self {
        let has_form = match act {
            PageAct::HistoryOff { .. } => self.history.is_some(),
            PageAct::SetMailAddresses(_) => self.mail_addresses.is_some(),
            PageAct::ShareRace { race, .. } => self.races.iter().any(|row| row.id == *race),
            _ => true,
        };
        if problem.place == ProblemPlace::Page || !has_form {
            self.notice = Some(PageNotice {
                text: problem.text.clone(),
                is_problem: true,
                link: None,
            });
        }
        self.refused = RefusedForm::new(act, problem);
        self
    }

    fn form(&self, step: &str) -> FormOnPage<'_> {
        FormOnPage::new(self.refused.as_ref(), step, "")
    }

    fn share_form(&self, race: &str) -> FormOnPage<'_> {
        FormOnPage::new(self.refused.as_ref(), "share_race", race)
    }

    fn lead(&self) -> String {
        let zone = self.shown_zone.as_deref().unwrap_or(self.words().offset_zone);
        fill(self.words().lead, &[("time", &self.open_until), ("zone", zone)])
    }

    /// Where messages about races go.
    fn messages(&self) -> &'static str {
        match self.route {
            MessageRoute::Personal => self.words().phone.personal,
            MessageRoute::Operator => self.words().phone.of_operator,
            MessageRoute::Nowhere => self.words().phone.nowhere,
        }
    }

    fn has_own_phone(&self) -> bool {
        self.route == MessageRoute::Personal
    }

    fn signed_in(&self) -> String {
        fill(self.words().signed_in, &[("email", &self.email)])
    }

    fn is_chosen(&self, choice: &str) -> bool {
        self.tools.choice == choice
    }

    /// The groups of data, as the boxes of the form.
    fn groups(&self) -> [GroupBox; 8] {
        DataGroup::ALL.map(|group| GroupBox::of(group, self.frame.words))
    }
}

/// The notice after an act; `None` for an unknown name.
pub(super) fn notice(done: Option<&str>, words: &SiteWords) -> Option<PageNotice> {
    let said = &words.me.done;
    let text = match done? {
        "app_ended" => said.app_ended,
        "history_on" => said.history_on,
        "history_off" => said.history_off,
        "phone_set" => said.phone_set,
        "phone_removed" => said.phone_removed,
        "time_zone_set" => said.time_zone_set,
        "charts_off" => said.charts_off,
        "charts_on" => said.charts_on,
        "grant_given" => said.grant_given,
        "grant_withdrawn" => said.grant_withdrawn,
        "share_ended" => said.share_ended,
        "athlete_off" => said.athlete_off,
        "race_joined" => said.race_joined,
        "mails_set" => said.mails_set,
        "tools_set" => said.tools_set,
        _ => return None,
    };
    Some(PageNotice {
        text: text.to_owned(),
        is_problem: false,
        link: None,
    })
}

pub(super) fn with_link(text: &str, link: &Secret) -> PageNotice {
    PageNotice {
        text: text.to_owned(),
        is_problem: false,
        link: Some(link.expose().to_owned()),
    }
}

pub(super) fn own_page(
    face: &Face,
    exchange: &Exchange,
    visitor: &PageVisitor,
    last: LastForm,
) -> Result<OwnPage, StoreError> {
    let (rooms, id) = (&face.parts.rooms, &visitor.account);
    let account = rooms.accounts.find(id)?.ok_or(StoreError::Closed)?;
    let choices = rooms.accounts.choices(id)?;
    let has_mailbox = face.parts.live.borrow().mailbox.is_some() || !choices.mail_addresses.is_empty();
    let kept = rooms.history.kept(id)?;
    let zone = rooms.gateway.sharing().zone(id)?;
    let words = exchange.language();
    let moment = |at: Timestamp| words.date_and_time(&at.to_zoned(zone.clone()));
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
            days: words.number(kept.days().into()),
            kilobytes: words.number(kept.bytes().div_ceil(1_024)),
            since: moment(kept.since),
            trouble: trouble.map(|trouble| trouble.class),
        }
    });
    let page = OwnPage {
        frame: Frame {
            // Links work even after a posted form, because a GET of the same address shows the page.
            choice: LanguageChoice::Links(String::new()),
            ..face.frame(exchange)
        },
        csrf: visitor.csrf().to_owned(),
        notice: None,
        refused: None,
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
        shown_zone: zone.iana_name().map(str::to_owned),
        apps,
        history,
        route: rooms.races.message_route(id),
        time_zone: choices.time_zone.unwrap_or_default(),
        mail_addresses: has_mailbox.then(|| choices.mail_addresses.join(", ")),
        tools: choices.tools.into(),
        are_charts_off: choices.are_views_off,
        grants: grants(face, id, &zone, words)?,
        races: race_links::rows(rooms, id, moment)?,
        is_at_broker: rooms.races.is_at_broker(id)?,
    };
    Ok(match last {
        LastForm::Done(notice) => OwnPage { notice, ..page },
        LastForm::Refused(problem, act) => page.with_refused(problem, &act),
    })
}

fn grants(
    face: &Face,
    account: &AccountId,
    zone: &TimeZone,
    words: &SiteWords,
) -> Result<OwnGrants, StoreError> {
    let rooms = &face.parts.rooms;
    let given = rooms.accounts.grants_given(account)?.into_iter();
    let given = given.map(|one| GivenRow {
        id: one.to.as_str().to_owned(),
        groups: group_names(&one.groups, words),
        until: words.full_date(one.until),
        email: one.to_email,
        name: one.name,
    });
    let held = rooms.accounts.grants_held(account)?.into_iter();
    let held = held.map(|one| HeldRow {
        is_link_broken: rooms.gateway.sharing().is_link_broken(&one.granter),
        groups: group_names(&one.grant.groups, words),
        until: words.date_and_time(&one.grant.ends_at.to_zoned(zone.clone())),
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
