//! Both versions of HTTP: their settings, how a connection ends at a stop, and where a request names its host.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::server::conn::{http1, http2};
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::base::wakes::CoalescedWakes;

/// How long a connection without a request stays open after shutdown has begun.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// The settings of both versions of HTTP.
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    /// `ping` is both the silence after which an HTTP/2 client is sent a PING, and the time limit for its reply.
    pub(super) fn new(idle_timeout: Duration, ping: Duration) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // Hyper has no other limit for an idle connection. `OpenConnection::silent` enforces the shorter ones.
            .header_read_timeout(idle_timeout)
            .max_headers(64)
            .max_buf_size(64 * 1024);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(ping)
            .keep_alive_timeout(ping)
            .max_concurrent_streams(32)
            .max_header_list_size(64 * 1024);
        Self { http1, http2 }
    }
}

/// Drives a connection to its end. After the stop signal, only requests that have begun are answered.
pub(super) async fn until_stopped<C>(
    connection: C,
    requested: &Notify,
    stopping: &CancellationToken,
) -> Result<(), hyper::Error>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let wakes = CoalescedWakes::default();
    let stopped = async {
        stopping.cancelled().await;
        timeout(FIRST_REQUEST, requested.notified()).await
    };
    let answered = poll_fn(|context| wakes.poll(context, |context| connection.as_mut().poll(context)));
    tokio::select! {
        ended = answered => ended,
        _ = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// HTTP/2 names the host in `:authority` instead of a `Host` header.
pub(super) fn name_host(request: &mut Request<Incoming>) {
    if request.version() == Version::HTTP_2
        && !request.headers().contains_key(HOST)
        && let Some(host) = request
            .uri()
            .authority()
            .map(|authority| authority.as_str().parse())
        && let Ok(host) = host
    {
        request.headers_mut().insert(HOST, host);
    }
}
