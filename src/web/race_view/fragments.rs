//! The parts of the page as HTML, for one athlete and for several. The templates escape all external text.

use askama::Template;

use crate::race::page::{JoinedPage, PageMap, PagePace, PageProfile, PageWords, RacePage};

/// The page of a link.
#[derive(Clone, Debug)]
pub(in crate::web) enum SharedPage {
    One(Box<RacePage>),
    Several(Box<JoinedPage>),
}

/// Elements of the page that change while a race goes on, by their id.
pub(super) const PART_IDS: [&str; 8] = [
    "who", "now", "report", "places", "map", "events", "splits", "foot",
];

/// The HTML of each element in [`PART_IDS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RaceParts {
    pub(super) who: String,
    pub(super) now: String,
    pub(super) report: String,
    pub(super) places: String,
    pub(super) map: String,
    pub(super) events: String,
    pub(super) splits: String,
    pub(super) foot: String,
}

#[derive(Template)]
#[template(path = "race_who.html", config = ".askama.toml")]
struct WhoTemplate<'a> {
    title: &'a str,
    names: &'a str,
    by: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "race_now.html", config = ".askama.toml")]
struct NowTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "joined_now.html", config = ".askama.toml")]
struct JoinedNowTemplate<'a> {
    page: &'a JoinedPage,
}

#[derive(Template)]
#[template(path = "race_report.html", config = ".askama.toml")]
struct ReportTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "joined_report.html", config = ".askama.toml")]
struct JoinedReportTemplate<'a> {
    page: &'a JoinedPage,
}

#[derive(Template)]
#[template(path = "race_places.html", config = ".askama.toml")]
struct PlacesTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "joined_places.html", config = ".askama.toml")]
struct JoinedPlacesTemplate<'a> {
    page: &'a JoinedPage,
}

#[derive(Template)]
#[template(path = "race_map.html", config = ".askama.toml")]
struct MapTemplate<'a> {
    words: &'static PageWords,
    map: Option<&'a PageMap>,
    hidden: &'a [String],
    profiles: &'a [PageProfile],
    /// The pace, only in the report of one athlete.
    pace: Option<&'a PagePace>,
}

#[derive(Template)]
#[template(path = "race_events.html", config = ".askama.toml")]
struct EventsTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "joined_events.html", config = ".askama.toml")]
struct JoinedEventsTemplate<'a> {
    page: &'a JoinedPage,
}

#[derive(Template)]
#[template(path = "race_splits.html", config = ".askama.toml")]
struct SplitsTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "joined_splits.html", config = ".askama.toml")]
struct JoinedSplitsTemplate<'a> {
    page: &'a JoinedPage,
}

#[derive(Template)]
#[template(path = "race_foot.html", config = ".askama.toml")]
struct FootTemplate<'a> {
    is_over: bool,
    zone: &'a str,
    ends_at: Option<&'a str>,
}

impl SharedPage {
    /// Whether the race is over, so that the page only reports what happened.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::One(page) => page.report.is_some(),
            Self::Several(page) => page.is_over(),
        }
    }
}

impl RaceParts {
    pub(super) fn of(page: &SharedPage) -> askama::Result<Self> {
        match page {
            SharedPage::One(page) => Self::of_one(page),
            SharedPage::Several(page) => Self::of_several(page),
        }
    }

    fn of_one(page: &RacePage) -> askama::Result<Self> {
        let words = page.words;
        Ok(Self {
            who: WhoTemplate {
                title: &page.title,
                names: page.name.as_deref().unwrap_or(&page.title),
                by: page.name.as_ref().map(|_| by(words, page.report.is_some())),
            }
            .render()?,
            now: NowTemplate { page }.render()?,
            report: ReportTemplate { page }.render()?,
            places: PlacesTemplate { page }.render()?,
            map: MapTemplate {
                words,
                map: page.map.as_ref(),
                hidden: page.hidden.as_slice(),
                profiles: page.profile.as_slice(),
                pace: page.report.as_ref().and_then(|report| report.pace.as_ref()),
            }
            .render()?,
            events: EventsTemplate { page }.render()?,
            splits: SplitsTemplate { page }.render()?,
            foot: foot(page.report.is_some(), &page.zone, page.ends_at.as_deref())?,
        })
    }

    fn of_several(page: &JoinedPage) -> askama::Result<Self> {
        let words = page.words;
        Ok(Self {
            who: WhoTemplate {
                title: &page.title,
                names: &page.names,
                by: Some(by(words, page.is_over())),
            }
            .render()?,
            now: JoinedNowTemplate { page }.render()?,
            report: JoinedReportTemplate { page }.render()?,
            places: JoinedPlacesTemplate { page }.render()?,
            map: MapTemplate {
                words,
                map: page.map.as_ref(),
                hidden: &page.hidden,
                profiles: &page.profiles,
                pace: None,
            }
            .render()?,
            events: JoinedEventsTemplate { page }.render()?,
            splits: JoinedSplitsTemplate { page }.render()?,
            foot: foot(page.is_over(), &page.zone, page.ends_at.as_deref())?,
        })
    }

    /// The parts in the order of [`PART_IDS`].
    pub(super) fn in_order(&self) -> [&str; 8] {
        [
            &self.who,
            &self.now,
            &self.report,
            &self.places,
            &self.map,
            &self.events,
            &self.splits,
            &self.foot,
        ]
    }
}

/// The line below the names.
fn by(words: &'static PageWords, is_over: bool) -> &'static str {
    if is_over { words.report.title } else { words.by }
}

fn foot(is_over: bool, zone: &str, ends_at: Option<&str>) -> askama::Result<String> {
    let template = FootTemplate {
        is_over,
        zone,
        ends_at,
    };
    template.render()
}
