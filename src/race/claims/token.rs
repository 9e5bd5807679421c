//! Splits a message into words, numbers and marks.

/// One word, number or mark, and its place in the message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// In lower case, and whether it was capitalized.
    Word(String, bool),
    Number(Number),
    Mark(char),
    /// A digit of another script, which cannot be read.
    Unreadable,
}

/// A number as written. What it counts follows from the unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) shape: NumberShape,
    /// `7th`, `third`.
    pub(crate) ordinal: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NumberShape {
    /// A value and its smallest written unit: `10.8` is (10.8, 0.1).
    Plain(f64, f64),
    /// `1,200`, which is a decimal fraction or has a thousands separator: both values.
    Ambiguous(f64, f64),
    /// The parts between colons.
    Clock(Vec<f64>),
}

impl Number {
    pub(crate) fn plain(value: f64) -> Self {
        Self {
            shape: NumberShape::Plain(value, 1.0),
            ordinal: false,
        }
    }

    pub(crate) fn ordinal(value: f64) -> Self {
        Self {
            ordinal: true,
            ..Self::plain(value)
        }
    }

    pub(crate) fn whole(&self) -> Option<f64> {
        match self.shape {
            NumberShape::Plain(value, step) if step >= 1.0 => Some(value),
            _ => None,
        }
    }
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word, _) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == TokenKind::Mark(mark)
    }
}

/// The tokens of a message, in order.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&(from, c)) = chars.get(at) {
        let taken = if c.is_ascii_digit() {
            number(&chars, at)
        } else if c.is_alphabetic() {
            Some(word(&chars, at))
        } else {
            None
        };
        let (kind, next) = match taken {
            Some(taken) => taken,
            None if c.is_numeric() => (TokenKind::Unreadable, at + 1),
            None if c.is_whitespace() || is_silent(&chars, at) => {
                at += 1;
                continue;
            }
            None => (TokenKind::Mark(plain_mark(c)), at + 1),
        };
        let to = chars.get(next).map_or(text.len(), |(to, _)| *to);
        tokens.push(Token { from, to, kind });
        at = next;
    }
    tokens
}

fn char_at(chars: &[(usize, char)], at: usize) -> Option<char> {
    chars.get(at).map(|(_, c)| *c)
}

/// Apostrophes, and hyphens within a word or between a number and its unit: `you're`, `cut-off`, `8-minute`.
fn is_silent(chars: &[(usize, char)], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| char_at(chars, before));
    let after = char_at(chars, at + 1);
    match char_at(chars, at) {
        Some('\'' | '’' | '"' | '“' | '”' | '„' | '«' | '»' | '*' | '_' | '#') => true,
        Some('-' | '‑') => {
            let joined =
                before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
            let range =
                before.is_some_and(|c| c.is_ascii_digit()) && after.is_some_and(|c| c.is_ascii_digit());
            joined && !range
        }
        _ => false,
    }
}

fn plain_mark(c: char) -> char {
    match c {
        '-' | '‑' | '−' | '–' | '—' => '-',
        '…' => '.',
        '¿' | '¡' => ' ',
        other => other,
    }
}

fn word(chars: &[(usize, char)], from: usize) -> (TokenKind, usize) {
    let rest = chars.iter().skip(from);
    let letters = rest.take_while(|(_, c)| c.is_alphabetic()).count();
    let mut to = from + letters;
    // Names such as T1 and Z2, but not km7.
    let after_digit = from
        .checked_sub(1)
        .and_then(|before| char_at(chars, before))
        .is_some_and(|c| c.is_ascii_digit());
    if letters == 1 && !after_digit && char_at(chars, to).is_some_and(|c| c.is_ascii_digit()) {
        to += 1;
    }
    let written: String = chars.iter().take(to).skip(from).map(|(_, c)| *c).collect();
    let capital = written.starts_with(char::is_uppercase);
    (TokenKind::Word(written.to_lowercase(), capital), to)
}

/// Digits with a fraction, with colons, or as `5'33"`.
fn number(chars: &[(usize, char)], from: usize) -> Option<(TokenKind, usize)> {
    let digits = |from: usize| {
        let run: String = chars
            .iter()
            .skip(from)
            .map(|(_, c)| *c)
            .take_while(char::is_ascii_digit)
            .collect();
        (run.len(), run)
    };
    let (length, first) = digits(from);
    let mut to = from + length;
    let mut parts = vec![first];
    let separator = char_at(chars, to);
    while let Some(c) = char_at(chars, to).filter(|c| separator == Some(*c)) {
        let (length, part) = digits(to + 1);
        let is_part = match c {
            '.' | ',' => length > 0 && parts.len() < 2,
            ':' => length == 2,
            '\'' | '’' | '′' => length == 2 && parts.len() < 2,
            _ => false,
        };
        if !is_part {
            break;
        }
        parts.push(part);
        to += 1 + length;
    }
    let values: Option<Vec<f64>> = parts.iter().map(|part| part.parse().ok()).collect();
    let shape = match (separator, parts.as_slice()) {
        (Some('.' | ','), [whole, fraction]) => {
            let digits = i32::try_from(fraction.len()).ok()?;
            let value = format!("{whole}.{fraction}").parse().ok()?;
            let thousands = (fraction.len() == 3 && whole.len() <= 3)
                .then(|| format!("{whole}{fraction}").parse().ok())
                .flatten();
            match thousands {
                Some(thousands) => NumberShape::Ambiguous(value, thousands),
                None => NumberShape::Plain(value, 0.1_f64.powi(digits)),
            }
        }
        (_, [_]) => NumberShape::Plain(*values?.first()?, 1.0),
        _ => NumberShape::Clock(values?),
    };
    let suffix: String = chars
        .iter()
        .skip(to)
        .map(|(_, c)| *c)
        .take_while(|c| c.is_alphabetic() || *c == 'º')
        .collect();
    let ordinal = one_of(suffix.as_str(), "st|nd|rd|th|e|er|ème|º|te|ter|ten");
    to += if ordinal { suffix.chars().count() } else { 0 };
    Some((TokenKind::Number(Number { shape, ordinal }), to))
}

/// Whether `words`, separated by `|`, contain `word`.
pub(crate) fn one_of(word: &str, words: &str) -> bool {
    words.split('|').any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let shown = tokens(text).into_iter().map(|token| match token.kind {
            TokenKind::Word(word, _) => word,
            TokenKind::Number(Number { shape, ordinal }) => {
                let shape = match shape {
                    NumberShape::Plain(value, _) => value.to_string(),
                    NumberShape::Ambiguous(one, other) => format!("{one}|{other}"),
                    NumberShape::Clock(parts) => format!("{parts:?}"),
                };
                if ordinal { shape + "." } else { shape }
            }
            TokenKind::Mark(mark) => mark.to_string(),
            TokenKind::Unreadable => "?".into(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_message_falls_into_tokens() {
        for (text, expected) in [
            ("You're at 10.8 km.", "you re at 10.8 km ."),
            (
                "an 8-minute cut-off, 145-150bpm",
                "an 8 minute cut off , 145 - 150 bpm",
            ),
            ("T1 3:20, km7 5'33\"/km", "t1 [3.0, 20.0] , km 7 [5.0, 33.0] / km"),
            ("1,200 m; 31,2 km/h", "1.2|1200 m ; 31.2 km / h"),
            ("the 7th, 1:02:03 – ~3", "the 7. , [1.0, 2.0, 3.0] - ~ 3"),
            ("１ and 5.", "? and 5 ."),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
