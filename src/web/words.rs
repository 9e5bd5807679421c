//! The words of the pages in five languages, one table for each. A missing text is a compile error.
//!
//! `table`, `failures` and `me` name the texts; the files of each language contain them.

mod de;
mod en;
mod es;
mod failures;
mod fill;
mod fr;
mod it;
mod me;
mod moments;
mod sentences;
mod table;
#[cfg(test)]
mod tests;

use crate::race::page::PageWords;

pub(super) use self::fill::fill;
pub(super) use self::me::{MeAppWords, MeGrantWords, MeHistoryWords, MeRaceWords, MeRefusedWords, MeWords};
pub(super) use self::table::{CodeWords, LandingWords, SignInWords, SiteWords, TitledWords, WelcomeWords};

/// All languages; the first is used if the reader wants none of them.
static ALL: [&SiteWords; 5] = [&en::WORDS, &de::WORDS, &fr::WORDS, &es::WORDS, &it::WORDS];

impl SiteWords {
    pub(super) fn english() -> &'static Self {
        &en::WORDS
    }

    /// The languages of the pages.
    pub(super) fn all() -> [&'static Self; 5] {
        ALL
    }

    /// The words of a language such as `de` or `de-AT`; `None` if the pages do not speak it.
    pub(super) fn named(language: &str) -> Option<&'static Self> {
        let code = PageWords::named(language)?.code;
        ALL.into_iter().find(|words| words.code == code)
    }

    /// The language that a reader wants most, chosen as on a race's page, by `Accept-Language`.
    pub(super) fn wanted(accept_language: &str) -> &'static Self {
        let code = PageWords::wanted(accept_language).code;
        let found = ALL.into_iter().find(|words| words.code == code);
        found.unwrap_or(&en::WORDS)
    }

    /// What the gateway calls a kind of data that can be changed, in this language.
    pub(super) fn change(&self, name: &'static str) -> &'static str {
        let words = &self.changes;
        match name {
            "activities" => words.activities,
            "workouts" => words.workouts,
            "weight" => words.weight,
            "gear" => words.gear,
            "blood pressure" => words.blood_pressure,
            "hydration" => words.hydration,
            "food" => words.food,
            "courses" => words.courses,
            _ => words.anything,
        }
    }
}
