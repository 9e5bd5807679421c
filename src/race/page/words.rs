//! The sentences of the page, one table for each language. A name in braces is a placeholder for a value.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod table;

use crate::race::sport::LegKind;

pub(super) use crate::race::text::fill;
pub(super) use table::{EventWords, ReportWords};
pub use table::{MessageWords, PageWords};

/// All languages; the first is used if the reader wants none of them.
static ALL: [&PageWords; 5] = [&en::WORDS, &de::WORDS, &fr::WORDS, &es::WORDS, &it::WORDS];

impl PageWords {
    /// The languages of the page.
    pub fn all() -> [&'static Self; 5] {
        ALL
    }

    /// The words of a language such as `de` or `de-AT`; `None` if the page is not translated into it.
    pub fn named(language: &str) -> Option<&'static Self> {
        let code = language.trim().split('-').next().unwrap_or_default();
        ALL.into_iter()
            .find(|words| code.eq_ignore_ascii_case(words.code))
    }

    /// The language that a reader wants most, by `Accept-Language` (RFC 9110, section 12.5.4).
    pub fn wanted(accept_language: &str) -> &'static Self {
        let mut best: Option<(f64, &'static Self)> = None;
        for range in accept_language.split(',') {
            let mut parts = range.split(';');
            let Some(words) = parts.next().and_then(Self::named) else {
                continue;
            };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok());
            let weight: f64 = weight.unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, words));
            }
        }
        best.map_or(&en::WORDS, |(_, words)| words)
    }

    pub(super) fn moving(&self, kind: Option<LegKind>) -> &'static str {
        let moving = &self.moving;
        match kind {
            None => moving.unknown,
            Some(LegKind::Swim) => moving.swim,
            Some(LegKind::Ride) => moving.ride,
            Some(LegKind::Run) => moving.run,
            Some(LegKind::Walk) => moving.walk,
            Some(LegKind::Hike) => moving.hike,
            Some(LegKind::Row) => moving.row,
            Some(LegKind::Kayak | LegKind::Paddle) => moving.paddle,
            Some(LegKind::Ski) => moving.ski,
            Some(LegKind::Skate) => moving.skate,
            Some(LegKind::Transition) => moving.transition,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::support::asked_values;

    #[test]
    fn the_reader_chooses_the_language() {
        for (wanted, code) in [
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("pt-BR, fr;q=0.5, it;q=0.7", "it"),
            ("es;q=0, nl", "en"),
            ("", "en"),
            ("*;q=0.1", "en"),
            ("fr;q=x", "fr"),
        ] {
            assert_eq!(PageWords::wanted(wanted).code, code, "{wanted}");
        }
        assert!(PageWords::named("deutsch").is_none());
    }

    /// A sentence must have the same placeholders in every language, or a translation leaves out a value.
    #[test]
    fn every_language_asks_for_the_same_values() {
        let english = asked_values(PageWords::all()[0]);
        for words in PageWords::all() {
            assert_eq!(asked_values(words), english, "{}", words.code);
        }
    }
}
