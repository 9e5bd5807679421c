//! The connection to the daemon: made, lost, made again by itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until};

use super::message::{self, ConsoleMessage};
use crate::admin::api::{AdminLine, AdminRequest};
use crate::admin::client::{AdminClient, ClientError};
use crate::base::clock::Clock;

/// The first wait after a loss, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// A daemon that does not take a request for so long is lost.
const SEND_PATIENCE: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<AdminClient, ClientError>>>>;

/// The connection.
pub(super) struct DaemonConnection {
    path: PathBuf,
    clock: Clock,
    phase: LinkPhase,
    wait: Duration,
    /// Said, and not yet heard by the console.
    told: Vec<ConsoleMessage>,
}

enum LinkPhase {
    Down { until: Instant },
    Opening(Opening),
    Up(Box<LiveLink>),
}

struct LiveLink {
    client: AdminClient,
    asked: HashMap<u64, AdminRequest>,
    sequence: u64,
}

impl DaemonConnection {
    pub(super) fn new(path: PathBuf, clock: Clock) -> Self {
        Self {
            path,
            clock,
            phase: LinkPhase::Down {
                until: Instant::now(),
            },
            wait: WAITS.0,
            told: Vec::new(),
        }
    }

    /// What happens next. Cancel-safe.
    pub(super) async fn next(&mut self) -> ConsoleMessage {
        loop {
            if let Some(message) = self.told.pop() {
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
                        self.wait = WAITS.0;
                        self.phase = LinkPhase::Up(Box::new(LiveLink {
                            client,
                            asked: HashMap::new(),
                            sequence: 0,
                        }));
                        return ConsoleMessage::Link(message::LinkState::Live);
                    }
                    Err(e) => self.lose(&e),
                },
                LinkPhase::Up(up) => match up.next().await {
                    Ok(Some(message)) => return message,
                    Ok(None) => {}
                    Err(e) => self.lose(&e),
                },
            }
        }
    }

    /// Sends a request; a daemon that is not there does not get it.
    pub(super) async fn send(&mut self, request: AdminRequest) {
        let LinkPhase::Up(up) = &mut self.phase else {
            return;
        };
        let sent = tokio::time::timeout(SEND_PATIENCE, up.client.send(request.clone())).await;
        match sent.unwrap_or(Err(ClientError::Silent)) {
            Ok(id) => drop(up.asked.insert(id, request)),
            Err(e) => self.lose(&e),
        }
    }

    fn lose(&mut self, why: &ClientError) {
        let lost = message::LinkState::Lost {
            why: why.to_string(),
            retry_at: self.clock.now() + SignedDuration::try_from(self.wait).unwrap_or_default(),
        };
        self.phase = LinkPhase::Down {
            until: Instant::now() + self.wait,
        };
        self.wait = (self.wait * 2).min(WAITS.1);
        self.told.push(ConsoleMessage::Link(lost));
    }
}

impl LiveLink {
    async fn next(&mut self) -> Result<Option<ConsoleMessage>, ClientError> {
        let line = self.client.next().await?;
        if let AdminLine::Update { sequence, .. } = line {
            let expected = self.sequence + 1;
            self.sequence = sequence;
            if sequence != expected {
                // Something was missed, so everything is asked for anew.
                self.client.send(AdminRequest::Follow).await?;
            }
        }
        Ok(ConsoleMessage::of(line, &mut self.asked))
    }
}
