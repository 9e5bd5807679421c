//! MCP over standard input and output: one JSON-RPC message per line.

use std::future::Future;
use std::io;
use std::pin::pin;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

use super::progress::Notifications;
use super::server::{McpReply, Server};
use crate::mcp::{McpError, RejectedRequest};

/// The maximum length of a message, in bytes.
pub(super) const LONGEST_MESSAGE: usize = 4 << 20;

/// Serves until the input has ended and every request is answered, or until `stop` fires.
///
/// Requests run concurrently, and each response is written as soon as it is ready. Fails if the output was closed.
pub(super) async fn serve(
    server: &Server,
    input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut lines = InputLines {
        input: BufReader::new(input),
        line: Vec::new(),
        is_too_long: false,
    };
    let mut has_ended = false;
    let (notifications, mut to_client) = mpsc::unbounded_channel();
    let mut in_progress = FuturesUnordered::new();
    let mut stop = pin!(stop);
    while !(has_ended && in_progress.is_empty()) {
        tokio::select! {
            // The order matters: the progress of a call is sent before its answer.
            biased;
            () = &mut stop => return Ok(()),
            Some(message) = to_client.recv() => write(&mut output, message).await?,
            Some(reply) = in_progress.next() => {
                while let Ok(message) = to_client.try_recv() {
                    write(&mut output, message).await?;
                }
                if let McpReply::Answer(body) | McpReply::Opened(body) | McpReply::Refused(_, body) = reply {
                    write(&mut output, body).await?;
                }
            }
            line = lines.next(), if !has_ended => match line? {
                Some(line) => in_progress.push(reply(server, line, &notifications)),
                None => has_ended = true,
            },
        }
    }
    Ok(())
}

async fn reply(server: &Server, line: InputLine, notifications: &Notifications) -> McpReply {
    match line {
        InputLine::Whole(message) => server.reply(&message, notifications).await,
        InputLine::TooLong => {
            let refusal = McpError::TooLarge {
                limit: LONGEST_MESSAGE,
            };
            McpReply::Refused(refusal.status(), RejectedRequest::from(refusal).body())
        }
    }
}

async fn write(output: &mut (impl AsyncWrite + Unpin), mut line: Bytes) -> io::Result<()> {
    output.write_all_buf(&mut line).await?;
    output.write_all(b"\n").await?;
    output.flush().await
}

/// Reads lines of bounded length.
struct InputLines<R> {
    input: BufReader<R>,
    /// The part of the line read so far. It is kept here so that dropping `next` loses nothing.
    line: Vec<u8>,
    is_too_long: bool,
}

enum InputLine {
    Whole(Vec<u8>),
    /// A line over the limit. Its bytes were discarded while reading.
    TooLong,
}

impl<R: AsyncRead + Unpin> InputLines<R> {
    /// Returns the next line that is not blank; `None` at the end of the input. Cancel-safe.
    async fn next(&mut self) -> io::Result<Option<InputLine>> {
        loop {
            let chunk = self.input.fill_buf().await?;
            let ended = chunk.is_empty();
            let newline = chunk.iter().position(|byte| *byte == b'\n');
            let taken = newline.unwrap_or(chunk.len());
            self.is_too_long |= self.line.len() + taken > LONGEST_MESSAGE;
            if self.is_too_long {
                self.line.clear();
            } else {
                self.line
                    .extend_from_slice(chunk.get(..taken).unwrap_or_default());
            }
            self.input.consume(taken + usize::from(newline.is_some()));
            if newline.is_none() && !ended {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if std::mem::take(&mut self.is_too_long) {
                return Ok(Some(InputLine::TooLong));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(InputLine::Whole(line)));
            }
            if ended {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &[u8]) -> Vec<Option<usize>> {
        let mut lines = InputLines {
            input: BufReader::with_capacity(7, input),
            line: Vec::new(),
            is_too_long: false,
        };
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(match line {
                InputLine::Whole(line) => Some(line.len()),
                InputLine::TooLong => None,
            });
        }
        found
    }

    #[tokio::test]
    async fn lines_end_with_a_newline_or_the_input_and_blank_lines_are_skipped() {
        assert_eq!(lines(b"").await, []);
        assert_eq!(lines(b"\n \r\n\n").await, []);
        assert_eq!(
            lines(b"one\n\ntwenty-two\nend").await,
            [Some(3), Some(10), Some(3)]
        );
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_discarded() {
        let mut input = vec![b'x'; LONGEST_MESSAGE + 1];
        input.extend_from_slice(b"\nshort\n");
        assert_eq!(lines(&input).await, [None, Some(5)]);
    }
}
