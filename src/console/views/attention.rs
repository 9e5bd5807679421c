//! The problems for the operator. A long subject is cut, but the reason and the remedy can always be read.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::panes::boxed;
use crate::console::keys::VIEWS;
use crate::console::rows::ViewRow;
use crate::console::state::{ConsoleState, LinkState};
use crate::console::theme::{Role, Theme};
use crate::console::words::{cut, plain, second, width, wrap};

/// The cells that a subject keeps if its line is too long.
const SUBJECT: usize = 24;

/// The height of the pane that shows every problem.
pub(super) fn rows(state: &ConsoleState, theme: Theme, width: u16) -> u16 {
    let lines: usize = problems(state, theme, width).iter().map(Vec::len).sum();
    u16::try_from(lines.max(1) + 2).unwrap_or(u16::MAX)
}

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let problems = problems(state, theme, area.width);
    let title = match problems.len() {
        0 => "Needs attention".to_owned(),
        n => format!("Needs attention ({n})"),
    };
    let block = boxed(state, theme, &title);
    let heights: Vec<usize> = problems.iter().map(Vec::len).collect();
    let (_, selected) = state.rows();
    let shown = shown(&heights, selected, usize::from(area.height.saturating_sub(2)));
    let (above, below) = (shown.start, problems.len().saturating_sub(shown.end));
    let mut lines: Vec<Line<'_>> = problems
        .into_iter()
        .skip(shown.start)
        .take(shown.len())
        .flatten()
        .collect();
    match (above, below) {
        (0, 0) => {}
        (0, below) => lines.push(Line::styled(
            format!("and {below} more below"),
            theme.style(Role::Warn),
        )),
        (above, 0) => lines.push(Line::styled(
            format!("and {above} more above"),
            theme.style(Role::Warn),
        )),
        (above, below) => lines.push(Line::styled(
            format!("and {above} more above, {below} below"),
            theme.style(Role::Warn),
        )),
    }
    if lines.is_empty() {
        lines.push(nothing(state, theme));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The line for no problems. Green is only what is true now.
fn nothing(state: &ConsoleState, theme: Theme) -> Line<'static> {
    let is_current = state.link == LinkState::Live && state.silent_s().is_none();
    match (&state.data.overview, state.heard_at) {
        (Some(_), _) if is_current => Line::styled("Nothing needs attention.", theme.style(Role::Ok)),
        (Some(_), Some(at)) => Line::styled(
            format!(
                "Unknown: the gateway does not answer. At {}, nothing needed attention.",
                second(at, &state.zone)
            ),
            theme.style(Role::Warn),
        ),
        _ => Line::raw("Waiting for the gateway."),
    }
}

/// Each problem as lines for a pane of this width.
fn problems(state: &ConsoleState, theme: Theme, pane: u16) -> Vec<Vec<Line<'static>>> {
    let room = usize::from(pane).saturating_sub(2);
    let (rows, selected) = state.rows();
    let mut problems = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let ViewRow::Attention(one) = row else { continue };
        let name = VIEWS.get(one.view as usize).map_or("", |(_, name)| name);
        let way = format!("  [{}] {name}", one.view as usize + 1);
        let role = if n == selected {
            Role::Selection
        } else {
            Role::Warn
        };
        let texts = texts(&plain(&one.subject), &plain(&one.text), &way, room);
        let mut lines: Vec<Line<'_>> = texts
            .into_iter()
            .map(|text| Line::from(Span::styled(text, theme.style(role))))
            .collect();
        if let Some(last) = lines.last_mut() {
            last.push_span(Span::styled(way, theme.style(Role::Accent)));
        }
        problems.push(lines);
    }
    problems
}

/// The subject and the text in lines of `room` cells. The last one leaves room for `way`.
fn texts(subject: &str, text: &str, way: &str, room: usize) -> Vec<String> {
    let sign = Theme::sign(Role::Warn);
    let beside = width(&format!("{sign} : {text}{way}"));
    let subject = cut(subject, room.saturating_sub(beside).max(SUBJECT));
    let mut lines = wrap(&format!("{sign} {subject}: {text}"), room, 2);
    if lines.last().is_none_or(|last| width(last) + width(way) > room) {
        lines.push(String::new());
    }
    lines
}

/// The problems that fit into `rows`, among them the selected one. If not all fit, a row is left for their number.
fn shown(heights: &[usize], selected: usize, rows: usize) -> Range<usize> {
    if heights.iter().sum::<usize>() <= rows {
        return 0..heights.len();
    }
    let rows = rows.saturating_sub(1);
    let mut from = 0;
    loop {
        let mut used = 0;
        let fits = heights.iter().skip(from).take_while(|height| {
            used += **height;
            used <= rows
        });
        let to = from + fits.count();
        if to > selected || from >= selected {
            return from..to.max(from + 1);
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_cut_and_the_reason_is_not() {
        let subject = "averyveryverylongname.of.somebody@a-long-domain.example.org";
        let reason = "Garmin requires a new sign-in: send them to https://gateway.example.org/link";
        let lines = texts(subject, reason, "  [3] Accounts", 76);
        assert_eq!(
            lines,
            [
                "▲ averyveryverylongname.o~: Garmin requires a new sign-in: send them to",
                "  https://gateway.example.org/link"
            ]
        );
        let short = texts("garmin", "does not answer", "  [6] Log", 76);
        assert_eq!(short, ["▲ garmin: does not answer"]);
    }

    #[test]
    fn the_selected_problem_is_among_those_shown() {
        assert_eq!(shown(&[1, 1, 1], 0, 3), 0..3);
        assert_eq!(shown(&[1; 10], 0, 7), 0..6);
        assert_eq!(shown(&[1; 10], 9, 7), 4..10);
        assert_eq!(shown(&[2, 1, 3], 2, 4), 2..3);
        assert_eq!(shown(&[5], 0, 3), 0..1);
    }
}
