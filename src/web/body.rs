//! Reads the body of a request up to a limit.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// The chunks of a body.
pub(super) type Body = BoxStream<'static, Result<Bytes, BodyError>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// The announced or actual size exceeds the limit.
    #[error("the body is larger than allowed")]
    TooLarge,
    #[error("the body came too slowly")]
    TooSlow,
    /// The connection broke, or the chunks are malformed.
    #[error("the body could not be read")]
    Broken,
}

pub(super) fn incoming(body: Incoming) -> Body {
    body.into_data_stream().map_err(|_| BodyError::Broken).boxed()
}

/// Converts a body from warp, whose stream type has no name.
pub(super) fn through_warp<S, B>(stream: S) -> Body
where
    S: Stream<Item = Result<B, warp::Error>> + Send + 'static,
    B: Buf,
{
    stream
        .map(|part| match part {
            Ok(mut part) => Ok(part.copy_to_bytes(part.remaining())),
            Err(_) => Err(BodyError::Broken),
        })
        .boxed()
}

/// How much of an oversized body is read and discarded, so that a client that is still sending sees the refusal.
const MAX_DISCARDED: usize = 4 << 20;

/// Reads the whole body, of at most `limit` bytes. A body of one chunk is not copied.
pub(super) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut seen = 0;
    while let Some(part) = body.next().await {
        let part = part?;
        seen += part.len();
        if seen > MAX_DISCARDED.max(limit) {
            return Err(BodyError::TooLarge);
        }
        if seen > limit {
            (first, more) = (Bytes::new(), BytesMut::new());
        } else if first.is_empty() {
            first = part;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&part);
        }
    }
    match seen {
        _ if seen > limit => Err(BodyError::TooLarge),
        _ if more.is_empty() => Ok(first),
        _ => Ok(more.freeze()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(parts: &[&'static str]) -> Body {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok(Bytes::from_static(part.as_bytes())))
            .collect();
        Box::pin(futures_util::stream::iter(parts))
    }

    #[tokio::test]
    async fn bodies_end_at_their_limit() {
        let check = async |sent: &[&'static str], limit, expected: Result<&'static str, BodyError>| {
            let read = collect(parts(sent), limit).await;
            assert_eq!(
                read,
                expected.map(|text| Bytes::from_static(text.as_bytes())),
                "{sent:?}"
            );
        };
        check(&[], 4, Ok("")).await;
        check(&["abcd"], 4, Ok("abcd")).await;
        check(&["ab", "cd"], 4, Ok("abcd")).await;
        check(&["a", "b", "c", "d"], 4, Ok("abcd")).await;
        check(&["", "ab", "", "cd"], 4, Ok("abcd")).await;
        check(&["abcde"], 4, Err(BodyError::TooLarge)).await;
        check(&["abcd", "e"], 4, Err(BodyError::TooLarge)).await;
        check(&["abcd", "e", "f"], 4, Err(BodyError::TooLarge)).await;
    }
}
