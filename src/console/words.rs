//! Pure functions that format figures and times, and shorten text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::admin::views::{EventView, Overview, RevocationView};

/// Time since `then`: `3 s ago`, `2 h ago`; `in 5 min` for the future.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - then.as_second();
    if seconds < 0 {
        format!("in {}", span(seconds.unsigned_abs()))
    } else {
        format!("{} ago", span(seconds.unsigned_abs()))
    }
}

/// A duration in its largest unit: `45 s`, `12 min`, `7 h`, `3 d`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Race time as a clock shows it: `1:08:31`, `8:05`.
pub fn clock(seconds: f64) -> String {
    let seconds = whole(seconds);
    let (h, m, s) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if h > 0 {
        format!("{h}:{m:02}:{s:02}")
    } else {
        format!("{m}:{s:02}")
    }
}

/// A margin as `+12:03` or `-1:00:05`.
pub fn signed(seconds: f64) -> String {
    let sign = if seconds < 0.0 { '-' } else { '+' };
    format!("{sign}{}", clock(seconds.abs()))
}

/// A time against a plan or a limit: `3:16 late`, `4:47 early`.
pub fn early_or_late(early_s: f64) -> String {
    match clock(early_s.abs()) {
        zero if zero == "0:00" => "on time".to_owned(),
        by if early_s < 0.0 => format!("{by} late"),
        by => format!("{by} early"),
    }
}

pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// Pace per kilometre, such as `4:49`. `None` at a standstill.
pub fn pace(speed_mps: f64) -> Option<String> {
    (speed_mps > 0.3).then(|| clock(1_000.0 / speed_mps))
}

/// A size in bytes, in the unit that needs few digits.
pub fn bytes(n: u64) -> String {
    const KIB: f64 = 1024.0;
    let n = n as f64;
    if n < KIB {
        format!("{n} B")
    } else if n < KIB * KIB {
        format!("{:.0} KB", n / KIB)
    } else if n < KIB * KIB * KIB {
        format!("{:.1} MB", n / KIB / KIB)
    } else {
        format!("{:.1} GB", n / KIB / KIB / KIB)
    }
}

/// A number with its noun: `1 worker`, `2 workers`.
pub fn many(n: impl Into<u64>, one: &str) -> String {
    let n = n.into();
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {one}s")
    }
}

/// The numbers that are not 0, each with its noun: `1 sign-in, 2 calls`. `None` if all are 0.
pub fn counted(numbers: &[(u64, &str)]) -> Option<String> {
    let some = numbers.iter().filter(|(n, _)| *n > 0);
    let parts: Vec<String> = some.map(|(n, one)| many(*n, one)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The reason for a revocation: `operator (uid 1000)`, `refresh_reuse`.
pub fn cause(revocation: &RevocationView) -> String {
    match revocation.by_uid {
        Some(uid) => format!("{} (uid {uid})", revocation.reason),
        None => revocation.reason.clone(),
    }
}

/// The key figures of the gateway, each with its label.
pub fn overview_figures(o: &Overview, now: Timestamp) -> Vec<(&'static str, String)> {
    let simulated = if o.simulated { " (simulated Garmin)" } else { "" };
    let (sign_ins, clients) = (many(o.tokens, "sign-in"), many(o.clients, "client"));
    let garmin = o.garmin_paused_until.filter(|until| *until > now);
    let garmin = garmin.map_or("no pause requested".to_owned(), |until| {
        format!("asked for a pause, which ends {}", ago(until, now))
    });
    let filled = o
        .history_filled_at
        .map_or(String::new(), |at| format!(", filled {}", ago(at, now)));
    let histories = match o.histories {
        0 => "kept by nobody".to_owned(),
        1 => format!("kept by 1 person, {}{filled}", many(o.history_days, "day")),
        n => format!("kept by {n} people, {}{filled}", many(o.history_days, "day")),
    };
    let mut figures = vec![
        (
            "version",
            format!("{}, started {}", o.program, ago(o.started_at, now)),
        ),
        ("connector", format!("{}{simulated}", o.url)),
        (
            "people",
            format!("{} with access, of {}", o.people, many(o.accounts, "account")),
        ),
        ("access", format!("{sign_ins} by {clients}")),
        ("workers", format!("{} of {}", o.workers, o.max_workers)),
        ("races", o.races.to_string()),
        ("garmin", garmin),
        ("history", histories),
        ("calls", format!("{}, {}", o.calls, many(o.errors, "error"))),
        (
            "memory",
            format!("{}, store {}", bytes(o.memory_bytes), bytes(o.store_bytes)),
        ),
    ];
    if let Some(mailbox) = &o.mailbox {
        let after_races = 6;
        figures.insert(after_races, ("mailbox", mailbox.clone()));
    }
    figures
}

/// Day and minute: `2026-11-20 21:10`.
pub fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Time of day with seconds: `21:10:05`.
pub fn second(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// An event's name and fields on one line.
pub fn event_line(event: &EventView) -> String {
    let mut text = event.event.clone();
    for (name, value) in &event.fields {
        text.push(' ');
        text.push_str(name);
        text.push('=');
        match value {
            serde_json::Value::String(value) => text.push_str(value),
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

/// Untrusted text without control characters and without marks that change the text direction.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '?',
            c if c.is_control() => '?',
            c => c,
        })
        .collect()
}

/// The number of terminal cells that `text` occupies.
pub fn width(text: &str) -> usize {
    ratatui::text::Span::raw(text).width()
}

/// Shortens `text` to at most `room` cells; `~` marks a cut.
pub fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if width(&kept) + 1 > room {
            kept.pop();
            break;
        }
    }
    if room > 0 {
        kept.push('~');
    }
    kept
}

/// Splits `text` at spaces into lines of at most `room` cells. All but the first begin with `indent` spaces.
pub fn wrap(text: &str, room: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut is_begun = false;
    for word in text.split(' ') {
        if is_begun && width(&line) + 1 + width(word) > room {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        for c in word.chars() {
            line.push(c);
            // A word that is longer than a line is split anywhere.
            if width(&line) > room && width(&line) > indent + 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                line.push(c);
            }
        }
        is_begun = true;
    }
    lines.push(line);
    lines
}

/// Whole seconds; a negative duration is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates, and negative values are excluded"
)]
fn whole(seconds: f64) -> u64 {
    seconds.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_take_their_largest_unit() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(span(seconds), words);
        }
        let at = |s| Timestamp::from_second(s).unwrap();
        assert_eq!(ago(at(10), at(13)), "3 s ago");
        assert_eq!(ago(at(13), at(10)), "in 3 s");
    }

    #[test]
    fn race_times_and_paces() {
        for (seconds, words) in [(485.9, "8:05"), (4_111.0, "1:08:31"), (-1.0, "0:00")] {
            assert_eq!(clock(seconds), words);
        }
        assert_eq!(pace(1_000.0 / 289.0).as_deref(), Some("4:49"));
        assert_eq!(pace(0.1), None);
    }

    #[test]
    fn text_is_cut_to_cells_not_letters() {
        for (text, room, cut_to) in [
            ("short", 5, "short"),
            ("longer", 5, "long~"),
            ("漢字漢字", 5, "漢字~"),
            ("x", 0, ""),
            ("xy", 1, "~"),
        ] {
            assert_eq!(cut(text, room), cut_to, "{text} in {room}");
        }
    }

    #[test]
    fn text_is_wrapped_at_words() {
        assert_eq!(
            wrap("change the level shown", 12, 2),
            ["change the", "  level", "  shown"]
        );
        assert_eq!(
            wrap("see https://example.org/link", 12, 2),
            ["see", "  https://ex", "  ample.org/", "  link"]
        );
        assert_eq!(wrap("", 5, 0), [""]);
    }

    #[test]
    fn a_plan_is_early_or_late() {
        for (early_s, words) in [(-196.0, "3:16 late"), (287.0, "4:47 early"), (0.4, "on time")] {
            assert_eq!(early_or_late(early_s), words);
        }
    }

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(plain("a\x1b[2Jb\u{202e}c\u{9b}d\n"), "a?[2Jb?c?d?");
        assert_eq!(plain("Zoë 漢"), "Zoë 漢");
    }

    #[test]
    fn bytes_take_few_digits() {
        for (n, words) in [
            (12, "12 B"),
            (4_096, "4 KB"),
            (44_564_480, "42.5 MB"),
            (3_221_225_472, "3.0 GB"),
        ] {
            assert_eq!(bytes(n), words);
        }
    }
}
