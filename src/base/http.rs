//! The accept loop of every HTTP server in this program: the public server, the built-in worker, and the simulator.
//!
//! A connection is closed if its client sends no header in time, is idle for too long, or reads nothing of the response
//! for a while. At the connection limit, an unknown client's connection is closed to admit another
//! (`connections`). A panic in a handler becomes a 500. On shutdown, idle connections close at once and busy ones
//! finish; a request that arrives on a connection just accepted is still answered.
//!
//! Deliberately absent: body limits and body timeouts, because only the handler knows what it reads.

mod connections;
mod protocols;
mod response;
mod stall;

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use nix::sys::resource::{Resource, getrlimit};
use tokio::io::AsyncRead;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::io::InspectReader;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::connections::ReadingBody;
use self::connections::{Capacity, ConnectionSlot, Connections, OpenConnection};
use self::protocols::{Protocols, name_host, until_stopped};
use self::response::Tracked;
use self::stall::StallTimeout;
use super::source::{Peer, Proxies};
use super::threads::ConnectionThreads;

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

    /// Marks the body of the request as being read, until the value is dropped. Only a limited number of bodies of
    /// unknown clients are read at once.
    pub fn reads_body(&self) -> ReadingBody {
        self.connection.reading()
    }
}

/// Limits of one HTTP server.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// The time limit for sending a header. An unknown client's connection may stay idle for the same time.
    pub header_timeout: Duration,
    /// How long a connection of a known client, or of a proxy, may stay idle after a request. Proxies and clients
    /// usually close theirs earlier.
    pub idle_timeout: Duration,
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
            idle_timeout: Duration::from_secs(130),
            write_stall: Duration::from_secs(20),
            max_connections: 512,
            per_source: usize::MAX,
            proxies: Arc::default(),
            drain: Duration::from_secs(10),
        }
    }
}

/// An HTTP server before it serves. With `tls`, clients may choose HTTP/2; without it, all speak HTTP/1.1.
pub struct HttpServer {
    pub listener: TcpListener,
    pub tls: Option<TlsAcceptor>,
    pub limits: ServerLimits,
    /// Where the connections are served; without it, on the current runtime.
    pub threads: Option<ConnectionThreads>,
}

impl HttpServer {
    /// A server for this program's own clients: plain HTTP and the default limits.
    pub fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            tls: None,
            limits: ServerLimits::default(),
            threads: None,
        }
    }

    /// Serves `handle` until `stopping` fires. Returns when all connections are done or the drain time is over. Run it
    /// as a task of the lifecycle.
    pub async fn serve<H, F, B>(self, handle: H, stopping: CancellationToken)
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Error + Send + Sync + 'static,
    {
        let limits = self.limits;
        let threads = self.threads.unwrap_or_else(ConnectionThreads::current);
        let capacity = Capacity {
            total: limits.max_connections.min(files_for_connections()),
            per_source: limits.per_source,
        };
        let open = Connections::new(capacity, Arc::clone(&limits.proxies));
        let tasks = TaskTracker::new();
        let server = Arc::new(ConnectionServer {
            protocols: Protocols::new(limits.idle_timeout, limits.header_timeout),
            tls: self.tls,
            limits,
            handle,
            stopping,
        });
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(e) => {
                        // Usually because there are no file descriptors left.
                        tracing::warn!(reason = %e, "http.accept_failed");
                        open.make_room();
                        sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = server.stopping.cancelled() => break,
            };
            let Some(connection) = admit(&open, peer.ip()).await else {
                tracing::warn!("http.connections_exhausted");
                continue;
            };
            if let Err(e) = stream.set_nodelay(true) {
                tracing::debug!(reason = %e, "http.nodelay_refused");
            }
            let server = Arc::clone(&server);
            threads.spawn(&tasks, async move {
                server.answer(stream, peer.ip(), Arc::new(connection)).await;
            });
        }
        drop(self.listener);
        tasks.close();
        if timeout(server.limits.drain, tasks.wait()).await.is_err() {
            tracing::warn!("http.drain_cut");
        }
    }
}

/// What every connection of a server shares.
struct ConnectionServer<H> {
    protocols: Protocols,
    tls: Option<TlsAcceptor>,
    limits: ServerLimits,
    handle: H,
    stopping: CancellationToken,
}

impl<H, F, B> ConnectionServer<H>
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    /// Answers a connection's requests until it ends, or must close.
    async fn answer(&self, stream: TcpStream, peer: IpAddr, connection: Arc<OpenConnection>) {
        let ended = tokio::select! {
            ended = self.converse(stream, peer, &connection) => ended,
            () = connection.closed() => return tracing::debug!("http.connection_displaced"),
            () = connection.silent(self.limits.header_timeout) => {
                return tracing::debug!("http.connection_silent");
            }
        };
        if let Err(e) = ended {
            tracing::debug!(reason = %e, "http.connection_ended");
        }
    }

    async fn converse(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        connection: &Arc<OpenConnection>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        // The thread's own runtime watches the socket.
        let stream = TcpStream::from_std(stream.into_std()?)?;
        let stream = StallTimeout::new(stream, self.limits.write_stall);
        let requested = Notify::new();
        let service = service_fn(|request| {
            requested.notify_one();
            self.respond(request, peer, connection)
        });
        let Some(tls) = &self.tls else {
            let conversation = self
                .protocols
                .http1
                .serve_connection(watched(stream, connection), service);
            return Ok(until_stopped(conversation, &requested, &self.stopping).await?);
        };
        let handshake = timeout(self.limits.header_timeout, tls.accept(stream));
        let Ok(Ok(stream)) = handshake.await else {
            tracing::debug!("http.handshake_failed");
            return Ok(());
        };
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => {
                let conversation = self
                    .protocols
                    .http2
                    .serve_connection(TokioIo::new(stream), service);
                until_stopped(conversation, &requested, &self.stopping).await?;
            }
            None | Some(b"http/1.1") => {
                let conversation = self
                    .protocols
                    .http1
                    .serve_connection(watched(stream, connection), service);
                until_stopped(conversation, &requested, &self.stopping).await?;
            }
            // An ACME validation (TLS-ALPN), which ends with the handshake.
            Some(_) => {}
        }
        Ok(())
    }

    fn respond(
        &self,
        mut request: Request<Incoming>,
        peer: IpAddr,
        connection: &Arc<OpenConnection>,
    ) -> impl Future<Output = Result<Response<SentBody<B>>, Infallible>> + Send + use<H, F, B> {
        name_host(&mut request);
        let peer = self.limits.proxies.peer(peer, request.headers());
        let open_request = connection.asked(peer.source);
        request.extensions_mut().insert(ClientConnection {
            connection: Arc::clone(connection),
            peer,
        });
        let response = AssertUnwindSafe((self.handle)(request)).catch_unwind();
        async move {
            let response = match response.await {
                Ok(response) => response.map(Either::Left),
                Err(_) => internal_error(),
            };
            Ok(response.map(|body| Tracked::new(body, open_request)))
        }
    }
}

/// A stream that reports arriving bytes to its connection, because an idle connection and an incomplete header have
/// different time limits.
fn watched<S: AsyncRead>(
    stream: S,
    connection: &Arc<OpenConnection>,
) -> TokioIo<InspectReader<S, impl FnMut(&[u8]) + use<S>>> {
    let connection = Arc::clone(connection);
    TokioIo::new(InspectReader::new(stream, move |bytes: &[u8]| {
        if !bytes.is_empty() {
            connection.heard();
        }
    }))
}

/// The body of a handler's response, or of the error page.
type SentBody<B> = Tracked<Either<B, Full<Bytes>>>;

/// Waits until the connection is admitted. `None`: all other connections are answering requests.
async fn admit(open: &Arc<Connections>, peer: IpAddr) -> Option<OpenConnection> {
    loop {
        match open.admit(peer) {
            ConnectionSlot::Given(connection) => return Some(connection),
            ConnectionSlot::Full => return None,
            ConnectionSlot::Later(pause) => sleep(pause).await,
        }
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

#[cfg(test)]
mod tests;
