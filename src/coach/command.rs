//! Runs `claude -p` in its own process group, directory, environment and fence, with the prompt on standard input.
//!
//! The command gets only the tools of its order: no built-in tool, no other MCP server, and none of the settings of the
//! user that the gateway runs as.

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::ChildStderr;

use super::confined::Confined;
use super::look::{ClaudeOrder, LookError, LookResult};
use crate::base::disk::Scratch;
use crate::sandbox::{FenceReport, Launch, Process, Processes, REPORT};

/// Added to every environment: tools are offered without a search, and the only network traffic is with the model.
const FIXED_ENVIRONMENT: [(&str, &str); 3] = [
    ("ENABLE_TOOL_SEARCH", "false"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
];

/// Maximum number of bytes read from standard output.
const LONGEST_OUTPUT: u64 = 1024 * 1024;

/// Maximum bytes of standard error's first line, which reports the state of the fence. The rest is discarded.
const LONGEST_REPORT: u64 = 4096;

/// A directory for one look, removed when dropped.
#[derive(Debug)]
pub(super) struct LookDirectory(Scratch);

impl LookDirectory {
    /// Creates a directory in `parent` that contains the MCP configuration and an empty working directory.
    pub(super) fn make(parent: &Path, mcp: &Value) -> io::Result<Self> {
        let directory = Self(Scratch::make(parent, "look_")?);
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700);
        builder.create(directory.work())?;
        builder.create(directory.temporary())?;
        let mut file = std::fs::OpenOptions::new();
        let file = file
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(directory.mcp())?;
        serde_json::to_writer(file, mcp)?;
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Directory for the command's `TMPDIR`.
    pub(super) fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }

    fn mcp(&self) -> PathBuf {
        self.path().join("mcp.json")
    }
}

/// The process group of a look, killed when dropped.
struct LookProcess(Process);

impl Drop for LookProcess {
    fn drop(&mut self) {
        // Other processes of the group may outlive the first one. The group's number cannot be reused while any of
        // them lives, nor before the first one was waited for.
        self.0.signal(Signal::SIGKILL);
    }
}

/// Runs one look that may cost up to `cents`. Dropping the future kills the process group.
pub(super) async fn run(
    processes: &Processes,
    confined: Confined,
    directory: &LookDirectory,
    cents: Option<f64>,
    order: &ClaudeOrder<'_>,
) -> Result<LookResult, LookError> {
    let mut group = start(processes, confined, directory, cents, order)
        .await
        .map_err(|e| LookError::failed(&format!("CLAUDE_CMD can't be started ({})", e.kind())))?;
    let LookProcess(process) = &mut group;
    let (input, output, errors) = (process.take_input(), process.take_output(), process.take_errors());
    let write_prompt = async {
        if let Some(mut input) = input {
            // The command may exit before it has read everything. Its reply then says why.
            input.write_all(order.prompt.as_bytes()).await.ok();
        }
    };
    let mut reply = Vec::new();
    let read_reply = async {
        if let Some(output) = output {
            output.take(LONGEST_OUTPUT).read_to_end(&mut reply).await.ok();
        }
    };
    tokio::join!(write_prompt, read_reply, report_fence(errors));
    let status = process
        .wait()
        .await
        .map_err(|e| LookError::failed(&format!("waiting for it failed ({})", e.kind())))?;
    let result = read(&reply);
    if status.success() {
        result
    } else {
        // The reply says more about what went wrong than the exit code.
        result.and(Err(LookError::failed(&format!("claude ended with {status}"))))
    }
}

async fn start(
    processes: &Processes,
    confined: Confined,
    directory: &LookDirectory,
    cents: Option<f64>,
    order: &ClaudeOrder<'_>,
) -> io::Result<LookProcess> {
    let Confined {
        mut plan,
        environment,
    } = confined;
    let tools = order
        .tools
        .iter()
        .map(|tool| format!("mcp__{}__{tool}", order.server));
    let tools = tools.collect::<Vec<_>>().join(",");
    let mcp = directory.mcp().display().to_string();
    let arguments = [
        ["-p", "--output-format", "json", "--no-session-persistence"].as_slice(),
        &["--mcp-config", &mcp],
        &["--strict-mcp-config", "--tools", "", "--setting-sources", ""],
        &["--permission-mode", "dontAsk", "--allowedTools", &tools],
    ];
    plan.arguments
        .extend(arguments.concat().into_iter().map(str::to_owned));
    let price = cents.map(|cents| format!("--max-budget-usd={:.2}", cents / 100.0));
    plan.arguments.extend(price);
    let fixed = FIXED_ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment: Vec<_> = environment.into_iter().chain(fixed).collect();
    let launch = Launch {
        plan,
        environment: &environment,
        directory: &directory.work(),
        input: None,
        output: Stdio::piped(),
        errors: Stdio::piped(),
    };
    processes.launch(launch).await.map(LookProcess)
}

/// Reads standard error to its end. Only the first look logs how much the fence restricts, because it is the same for
/// all looks.
async fn report_fence(errors: Option<ChildStderr>) {
    static LOGGED: Once = Once::new();
    let Some(errors) = errors else { return };
    let mut errors = BufReader::new(errors);
    let mut line = String::new();
    let first = (&mut errors).take(LONGEST_REPORT).read_line(&mut line).await;
    let report = line.strip_prefix(REPORT).filter(|_| first.is_ok());
    if let Some(report) = report.and_then(|json| serde_json::from_str::<FenceReport>(json).ok()) {
        let failed = report.failed.join("; ");
        LOGGED.call_once(|| tracing::info!(fence = report.words(), failed, "coach.fenced"));
    }
    tokio::io::copy(&mut errors, &mut tokio::io::sink()).await.ok();
}

/// Reads the one object of `--output-format json`: the result and its cost.
fn read(stdout: &[u8]) -> Result<LookResult, LookError> {
    let output: Value = serde_json::from_slice(stdout.trim_ascii())
        .map_err(|_| LookError::failed("claude's output is not JSON"))?;
    let cents = output
        .get("total_cost_usd")
        .and_then(Value::as_f64)
        .map(|usd| usd * 100.0);
    let text = output.get("result").and_then(Value::as_str);
    if output.get("is_error").and_then(Value::as_bool) == Some(true) {
        let kind = output.get("subtype").and_then(Value::as_str).unwrap_or("error");
        let kind: String = kind.chars().filter(char::is_ascii_graphic).take(40).collect();
        return Err(LookError::failed(&format!("claude reported an error ({kind})")));
    }
    Ok(LookResult {
        reply: text.map(|text| text.chars().take(2000).collect()),
        cents: cents.filter(|cents| *cents >= 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_claude_is_read() {
        let good = br#"{"type":"result","subtype":"success","is_error":false,"result":"Nothing to say.","total_cost_usd":0.0123}"#;
        let result = read(good).unwrap();
        assert_eq!(result.reply.as_deref(), Some("Nothing to say."));
        assert!((result.cents.unwrap() - 1.23).abs() < 1e-9);
        for (output, why) in [
            (&b"Invalid API key"[..], "JSON"),
            (b"", "JSON"),
            (
                br#"{"is_error":true,"subtype":"error_max_turns"}"#,
                "error_max_turns",
            ),
        ] {
            assert!(read(output).unwrap_err().to_string().contains(why));
        }
    }
}
