//! Prints the gateway's answers: tables for people, JSON for programs.

mod views;

use std::collections::BTreeMap;
use std::io::IsTerminal;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::output::{Paint, has_color, paint, put};
use super::table::TextTable;
use crate::admin::api::{AdminAnswer, PurgeSummary, RevocationSummary};

use crate::admin::views::People;
use crate::admin::views::{EventView, ToolUsage};
use crate::base::clock::Clock;
use crate::console;
use crate::console::words::{self, ago, bytes, many, plain, second};

pub(super) struct Print {
    json: bool,
    /// Width of the terminal in cells, if the output is a terminal.
    room: Option<usize>,
    color: bool,
    now: Timestamp,
    /// The present by which races are watched.
    races_now: Timestamp,
    zone: TimeZone,
}

impl Print {
    pub(super) fn new(json: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let now = Clock::system().now();
        Self {
            json,
            room: is_terminal.then(console::terminal_width).flatten(),
            color: has_color(),
            now,
            races_now: now,
            zone: TimeZone::system(),
        }
    }

    /// Tells the ages of races by their own clock.
    pub(super) fn with_races_now(mut self, races_now: Timestamp) -> Self {
        self.races_now = races_now;
        self
    }

    pub(super) fn answer(&self, answer: &AdminAnswer) -> std::io::Result<()> {
        let text = if self.json {
            as_json(answer)
        } else {
            self.words(answer)
        };
        put_line(&text)
    }

    /// Prints an event as one line.
    pub(super) fn event(&self, event: &EventView) -> std::io::Result<()> {
        if self.json {
            return put_line(&json(event));
        }
        let line = format!(
            "{} {:5} {}",
            second(event.at, &self.zone),
            event.level,
            words::event_line(event)
        );
        let line = plain(&line);
        let style = match event.level.as_str() {
            "error" => Paint::Bad,
            "warn" => Paint::Warn,
            _ => return put_line(&line),
        };
        put_line(&if self.color { paint(style, &line) } else { line })
    }

    /// Prints usage, by tool or summed by account.
    pub(super) fn usage(&self, mut rows: Vec<ToolUsage>, by_tool: bool) -> std::io::Result<()> {
        if !by_tool {
            rows = by_account(rows);
        }
        if self.json {
            return put_line(&json(&rows));
        }
        let mut table = if by_tool {
            TextTable::new(&["ACCOUNT", "TOOL", "CALLS", "ERRORS"], &["ERRORS"])
        } else {
            TextTable::new(&["ACCOUNT", "CALLS", "ERRORS"], &[])
        };
        for row in rows {
            if by_tool {
                table.row([row.label, row.tool, row.calls.to_string(), row.errors.to_string()]);
            } else {
                table.row([row.label, row.calls.to_string(), row.errors.to_string()]);
            }
        }
        put_line(&self.table(&table, "No tool was called in the last 30 days."))
    }

    /// Prints a message to forward to the invited person.
    pub(super) fn invitation(&self, email: &str, url: &str, done: &str) -> std::io::Result<()> {
        let message = invitation_message(email, url);
        if self.json {
            return put_line(&json(&serde_json::json!({ "done": done, "message": message })));
        }
        put_line(&format!("{} Send them this:\n\n{message}", plain(done)))
    }

    pub(super) fn invitations(&self, people: &People) -> std::io::Result<()> {
        if self.json {
            return put_line(&json(people));
        }
        let mut table = TextTable::new(&["INVITED", "HOW"], &[]);
        if people.open_sign_up {
            table.row(["everyone".into(), "OPEN_SIGN_UP in the settings".into()]);
        }
        for invited in &people.invited_by_settings {
            table.row([invited.clone(), "INVITED in the settings".into()]);
        }
        for invitation in &people.invitations {
            table.row([invitation.email.clone(), ago(invitation.invited_at, self.now)]);
        }
        put_line(&self.table(&table, "Nobody is invited. `invite EMAIL` invites someone."))
    }

    fn table(&self, table: &TextTable, otherwise: &str) -> String {
        if table.is_empty() {
            otherwise.to_owned()
        } else {
            table.lines(self.room, self.color).join("\n")
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
            AdminAnswer::Tools(tools) => self.tools(tools),
            AdminAnswer::Races(races) => self.races(races),
            AdminAnswer::Race(race) => self.race(race),
            AdminAnswer::Shares(shares) => self.shares(shares),
            AdminAnswer::Shared { id, url } => format!(
                "{url}\n\nAnyone with this link can see the page. The link is shown only once; its id is {id}."
            ),
            AdminAnswer::Revoked(revoked) => revoked_sentence(revoked),
            AdminAnswer::Purged(purged) => purged_sentence(purged),
            AdminAnswer::Done(sentence) => plain(sentence),
        }
    }
}

fn revoked_sentence(r: &RevocationSummary) -> String {
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

fn purged_sentence(p: &PurgeSummary) -> String {
    let (races, used) = (many(p.races, "race"), many(p.usage, "usage count"));
    let room = p.compacted.map_or_else(String::new, |(before, after)| {
        let (before, after) = (bytes(before), bytes(after));
        format!(" The store on disk shrank from {before} to {after}.")
    });
    let kept = if p.histories > 0 {
        ", the kept days (no longer kept)"
    } else {
        ""
    };
    let grants = match p.grants {
        0 => String::new(),
        n => format!(", {} to others", many(n, "grant")),
    };
    format!("Erased: {races}, {used}{kept}{grants}.{room}")
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

/// The message with everything that the invited person needs to know. `url` is the connector URL.
fn invitation_message(email: &str, url: &str) -> String {
    let site = url.trim_end_matches("/mcp");
    format!(
        "You are invited to connect your Garmin account to Claude through {site}\n\
         \n\
         1. In Claude, open Settings, Connectors, Add custom connector.\n\
         2. Enter this URL and press Connect: {url}\n\
         3. On the page that opens, sign in with your Garmin account {email}.\n\
         \n\
         What it means: Claude can read your Garmin data, and change it only if you allow that on the page.\n\
         Your password goes to Garmin and is not stored. Disconnecting in Claude ends the access."
    )
}

/// The answer as JSON, without the name of its variant.
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

/// One JSON value on a line.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn put_line(text: &str) -> std::io::Result<()> {
    put(format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::views::RaceView;

    /// The demo's races run on a clock of their own.
    #[test]
    fn races_are_as_old_as_their_own_clock_says() {
        let race: RaceView = serde_json::from_value(serde_json::json!({
            "id": "race_a", "account": "acc_a", "name": "Ann", "state": "running", "points": 1,
            "started_at": null, "distance_m": null, "last_alert": null,
            "last_point_at": "2026-11-20T12:00:00Z", "athlete": "Ann Example",
        }))
        .unwrap();
        let print = Print::new(false).with_races_now("2026-11-20T12:00:30Z".parse().unwrap());
        let told = print.words(&AdminAnswer::Races(vec![race]));
        assert!(told.contains("30 s ago"), "{told}");
        assert!(told.contains("ATHLETE") && told.contains("Ann Example"), "{told}");
    }

    #[test]
    fn a_revocation_is_a_sentence() {
        let two = RevocationSummary {
            families: 2,
            tokens: 1,
            workers: 1,
            ..RevocationSummary::default()
        };
        assert_eq!(
            revoked_sentence(&two),
            "Ended at once: 2 sign-ins, 1 access token, 1 worker."
        );
        assert_eq!(
            revoked_sentence(&RevocationSummary::default()),
            "There was no access to end."
        );
    }

    #[test]
    fn an_invitation_tells_page_url_and_address() {
        let message = invitation_message("ann@example.org", "https://gateway.example.org/mcp");
        for part in [
            "https://gateway.example.org\n",
            "Connect: https://gateway.example.org/mcp\n",
            "Garmin account ann@example.org.",
            "What it means",
        ] {
            assert!(message.contains(part), "{part} is missing:\n{message}");
        }
    }

    #[test]
    fn json_is_the_value_without_its_variant() {
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
