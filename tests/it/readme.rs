//! Tests that the README agrees with the code.

use garmin_gateway::config::settings::{Change, SETTINGS, Setting, SettingKind};

#[test]
fn its_settings_are_those_of_the_code() {
    let row = |setting: &&Setting| {
        let range = match setting.kind {
            SettingKind::Number(min, max) => format!("{min}–{max}"),
            _ => String::new(),
        };
        let default = match setting.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let live = if setting.change == Change::Live {
            "live"
        } else {
            ""
        };
        format!(
            "| `{}` | {default} | {range} | {} | {live} |\n",
            setting.name, setting.help
        )
    };
    let table: String = SETTINGS.iter().map(row).collect();
    let expected = format!("| name | default | range | what it is for | |\n|---|---|---|---|---|\n{table}");
    let readme = include_str!("../../README.md");
    let found = between(readme, "a test compares -->\n", "<!-- /settings -->");
    assert_eq!(found, expected, "put this table into README.md:\n{expected}");
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}
