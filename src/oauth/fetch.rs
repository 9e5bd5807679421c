//! Reaching a stranger's host, without becoming somebody's way into the operator's network.
//!
//! Invariants:
//! - The host's addresses are looked up once; all must be global; the connection goes to exactly these.
//! - No redirects, no proxy, five seconds and 5 kB for everything, few fetches at once.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use reqwest::header;
use tokio::sync::Semaphore;

use super::addresses::is_global;
use super::client_metadata::{self, DocumentProblem, DocumentUrl};
use super::clients::Client;

/// For the lookup, the connection and the whole document.
const DEADLINE: Duration = Duration::from_secs(5);

const MAX_BODY_BYTES: usize = 5 * 1024;

/// More at once would make this gateway a tool against others.
const MAX_FETCHES: usize = 4;

/// Why a document could not be had. For the log; outside, a document is there or not.
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
    #[error("the document does not count")]
    Document(#[from] DocumentProblem),
}

/// A client as its document describes it now, and how long that is good for.
pub(super) type Fetched = Result<(Client, Duration), FetchProblem>;

/// Something that asks hosts for documents.
pub(super) trait Fetch: Send + Sync {
    fn fetch<'a>(&'a self, url: &'a DocumentUrl) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>;
}

/// Finds the addresses of a host.
type Lookup = fn(String) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>>;

/// Asks over the internet. What it takes the internet to be is given: the gateway only ever has the default, and tests
/// have one of their own on the loopback.
pub(super) struct Internet {
    pub(super) permits: Semaphore,
    pub(super) deadline: Duration,
    pub(super) lookup: Lookup,
    /// Which addresses may be connected to.
    pub(super) may_reach: fn(IpAddr) -> bool,
    /// Where https is served.
    pub(super) port: u16,
    /// Whose certificates count; `None`: those that the system trusts.
    pub(super) trusted: Option<reqwest::Certificate>,
}

impl Default for Internet {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(MAX_FETCHES),
            deadline: DEADLINE,
            lookup: |host| Box::pin(addresses_of(host)),
            may_reach: is_global,
            port: 443,
            trusted: None,
        }
    }
}

impl Fetch for Internet {
    fn fetch<'a>(&'a self, url: &'a DocumentUrl) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>> {
        Box::pin(async move {
            let _permit = self.permits.try_acquire().map_err(|_| FetchProblem::Busy)?;
            let work = async {
                let addresses = (self.lookup)(url.host().to_owned()).await;
                let http = self.pinned(url.host(), &addresses)?;
                let (body, fresh_for) = download(&http, url.as_str()).await?;
                Ok((client_metadata::read(url, &body)?, fresh_for))
            };
            let done = tokio::time::timeout(self.deadline, work).await;
            done.unwrap_or(Err(FetchProblem::TooSlow))
        })
    }
}

impl Internet {
    /// A client that reaches `host` at `addresses` and nowhere else. Errors: none, or one that is not global.
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

/// Asks the system's resolver.
async fn addresses_of(host: String) -> Vec<IpAddr> {
    let found = tokio::net::lookup_host((host, 443)).await;
    found.map_or_else(|_| Vec::new(), |addresses| addresses.map(|a| a.ip()).collect())
}

/// What holds for every fetch, wherever it goes.
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

/// The body, and how long it is good for.
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

/// `application/json`, or `application/…+json`, whatever parameters follow.
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

    /// Serves `answer` to one connection; `None` keeps silent.
    async fn served(answer: Option<String>, deadline: Duration) -> Result<(Vec<u8>, Duration), FetchProblem> {
        // Another test may have done it.
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
        let internet = Internet {
            lookup: |_| Box::pin(std::future::pending()),
            deadline: Duration::from_millis(50),
            ..Internet::default()
        };
        assert!(matches!(internet.fetch(&url()).await, Err(FetchProblem::TooSlow)));
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
        let internet = Internet {
            lookup: rebinding,
            ..Internet::default()
        };
        for n in 1..=2 {
            assert!(matches!(
                internet.fetch(&url()).await,
                Err(FetchProblem::NotGlobal)
            ));
            assert_eq!(LOOKUPS.load(Ordering::Relaxed), n);
        }
        let nowhere = Internet {
            lookup: |_| Box::pin(std::future::ready(Vec::new())),
            ..Internet::default()
        };
        assert!(matches!(
            nowhere.fetch(&url()).await,
            Err(FetchProblem::NoAddress)
        ));
    }

    #[tokio::test]
    async fn only_a_few_are_fetched_at_once() {
        let internet = Internet {
            permits: Semaphore::new(0),
            ..Internet::default()
        };
        assert!(matches!(internet.fetch(&url()).await, Err(FetchProblem::Busy)));
    }
}
