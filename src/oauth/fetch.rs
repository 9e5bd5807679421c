//! Fetches documents from untrusted hosts, without giving them access to the operator's network.
//!
//! Invariants:
//! - The host's addresses are resolved once; all must be global; the connection uses exactly these.
//! - No redirects and no proxy; five seconds and 5 kB per fetch; few fetches at once.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header;
use tokio::sync::Semaphore;

use super::addresses::is_global;
use super::client::OAuthClient;
use super::client_metadata::{self, DocumentProblem, DocumentUrl};
use crate::base::source::network;

/// Covers the lookup, the connection and the whole document.
const DEADLINE: Duration = Duration::from_secs(5);

const MAX_BODY_BYTES: usize = 5 * 1024;

/// More fetches at once would make this gateway a tool for attacks on others.
const MAX_FETCHES: usize = 16;

/// Keeps fetches free for other sources when all hosts that one source names are slow.
const MAX_FETCHES_PER_SOURCE: usize = 2;

/// Why a document could not be fetched, for the log. The visitor only learns whether a usable document exists.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchProblem {
    #[error("too many other documents are being fetched")]
    Busy,
    #[error("it took too long")]
    TooSlow,
    #[error("the host has no address")]
    NoAddress,
    #[error("the host has an address that is not global")]
    NotGlobal,
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is not application/json")]
    NotJson,
    #[error("the document is too long")]
    TooLong,
    #[error("the document is not valid")]
    Document(#[from] DocumentProblem),
}

/// A client as its document currently describes it.
#[derive(Debug)]
pub(super) struct FetchedClient {
    pub(super) client: OAuthClient,
    /// How long the document is valid without being fetched again.
    pub(super) fresh_for: Duration,
}

/// Resolves the addresses of a host.
type Lookup = fn(String) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>>;

/// Fetches documents over the internet. The gateway always uses the default; tests replace the internet with their
/// own server on the loopback.
pub(super) struct DocumentFetcher {
    pub(super) permits: Semaphore,
    /// The sources that are waiting for a document, one entry per fetch.
    pub(super) waiting: Mutex<Vec<Option<IpAddr>>>,
    pub(super) deadline: Duration,
    pub(super) lookup: Lookup,
    /// Decides whether an address may be connected to.
    pub(super) may_reach: fn(IpAddr) -> bool,
    pub(super) port: u16,
    /// The only certificate authority to trust; `None`: those of the system.
    pub(super) trusted: Option<reqwest::Certificate>,
}

impl Default for DocumentFetcher {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(MAX_FETCHES),
            waiting: Mutex::default(),
            deadline: DEADLINE,
            lookup: |host| Box::pin(addresses_of(host)),
            may_reach: is_global,
            port: 443,
            trusted: None,
        }
    }
}

/// One source's share of the fetches, released on drop.
struct FetchShare<'a> {
    waiting: &'a Mutex<Vec<Option<IpAddr>>>,
    source: Option<IpAddr>,
}

impl<'a> FetchShare<'a> {
    fn take(waiting: &'a Mutex<Vec<Option<IpAddr>>>, source: Option<IpAddr>) -> Result<Self, FetchProblem> {
        let source = source.map(network);
        let mut sources = waiting.lock();
        if sources.iter().filter(|one| **one == source).count() >= MAX_FETCHES_PER_SOURCE {
            return Err(FetchProblem::Busy);
        }
        sources.push(source);
        Ok(Self { waiting, source })
    }
}

impl Drop for FetchShare<'_> {
    fn drop(&mut self) {
        let mut sources = self.waiting.lock();
        if let Some(at) = sources.iter().position(|one| *one == self.source) {
            sources.swap_remove(at);
        }
    }
}

impl DocumentFetcher {
    /// Fetches a document for a visitor from `source`.
    pub(super) async fn fetch(
        &self,
        url: &DocumentUrl,
        source: Option<IpAddr>,
    ) -> Result<FetchedClient, FetchProblem> {
        let _share = FetchShare::take(&self.waiting, source)?;
        let _permit = self.permits.try_acquire().map_err(|_| FetchProblem::Busy)?;
        let work = async {
            let addresses = (self.lookup)(url.host().to_owned()).await;
            let http = self.pinned(url.host(), &addresses)?;
            let (body, fresh_for) = download(&http, url.as_str()).await?;
            let client = client_metadata::read(url, &body)?;
            Ok(FetchedClient { client, fresh_for })
        };
        let done = tokio::time::timeout(self.deadline, work).await;
        done.unwrap_or(Err(FetchProblem::TooSlow))
    }

    /// A client that reaches `host` at `addresses` and nowhere else. Errors: there is no address, or one is not
    /// global.
    fn pinned(&self, host: &str, addresses: &[IpAddr]) -> Result<reqwest::Client, FetchProblem> {
        if addresses.is_empty() {
            return Err(FetchProblem::NoAddress);
        }
        if !addresses.iter().all(|ip| (self.may_reach)(*ip)) {
            return Err(FetchProblem::NotGlobal);
        }
        let addresses: Vec<SocketAddr> = addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, self.port))
            .collect();
        let mut builder = reqwest::Client::builder().https_only(true);
        if let Some(trusted) = &self.trusted {
            builder = builder.tls_certs_only([trusted.clone()]);
        }
        fenced(builder.resolve_to_addrs(host, &addresses))
    }
}

async fn addresses_of(host: String) -> Vec<IpAddr> {
    let found = tokio::net::lookup_host((host, 443)).await;
    found.map_or_else(|_| Vec::new(), |addresses| addresses.map(|a| a.ip()).collect())
}

/// The restrictions for every fetch, whatever the host.
fn fenced(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, FetchProblem> {
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .user_agent("garmin-gateway (client-id metadata)")
        .build()
        .map_err(FetchProblem::Request)
}

/// The body, and how long it stays valid.
async fn download(http: &reqwest::Client, url: &str) -> Result<(Vec<u8>, Duration), FetchProblem> {
    let request = http.get(url).header(header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(FetchProblem::Request)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchProblem::Status(response.status().as_u16()));
    }
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if !is_json(text(header::CONTENT_TYPE).unwrap_or_default()) {
        return Err(FetchProblem::NotJson);
    }
    let fresh_for = client_metadata::freshness(text(header::CACHE_CONTROL));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchProblem::Request)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(FetchProblem::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, fresh_for))
}

/// `application/json` or `application/…+json`, with any parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    subtype == "json" || subtype.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn url() -> DocumentUrl {
        DocumentUrl::parse("https://app.example.org/client.json").unwrap()
    }

    /// Serves `answer` to one connection; `None` sends nothing.
    async fn served(answer: Option<String>, deadline: Duration) -> Result<(Vec<u8>, Duration), FetchProblem> {
        // Another test may have installed the provider already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/client.json", listener.local_addr().unwrap());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            drop(stream.read(&mut request).await);
            match answer {
                Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                None => std::future::pending().await,
            }
            drop(stream.shutdown().await);
            std::future::pending::<()>().await;
        };
        let http = fenced(reqwest::Client::builder()).unwrap();
        tokio::select! {
            () = serve => unreachable!(),
            done = tokio::time::timeout(deadline, download(&http, &url)) => done.unwrap_or(Err(FetchProblem::TooSlow)),
        }
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n{body}")
    }

    #[tokio::test]
    async fn cimd_fetch_takes_a_short_json_document_and_nothing_else() {
        let json = "Content-Type: application/json; charset=utf-8\r\n";
        let long = "x".repeat(MAX_BODY_BYTES + 1);
        for (answer, expected) in [
            (
                answer("200 OK", &format!("{json}Cache-Control: max-age=900\r\n"), "{}"),
                "ok",
            ),
            (
                answer("200 OK", "Content-Type: application/cimd+json\r\n", "{}"),
                "ok",
            ),
            (
                answer("302 Found", "Location: http://169.254.169.254/\r\n", ""),
                "the answer has status 302",
            ),
            (
                answer("307 Temporary Redirect", "Location: /client2.json\r\n", ""),
                "the answer has status 307",
            ),
            (answer("404 Not Found", json, "{}"), "the answer has status 404"),
            (answer("204 No Content", json, ""), "the answer has status 204"),
            (
                answer("200 OK", "Content-Type: text/html\r\n", "{}"),
                "the answer is not application/json",
            ),
            (answer("200 OK", "", "{}"), "the answer is not application/json"),
            (answer("200 OK", json, &long), "the document is too long"),
            (
                answer("200 OK", &format!("{json}Content-Length: 99999999\r\n"), &long),
                "the document is too long",
            ),
            ("SSH-2.0-OpenSSH_9\r\n".to_owned(), "the request failed"),
        ] {
            let shown = answer.clone();
            let got = match served(Some(answer), Duration::from_secs(20)).await {
                Ok((body, fresh_for)) => {
                    assert!(body == b"{}" && fresh_for.as_secs() >= 300);
                    "ok".to_owned()
                }
                Err(e) => e.to_string(),
            };
            assert_eq!(got, expected, "{shown:.80}");
        }
    }

    #[tokio::test]
    async fn cimd_fetch_does_not_wait_for_a_host_that_keeps_silent() {
        let silent = served(None, Duration::from_millis(50)).await;
        assert!(matches!(silent, Err(FetchProblem::TooSlow)));
        let fetcher = DocumentFetcher {
            lookup: |_| Box::pin(std::future::pending()),
            deadline: Duration::from_millis(50),
            ..DocumentFetcher::default()
        };
        assert!(matches!(
            fetcher.fetch(&url(), None).await,
            Err(FetchProblem::TooSlow)
        ));
    }

    #[tokio::test]
    async fn ssrf_rebinding_the_host_is_looked_up_once_and_one_bad_address_is_enough() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        fn rebinding(_: String) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>> {
            let first = LOOKUPS.fetch_add(1, Ordering::Relaxed) == 0;
            let addresses: &[&str] = if first {
                &["1.1.1.1", "10.0.0.1"]
            } else {
                &["127.0.0.1"]
            };
            let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
            Box::pin(std::future::ready(addresses))
        }
        let fetcher = DocumentFetcher {
            lookup: rebinding,
            ..DocumentFetcher::default()
        };
        for n in 1..=2 {
            assert!(matches!(
                fetcher.fetch(&url(), None).await,
                Err(FetchProblem::NotGlobal)
            ));
            assert_eq!(LOOKUPS.load(Ordering::Relaxed), n);
        }
        let nowhere = DocumentFetcher {
            lookup: |_| Box::pin(std::future::ready(Vec::new())),
            ..DocumentFetcher::default()
        };
        assert!(matches!(
            nowhere.fetch(&url(), None).await,
            Err(FetchProblem::NoAddress)
        ));
    }

    #[tokio::test]
    async fn only_a_few_are_fetched_at_once() {
        let fetcher = DocumentFetcher {
            permits: Semaphore::new(0),
            ..DocumentFetcher::default()
        };
        assert!(matches!(
            fetcher.fetch(&url(), None).await,
            Err(FetchProblem::Busy)
        ));
    }

    #[tokio::test]
    async fn a_source_whose_hosts_are_slow_takes_no_fetch_from_the_others() {
        let fetcher = DocumentFetcher {
            lookup: |_| Box::pin(std::future::pending()),
            deadline: Duration::from_millis(50),
            ..DocumentFetcher::default()
        };
        let url = url();
        let fetch = |source: &str| fetcher.fetch(&url, Some(source.parse().unwrap()));
        let slow = futures_util::future::join_all((0..2 * MAX_FETCHES).map(|_| fetch("192.0.2.1")));
        let other = async {
            tokio::task::yield_now().await;
            fetch("192.0.2.2").await
        };
        let (slow, other) = tokio::join!(slow, other);
        let busy = slow.iter().filter(|one| matches!(one, Err(FetchProblem::Busy)));
        assert_eq!(busy.count(), 2 * MAX_FETCHES - MAX_FETCHES_PER_SOURCE);
        assert!(
            matches!(other, Err(FetchProblem::TooSlow)),
            "the other source was served"
        );
        assert!(fetcher.waiting.lock().is_empty());
    }
}
