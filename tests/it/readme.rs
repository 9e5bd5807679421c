//! The README tells what the code says.

use garmin_gateway::config::{Change, SETTINGS};

#[test]
fn its_settings_are_those_of_the_code() {
    let row = |s: &garmin_gateway::config::Setting| {
        let live = if s.change == Change::Live { "live" } else { "" };
        let default = if s.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", s.default)
        };
        format!("| `{}` | {default} | {} | {live} |\n", s.name, s.about)
    };
    let table: String = SETTINGS.iter().map(row).collect();
    let expected = format!("| name | default | for | |\n|---|---|---|---|\n{table}");
    let readme = include_str!("../../README.md");
    let found = between(readme, "a test compares -->\n", "<!-- /settings -->");
    assert_eq!(found, expected, "put this table into README.md:\n{expected}");
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}
