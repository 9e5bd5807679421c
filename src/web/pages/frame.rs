//! What every page has: header, footer, style, and the choice of a language.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::secrets::sha256;
use crate::web::language::LanguageChoice;
use crate::web::words::{SiteWords, fill};

pub(in crate::web) const STYLE: &str = include_str!("../../../assets/pages/page.css");

/// The source expression of the inlined style sheet for `style-src` (CSP level 3, section 2.3.1).
pub(in crate::web) static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(sha256(STYLE.as_bytes()))));

/// The header and footer of every page.
#[derive(Debug, Clone)]
pub(in crate::web) struct Frame {
    /// The host of the public URL, with its port if it has one.
    pub(in crate::web) host: String,
    pub(in crate::web) operator_name: Option<String>,
    pub(in crate::web) operator_email: Option<String>,
    /// Whether Garmin is simulated, which every page then says.
    pub(in crate::web) simulated: bool,
    pub(in crate::web) words: &'static SiteWords,
    /// Whether the person chose another language than the browser's, so that links to other pages carry it on.
    pub(in crate::web) is_language_chosen: bool,
    pub(in crate::web) choice: LanguageChoice,
    pub(in crate::web) css: &'static str,
}

impl Frame {
    pub(in crate::web) fn new(
        host: &str,
        operator_name: Option<&str>,
        operator_email: Option<&str>,
        simulated: bool,
    ) -> Self {
        Self {
            host: host.to_owned(),
            operator_name: operator_name.map(str::to_owned),
            operator_email: operator_email.map(str::to_owned),
            simulated,
            words: SiteWords::english(),
            is_language_chosen: false,
            choice: LanguageChoice::None,
            css: STYLE,
        }
    }

    /// The frame of a page that does not name the operator.
    pub(in crate::web) fn nameless(self) -> Self {
        Self {
            operator_name: None,
            operator_email: None,
            ..self
        }
    }

    /// The frame of a page whose other languages are chosen by posting this form.
    pub(in crate::web) fn around_form(self, id: &'static str) -> Self {
        Self {
            choice: LanguageChoice::Buttons(id),
            ..self
        }
    }

    /// Whom to ask, in a form that fits into a sentence.
    pub(in crate::web) fn operator(&self) -> &str {
        self.operator_name.as_deref().unwrap_or(self.words.operator)
    }

    pub(in crate::web) fn by(&self) -> String {
        match &self.operator_name {
            Some(name) => fill(self.words.frame.by_operator, &[("name", name)]),
            None => self.words.frame.by.to_owned(),
        }
    }

    pub(in crate::web) fn link(&self, path: &str) -> String {
        if self.is_language_chosen {
            format!("{path}?lang={}", self.words.code)
        } else {
            path.to_owned()
        }
    }

    pub(in crate::web) fn offers_languages(&self) -> bool {
        self.choice != LanguageChoice::None
    }

    pub(in crate::web) fn other_languages(&self) -> impl Iterator<Item = &'static SiteWords> {
        let own = self.words.code;
        SiteWords::all()
            .into_iter()
            .filter(move |words| words.code != own)
    }

    /// The query of a link to another language, before the language parameter.
    pub(in crate::web) fn language_query(&self) -> &str {
        match &self.choice {
            LanguageChoice::Links(query) => query,
            _ => "",
        }
    }

    pub(in crate::web) fn language_form(&self) -> Option<&'static str> {
        match self.choice {
            LanguageChoice::Buttons(form) => Some(form),
            _ => None,
        }
    }

    /// The title of a page that reports a failed try.
    pub(in crate::web) fn title_of_problem(&self, title: &str) -> String {
        fill(self.words.frame.problem, &[("title", title)])
    }
}
