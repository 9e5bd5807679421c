//! Roles, not colours: the 16 ANSI colours follow the terminal's own theme, and nothing is told by colour alone.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

/// What a piece of the picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warn,
    /// Broken.
    Bad,
    /// Under way.
    Busy,
    /// Of less weight.
    Dim,
    /// A title or a key.
    Accent,
    /// The row that keys act on.
    Selection,
    /// Heart rate.
    Heart,
    /// Power.
    Power,
    /// Pace.
    Pace,
    /// The track.
    Track,
    /// A mark on the track or a limit.
    Mark,
}

/// How to draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Theme {
    /// Whether there are colours.
    pub(super) color: bool,
    /// Whether only ASCII may be drawn.
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

    /// The role of a state in words: of a worker, a race, a log level.
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

    /// One of two glyphs.
    pub(super) fn glyph(self, glyph: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { glyph }
    }

    /// The sign before a state, so that it is seen without colour.
    pub(super) fn sign(self, role: Role) -> &'static str {
        match role {
            Role::Ok => self.glyph("●", "*"),
            Role::Busy => self.glyph("◌", "o"),
            Role::Warn => self.glyph("▲", "!"),
            Role::Bad => self.glyph("✖", "X"),
            _ => self.glyph("·", "."),
        }
    }

    /// What boxes are drawn with.
    pub(super) fn border(self) -> border::Set<'static> {
        if !self.ascii {
            return border::PLAIN;
        }
        border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        }
    }

    /// Values as a line of bars, the last `room` of them, against their own maximum.
    pub(super) fn spark(self, values: impl ExactSizeIterator<Item = f64> + Clone, room: usize) -> String {
        let bars: &[char] = if self.ascii {
            &['_', '.', '-', '=', '#']
        } else {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        };
        let skip = values.len().saturating_sub(room);
        let top = values.clone().skip(skip).fold(1.0, f64::max);
        let steps = bars.len() as f64 - 1.0;
        values
            .skip(skip)
            .map(|value| {
                let step = (value.max(0.0) / top * steps).ceil();
                let n = (0..bars.len()).rev().find(|n| *n as f64 <= step).unwrap_or(0);
                bars.get(n).copied().unwrap_or(' ')
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparks_rise_against_their_maximum() {
        let (plain, ascii) = (
            Theme::default(),
            Theme {
                ascii: true,
                color: false,
            },
        );
        let values = [0.0, 1.0, 5.0, 10.0];
        assert_eq!(plain.spark(values.into_iter(), 10), "▁▂▅█");
        assert_eq!(ascii.spark(values.into_iter(), 2), "-#");
        assert_eq!(plain.spark([0.0, 0.0].into_iter(), 10), "▁▁");
    }

    #[test]
    fn without_colours_there_are_none() {
        for role in [Role::Ok, Role::Bad, Role::Heart, Role::Mark] {
            assert_eq!(Theme::default().style(role).fg, None);
        }
    }
}
