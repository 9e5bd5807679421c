//! Claude looks at races: by a runner that takes orders, or as a command that we start.
//!
//! Invariants:
//! - A look reaches one race: all it gets is that race's token.
//! - Looks are limited in time, in number and, where it is told, in cost; a race that is not looked at goes on as before.
//! - A command has its own process group, directory, environment and fence; nothing of it is left when its look is over,
//!   or when we end.
//! - Neither prompt nor token nor what was said is logged.

pub(super) mod budget;
mod command;
mod confined;
pub mod look;
pub mod prompt;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use self::budget::Budget;
use self::command::Directory;
use self::confined::{Confined, Missing};
use crate::base::clock::Clock;
use crate::base::post::{Post, Poster};
use crate::base::secrets::Secret;
use crate::coach::look::{Coach, Look, NotLooked};
use crate::coach::prompt::Hands;
use crate::config::{CoachConfig, CoachedBy};
use crate::sandbox::Processes;
use crate::store::Store;

pub(super) use self::budget::KIND;

/// What the server of the race's tools is called in Claude's configuration.
const SERVER: &str = "race";

/// The tools that a look may use.
const TOOLS: [&str; 3] = ["get_timeseries", "update_thresholds", "send_coaching_message"];

/// What Claude's looks are made of.
#[derive(Debug)]
pub struct ClaudeParts {
    /// How.
    pub config: CoachConfig,
    /// Where the day's looks are counted.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where a runner reaches us: `https://host`.
    pub public_url: String,
    /// Where a command on this machine reaches us: `http://127.0.0.1:port`.
    pub local_url: String,
    /// Where commands get their directories; made when missing.
    pub directory: PathBuf,
    /// Starts commands.
    pub processes: Processes,
}

/// Has Claude look at races. Clones are the same.
#[derive(Clone, Debug)]
pub struct Claude(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: ClaudeParts,
    budget: Budget,
    room: Semaphore,
    poster: Poster,
}

/// What came of a look.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// What Claude said, if it is told.
    said: Option<String>,
    /// What it cost, if that is told, in cents of a US dollar.
    cents: Option<f64>,
}

impl Claude {
    /// Claude, as the settings have it.
    pub fn new(parts: ClaudeParts) -> Self {
        Self(Arc::new(Inner {
            budget: Budget::new(parts.store.clone(), parts.config.daily, parts.config.daily_cents),
            room: Semaphore::new(parts.config.at_once),
            poster: Poster::default(),
            parts,
        }))
    }
}

impl Coach for Claude {
    fn is_set_up(&self) -> bool {
        !matches!(self.0.parts.config.by, CoachedBy::Nobody)
    }

    fn look(&self, look: Look) -> BoxFuture<'static, Result<Option<String>, NotLooked>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.look(&look).await })
    }
}

impl Inner {
    async fn look(&self, look: &Look) -> Result<Option<String>, NotLooked> {
        if matches!(self.parts.config.by, CoachedBy::Nobody) {
            return Err(NotLooked::NotSetUp);
        }
        let (account, day) = (&look.snapshot.account, self.parts.clock.now());
        // Waiting for room is a part of the time.
        let taken = timeout(self.parts.config.timeout, async {
            let _room = self.room.acquire().await.map_err(|_| failed("it is stopping"))?;
            let cents = self.budget.take(account, day).await?;
            self.take_look(look, cents).await
        });
        let seen = taken
            .await
            .unwrap_or_else(|_| Err(failed("it took longer than ANALYSIS_TIMEOUT")))?;
        if let Some(cents) = seen.cents {
            self.budget.spent(cents, day).await;
        }
        tracing::info!(
            account.id = %account,
            race.id = %look.snapshot.race,
            asked_for = look.asked_for,
            cents = seen.cents,
            "coach.looked"
        );
        Ok(seen.said)
    }

    async fn take_look(&self, look: &Look, cents: Option<f64>) -> Result<Seen, NotLooked> {
        match &self.parts.config.by {
            CoachedBy::Nobody => Err(NotLooked::NotSetUp),
            CoachedBy::Runner { url, workspace } => self.order(url, workspace, look).await,
            CoachedBy::Command { words, environment } => {
                let prompt = prompt::prompt(look, &Hands::Tools { server: SERVER });
                let mcp = configuration(&self.parts.local_url, &look.token);
                let directory = Directory::make(&self.parts.directory, &mcp)
                    .map_err(|e| failed(&format!("its directory can't be made ({})", e.kind())))?;
                let (gateway, processes) = (self.parts.local_url.parse().ok(), &self.parts.processes);
                let confined = Confined::new(
                    words,
                    environment,
                    (directory.path(), &directory.temporary()),
                    gateway,
                    processes.private(),
                );
                let confined =
                    confined.map_err(|Missing| failed("CLAUDE_CMD can't be started (not found)"))?;
                command::run(processes, confined, &directory, cents, prompt).await
            }
        }
    }

    /// Hands the order to the runner, which does it in its own time.
    async fn order(&self, url: &Url, workspace: &str, look: &Look) -> Result<Seen, NotLooked> {
        let control_url = format!("{}/control", self.parts.public_url);
        let hands = Hands::Runner {
            control_url: &control_url,
            token: look.token.expose(),
        };
        let mut run = url.clone();
        if let Ok(mut path) = run.path_segments_mut() {
            path.pop_if_empty().push("run");
        }
        let order = Post {
            url: run,
            bearer: None,
            json: json!({
                "prompt": prompt::prompt(look, &hands),
                "workspace": workspace,
                "mcp_config": configuration(&self.parts.public_url, &look.token),
            }),
        };
        match self.poster.post(order).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(Seen::default()),
            Ok(answer) => Err(failed(&format!("the runner answered {}", answer.status))),
            Err(_) => Err(failed("the runner can't be reached")),
        }
    }
}

fn failed(why: &str) -> NotLooked {
    NotLooked::Failed(why.to_owned())
}

/// The MCP configuration that reaches one race.
fn configuration(base: &str, token: &Secret) -> Value {
    let server = json!({
        "type": "http",
        "url": format!("{base}/mcp"),
        "headers": {"Authorization": format!("Bearer {}", token.expose())},
    });
    json!({"mcpServers": {SERVER: server}})
}
