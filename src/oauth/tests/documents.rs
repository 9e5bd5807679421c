//! Client-id metadata documents over real TLS: a test host on the loopback, a certificate from a test authority, and
//! a fetcher that resolves every name to that host.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;
use crate::oauth::client_metadata::DocumentUrl;
use crate::oauth::{AuthorizeRefusal, AuthorizeStep};

const ID: &str = "https://app.example.org/oauth/client.json";
const CALLBACK: &str = "http://localhost:5000/cb";
const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The host that serves [`ID`].
struct Host {
    port: u16,
    authority: reqwest::Certificate,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The response that the host sends.
    answer: String,
    n_connections: usize,
    requests: Vec<String>,
}

impl Host {
    async fn start() -> Self {
        // Another test may have installed the provider already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["app.example.org".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            port: listener.local_addr().unwrap().port(),
            authority: reqwest::Certificate::from_der(authority.der()).unwrap(),
            seen: Arc::default(),
        };
        host.answers("200 OK", 900, "App");
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            Arc::clone(&host.seen),
        ));
        host
    }

    fn answers(&self, status: &str, max_age: u32, name: &str) {
        let body = json!({ "client_id": ID, "client_name": name, "redirect_uris": [CALLBACK] }).to_string();
        self.seen.lock().unwrap().answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nCache-Control: max-age={max_age}\r\n\
             Location: {ID}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    fn n_requests(&self) -> usize {
        self.seen.lock().unwrap().requests.len()
    }

    /// A fetcher that resolves every name to this host, trusts its authority, and may reach the loopback.
    fn fetcher(&self) -> DocumentFetcher {
        DocumentFetcher {
            lookup: |_| Box::pin(std::future::ready(vec![IpAddr::V4(LOOPBACK)])),
            may_reach: |ip| ip.is_loopback(),
            port: self.port,
            trusted: Some(self.authority.clone()),
            ..DocumentFetcher::default()
        }
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, seen: Arc<Mutex<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        seen.lock().unwrap().n_connections += 1;
        // A client that does not trust the certificate disconnects here.
        let Ok(mut stream) = tls.accept(stream).await else {
            continue;
        };
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap() == 0 {
                break;
            }
        }
        let answer = {
            let mut seen = seen.lock().unwrap();
            seen.requests
                .push(String::from_utf8(request).unwrap().to_ascii_lowercase());
            seen.answer.clone()
        };
        drop(stream.write_all(answer.as_bytes()).await);
        drop(stream.shutdown().await);
    }
}

/// The client's name on the page at `/authorize`; `None`: the client is unknown.
async fn name_on_page(world: &World, client_id: &str) -> Option<String> {
    let challenge = challenge_text();
    let query = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    match world.oauth.authorize(&form(&query, &[]), visitor(None)).await {
        AuthorizeStep::SignIn(page) => Some(page.client.unwrap().name),
        AuthorizeStep::Refused(_) => None,
        _ => panic!("neither a page nor a refusal"),
    }
}

/// A document is fetched over TLS and cached by its headers, and the last good copy is kept.
#[tokio::test]
async fn cimd_fetch_over_tls_cache_and_last_good_copy() {
    let host = Host::start().await;
    let world = World::with_fetcher(host.fetcher());
    let name = async |expected: &str, n_requests| {
        assert_eq!(name_on_page(&world, ID).await.as_deref(), Some(expected));
        assert_eq!(host.n_requests(), n_requests, "{expected}");
    };
    name("App", 1).await;
    {
        let seen = host.seen.lock().unwrap();
        let request = &seen.requests[0];
        assert!(
            request.starts_with("get /oauth/client.json http/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\nhost: app.example.org\r\n"), "{request}");
        assert!(
            !request.contains("cookie:") && !request.contains("authorization:"),
            "{request}"
        );
    }
    name("App", 1).await;

    host.answers("200 OK", 900, "App, renamed");
    world.pass(899);
    name("App", 1).await;
    world.pass(1);
    name("App, renamed", 2).await;

    // Neither an outage nor an unexpected redirect makes the client unknown.
    for (n_requests, status) in [(3, "503 Service Unavailable"), (4, "302 Found")] {
        host.answers(status, 900, "Somebody else");
        world.pass(900);
        name("App, renamed", n_requests).await;
    }
}

/// A restart drops the document of a client with which nobody has signed in, and keeps the others for a week.
#[tokio::test]
async fn the_last_good_copy_outlives_a_restart() {
    let host = Host::start().await;
    let world = World::with_fetcher(host.fetcher());
    let url = DocumentUrl::parse(ID).unwrap();
    let restarted = async || {
        let oauth = world.restarted_at(ORIGIN);
        oauth.0.documents.find(&url, None).await.is_some()
    };
    assert!(name_on_page(&world, ID).await.is_some());
    assert!(!restarted().await);
    world.oauth.0.documents.keep(&url).await.unwrap();
    assert!(restarted().await);
    world.pass(7 * 24 * 3600);
    assert!(!restarted().await);
}

/// The page names the host. It does not claim that the client is unknown.
#[tokio::test]
async fn a_document_that_cannot_be_read_is_told_as_that() {
    let host = Host::start().await;
    let world = World::with_fetcher(host.fetcher());
    let told = async |client_id: &str| {
        let query = format!("client_id={client_id}&redirect_uri={CALLBACK}");
        match world.oauth.authorize(&query, visitor(None)).await {
            AuthorizeStep::Refused(refusal) => refusal,
            _ => panic!("no refusal"),
        }
    };
    for answer in ["503 Service Unavailable", "404 Not Found"] {
        host.answers(answer, 900, "App");
        let refusal = told(ID).await;
        assert_eq!(refusal.status(), 503);
        let host = "app.example.org".to_owned();
        assert_eq!(refusal, AuthorizeRefusal::UnreadableClient { host });
        world.pass(60);
    }
    let refusal = told("cli_nobody").await;
    assert_eq!(
        (refusal.status(), refusal),
        (400, AuthorizeRefusal::UnknownClient)
    );
}

#[tokio::test]
async fn a_host_that_is_down_is_left_alone_for_a_minute() {
    let host = Host::start().await;
    let world = World::with_fetcher(host.fetcher());
    host.answers("503 Service Unavailable", 900, "App");
    for (seconds, n_requests) in [(0, 1), (59, 1), (1, 2)] {
        world.pass(seconds);
        assert_eq!(name_on_page(&world, ID).await, None);
        assert_eq!(host.n_requests(), n_requests);
    }
    host.answers("200 OK", 900, "App");
    world.pass(60);
    assert!(name_on_page(&world, ID).await.is_some());
}

/// The fence holds when the attacker's own name resolves to the loopback, with a certificate that would be trusted.
#[tokio::test]
async fn ssrf_a_name_that_leads_to_the_loopback_is_not_connected_to() {
    let host = Host::start().await;
    let fetchers = [
        DocumentFetcher {
            lookup: |_| Box::pin(std::future::ready(vec![IpAddr::V4(LOOPBACK)])),
            ..host.fetcher()
        },
        DocumentFetcher {
            lookup: |_| Box::pin(std::future::ready(vec![IpAddr::V6(LOOPBACK.to_ipv6_mapped())])),
            ..host.fetcher()
        },
        DocumentFetcher {
            lookup: |_| {
                Box::pin(std::future::ready(vec![
                    IpAddr::from([1, 1, 1, 1]),
                    IpAddr::V4(LOOPBACK),
                ]))
            },
            ..host.fetcher()
        },
    ];
    for fetcher in fetchers {
        let world = World::with_fetcher(DocumentFetcher {
            may_reach: DocumentFetcher::default().may_reach,
            ..fetcher
        });
        assert_eq!(name_on_page(&world, ID).await, None);
    }
    assert_eq!(host.seen.lock().unwrap().n_connections, 0);
    // The same host works where the loopback may be reached, so nothing else blocked it.
    let world = World::with_fetcher(host.fetcher());
    assert!(name_on_page(&world, ID).await.is_some());
}

/// A certificate from an authority that the system does not know, and one for another name.
#[tokio::test]
async fn cimd_fetch_believes_only_a_certificate_for_that_host() {
    let host = Host::start().await;
    let strangers = DocumentFetcher {
        trusted: None,
        ..host.fetcher()
    };
    assert_eq!(name_on_page(&World::with_fetcher(strangers), ID).await, None);
    let other = "https://other.example.org/oauth/client.json";
    let world = World::with_fetcher(host.fetcher());
    assert_eq!(name_on_page(&world, other).await, None);
    let seen = host.seen.lock().unwrap();
    assert_eq!(
        (seen.n_connections, seen.requests.len()),
        (2, 0),
        "it was told what is asked for"
    );
}
