//! A response body that reports its end to its connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};

use super::connections::OpenRequest;

/// A body whose request ends when it is dropped: after it was sent, or when its connection has ended.
pub(super) struct Tracked<B> {
    body: B,
    _request: OpenRequest,
}

impl<B> Tracked<B> {
    pub(super) fn new(body: B, mut request: OpenRequest) -> Self {
        request.answered();
        Self {
            body,
            _request: request,
        }
    }
}

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
