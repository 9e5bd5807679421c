//! One JSON value a line, both ways, of limited length.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::api::MAX_LINE_BYTES;

/// Why a line was not read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The other side is gone.
    #[error("the connection was lost")]
    Lost(#[from] std::io::Error),
    /// The other side ended the connection.
    #[error("the connection was closed")]
    Closed,
    /// The line is longer than [`MAX_LINE_BYTES`], or ended in the middle.
    #[error("a line is longer than {MAX_LINE_BYTES} bytes, or has no end")]
    TooLong,
    /// The line is no such JSON value.
    #[error("a line can't be read: {0}")]
    Shape(String),
}

/// Reads the next line. Cancel-safe: `buffer` keeps what was read of an unfinished one.
pub(super) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<T, LineError> {
    let room = (MAX_LINE_BYTES + 1).saturating_sub(buffer.len());
    let n_read = from.take(room as u64).read_until(b'\n', buffer).await?;
    if buffer.last() != Some(&b'\n') {
        return Err(if n_read == 0 && buffer.is_empty() {
            LineError::Closed
        } else {
            LineError::TooLong
        });
    }
    let value = serde_json::from_slice(buffer).map_err(|e| LineError::Shape(e.to_string()));
    buffer.clear();
    value
}

/// Writes one line.
pub(super) async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    value: &impl Serialize,
) -> Result<(), LineError> {
    let mut line = serde_json::to_vec(value).map_err(|e| LineError::Shape(e.to_string()))?;
    line.push(b'\n');
    to.write_all(&line).await?;
    Ok(to.flush().await?)
}
