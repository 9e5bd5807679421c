//! The report on an import. It is written before the plan is carried out, because that consumes the plan.

use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::console::words::{clock, many};
use crate::import::{
    ImportPlan, ImportSummary, LeftAccount, OldRaces, PlannedAccount, PlannedRace, Unusable,
};

#[derive(Default)]
pub(super) struct ImportReport {
    pub(super) lines: Vec<String>,
    json: Map<String, Value>,
    /// Whether there is nothing to import.
    pub(super) is_empty: bool,
}

impl ImportReport {
    pub(super) fn add_people(&mut self, database: &Path, plan: &ImportPlan) {
        self.lines.push(format!("From {}:", database.display()));
        self.lines.extend(plan.accounts.iter().map(taken));
        self.lines.extend(plan.left_accounts.iter().map(left));
        if plan.accounts.is_empty() && plan.left_accounts.is_empty() {
            self.lines.push("  no accounts".to_owned());
        }
        if !plan.clients.is_empty() {
            self.lines.push(format!(
                "  {} with a redirect address",
                many(plan.clients.len() as u64, "client")
            ));
        }
        self.add_left(&[
            (
                plan.n_expired,
                "access token",
                "expired, or unused for ACCESS_TOKEN_TTL_DAYS",
            ),
            (plan.n_stray, "access token", "without an account"),
            (
                plan.left_clients.len(),
                "client",
                "with an address to which this gateway does not send codes (REDIRECT_HOSTS)",
            ),
        ]);
        let again = connect_again(plan);
        if !again.is_empty() {
            self.lines
                .push(format!("Must connect again in Claude: {}.", again.join(", ")));
        }
        let account = |account: &PlannedAccount| {
            json!({
                "email": account.email,
                "access_tokens": account.access.len(),
                "garmin_tokens": if account.is_renewed { "worker" } else { "database" },
            })
        };
        let left = |left: &LeftAccount| json!({"key": left.key, "why": why(left.why), "access_tokens": left.n_tokens});
        for (name, value) in [
            ("database", json!(database)),
            ("accounts", plan.accounts.iter().map(account).collect()),
            ("left_accounts", plan.left_accounts.iter().map(left).collect()),
            ("clients", json!(plan.clients.len())),
            ("left_clients", json!(plan.left_clients)),
            ("expired_access_tokens", json!(plan.n_expired)),
            ("stray_access_tokens", json!(plan.n_stray)),
            ("connect_again", json!(again)),
        ] {
            self.json.insert(name.to_owned(), value);
        }
    }

    pub(super) fn add_races(&mut self, old: &OldRaces, plan: &ImportPlan) {
        self.lines.push(format!(
            "From {}, table {} (its columns are recognised by their names):",
            old.database.display(),
            old.table
        ));
        self.lines.extend(plan.races.iter().flat_map(race));
        self.add_left(&[
            (plan.n_known_races, "race", "imported before"),
            (
                plan.n_ownerless_races,
                "race",
                "because livetrack-mcp knows no accounts; say whose they are with --races-of EMAIL",
            ),
            (old.n_unreadable, "row", "without a plausible time"),
        ]);
        if !old.left_tables.is_empty() {
            self.lines.push(format!(
                "  other tables, of which only links and race_config are read: {}",
                old.left_tables.join(", ")
            ));
        }
        let race = |planned: &PlannedRace| {
            let past = &planned.race.past;
            json!({
                "account": planned.owner,
                "name": past.settings.name,
                "began_at": past.began_at().map(|at| at.to_string()),
                "points": past.points.len(),
                "settings_left_out": planned.race.bad_config,
            })
        };
        let told = json!({
            "database": old.database,
            "table": old.table,
            "races": plan.races.iter().map(race).collect::<Vec<_>>(),
            "known_races": plan.n_known_races,
            "ownerless_races": plan.n_ownerless_races,
            "unreadable_rows": old.n_unreadable,
            "other_tables": old.left_tables,
        });
        self.json.insert("livetrack".to_owned(), told);
    }

    pub(super) fn add_notes(&mut self, notes: Vec<String>) {
        self.json.insert("notes".to_owned(), json!(notes));
        self.lines.extend(notes);
    }

    /// What is not taken, and why.
    fn add_left(&mut self, left: &[(usize, &str, &str)]) {
        for (n, what, why) in left.iter().filter(|(n, ..)| *n > 0) {
            self.lines
                .push(format!("  not taken: {}, {why}", many(*n as u64, what)));
        }
    }

    pub(super) fn into_json(mut self, done: Option<&ImportSummary>) -> Value {
        let imported = done.map(|done| {
            json!({
                "accounts": done.accounts,
                "access_tokens": done.tokens,
                "clients": done.clients,
                "races": done.races,
            })
        });
        self.json.insert("imported".into(), json!(imported));
        self.json.into()
    }

    pub(super) fn last_line(&self, done: Option<&ImportSummary>) -> String {
        let Some(done) = done else {
            return if self.is_empty {
                "There is nothing to import. Nothing was changed.".to_owned()
            } else {
                "Nothing was changed. To import this, run the same command with --yes.".to_owned()
            };
        };
        if *done == ImportSummary::default() {
            return "Nothing was new, so nothing was changed.".to_owned();
        }
        let counts = [
            (done.accounts, "account"),
            (done.tokens, "access token"),
            (done.clients, "client"),
            (done.races, "race"),
        ];
        let counts = counts.into_iter().filter(|(n, _)| *n > 0);
        let counts: Vec<String> = counts.map(|(n, what)| many(n as u64, what)).collect();
        let imported = format!("Imported: {}.", counts.join(", "));
        if done.accounts == 0 {
            return format!("{imported} Start the gateway.");
        }
        format!(
            "{imported} These people are invited. Start the gateway; do not start the Python one again: each Garmin \
             refresh token works only once, and the two would use up each other's."
        )
    }
}

/// A race, and on a line of its own what of its settings is left out.
fn race(planned: &PlannedRace) -> Vec<String> {
    let past = &planned.race.past;
    let name = past.settings.name.as_deref().unwrap_or("a race without a name");
    let (began, ended) = (past.points.first(), past.points.last());
    let lasted_s = began.zip(ended).map_or(0.0, |(began, ended)| {
        ended.at.duration_since(began.at).as_secs_f64()
    });
    let date = began.map(|began| began.at.to_zoned(TimeZone::system()).date().to_string());
    let line = format!(
        "  {name}, {}, {} h, {}, for {}",
        date.unwrap_or_default(),
        clock(lasted_s),
        many(past.points.len() as u64, "point"),
        planned.owner
    );
    let bad = planned.race.bad_config.as_ref();
    let bad = bad.map(|bad| format!("    its settings are left out: {bad}"));
    std::iter::once(line).chain(bad).collect()
}

fn taken(account: &PlannedAccount) -> String {
    let renewed = if account.is_renewed {
        " (as renewed by its worker)"
    } else {
        ""
    };
    let access = match account.access.len() {
        0 => "no valid access token".to_owned(),
        n => many(n as u64, "access token"),
    };
    format!("  {}: Garmin tokens{renewed}, {access}", account.email)
}

fn left(left: &LeftAccount) -> String {
    format!("  {}: not taken, {}", left.key, why(left.why))
}

fn why(why: Unusable) -> &'static str {
    match why {
        Unusable::AlreadyHere => "this gateway already has an account with this e-mail, which stays as it is",
        Unusable::NotAnEmail => "this is not an e-mail address, and this gateway knows people by theirs",
        Unusable::NoGarminTokens => "it has no Garmin tokens, or this secret does not open them",
    }
}

/// The people who must connect their clients again, because none of their tokens stays valid.
fn connect_again(plan: &ImportPlan) -> Vec<&str> {
    let without_access = plan.accounts.iter().filter(|account| account.access.is_empty());
    let closed = plan
        .left_accounts
        .iter()
        .filter(|left| left.why != Unusable::AlreadyHere);
    without_access
        .map(|account| &*account.email)
        .chain(closed.map(|left| &*left.key))
        .collect()
}
