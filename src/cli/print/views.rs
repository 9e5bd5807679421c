//! Prints each view as a table or a few lines.

use super::super::table::TextTable;
use super::{Print, or_dash};
use crate::admin::views::{
    ClientView, OfferedToolView, Overview, People, RaceDetail, RaceView, ShareView, TokensView, WorkerView,
};
use crate::console::words::{ago, bytes, cause, clock, minute, overview_figures, plain, second, span};

impl Print {
    pub(super) fn overview(&self, o: &Overview) -> String {
        let figures = overview_figures(o, self.now).into_iter();
        let mut lines: Vec<String> = figures
            .map(|(label, figure)| format!("{label:10} {}", plain(&figure)))
            .collect();
        if o.attention.is_empty() {
            lines.push("\nNothing needs attention.".into());
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

    pub(super) fn workers(&self, workers: &[WorkerView]) -> String {
        let mut table = TextTable::new(
            &[
                "ACCOUNT", "KIND", "STATE", "PID", "PORT", "MEMORY", "CPU", "CALLS", "BUSY", "IDLE", "STARTS",
            ],
            &["STARTS", "CPU", "PORT", "PID", "BUSY", "KIND", "IDLE"],
        );
        for w in workers {
            table.row([
                w.label.clone(),
                worker_kind(&w.kind).to_owned(),
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
        self.table(&table, "No worker is running. The next call starts one.")
    }

    pub(super) fn people(&self, people: &People) -> String {
        let mut accounts = TextTable::new(
            &[
                "ACCOUNT",
                "ID",
                "GARMIN",
                "LAST SEEN",
                "CLIENTS",
                "SIGN-INS",
                "ACCESS",
                "CALLS",
            ],
            &["CLIENTS", "CALLS", "ACCESS", "ID", "SIGN-INS"],
        );
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
        let mut text = self.table(&accounts, "No account yet. `invite EMAIL` invites someone.");
        if people.accounts.iter().any(|account| account.history.is_some()) {
            text = format!("{text}\n\n{}", self.histories(people));
        }
        if !people.invitations.is_empty() {
            let mut table = TextTable::new(&["INVITED", "WHEN"], &[]);
            for i in &people.invitations {
                table.row([i.email.clone(), ago(i.invited_at, self.now)]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        if !people.access_requests.is_empty() {
            let mut table = TextTable::new(&["ASKED", "LAST", "TIMES"], &[]);
            for k in &people.access_requests {
                table.row([k.email.clone(), ago(k.last, self.now), k.times.to_string()]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        text
    }

    /// The sizes of the histories, without any of the stored data.
    fn histories(&self, people: &People) -> String {
        let mut table = TextTable::new(
            &["HISTORY OF", "SINCE", "DAYS", "SIZE", "FILLED", "TROUBLE"],
            &["SINCE"],
        );
        for account in &people.accounts {
            let Some(history) = &account.history else { continue };
            table.row([
                account.email.clone(),
                ago(history.since, self.now),
                history.days.to_string(),
                bytes(history.bytes),
                history.filled_at.map_or("-".into(), |at| ago(at, self.now)),
                history.trouble.clone().unwrap_or_else(|| "-".into()),
            ]);
        }
        self.table(&table, "")
    }

    pub(super) fn clients(&self, clients: &[ClientView]) -> String {
        let mut table = TextTable::new(&["ID", "CLIENT", "SIGN-INS", "SINCE"], &["SINCE"]);
        for c in clients {
            table.row([
                short_id(&c.id, &clients.iter().map(|other| other.id.as_str())),
                c.name.clone(),
                c.tokens.to_string(),
                minute(c.first_used_at, &self.zone),
            ]);
        }
        self.table(&table, "No client has access.")
    }

    pub(super) fn tools(&self, tools: &[OfferedToolView]) -> String {
        let mut table = TextTable::new(&["TOOL", "TITLE", "LIST", "DOES"], &["DOES"]);
        for tool in tools {
            table.row([
                tool.name.clone(),
                tool.title.clone(),
                if tool.core { "core" } else { "-" }.to_owned(),
                if tool.read_only { "read" } else { "change" }.to_owned(),
            ]);
        }
        self.table(&table, "There are no tools.")
    }

    pub(super) fn tokens(&self, tokens: &TokensView) -> String {
        let mut table = TextTable::new(
            &["ACCOUNT", "CLIENT", "ACCESS", "ISSUED", "LAST USED", "ENDS", "ID"],
            &["ISSUED", "ENDS", "ACCESS"],
        );
        for f in &tokens.families {
            table.row([
                f.label.clone(),
                f.client.clone(),
                f.access.clone(),
                minute(f.issued_at, &self.zone),
                f.last_used.map_or("-".into(), |at| ago(at, self.now)),
                f.expires_at.map_or("never".into(), |at| minute(at, &self.zone)),
                f.id.clone(),
            ]);
        }
        let mut text = self.table(&table, "Nobody has access.");
        if !tokens.revocations.is_empty() {
            let mut table = TextTable::new(
                &["ACCOUNT", "REVOKED", "CLIENT", "TOKENS", "BY", "ID"],
                &["TOKENS", "ID"],
            );
            for r in &tokens.revocations {
                table.row([
                    if r.label.is_empty() {
                        r.account.clone()
                    } else {
                        r.label.clone()
                    },
                    minute(r.at, &self.zone),
                    r.client.clone(),
                    r.tokens.to_string(),
                    cause(r),
                    r.family.clone(),
                ]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        text
    }

    pub(super) fn races(&self, races: &[RaceView]) -> String {
        let mut table = TextTable::new(
            &[
                "ID",
                "ATHLETE",
                "RACE",
                "STATE",
                "LAST POINT",
                "DISTANCE",
                "LAST ALERT",
            ],
            &["LAST ALERT", "DISTANCE"],
        );
        for r in races {
            table.row([
                r.id.clone(),
                r.athlete.clone().unwrap_or_else(|| r.account.clone()),
                r.name.clone(),
                r.state.clone(),
                r.last_point_at.map_or("-".into(), |at| ago(at, self.races_now)),
                r.distance_m
                    .map_or("-".into(), |m| format!("{:.1} km", m / 1_000.0)),
                r.last_alert.clone().unwrap_or_else(|| "-".into()),
            ]);
        }
        self.table(&table, "No race yet. `races start ACCOUNT LINK` watches one.")
    }

    pub(super) fn shares(&self, shares: &[ShareView]) -> String {
        let mut table = TextTable::new(
            &["ID", "FOR", "NAME", "WITH", "HIDDEN", "ENDS", "MADE", "BY"],
            &["HIDDEN", "BY"],
        );
        for share in shares {
            let hidden = (share.role == "family").then(|| format!("{} m", share.privacy_m));
            let with = share.others();
            let ends = share.ends_at.map_or_else(
                || format!("{} h after the race", share.hours_after),
                |at| second(at, &self.zone),
            );
            table.row([
                share.id.clone(),
                share.role.clone(),
                share.name.clone().unwrap_or_else(|| "-".into()),
                if with.is_empty() { "-".into() } else { with },
                hidden.unwrap_or_else(|| "-".into()),
                ends,
                ago(share.created_at, self.races_now),
                if share.by_operator { "operator" } else { "person" }.to_owned(),
            ]);
        }
        self.table(&table, "The race has no link. `races share RACE` makes one.")
    }

    pub(super) fn race(&self, detail: &RaceDetail) -> String {
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
        for recipient in &detail.recipients {
            more(format!("reader {recipient}"));
        }
        if let Some(words) = &detail.last_words {
            more(format!("Claude {words}"));
        }
        text
    }
}

/// The kind of a worker, in the words of the commands. Views and events spell it `builtin`.
fn worker_kind(kind: &str) -> &str {
    if kind == "builtin" { "built-in" } else { kind }
}

/// The shortest unique prefix of an id, with at least 12 letters. `revoke --client` accepts it.
fn short_id<'a>(id: &str, all: &(impl Iterator<Item = &'a str> + Clone)) -> String {
    let ends = id.char_indices().map(|(at, _)| at).skip(12);
    let unique = |end: &usize| {
        id.get(..*end)
            .is_some_and(|beginning| all.clone().filter(|other| other.starts_with(beginning)).count() == 1)
    };
    let end = ends.into_iter().find(unique).unwrap_or(id.len());
    id.get(..end).unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_client_id_is_unique() {
        let ids = [
            "cli_aaaaaaaaaaaab",
            "cli_aaaaaaaaaaaac",
            "https://claude.ai/oauth/client",
        ];
        let short = |id| short_id(id, &ids.into_iter());
        assert_eq!(short(ids[0]), ids[0]);
        assert_eq!(short(ids[2]), "https://clau");
        assert_eq!(short_id("cli_1", &["cli_1"].into_iter()), "cli_1");
    }
}
