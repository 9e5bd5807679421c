//! Lines drawn with braille dots, eight to a cell, or with one sign a cell where braille can't be shown.

/// A picture of dots: two a cell across, four down.
pub(super) struct Dots {
    columns: usize,
    rows: usize,
    /// The dots of each cell, as braille numbers them.
    cells: Vec<u8>,
}

/// The bit of a dot, by its place down and across the cell.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Dots {
    /// An empty picture of so many cells.
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        Self {
            columns,
            rows,
            cells: vec![0; columns * rows],
        }
    }

    /// Dots across.
    pub(super) fn width(&self) -> f64 {
        self.columns as f64 * 2.0
    }

    /// Dots down.
    pub(super) fn height(&self) -> f64 {
        self.rows as f64 * 4.0
    }

    /// Sets the dot at `x` from the left and `y` from the top; outside it does nothing.
    pub(super) fn dot(&mut self, x: f64, y: f64) {
        let (Some(x), Some(y)) = (place(x), place(y)) else {
            return;
        };
        let (column, row) = (x / 2, y / 4);
        if column >= self.columns {
            return;
        }
        let bit = BITS.get(y % 4).and_then(|bits| bits.get(x % 2)).copied();
        if let (Some(cell), Some(bit)) = (self.cells.get_mut(row * self.columns + column), bit) {
            *cell |= bit;
        }
    }

    /// Sets the dots between two places.
    pub(super) fn line(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().min(4_096.0);
        if !steps.is_finite() {
            return;
        }
        if steps < 1.0 {
            self.dot(x0, y0);
            return;
        }
        let mut step = 0.0;
        while step <= steps {
            let part = step / steps;
            self.dot(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
            step += 1.0;
        }
    }

    /// The cells that have dots: column, row, sign.
    pub(super) fn cells(&self, ascii: bool) -> impl Iterator<Item = (u16, u16, char)> + '_ {
        self.cells.iter().enumerate().filter_map(move |(n, dots)| {
            if *dots == 0 {
                return None;
            }
            let sign = if ascii {
                // Where in the cell the dots are: above, below, or both.
                match (dots & 0x1b != 0, dots & 0xe4 != 0) {
                    (true, false) => '\'',
                    (false, true) => '.',
                    _ => ':',
                }
            } else {
                char::from_u32(0x2800 + u32::from(*dots)).unwrap_or('?')
            };
            let column = u16::try_from(n % self.columns).ok()?;
            let row = u16::try_from(n / self.columns).ok()?;
            Some((column, row, sign))
        })
    }
}

/// The whole dot at a place.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was looked at"
)]
fn place(at: f64) -> Option<usize> {
    (0.0..65_536.0).contains(&at).then_some(at as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(dots: &Dots, ascii: bool) -> String {
        dots.cells(ascii).map(|(_, _, sign)| sign).collect()
    }

    #[test]
    fn a_line_fills_the_dots_between() {
        let mut dots = Dots::new(3, 1);
        dots.line((0.0, 0.0), (5.0, 0.0));
        assert_eq!(text(&dots, false), "⠉⠉⠉");
        dots.line((0.0, 3.0), (5.0, 3.0));
        assert_eq!(text(&dots, false), "⣉⣉⣉");
        assert_eq!(text(&dots, true), ":::");
    }

    #[test]
    fn outside_is_left_out() {
        let mut dots = Dots::new(1, 1);
        for at in [
            (-1.0, 0.0),
            (2.0, 0.0),
            (0.0, 4.0),
            (f64::NAN, 0.0),
            (f64::INFINITY, 1.0),
        ] {
            dots.dot(at.0, at.1);
            dots.line(at, at);
        }
        assert_eq!(text(&dots, false), "");
    }
}
