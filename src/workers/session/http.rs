//! HTTP/1.1 to one worker, with a pool of connections that stay open between calls.
//!
//! The pool retries a request automatically only if a reused connection closed before any byte was written. Dropping
//! a call closes its connection.

use std::error::Error as _;
use std::time::Duration;

use ::http::Response;
use ::http::header::{CONTENT_TYPE, HeaderValue};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::workers::call::CallFailure;

/// How long an idle connection is kept. uvicorn closes its side after 5 s, and a request that crosses with that is
/// lost: nobody can tell whether it was read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);

/// The maximum number of idle connections to keep.
const MAX_IDLE: usize = 64;

pub(super) type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// A client with its own pool. Its connections close when the last clone is dropped.
pub(super) fn client() -> HttpClient {
    client_with(IDLE_TIMEOUT)
}

fn client_with(idle_timeout: Duration) -> HttpClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle_timeout)
        .pool_max_idle_per_host(MAX_IDLE)
        .build(connector)
}

pub(super) fn is_event_stream(response: &Response<Incoming>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"text/event-stream"))
}

/// The next chunk of a body, or `None` at the end.
pub(super) async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>, CallFailure> {
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.map_err(|_| CallFailure::Lost)?.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

/// Reads a whole body of at most `limit` bytes.
pub(super) async fn read_body(body: Incoming, limit: usize) -> Result<Bytes, CallFailure> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(CallFailure::BadAnswer(format!("it is longer than {limit} bytes")))
        }
        Err(_) => Err(CallFailure::Lost),
    }
}

impl From<legacy::Error> for CallFailure {
    fn from(error: legacy::Error) -> Self {
        let unwritten = |error: &hyper::Error| error.is_canceled();
        let source = error.source().and_then(|source| source.downcast_ref());
        if error.is_connect() || source.is_some_and(unwritten) {
            CallFailure::NotSent
        } else {
            CallFailure::Lost
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a server of a test is awaited by it")]
mod tests {
    use std::net::Ipv4Addr;

    use ::http::Request;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::sleep;

    use super::*;

    async fn listen() -> (TcpListener, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
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

    fn request(port: u16) -> Request<Full<Bytes>> {
        Request::get(format!("http://127.0.0.1:{port}/x"))
            .body(Full::default())
            .unwrap()
    }

    async fn get(client: &HttpClient, port: u16) -> Result<Bytes, CallFailure> {
        let response = client.request(request(port)).await?;
        read_body(response.into_body(), 100).await
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_after_the_other() {
        let (listener, port) = listen().await;
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
        let client = client();
        for expected in ["ab", "cde", "", "f"] {
            assert_eq!(get(&client, port).await.unwrap(), expected);
            tokio::task::yield_now().await;
        }
        server.await.unwrap();
    }

    #[tokio::test]
    async fn an_old_connection_is_not_used_again() {
        let (listener, port) = listen().await;
        tokio::spawn(async move {
            for number in 1.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    while read_request(&mut stream).await {
                        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        let client = client_with(Duration::from_millis(100));
        for (pause_ms, expected) in [(0, "1"), (10, "1"), (200, "2"), (10, "2")] {
            sleep(Duration::from_millis(pause_ms)).await;
            assert_eq!(get(&client, port).await.unwrap(), expected);
        }
    }

    /// uvicorn closes idle connections without notice.
    #[tokio::test]
    async fn a_connection_that_the_worker_closed_costs_no_request() {
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move {
            for _ in 0..20 {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
                stream.write_all(answer).await.unwrap();
            }
        });
        let client = client();
        for _ in 0..20 {
            assert_eq!(get(&client, port).await.unwrap(), "ab");
            sleep(Duration::from_millis(5)).await;
        }
        server.await.unwrap();
    }

    #[tokio::test]
    async fn dropping_a_call_closes_its_connection() {
        let (listener, port) = listen().await;
        let client = client();
        let mut call = Box::pin(get(&client, port));
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
    }

    #[tokio::test]
    async fn a_truncated_or_endless_answer_is_an_error() {
        let (listener, port) = listen().await;
        let long = format!("Content-Length: 200\r\n\r\n{}", "x".repeat(200));
        let server = tokio::spawn(async move {
            for answer in ["", "Content-Length: 9\r\n\r\nab", &long] {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(read_request(&mut stream).await);
                let answer = format!("HTTP/1.1 200 OK\r\n{answer}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let client = client();
        let too_long = CallFailure::BadAnswer("it is longer than 100 bytes".to_owned());
        for expected in [CallFailure::Lost, CallFailure::Lost, too_long] {
            assert_eq!(get(&client, port).await.unwrap_err(), expected);
        }
        server.await.unwrap();
        assert_eq!(get(&client, port).await.unwrap_err(), CallFailure::NotSent);
    }
}
