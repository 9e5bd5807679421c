//! The accept loop of every HTTP server in this program: the public server, the built-in worker, and the simulator.
//!
//! A connection is closed if its client sends no header in time (this is also the keep-alive limit), or reads nothing
//! of the response for a while. At the connection limit, an unknown client's connection is closed to admit another
//! (`connections`). A panic in a handler becomes a 500. On shutdown, idle connections close at once and busy ones
//! finish; a request that arrives on a connection just accepted is still answered.
//!
//! Deliberately absent: body limits and body timeouts, because only the handler knows what it reads.

mod connections;
mod response;
mod stall;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::header::HOST;
use hyper::server::conn::{http1, http2};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use nix::sys::resource::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub use self::connections::ReadingBody;
use self::connections::{Capacity, ConnectionSlot, Connections, OpenConnection};
use self::response::Tracked;
use self::stall::StallTimeout;
use super::source::{Peer, Proxies};
use super::threads::ConnectionThreads;
use super::wakes::CoalescedWakes;

/// How long a connection without a request stays open after shutdown has begun.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// A handle on the connection of a request, in the request's extensions.
#[derive(Clone, Debug)]
pub struct ClientConnection {
    connection: Arc<OpenConnection>,
    pub peer: Peer,
}

impl ClientConnection {
    /// Protects the connection from being closed for capacity until its next request, because its client is known.
    pub fn keep(&self) {
        self.connection.proven();
    }

    /// Says that the body of the request is being read, until the value is dropped. Few bodies of unknown clients are
    /// read at once.
    pub fn reads_body(&self) -> ReadingBody {
        self.connection.reading()
    }
}

/// Limits of one HTTP server.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// The time limit for sending a header, and for staying idle.
    pub header_timeout: Duration,
    /// How long a response may make no progress because the client reads nothing.
    pub write_stall: Duration,
    /// The maximum number of open connections; lower if the process's open-file limit is low.
    pub max_connections: usize,
    /// The maximum number of connections of unknown clients from one source.
    pub per_source: usize,
    /// The proxies in front, which connect for many clients.
    pub proxies: Arc<Proxies>,
    /// How long busy connections may continue after shutdown has begun.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(20),
            write_stall: Duration::from_secs(20),
            max_connections: 512,
            per_source: usize::MAX,
            proxies: Arc::default(),
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves `handle` on `listener` until `stopping` fires. Returns when all connections are done or the drain time is
/// over. Run it as a task of the lifecycle. With `tls`, clients may choose HTTP/2; without it, all speak HTTP/1.1.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: ServerLimits,
    handle: H,
    stopping: CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let threads = ConnectionThreads::current();
    serve_on(&threads, listener, tls, limits, handle, stopping).await;
}

/// [`serve`], with every connection on one of `threads`.
pub async fn serve_on<H, F, B>(
    threads: &ConnectionThreads,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: ServerLimits,
    handle: H,
    stopping: CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let capacity = Capacity {
        total: limits.max_connections.min(files_for_connections()),
        per_source: limits.per_source,
    };
    let proxies = Arc::clone(&limits.proxies);
    let open = Connections::new(capacity, Arc::clone(&proxies));
    let connections = TaskTracker::new();
    let protocols = Protocols::new(&limits);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(e) => {
                    // Usually because there are no file descriptors left.
                    tracing::warn!(reason = %e, "http.accept_failed");
                    open.make_room();
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stopping.cancelled() => break,
        };
        let connection_state = admit(&open, peer.ip()).await;
        let Some(connection_state) = connection_state else {
            tracing::warn!("http.connections_exhausted");
            continue;
        };
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(reason = %e, "http.nodelay_refused");
        }
        let (protocols, tls) = (protocols.clone(), tls.clone());
        let (handle, stopping) = (handle.clone(), stopping.clone());
        let proxies = Arc::clone(&proxies);
        threads.spawn(&connections, async move {
            // The thread's own runtime watches the socket.
            let stream = match stream.into_std().and_then(TcpStream::from_std) {
                Ok(stream) => stream,
                Err(e) => return tracing::warn!(reason = %e, "http.accept_failed"),
            };
            let requested = Notify::new();
            let connection_state = Arc::new(connection_state);
            let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
                requested.notify_one();
                name_host(&mut request);
                let peer = proxies.peer(peer.ip(), request.headers());
                let open_request = connection_state.asked(peer.source);
                request.extensions_mut().insert(ClientConnection {
                    connection: Arc::clone(&connection_state),
                    peer,
                });
                let response = AssertUnwindSafe(handle(request)).catch_unwind();
                async move {
                    let response = match response.await {
                        Ok(response) => response.map(Either::Left),
                        Err(_) => internal_error(),
                    };
                    Ok::<_, Infallible>(response.map(|body| Tracked::new(body, open_request)))
                }
            });
            let stream = StallTimeout::new(stream, limits.write_stall);
            let served = async {
                let Some(tls) = tls else {
                    let connection = protocols.http1.serve_connection(TokioIo::new(stream), service);
                    return until_stopped(connection, &requested, &stopping).await;
                };
                let handshake = timeout(limits.header_timeout, tls.accept(stream));
                let Ok(Ok(stream)) = handshake.await else {
                    tracing::debug!("http.handshake_failed");
                    return Ok(());
                };
                match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => {
                        let connection = protocols.http2.serve_connection(TokioIo::new(stream), service);
                        until_stopped(connection, &requested, &stopping).await
                    }
                    None | Some(b"http/1.1") => {
                        let connection = protocols.http1.serve_connection(TokioIo::new(stream), service);
                        until_stopped(connection, &requested, &stopping).await
                    }
                    // The handshake was all: a certificate authority's check.
                    Some(_) => Ok(()),
                }
            };
            let ended = tokio::select! {
                ended = served => ended,
                () = connection_state.closed() => return tracing::debug!("http.connection_displaced"),
            };
            if let Err(e) = ended {
                tracing::debug!(reason = %e, "http.connection_ended");
            }
        });
    }
    drop(listener);
    connections.close();
    if timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!("http.drain_cut");
    }
}

/// Waits for a place. `None`: all connections are answering requests.
async fn admit(open: &Arc<Connections>, peer: IpAddr) -> Option<OpenConnection> {
    loop {
        match open.admit(peer) {
            ConnectionSlot::Given(connection) => return Some(connection),
            ConnectionSlot::Full => return None,
            ConnectionSlot::Later(pause) => sleep(pause).await,
        }
    }
}

/// The settings of both versions of HTTP.
#[derive(Clone)]
struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    fn new(limits: &ServerLimits) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_headers(64)
            .max_buf_size(64 * 1024);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(limits.header_timeout)
            .keep_alive_timeout(limits.header_timeout)
            .max_concurrent_streams(32)
            .max_header_list_size(64 * 1024);
        Self { http1, http2 }
    }
}

/// Drives a connection to its end. After the stop signal, only requests that have begun are answered.
async fn until_stopped<C>(
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
fn name_host(request: &mut Request<Incoming>) {
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

/// A quarter of the process's open-file limit; workers, the store and connections to Garmin need the rest.
fn files_for_connections() -> usize {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    usize::try_from(soft / 4).unwrap_or(usize::MAX).max(8)
}

fn internal_error<B>() -> Response<Either<B, Full<Bytes>>> {
    tracing::error!(place = "http handler", "bug");
    let body = Full::new(Bytes::from_static(b"Something broke here. It is in the log.\n"));
    let mut response = Response::new(Either::Right(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Whether the host of `url` is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::base::lifecycle::Lifecycle;

    async fn start(limits: ServerLimits) -> (SocketAddr, Lifecycle) {
        let lifecycle = Lifecycle::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let handle = |request: Request<Incoming>| async move {
            assert!(request.uri().path() != "/panic", "on purpose");
            Response::new(Full::new(Bytes::from_static(b"hello")))
        };
        lifecycle.spawn(
            "server",
            serve(listener, None, limits, handle, lifecycle.stopping()),
        );
        (address, lifecycle)
    }

    async fn exchange(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn answers_and_survives_a_panicking_handler() {
        let (address, lifecycle) = start(ServerLimits::default()).await;
        let close = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        assert!(
            exchange(address, &format!("GET /panic {close}"))
                .await
                .starts_with("HTTP/1.1 500")
        );
        assert!(
            exchange(address, &format!("GET / {close}"))
                .await
                .ends_with("hello")
        );
        assert!(lifecycle.drain(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn a_silent_connection_is_closed() {
        let limits = ServerLimits {
            header_timeout: Duration::from_millis(50),
            ..ServerLimits::default()
        };
        let (address, _lifecycle) = start(limits).await;
        assert_eq!(exchange(address, "").await, "");
        assert!(!exchange(address, "GET / HTTP/1.1\r\nHo").await.contains("200"));
    }

    /// A proxy has connected, and its request is on the way when shutdown begins.
    #[tokio::test]
    async fn a_connection_accepted_before_the_stop_is_answered_after_it() {
        let (address, lifecycle) = start(ServerLimits::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A connection queued later has been served, so this one has been accepted.
        let close = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        exchange(address, &format!("GET / {close}")).await;
        lifecycle.stop();
        sleep(Duration::from_millis(20)).await;
        stream
            .write_all(format!("GET / {}", close.replace("close", "keep-alive")).as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"),
            "{answer}"
        );
        assert!(lifecycle.drain(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn idle_connections_do_not_hold_up_a_stop() {
        let (address, lifecycle) = start(ServerLimits::default()).await;
        let idle = TcpStream::connect(address).await.unwrap();
        assert!(lifecycle.drain(Duration::from_secs(5)).await);
        drop(idle);
    }
}
