//! The language of a page: the one that the person chose, else the one that the browser asks for.
//!
//! A choice is kept without a cookie: in the address of a page without a form, else in the form's field `lang`.

use http::Method;
use http::header::ACCEPT_LANGUAGE;
use url::form_urlencoded;

use super::request::Exchange;
use super::words::SiteWords;

/// The form field and the query parameter that carry the language on to the next page.
const CARRIED: &str = "lang";

/// The field of the buttons that choose another language.
const CHOSEN: &str = "language";

/// How a page offers the other languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LanguageChoice {
    /// None are offered, because the page can't be requested again.
    None,
    /// Links to the same address. The text is the query before the language parameter.
    Links(String),
    /// Buttons that post the form of this id, so that what was typed is kept.
    Buttons(&'static str),
}

/// Whether a posted form asks for another language instead of what its main button does.
pub(super) fn is_choice(form: &[u8]) -> bool {
    form_urlencoded::parse(form).any(|(name, _)| name == CHOSEN)
}

fn named(text: &[u8], field: &str) -> Option<&'static SiteWords> {
    let mut pairs = form_urlencoded::parse(text);
    let (_, language) = pairs.find(|(name, _)| name == field)?;
    SiteWords::named(&language)
}

impl Exchange {
    /// Notes the language that a posted form carries.
    pub(super) fn note_language(&mut self, form: &[u8]) {
        self.posted_language = named(form, CHOSEN).or_else(|| named(form, CARRIED));
    }

    /// The language that the person chose, on this page or an earlier one.
    fn chosen_language(&self) -> Option<&'static SiteWords> {
        self.posted_language
            .or_else(|| named(self.query.as_bytes(), CARRIED))
    }

    /// The language that the browser asks for.
    fn accepted_language(&self) -> &'static SiteWords {
        SiteWords::wanted(self.header(ACCEPT_LANGUAGE).unwrap_or_default())
    }

    pub(super) fn language(&self) -> &'static SiteWords {
        self.chosen_language().unwrap_or_else(|| self.accepted_language())
    }

    /// The chosen language, if the browser would ask for another one, so that links must carry the choice on.
    pub(super) fn carried_language(&self) -> Option<&'static SiteWords> {
        let accepted = self.accepted_language();
        self.chosen_language()
            .filter(|chosen| chosen.code != accepted.code)
    }

    /// How a page without a form offers the other languages. A posted page offers none, because a link can't post the
    /// form again.
    pub(super) fn language_links(&self) -> LanguageChoice {
        if self.method == Method::POST {
            return LanguageChoice::None;
        }
        let others = form_urlencoded::parse(self.query.as_bytes()).filter(|(name, _)| name != CARRIED);
        let mut query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .finish();
        if !query.is_empty() {
            query.push('&');
        }
        LanguageChoice::Links(query)
    }
}
