//! Runs a look within its limits: hands the prompt to the runner or to the command.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use super::budget::LookBudget;
use super::command::{self, LookDirectory};
use super::confined::Confined;
use super::look::{ClaudeOrder, LookError, LookResult, MCP_SERVER, RaceLook};
use super::prompt::{self, LookTools};
use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::post::{Post, Poster};
use crate::base::secrets::Secret;
use crate::config::{CoachConfig, CoachedBy};
use crate::sandbox::Processes;
use crate::store::Store;

#[derive(Debug)]
pub struct ClaudeParts {
    pub config: CoachConfig,
    pub store: Store,
    pub clock: Clock,
    /// Base URL at which a runner reaches the gateway: `https://host`.
    pub public_url: String,
    /// Base URL at which a command on this machine reaches the gateway: `http://127.0.0.1:port`.
    pub local_url: String,
    /// Parent of the commands' directories; created if missing.
    pub directory: PathBuf,
    pub processes: Processes,
}

/// The tools that a look may use.
const LOOK_TOOLS: [&str; 3] = ["get_timeseries", "update_thresholds", "send_coaching_message"];

/// Runs looks. Clones share one budget.
#[derive(Clone, Debug)]
pub struct Claude(Arc<ClaudeInner>);

#[derive(Debug)]
struct ClaudeInner {
    parts: ClaudeParts,
    budget: LookBudget,
    at_once: Semaphore,
    poster: Poster,
}

impl Claude {
    pub fn new(parts: ClaudeParts) -> Self {
        Self(Arc::new(ClaudeInner {
            budget: LookBudget::new(parts.store.clone(), parts.config.daily, parts.config.daily_cents),
            at_once: Semaphore::new(parts.config.at_once),
            poster: Poster::default(),
            parts,
        }))
    }

    /// Whether a runner or a command is configured. If not, no race schedules looks.
    pub fn is_set_up(&self) -> bool {
        !matches!(self.0.parts.config.by, CoachedBy::Nobody)
    }

    /// Runs a look within `ANALYSIS_TIMEOUT`, which includes the wait for a free slot. Returns Claude's reply. A
    /// runner only accepts the order, so it returns none. Dropping the future ends the look.
    pub async fn look(&self, look: RaceLook) -> Result<Option<String>, LookError> {
        if !self.is_set_up() {
            return Err(LookError::NotSetUp);
        }
        let account = &look.snapshot.account;
        let result = self.within_limits(account, |cents| self.0.take_look(&look, cents));
        let result = result.await?;
        tracing::info!(
            account.id = %account,
            race.id = %look.snapshot.race,
            asked_for = look.asked_for,
            cents = result.cents,
            "coach.looked"
        );
        Ok(result.reply)
    }

    /// The time that one run of Claude may take: `ANALYSIS_TIMEOUT`.
    pub fn time_limit(&self) -> Duration {
        self.0.parts.config.timeout
    }

    /// Has Claude write a text, within the same limits as a look. A runner only accepts the order, so it returns none.
    pub async fn write(&self, order: ClaudeOrder<'_>) -> Result<Option<String>, LookError> {
        let account = order.account;
        let result = self.within_limits(account, |cents| self.0.run_order(&order, cents));
        let result = result.await?;
        tracing::info!(account.id = %account, cents = result.cents, "coach.wrote");
        Ok(result.reply)
    }

    /// Runs Claude within `ANALYSIS_TIMEOUT` and the daily limits. `run` gets the cents that it may cost.
    async fn within_limits<F: Future<Output = Result<LookResult, LookError>>>(
        &self,
        account: &AccountId,
        run: impl FnOnce(Option<f64>) -> F,
    ) -> Result<LookResult, LookError> {
        let (inner, day) = (&self.0, self.0.parts.clock.now());
        let taken = timeout(inner.parts.config.timeout, async {
            let place = inner.at_once.acquire().await;
            let _place = place.map_err(|_| LookError::failed("the gateway is stopping"))?;
            let cents = inner.budget.take(account, day).await?;
            run(cents).await
        });
        let result = taken
            .await
            .unwrap_or_else(|_| Err(LookError::failed("it took longer than ANALYSIS_TIMEOUT")))?;
        if let Some(cents) = result.cents {
            inner.budget.spent(cents, day).await;
        }
        Ok(result)
    }
}

impl ClaudeInner {
    async fn take_look(&self, look: &RaceLook, cents: Option<f64>) -> Result<LookResult, LookError> {
        match &self.parts.config.by {
            CoachedBy::Nobody => Err(LookError::NotSetUp),
            CoachedBy::Runner { url, workspace } => {
                let control_url = format!("{}/control", self.parts.public_url);
                let tools = LookTools::Runner {
                    control_url: &control_url,
                    server: MCP_SERVER,
                };
                let prompt = prompt::prompt(look, &tools);
                self.order(url, workspace, (MCP_SERVER, &look.token), prompt)
                    .await
            }
            CoachedBy::Command { .. } => {
                let order = ClaudeOrder {
                    account: &look.snapshot.account,
                    token: &look.token,
                    server: MCP_SERVER,
                    tools: &LOOK_TOOLS,
                    prompt: prompt::prompt(look, &LookTools::Mcp { server: MCP_SERVER }),
                };
                self.run_order(&order, cents).await
            }
        }
    }

    /// Runs the command, or hands the order to the runner.
    async fn run_order(&self, order: &ClaudeOrder<'_>, cents: Option<f64>) -> Result<LookResult, LookError> {
        let (words, environment) = match &self.parts.config.by {
            CoachedBy::Nobody => return Err(LookError::NotSetUp),
            CoachedBy::Runner { url, workspace } => {
                let prompt = order.prompt.clone();
                return self
                    .order(url, workspace, (order.server, order.token), prompt)
                    .await;
            }
            CoachedBy::Command { words, environment } => (words, environment),
        };
        let mcp = mcp_configuration(&self.parts.local_url, order.server, order.token);
        let directory = LookDirectory::make(&self.parts.directory, &mcp)
            .map_err(|e| LookError::failed(&format!("its directory can't be created ({})", e.kind())))?;
        let processes = &self.parts.processes;
        let confined = Confined::new(
            words,
            environment,
            (directory.path(), &directory.temporary()),
            self.parts.local_url.parse().ok(),
            processes.private(),
        )
        .ok_or_else(|| LookError::failed("CLAUDE_CMD can't be started (not found)"))?;
        command::run(processes, confined, &directory, cents, order).await
    }

    /// Sends the order to the runner, which carries it out asynchronously.
    async fn order(
        &self,
        url: &Url,
        workspace: &str,
        (server, token): (&str, &Secret),
        prompt: String,
    ) -> Result<LookResult, LookError> {
        let mut run = url.clone();
        if let Ok(mut path) = run.path_segments_mut() {
            path.pop_if_empty().push("run");
        }
        let order = Post {
            url: run,
            // The runner's shell also needs it for /control, which it calls without the MCP configuration.
            bearer: Some(token.clone()),
            headers: Vec::new(),
            json: json!({
                "prompt": prompt,
                "workspace": workspace,
                "mcp_config": mcp_configuration(&self.parts.public_url, server, token),
            }),
        };
        match self.poster.post(order).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(LookResult::default()),
            Ok(answer) => Err(LookError::failed(&format!(
                "the runner answered {}",
                answer.status
            ))),
            Err(_) => Err(LookError::failed("the runner can't be reached")),
        }
    }
}

/// MCP configuration that gives access to what the token reaches.
fn mcp_configuration(base: &str, name: &str, token: &Secret) -> Value {
    let server = json!({
        "type": "http",
        "url": format!("{base}/mcp"),
        "headers": {"Authorization": format!("Bearer {}", token.expose())},
    });
    json!({"mcpServers": {name: server}})
}
