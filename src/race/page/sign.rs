//! What stands for an athlete on a page of several: a letter, a colour by its number, and a name.

use super::words::{PageWords, fill};
use crate::race::share::ShareTerms;

/// The sign of an athlete, which no other athlete of the page has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AthleteSign {
    /// From 0; it chooses the colour.
    pub number: usize,
    /// A letter or a digit.
    pub letter: String,
    /// The chosen name, or a number.
    pub name: String,
}

/// The signs of the athletes with these terms. A letter is the first of the name if no other name has it, else the number
/// of the athlete.
pub(super) fn signs<'a>(
    terms: impl Iterator<Item = &'a ShareTerms>,
    words: &'static PageWords,
) -> Vec<AthleteSign> {
    let names: Vec<_> = terms.map(|terms| terms.name.as_deref()).collect();
    let letters: Vec<_> = names.iter().map(|name| first_letter(*name)).collect();
    let is_own = |letter: &String| letters.iter().flatten().filter(|other| *other == letter).count() == 1;
    let named = names.iter().zip(&letters).enumerate();
    named
        .map(|(number, (name, letter))| {
            let digit = (number + 1).to_string();
            AthleteSign {
                number,
                name: name.map_or_else(|| fill(words.joined.athlete, &[("n", &digit)]), str::to_owned),
                letter: letter.clone().filter(is_own).unwrap_or(digit),
            }
        })
        .collect()
}

fn first_letter(name: Option<&str>) -> Option<String> {
    let letter = name?.chars().find(|c| c.is_alphabetic())?;
    Some(letter.to_uppercase().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::share::ShareRole;

    #[test]
    fn no_two_athletes_have_the_same_sign() {
        let words = PageWords::named("en").unwrap();
        for (names, wanted) in [
            ([Some("Anna"), Some("Ben")], ["A Anna", "B Ben"]),
            ([Some("Anna"), Some("anton")], ["1 Anna", "2 anton"]),
            ([None, Some("Élise")], ["1 Athlete 1", "É Élise"]),
            ([Some("42"), None], ["1 42", "2 Athlete 2"]),
        ] {
            let terms = names.map(|name| ShareTerms::new(ShareRole::Family, name, None, None).unwrap());
            let signs = signs(terms.iter(), words);
            let said: Vec<_> = signs
                .iter()
                .map(|sign| format!("{} {}", sign.letter, sign.name))
                .collect();
            assert_eq!(said, wanted, "{names:?}");
        }
    }
}
