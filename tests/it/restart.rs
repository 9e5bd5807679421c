//! Tests with a service manager that keeps the listening socket: clients that connect during a restart wait for the
//! new process. The manager is a stub that uses systemd's protocol; the gateway is the real program.

use std::fmt::Write as _;
use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::whole::ports;

/// A stub of systemd for a unit with `Type=notify` and `FileDescriptorStoreMax=1`.
struct Manager {
    dir: tempfile::TempDir,
    told: UnixDatagram,
    kept: Option<OwnedFd>,
    /// All notifications received since the last start.
    heard: String,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let told = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        told.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self {
            dir,
            told,
            kept: None,
            heard: String::new(),
        }
    }

    /// Starts the gateway with the kept socket, if any, and waits until it reports that it is ready.
    fn start(&mut self, address: SocketAddr) -> Child {
        let at = |name: &str| self.dir.path().join(name);
        // The shell moves the socket to descriptor 3 and then executes the gateway in its place.
        let handed = match &self.kept {
            Some(_) => "LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=listener exec \"$0\" serve 3<&0 </dev/null",
            None => "exec \"$0\" serve",
        };
        let gateway = Command::new("/bin/sh")
            .args(["-c", handed, env!("CARGO_BIN_EXE_garmin-gateway")])
            .env_clear()
            .env("NOTIFY_SOCKET", at("notify"))
            .env("BIND_ADDRESS", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .env("DATA_DIR", at("data"))
            .env("RUNTIME_DIR", at("runtime"))
            .env("GATEWAY_SECRET_FILE", at("secret"))
            .current_dir(self.dir.path())
            .stdin(match &self.kept {
                Some(kept) => Stdio::from(kept.try_clone().unwrap()),
                None => Stdio::null(),
            })
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.heard.clear();
        while !self.heard.contains("READY=1") {
            self.hear();
        }
        gateway
    }

    fn hear(&mut self) {
        let mut text = [0; 512];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let got = recvmsg(&self.told, &mut [IoSliceMut::new(&mut text)], &mut beside, flags).unwrap();
        let text = std::str::from_utf8(&text[..got.bytes]).unwrap();
        if text.contains("FDSTOREREMOVE=1") {
            self.kept = None;
        }
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(sockets) = message {
                assert!(
                    text.contains("FDSTORE=1") && text.contains("FDNAME=listener"),
                    "{text}"
                );
                self.kept = sockets.last();
            }
        }
        self.heard.write_str(text).unwrap();
    }
}

fn stop(mut gateway: Child, signal: Signal) {
    kill(Pid::from_raw(gateway.id().try_into().unwrap()), signal).unwrap();
    gateway.wait().unwrap();
}

/// Connects and sends a request that only a running gateway answers.
async fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await.unwrap();
    stream
}

async fn answered(mut stream: TcpStream) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, ports(1)).into()
}

#[tokio::test]
async fn who_connects_while_the_gateway_is_restarted_waits() {
    let mut manager = Manager::new();
    let address = free_address();
    let mut gateway = manager.start(address);
    assert!(manager.kept.is_some(), "{}", manager.heard);
    answered(ask(address).await).await;

    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        stop(gateway, signal);
        let waiting = ask(address).await;
        gateway = manager.start(address);
        assert!(!manager.heard.contains("FDSTORE"), "the same socket is kept once");
        answered(waiting).await;
        answered(ask(address).await).await;
    }

    // When the settings name another port, the kept socket is closed and nothing listens on the old port.
    stop(gateway, Signal::SIGTERM);
    let other = free_address();
    let gateway = manager.start(other);
    answered(ask(other).await).await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(listeners(gateway.id()), 1);
    stop(gateway, Signal::SIGTERM);
    let again = manager.start(other);
    assert_eq!(listeners(again.id()), 1, "one listener, handed over or not");
    stop(again, Signal::SIGTERM);
}

/// The number of a process's descriptors that listen for TCP connections.
fn listeners(pid: u32) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    // Columns: sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …; the state 0A is LISTEN.
    let listening: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.get(3) == Some(&"0A"))
        .map(|fields| format!("socket:[{}]", fields[9]))
        .collect();
    let open = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")).unwrap();
    open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|link| listening.iter().any(|socket| link.as_os_str() == socket.as_str()))
        .count()
}
