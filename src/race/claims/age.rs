//! The age of the data behind a message, appended to its text.

use crate::race::text;

/// For each language: frequent words, and the words before and after an age.
#[rustfmt::skip]
const LANGUAGES: [(&str, &str, &str); 5] = [
    ("the you is of at and your", "data", "old"),
    ("du der die das ist und nicht dein deine noch jetzt im mit", "Daten", "alt"),
    ("tu le la les est et ton ta tes il du des reste", "données vieilles de", ""),
    ("el los las es y tu tus con por te vas llevas", "datos de hace", ""),
    ("il lo gli è e tuo tua ti mancano sei al che da", "dati di", "fa"),
];

/// `text` with the age of its data, such as `(data 40 s old)`, in the language of the text.
pub fn with_age(text: &str, age_s: f64) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let hits = |known: &str| {
        words
            .iter()
            .filter(|word| known.split(' ').any(|known| known == **word))
            .count()
    };
    // The first language wins a tie.
    let best = LANGUAGES.iter().rev().max_by_key(|(known, ..)| hits(known));
    let (before, after) = best.map_or(("data", "old"), |(_, before, after)| (*before, *after));
    let age = if age_s < 90.0 {
        format!("{age_s:.0} s")
    } else {
        text::minutes(age_s + 30.0)
    };
    let age = format!("{before} {age} {after}");
    format!("{text} ({})", age.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_told_in_the_language_of_the_message() {
        for (text, age_s, expected) in [
            ("You look strong.", 15.0, "You look strong. (data 15 s old)"),
            (
                "Du liegst gut im Plan.",
                100.0,
                "Du liegst gut im Plan. (Daten 2 min alt)",
            ),
            (
                "Il te reste 10 km, tu es en avance.",
                40.0,
                "Il te reste 10 km, tu es en avance. (données vieilles de 40 s)",
            ),
            (
                "Vas muy bien, te quedan los últimos.",
                40.0,
                "Vas muy bien, te quedan los últimos. (datos de hace 40 s)",
            ),
            (
                "Ti mancano 10 km, sei forte.",
                40.0,
                "Ti mancano 10 km, sei forte. (dati di 40 s fa)",
            ),
            ("!", 40.0, "! (data 40 s old)"),
        ] {
            assert_eq!(with_age(text, age_s), expected);
        }
    }
}
