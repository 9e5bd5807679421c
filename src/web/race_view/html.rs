//! The page as HTML, and the pages that are shown instead of it. The templates escape all external text.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;

use super::fragments::{RaceParts, SharedPage};
use crate::base::secrets::sha256;
use crate::race::page::{MessageWords, PageWords};
use crate::web::pages::{STYLE, STYLE_SOURCE};

/// The script of the page, served at `/race.js`.
pub(in crate::web) const SCRIPT: &str = include_str!("../../../assets/pages/race.js");

const RACE_STYLE: &str = include_str!("../../../assets/pages/race.css");

/// The source expressions of both inlined style sheets for `style-src`.
pub(in crate::web) static STYLE_SOURCES: LazyLock<String> = LazyLock::new(|| {
    let own = STANDARD.encode(sha256(RACE_STYLE.as_bytes()));
    format!("{} 'sha256-{own}'", *STYLE_SOURCE)
});

/// A part of the script's address, which changes with the script.
static SCRIPT_VERSION: LazyLock<String> = LazyLock::new(|| version(SCRIPT.as_bytes()));

#[derive(Template)]
#[template(path = "race.html", config = ".askama.toml")]
struct RaceTemplate<'a> {
    words: &'static PageWords,
    title: &'a str,
    is_over: bool,
    parts: &'a RaceParts,
    version: &'a str,
    simulated: bool,
    css: &'static str,
    race_css: &'static str,
    script_version: &'static str,
}

/// A short name for a content, made from its hash.
pub(super) fn version(content: &[u8]) -> String {
    let hash = sha256(content);
    URL_SAFE_NO_PAD.encode(hash.get(..9).unwrap_or_default())
}

/// The whole page, as it is loaded first.
pub(super) fn document(
    page: &SharedPage,
    parts: &RaceParts,
    version: &str,
    simulated: bool,
) -> askama::Result<String> {
    let (words, title) = match page {
        SharedPage::One(page) => (page.words, &page.title),
        SharedPage::Several(page) => (page.words, &page.title),
    };
    let template = RaceTemplate {
        words,
        title,
        is_over: page.is_over(),
        parts,
        version,
        simulated,
        css: STYLE,
        race_css: RACE_STYLE,
        script_version: &SCRIPT_VERSION,
    };
    template.render()
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum MessageWhy {
    /// The token is unknown, or its share has ended.
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
