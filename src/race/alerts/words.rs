//! The sentences of the alerts, one table for each language. A name in braces is a placeholder for a value.
//!
//! The languages are those of the race page.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod table;

pub(super) use table::AlertWords;

pub(super) static ENGLISH: &AlertWords = &en::WORDS;

static ALL: [&AlertWords; 5] = [ENGLISH, &de::WORDS, &fr::WORDS, &es::WORDS, &it::WORDS];

impl AlertWords {
    /// The languages of the alerts.
    pub(super) fn all() -> [&'static Self; 5] {
        ALL
    }

    /// The words of a language such as `de` or `de-AT`; `None` if the alerts are not translated into it.
    pub(super) fn named(language: &str) -> Option<&'static Self> {
        let code = language.trim().split('-').next().unwrap_or_default();
        ALL.into_iter()
            .find(|words| code.eq_ignore_ascii_case(words.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::page::PageWords;
    use crate::race::support::asked_values;

    #[test]
    fn the_alerts_speak_the_languages_of_the_page() {
        assert_eq!(
            AlertWords::all().map(|words| words.code),
            PageWords::all().map(|words| words.code)
        );
        assert_eq!(AlertWords::named("de-AT").unwrap().code, "de");
        assert!(AlertWords::named("deutsch").is_none());
    }

    /// A sentence must have the same placeholders in every language, or a translation leaves out a value.
    #[test]
    fn every_language_asks_for_the_same_values() {
        let english = asked_values(ENGLISH);
        assert!(english.iter().any(|names| names.len() == 4));
        for words in AlertWords::all() {
            assert_eq!(asked_values(words), english, "{}", words.code);
        }
    }
}
