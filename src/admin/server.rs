//! Answers on the socket. One task a connection; a console that stops reading holds up nobody but itself.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::BufReader;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::time::timeout;

use super::api::{
    AdminAnswer, AdminCall, AdminLine, AdminRefusal, AdminRequest, AdminStream, AdminUpdate, EventView,
    Hello, PROTOCOL,
};
use super::desk::Desk;
use super::feed::{Feed, Follower};
use super::lines::{self, LineError};
use super::stream::Piece;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::{LogEvent, Ring};

/// Consoles at once; more wait.
const MAX_CONNECTIONS: usize = 64;

/// Events in one line, so that it stays far below the longest that is taken.
const EVENTS_A_LINE: usize = 200;

/// A reader that takes nothing for so long is let go.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// Answers on `listener` until the lifecycle stops.
pub(super) async fn serve(listener: UnixListener, desk: Desk, feed: Feed, ring: Ring, lifecycle: Lifecycle) {
    let stopping = lifecycle.stopping();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = stopping.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(e) => {
                tracing::warn!(reason = %e, "admin.accept_failed");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let connection = Connection::new(stream, desk.clone(), feed.clone(), ring.clone());
        let stopping = stopping.clone();
        lifecycle.spawn("admin connection", async move {
            tokio::select! {
                () = connection.run() => {}
                () = stopping.cancelled() => {}
            }
            drop(permit);
        });
    }
}

struct Connection {
    read: BufReader<tokio::net::unix::OwnedReadHalf>,
    write: OwnedWriteHalf,
    desk: Desk,
    feed: Feed,
    ring: Ring,
    /// Who is at the other end, for the log of acts.
    uid: Option<u32>,
    sequence: u64,
}

/// What a connection that follows listens to.
struct Following {
    state: Follower,
    log: broadcast::Receiver<Arc<LogEvent>>,
}

impl Connection {
    fn new(stream: UnixStream, desk: Desk, feed: Feed, ring: Ring) -> Self {
        let uid = stream.peer_cred().ok().map(|cred| cred.uid());
        let (read, write) = stream.into_split();
        Self {
            read: BufReader::new(read),
            write,
            desk,
            feed,
            ring,
            uid,
            sequence: 0,
        }
    }

    async fn run(mut self) {
        let hello = Hello {
            protocol: PROTOCOL,
            program: env!("CARGO_PKG_VERSION").into(),
        };
        if put(&mut self.write, &hello).await.is_err() {
            return;
        }
        if let Err(e) = self.converse().await {
            tracing::debug!(reason = %e, "admin.connection_ended");
        }
    }

    async fn converse(&mut self) -> Result<(), LineError> {
        let mut buffer = Vec::new();
        let mut following: Option<Following> = None;
        loop {
            let call = tokio::select! {
                call = lines::read::<AdminCall>(&mut self.read, &mut buffer) => call,
                updates = changes(&mut following, &self.ring) => {
                    for update in updates {
                        self.update(update).await?;
                    }
                    continue;
                }
            };
            let call = match call {
                Ok(call) => call,
                Err(LineError::Closed) => return Ok(()),
                // What follows such a line can't be trusted to begin where it seems to.
                Err(e @ (LineError::TooLong | LineError::Lost(_))) => {
                    self.refuse(0, AdminRefusal::Invalid(e.to_string())).await?;
                    return Err(e);
                }
                Err(LineError::Shape(what)) => {
                    buffer.clear();
                    self.refuse(0, AdminRefusal::Invalid(format!("a line can't be read: {what}")))
                        .await?;
                    continue;
                }
            };
            let AdminCall { id, request } = call;
            let answer = match request {
                AdminRequest::Read(read) => self.desk.read(&read),
                AdminRequest::Act(act) => self.desk.act(act, self.uid).await,
                AdminRequest::Stream(stream) => self.stream(id, &stream).await?,
                AdminRequest::Follow => {
                    put(
                        &mut self.write,
                        &AdminLine::Answer {
                            id,
                            answer: AdminAnswer::Following,
                        },
                    )
                    .await?;
                    following = Some(self.follow().await?);
                    continue;
                }
            };
            match answer {
                Ok(answer) => put(&mut self.write, &AdminLine::Answer { id, answer }).await?,
                Err(refusal) => self.refuse(id, refusal).await?,
            }
        }
    }

    /// Sends something in parts. Returns the answer that ends it.
    async fn stream(
        &mut self,
        id: u64,
        stream: &AdminStream,
    ) -> Result<Result<AdminAnswer, AdminRefusal>, LineError> {
        let mut pieces = self.desk.stream(stream, self.uid);
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Part(bytes) => {
                    let part = STANDARD.encode(bytes);
                    put(&mut self.write, &AdminLine::Part { id, part }).await?;
                }
                Piece::End(end) => return Ok(end.map(AdminAnswer::Streamed)),
            }
        }
        Ok(Err(AdminRefusal::Internal(
            "it broke in the middle; the log says why".into(),
        )))
    }

    /// Sends the whole, once.
    async fn follow(&mut self) -> Result<Following, LineError> {
        let (events, log) = self.ring.follow();
        let mut state = self.feed.follow();
        for update in state.changed() {
            self.update(update).await?;
        }
        for update in log_updates(&events, true) {
            self.update(update).await?;
        }
        Ok(Following { state, log })
    }

    async fn update(&mut self, update: AdminUpdate) -> Result<(), LineError> {
        self.sequence += 1;
        put(
            &mut self.write,
            &AdminLine::Update {
                sequence: self.sequence,
                update,
            },
        )
        .await
    }

    async fn refuse(&mut self, id: u64, refusal: AdminRefusal) -> Result<(), LineError> {
        put(&mut self.write, &AdminLine::Refused { id, refusal }).await
    }
}

/// Waits for something new. Never ends for a connection that does not follow.
async fn changes(following: &mut Option<Following>, ring: &Ring) -> Vec<AdminUpdate> {
    let Some(following) = following else {
        return std::future::pending().await;
    };
    tokio::select! {
        updates = following.state.next() => updates,
        event = following.log.recv() => match event {
            Ok(first) => {
                let mut events = vec![first];
                while let Ok(event) = following.log.try_recv() {
                    events.push(event);
                }
                log_updates(&events, false)
            }
            // It fell behind, so it gets the ring anew.
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let (events, log) = ring.follow();
                following.log = log;
                log_updates(&events, true)
            }
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        },
    }
}

/// The events in lines that are short enough; only the first of them is anew.
fn log_updates(events: &[Arc<LogEvent>], anew: bool) -> Vec<AdminUpdate> {
    let part = |events: &[Arc<LogEvent>]| {
        events
            .iter()
            .map(|event| EventView {
                at: event.at,
                level: event.level.to_owned(),
                event: event.event.clone(),
                fields: event.fields.clone(),
            })
            .collect()
    };
    if events.is_empty() {
        let events = Vec::new();
        return vec![AdminUpdate::Log { anew, events }];
    }
    events
        .chunks(EVENTS_A_LINE)
        .enumerate()
        .map(|(n, events)| AdminUpdate::Log {
            anew: anew && n == 0,
            events: part(events),
        })
        .collect()
}

async fn put(write: &mut OwnedWriteHalf, value: &impl serde::Serialize) -> Result<(), LineError> {
    timeout(WRITE_PATIENCE, lines::write(write, value))
        .await
        .map_err(|_| LineError::Lost(std::io::ErrorKind::TimedOut.into()))?
}
