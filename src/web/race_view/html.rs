//! The page and its parts as HTML. The templates escape all external text.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;

use crate::base::secrets::sha256;
use crate::race::page::{MessageWords, PageTone, PageWords, RacePage};
use crate::web::pages::{STYLE, STYLE_SOURCE};

/// The script of the page, served at `/race.js`.
pub(in crate::web) const SCRIPT: &str = include_str!("../../../assets/pages/race.js");

const RACE_STYLE: &str = include_str!("../../../assets/pages/race.css");

/// The source expressions of both inlined style sheets for `style-src`.
pub(in crate::web) static STYLE_SOURCES: LazyLock<String> = LazyLock::new(|| {
    let own = STANDARD.encode(sha256(RACE_STYLE.as_bytes()));
    format!("{} 'sha256-{own}'", *STYLE_SOURCE)
});

/// A part of the script's address, which changes with it.
static SCRIPT_VERSION: LazyLock<String> = LazyLock::new(|| version(SCRIPT.as_bytes()));

/// Elements of the page that change while a race goes on, by their id.
pub(super) const PART_IDS: [&str; 6] = ["now", "places", "map", "events", "splits", "foot"];

/// The HTML of each element in [`PART_IDS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RaceParts {
    now: String,
    places: String,
    map: String,
    events: String,
    splits: String,
    foot: String,
}

#[derive(Template)]
#[template(path = "race.html", config = ".askama.toml")]
struct RaceTemplate<'a> {
    page: &'a RacePage,
    parts: &'a RaceParts,
    version: &'a str,
    simulated: bool,
    css: &'static str,
    race_css: &'static str,
    script_version: &'static str,
}

#[derive(Template)]
#[template(path = "race_now.html", config = ".askama.toml")]
struct NowTemplate<'a> {
    page: &'a RacePage,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "race_places.html", config = ".askama.toml")]
struct PlacesTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "race_map.html", config = ".askama.toml")]
struct MapTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "race_events.html", config = ".askama.toml")]
struct EventsTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "race_splits.html", config = ".askama.toml")]
struct SplitsTemplate<'a> {
    page: &'a RacePage,
}

#[derive(Template)]
#[template(path = "race_foot.html", config = ".askama.toml")]
struct FootTemplate<'a> {
    page: &'a RacePage,
    zone: String,
}

/// A short name of some content.
pub(super) fn version(content: &[u8]) -> String {
    let hash = sha256(content);
    URL_SAFE_NO_PAD.encode(hash.get(..9).unwrap_or_default())
}

impl RaceParts {
    pub(super) fn of(page: &RacePage) -> askama::Result<Self> {
        let tone = match page.state.tone {
            PageTone::Good => "good",
            PageTone::Unsure => "unsure",
            PageTone::Quiet => "quiet",
        };
        Ok(Self {
            now: NowTemplate { page, tone }.render()?,
            places: PlacesTemplate { page }.render()?,
            map: MapTemplate { page }.render()?,
            events: EventsTemplate { page }.render()?,
            splits: SplitsTemplate { page }.render()?,
            foot: FootTemplate {
                page,
                zone: page.words.zone.replace("{zone}", &page.zone),
            }
            .render()?,
        })
    }

    /// The parts in the order of [`PART_IDS`].
    pub(super) fn in_order(&self) -> [&str; 6] {
        [
            &self.now,
            &self.places,
            &self.map,
            &self.events,
            &self.splits,
            &self.foot,
        ]
    }

    /// The whole page, as it is loaded first.
    pub(super) fn document(&self, page: &RacePage, version: &str, simulated: bool) -> askama::Result<String> {
        let template = RaceTemplate {
            page,
            parts: self,
            version,
            simulated,
            css: STYLE,
            race_css: RACE_STYLE,
            script_version: &SCRIPT_VERSION,
        };
        template.render()
    }
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum MessageWhy {
    /// The token opens nothing, or nothing any more.
    Gone,
    Busy,
    Broken,
}

#[derive(Template)]
#[template(path = "race_message.html", config = ".askama.toml")]
pub(in crate::web) struct MessageTemplate {
    code: &'static str,
    words: &'static MessageWords,
    css: &'static str,
}

impl MessageTemplate {
    pub(in crate::web) fn new(words: &'static PageWords, why: MessageWhy) -> Self {
        Self {
            code: words.code,
            words: match why {
                MessageWhy::Gone => &words.gone,
                MessageWhy::Busy => &words.busy,
                MessageWhy::Broken => &words.broken,
            },
            css: STYLE,
        }
    }

    pub(in crate::web) fn html(&self) -> Bytes {
        self.render().unwrap_or_default().into()
    }
}
