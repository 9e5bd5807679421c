//! The connection to the daemon: made, lost, made again by itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep_until};

use super::message::{self, Message};
use crate::admin::api::{Line, Request};
use crate::admin::client::{Client, ClientError};
use crate::base::clock::Clock;

/// The first wait after a loss, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// A daemon that does not take a request for so long is lost.
const SEND_PATIENCE: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<Client, ClientError>>>>;

/// The connection.
pub(super) struct Connection {
    path: PathBuf,
    clock: Clock,
    phase: Phase,
    wait: Duration,
    /// Said, and not yet heard by the console.
    told: Vec<Message>,
}

enum Phase {
    Down { until: Instant },
    Opening(Opening),
    Up(Box<Up>),
}

struct Up {
    client: Client,
    asked: HashMap<u64, Request>,
    sequence: u64,
}

impl Connection {
    pub(super) fn new(path: PathBuf, clock: Clock) -> Self {
        Self {
            path,
            clock,
            phase: Phase::Down {
                until: Instant::now(),
            },
            wait: WAITS.0,
            told: Vec::new(),
        }
    }

    /// What happens next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Message {
        loop {
            if let Some(message) = self.told.pop() {
                return message;
            }
            match &mut self.phase {
                Phase::Down { until } => {
                    sleep_until(*until).await;
                    let path = self.path.clone();
                    self.phase = Phase::Opening(Box::pin(async move {
                        let mut client = Client::connect(&path).await?;
                        client.send(Request::Follow).await?;
                        Ok(client)
                    }));
                }
                Phase::Opening(opening) => match opening.as_mut().await {
                    Ok(client) => {
                        self.wait = WAITS.0;
                        self.phase = Phase::Up(Box::new(Up {
                            client,
                            asked: HashMap::new(),
                            sequence: 0,
                        }));
                        return Message::Link(message::Link::Live);
                    }
                    Err(e) => self.lose(&e),
                },
                Phase::Up(up) => match up.next().await {
                    Ok(Some(message)) => return message,
                    Ok(None) => {}
                    Err(e) => self.lose(&e),
                },
            }
        }
    }

    /// Sends a request; a daemon that is not there does not get it.
    pub(super) async fn send(&mut self, request: Request) {
        let Phase::Up(up) = &mut self.phase else {
            return;
        };
        let sent = tokio::time::timeout(SEND_PATIENCE, up.client.send(request.clone())).await;
        match sent.unwrap_or(Err(ClientError::Silent)) {
            Ok(id) => drop(up.asked.insert(id, request)),
            Err(e) => self.lose(&e),
        }
    }

    fn lose(&mut self, why: &ClientError) {
        let lost = message::Link::Lost {
            why: why.to_string(),
            retry_at: self.clock.now() + SignedDuration::try_from(self.wait).unwrap_or_default(),
        };
        self.phase = Phase::Down {
            until: Instant::now() + self.wait,
        };
        self.wait = (self.wait * 2).min(WAITS.1);
        self.told.push(Message::Link(lost));
    }
}

impl Up {
    async fn next(&mut self) -> Result<Option<Message>, ClientError> {
        let line = self.client.next().await?;
        if let Line::Update { sequence, .. } = line {
            let expected = self.sequence + 1;
            self.sequence = sequence;
            if sequence != expected {
                // Something was missed, so everything is asked for anew.
                self.client.send(Request::Follow).await?;
            }
        }
        Ok(Message::of(line, &mut self.asked))
    }
}
