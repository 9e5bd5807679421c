//! Tables whose columns are as wide as their content. A cell that is cut ends in `~`.

use ratatui::layout::Constraint;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table};

use crate::console::theme::{Role, Theme};
use crate::console::words::{cut, width};

/// A flexible column is not narrowed below this while another one is wider.
const LEAST: usize = 6;

/// A table in `room` cells. `wanted` gives each column a usual width (`Length`) or makes it flexible (`Fill`): a
/// flexible column is narrowed first and takes the spare room.
pub(super) fn table(
    theme: Theme,
    header: &[&'static str],
    wanted: &[Constraint],
    rows: Vec<Vec<Line<'static>>>,
    room: u16,
) -> Table<'static> {
    let natural: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(n, title)| {
            let cells = rows.iter().filter_map(|row| row.get(n)).map(Line::width);
            cells.fold(width(title), usize::max)
        })
        .collect();
    let widths = widths(wanted, &natural, usize::from(room));
    let rows = rows.into_iter().map(|row| {
        let cells = row.into_iter().zip(&widths);
        Row::new(cells.map(|(cell, width)| Cell::from(fit(cell, *width))))
    });
    let constraints = widths
        .iter()
        .map(|width| Constraint::Length(u16::try_from(*width).unwrap_or(u16::MAX)));
    let titles = header
        .iter()
        .zip(&widths)
        .map(|(title, width)| cut(title, *width));
    let titles = Row::new(titles).style(theme.style(Role::Accent));
    Table::new(rows, constraints).header(titles)
}

fn widths(wanted: &[Constraint], natural: &[usize], room: usize) -> Vec<usize> {
    let room = room.saturating_sub(wanted.len().saturating_sub(1));
    let weights: Vec<usize> = wanted
        .iter()
        .map(|one| match one {
            Constraint::Fill(weight) => usize::from(*weight),
            _ => 0,
        })
        .collect();
    let usual = |(natural, wanted): (&usize, &Constraint)| match wanted {
        Constraint::Length(usual) => usize::from(*usual).max(*natural),
        _ => *natural,
    };
    let mut widths: Vec<usize> = natural.iter().zip(wanted).map(usual).collect();
    if widths.iter().sum::<usize>() > room {
        widths = natural.to_vec();
    }
    while widths.iter().sum::<usize>() > room {
        let flexible = widths.iter_mut().zip(&weights);
        let flexible = flexible.filter(|(width, weight)| **weight > 0 && **width > LEAST);
        let widest = match flexible.map(|(width, _)| width).max_by_key(|width| **width) {
            Some(width) => Some(width),
            None => widths.iter_mut().max_by_key(|width| **width),
        };
        match widest.filter(|width| **width > 0) {
            Some(width) => *width -= 1,
            None => break,
        }
    }
    let mut spare = room.saturating_sub(widths.iter().sum());
    let mut parts: usize = weights.iter().sum();
    for (width, weight) in widths.iter_mut().zip(&weights).filter(|(_, weight)| **weight > 0) {
        let part = spare * weight / parts;
        *width += part;
        spare -= part;
        parts -= weight;
    }
    widths
}

/// The line in at most `room` cells, with `~` where it is cut.
fn fit(line: Line<'static>, room: usize) -> Line<'static> {
    if line.width() <= room {
        return line;
    }
    let mut left = room;
    let mut spans = Vec::new();
    for span in line.spans {
        let takes = span.width();
        if takes < left {
            left -= takes;
            spans.push(span);
        } else {
            // The mark replaces a letter also if this span alone would just fit.
            spans.push(Span::styled(cut(&format!("{}~", span.content), left), span.style));
            break;
        }
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_their_content() {
        use Constraint::{Fill, Length};
        let wanted = [Fill(3), Fill(2), Length(9)];
        // All fits: the flexible columns share the spare room.
        assert_eq!(widths(&wanted, &[10, 5, 9], 36), [16, 9, 9]);
        // A usual width gives way first, then the widest flexible column.
        assert_eq!(widths(&wanted, &[10, 5, 4], 21), [10, 5, 4]);
        assert_eq!(widths(&wanted, &[20, 12, 4], 26), [10, 10, 4]);
        // In a tiny room every column is narrowed.
        assert_eq!(widths(&wanted, &[20, 12, 9], 14).iter().sum::<usize>(), 12);
    }

    #[test]
    fn what_is_cut_has_a_mark() {
        let line = || Line::from(vec![Span::raw("12:00 early"), Span::raw(", Ouchy")]);
        for (room, text) in [
            (18, "12:00 early, Ouchy"),
            (17, "12:00 early, Ouc~"),
            (11, "12:00 earl~"),
            (1, "~"),
        ] {
            assert_eq!(fit(line(), room).to_string(), text);
        }
    }
}
