//! The gateway that started this worker: it stops the worker, grants permits, and gives the bearer token to require.
//!
//! Its end of the worker's standard input closes when the gateway ends, however it ends, so a worker never outlives it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};

use super::Error;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::TokenHash;
use crate::garmin::{Permission, PermitDesk, PermitRequest};
use crate::workers::{BEARER_FILE, PermitMessage, permit_channel};

/// How a supervised worker is connected to the gateway.
pub(super) struct Supervisor {
    /// The hash of the bearer token that the gateway left beside the Garmin tokens.
    pub(super) bearer: Option<TokenHash>,
    input: SupervisorInput,
}

enum SupervisorInput {
    /// Shows only that the gateway is alive.
    Pipe(pipe::Receiver),
    /// Also carries the requests for permits, and the permits.
    Socket(UnixStream),
}

impl Supervisor {
    /// Looks at standard input and at the directory of the Garmin `tokens`. `None` means that the worker was started by
    /// hand.
    pub(super) fn find(tokens: &Path) -> Result<Option<Self>, Error> {
        let stdin: OwnedFd = io::stdin().as_fd().try_clone_to_owned().map_err(Error::SetUp)?;
        let stdin = File::from(stdin);
        let kind = stdin.metadata().map_err(Error::SetUp)?.file_type();
        if !kind.is_fifo() && !kind.is_socket() {
            return Ok(None);
        }
        let bearer = read_bearer(&tokens.with_file_name(BEARER_FILE))?;
        let input = if kind.is_fifo() {
            SupervisorInput::Pipe(pipe::Receiver::from_file(stdin).map_err(Error::SetUp)?)
        } else if bearer.is_some() {
            let socket = StdUnixStream::from(OwnedFd::from(stdin));
            socket.set_nonblocking(true).map_err(Error::SetUp)?;
            SupervisorInput::Socket(UnixStream::from_std(socket).map_err(Error::SetUp)?)
        } else {
            // The standard input of a shell may be a socket too.
            return Ok(None);
        };
        Ok(Some(Self { bearer, input }))
    }

    /// Stops the worker when the gateway ends. Returns the desk at which to request permits, if the gateway grants
    /// them.
    pub(super) fn follow(self, lifecycle: &Lifecycle) -> Option<PermitDesk> {
        let told = lifecycle.clone();
        match self.input {
            SupervisorInput::Pipe(pipe) => {
                let stopping = lifecycle.stopping();
                lifecycle.spawn("supervisor", async move {
                    stopping.run_until_cancelled(end_of(pipe)).await;
                    told.stop();
                });
                None
            }
            SupervisorInput::Socket(socket) => {
                let (desk, requests) = mpsc::unbounded_channel();
                // A stopping worker still finishes its calls, so this task runs until no more permits can be requested.
                lifecycle.spawn("supervisor", async move {
                    ask_for_permits(socket, requests).await;
                    told.stop();
                });
                Some(desk)
            }
        }
    }
}

async fn end_of(mut pipe: pipe::Receiver) {
    let mut ignored = [0; 64];
    while pipe.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}

/// Passes on requests for permits, and the answers, until the gateway closes its end or nothing can send requests any
/// more.
async fn ask_for_permits(socket: UnixStream, mut requests: mpsc::UnboundedReceiver<PermitRequest>) {
    let (mut reader, mut writer) = permit_channel(socket);
    let mut waiting: VecDeque<oneshot::Sender<Permission>> = VecDeque::new();
    loop {
        tokio::select! {
            request = requests.recv() => {
                let message = match request {
                    Some(PermitRequest::Permit(reply)) => {
                        waiting.push_back(reply);
                        PermitMessage::Ask
                    }
                    Some(PermitRequest::Paused(until)) => PermitMessage::Paused(until),
                    None => return,
                };
                if !writer.send(message).await {
                    return;
                }
            }
            message = reader.next() => {
                let permission = match message {
                    Some(PermitMessage::Granted) => Ok(()),
                    Some(PermitMessage::Paused(until)) => Err(until),
                    Some(PermitMessage::Ask) | None => return,
                };
                // The request may have been cancelled. Its permit is lost then, because it can't be given back.
                if let Some(reply) = waiting.pop_front() {
                    reply.send(permission).ok();
                }
            }
        }
    }
}

/// The hash of the bearer token that the gateway left; `None` if there is no such file.
fn read_bearer(file: &Path) -> Result<Option<TokenHash>, Error> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(TokenHash::of(text.trim()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::Bearer(file.to_owned(), e)),
    }
}

/// Leaves an empty file for the gateway.
pub(super) fn create_marker(path: &Path) {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            tracing::warn!(reason = %e, "worker.mark_failed");
        }
        _ => {}
    }
}
