//! The task that keeps the connection: opens it, reopens it, and decides when something is published.

use std::collections::BTreeMap;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, Outgoing, Packet, QoS};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::{back_off, prepare, read_error};
use super::desk::BrokerDesk;
use super::device::ONLINE;
use crate::accounts::AccountId;
use crate::config::{BrokerConfig, ChannelConfig, Live};
use crate::notify::send_error::SendError;
use crate::race::home::HomeState;

/// Least time between two writes of the athletes' states.
const PACE: Duration = Duration::from_secs(3);

/// How long a message waits for a connection that is being made, and then for the broker's answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A failure that may pass by itself is reported to the operator after this many in a row.
const REPORTED_AFTER: u32 = 3;

/// The athletes with a device.
type Athletes = BTreeMap<AccountId, HomeState>;

/// The connection to the broker, shared by the senders of messages and the task that keeps it.
#[derive(Debug)]
pub(in crate::notify) struct BrokerLink {
    state: watch::Sender<BrokerState>,
    /// `None` until the races have reported them for the first time. Until then nothing is cleared at the broker.
    athletes: watch::Sender<Option<Athletes>>,
}

#[derive(Clone, Debug)]
enum BrokerState {
    /// No broker is set up.
    Off,
    /// The first connection is being made.
    Connecting,
    Connected(AsyncClient),
    Failing {
        error: SendError,
        /// The failures in a row.
        times: u32,
    },
}

/// Why a connection has ended.
enum LinkEnd {
    /// The gateway left, because it stops or the settings have changed.
    Left,
    Failed(SendError),
}

/// What the task learns from the broker.
enum BrokerNews {
    Connected,
    /// Home Assistant has started, and knows no device yet.
    Birth,
    /// The broker retains a state of this person.
    Kept(String),
}

/// The settings that a connection was made with.
struct LinkSettings {
    channel: ChannelConfig,
    broker: BrokerConfig,
}

impl LinkSettings {
    fn of(live: &Live) -> Option<Self> {
        Some(Self {
            channel: live.notify.mqtt.clone()?,
            broker: live.notify.broker.clone(),
        })
    }

    /// Whether a connection that was made with the other settings can stay open. The list of people does not matter
    /// here.
    fn has_link_of(&self, other: &Self) -> bool {
        self.channel.url == other.channel.url
            && self.channel.token == other.channel.token
            && self.broker == other.broker
    }

    /// Whether both settings publish on the same topics of the same broker.
    fn has_topics_of(&self, other: &Self) -> bool {
        self.channel.url == other.channel.url
            && self.broker.topic == other.broker.topic
            && self.broker.discovery == other.broker.discovery
    }
}

impl Default for BrokerLink {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(BrokerState::Off),
            athletes: watch::Sender::new(None),
        }
    }
}

impl BrokerLink {
    /// Publishes a message. It has arrived when this returns without an error.
    pub(in crate::notify) async fn publish(&self, topic: String, payload: String) -> Result<(), SendError> {
        let client = self.client().await?;
        let arrived = async {
            let notice = client
                .publish_tracked(topic, QoS::AtLeastOnce, false, payload)
                .await;
            notice.ok()?.wait_async().await.ok()
        };
        let arrived = timeout(PATIENCE, arrived).await;
        arrived.ok().flatten().ok_or(SendError::Unreachable)
    }

    /// The client of the connection. Waits while a connection is being made.
    async fn client(&self) -> Result<AsyncClient, SendError> {
        let mut state = self.state.subscribe();
        let is_settled = |state: &BrokerState| !matches!(state, BrokerState::Connecting);
        match timeout(PATIENCE, state.wait_for(is_settled)).await {
            Ok(Ok(state)) => match &*state {
                BrokerState::Connected(client) => Ok(client.clone()),
                BrokerState::Failing { error, .. } => Err(error.clone()),
                BrokerState::Off | BrokerState::Connecting => Err(SendError::Unreachable),
            },
            _ => Err(SendError::Unreachable),
        }
    }

    /// Sets which athletes have a device, and their states.
    pub(in crate::notify) fn show(&self, athletes: Athletes) {
        self.athletes.send_if_modified(|shown| {
            let is_new = shown.as_ref() != Some(&athletes);
            *shown = Some(athletes);
            is_new
        });
    }

    /// The error that the operator should know about.
    pub(in crate::notify) fn trouble(&self) -> Option<SendError> {
        match &*self.state.borrow() {
            BrokerState::Failing { error, times } => {
                let is_told = !error.passes_by_itself() || *times >= REPORTED_AFTER;
                is_told.then(|| error.clone())
            }
            BrokerState::Off | BrokerState::Connecting | BrokerState::Connected(_) => None,
        }
    }

    /// Keeps a connection to the configured broker until `stopping` is cancelled. Each device links to `page`.
    pub(in crate::notify) async fn keep(
        &self,
        mut live: watch::Receiver<Live>,
        page: &str,
        stopping: CancellationToken,
    ) {
        let mut failures = 0;
        loop {
            let settings = LinkSettings::of(&live.borrow_and_update());
            let Some(settings) = settings else {
                failures = 0;
                self.state.send_replace(BrokerState::Off);
                tokio::select! {
                    () = stopping.cancelled() => return,
                    changed = live.changed() => if changed.is_err() { return },
                }
                continue;
            };
            if failures == 0 {
                self.state.send_replace(BrokerState::Connecting);
            }
            let end = self.connect(&settings, &mut live, page, &stopping).await;
            let was_connected = matches!(&*self.state.borrow(), BrokerState::Connected(_));
            let error = match end {
                LinkEnd::Left if stopping.is_cancelled() || live.has_changed().is_err() => return,
                LinkEnd::Left => {
                    failures = 0;
                    continue;
                }
                LinkEnd::Failed(error) => error,
            };
            failures = if was_connected { 1 } else { failures + 1 };
            if failures == 1 || !error.passes_by_itself() {
                tracing::warn!(reason = error.name(), times = failures, "mqtt.failed");
            }
            let wait = back_off(&error, failures);
            self.state.send_replace(BrokerState::Failing {
                error,
                times: failures,
            });
            tokio::select! {
                () = stopping.cancelled() => return,
                changed = live.changed() => if changed.is_err() { return } else { failures = 0 },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One connection, from its opening to its end.
    async fn connect(
        &self,
        settings: &LinkSettings,
        live: &mut watch::Receiver<Live>,
        page: &str,
        stopping: &CancellationToken,
    ) -> LinkEnd {
        let (client, mut events) = match prepare(&settings.channel, &settings.broker) {
            Ok(prepared) => prepared,
            Err(error) => return LinkEnd::Failed(error),
        };
        let (tell, heard) = mpsc::unbounded_channel();
        let broker = &settings.broker;
        let pump = async {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(packet)) => {
                        // The receiver lives as long as this loop.
                        news_of(broker, &packet).map(|news| tell.send(news).ok());
                    }
                    Ok(Event::Outgoing(Outgoing::Disconnect)) => return LinkEnd::Left,
                    Ok(Event::Outgoing(_)) => {}
                    Err(error) => return LinkEnd::Failed(read_error(&error)),
                }
            }
        };
        let desk = BrokerDesk::new(client, broker, page);
        tokio::select! {
            end = pump => end,
            end = self.serve(desk, settings, heard, live, stopping) => end,
        }
    }

    /// Publishes over the connection until the settings change or the gateway stops.
    async fn serve(
        &self,
        mut desk: BrokerDesk<'_>,
        settings: &LinkSettings,
        mut heard: mpsc::UnboundedReceiver<BrokerNews>,
        live: &mut watch::Receiver<Live>,
        stopping: &CancellationToken,
    ) -> LinkEnd {
        let mut athletes = self.athletes.subscribe();
        athletes.mark_changed();
        let (mut is_connected, mut is_due) = (false, false);
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = stopping.cancelled() => {
                    if is_connected {
                        desk.leave().await;
                    }
                    return LinkEnd::Left;
                }
                changed = live.changed() => {
                    // The sender of the settings is dropped when the gateway stops.
                    if changed.is_err() {
                        if is_connected {
                            desk.leave().await;
                        }
                        return LinkEnd::Left;
                    }
                    let now = LinkSettings::of(&live.borrow_and_update());
                    if now.as_ref().is_some_and(|now| now.has_link_of(settings)) {
                        continue;
                    }
                    if is_connected && now.is_some_and(|now| now.has_topics_of(settings)) {
                        desk.part().await;
                    } else if is_connected {
                        desk.clear_all().await;
                        desk.leave().await;
                    }
                    return LinkEnd::Left;
                }
                news = heard.recv() => match news {
                    Some(BrokerNews::Connected) => {
                        is_connected = true;
                        if !desk.greet().await {
                            return LinkEnd::Failed(SendError::Unreachable);
                        }
                        tracing::info!("mqtt.connected");
                        self.state.send_replace(BrokerState::Connected(desk.client()));
                        is_due = true;
                    }
                    Some(BrokerNews::Birth) => {
                        desk.announce_again();
                        is_due = true;
                    }
                    Some(BrokerNews::Kept(person)) => {
                        desk.add_kept(person);
                        is_due = true;
                    }
                    None => return LinkEnd::Failed(SendError::Unreachable),
                },
                changed = athletes.changed() => {
                    if changed.is_err() {
                        return LinkEnd::Left;
                    }
                    is_due = true;
                }
                () = sleep_until(next), if is_due && is_connected => {
                    (is_due, next) = (false, Instant::now() + PACE);
                    let wanted = athletes.borrow_and_update().clone();
                    if let Some(wanted) = wanted && !desk.write(&wanted).await {
                        return LinkEnd::Failed(SendError::Unreachable);
                    }
                }
            }
        }
    }
}

/// What the task learns from a packet, if anything.
fn news_of(broker: &BrokerConfig, packet: &Packet) -> Option<BrokerNews> {
    match packet {
        Packet::ConnAck(_) => Some(BrokerNews::Connected),
        Packet::Publish(publish) => {
            let topic = std::str::from_utf8(&publish.topic).ok()?;
            if topic == broker.birth_topic() {
                // A retained birth message is old: everything is published after each connection anyway.
                let is_birth = !publish.retain && publish.payload == ONLINE.as_bytes();
                return is_birth.then_some(BrokerNews::Birth);
            }
            let is_kept = publish.retain && !publish.payload.is_empty();
            let person = broker.person_of(topic).filter(|_| is_kept)?;
            Some(BrokerNews::Kept(person.to_owned()))
        }
        _ => None,
    }
}
