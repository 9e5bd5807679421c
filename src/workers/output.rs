//! A worker's output, kept in `DATA_DIR/users/<account>/worker.log`, separate from the gateway's own log.
//!
//! The file is capped and rotated once (`worker.log`, `worker.log.1`), and only the gateway's user can read it.
//! Anything that looks like a token or an e-mail address is masked, because workers print arbitrary data; Python
//! libraries may even print whole requests.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::causes;
use crate::base::rate::TokenBucket;

/// How much of the end of a log is shown, in bytes.
const SHOWN_BYTES: u64 = 16 * 1024;

/// The size in bytes at which `worker.log` is rotated. A worker's logs take at most twice as much.
const LARGEST_FILE: usize = 1 << 20;
/// The maximum length of a line in bytes; longer ones are split.
const LONGEST_LINE: usize = 8 << 10;
/// How many of the last lines are kept to explain a failed start.
const LAST_WORDS: usize = 20;

/// Bytes of output that are read without a rate limit.
const BURST: f64 = (4 << 20) as f64;
/// The reading rate after the burst, in bytes per second. A worker that floods its output is blocked and burns no
/// CPU.
const BYTES_PER_SECOND: f64 = (64 << 10) as f64;

#[derive(Debug)]
pub(super) struct WorkerLog {
    path: PathBuf,
    file: File,
    length: usize,
}

impl WorkerLog {
    /// Opens `<directory>/worker.log`, and creates the directory if it is missing.
    pub(super) async fn open(directory: &Path) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .await?;
        let path = directory.join("worker.log");
        let file = append(&path).await?;
        let length = usize::try_from(file.metadata().await?.len()).unwrap_or(LARGEST_FILE);
        Ok(WorkerLog { path, file, length })
    }

    /// Appends lines that are already masked and end with a line feed.
    async fn add(&mut self, lines: &str) -> io::Result<()> {
        if self.length + lines.len() > LARGEST_FILE {
            fs::rename(&self.path, self.path.with_extension("log.1")).await?;
            self.file = append(&self.path).await?;
            self.length = 0;
        }
        self.file.write_all(lines.as_bytes()).await?;
        self.file.flush().await?;
        self.length += lines.len();
        Ok(())
    }
}

/// The last part of the output, as whole lines.
pub(super) fn last_lines(directory: &Path) -> Vec<String> {
    use std::io::{Read, Seek, SeekFrom};

    let read = || -> io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(directory.join("worker.log"))?;
        let from = file.metadata()?.len().saturating_sub(SHOWN_BYTES);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let cut = if from > 0 {
            tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1)
        } else {
            0
        };
        Ok(tail.split_off(cut))
    };
    // A missing file means that no worker of this account has run yet.
    let tail = read().unwrap_or_default();
    String::from_utf8_lossy(&tail)
        .lines()
        .map(str::to_owned)
        .collect()
}

async fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path)
        .await
}

/// Copies a worker's output to its log until the end. `on_line` receives each line as it was printed, unmasked.
///
/// If the log can't be written (a full disk), reading continues, because a worker must not block on a full pipe. Only
/// a worker that floods its output is slowed down.
pub(super) async fn keep(
    mut output: impl AsyncRead + Unpin,
    mut log: Option<WorkerLog>,
    mut on_line: impl FnMut(&str),
) {
    let mut buffer = Vec::with_capacity(1024);
    let mut budget = TokenBucket::full(BURST, BYTES_PER_SECOND, Instant::now());
    loop {
        let read = output.read_buf(&mut buffer).await.unwrap_or(0);
        let ended = read == 0;
        let wait = budget.reserve(read as f64, Instant::now());
        if !wait.is_zero() {
            sleep(wait).await;
        }
        let mut lines = String::new();
        let mut done = 0;
        while let Some(rest) = buffer.get(done..)
            && let Some(length) = line_length(rest, ended)
        {
            let line = String::from_utf8_lossy(rest.get(..length).unwrap_or_default().trim_ascii_end());
            on_line(&line);
            lines.push_str(&mask(&line));
            lines.push('\n');
            done += length;
        }
        buffer.drain(..done);
        if let Some(open) = &mut log
            && !lines.is_empty()
            && let Err(error) = open.add(&lines).await
        {
            tracing::warn!(reason = %error.kind(), "worker.log_failed");
            log = None;
        }
        if ended {
            break;
        }
    }
}

/// The length of the first line, including its line feed. An unfinished line counts only after the end of the output.
fn line_length(bytes: &[u8], ended: bool) -> Option<usize> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at < LONGEST_LINE => Some(at + 1),
        _ if bytes.len() >= LONGEST_LINE => Some(LONGEST_LINE),
        _ => (ended && !bytes.is_empty()).then_some(bytes.len()),
    }
}

/// The last lines that a worker printed, with secrets masked.
#[derive(Debug, Default)]
pub(super) struct LastWords(VecDeque<String>);

impl LastWords {
    pub(super) fn hear(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if self.0.len() == LAST_WORDS {
            self.0.pop_front();
        }
        self.0.push_back(mask(line));
    }

    /// Advice, if the lines show a known cause.
    pub(super) fn advice(&self) -> Option<&'static str> {
        causes::advice(&self.0.iter().collect::<Vec<_>>())
    }
}

/// Masks anything that looks like a secret: JWTs, long runs of base64 or hexadecimal digits, e-mail addresses.
pub(super) fn mask(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(word);
        match run {
            "" => {
                let mut chars = tail.chars();
                masked.extend(chars.next());
                rest = chars.as_str();
                continue;
            }
            run if is_address(run) => masked.push_str("[e-mail]"),
            run if is_secret(run) => masked.push_str("[masked]"),
            run => masked.push_str(run),
        }
        rest = tail;
    }
    masked
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '=' | '.' | '@' | '%')
}

fn is_address(run: &str) -> bool {
    run.split_once('@')
        .or_else(|| run.split_once("%40"))
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// Whether the text is a JWT, or a run that can't be a word, path or dotted name. Paths are judged part by part;
/// base64 with slashes, recognised by its mixed case, is judged as a whole.
fn is_secret(run: &str) -> bool {
    let is_jwt = run.find("eyJ").is_some_and(|at| run.len() - at >= 20);
    let is_path = |part: &str| part.starts_with('/') || !has_upper_and_lower(part);
    is_jwt
        || run.split(['.', '=']).any(|part| {
            if is_path(part) {
                part.split('/').any(is_random)
            } else {
                is_random(part)
            }
        })
}

fn is_random(part: &str) -> bool {
    part.len() >= 24
        && part.bytes().any(|b| b.is_ascii_digit())
        && part.bytes().any(|b| b.is_ascii_alphabetic())
}

fn has_upper_and_lower(run: &str) -> bool {
    run.bytes().any(|b| b.is_ascii_uppercase()) && run.bytes().any(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_words_are_not() {
        for (line, expected) in [
            (
                "token eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln end",
                "token [masked] end",
            ),
            ("Bearer=eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln", "[masked]"),
            (
                "login of ann.example+x@mail.example.org failed",
                "login of [e-mail] failed",
            ),
            ("email=ann%40mail.example.org&x=1", "[e-mail]&x=[masked-not]"),
            ("refresh d41d8cd98f00b204e9800998ecf8427e", "refresh [masked]"),
            (
                "{\"refresh_token\":\"aGVsbG8gd29ybGQx/MjM0NTY3ODkw+YWJjZGVm\"}",
                "{\"refresh_token\":\"[masked]\"}",
            ),
            (
                "File \"/usr/lib/python3.12/site-packages/garmin_mcp/activity_management.py\", line 12",
                "File \"/usr/lib/python3.12/site-packages/garmin_mcp/activity_management.py\", line 12",
            ),
            (
                "INFO: Uvicorn running on http://127.0.0.1:9000 (Press CTRL+C to quit)",
                "",
            ),
            ("GET /userprofile-service/socialProfile 200 in 12 ms", ""),
            ("get_training_readiness_and_recovery_overview called", ""),
            ("grüße 2026-11-20T10:11:12.123456Z", ""),
        ] {
            let expected = match expected {
                "" => line.to_owned(),
                expected => expected.replace("[masked-not]", "1"),
            };
            assert_eq!(mask(line), expected);
        }
    }

    #[tokio::test]
    async fn the_log_is_capped_and_rotated_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("users/acc_1");
        let log = WorkerLog::open(&users).await.unwrap();
        let output = "some words ".repeat(90).trim_end().to_owned() + "\n";
        keep(output.repeat(3000).as_bytes(), Some(log), |_| {}).await;
        for name in ["worker.log", "worker.log.1"] {
            let file = std::fs::metadata(users.join(name)).unwrap();
            assert!(file.len() <= LARGEST_FILE as u64, "{name}");
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(
            std::fs::metadata(&users).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let text = std::fs::read_to_string(users.join("worker.log")).unwrap();
        assert!(
            text.lines().all(|line| line == output.trim_end()),
            "no line is cut"
        );
        assert_eq!(
            WorkerLog::open(&users).await.unwrap().length,
            text.len(),
            "goes on where it was"
        );
    }

    #[tokio::test]
    async fn lines_arrive_whole_and_endless_ones_are_cut() {
        let mut output = b"one\r\ntwo\n".to_vec();
        output.extend(std::iter::repeat_n(b'x', LONGEST_LINE + 5));
        output.extend(b"\nlast without end");
        let mut lines = Vec::new();
        keep(output.as_slice(), None, |line| lines.push(line.to_owned())).await;
        let lengths: Vec<usize> = lines.iter().map(String::len).collect();
        assert_eq!(lengths, [3, 3, LONGEST_LINE, 5, 16]);
        assert_eq!((lines[0].as_str(), lines[1].as_str()), ("one", "two"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_read_slowly() {
        let begin = tokio::time::Instant::now();
        let flood = "x".repeat(1000) + "\n";
        let mut lines = 0;
        keep(flood.repeat(5000).as_bytes(), None, |_| lines += 1).await;
        // 5 MB: the burst, then the rest at the limited rate. `Instant::now()` does not follow tokio's paused clock.
        assert_eq!(lines, 5000);
        assert!(begin.elapsed().as_secs() >= 10, "{:?}", begin.elapsed());
    }
}
