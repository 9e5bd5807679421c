//! Two kinds of load: as fast as the connections allow, and paced, several targets taking turns.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::wire::Connection;

/// Where requests go: a port, and the bytes of one request.
#[derive(Clone)]
pub(crate) struct Target {
    /// The port on this machine.
    pub(crate) port: u16,
    /// One whole request, sent again and again.
    pub(crate) request: Vec<u8>,
    /// What every answer must contain.
    pub(crate) contains: &'static [u8],
}

impl Target {
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

/// Times of one target, in ascending order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Sorts the times. There must be some.
    pub(crate) fn new(mut times: Vec<Duration>) -> Result<Self> {
        ensure!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Ok(Self(times))
    }

    /// The time that this share of the requests did not exceed.
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

/// One request after the other on one connection.
pub(crate) async fn sequence(target: &Target, count: usize) -> Result<Times> {
    let mut connection = Connection::open(target.port).await?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        times.push(target.once(&mut connection).await?);
    }
    Times::new(times)
}

/// All targets at `rate` calls a second each, their calls taking turns: what disturbs one disturbs the others.
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
            let mut connection = Connection::open(target.port).await?;
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

/// As many calls a second as `connections` connections get through, each sending when its last answer is there.
pub(crate) async fn saturated(target: &Target, connections: usize, lasting: Duration) -> Result<f64> {
    let mut workers = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let target = target.clone();
        workers.spawn(async move {
            let mut connection = Connection::open(target.port).await?;
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
