//! Tables whose columns fit the terminal.
//!
//! In a narrow terminal the least important columns are omitted first; then the widest columns shrink. The first
//! column, which identifies the row, shrinks last: a truncated e-mail address cannot be copied.

use super::output::{Paint, paint};
use crate::console::words::{cut, plain, width};

/// The number of blank cells between two columns.
const BETWEEN: usize = 2;

/// The minimum width of a shrunk column in cells.
const NARROWEST: usize = 6;

/// A table: a header, and rows with the same number of cells.
pub(super) struct TextTable {
    header: Vec<&'static str>,
    /// Columns to omit if there is no room, the least important first.
    optional: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl TextTable {
    pub(super) fn new(header: &[&'static str], optional: &'static [&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            optional,
            rows: Vec::new(),
        }
    }

    /// Adds a row, with control characters removed.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| plain(&cell)).to_vec());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table, at most `room` cells wide if given.
    pub(super) fn lines(&self, room: Option<usize>, color: bool) -> Vec<String> {
        let mut columns: Vec<(usize, usize)> = self
            .header
            .iter()
            .enumerate()
            .map(|(n, name)| (n, width(name)))
            .collect();
        for row in &self.rows {
            for (cell, (_, widest)) in row.iter().zip(&mut columns) {
                *widest = (*widest).max(width(cell));
            }
        }
        let taken = |columns: &[(usize, usize)]| {
            columns
                .iter()
                .map(|(_, width)| width + BETWEEN)
                .sum::<usize>()
                .saturating_sub(BETWEEN)
        };
        let room = room.unwrap_or(usize::MAX);
        let mut optional = self.optional.iter();
        while taken(&columns) > room
            && let Some(name) = optional.next()
        {
            columns.retain(|(n, _)| self.header.get(*n) != Some(name));
        }
        while taken(&columns) > room {
            let Some((first, rest)) = columns.split_first_mut() else {
                break;
            };
            let widest = rest.iter_mut().map(|(_, width)| width).max();
            match widest {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ if first.1 > NARROWEST => first.1 -= 1,
                _ => break,
            }
        }
        let mut lines = vec![line(&self.header, &columns, |_| color.then_some(Paint::Bold))];
        lines.extend(self.rows.iter().map(|row| {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            line(&cells, &columns, |cell| {
                color.then(|| Paint::of_state(cell)).flatten()
            })
        }));
        lines
    }
}

fn line(row: &[&str], columns: &[(usize, usize)], color: impl Fn(&str) -> Option<Paint>) -> String {
    let mut text = String::new();
    let mut pad = 0;
    for (n, room) in columns {
        let whole = row.get(*n).copied().unwrap_or_default();
        let cell = cut(whole, *room);
        text.extend(std::iter::repeat_n(' ', pad));
        pad = room - width(&cell) + BETWEEN;
        match color(whole) {
            Some(color) if !cell.is_empty() => text.push_str(&paint(color, &cell)),
            _ => text.push_str(&cell),
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_column_shrinks_first_and_the_first_one_last() {
        let mut table = TextTable::new(&["WHO", "WHAT"], &[]);
        table.row(["ann".into(), "a long tale of many words".into()]);
        table.row(["ben\x1b".into(), "x".into()]);
        assert_eq!(
            table.lines(None, false),
            ["WHO   WHAT", "ann   a long tale of many words", "ben?  x"]
        );
        assert_eq!(
            table.lines(Some(16), false),
            ["WHO   WHAT", "ann   a long ta~", "ben?  x"]
        );
        // If the room is too narrow for any table, the narrowest table is printed.
        assert_eq!(
            table.lines(Some(3), false),
            ["WHO   WHAT", "ann   a lon~", "ben?  x"]
        );
    }

    #[test]
    fn optional_columns_disappear_before_an_address_is_cut() {
        let mut table = TextTable::new(&["ACCOUNT", "PORT", "STATE", "PID"], &["PID", "PORT"]);
        table.row([
            "anna.long@example.org".into(),
            "18001".into(),
            "ready".into(),
            "4711".into(),
        ]);
        let header = |room| {
            table.lines(Some(room), false)[0]
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(header(80), ["ACCOUNT", "PORT", "STATE", "PID"]);
        assert_eq!(header(36), ["ACCOUNT", "PORT", "STATE"]);
        assert_eq!(header(30), ["ACCOUNT", "STATE"]);
        assert!(table.lines(Some(28), false)[1].starts_with("anna.long@example.org"));
    }

    #[test]
    fn colour_changes_no_letter() {
        let mut table = TextTable::new(&["WHO", "STATE"], &[]);
        table.row(["ann".into(), "failed".into()]);
        let colored = table.lines(None, true);
        assert_eq!(colored[1], "ann  \x1b[31mfailed\x1b[0m");
        assert!(colored[0].contains("\x1b[1mWHO\x1b[0m"));
    }
}
