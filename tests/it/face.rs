//! The public web server with the real modules behind it: a store in a temporary directory and the simulated Garmin.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use garmin_gateway::accounts::Accounts;
use garmin_gateway::admin::operations::Rooms;
use garmin_gateway::advice::{Advice, AdviceParts};
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::http::HttpServer;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::log::Traces;
use garmin_gateway::base::secrets::RootSecret;
use garmin_gateway::base::threads::ConnectionThreads;
use garmin_gateway::config::{Invited, Live, Operator, PublicUrl};
use garmin_gateway::garmin::livetrack::LiveTrack;
use garmin_gateway::garmin::{GovernorSettings, SignIns};
use garmin_gateway::gateway::{Gateway, GatewayParts, WorkerLists};
use garmin_gateway::history::History;
use garmin_gateway::notify::{Notifier, NotifierParts};
use garmin_gateway::oauth::{OAuth, OAuthParts};
use garmin_gateway::race::ending::EndRules;
use garmin_gateway::races::{Races, RacesParts};
use garmin_gateway::simulator::{Simulator, SimulatorSettings};
use garmin_gateway::store::Store;
use garmin_gateway::tools;
use garmin_gateway::web::{self, Ready, WebLimits, WebParts};
use garmin_gateway::workers::Workers;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};

/// The `Accept` header of a browser.
pub(crate) const HTML: &str = "Accept: text/html,*/*;q=0.8\r\n";

/// The `Content-Type` header of a form.
pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// A running web server with all that it needs.
pub(crate) struct Face {
    pub(crate) address: SocketAddr,
    _live: watch::Sender<Live>,
    pub(crate) worker: Arc<Worker>,
    lifecycle: Lifecycle,
    host: String,
    _directory: TempDir,
}

/// The settings with which a server is started.
pub(crate) struct Start {
    /// `None`: `http://localhost` with the port that the server gets.
    pub(crate) public_url: Option<&'static str>,
    pub(crate) limits: WebLimits,
    pub(crate) ready: Result<(), &'static str>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            public_url: Some("https://garmin.example.org"),
            limits: WebLimits::default(),
            ready: Ok(()),
        }
    }
}

/// A response, split into its parts.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or_else(|| panic!("{answer:?}")),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(of, _)| of.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl Start {
    #[expect(
        clippy::too_many_lines,
        reason = "builds every part of the public face, once, from top to bottom"
    )]
    pub(crate) async fn face(self) -> Face {
        rustls::crypto::ring::default_provider().install_default().ok();
        let lifecycle = Lifecycle::new();
        let clock = Clock::system();
        let directory = tempfile::tempdir().unwrap();
        let secret = RootSecret::new(&"test secret, long enough ".repeat(2)).unwrap();
        let store = Store::open(&directory.path().join("gateway.db"), &secret).unwrap();
        let operator = Operator {
            name: Some("Ada <Lovelace>".into()),
            email: Some("ada@example.org".into()),
        };
        let (live, watched) = watch::channel(Live {
            operator,
            invited: vec![Invited::parse("@example.org").unwrap()],
            calls_per_minute: 200,
            ..Live::default()
        });
        let garmin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = Simulator::start(SimulatorSettings::default(), garmin, &lifecycle).unwrap();
        let accounts = Accounts::new(store.clone(), clock.clone(), watched.clone());
        let notifier = Notifier::start(
            NotifierParts {
                store: store.clone(),
                clock: clock.clone(),
                accounts: accounts.clone(),
                public_url: String::new(),
                live: watched.clone(),
            },
            &lifecycle,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let public_url = self.public_url.map(|url| PublicUrl::parse(url).unwrap());
        let public_url = public_url.unwrap_or_else(|| PublicUrl::local(address.port()));
        let oauth = OAuth::new(OAuthParts {
            store: store.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
            accounts,
            sign_ins: SignIns::new(
                simulator.hosts(),
                reqwest::Client::new(),
                clock.clone(),
                GovernorSettings::without_pauses(),
            ),
            public_url: public_url.clone(),
            sign_in_ttl: None,
            live: watched.clone(),
        });
        let races = Races::start(RacesParts {
            store: store.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
            livetrack: LiveTrack::new(reqwest::Client::new(), simulator.hosts(), clock.clone()),
            rules: EndRules::default(),
            notifier: notifier.clone(),
            time_zone: None,
            coach: None,
            traces: Traces::off(),
            public_url: public_url.origin().to_owned(),
        });
        let races = races.unwrap();
        let worker = Arc::new(Worker::default());
        let port = worker.clone().start(&lifecycle).await;
        let tools::WorkerListing {
            tools,
            resources,
            resource_templates,
        } = tools::lists();
        let workers = Workers::attached(port, &lifecycle);
        let accounts = Accounts::new(store.clone(), clock.clone(), watched.clone());
        let history = History::new(store.clone(), clock.clone());
        let advice = AdviceParts {
            store: store.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            history: history.clone(),
            notifier,
            claude: None,
            link: format!("{}/link", public_url.origin()),
        };
        let advice = Advice::start(advice, &lifecycle);
        let gateway = Gateway::start(GatewayParts {
            oauth: oauth.clone(),
            workers: workers.clone(),
            history_workers: None,
            history: history.clone(),
            advice: advice.clone(),
            lists: WorkerLists::BuiltIn {
                tools,
                resources,
                resource_templates,
            },
            races: races.clone(),
            accounts: accounts.clone(),
            public_url: public_url.clone(),
            live: watched.clone(),
            store: store.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
        });
        let ready = self.ready;
        let ready: Ready = Arc::new(move || ready);
        let gateway = gateway.unwrap();
        let parts = WebParts {
            rooms: Rooms {
                accounts,
                oauth: oauth.clone(),
                workers,
                races: races.clone(),
                gateway: gateway.clone(),
                history,
                store,
                advice,
            },
            export: Arc::new(|_| mpsc::channel(1).1),
            gateway,
            races,
            oauth,
            public_url: public_url.clone(),
            proxies: Arc::default(),
            map_tiles: None,
            tile_archive: None,
            simulated: false,
            live: watched,
            clock,
            ready,
            limits: self.limits,
            threads: ConnectionThreads::start().unwrap(),
            lifecycle: lifecycle.clone(),
        };
        let serving = lifecycle.stopping();
        lifecycle.spawn("web", async move {
            web::serve(listener, None, parts, serving).await;
        });
        Face {
            address,
            _live: live,
            worker,
            lifecycle,
            host: public_url.authority().to_owned(),
            _directory: directory,
        }
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

/// The MCP server behind every account. A call reports its progress, waits until it is released, and answers.
#[derive(Default)]
pub(crate) struct Worker {
    /// Each notification releases one waiting call.
    pub(crate) go_on: Arc<Notify>,
    /// Notified when a call has ended, with or without an answer.
    pub(crate) ended: Arc<Notify>,
}

struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

type WorkerBody = BoxBody<Bytes, Infallible>;

impl Worker {
    /// Starts the server and returns its port on 127.0.0.1.
    async fn start(self: Arc<Self>, lifecycle: &Lifecycle) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = move |request| {
            let worker = self.clone();
            async move { worker.answer(request).await }
        };
        lifecycle.spawn(
            "face.worker",
            HttpServer::new(listener).serve(answer, lifecycle.stopping()),
        );
        port
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<WorkerBody> {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = message["id"].clone();
        let reply = move |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
        if message["method"] == "initialize" {
            let server = json!({"name": "face", "version": "1"});
            let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": server});
            return json_response(&reply(result));
        }
        if message["id"].is_null() {
            let mut response = Response::new(Full::default().boxed());
            *response.status_mut() = StatusCode::ACCEPTED;
            return response;
        }
        let ended = NotifyOnDrop(self.ended.clone());
        let go_on = self.go_on.clone();
        let answered = async move {
            let _ended = ended;
            go_on.notified().await;
            reply(json!({"content": [{"type": "text", "text": "all of it"}]}))
        };
        let token = message["params"]["_meta"]["progressToken"].clone();
        if token.is_null() {
            return json_response(&answered.await);
        }
        let params = json!({"progressToken": token, "progress": 1, "message": "half way"});
        let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
        let events = futures_util::stream::iter([progress])
            .chain(futures_util::stream::once(answered))
            .map(|message| Ok::<_, Infallible>(Frame::data(Bytes::from(format!("data: {message}\n\n")))));
        let mut response = Response::new(http_body_util::BodyExt::boxed(StreamBody::new(events)));
        set_type(&mut response, "text/event-stream");
        response
    }
}

fn json_response(message: &Value) -> Response<WorkerBody> {
    let mut response = Response::new(Full::from(message.to_string()).boxed());
    set_type(&mut response, "application/json");
    response
}

fn set_type(response: &mut Response<WorkerBody>, content_type: &'static str) {
    let value = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert("content-type", value);
}

impl Face {
    pub(crate) async fn start() -> Self {
        Start::default().face().await
    }

    /// Opens a connection and sends raw bytes.
    pub(crate) async fn connect(&self, sent: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stream
    }

    /// Sends raw bytes and reads until the connection is closed.
    pub(crate) async fn raw(&self, sent: &[u8]) -> String {
        let mut stream = self.connect(sent).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(
            read.is_ok(),
            "the connection was left open: {:?}",
            String::from_utf8_lossy(sent)
        );
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends one request. `Host` is the server's unless the headers name another.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &str) -> Reply {
        let named = headers.to_ascii_lowercase().contains("host:");
        let host = if named {
            String::new()
        } else {
            format!("Host: {}\r\n", self.host)
        };
        let length = match body.len() {
            0 => String::new(),
            n => format!("Content-Length: {n}\r\n"),
        };
        let sent = format!("{line} HTTP/1.1\r\n{host}{headers}{length}Connection: close\r\n\r\n{body}");
        Reply::parse(&self.raw(sent.as_bytes()).await)
    }
}
