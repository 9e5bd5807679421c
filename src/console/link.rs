//! The connection to the daemon. It reconnects automatically.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until};

use super::state::{ConsoleMessage, LinkState};
use crate::admin::api::{AdminLine, AdminRequest};
use crate::admin::client::{AdminClient, ClientError};
use crate::base::clock::Clock;

/// Pause after the first loss. It doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);

const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The connection counts as lost if the daemon does not accept a request for this long.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<AdminClient, ClientError>>>>;

pub(super) struct DaemonConnection {
    path: PathBuf,
    clock: Clock,
    phase: LinkPhase,
    pause: Duration,
    /// A lost connection that has not been reported to the console yet.
    lost: Option<ConsoleMessage>,
}

enum LinkPhase {
    Down { until: Instant },
    Opening(Opening),
    Up(Box<LiveLink>),
}

struct LiveLink {
    client: AdminClient,
    /// Requests waiting for an answer, by call id.
    pending: HashMap<u64, AdminRequest>,
    sequence: u64,
}

impl DaemonConnection {
    pub(super) fn new(path: PathBuf, clock: Clock) -> Self {
        let until = Instant::now();
        Self {
            path,
            clock,
            phase: LinkPhase::Down { until },
            pause: FIRST_PAUSE,
            lost: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next message. Cancel-safe.
    pub(super) async fn next(&mut self) -> ConsoleMessage {
        loop {
            if let Some(message) = self.lost.take() {
                return message;
            }
            match &mut self.phase {
                LinkPhase::Down { until } => {
                    sleep_until(*until).await;
                    let path = self.path.clone();
                    self.phase = LinkPhase::Opening(Box::pin(async move {
                        let mut client = AdminClient::connect(&path).await?;
                        client.send(AdminRequest::Follow).await?;
                        Ok(client)
                    }));
                }
                LinkPhase::Opening(opening) => match opening.as_mut().await {
                    Ok(client) => {
                        self.pause = FIRST_PAUSE;
                        self.phase = LinkPhase::Up(Box::new(LiveLink {
                            client,
                            pending: HashMap::new(),
                            sequence: 0,
                        }));
                        return ConsoleMessage::Link(LinkState::Live);
                    }
                    Err(e) => self.lose(&e),
                },
                LinkPhase::Up(live) => match live.next().await {
                    Ok(Some(message)) => return message,
                    Ok(None) => {}
                    Err(e) => self.lose(&e),
                },
            }
        }
    }

    /// Sends a request. It is dropped while the daemon is not connected.
    pub(super) async fn send(&mut self, request: AdminRequest) {
        let LinkPhase::Up(live) = &mut self.phase else {
            return;
        };
        let sent = tokio::time::timeout(SEND_TIMEOUT, live.client.send(request.clone())).await;
        match sent.unwrap_or(Err(ClientError::Silent)) {
            Ok(id) => drop(live.pending.insert(id, request)),
            Err(e) => self.lose(&e),
        }
    }

    fn lose(&mut self, why: &ClientError) {
        self.lost = Some(ConsoleMessage::Link(LinkState::Lost {
            why: why.to_string(),
            retry_at: self.clock.now() + SignedDuration::try_from(self.pause).unwrap_or_default(),
        }));
        let until = Instant::now() + self.pause;
        self.phase = LinkPhase::Down { until };
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }
}

impl LiveLink {
    async fn next(&mut self) -> Result<Option<ConsoleMessage>, ClientError> {
        let line = self.client.next().await?;
        if let AdminLine::Update { sequence, .. } = line {
            let expected = self.sequence + 1;
            self.sequence = sequence;
            if sequence != expected {
                // An update was missed, so request all views again.
                self.client.send(AdminRequest::Follow).await?;
            }
        }
        Ok(message_of(line, &mut self.pending))
    }
}

/// The message in a line from the daemon. An answer removes its request from `pending`.
pub(super) fn message_of(
    line: AdminLine,
    pending: &mut HashMap<u64, AdminRequest>,
) -> Option<ConsoleMessage> {
    let (id, answer) = match line {
        AdminLine::Answer { id, answer } => (id, Ok(Box::new(answer))),
        AdminLine::Refused { id, refusal } => (id, Err(refusal.to_string())),
        // The console requests no streams.
        AdminLine::Part { .. } => return None,
        AdminLine::Update { update, .. } => return Some(ConsoleMessage::Update(Box::new(update))),
    };
    let request = pending.remove(&id)?;
    Some(ConsoleMessage::Answer(request, answer))
}
