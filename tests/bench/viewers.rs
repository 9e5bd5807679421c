//! What a race page costs that many people have open: the daemon's share of a core, a page that is opened beside them,
//! and calls beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use crate::client::Client;
use crate::figures::{Row, ms};
use crate::house::{Garmin, House, fast_worker, free_port};
use crate::load::{Target, Times, paced, sequence};
use crate::upstream;

struct Effort {
    viewers: usize,
    rounds: usize,
    /// The length of a measurement in each round.
    lasting: Duration,
    pages: usize,
}

/// Measures all figures of viewers.
pub(crate) async fn all(smoke: bool) -> Result<Vec<Row>> {
    let effort = if smoke {
        Effort {
            viewers: 10,
            rounds: 1,
            lasting: Duration::from_secs(1),
            pages: 5,
        }
    } else {
        Effort {
            viewers: 200,
            rounds: 5,
            lasting: Duration::from_secs(10),
            pages: 300,
        }
    };
    let garmin = Garmin::start(1).await?;
    let house = House::start(&garmin, &fast_worker(free_port()?)?).await?;
    let mut client = Client::connect(&garmin, &house).await?;
    let race = client.watch_race(&garmin).await?;
    let shared = client
        .call("share_race", &json!({"race": race, "action": "make"}))
        .await?;
    let page = Url::parse(shared["url"].as_str().context("no link")?)?;
    let page = page.path();
    let call = client.target(upstream::TOOL, &json!({}), b"daily_step_goal");
    sequence(&call, 200).await?;

    let (mut without, mut with) = (Vec::new(), Vec::new());
    let (mut shares_without, mut shares_with) = (Vec::new(), Vec::new());
    let (mut pages, mut bytes) = (Vec::new(), 0);
    for _ in 0..effort.rounds {
        shares_without.push(house.share_of_a_core(effort.lasting).await?);
        without.extend(paced(&[&call], 200, effort.lasting).await?);
        let viewers = Viewers::open(house.port, page, effort.viewers).await?;
        shares_with.push(house.share_of_a_core(effort.lasting).await?);
        with.extend(paced(&[&call], 200, effort.lasting).await?);
        pages.extend(opened(house.port, page, effort.pages / effort.rounds).await?);
        bytes += viewers.close(effort.viewers)?;
    }
    // A smoke run ends before the next beat.
    ensure!(smoke || bytes > 0, "the viewers received nothing");
    // The median of the rounds, because other load on the machine disturbs single ones.
    let of = |rounds: &[Times], at: f64| {
        let rounds = rounds.iter().map(|times| times.quantile(at)).collect();
        Ok::<_, anyhow::Error>(Times::new(rounds)?.quantile(0.5))
    };
    let calls = |name, at: f64| {
        let (alone, beside) = (of(&without, at)?, of(&with, at)?);
        let more = (beside.as_secs_f64() / alone.as_secs_f64() - 1.0) * 100.0;
        Ok::<_, anyhow::Error>(Row {
            direct: format!("{} without viewers", ms(alone)),
            ..Row::alone(name, format!("{} ({more:+.0} %)", ms(beside)), "+10 % at most")
        })
    };
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let pages = Times::new(pages)?;
    Ok(vec![
        Row {
            direct: format!("{} without viewers", percent(median(shares_without))),
            ..Row::alone(
                "a race page open 200 times, the daemon's share of a core",
                format!(
                    "{} ({}, {} kB to each)",
                    percent(median(shares_with)),
                    effort.viewers,
                    bytes / 1_000
                ),
                "5 % at most",
            )
        },
        Row::alone(
            "a race page opened beside 200 viewers, p50 (p99)",
            format!("{} ({})", ms(pages.quantile(0.5)), ms(pages.quantile(0.99))),
            "30 ms at most",
        ),
        calls("warm `tools/call` at 200 calls/s beside 200 viewers, p50", 0.5)?,
        calls("warm `tools/call` at 200 calls/s beside 200 viewers, p99", 0.99)?,
    ])
}

/// Open streams of a race page.
struct Viewers {
    open: JoinSet<Result<()>>,
    /// How much each of them has received after its first event.
    bytes: Vec<Arc<AtomicU64>>,
}

impl Viewers {
    async fn open(port: u16, page: &str, count: usize) -> Result<Self> {
        let mut viewers = Self {
            open: JoinSet::new(),
            bytes: Vec::new(),
        };
        for _ in 0..count {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(&get(port, &format!("{page}/live"))).await?;
            let mut first = Vec::new();
            while !first.windows(6).any(|part| part == b"event:") {
                let read = stream.read_buf(&mut first).await?;
                ensure!(
                    read > 0 && first.starts_with(b"HTTP/1.1 200"),
                    "a viewer was refused: {}",
                    String::from_utf8_lossy(&first)
                );
            }
            let bytes = Arc::<AtomicU64>::default();
            viewers.bytes.push(Arc::clone(&bytes));
            viewers.open.spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    let read = stream.read(&mut buffer).await?;
                    ensure!(read > 0, "a stream ended");
                    bytes.fetch_add(u64::try_from(read)?, Ordering::Relaxed);
                }
            });
        }
        Ok(viewers)
    }

    /// Closes the streams, all of which must still be open. Returns how much the one that received least has received.
    fn close(mut self, count: usize) -> Result<u64> {
        if let Some(ended) = self.open.try_join_next() {
            ended??;
        }
        let open = self.open.len();
        ensure!(open == count, "{open} of {count} streams are open");
        let received = self.bytes.iter().map(|bytes| bytes.load(Ordering::Relaxed));
        received.min().context("no viewers")
    }
}

/// Opens the page again and again, fifty times a second.
async fn opened(port: u16, page: &str, count: usize) -> Result<Vec<Duration>> {
    let target = Target {
        port,
        request: get(port, page),
        contains: b"</html>",
        tls: None,
    };
    let mut times = Vec::new();
    for _ in 0..count {
        let mut connection = target.connect().await?;
        times.push(target.once(&mut connection).await?);
        sleep(Duration::from_millis(20)).await;
    }
    Ok(times)
}

fn get(port: u16, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").into_bytes()
}

fn median(mut shares: Vec<f64>) -> f64 {
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or_default()
}
