//! Messages between the gateway and a built-in worker on the worker's standard input, which is a socket: one line each.

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// The longest accepted line. The longest message contains a time.
const LONGEST_LINE: usize = 64;

const ASK: &str = "permit?";
const GRANTED: &str = "granted";
const PAUSED: &str = "paused ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermitMessage {
    /// From a worker: it wants to send one request.
    Ask,
    /// From the gateway: one request may be sent.
    Granted,
    /// From a worker: Garmin wants no requests until this time. From the gateway: the same, instead of a permit.
    Paused(Timestamp),
}

impl PermitMessage {
    fn line(self) -> String {
        match self {
            Self::Ask => format!("{ASK}\n"),
            Self::Granted => format!("{GRANTED}\n"),
            Self::Paused(until) => format!("{PAUSED}{until}\n"),
        }
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        match std::str::from_utf8(line).ok()? {
            ASK => Some(Self::Ask),
            GRANTED => Some(Self::Granted),
            line => line.strip_prefix(PAUSED)?.parse().ok().map(Self::Paused),
        }
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct PermitReader {
    input: BufReader<OwnedReadHalf>,
    /// The part of a line that was read so far. It is kept here so that dropping `next` loses nothing.
    line: Vec<u8>,
}

/// Sends messages.
#[derive(Debug)]
pub struct PermitWriter(OwnedWriteHalf);

pub fn permit_channel(socket: UnixStream) -> (PermitReader, PermitWriter) {
    let (reading, writing) = socket.into_split();
    let reader = PermitReader {
        input: BufReader::with_capacity(2 * LONGEST_LINE, reading),
        line: Vec::new(),
    };
    (reader, PermitWriter(writing))
}

impl PermitReader {
    /// The next message; `None` at the end of the stream, or if a line is not a message. Cancel-safe.
    pub async fn next(&mut self) -> Option<PermitMessage> {
        loop {
            let chunk = self
                .input
                .fill_buf()
                .await
                .ok()
                .filter(|chunk| !chunk.is_empty())?;
            let newline = chunk.iter().position(|byte| *byte == b'\n');
            let taken = newline.unwrap_or(chunk.len());
            self.line.extend_from_slice(chunk.get(..taken)?);
            self.input.consume(taken + usize::from(newline.is_some()));
            if self.line.len() > LONGEST_LINE {
                return None;
            }
            if newline.is_some() {
                return PermitMessage::of_line(&std::mem::take(&mut self.line));
            }
        }
    }
}

impl PermitWriter {
    /// Returns whether the other end is still there.
    pub async fn send(&mut self, message: PermitMessage) -> bool {
        self.0.write_all(message.line().as_bytes()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_arrive_as_they_were_sent_and_nothing_else_counts() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ((mut reader, _writing), (_reading, mut writer)) = (permit_channel(ours), permit_channel(theirs));
        let until = "2026-01-10T08:00:00.5Z".parse().unwrap();
        let messages = [
            PermitMessage::Ask,
            PermitMessage::Granted,
            PermitMessage::Paused(until),
        ];
        for message in messages {
            assert!(writer.send(message).await);
        }
        for message in messages {
            assert_eq!(reader.next().await, Some(message));
        }
        writer.0.write_all(b"paused soon\n").await.unwrap();
        assert_eq!(reader.next().await, None);
        writer.0.write_all(&[b'x'; 3 * LONGEST_LINE]).await.unwrap();
        assert_eq!(reader.next().await, None);
    }
}
