//! Markdown from cells.

use crate::race::text::plain_text;

/// A table, with an empty line before it; empty without rows.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let head_lines = [line(head.to_vec()), line(vec!["---"; head.len()])];
    let rows = rows
        .iter()
        .map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once("\n".to_owned())
        .chain(head_lines)
        .chain(rows)
        .collect()
}

/// Untrusted text as a cell of a table.
pub(super) fn cell(text: &str) -> String {
    plain_text(text).replace('|', "/")
}
