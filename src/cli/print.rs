//! Answers of the gateway as tables for people or JSON for programs.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::operate::json;
use super::table::Table;
use crate::admin::api::{
    Answer, Client, Event, Overview, People, Purged, Race, RaceDetail, Revoked, Tokens, Usage, Worker,
};
use crate::console;
use crate::console::words::{self, ago, bytes, cause, clock, many, minute, plain, second, span};
use crate::foundation::clock::Clock;

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
    pub(super) fn answer(&self, answer: &Answer) -> std::io::Result<()> {
        let text = if self.json {
            as_json(answer)
        } else {
            self.words(answer)
        };
        put(&text)
    }

    /// Prints an event: a line.
    pub(super) fn event(&self, event: &Event) -> std::io::Result<()> {
        if self.json {
            return put(&json(event));
        }
        let line = format!(
            "{} {:5} {}",
            second(event.at, &self.zone),
            event.level,
            words::event(event)
        );
        put(&plain(&line))
    }

    /// Prints usage, by tool or summed by account.
    pub(super) fn usage(&self, mut rows: Vec<Usage>, by_tool: bool) -> std::io::Result<()> {
        if !by_tool {
            rows = by_account(rows);
        }
        if self.json {
            return put(&json(&rows));
        }
        let mut table = if by_tool {
            Table::new(&["ACCOUNT", "TOOL", "CALLS", "ERRORS"])
        } else {
            Table::new(&["ACCOUNT", "CALLS", "ERRORS"])
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

    fn table(&self, table: &Table, otherwise: &str) -> String {
        if table.is_empty() {
            otherwise.to_owned()
        } else {
            table.lines(self.room).join("\n")
        }
    }

    fn words(&self, answer: &Answer) -> String {
        match answer {
            Answer::Overview(overview) => self.overview(overview),
            Answer::Workers(workers) => self.workers(workers),
            Answer::Lines(lines) => plain(&lines.join("\n")),
            Answer::Accounts(people) => self.people(people),
            Answer::Metrics(page) => page.trim_end().to_owned(),
            Answer::Usage(_) | Answer::Following | Answer::Probe { .. } | Answer::Streamed(_) => {
                String::new()
            }
            Answer::Clients(clients) => self.clients(clients),
            Answer::Tokens(tokens) => self.tokens(tokens),
            Answer::Races(races) => self.races(races),
            Answer::Race(race) => self.race(race),
            Answer::Revoked(revoked) => fallen(revoked),
            Answer::Purged(purged) => erased(purged),
            Answer::Done(sentence) => plain(sentence),
        }
    }

    fn overview(&self, o: &Overview) -> String {
        let simulated = if o.simulated { " (pretended Garmin)" } else { "" };
        let mut lines = vec![
            format!(
                "garmin-gateway {}, started {}",
                o.program,
                ago(o.started_at, self.now)
            ),
            format!("Connector URL  {}{simulated}", o.url),
            format!(
                "People         {} with access, of {}",
                o.people,
                many(o.accounts, "account")
            ),
            format!(
                "Access         {} by {}",
                many(o.tokens, "sign-in"),
                many(o.clients, "client")
            ),
            format!("Workers        {} of {}", o.workers, o.max_workers),
            format!("Races          {}", o.races),
            format!("Calls          {}, {}", o.calls, many(o.errors, "error")),
            format!("Memory         {}", bytes(o.memory_bytes)),
            format!("Store          {}", bytes(o.store_bytes)),
        ];
        if o.attention.is_empty() {
            lines.push("\nNothing needs you.".into());
        } else {
            lines.push("\nNeeds attention:".into());
            lines.extend(
                o.attention
                    .iter()
                    .map(|one| format!("  {}: {}", plain(&one.subject), plain(&one.text))),
            );
        }
        lines.join("\n")
    }

    fn workers(&self, workers: &[Worker]) -> String {
        let mut table = Table::new(&[
            "ACCOUNT", "KIND", "STATE", "PID", "PORT", "MEMORY", "CPU", "CALLS", "BUSY", "IDLE", "STARTS",
        ]);
        for w in workers {
            table.row([
                w.label.clone(),
                w.kind.clone(),
                w.state.clone(),
                or_dash(w.pid),
                or_dash(w.port),
                w.memory_bytes.map_or("-".into(), bytes),
                w.cpu_s.map_or("-".into(), |s| format!("{s:.1} s")),
                w.calls.to_string(),
                w.in_flight.to_string(),
                w.idle_s.map_or("-".into(), span),
                w.starts.to_string(),
            ]);
        }
        self.table(&table, "No worker runs. The next call starts one.")
    }

    fn people(&self, people: &People) -> String {
        let mut accounts = Table::new(&[
            "ACCOUNT",
            "ID",
            "GARMIN",
            "LAST SEEN",
            "CLIENTS",
            "SIGN-INS",
            "ACCESS",
            "CALLS",
        ]);
        for a in &people.accounts {
            accounts.row([
                a.email.clone(),
                a.id.clone(),
                a.garmin.clone(),
                a.last_seen.map_or("-".into(), |at| ago(at, self.now)),
                a.clients.to_string(),
                a.tokens.to_string(),
                if a.access.is_empty() {
                    "-".into()
                } else {
                    a.access.clone()
                },
                a.calls_30d.to_string(),
            ]);
        }
        let mut text = self.table(&accounts, "No account yet. `invite` lets somebody sign in.");
        if !people.invitations.is_empty() {
            let mut table = Table::new(&["INVITED", "WHEN"]);
            for i in &people.invitations {
                table.row([i.email.clone(), ago(i.invited_at, self.now)]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        if !people.knocks.is_empty() {
            let mut table = Table::new(&["KNOCKED", "LAST", "TIMES"]);
            for k in &people.knocks {
                table.row([k.email.clone(), ago(k.last, self.now), k.times.to_string()]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        text
    }

    fn clients(&self, clients: &[Client]) -> String {
        let mut table = Table::new(&["CLIENT", "SIGN-INS", "SINCE", "ID"]);
        for c in clients {
            table.row([
                c.name.clone(),
                c.tokens.to_string(),
                minute(c.first_used_at, &self.zone),
                c.id.clone(),
            ]);
        }
        self.table(&table, "No client has access.")
    }

    fn tokens(&self, tokens: &Tokens) -> String {
        let mut table = Table::new(&["ID", "ACCOUNT", "CLIENT", "ACCESS", "ISSUED", "LAST USED", "ENDS"]);
        for f in &tokens.families {
            table.row([
                f.id.clone(),
                f.label.clone(),
                f.client.clone(),
                f.access.clone(),
                minute(f.issued_at, &self.zone),
                f.last_used.map_or("-".into(), |at| ago(at, self.now)),
                f.expires_at.map_or("never".into(), |at| minute(at, &self.zone)),
            ]);
        }
        let mut text = self.table(&table, "Nobody has access.");
        if !tokens.revocations.is_empty() {
            let mut table = Table::new(&["REVOKED", "ID", "ACCOUNT", "CLIENT", "TOKENS", "BY"]);
            for r in &tokens.revocations {
                table.row([
                    minute(r.at, &self.zone),
                    r.family.clone(),
                    if r.label.is_empty() {
                        r.account.clone()
                    } else {
                        r.label.clone()
                    },
                    r.client.clone(),
                    r.tokens.to_string(),
                    cause(r),
                ]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        text
    }

    fn races(&self, races: &[Race]) -> String {
        let mut table = Table::new(&["ID", "RACE", "STATE", "LAST POINT", "DISTANCE", "LAST ALERT"]);
        for r in races {
            table.row([
                r.id.clone(),
                r.name.clone(),
                r.state.clone(),
                r.last_point_at.map_or("-".into(), |at| ago(at, self.now)),
                r.distance_m
                    .map_or("-".into(), |m| format!("{:.1} km", m / 1_000.0)),
                r.last_alert.clone().unwrap_or_else(|| "-".into()),
            ]);
        }
        self.table(&table, "No race is watched. `races start` watches one.")
    }

    fn race(&self, detail: &RaceDetail) -> String {
        let mut text = self.races(std::slice::from_ref(&detail.race));
        let mut more = |line: String| {
            text.push('\n');
            text.push_str(&plain(&line));
        };
        for (name, value) in &detail.limits {
            more(format!("limit  {name} {value}"));
        }
        for (label, seconds) in &detail.splits {
            more(format!("split  {label} {}", clock(*seconds)));
        }
        for (at, alert) in &detail.alerts {
            more(format!("alert  {} {alert}", second(*at, &self.zone)));
        }
        if let Some(words) = &detail.last_words {
            more(format!("Claude {words}"));
        }
        text
    }
}

/// What fell, in a sentence.
fn fallen(r: &Revoked) -> String {
    if *r == Revoked::default() {
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

fn erased(p: &Purged) -> String {
    let (races, used) = (many(p.races, "race"), many(p.usage, "line"));
    let room = p.compacted.map_or_else(String::new, |(before, after)| {
        let (before, after) = (bytes(before), bytes(after));
        format!(" The store took {before} on the disk, and takes {after} now.")
    });
    format!("Erased: {races}, {used} of use.{room}")
}

fn by_account(rows: Vec<Usage>) -> Vec<Usage> {
    let mut sums: BTreeMap<String, Usage> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.account.clone()).or_insert_with(|| Usage {
            tool: "*".into(),
            calls: 0,
            errors: 0,
            ..row.clone()
        });
        sum.calls += row.calls;
        sum.errors += row.errors;
    }
    let mut sums: Vec<Usage> = sums.into_values().collect();
    sums.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.label.cmp(&b.label)));
    sums
}

/// The value alone, without the name of its kind.
fn as_json(answer: &Answer) -> String {
    let value = serde_json::to_value(answer).unwrap_or_default();
    let inner = match &value {
        serde_json::Value::Object(members) => members.values().next(),
        _ => None,
    };
    match answer {
        Answer::Done(sentence) => json(&serde_json::json!({ "done": sentence })),
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
        let two = Revoked {
            families: 2,
            tokens: 1,
            workers: 1,
            ..Revoked::default()
        };
        assert_eq!(
            fallen(&two),
            "Ended at once: 2 sign-ins, 1 access token, 1 worker."
        );
        assert_eq!(fallen(&Revoked::default()), "There was no access to end.");
    }

    #[test]
    fn json_is_the_value_alone() {
        assert_eq!(as_json(&Answer::Workers(Vec::new())), "[]");
        assert_eq!(as_json(&Answer::Done("Yes.".into())), r#"{"done":"Yes."}"#);
        let none = as_json(&Answer::Revoked(Revoked::default()));
        assert!(none.starts_with(r#"{"families":0"#), "{none}");
    }

    #[test]
    fn usage_is_summed_by_account() {
        let row = |account: &str, tool: &str, calls| Usage {
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
