//! Serves the socket, one task per connection. A console that stops reading delays only itself.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::BufReader;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::time::timeout;

use super::api::{
    AdminAnswer, AdminCall, AdminLine, AdminRefusal, AdminRequest, AdminStream, AdminUpdate, Hello,
    LineError, PROTOCOL, read_line, write_line,
};
use super::feed::{Feed, Follower};
use super::service::AdminService;
use super::stream::StreamPiece;
use super::views::EventView;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::{LogEvent, Ring};

/// The maximum number of concurrent connections. Further ones wait.
const MAX_CONNECTIONS: usize = 64;

/// Events per line, which keeps the line far below the limit.
const EVENTS_PER_LINE: usize = 200;

/// A client that accepts nothing for this long is disconnected.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves `listener` until the lifecycle stops.
pub(super) async fn serve(
    listener: UnixListener,
    service: AdminService,
    feed: Feed,
    ring: Ring,
    lifecycle: Lifecycle,
) {
    let stopping = lifecycle.stopping();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = async {
            let permit = Arc::clone(&slots).acquire_owned().await;
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
        let connection = AdminConnection::new(stream, service.clone(), feed.clone(), ring.clone());
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

struct AdminConnection {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    service: AdminService,
    feed: Feed,
    ring: Ring,
    /// The peer's uid, for the log of acts.
    uid: Option<u32>,
    sequence: u64,
}

/// The sources of updates for a following connection.
struct Following {
    views: Follower,
    log: broadcast::Receiver<Arc<LogEvent>>,
}

/// An [`AdminLine::Update`] whose content is already serialized.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum UpdateLine<'a> {
    Update { sequence: u64, update: &'a RawValue },
}

impl AdminConnection {
    fn new(stream: UnixStream, service: AdminService, feed: Feed, ring: Ring) -> Self {
        let uid = stream.peer_cred().ok().map(|cred| cred.uid());
        let (read, write) = stream.into_split();
        Self {
            read: BufReader::new(read),
            write,
            service,
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
        if self.put(&hello).await.is_err() {
            return;
        }
        if let Err(e) = self.answer_calls().await {
            tracing::debug!(reason = %e, "admin.connection_ended");
        }
    }

    async fn answer_calls(&mut self) -> Result<(), LineError> {
        let mut buffer = Vec::new();
        let mut following: Option<Following> = None;
        loop {
            let call = tokio::select! {
                call = read_line::<AdminCall>(&mut self.read, &mut buffer) => call,
                updates = changes(&mut following, &self.ring) => {
                    self.update(&updates).await?;
                    continue;
                }
            };
            let AdminCall { id, request } = match call {
                Ok(call) => call,
                Err(LineError::Closed) => return Ok(()),
                // After an overlong line, the next bytes may be the rest of it, so the connection is closed.
                Err(e @ (LineError::TooLong | LineError::Lost(_))) => {
                    self.refuse(0, AdminRefusal::Invalid(e.to_string())).await?;
                    return Err(e);
                }
                Err(LineError::Shape(what)) => {
                    buffer.clear();
                    let refusal = AdminRefusal::Invalid(format!("a line can't be read: {what}"));
                    self.refuse(0, refusal).await?;
                    continue;
                }
            };
            let answer = match request {
                AdminRequest::Read(read) => self.service.read(&read),
                AdminRequest::Act(act) => self.service.act(act, self.uid).await,
                AdminRequest::Stream(stream) => self.stream(id, &stream).await?,
                AdminRequest::Follow => {
                    let answer = AdminAnswer::Following;
                    self.put(&AdminLine::Answer { id, answer }).await?;
                    following = Some(self.follow().await?);
                    continue;
                }
            };
            match answer {
                Ok(answer) => self.put(&AdminLine::Answer { id, answer }).await?,
                Err(refusal) => self.refuse(id, refusal).await?,
            }
        }
    }

    /// Sends the parts of a stream. Returns the answer that ends it.
    async fn stream(
        &mut self,
        id: u64,
        stream: &AdminStream,
    ) -> Result<Result<AdminAnswer, AdminRefusal>, LineError> {
        let mut pieces = self.service.stream(stream, self.uid);
        while let Some(piece) = pieces.recv().await {
            match piece {
                StreamPiece::Part(bytes) => {
                    let part = STANDARD.encode(bytes);
                    self.put(&AdminLine::Part { id, part }).await?;
                }
                StreamPiece::End(end) => return Ok(end.map(AdminAnswer::Streamed)),
            }
        }
        Ok(Err(AdminRefusal::Internal(
            "the stream broke off; the log says why".into(),
        )))
    }

    /// Sends every view and the recent events, and subscribes to changes.
    async fn follow(&mut self) -> Result<Following, LineError> {
        let (events, log) = self.ring.follow();
        let mut views = self.feed.follow();
        self.update(&views.changed()).await?;
        self.update(&log_updates(&events, true)).await?;
        Ok(Following { views, log })
    }

    async fn update(&mut self, updates: &[Arc<RawValue>]) -> Result<(), LineError> {
        for update in updates {
            self.sequence += 1;
            let sequence = self.sequence;
            self.put(&UpdateLine::Update { sequence, update }).await?;
        }
        Ok(())
    }

    async fn refuse(&mut self, id: u64, refusal: AdminRefusal) -> Result<(), LineError> {
        self.put(&AdminLine::Refused { id, refusal }).await
    }

    async fn put(&mut self, line: &impl Serialize) -> Result<(), LineError> {
        timeout(WRITE_TIMEOUT, write_line(&mut self.write, line))
            .await
            .map_err(|_| LineError::Lost(std::io::ErrorKind::TimedOut.into()))?
    }
}

/// Waits for new updates. Never returns for a connection that does not follow.
async fn changes(following: &mut Option<Following>, ring: &Ring) -> Vec<Arc<RawValue>> {
    let Some(following) = following else {
        return std::future::pending().await;
    };
    tokio::select! {
        updates = following.views.next() => updates,
        event = following.log.recv() => match event {
            Ok(first) => {
                let mut events = vec![first];
                while let Ok(event) = following.log.try_recv() {
                    events.push(event);
                }
                log_updates(&events, false)
            }
            // The connection fell behind, so all recent events are sent again.
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let (events, log) = ring.follow();
                following.log = log;
                log_updates(&events, true)
            }
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        },
    }
}

/// Splits events into lines that are short enough. Only the first can be `anew`.
fn log_updates(events: &[Arc<LogEvent>], anew: bool) -> Vec<Arc<RawValue>> {
    let view = |event: &Arc<LogEvent>| EventView {
        at: event.at,
        level: event.level.to_owned(),
        event: event.event.clone(),
        fields: event.fields.clone(),
    };
    let mut chunks: Vec<Vec<EventView>> = events
        .chunks(EVENTS_PER_LINE)
        .map(|chunk| chunk.iter().map(view).collect())
        .collect();
    if chunks.is_empty() {
        chunks.push(Vec::new());
    }
    let updates = chunks
        .into_iter()
        .enumerate()
        .map(|(n, events)| AdminUpdate::Log {
            anew: anew && n == 0,
            events,
        });
    // Events are plain JSON values, which always serialize.
    updates
        .filter_map(|update| to_raw_value(&update).ok().map(Arc::from))
        .collect()
}
