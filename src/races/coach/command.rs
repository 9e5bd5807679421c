//! `claude -p`, started by us: its own process group, directory and environment; the prompt on its input.
//!
//! It gets no tool but those of the race: none that is built in, no other server, none of the settings of the user whom
//! we run as.

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::{NotLooked, SERVER, Seen, TOOLS, failed};
use crate::foundation::secrets::random_id;

/// Its environment, whatever else is in it: the tools are offered at once, and it talks to nobody but the model.
const ALWAYS: [(&str, &str); 3] = [
    ("ENABLE_TOOL_SEARCH", "false"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
];

/// What is read of its output.
const LONGEST_OUTPUT: u64 = 1024 * 1024;

/// A directory for one look; it goes with it.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes one in `parent`, with the MCP configuration beside an empty working directory.
    pub(super) fn make(parent: &Path, mcp: &Value) -> io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700).recursive(true);
        builder.create(parent)?;
        let directory = Self(parent.join(random_id("look_")));
        builder.create(directory.work())?;
        let mut file = std::fs::OpenOptions::new();
        let file = file
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(directory.mcp())?;
        serde_json::to_writer(file, mcp)?;
        Ok(directory)
    }

    fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    fn mcp(&self) -> PathBuf {
        self.0.join("mcp.json")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(reason = %e.kind(), "coach.directory_left");
        }
    }
}

/// The process group of a look; it is killed with it.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Drop for Group {
    fn drop(&mut self) {
        // Also when the first process has ended: others of the group may live. Until it is waited for, no other group can
        // have its number; after that, only a group that is empty is given away.
        if let Some(id) = self.id {
            killpg(id, Signal::SIGKILL).ok();
        }
        drop(self.child.start_kill());
    }
}

/// Has Claude look, for no more than so many cents. Dropping the future ends all of it.
pub(super) async fn run(
    words: &[String],
    environment: &[(String, String)],
    directory: &Directory,
    cents: Option<f64>,
    prompt: String,
) -> Result<Seen, NotLooked> {
    let mut group = start(words, environment, directory, cents)
        .map_err(|e| failed(&format!("CLAUDE_CMD can't be started ({})", e.kind())))?;
    let (input, output) = (group.child.stdin.take(), group.child.stdout.take());
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
    tokio::join!(ask, hear);
    let status = group
        .child
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

fn start(
    words: &[String],
    environment: &[(String, String)],
    directory: &Directory,
    cents: Option<f64>,
) -> io::Result<Group> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::NotFound)?;
    let tools = TOOLS.map(|tool| format!("mcp__{SERVER}__{tool}")).join(",");
    #[expect(clippy::disallowed_methods, reason = "this is races::coach")]
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["-p", "--output-format", "json", "--no-session-persistence"])
        .arg("--mcp-config")
        .arg(directory.mcp())
        .args(["--strict-mcp-config", "--tools", "", "--setting-sources", ""])
        .args(["--permission-mode", "dontAsk", "--allowedTools", &tools])
        .args(cents.map(|cents| format!("--max-budget-usd={:.2}", cents / 100.0)))
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .envs(ALWAYS)
        .current_dir(directory.work())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn()?;
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .map(Pid::from_raw);
    Ok(Group { child, id })
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
