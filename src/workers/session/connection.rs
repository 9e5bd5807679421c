//! One HTTP/1.1 connection to a worker, driven by the call that uses it.
//!
//! hyper wants a connection to be polled beside its requests, usually by a task of its own. Here the call polls both,
//! in its own task: an answer then wakes one task instead of two. That hand-over would be most of the cost of a call to
//! a worker.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

use crate::base::wakes::CoalescedWakes;
use crate::workers::call::CallFailure;

type HyperConnection = Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// A connection without a request under way.
#[derive(Debug)]
pub(super) struct WorkerConnection {
    /// The runtime that watches the socket. The connection also works on another runtime, but then each answer passes
    /// through two threads.
    pub(super) runtime: Id,
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// Why a request failed, and the request itself if the worker has certainly not seen it.
pub(super) type SendFailure = (CallFailure, Option<Request<Full<Bytes>>>);

impl WorkerConnection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            runtime: Handle::current().id(),
            sender,
            driver: Driver {
                connection: Some(connection),
                wakes: CoalescedWakes::default(),
            },
        })
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendFailure> {
        if !self.is_ready().await {
            return Err((CallFailure::NotSent, Some(request)));
        }
        let mut response = pin!(self.sender.try_send_request(request));
        let sent = self.driver.drive(|_, context| response.as_mut().poll(context));
        sent.await.map_err(|mut error| match error.take_message() {
            Some(unsent) => (CallFailure::NotSent, Some(unsent)),
            None => (CallFailure::Lost, None),
        })
    }

    /// The next part of a response body of this connection, or `None` at its end.
    pub(super) async fn next_frame(
        &mut self,
        body: &mut Incoming,
    ) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        self.driver
            .drive(|_, context| Pin::new(&mut *body).poll_frame(context))
            .await
    }

    /// Whether the connection takes a request. If the worker closed it while it was idle, this may show only when the
    /// request is sent; the request then comes back.
    async fn is_ready(&mut self) -> bool {
        let sender = &mut self.sender;
        self.driver
            .drive(|has_ended, context| {
                if has_ended {
                    return Poll::Ready(false);
                }
                sender.poll_ready(context).map(|ready| ready.is_ok())
            })
            .await
    }
}

/// hyper's half of a connection that moves the bytes.
#[derive(Debug)]
struct Driver {
    /// `None` once it has ended.
    connection: Option<HyperConnection>,
    wakes: CoalescedWakes,
}

impl Driver {
    /// Waits for `poll`, and moves bytes meanwhile. The argument of `poll` is whether the connection has ended.
    async fn drive<T>(&mut self, mut poll: impl FnMut(bool, &mut Context<'_>) -> Poll<T>) -> T {
        let Self { connection, wakes } = self;
        poll_fn(|context| {
            wakes.poll(context, |context| {
                // The bytes that were read last may already complete what `poll` waits for.
                let done = poll(connection.is_none(), context);
                let Some(open) = connection.as_mut().filter(|_| done.is_pending()) else {
                    return done;
                };
                if Pin::new(open).poll(context).is_ready() {
                    // An error of the connection also reaches the request, so it needs no handling here.
                    *connection = None;
                }
                poll(connection.is_none(), context)
            })
        })
        .await
    }
}

#[cfg(test)]
impl WorkerConnection {
    /// Waits until the connection has noticed that the worker closed it.
    pub(super) async fn ended(&mut self) {
        self.driver
            .drive(|has_ended, _| if has_ended { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }
}
