//! Each view in words: a table or a few lines.

use super::super::table::TextTable;
use super::{Print, or_dash};
use crate::admin::views::{ClientView, Overview, People, RaceDetail, RaceView, TokensView, WorkerView};
use crate::console::words::{ago, bytes, cause, clock, many, minute, plain, second, span};

impl Print {
    pub(super) fn overview(&self, o: &Overview) -> String {
        let simulated = if o.simulated { " (simulated Garmin)" } else { "" };
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
        let mut table = TextTable::new(&[
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
        self.table(&table, "No worker is running. The next call starts one.")
    }

    pub(super) fn people(&self, people: &People) -> String {
        let mut accounts = TextTable::new(&[
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
        let mut text = self.table(&accounts, "No account yet. `invite EMAIL` invites someone.");
        if !people.invitations.is_empty() {
            let mut table = TextTable::new(&["INVITED", "WHEN"]);
            for i in &people.invitations {
                table.row([i.email.clone(), ago(i.invited_at, self.now)]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        if !people.access_requests.is_empty() {
            let mut table = TextTable::new(&["ASKED", "LAST", "TIMES"]);
            for k in &people.access_requests {
                table.row([k.email.clone(), ago(k.last, self.now), k.times.to_string()]);
            }
            text = format!("{text}\n\n{}", self.table(&table, ""));
        }
        text
    }

    pub(super) fn clients(&self, clients: &[ClientView]) -> String {
        let mut table = TextTable::new(&["CLIENT", "SIGN-INS", "SINCE", "ID"]);
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

    pub(super) fn tokens(&self, tokens: &TokensView) -> String {
        let mut table = TextTable::new(&["ID", "ACCOUNT", "CLIENT", "ACCESS", "ISSUED", "LAST USED", "ENDS"]);
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
            let mut table = TextTable::new(&["REVOKED", "ID", "ACCOUNT", "CLIENT", "TOKENS", "BY"]);
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

    pub(super) fn races(&self, races: &[RaceView]) -> String {
        let mut table = TextTable::new(&["ID", "RACE", "STATE", "LAST POINT", "DISTANCE", "LAST ALERT"]);
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
        self.table(
            &table,
            "No race is watched. `races start ACCOUNT LINK` watches one.",
        )
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
        if let Some(words) = &detail.last_words {
            more(format!("Claude {words}"));
        }
        text
    }
}
