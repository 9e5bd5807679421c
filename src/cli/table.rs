//! Tables whose columns fit the terminal.

use crate::console::words::{cut, plain, width};

/// Cells between two columns.
const BETWEEN: usize = 2;

/// No column gets narrower than this, unless its cells are.
const NARROWEST: usize = 6;

/// A header, and rows with as many cells.
pub(super) struct TextTable {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    pub(super) fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row without its control characters.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| plain(&cell)).to_vec());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, in at most `room` cells if given. The widest columns shrink first.
    pub(super) fn lines(&self, room: Option<usize>) -> Vec<String> {
        let header: Vec<String> = self.header.iter().map(|name| (*name).to_owned()).collect();
        let mut widths: Vec<usize> = header.iter().map(|name| width(name)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        let gaps = BETWEEN * widths.len().saturating_sub(1);
        while room.is_some_and(|room| widths.iter().sum::<usize>() + gaps > room) {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        std::iter::once(&header)
            .chain(&self.rows)
            .map(|row| line(row, &widths))
            .collect()
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, room) in row.iter().zip(widths) {
        let cell = cut(cell, *room);
        let pad = room - width(&cell) + BETWEEN;
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', pad));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_column_shrinks_first() {
        let mut table = TextTable::new(&["WHO", "WHAT"]);
        table.row(["ann".into(), "a long tale of many words".into()]);
        table.row(["ben\x1b".into(), "x".into()]);
        assert_eq!(
            table.lines(None),
            ["WHO   WHAT", "ann   a long tale of many words", "ben?  x"]
        );
        assert_eq!(
            table.lines(Some(16)),
            ["WHO   WHAT", "ann   a long ta~", "ben?  x"]
        );
        // Too narrow for any table: the narrowest is printed.
        assert_eq!(table.lines(Some(3)), ["WHO   WHAT", "ann   a lon~", "ben?  x"]);
    }
}
