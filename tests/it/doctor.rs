//! Tests of the doctor with one fault at a time: it must report that fault and no other.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::config::Sources;
use garmin_gateway::doctor::{Finding, Verdict, Visit, examine};
use garmin_gateway::simulator::SimulatorSettings;
use jiff::ToSpan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::whole::World;

/// The finding expected for every gateway in a test, because its address is on loopback.
const USUAL: &str = "address";

type Settings = Vec<(String, String)>;

fn with(mut settings: Settings, name: &str, value: &str) -> Settings {
    settings.retain(|(known, _)| known != name);
    settings.push((name.to_owned(), value.to_owned()));
    settings
}

fn value<'a>(settings: &'a Settings, name: &str) -> &'a str {
    let (_, value) = settings.iter().find(|(known, _)| known == name).unwrap();
    value
}

async fn findings_at(settings: &Settings, clock: Clock) -> Vec<Finding> {
    let pairs = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let visit = Visit {
        sources: Sources::of_pairs(pairs),
        socket: None,
        program: env!("CARGO_BIN_EXE_garmin-gateway").into(),
        clock,
        patience: Duration::from_secs(30),
    };
    let mut findings = Vec::new();
    let worst = examine(visit, |finding| findings.push(finding)).await;
    assert_eq!(
        worst,
        findings.iter().map(|finding| finding.verdict).max().unwrap()
    );
    for finding in &findings {
        assert_eq!(
            finding.verdict == Verdict::Ok,
            finding.fix.is_none(),
            "{finding:?}"
        );
    }
    findings
}

async fn findings(settings: &Settings) -> Vec<Finding> {
    findings_at(settings, Clock::system()).await
}

/// The findings that are not `Ok`, with their verdicts, except [`USUAL`].
fn wrong(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    let wrong = findings.iter().filter(|finding| finding.verdict != Verdict::Ok);
    let wrong = wrong.map(|finding| (finding.check, finding.verdict));
    wrong.filter(|(check, _)| *check != USUAL).collect()
}

/// The single finding from [`wrong`]. Panics if there is not exactly one.
fn only(findings: &[Finding]) -> &Finding {
    let [(check, _)] = wrong(findings)[..] else {
        panic!("not one thing is wrong: {findings:#?}");
    };
    let is_it = |finding: &&Finding| finding.check == check && finding.verdict != Verdict::Ok;
    findings.iter().find(is_it).unwrap()
}

/// A proxy between Claude and the gateway, which changes the head of each request or answers it directly. Its address
/// is reserved before the gateway starts.
struct Proxy {
    listener: TcpListener,
    url: &'static str,
}

impl Proxy {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        Self {
            listener,
            url: url.leak(),
        }
    }

    /// Starts the proxy. `change` maps the head of a request to the head to forward, or to an answer to send instead.
    fn run(self, to: u16, change: impl Fn(String) -> Result<String, &'static str> + Send + 'static) {
        tokio::spawn(async move {
            loop {
                let (mut client, _) = self.listener.accept().await.unwrap();
                let mut bytes = vec![0; 64 << 10];
                let mut n = 0;
                let head = loop {
                    n += client.read(&mut bytes[n..]).await.unwrap();
                    if let Some(at) = bytes[..n].windows(4).position(|end| end == b"\r\n\r\n") {
                        break at + 2;
                    }
                };
                let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
                let length = text.to_lowercase().lines().find_map(|line| {
                    line.strip_prefix("content-length:")
                        .map(|n| n.trim().parse::<usize>().unwrap())
                });
                while n < head + 2 + length.unwrap_or_default() {
                    n += client.read(&mut bytes[n..]).await.unwrap();
                }
                match change(text) {
                    Ok(text) => {
                        let mut gateway = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                        let head = format!("{text}Connection: close\r\n\r\n");
                        gateway.write_all(head.as_bytes()).await.unwrap();
                        gateway.write_all(&bytes[text_end(&bytes)..n]).await.unwrap();
                        tokio::io::copy(&mut gateway, &mut client).await.unwrap();
                    }
                    Err(answer) => {
                        let answer =
                            format!("HTTP/1.1 {answer}Content-Length: 0\r\nConnection: close\r\n\r\n");
                        client.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
                client.shutdown().await.ok();
            }
        });
    }
}

/// The offset of the body.
fn text_end(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4
}

async fn world(more: &[(&'static str, &'static str)]) -> World {
    World::with(SimulatorSettings::default(), 3, more).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_runs_is_well_and_so_is_one_that_does_not_yet() {
    let mut world = world(&[]).await;
    // PUBLIC_URL contains the port that the system chose.
    let local = format!("http://localhost:{}", world.port());
    let settings = with(world.settings(), "PUBLIC_URL", &local);
    let seen = findings(&settings).await;
    assert_eq!(wrong(&seen), [], "{seen:#?}");
    for check in [
        "settings",
        "secret",
        "data",
        "disk",
        "runtime",
        "gateway",
        "store",
        "worker",
        "garmin",
        "clock",
        "challenge",
        "discovery",
        "authorization",
        "registration",
        "call",
    ] {
        assert!(
            seen.iter().any(|finding| finding.check == check),
            "{check} was not looked at"
        );
    }
    let worker = seen.iter().find(|finding| finding.check == "worker").unwrap();
    assert!(
        worker.says.contains("lists 53 tools") || worker.says.contains("tools in"),
        "{worker:?}"
    );

    // Without a running gateway, nothing answers at its address.
    world.stop_gateway().await;
    let seen = findings(&settings).await;
    assert_eq!(
        wrong(&seen),
        [("gateway", Verdict::Warn), ("challenge", Verdict::Fail)],
        "{seen:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_on_this_machine_is_named() {
    let mut world = world(&[]).await;
    let local = format!("http://localhost:{}", world.port());
    let settings = with(world.settings(), "PUBLIC_URL", &local);
    let mode = |path: &str, mode: u32| {
        std::fs::set_permissions(Path::new(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };

    let secret = value(&settings, "GATEWAY_SECRET_FILE").to_owned();
    mode(&secret, 0o644);
    let seen = findings(&settings).await;
    assert_eq!(only(&seen).check, "secret");
    assert_eq!(
        only(&seen).fix.as_deref(),
        Some(format!("chmod 600 {secret}").as_str())
    );
    mode(&secret, 0o600);

    let data = value(&settings, "DATA_DIR").to_owned();
    mode(&data, 0o755);
    let seen = findings(&settings).await;
    assert_eq!((only(&seen).check, only(&seen).verdict), ("data", Verdict::Fail));
    mode(&data, 0o700);

    let seen = findings(&with(settings.clone(), "PORT", "many")).await;
    assert_eq!(only(&seen).check, "settings");
    let seen = findings(&with(settings.clone(), "PUBLIC_URI", "x")).await;
    assert!(only(&seen).says.contains("did you mean PUBLIC_URL"), "{seen:#?}");

    let hour_ahead = Clock::manual(Clock::system().now() + 1.hour());
    let seen = findings_at(&settings, hour_ahead).await;
    assert_eq!(only(&seen).check, "clock");
    assert!(only(&seen).says.contains("ahead of Garmin"), "{seen:#?}");

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let seen = findings(&with(settings.clone(), "GARMIN_DIAUTH_URL", &closed)).await;
    assert_eq!(
        (only(&seen).check, only(&seen).verdict),
        ("garmin", Verdict::Fail)
    );

    // The following checks run without a gateway.
    world.stop_gateway().await;
    let offline = |seen: &[Finding]| {
        let mut wrong = wrong(seen);
        wrong.retain(|(check, _)| !matches!(*check, "gateway" | "challenge"));
        wrong
    };
    let other = Path::new(&data).with_file_name("other");
    std::fs::write(&other, "quite another text of forty letters, say").unwrap();
    mode(other.to_str().unwrap(), 0o600);
    let seen = findings(&with(
        settings.clone(),
        "GATEWAY_SECRET_FILE",
        other.to_str().unwrap(),
    ))
    .await;
    assert_eq!(offline(&seen), [("store", Verdict::Fail)], "{seen:#?}");

    std::fs::rename(&secret, format!("{secret}.away")).unwrap();
    let seen = findings(&settings).await;
    let expected = [("secret", Verdict::Fail), ("store", Verdict::Warn)];
    assert_eq!(offline(&seen), expected, "{seen:#?}");
    assert!(!Path::new(&secret).exists(), "the doctor created a secret");
    std::fs::rename(format!("{secret}.away"), &secret).unwrap();

    let seen = findings(&with(settings.clone(), "GARMIN_MCP_CMD", "no-such-program")).await;
    let foreign = ("worker port", Verdict::Warn);
    assert_eq!(offline(&seen), [foreign, ("worker", Verdict::Fail)], "{seen:#?}");
    let too_new =
        "/bin/sh -c 'echo \"ModuleNotFoundError: No module named mcp.server.fastmcp FastMCP\"; exit 1'";
    let seen = findings(&with(settings.clone(), "GARMIN_MCP_CMD", too_new)).await;
    assert_eq!(offline(&seen), [foreign, ("worker", Verdict::Fail)], "{seen:#?}");
    let worker = seen.iter().find(|finding| finding.check == "worker").unwrap();
    assert!(worker.says.contains("mcp<2"), "{worker:?}");
    let at_garmin = "/bin/sh -c 'echo \"Failed to initialize Garmin Connect client. Exiting.\"'";
    let seen = findings(&with(settings.clone(), "GARMIN_MCP_CMD", at_garmin)).await;
    assert_eq!(offline(&seen), [foreign], "{seen:#?}");

    // Damage found at a start is reported until a backup is restored.
    std::fs::write(format!("{data}/gateway.db.damaged"), "it holds 3 of 9 records").unwrap();
    let seen = findings(&settings).await;
    assert_eq!(offline(&seen), [("store", Verdict::Fail)], "{seen:#?}");
    assert!(
        seen.iter().any(|finding| finding.says.contains("3 of 9")),
        "{seen:#?}"
    );
}

/// Changes the head of a request, or returns an answer to send instead.
type Fault = fn(String) -> Result<String, &'static str>;

/// A fault, the check that finds it, and a word in its report.
const FAULTS: &[(Fault, &str, &str)] = &[
    (
        |_| Err("301 Moved\r\nLocation: https://other.example.org/mcp\r\n"),
        "challenge",
        "redirects to",
    ),
    (|_| Err("502 Bad Gateway\r\n"), "challenge", "502"),
    (|_| Err("404 Not Found\r\n"), "challenge", "another server"),
    (
        |_| Err("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"home\"\r\n"),
        "challenge",
        "not from the gateway",
    ),
    (
        |head| {
            let host = head
                .lines()
                .find(|line| line.to_lowercase().starts_with("host:"))
                .unwrap();
            Ok(head.replace(host, "Host: backend"))
        },
        "call",
        "403",
    ),
    (
        |head| {
            if head.contains("/.well-known/") {
                Err("404 Not Found\r\n")
            } else {
                Ok(head)
            }
        },
        "discovery",
        "404",
    ),
    (
        |head| {
            let kept = head
                .lines()
                .filter(|line| !line.to_lowercase().starts_with("authorization:"));
            Ok(kept.collect::<Vec<_>>().join("\r\n") + "\r\n")
        },
        "authorization",
        "does not reach",
    ),
    (
        |head| {
            if head.starts_with("POST /register") {
                Err("405 Method Not Allowed\r\n")
            } else {
                Ok(head)
            }
        },
        "registration",
        "405",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_proxy_is_named() {
    for (fault, check, word) in FAULTS {
        let proxy = Proxy::new().await;
        let world = world(&[("PUBLIC_URL", proxy.url)]).await;
        proxy.run(world.port(), *fault);
        let seen = findings(&world.settings()).await;
        let first = seen
            .iter()
            .find(|finding| finding.verdict == Verdict::Fail)
            .unwrap_or_else(|| panic!("{check} was not found: {seen:#?}"));
        assert_eq!(first.check, *check, "{seen:#?}");
        assert!(first.says.contains(word), "{seen:#?}");
    }

    // With a proxy that changes nothing, the doctor finds nothing wrong, and its call through the public address
    // succeeds.
    let proxy = Proxy::new().await;
    let world = world(&[("PUBLIC_URL", proxy.url)]).await;
    proxy.run(world.port(), Ok);
    let seen = findings(&world.settings()).await;
    assert_eq!(wrong(&seen), [], "{seen:#?}");
    assert!(seen.iter().any(|finding| finding.check == "call"), "{seen:#?}");
}

/// A server that answers each path with its file, and 404 otherwise.
async fn files(files: [(&'static str, Vec<u8>); 2]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4_096];
            let read = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            assert!(
                !head.contains(env!("CARGO_PKG_VERSION")),
                "it says nothing of this gateway: {head}"
            );
            let path = head.split(' ').nth(1).unwrap_or_default();
            let body = files.iter().find(|(name, _)| *name == path);
            let (status, body) = body.map_or((404, &[][..]), |(_, body)| (200, body));
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn news_is_told_if_it_is_signed_and_a_forged_one_is_told_as_such() {
    let news = include_bytes!("../signatures/notes.json");
    let signature = include_bytes!("../signatures/notes.json.sig");
    let forged = String::from_utf8_lossy(news).replace("9.0.0", "9.9.9");
    for (news, says, says_not) in [
        (news.to_vec(), "version 9.0.0 is out", "signature"),
        (forged.into_bytes(), "its signature is not accepted", "9.9.9"),
    ] {
        let served = [("/notes.json", news), ("/notes.json.sig", signature.to_vec())];
        let url = format!("http://{}/notes.json", files(served).await);
        let own = [
            ("NEWS_URL", &*url.leak()),
            ("NEWS_KEY", include_str!("../signatures/key.pub").trim()),
        ];
        let world = World::with(SimulatorSettings::default(), 1, &own).await;
        let settings = world.settings();
        let told = loop {
            let told = findings(&settings).await;
            let told: Vec<String> = told.into_iter().map(|finding| finding.says).collect();
            if told.iter().any(|says| says.starts_with("news: ")) {
                break told.join("\n");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(told.contains(says) && !told.contains(says_not), "{told}");
        world.end().await;
    }
}
