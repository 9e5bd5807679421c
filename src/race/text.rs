//! Text for people: formatted figures, and untrusted text made harmless.
//!
//! Times count from the start of the race, so they need no time zone.

use std::borrow::Cow;

use crate::race::sport::{LegKind, SpeedUnit};

/// Formats as `1:02:03`, or `2:03` under an hour.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time of a race, not negative"
)]
pub fn time(seconds: f64) -> String {
    let all = seconds.max(0.0).round() as u64;
    let (h, m, s) = (all / 3600, all / 60 % 60, all % 60);
    if h > 0 {
        format!("{h}:{m:02}:{s:02}")
    } else {
        format!("{m}:{s:02}")
    }
}

/// Formats in the unit of the sport: `4:57 /km`, `31.2 km/h` on the bike, `1:52 /100 m` in water; an unknown sport in
/// km/h. `None` below 0.3 m/s.
pub fn pace(kind: Option<LegKind>, mps: f64) -> Option<String> {
    (mps >= 0.3).then(|| match kind.map_or(SpeedUnit::KmPerHour, LegKind::speed_unit) {
        SpeedUnit::KmPerHour => format!("{:.1} km/h", mps * 3.6),
        SpeedUnit::Per100m => format!("{} /100 m", time(100.0 / mps)),
        SpeedUnit::Per500m => format!("{} /500 m", time(500.0 / mps)),
        SpeedUnit::PerKm => format!("{} /km", time(1000.0 / mps)),
    })
}

/// One decimal, such as `23.4 km`.
pub fn km(metres: f64) -> String {
    format!("{:.1} km", metres / 1000.0)
}

/// A distance mark, such as `10 km` or `1.5 km`.
pub fn mark(metres: f64) -> String {
    let km = metres / 1000.0;
    if (km - km.round()).abs() < 0.01 {
        format!("{km:.0} km")
    } else {
        format!("{km:.1} km")
    }
}

/// Whole minutes, such as `12 min`.
pub fn minutes(seconds: f64) -> String {
    format!("{:.0} min", (seconds / 60.0).floor())
}

/// `text` without control and format characters (which hide or reorder text), and with white space collapsed to
/// single spaces. Joiners stay where a script or a picture needs them: between two visible characters beyond ASCII.
pub fn plain_text(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut plain = String::with_capacity(text.len());
    let mut joiner = None;
    for c in shown {
        if is_joiner(c) {
            joiner = Some(c);
        } else if c.is_control() || is_format(c) {
            joiner = None;
        } else if c != ' ' || !(plain.is_empty() || plain.ends_with(' ')) {
            let is_joined = |side: char| !side.is_ascii();
            plain.extend(
                joiner
                    .take()
                    .filter(|_| is_joined(c) && plain.chars().next_back().is_some_and(is_joined)),
            );
            plain.push(c);
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// The relevant Unicode format characters (Cf): zero width, direction marks and overrides, tags, the soft hyphen;
/// plus the line and paragraph separators.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The zero-width non-joiner and joiner, which Persian, Indic scripts and families of emoji are written with.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// A name for a sentence, kept apart from the text around it if it is written from right to left. Otherwise it would turn
/// round the numbers after it.
pub fn isolated(name: &str) -> Cow<'_, str> {
    if name.chars().any(is_right_to_left) {
        Cow::Owned(format!("\u{2068}{name}\u{2069}"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether a character is in a block that Unicode gives to scripts from right to left.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

/// Replaces each name in braces with its value.
pub fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(sentence.len() + 16);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return text;
        };
        let value = values.iter().find(|(known, _)| *known == name);
        text.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(
            (time(59.6), time(3723.0), time(-5.0)),
            ("1:00".into(), "1:02:03".into(), "0:00".into())
        );
        assert_eq!(pace(Some(LegKind::Run), 3.367).unwrap(), "4:57 /km");
        assert_eq!(pace(Some(LegKind::Ride), 8.667).unwrap(), "31.2 km/h");
        assert_eq!(pace(Some(LegKind::Swim), 0.893).unwrap(), "1:52 /100 m");
        assert_eq!(pace(Some(LegKind::Kayak), 2.5).unwrap(), "9.0 km/h");
        assert_eq!(pace(Some(LegKind::Row), 4.0).unwrap(), "2:05 /500 m");
        assert_eq!(pace(None, 0.0), None);
        assert_eq!(
            (km(23_449.0), mark(10_000.0), mark(1500.0)),
            ("23.4 km".into(), "10 km".into(), "1.5 km".into())
        );
        assert_eq!(minutes(779.0), "12 min");
    }

    #[test]
    fn hidden_characters_go() {
        for (text, plain) in [
            ("Ann E", "Ann E"),
            ("  a\t\r\n b  ", "a b"),
            ("a\u{200b}b\u{202e}c\u{7}\u{1b}[31m", "abc[31m"),
            ("\u{e0041}x", "x"),
            ("Žofie 走", "Žofie 走"),
            ("👨\u{200d}👩\u{200d}👧 Familie", "👨\u{200d}👩\u{200d}👧 Familie"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("\u{200d}é\u{200d}\u{200d} \u{200c}ü\u{200d}", "é ü"),
            ("A\u{200d}nn 1\u{200c}2", "Ann 12"),
            ("", ""),
        ] {
            assert_eq!(plain_text(text), plain, "{text:?}");
        }
    }

    #[test]
    fn only_a_name_from_right_to_left_is_set_apart() {
        assert_eq!(isolated("محمد"), "\u{2068}محمد\u{2069}");
        assert_eq!(isolated("רועי K4"), "\u{2068}רועי K4\u{2069}");
        assert_eq!(isolated("Žofie 走"), "Žofie 走");
    }

    #[test]
    fn values_are_put_in_once() {
        let filled = fill("{a} and {b}, {c}.", &[("a", "{b}"), ("b", "2")]);
        assert_eq!(filled, "{b} and 2, .");
        assert_eq!(fill("open {", &[]), "open ");
    }
}
