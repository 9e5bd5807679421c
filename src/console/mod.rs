//! The terminal: what the daemon tells, drawn, and keys turned into acts.

pub mod words;

/// Cells of a line of this terminal.
pub fn terminal_width() -> Option<usize> {
    crossterm::terminal::size()
        .ok()
        .map(|(width, _)| usize::from(width))
}
