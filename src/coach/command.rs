//! `claude -p`, started by us: its own process group, directory, environment and fence; the prompt on its input.
//!
//! It gets no tool but those of the race: none that is built in, no other server, none of the settings of the user whom
//! we run as.

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
use super::{NotLooked, SERVER, Seen, TOOLS, failed};
use crate::base::disk::Scratch;
use crate::sandbox::{Launch, Process, Processes, REPORT, Report};

/// Its environment, whatever else is in it: the tools are offered at once, and it talks to nobody but the model.
const ALWAYS: [(&str, &str); 3] = [
    ("ENABLE_TOOL_SEARCH", "false"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
];

/// What is read of its output.
const LONGEST_OUTPUT: u64 = 1024 * 1024;

/// What it says on standard error is nobody's to read, but for the fence's line.
const LONGEST_REPORT: u64 = 4096;

/// A directory for one look; it goes with it.
#[derive(Debug)]
pub(super) struct Directory(Scratch);

impl Directory {
    /// Makes one in `parent`, with the MCP configuration beside an empty working directory.
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

    /// Where it works: nothing is in it.
    fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Its own `/tmp`.
    pub(super) fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }

    fn mcp(&self) -> PathBuf {
        self.path().join("mcp.json")
    }
}

/// The process group of a look; it is killed with it.
struct Group(Process);

impl Drop for Group {
    fn drop(&mut self) {
        // Also when the first process has ended: others of the group may live. Until it is waited for, no other group can
        // have its number; after that, only a group that is empty is given away.
        self.0.signal(Signal::SIGKILL);
    }
}

/// Has Claude look, for no more than so many cents. Dropping the future ends all of it.
pub(super) async fn run(
    processes: &Processes,
    confined: Confined,
    directory: &Directory,
    cents: Option<f64>,
    prompt: String,
) -> Result<Seen, NotLooked> {
    let mut group = start(processes, confined, directory, cents)
        .await
        .map_err(|e| failed(&format!("CLAUDE_CMD can't be started ({})", e.kind())))?;
    let Group(process) = &mut group;
    let (input, output, errors) = (process.take_input(), process.take_output(), process.take_errors());
    let ask = async {
        if let Some(mut input) = input {
            // It may end before it has read all; what it says then tells more.
            input.write_all(prompt.as_bytes()).await.ok();
        }
    };
    let mut said = Vec::new();
    let hear = async {
        if let Some(output) = output {
            output.take(LONGEST_OUTPUT).read_to_end(&mut said).await.ok();
        }
    };
    tokio::join!(ask, hear, hear_fence(errors));
    let status = process
        .wait()
        .await
        .map_err(|e| failed(&format!("it got lost ({})", e.kind())))?;
    let seen = read(&said);
    if status.success() {
        seen
    } else {
        // Its own words on what went wrong tell more than its exit code.
        seen.and(Err(failed(&format!("claude ended with {status}"))))
    }
}

async fn start(
    processes: &Processes,
    confined: Confined,
    directory: &Directory,
    cents: Option<f64>,
) -> io::Result<Group> {
    let Confined {
        mut plan,
        environment,
    } = confined;
    let tools = TOOLS.map(|tool| format!("mcp__{SERVER}__{tool}")).join(",");
    let mcp = directory.mcp().display().to_string();
    let always = [
        ["-p", "--output-format", "json", "--no-session-persistence"].as_slice(),
        &["--mcp-config", &mcp],
        &["--strict-mcp-config", "--tools", "", "--setting-sources", ""],
        &["--permission-mode", "dontAsk", "--allowedTools", &tools],
    ];
    plan.arguments
        .extend(always.concat().into_iter().map(str::to_owned));
    let price = cents.map(|cents| format!("--max-budget-usd={:.2}", cents / 100.0));
    plan.arguments.extend(price);
    let always = ALWAYS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment: Vec<_> = environment.into_iter().chain(always).collect();
    let launch = Launch {
        plan,
        environment: &environment,
        directory: &directory.work(),
        output: Stdio::piped(),
        errors: Stdio::piped(),
    };
    processes.launch(launch).await.map(Group)
}

/// Reads standard error to its end. How far the fence goes is told at the first look: it is the same for all.
async fn hear_fence(errors: Option<ChildStderr>) {
    static TOLD: Once = Once::new();
    let Some(errors) = errors else { return };
    let mut errors = BufReader::new(errors);
    let mut line = String::new();
    let first = (&mut errors).take(LONGEST_REPORT).read_line(&mut line).await;
    let report = line.strip_prefix(REPORT).filter(|_| first.is_ok());
    if let Some(report) = report.and_then(|json| serde_json::from_str::<Report>(json).ok()) {
        let failed = report.failed.join("; ");
        TOLD.call_once(|| tracing::info!(fence = report.words(), failed, "coach.fenced"));
    }
    tokio::io::copy(&mut errors, &mut tokio::io::sink()).await.ok();
}

/// What `--output-format json` says: one object, with the result and its cost.
fn read(output: &[u8]) -> Result<Seen, NotLooked> {
    let said: Value = serde_json::from_slice(output.trim_ascii())
        .map_err(|_| failed("claude said nothing that is JSON"))?;
    let cents = said
        .get("total_cost_usd")
        .and_then(Value::as_f64)
        .map(|usd| usd * 100.0);
    let text = said.get("result").and_then(Value::as_str);
    if said.get("is_error").and_then(Value::as_bool) == Some(true) {
        let kind = said.get("subtype").and_then(Value::as_str).unwrap_or("error");
        let kind: String = kind.chars().filter(char::is_ascii_graphic).take(40).collect();
        return Err(failed(&format!("claude could not look ({kind})")));
    }
    Ok(Seen {
        said: text.map(|text| text.chars().take(2000).collect()),
        cents: cents.filter(|cents| *cents >= 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_claude_says_is_read() {
        let good = br#"{"type":"result","subtype":"success","is_error":false,"result":"Nothing to say.","total_cost_usd":0.0123}"#;
        let seen = read(good).unwrap();
        assert_eq!(seen.said.as_deref(), Some("Nothing to say."));
        assert!((seen.cents.unwrap() - 1.23).abs() < 1e-9);
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
