//! MCP over standard input and output: one JSON-RPC message a line, each way.

use std::future::Future;
use std::io;
use std::pin::pin;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::server::{Reply, Server};
use crate::mcp::{Refusal, Rejected};

/// The longest message that is taken, in bytes.
pub(super) const LONGEST_MESSAGE: usize = 4 << 20;

/// Serves until the input ends and every request under way is answered, or until `stop`.
///
/// Requests are worked on side by side; an answer is one whole line whenever it is ready. Errors: the output is gone.
pub(super) async fn serve(
    server: &Server,
    input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut lines = Lines {
        input: BufReader::new(input),
        line: Vec::new(),
        is_too_long: false,
    };
    let mut has_ended = false;
    let mut under_way = FuturesUnordered::new();
    let mut stop = pin!(stop);
    while !(has_ended && under_way.is_empty()) {
        tokio::select! {
            () = &mut stop => return Ok(()),
            line = lines.next(), if !has_ended => match line? {
                Some(line) => under_way.push(reply(server, line)),
                None => has_ended = true,
            },
            Some(reply) = under_way.next() => {
                if let Reply::Answer(body) | Reply::Opened(body) | Reply::Refused(_, body) = reply {
                    write(&mut output, body).await?;
                }
            }
        }
    }
    Ok(())
}

async fn reply(server: &Server, line: Line) -> Reply {
    match line {
        Line::Whole(message) => server.reply(&message).await,
        Line::TooLong => {
            let refusal = Refusal::TooLarge {
                limit: LONGEST_MESSAGE,
            };
            Reply::Refused(refusal.status(), Rejected::from(refusal).body())
        }
    }
}

async fn write(output: &mut (impl AsyncWrite + Unpin), mut line: Bytes) -> io::Result<()> {
    output.write_all_buf(&mut line).await?;
    output.write_all(b"\n").await?;
    output.flush().await
}

/// Lines of bounded length.
struct Lines<R> {
    input: BufReader<R>,
    /// What came of the line so far: it outlives a `next` that is dropped.
    line: Vec<u8>,
    is_too_long: bool,
}

enum Line {
    Whole(Vec<u8>),
    /// It was thrown away as it came.
    TooLong,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The next line that is not blank; none when the input has ended. Dropping the future loses nothing.
    async fn next(&mut self) -> io::Result<Option<Line>> {
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
                return Ok(Some(Line::TooLong));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Line::Whole(line)));
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
        let mut lines = Lines {
            input: BufReader::with_capacity(7, input),
            line: Vec::new(),
            is_too_long: false,
        };
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(match line {
                Line::Whole(line) => Some(line.len()),
                Line::TooLong => None,
            });
        }
        found
    }

    #[tokio::test]
    async fn lines_end_with_a_newline_or_the_input_and_blank_ones_are_skipped() {
        assert_eq!(lines(b"").await, []);
        assert_eq!(lines(b"\n \r\n\n").await, []);
        assert_eq!(
            lines(b"one\n\ntwenty-two\nend").await,
            [Some(3), Some(10), Some(3)]
        );
    }

    #[tokio::test]
    async fn a_line_without_end_is_not_kept() {
        let mut input = vec![b'x'; LONGEST_MESSAGE + 1];
        input.extend_from_slice(b"\nshort\n");
        assert_eq!(lines(&input).await, [None, Some(5)]);
    }
}
