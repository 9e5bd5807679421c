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
    let server = HttpServer {
        limits,
        ..HttpServer::new(listener)
    };
    lifecycle.spawn("server", server.serve(handle, lifecycle.stopping()));
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
