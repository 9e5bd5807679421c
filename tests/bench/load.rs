//! Two kinds of load: saturated (as fast as the connections allow), and paced (a fixed rate, with alternating
//! targets).

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::wire::Connection;

/// The target of requests: a port, and the bytes of one request.
#[derive(Clone)]
pub(crate) struct Target {
    /// The port on this machine that requests go to.
    pub(crate) port: u16,
    /// One complete request, sent repeatedly.
    pub(crate) request: Vec<u8>,
    /// Text that every answer must contain.
    pub(crate) contains: &'static [u8],
    /// Connects with TLS.
    pub(crate) tls: Option<TlsConnector>,
}

impl Target {
    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        match &self.tls {
            Some(tls) => Connection::open_tls(self.port, tls).await,
            None => Connection::open(self.port).await,
        }
    }

    /// Sends one request and checks its answer.
    pub(crate) async fn once(&self, connection: &mut Connection) -> Result<Duration> {
        let began = Instant::now();
        let answer = connection.exchange(&self.request).await?;
        let took = began.elapsed();
        ensure!(
            answer.status == 200,
            "status {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        let found = answer
            .body
            .windows(self.contains.len())
            .any(|window| window == self.contains);
        ensure!(
            found,
            "an answer without what it must contain: {}",
            String::from_utf8_lossy(answer.body)
        );
        Ok(took)
    }
}

/// Response times of one target, in ascending order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Sorts the times, which must not be empty.
    pub(crate) fn new(mut times: Vec<Duration>) -> Result<Self> {
        ensure!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Ok(Self(times))
    }

    /// The response time that this share of the requests did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length is an index"
        )]
        let at = (share * (self.0.len() - 1) as f64).round() as usize;
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// Sends one request after another on a single connection.
pub(crate) async fn sequence(target: &Target, count: usize) -> Result<Times> {
    let mut connection = target.connect().await?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        times.push(target.once(&mut connection).await?);
    }
    Times::new(times)
}

/// Calls all targets at `rate` calls per second each, in turn, so that a disturbance affects all of them equally.
/// Each call starts when it is due, on one of several connections, however long the others take.
pub(crate) async fn paced(targets: &[&Target], rate: u32, lasting: Duration) -> Result<Vec<Times>> {
    const CONNECTIONS: u32 = 4;
    let n_targets = u32::try_from(targets.len())?;
    let step = Duration::from_secs(1) * CONNECTIONS / rate;
    let mut workers = JoinSet::new();
    for lane in 0..CONNECTIONS * n_targets {
        let side = usize::try_from(lane % n_targets)?;
        let target = targets[side].clone();
        let first = tokio::time::Instant::now() + step * lane / (CONNECTIONS * n_targets);
        workers.spawn(async move {
            let mut connection = target.connect().await?;
            let mut times = Vec::new();
            let end = first + lasting;
            let mut due = first;
            while due < end {
                tokio::time::sleep_until(due).await;
                times.push(target.once(&mut connection).await?);
                due += step;
            }
            Ok::<_, anyhow::Error>((side, times))
        });
    }
    let mut sides = vec![Vec::new(); targets.len()];
    while let Some(done) = workers.join_next().await {
        let (side, times) = done??;
        sides[side].extend(times);
    }
    sides.into_iter().map(Times::new).collect()
}

/// Calls per second that `connections` connections achieve, each sending its next call as soon as it has its answer.
pub(crate) async fn saturated(target: &Target, connections: usize, lasting: Duration) -> Result<f64> {
    let mut workers = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let target = target.clone();
        workers.spawn(async move {
            let mut connection = target.connect().await?;
            let mut count = 0_u32;
            while began.elapsed() < lasting {
                let answer = connection.exchange(&target.request).await?;
                ensure!(answer.status == 200, "status {}", answer.status);
                count += 1;
            }
            Ok::<_, anyhow::Error>(count)
        });
    }
    let mut total = 0;
    while let Some(done) = workers.join_next().await {
        total += done??;
    }
    ensure!(total > 0, "nothing got through");
    Ok(f64::from(total) / began.elapsed().as_secs_f64())
}
