//! Answers of the gateway as tables for people or JSON for programs.

mod views;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::operate::json;
use super::table::TextTable;
use crate::admin::api::{AdminAnswer, PurgeSummary, RevocationSummary};

use crate::admin::views::{EventView, ToolUsage};
use crate::base::clock::Clock;
use crate::console;
use crate::console::words::{self, bytes, many, plain, second};

/// Prints to standard output.
pub(super) struct Print {
    json: bool,
    /// Cells of a line, if it is for a terminal.
    room: Option<usize>,
    now: Timestamp,
    zone: TimeZone,
}

impl Print {
    pub(super) fn new(json: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        Self {
            json,
            room: is_terminal.then(console::terminal_width).flatten(),
            now: Clock::system().now(),
            zone: TimeZone::system(),
        }
    }

    /// Prints what was asked.
    pub(super) fn answer(&self, answer: &AdminAnswer) -> std::io::Result<()> {
        let text = if self.json {
            as_json(answer)
        } else {
            self.words(answer)
        };
        put(&text)
    }

    /// Prints an event: a line.
    pub(super) fn event(&self, event: &EventView) -> std::io::Result<()> {
        if self.json {
            return put(&json(event));
        }
        let line = format!(
            "{} {:5} {}",
            second(event.at, &self.zone),
            event.level,
            words::event_line(event)
        );
        put(&plain(&line))
    }

    /// Prints usage, by tool or summed by account.
    pub(super) fn usage(&self, mut rows: Vec<ToolUsage>, by_tool: bool) -> std::io::Result<()> {
        if !by_tool {
            rows = by_account(rows);
        }
        if self.json {
            return put(&json(&rows));
        }
        let mut table = if by_tool {
            TextTable::new(&["ACCOUNT", "TOOL", "CALLS", "ERRORS"])
        } else {
            TextTable::new(&["ACCOUNT", "CALLS", "ERRORS"])
        };
        for row in rows {
            if by_tool {
                table.row([row.label, row.tool, row.calls.to_string(), row.errors.to_string()]);
            } else {
                table.row([row.label, row.calls.to_string(), row.errors.to_string()]);
            }
        }
        put(&self.table(&table, "Nothing was used in the last 30 days."))
    }

    fn table(&self, table: &TextTable, otherwise: &str) -> String {
        if table.is_empty() {
            otherwise.to_owned()
        } else {
            table.lines(self.room).join("\n")
        }
    }

    fn words(&self, answer: &AdminAnswer) -> String {
        match answer {
            AdminAnswer::Overview(overview) => self.overview(overview),
            AdminAnswer::Workers(workers) => self.workers(workers),
            AdminAnswer::Lines(lines) => plain(&lines.join("\n")),
            AdminAnswer::Accounts(people) => self.people(people),
            AdminAnswer::Metrics(page) => page.trim_end().to_owned(),
            AdminAnswer::Usage(_)
            | AdminAnswer::Following
            | AdminAnswer::Probe { .. }
            | AdminAnswer::Streamed(_) => String::new(),
            AdminAnswer::Clients(clients) => self.clients(clients),
            AdminAnswer::Tokens(tokens) => self.tokens(tokens),
            AdminAnswer::Races(races) => self.races(races),
            AdminAnswer::Race(race) => self.race(race),
            AdminAnswer::Revoked(revoked) => fallen(revoked),
            AdminAnswer::Purged(purged) => erased(purged),
            AdminAnswer::Done(sentence) => plain(sentence),
        }
    }
}

/// What fell, in a sentence.
fn fallen(r: &RevocationSummary) -> String {
    if *r == RevocationSummary::default() {
        return "There was no access to end.".into();
    }
    let mut parts = vec![many(r.families, "sign-in"), many(r.tokens, "access token")];
    for (n, what) in [(r.workers, "worker"), (r.calls, "call"), (r.races, "race")] {
        if n > 0 {
            parts.push(many(n, what));
        }
    }
    let mut text = format!("Ended at once: {}.", parts.join(", "));
    if r.accounts > 0 {
        text.push_str(" The account and its Garmin tokens are erased.");
    }
    text
}

fn erased(p: &PurgeSummary) -> String {
    let (races, used) = (many(p.races, "race"), many(p.usage, "line"));
    let room = p.compacted.map_or_else(String::new, |(before, after)| {
        let (before, after) = (bytes(before), bytes(after));
        format!(" The store took {before} on the disk, and takes {after} now.")
    });
    format!("Erased: {races}, {used} of use.{room}")
}

fn by_account(rows: Vec<ToolUsage>) -> Vec<ToolUsage> {
    let mut sums: BTreeMap<String, ToolUsage> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.account.clone()).or_insert_with(|| ToolUsage {
            tool: "*".into(),
            calls: 0,
            errors: 0,
            ..row.clone()
        });
        sum.calls += row.calls;
        sum.errors += row.errors;
    }
    let mut sums: Vec<ToolUsage> = sums.into_values().collect();
    sums.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.label.cmp(&b.label)));
    sums
}

/// The value alone, without the name of its kind.
fn as_json(answer: &AdminAnswer) -> String {
    let value = serde_json::to_value(answer).unwrap_or_default();
    let inner = match &value {
        serde_json::Value::Object(members) => members.values().next(),
        _ => None,
    };
    match answer {
        AdminAnswer::Done(sentence) => json(&serde_json::json!({ "done": sentence })),
        _ => inner.unwrap_or(&value).to_string(),
    }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

fn put(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fell_is_a_sentence() {
        let two = RevocationSummary {
            families: 2,
            tokens: 1,
            workers: 1,
            ..RevocationSummary::default()
        };
        assert_eq!(
            fallen(&two),
            "Ended at once: 2 sign-ins, 1 access token, 1 worker."
        );
        assert_eq!(
            fallen(&RevocationSummary::default()),
            "There was no access to end."
        );
    }

    #[test]
    fn json_is_the_value_alone() {
        assert_eq!(as_json(&AdminAnswer::Workers(Vec::new())), "[]");
        assert_eq!(as_json(&AdminAnswer::Done("Yes.".into())), r#"{"done":"Yes."}"#);
        let none = as_json(&AdminAnswer::Revoked(RevocationSummary::default()));
        assert!(none.starts_with(r#"{"families":0"#), "{none}");
    }

    #[test]
    fn usage_is_summed_by_account() {
        let row = |account: &str, tool: &str, calls| ToolUsage {
            account: account.into(),
            label: account.into(),
            tool: tool.into(),
            calls,
            errors: 1,
        };
        let sums = by_account(vec![row("a", "x", 1), row("b", "x", 5), row("a", "y", 2)]);
        let sums: Vec<_> = sums
            .iter()
            .map(|s| (s.account.as_str(), s.calls, s.errors))
            .collect();
        assert_eq!(sums, [("b", 5, 1), ("a", 3, 2)]);
    }
}
