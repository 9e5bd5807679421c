//! HTTP/1.1 to one worker, over connections that are kept.
//!
//! Every connection is driven by the call that uses it, in that call's own task (see `line`). A call that is dropped
//! closes its connection.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri, response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

use super::line::Line;

/// An idle connection is dropped after this. uvicorn closes its side after 5 s, and a request that crosses with that is
/// lost, not knowing whether it was read.
const IDLE_CONNECTION: Duration = Duration::from_secs(3);

/// More idle connections than this are not kept.
const MOST_IDLE: usize = 64;

/// Why there is no answer, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The worker has not seen the request.
    NotSent,
    /// The connection ended after the request was sent.
    Lost,
    /// The body is longer than allowed.
    TooLong,
}

/// The way to one worker. Clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    address: SocketAddr,
    host: HeaderValue,
    idle: Arc<Mutex<Idle>>,
}

/// Connections that wait for the next call, since when; the oldest first.
type Idle = Vec<(Box<Wire>, Instant)>;

/// An answer whose head was read.
#[derive(Debug)]
pub(super) struct Answer {
    head: response::Parts,
    body: Incoming,
    wire: Box<Wire>,
    hop: Hop,
}

impl Hop {
    /// To the worker that listens on `port` of `127.0.0.1`, now or later.
    pub(super) fn new(port: u16) -> Self {
        // FastMCP answers only to this host name (DNS rebinding).
        let host = HeaderValue::try_from(format!("127.0.0.1:{port}"));
        Hop {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            host: host.unwrap_or_else(|_| HeaderValue::from_static("127.0.0.1")),
            idle: Arc::default(),
        }
    }

    /// The headers that every request has.
    pub(super) fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(HOST, self.host.clone())])
    }

    /// Sends a request and waits for the head of its answer. `headers` are those of [`Hop::headers`] and more.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Broken> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.clone();
        *request.headers_mut() = headers.clone();
        while let Some(wire) = self.take() {
            // The worker may have closed it meanwhile: then it has not seen the request, and the next one may do.
            request = match wire.send(request).await {
                Ok((wire, answer)) => return Ok(self.answer(wire, answer)),
                Err((_, Some(unsent))) => unsent,
                Err((broken, None)) => return Err(broken),
            };
        }
        let wire = Wire::open(self.address).await.map_err(|_| Broken::NotSent)?;
        let (wire, answer) = wire.send(request).await.map_err(|(broken, _)| broken)?;
        Ok(self.answer(wire, answer))
    }

    fn answer(&self, wire: Box<Wire>, answer: http::Response<Incoming>) -> Answer {
        let (head, body) = answer.into_parts();
        Answer {
            head,
            body,
            wire,
            hop: self.clone(),
        }
    }

    /// The connection that was used last here: the others may grow old and go.
    fn take(&self) -> Option<Box<Wire>> {
        let (now, here) = (Instant::now(), Handle::current().id());
        let mut idle = self.idle();
        let is_old = |(_, since): &(_, Instant)| now.duration_since(*since) >= IDLE_CONNECTION;
        let old = idle.partition_point(is_old);
        drop(idle.drain(..old));
        let last = idle.iter().rposition(|(wire, _)| wire.runtime == here)?;
        Some(idle.remove(last).0)
    }

    fn give_back(&self, wire: Box<Wire>) {
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE {
            idle.push((wire, Instant::now()));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
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

    /// The next piece of the body; `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let (body, line) = (&mut self.body, &mut self.wire.line);
            let frame = line
                .drive(|_, context| Pin::new(&mut *body).poll_frame(context))
                .await;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Broken::Lost),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// The whole body, of at most `limit` bytes. A body in one piece is not copied.
    pub(super) async fn whole(mut self, limit: usize) -> Result<Bytes, Broken> {
        let first = self.piece().await?.unwrap_or_default();
        if first.len() > limit {
            return Err(Broken::TooLong);
        }
        if self.body.is_end_stream() {
            self.finish();
            return Ok(first);
        }
        let mut all = BytesMut::from(first);
        while let Some(piece) = self.piece().await? {
            if all.len() + piece.len() > limit {
                return Err(Broken::TooLong);
            }
            all.extend_from_slice(&piece);
        }
        self.finish();
        Ok(all.freeze())
    }

    /// After the last piece: the connection serves the next request.
    pub(super) fn finish(self) {
        self.hop.give_back(self.wire);
    }
}

/// One connection. It is large, and passed from hand to hand: in a box.
#[derive(Debug)]
struct Wire {
    /// Where its socket is watched. Elsewhere it could be used as well, but each answer would pass through two threads.
    runtime: Id,
    sender: SendRequest<Full<Bytes>>,
    line: Line,
}

type Sent = Result<(Box<Wire>, http::Response<Incoming>), (Broken, Option<Request<Full<Bytes>>>)>;

impl Wire {
    async fn open(address: SocketAddr) -> io::Result<Box<Self>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Box::new(Wire {
            runtime: Handle::current().id(),
            sender,
            line: Line::new(connection),
        }))
    }

    /// Errors: with the request, where the worker has provably not seen it.
    async fn send(mut self: Box<Self>, request: Request<Full<Bytes>>) -> Sent {
        if !self.is_ready().await {
            return Err((Broken::NotSent, Some(request)));
        }
        let answer = self.sender.try_send_request(request);
        let mut answer = pin!(answer);
        match self.line.drive(|_, context| answer.as_mut().poll(context)).await {
            Ok(answer) => Ok((self, answer)),
            Err(mut error) => match error.take_message() {
                Some(unsent) => Err((Broken::NotSent, Some(unsent))),
                None => Err((Broken::Lost, None)),
            },
        }
    }

    /// Whether the connection takes a request. That the worker closed it while it lay idle may not be seen before the
    /// request is to go out, which then comes back.
    async fn is_ready(&mut self) -> bool {
        let sender = &mut self.sender;
        let is_ready = |over: bool, context: &mut Context<'_>| {
            if over {
                return Poll::Ready(false);
            }
            sender.poll_ready(context).map(|ready| ready.is_ok())
        };
        self.line.drive(is_ready).await
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a server of a test is awaited by it")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn listen() -> (TcpListener, Hop) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, Hop::new(port))
    }

    /// Reads one request without a body, to its empty line. Returns false where the other side closed instead.
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

    async fn get(hop: &Hop) -> Result<Bytes, Broken> {
        let path = Uri::from_static("/x");
        let answer = hop.send(Method::GET, &path, &hop.headers(), Bytes::new()).await?;
        answer.whole(100).await
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_the_other() {
        let (listener, hop) = listen().await;
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
            assert_eq!(get(&hop).await.unwrap(), expected);
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
    async fn a_connection_is_used_again_where_it_is_watched_while_it_is_young() {
        let (listener, hop) = listen().await;
        tokio::spawn(count_connections(listener));
        assert_eq!(get(&hop).await.unwrap(), "1");
        let there = hop.clone();
        let elsewhere = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(get(&there))
        });
        assert_eq!(elsewhere.await.unwrap().unwrap(), "2");
        assert_eq!(get(&hop).await.unwrap(), "1");
        for (_, since) in hop.idle().iter_mut() {
            *since -= IDLE_CONNECTION;
        }
        assert_eq!(get(&hop).await.unwrap(), "3");
        assert_eq!(hop.idle().len(), 1);
    }

    /// uvicorn closes idle connections without a word.
    #[tokio::test]
    async fn a_connection_that_was_closed_while_idle_costs_no_request() {
        let (listener, hop) = listen().await;
        let server = tokio::spawn(async move {
            for _ in 0..20 {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
                stream.write_all(answer).await.unwrap();
            }
        });
        for round in 0..20 {
            assert_eq!(get(&hop).await.unwrap(), "ab");
            // The end of the connection arrives, and only every other time somebody looks.
            tokio::time::sleep(Duration::from_millis(5)).await;
            if round % 2 == 0 {
                let (mut wire, since) = hop.idle().pop().unwrap();
                wire.line
                    .drive(|over, _| if over { Poll::Ready(()) } else { Poll::Pending })
                    .await;
                hop.idle().push((wire, since));
            }
        }
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_closes_its_connection() {
        let (listener, hop) = listen().await;
        let (path, headers) = (Uri::from_static("/x"), hop.headers());
        let mut call = Box::pin(hop.send(Method::GET, &path, &headers, Bytes::new()));
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
        assert!(hop.idle().is_empty());
    }

    #[tokio::test]
    async fn what_breaks_off_or_has_no_end_is_told() {
        let (listener, hop) = listen().await;
        let long = format!("Content-Length: 200\r\n\r\n{}", "x".repeat(200));
        let server = tokio::spawn(async move {
            for answer in ["", "Content-Length: 9\r\n\r\nab", &long] {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                let answer = format!("HTTP/1.1 200 OK\r\n{answer}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        for expected in [Broken::Lost, Broken::Lost, Broken::TooLong] {
            assert_eq!(get(&hop).await.unwrap_err(), expected);
        }
        server.await.unwrap();
        assert_eq!(get(&hop).await.unwrap_err(), Broken::NotSent);
    }
}
