//! Styles by role. Only the 16 ANSI colours are used, because they follow the terminal's theme, and every meaning of
//! a colour is also shown by a sign.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// The meaning of a part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Ok,
    Warn,
    Bad,
    Busy,
    Dim,
    /// A title or a key.
    Accent,
    Selection,
    Heart,
    Power,
    Pace,
    Track,
    /// A mark on the track or a limit.
    Mark,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Theme {
    pub(super) color: bool,
    /// Whether to draw only ASCII characters.
    pub(super) ascii: bool,
}

impl Theme {
    /// The style of a role.
    pub(super) fn style(self, role: Role) -> Style {
        let style = match role {
            Role::Selection => return Style::new().add_modifier(Modifier::REVERSED),
            Role::Accent | Role::Bad => Style::new().add_modifier(Modifier::BOLD),
            Role::Dim => Style::new().add_modifier(Modifier::DIM),
            _ => Style::new(),
        };
        if !self.color {
            return style;
        }
        match role {
            Role::Ok => style.fg(Color::Green),
            Role::Warn | Role::Mark => style.fg(Color::Yellow),
            Role::Bad => style.fg(Color::Red),
            Role::Busy | Role::Accent => style.fg(Color::Cyan),
            Role::Heart => style.fg(Color::LightRed),
            Role::Power => style.fg(Color::LightBlue),
            Role::Pace | Role::Track => style.fg(Color::LightGreen),
            Role::Dim | Role::Selection => style,
        }
    }

    /// The role of a state word, which is the state of a worker or a race, or a log level.
    pub(super) fn role_of(state: &str) -> Role {
        match state {
            "ready" | "working" | "running" | "live" | "finished" => Role::Ok,
            "starting" | "stopping" | "waiting" => Role::Busy,
            "failed" | "error" => Role::Bad,
            "warn" | "no signal" | "stopped" | "stalled" => Role::Warn,
            state if state.starts_with("sign-in needed") => Role::Bad,
            _ => Role::Dim,
        }
    }

    /// The sign before a state, which shows its role without colour.
    pub(super) fn sign(role: Role) -> &'static str {
        match role {
            Role::Ok => "●",
            Role::Busy => "◌",
            Role::Warn => "▲",
            Role::Bad => "✖",
            _ => "·",
        }
    }

    /// The last `room` values as a line of bars, relative to their maximum.
    pub(super) fn spark(values: impl ExactSizeIterator<Item = f64> + Clone, room: usize) -> String {
        let skip = values.len().saturating_sub(room);
        let top = values.clone().skip(skip).fold(1.0, f64::max);
        let steps = BARS.len() as f64 - 1.0;
        values
            .skip(skip)
            .map(|value| {
                let step = (value.max(0.0) / top * steps).ceil();
                let n = (0..BARS.len()).rev().find(|n| *n as f64 <= step).unwrap_or(0);
                BARS.get(n).copied().unwrap_or(' ')
            })
            .collect()
    }
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Replaces the console's own glyphs in a finished frame with ASCII. Names in other scripts are kept.
pub(super) fn to_ascii(picture: &mut Buffer) {
    for cell in &mut picture.content {
        if let Some(sign) = cell.symbol().chars().next().and_then(ascii_of) {
            cell.set_char(sign);
        }
    }
}

fn ascii_of(glyph: char) -> Option<char> {
    Some(match glyph {
        '┌' | '┐' | '└' | '┘' => '+',
        '│' => '|',
        '─' | '▄' | '▅' => '-',
        '●' => '*',
        '○' | '◌' => 'o',
        '◉' => '@',
        '▲' => '!',
        '✖' => 'X',
        '·' | '▂' | '▃' => '.',
        '▁' => '_',
        '▆' | '▇' => '=',
        '█' => '#',
        '\u{2800}' => ' ',
        // Braille patterns, distinguished by whether the upper or the lower half of the cell has dots.
        '\u{2801}'..='\u{28ff}' => {
            let dots = u32::from(glyph) - 0x2800;
            match (dots & 0x1b != 0, dots & 0xe4 != 0) {
                (true, false) => '\'',
                (false, true) => '.',
                _ => ':',
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparks_rise_against_their_maximum() {
        let values = [0.0, 1.0, 5.0, 10.0];
        assert_eq!(Theme::spark(values.into_iter(), 10), "▁▂▅█");
        assert_eq!(Theme::spark(values.into_iter(), 2), "▅█");
        assert_eq!(Theme::spark([0.0, 0.0].into_iter(), 10), "▁▁");
    }

    #[test]
    fn no_role_has_a_colour_without_colours() {
        for role in [Role::Ok, Role::Bad, Role::Heart, Role::Mark] {
            assert_eq!(Theme::default().style(role).fg, None);
        }
    }
}
