//! Extracts the numerical claims from a message: a value, the quantity, and whether it is called a mean or a maximum.

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    /// The number as written in the text.
    pub(super) said: String,
    pub(super) value: f64,
    pub(super) kind: ClaimKind,
    /// Whether it is called a mean, a maximum, or neither.
    pub(super) sense: ClaimSense,
    /// Whether it refers to what is still to come ("the next 2 km").
    pub(super) ahead: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimKind {
    HeartRate,
    Power,
    Cadence,
    /// Distance in metres.
    Distance,
    /// A place on the course, in metres from the start.
    Mark,
    /// Speed in metres per second.
    Speed,
    /// A time in seconds, written with a colon.
    Time,
    /// A number in non-ASCII digits, which cannot be checked.
    Unreadable,
}

/// What a number is called in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimSense {
    Value,
    Mean,
    Highest,
}

/// A number and its place in the text.
struct NumberInText {
    from: usize,
    to: usize,
    value: f64,
    has_colon: bool,
}

/// The unit after a number, which determines how the number is converted.
#[derive(Clone, Copy)]
enum ClaimUnit {
    Plain(ClaimKind),
    Km,
    Miles,
    Kmh,
    /// A time per this many metres.
    Pace(f64),
    /// A quantity that the data does not contain: grams, minutes, percent.
    Foreign,
}

/// Longer names come before their own prefixes.
const UNITS: [(&str, ClaimUnit); 46] = [
    ("bpm", ClaimUnit::Plain(ClaimKind::HeartRate)),
    ("beats", ClaimUnit::Plain(ClaimKind::HeartRate)),
    ("schläge", ClaimUnit::Plain(ClaimKind::HeartRate)),
    ("watts", ClaimUnit::Plain(ClaimKind::Power)),
    ("watt", ClaimUnit::Plain(ClaimKind::Power)),
    ("w", ClaimUnit::Plain(ClaimKind::Power)),
    ("rpm", ClaimUnit::Plain(ClaimKind::Cadence)),
    ("spm", ClaimUnit::Plain(ClaimKind::Cadence)),
    ("steps", ClaimUnit::Plain(ClaimKind::Cadence)),
    ("schritte", ClaimUnit::Plain(ClaimKind::Cadence)),
    ("u/min", ClaimUnit::Plain(ClaimKind::Cadence)),
    ("km/h", ClaimUnit::Kmh),
    ("kmh", ClaimUnit::Kmh),
    ("kph", ClaimUnit::Kmh),
    ("/km", ClaimUnit::Pace(1000.0)),
    ("min/km", ClaimUnit::Pace(1000.0)),
    ("per km", ClaimUnit::Pace(1000.0)),
    ("per kilomet", ClaimUnit::Pace(1000.0)),
    ("pro km", ClaimUnit::Pace(1000.0)),
    ("pro kilometer", ClaimUnit::Pace(1000.0)),
    ("a km", ClaimUnit::Pace(1000.0)),
    ("/mi", ClaimUnit::Pace(1609.344)),
    ("min/mi", ClaimUnit::Pace(1609.344)),
    ("per mile", ClaimUnit::Pace(1609.344)),
    ("/100 m", ClaimUnit::Pace(100.0)),
    ("/100m", ClaimUnit::Pace(100.0)),
    ("per 100 m", ClaimUnit::Pace(100.0)),
    ("per 100m", ClaimUnit::Pace(100.0)),
    ("km", ClaimUnit::Km),
    ("k", ClaimUnit::Km),
    ("kilometers", ClaimUnit::Km),
    ("kilometres", ClaimUnit::Km),
    ("kilometer", ClaimUnit::Km),
    ("kilometre", ClaimUnit::Km),
    ("miles", ClaimUnit::Miles),
    ("mile", ClaimUnit::Miles),
    ("mi", ClaimUnit::Miles),
    ("%", ClaimUnit::Foreign),
    ("min", ClaimUnit::Foreign),
    ("minutes", ClaimUnit::Foreign),
    ("minuten", ClaimUnit::Foreign),
    ("s", ClaimUnit::Foreign),
    ("sec", ClaimUnit::Foreign),
    ("h", ClaimUnit::Foreign),
    ("g", ClaimUnit::Foreign),
    ("ml", ClaimUnit::Foreign),
];

const HEART_RATE_LABELS: [&str; 9] = [
    "hr",
    "heart rate",
    "heartrate",
    "bpm",
    "pulse",
    "puls",
    "herzfrequenz",
    "hf",
    "heart",
];
const POWER_LABELS: [&str; 4] = ["power", "watts", "leistung", "watt"];
const CADENCE_LABELS: [&str; 3] = ["cadence", "kadenz", "trittfrequenz"];
const MARK_LABELS: [&str; 6] = ["km", "kilometer", "kilometre", "mark", "k", "mile"];
const MEAN_WORDS: [&str; 8] = [
    "average",
    "averaging",
    "averaged",
    "avg",
    "mean",
    "durchschnitt",
    "schnitt",
    "ø",
];
const HIGHEST_WORDS: [&str; 7] = ["max", "maximum", "highest", "peak", "peaked", "hit", "höchste"];
const AHEAD_WORDS: [&str; 9] = [
    "next",
    "last",
    "every",
    "first",
    "for",
    "nächsten",
    "letzten",
    "ersten",
    "jeden",
];

/// All claims in a text, in order.
pub(super) fn claims(text: &str) -> Vec<Claim> {
    let text = text.to_lowercase();
    let mut claims: Vec<Claim> = text
        .char_indices()
        .filter(|(_, c)| c.is_numeric() && !c.is_ascii())
        .map(|(_, c)| Claim {
            said: c.to_string(),
            value: 0.0,
            kind: ClaimKind::Unreadable,
            sense: ClaimSense::Value,
            ahead: false,
        })
        .collect();
    let numbers = numbers(&text);
    let mut unit_of_next = None;
    for (index, number) in numbers.iter().enumerate().rev() {
        let behind = text.get(number.to..).unwrap_or_default();
        let own = unit(behind);
        let next = numbers.get(index + 1);
        let joined = next.is_some_and(|next| is_joiner(text.get(number.to..next.from).unwrap_or_default()));
        let unit = own.or_else(|| unit_of_next.filter(|_| joined));
        unit_of_next = unit;
        let before = before(
            &text,
            index.checked_sub(1).and_then(|i| numbers.get(i)),
            number.from,
        );
        if let Some(claim) = claim(&text, number, unit, before) {
            claims.push(claim);
        }
    }
    claims.reverse();
    claims
}

fn claim(text: &str, number: &NumberInText, unit: Option<ClaimUnit>, before: &str) -> Option<Claim> {
    let kind_and_value = match (unit, number.has_colon) {
        (Some(ClaimUnit::Pace(metres)), true) if number.value > 0.0 => {
            (ClaimKind::Speed, metres / number.value)
        }
        (Some(ClaimUnit::Pace(metres)), false) if number.value > 0.0 => {
            (ClaimKind::Speed, metres / (number.value * 60.0))
        }
        (_, true) => (ClaimKind::Time, number.value),
        (Some(ClaimUnit::Plain(kind)), false) => (kind, number.value),
        (Some(ClaimUnit::Km), false) => (ClaimKind::Distance, number.value * 1000.0),
        (Some(ClaimUnit::Miles), false) => (ClaimKind::Distance, number.value * 1609.344),
        (Some(ClaimUnit::Kmh), false) => (ClaimKind::Speed, number.value / 3.6),
        (Some(ClaimUnit::Foreign | ClaimUnit::Pace(_)), false) => return None,
        (None, false) => (labelled(before)?, number.value),
    };
    let (kind, value) = match kind_and_value {
        (ClaimKind::Mark, value) if ends_with_word(before, &["mile"]) => (ClaimKind::Mark, value * 1609.344),
        (ClaimKind::Mark, value) => (ClaimKind::Mark, value * 1000.0),
        other => other,
    };
    let sense = if has_word(before, &MEAN_WORDS) {
        ClaimSense::Mean
    } else if has_word(before, &HIGHEST_WORDS) {
        ClaimSense::Highest
    } else {
        ClaimSense::Value
    };
    let ends = (number.to + 12).min(text.len());
    let ends = (number.to..=ends).rev().find(|at| text.is_char_boundary(*at))?;
    Some(Claim {
        said: text.get(number.from..ends)?.trim().to_owned(),
        value,
        kind,
        sense,
        ahead: has_word(before, &AHEAD_WORDS),
    })
}

/// The words before a number, limited to a few and ending at the previous number.
fn before<'a>(text: &'a str, previous: Option<&NumberInText>, from: usize) -> &'a str {
    let start = previous
        .map_or(0, |previous| previous.to)
        .max(from.saturating_sub(32));
    let start = (start..=from)
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(from);
    let before = text.get(start..from).unwrap_or_default();
    // A new sentence has a new subject.
    before
        .rsplit(['.', '!', '?', ';', '\n'])
        .next()
        .unwrap_or_default()
}

fn labelled(before: &str) -> Option<ClaimKind> {
    let near = before.trim_end_matches([' ', ':', '=', '~', '#', '(']);
    if ends_with_word(near, &MARK_LABELS) {
        return Some(ClaimKind::Mark);
    }
    [
        (&HEART_RATE_LABELS[..], ClaimKind::HeartRate),
        (&POWER_LABELS, ClaimKind::Power),
        (&CADENCE_LABELS, ClaimKind::Cadence),
    ]
    .into_iter()
    .find(|(labels, _)| has_word(before, labels))
    .map(|(_, kind)| kind)
}

fn has_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            edge(text.get(..at).and_then(|before| before.chars().next_back()))
                && edge(text.get(at + word.len()..).and_then(|after| after.chars().next()))
        })
    })
}

fn ends_with_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        text.trim_end()
            .strip_suffix(word)
            .is_some_and(|rest| rest.chars().next_back().is_none_or(|c| !c.is_alphanumeric()))
    })
}

/// The unit directly after a number: the longest that matches.
fn unit(behind: &str) -> Option<ClaimUnit> {
    let behind = behind
        .strip_prefix('-')
        .unwrap_or(behind)
        .trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    UNITS
        .iter()
        .filter(|(name, _)| {
            behind.strip_prefix(name).is_some_and(|rest| {
                let whole =
                    name.ends_with("kilomet") || rest.chars().next().is_none_or(|c| !c.is_alphabetic());
                // `w/kg` is not a power in watts.
                whole && !(name.chars().all(char::is_alphabetic) && rest.starts_with("/k"))
            })
        })
        .max_by_key(|(name, _)| name.len())
        .map(|(_, unit)| *unit)
}

fn is_joiner(between: &str) -> bool {
    matches!(
        between.trim(),
        "-" | "–" | "—" | "to" | "bis" | "and" | "und" | "/" | "or" | "→" | "->"
    )
}

/// Finds numbers: digits with one decimal point or comma, or with colons.
fn numbers(text: &str) -> Vec<NumberInText> {
    let mut numbers = Vec::new();
    let mut from = 0;
    while let Some(start) = text
        .get(from..)
        .and_then(|rest| rest.find(|c: char| c.is_ascii_digit()))
    {
        let start = from + start;
        let rest = text.get(start..).unwrap_or_default();
        let mut to = start;
        for (at, c) in rest.char_indices() {
            let next_is_digit = rest
                .get(at + c.len_utf8()..)
                .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
            if !(c.is_ascii_digit() || matches!(c, '.' | ',' | ':') && next_is_digit) {
                break;
            }
            to = start + at + c.len_utf8();
        }
        let word = text.get(start..to).unwrap_or_default();
        let glued = text
            .get(..start)
            .and_then(|before| before.chars().next_back())
            .is_some_and(char::is_alphabetic);
        if let Some(value) = value(word).filter(|_| !glued) {
            numbers.push(NumberInText {
                from: start,
                to,
                value,
                has_colon: word.contains(':'),
            });
        }
        from = to.max(start + 1);
    }
    numbers
}

fn value(word: &str) -> Option<f64> {
    if word.contains(':') {
        let parts: Option<Vec<f64>> = word
            .split(':')
            .map(|part| part.replace(',', ".").parse().ok())
            .collect();
        return parts.map(|parts| parts.iter().fold(0.0, |sum, part| sum * 60.0 + part));
    }
    // A comma is always a decimal separator, even in 12,345: no figure of a race is written with thousands separators.
    word.replace(',', ".").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(ClaimKind, f64)]) {
        let found: Vec<_> = claims(text)
            .iter()
            .map(|claim| (claim.kind, (claim.value * 10.0).round() / 10.0))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_said_is_understood() {
        check(
            "HR 163, power 240W.",
            &[(ClaimKind::HeartRate, 163.0), (ClaimKind::Power, 240.0)],
        );
        check(
            "Stay at 145-150 bpm",
            &[(ClaimKind::HeartRate, 145.0), (ClaimKind::HeartRate, 150.0)],
        );
        check("Your heart rate is now 171", &[(ClaimKind::HeartRate, 171.0)]);
        check(
            "12.3 km in 1:02:03 (5:02 /km)",
            &[
                (ClaimKind::Distance, 12_300.0),
                (ClaimKind::Time, 3723.0),
                (ClaimKind::Speed, 3.3),
            ],
        );
        check(
            "31,2 km/h bei 88 U/min",
            &[(ClaimKind::Speed, 8.7), (ClaimKind::Cadence, 88.0)],
        );
        check("At km 30 take a gel", &[(ClaimKind::Mark, 30_000.0)]);
        check("6.5 miles to go", &[(ClaimKind::Distance, 10_460.7)]);
        check("1:52 /100 m", &[(ClaimKind::Speed, 0.9)]);
        check(
            "Drink 150 ml and 30 g in the next 10 minutes, 5% easier, 2 gels",
            &[],
        );
        check("Great job! You are number 1 of our hearts", &[]);
        check("3.8 W/kg", &[]);
        check("Puls １６３", &[(ClaimKind::Unreadable, 0.0); 3]);
    }

    #[test]
    fn what_it_claims_to_be_is_understood() {
        let one = |text: &str| claims(text).remove(0);
        assert_eq!(one("average HR of 152").sense, ClaimSense::Mean);
        assert_eq!(one("you peaked at 171 bpm").sense, ClaimSense::Highest);
        assert_eq!(one("max was fine. 152 bpm now").sense, ClaimSense::Value);
        assert!(one("hold on for the next 2 km").ahead && !one("2 km done").ahead);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reading(text in ".{0,120}") {
            for claim in claims(&text) {
                assert!(claim.value.is_finite());
            }
        }

        #[test]
        fn a_value_with_its_unit_is_always_found(before in "[a-z ,.!-]{0,20}", bpm in 30_u32..250, after in "[ ,.!][a-z .!]{0,20}") {
            let text = format!("{before} {bpm} bpm{after}");
            let found = claims(&text);
            assert!(found.iter().any(|claim| claim.kind == ClaimKind::HeartRate && (claim.value - f64::from(bpm)).abs() < 0.01), "{text}");
        }
    }
}
