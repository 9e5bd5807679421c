//! Splits a text into words, numbers, days and the breaks between its clauses.

use jiff::civil::Date;

use crate::advice::figure::CoachFigure;

const SPELLED: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Word(String),
    Number(Amount),
    /// A number written as a word.
    Spelled(u8),
    /// A day as in `2026-05-02`.
    Day(Date),
    /// The end of a clause.
    Break,
    /// The end of a sentence.
    Stop,
}

/// A number as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Amount {
    pub(super) value: f64,
    /// Half a unit of the last written digit.
    precision: f64,
    /// Hours and minutes, such as `7:24`.
    pub(super) is_time: bool,
}

impl Piece {
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The kind of piece, without its value, for the message that refuses a text.
    pub(super) fn told(&self) -> &'static str {
        match self {
            Self::Day(_) => "a day",
            Self::Spelled(_) => "a number as a word",
            _ => "a number",
        }
    }
}

impl Amount {
    pub(super) fn is(&self, value: f64) -> bool {
        // The figures themselves are rounded to one or two decimals.
        (self.value - value).abs() <= self.precision + 0.006
    }

    pub(super) fn is_edge(&self, figure: &CoachFigure) -> bool {
        figure
            .usual
            .is_some_and(|(low, high)| self.is(low) || self.is(high))
    }
}

/// Splits a text that is already in lower case.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let (piece, length) = number(rest);
            found.push(piece);
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        let length = if first.is_alphanumeric() {
            rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length.max(first.len_utf8()));
        rest = after;
        match word {
            "." | "!" | "?" | "\n" => found.push(Piece::Stop),
            "and" | "but" | "while" | "with" | ";" | ":" | "," | "(" | ")" | "–" | "—" => {
                found.push(Piece::Break);
            }
            "%" => found.push(Piece::Word(word.to_owned())),
            _ if first.is_alphabetic() => {
                let spelled = SPELLED.iter().position(|spelled| *spelled == word);
                found.push(match spelled.and_then(|number| u8::try_from(number).ok()) {
                    Some(number) => Piece::Spelled(number),
                    None => Piece::Word(word.to_owned()),
                });
            }
            // Another script's digits could hide a number.
            _ if first.is_alphanumeric() => found.push(Piece::Number(Amount {
                value: f64::NAN,
                precision: 0.0,
                is_time: false,
            })),
            _ => {}
        }
    }
    hours_and_minutes(found)
}

/// The number at the beginning of a text, and its length.
fn number(text: &str) -> (Piece, usize) {
    if let Some(day) = text.get(..10).and_then(|day| day.parse::<Date>().ok()) {
        return (Piece::Day(day), 10);
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let after = text.get(whole + 1..).unwrap_or_default();
    let more = digits(after);
    let read = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let value = read(text.get(..whole).unwrap_or_default());
    match text.as_bytes().get(whole) {
        Some(b'.' | b',') if more > 0 => {
            let part = after.get(..more).unwrap_or_default();
            let value = read(&format!("{value}.{part}"));
            let places = i32::try_from(more).unwrap_or(i32::MAX);
            let amount = Amount {
                value,
                precision: 0.5 * 0.1_f64.powi(places),
                is_time: false,
            };
            (Piece::Number(amount), whole + 1 + more)
        }
        Some(b':') if more == 2 => {
            let minutes = read(after.get(..more).unwrap_or_default());
            (Piece::Number(time(value, minutes)), whole + 1 + more)
        }
        _ => {
            let amount = Amount {
                value,
                precision: 0.5,
                is_time: false,
            };
            (Piece::Number(amount), whole)
        }
    }
}

fn time(hours: f64, minutes: f64) -> Amount {
    Amount {
        value: hours + minutes / 60.0,
        precision: 0.5 / 60.0,
        is_time: true,
    }
}

/// Joins hours and minutes that stand apart, such as `7 h 24 min`.
fn hours_and_minutes(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        let is_hour = matches!(piece.word(), Some("h" | "hour" | "hours"));
        if let (true, Some(Piece::Number(hours)), Some(Piece::Number(minutes))) =
            (is_hour, joined.last(), pieces.peek())
        {
            let amount = time(hours.value, minutes.value);
            joined.pop();
            joined.push(Piece::Number(amount));
            pieces.next();
            if matches!(pieces.peek().and_then(Piece::word), Some("m" | "min" | "minutes")) {
                pieces.next();
            }
            continue;
        }
        joined.push(piece);
    }
    joined
}
