//! A small MQTT 3.1.1 broker on a real socket: it keeps what is retained, acknowledges what is published, and can
//! refuse everybody. It forwards no published message to subscribers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::base::lifecycle::Lifecycle;

#[derive(Clone, Default)]
pub(super) struct BrokerStandIn {
    pub(super) url: String,
    told: Arc<Mutex<BrokerMemory>>,
    changed: Arc<Notify>,
    /// The return code of CONNACK.
    code: Arc<AtomicU8>,
}

#[derive(Clone, Default)]
pub(super) struct BrokerMemory {
    pub(super) kept: BTreeMap<String, String>,
    /// What was published without the retain flag.
    pub(super) passed: Vec<(String, String)>,
    pub(super) sign_ins: Vec<String>,
}

impl BrokerStandIn {
    /// Runs until the test ends, so that it receives the last messages of a gateway.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let broker = Self {
            url: format!("mqtt://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let (serving, lifecycle) = (broker.clone(), Lifecycle::new());
        let connections = lifecycle.clone();
        lifecycle.spawn("broker", async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                // The error is ignored: a client may disconnect in the middle of a read.
                connections.spawn(
                    "broker connection",
                    async move { drop(serving.serve(stream).await) },
                );
            }
        });
        broker
    }

    pub(super) fn refuse_with(&self, code: u8) {
        self.code.store(code, Ordering::SeqCst);
    }

    pub(super) fn keep(&self, topic: &str, payload: &str) {
        self.told.lock().kept.insert(topic.into(), payload.into());
    }

    /// Waits until what the broker was sent satisfies `is_wanted`, and returns it.
    pub(super) async fn wait_for(&self, is_wanted: impl Fn(&BrokerMemory) -> bool) -> BrokerMemory {
        loop {
            let changed = self.changed.notified();
            let told = self.told.lock().clone();
            if is_wanted(&told) {
                return told;
            }
            changed.await;
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let head = stream.read_u8().await?;
            let mut body = vec![0; length(&mut stream).await?];
            stream.read_exact(&mut body).await?;
            match head >> 4 {
                1 => {
                    let code = self.code.load(Ordering::SeqCst);
                    let signed_in = String::from_utf8_lossy(&body).into_owned();
                    self.told.lock().sign_ins.push(signed_in);
                    stream.write_all(&[0x20, 2, 0, code]).await?;
                }
                3 => self.take(&mut stream, head, &body).await?,
                8 => {
                    stream.write_all(&[0x90, 3, body[0], body[1], 1]).await?;
                    let filter = text(&body[2..]).0;
                    let kept = self.told.lock().kept.clone();
                    for (topic, payload) in kept {
                        if matches(&filter, &topic) {
                            stream.write_all(&publish(&topic, &payload)).await?;
                        }
                    }
                }
                12 => stream.write_all(&[0xd0, 0]).await?,
                14 => return Ok(()),
                // An acknowledgement.
                _ => {}
            }
            self.changed.notify_waiters();
        }
    }

    async fn take(&self, stream: &mut TcpStream, head: u8, body: &[u8]) -> std::io::Result<()> {
        let (topic, mut payload) = text(body);
        if head & 0x06 != 0 {
            stream.write_all(&[0x40, 2, payload[0], payload[1]]).await?;
            payload = &payload[2..];
        }
        let payload = String::from_utf8(payload.to_vec()).unwrap();
        let mut told = self.told.lock();
        match (head & 1 == 1, payload.is_empty()) {
            (true, true) => drop(told.kept.remove(&topic)),
            (true, false) => drop(told.kept.insert(topic, payload)),
            (false, _) => told.passed.push((topic, payload)),
        }
        Ok(())
    }
}

async fn length(stream: &mut TcpStream) -> std::io::Result<usize> {
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = stream.read_u8().await?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
        shift += 7;
    }
}

/// The text at the beginning of a body, and what follows it.
fn text(body: &[u8]) -> (String, &[u8]) {
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let (text, rest) = body[2..].split_at(length);
    (String::from_utf8(text.to_vec()).unwrap(), rest)
}

/// Whether a filter, in which `+` is any level, matches a topic.
fn matches(filter: &str, topic: &str) -> bool {
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    filter.len() == topic.len() && filter.iter().zip(topic).all(|(f, t)| *f == "+" || *f == t)
}

/// A retained message as a new subscriber gets it, cut so that its length fits into one byte.
fn publish(topic: &str, payload: &str) -> Vec<u8> {
    let payload = &payload[..payload.len().min(100 - topic.len())];
    let length = u8::try_from(2 + topic.len() + payload.len()).unwrap();
    let mut packet = vec![0x31, length, 0, u8::try_from(topic.len()).unwrap()];
    packet.extend(topic.bytes().chain(payload.bytes()));
    packet
}
