//! HTTP/1.1 to one worker over connections that stay open between calls.
//!
//! A request is sent again on another connection only if the worker has certainly not seen it. Dropping a call closes
//! its connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::connection::WorkerConnection;
use crate::workers::call::CallFailure;

/// How long an idle connection is kept. uvicorn closes its side after 5 s, and a request that crosses with that is
/// lost: nobody can tell whether it was read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);

/// The maximum number of idle connections to keep.
const MAX_IDLE: usize = 64;

/// The connections to one worker. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct WorkerConnections {
    address: SocketAddr,
    host: HeaderValue,
    idle: Arc<Mutex<IdleConnections>>,
}

/// Idle connections, each with the time when it became idle, oldest first.
type IdleConnections = Vec<(Box<WorkerConnection>, Instant)>;

/// A response whose head was read.
#[derive(Debug)]
pub(super) struct WorkerResponse {
    head: response::Parts,
    body: Incoming,
    connection: Box<WorkerConnection>,
    connections: WorkerConnections,
}

impl WorkerConnections {
    /// Connections to the worker that listens on `port` of `127.0.0.1`, now or later.
    pub(super) fn new(port: u16) -> Self {
        // By address rather than name: FastMCP accepts only this host, to prevent DNS rebinding.
        let host = HeaderValue::try_from(format!("127.0.0.1:{port}"));
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            host: host.unwrap_or_else(|_| HeaderValue::from_static("127.0.0.1")),
            idle: Arc::default(),
        }
    }

    /// The headers that every request needs.
    pub(super) fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(HOST, self.host.clone())])
    }

    /// Sends a request and waits for the head of its response. `headers` include those of [`Self::headers`].
    pub(super) async fn send(
        &self,
        method: Method,
        path: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<WorkerResponse, CallFailure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.clone();
        *request.headers_mut() = headers.clone();
        while let Some(mut connection) = self.take_idle() {
            // The worker may have closed it meanwhile.
            request = match connection.send(request).await {
                Ok(response) => return Ok(self.response(connection, response)),
                Err((_, Some(unsent))) => unsent,
                Err((failure, None)) => return Err(failure),
            };
        }
        let connection = WorkerConnection::open(self.address).await;
        let mut connection = Box::new(connection.map_err(|_| CallFailure::NotSent)?);
        let sent = connection.send(request).await;
        let response = sent.map_err(|(failure, _)| failure)?;
        Ok(self.response(connection, response))
    }

    fn response(&self, connection: Box<WorkerConnection>, response: Response<Incoming>) -> WorkerResponse {
        let (head, body) = response.into_parts();
        WorkerResponse {
            head,
            body,
            connection,
            connections: self.clone(),
        }
    }

    /// The connection of this runtime that was used last, so that the others grow old and close.
    fn take_idle(&self) -> Option<Box<WorkerConnection>> {
        let (now, here) = (Instant::now(), Handle::current().id());
        let mut idle = self.idle.lock();
        let old = idle.partition_point(|(_, since)| now.duration_since(*since) >= IDLE_TIMEOUT);
        drop(idle.drain(..old));
        let last = idle
            .iter()
            .rposition(|(connection, _)| connection.runtime == here)?;
        Some(idle.remove(last).0)
    }
}

impl WorkerResponse {
    pub(super) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    pub(super) fn is_event_stream(&self) -> bool {
        let kind = self.head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        kind.is_some_and(|kind| kind.starts_with(b"text/event-stream"))
    }

    /// The next chunk of the body, or `None` at its end.
    pub(super) async fn next_piece(&mut self) -> Result<Option<Bytes>, CallFailure> {
        while let Some(frame) = self.connection.next_frame(&mut self.body).await {
            if let Ok(piece) = frame.map_err(|_| CallFailure::Lost)?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// Reads the whole body, of at most `limit` bytes. A body of one chunk is not copied.
    pub(super) async fn read_body(mut self, limit: usize) -> Result<Bytes, CallFailure> {
        let first = self.next_piece().await?.unwrap_or_default();
        if first.len() <= limit && self.body.is_end_stream() {
            self.reuse_connection();
            return Ok(first);
        }
        let mut all = BytesMut::from(first);
        while all.len() <= limit
            && let Some(piece) = self.next_piece().await?
        {
            all.extend_from_slice(&piece);
        }
        if all.len() > limit {
            return Err(CallFailure::BadAnswer(format!("it is longer than {limit} bytes")));
        }
        self.reuse_connection();
        Ok(all.freeze())
    }

    /// Keeps the connection for the next request. Call it after the last chunk.
    pub(super) fn reuse_connection(self) {
        let mut idle = self.connections.idle.lock();
        if idle.len() < MAX_IDLE {
            idle.push((self.connection, Instant::now()));
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a server of a test is awaited by it")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::sleep;

    use super::*;

    async fn listen() -> (TcpListener, WorkerConnections) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, WorkerConnections::new(port))
    }

    /// Reads one request without a body, up to the empty line. Returns false if the other side closed the connection.
    async fn read_request(stream: &mut TcpStream) -> bool {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => seen.push(byte),
                Err(_) => return false,
            }
        }
        true
    }

    async fn get(connections: &WorkerConnections) -> Result<Bytes, CallFailure> {
        let path = Uri::from_static("/x");
        let headers = connections.headers();
        let response = connections
            .send(Method::GET, &path, &headers, Bytes::new())
            .await?;
        response.read_body(100).await
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_the_other() {
        let (listener, connections) = listen().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in [
                "Content-Length: 2\r\n\r\nab",
                "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n2\r\nde\r\n0\r\n\r\n",
                "Content-Length: 0\r\n\r\n",
                "Content-Length: 1\r\n\r\nf",
            ] {
                assert!(read_request(&mut stream).await);
                let answer = format!("HTTP/1.1 200 OK\r\n{answer}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        for expected in ["ab", "cde", "", "f"] {
            assert_eq!(get(&connections).await.unwrap(), expected);
        }
        server.await.unwrap();
    }

    /// Answers every request with the number of its connection.
    async fn count_connections(listener: TcpListener) {
        for number in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while read_request(&mut stream).await {
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    }

    #[tokio::test]
    async fn a_young_connection_is_used_again_on_its_own_runtime() {
        let (listener, connections) = listen().await;
        tokio::spawn(count_connections(listener));
        assert_eq!(get(&connections).await.unwrap(), "1");
        let elsewhere = connections.clone();
        let elsewhere = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(get(&elsewhere))
        });
        assert_eq!(elsewhere.await.unwrap().unwrap(), "2");
        assert_eq!(get(&connections).await.unwrap(), "1");
        for (_, since) in connections.idle.lock().iter_mut() {
            *since -= IDLE_TIMEOUT;
        }
        assert_eq!(get(&connections).await.unwrap(), "3");
        assert_eq!(connections.idle.lock().len(), 1);
    }

    /// uvicorn closes idle connections without notice.
    #[tokio::test]
    async fn a_connection_that_the_worker_closed_costs_no_request() {
        let (listener, connections) = listen().await;
        let server = tokio::spawn(async move {
            for _ in 0..20 {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
                stream.write_all(answer).await.unwrap();
            }
        });
        for round in 0..20 {
            assert_eq!(get(&connections).await.unwrap(), "ab");
            sleep(Duration::from_millis(5)).await;
            if round % 2 == 0 {
                // Otherwise the end of the connection is noticed only by the next request.
                let (mut connection, since) = connections.idle.lock().pop().unwrap();
                connection.ended().await;
                connections.idle.lock().push((connection, since));
            }
        }
        server.await.unwrap();
    }

    #[tokio::test]
    async fn dropping_a_call_closes_its_connection() {
        let (listener, connections) = listen().await;
        let mut call = Box::pin(get(&connections));
        let mut stream = tokio::select! {
            _ = &mut call => panic!("nobody answered"),
            stream = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                stream
            } => stream,
        };
        drop(call);
        assert!(!read_request(&mut stream).await);
        assert!(connections.idle.lock().is_empty());
    }

    #[tokio::test]
    async fn a_truncated_or_endless_answer_is_an_error() {
        let (listener, connections) = listen().await;
        let long = format!("Content-Length: 200\r\n\r\n{}", "x".repeat(200));
        let server = tokio::spawn(async move {
            for answer in ["", "Content-Length: 9\r\n\r\nab", &long] {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                let answer = format!("HTTP/1.1 200 OK\r\n{answer}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let too_long = CallFailure::BadAnswer("it is longer than 100 bytes".to_owned());
        for expected in [CallFailure::Lost, CallFailure::Lost, too_long] {
            assert_eq!(get(&connections).await.unwrap_err(), expected);
        }
        server.await.unwrap();
        assert_eq!(get(&connections).await.unwrap_err(), CallFailure::NotSent);
    }
}
