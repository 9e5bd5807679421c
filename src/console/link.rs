//! The connection to the daemon. It reconnects automatically.

use std::collections::{HashMap, VecDeque};
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
    /// What has not been reported to the console yet: a lost connection, and acts that it took along.
    unreported: VecDeque<ConsoleMessage>,
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
            unreported: VecDeque::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next message. Cancel-safe.
    pub(super) async fn next(&mut self) -> ConsoleMessage {
        loop {
            if let Some(message) = self.unreported.pop_front() {
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
                    Err(e) => self.lose(&e, 0),
                },
                LinkPhase::Up(live) => match live.next().await {
                    Ok(Some(message)) => return message,
                    Ok(None) => {}
                    Err(e) => self.lose(&e, 0),
                },
            }
        }
    }

    /// Sends a request. While the daemon is not connected, a read is dropped, and an act is refused.
    pub(super) async fn send(&mut self, request: AdminRequest) {
        let LinkPhase::Up(live) = &mut self.phase else {
            if is_act(&request) {
                let why = "the gateway is not connected".to_owned();
                self.unreported
                    .push_back(ConsoleMessage::Answer(request, Err(why)));
            }
            return;
        };
        let sent = tokio::time::timeout(SEND_TIMEOUT, live.client.send(request.clone())).await;
        match sent.unwrap_or(Err(ClientError::Silent)) {
            Ok(id) => drop(live.pending.insert(id, request)),
            Err(e) => {
                let half_sent = usize::from(is_act(&request));
                self.lose(&e, half_sent);
            }
        }
    }

    /// Closes the connection. `half_sent` is the number of acts that the daemon may have received in part.
    fn lose(&mut self, why: &ClientError, half_sent: usize) {
        let pending = match &self.phase {
            LinkPhase::Up(live) => live.pending.values().filter(|request| is_act(request)).count(),
            LinkPhase::Down { .. } | LinkPhase::Opening(_) => 0,
        };
        self.unreported.push_back(ConsoleMessage::Link(LinkState::Lost {
            why: why.to_string(),
            retry_at: self.clock.now() + SignedDuration::try_from(self.pause).unwrap_or_default(),
        }));
        let acts = pending + half_sent;
        if acts > 0 {
            self.unreported.push_back(ConsoleMessage::Unanswered(acts));
        }
        let until = Instant::now() + self.pause;
        self.phase = LinkPhase::Down { until };
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }
}

fn is_act(request: &AdminRequest) -> bool {
    matches!(request, AdminRequest::Act(_))
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
