//! The gateway serves https itself, with a certificate from files.

use std::time::Duration;

use garmin_gateway::simulator::SimulatorSettings;
use reqwest::{Certificate, Version};

use super::whole::{World, ports};

/// A gateway with its own certificate for `localhost`.
struct Secured {
    world: World,
    http_port: u16,
    certificate: Certificate,
    _dir: tempfile::TempDir,
}

impl Secured {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = |name: &str, content: String| -> &'static str {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string().leak()
        };
        let port = ports(2);
        let settings = [
            ("PORT", &*port.to_string().leak()),
            ("PUBLIC_URL", &*format!("https://localhost:{port}").leak()),
            ("HTTP_PORT", &*(port + 1).to_string().leak()),
            ("BIND_ADDRESS", "127.0.0.1"),
            ("TLS_CERT", file("chain.pem", own.cert.pem())),
            ("TLS_KEY", file("key.pem", own.signing_key.serialize_pem())),
        ];
        Self {
            world: World::with(SimulatorSettings::default(), 1, &settings).await,
            http_port: port + 1,
            certificate: Certificate::from_pem(own.cert.pem().as_bytes()).unwrap(),
            _dir: dir,
        }
    }

    fn client(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .tls_certs_only([self.certificate.clone()])
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .no_proxy()
    }
}

#[tokio::test]
async fn a_person_connects_over_both_versions_of_http() {
    let mut secured = Secured::start().await;
    for (client, version) in [
        (secured.client(), Version::HTTP_2),
        (secured.client().http1_only(), Version::HTTP_11),
    ] {
        secured.world.http = client.build().unwrap();
        let world = &secured.world;
        let page = world.http.get(world.url("/")).send().await.unwrap();
        assert_eq!((page.status().as_u16(), page.version()), (200, version));
        assert!(page.headers().contains_key("strict-transport-security"));
        let connected = world.connect("ann@example.org", "demo-ann", None).await;
        assert_eq!(world.full_name(&connected.access_token).await, "Ann Example");
    }
    secured.world.end().await;
}

#[tokio::test]
async fn plain_http_gets_no_answer() {
    let secured = Secured::start().await;
    let plain = reqwest::get(format!("http://localhost:{}/", secured.world.port())).await;
    assert!(plain.is_err());
    secured.world.end().await;
}

#[tokio::test]
async fn the_plain_port_sends_on_who_reads_and_takes_nothing() {
    let secured = Secured::start().await;
    let client = secured.client().build().unwrap();
    let plain = |path: &str| format!("http://127.0.0.1:{}{path}", secured.http_port);
    let here = secured.world.url("");
    for path in [
        "/",
        "/link",
        "/r/abc?lang=de",
        "//evil.example/x",
        "/.well-known/oauth-protected-resource",
    ] {
        let answer = client
            .get(plain(path))
            .header("host", "evil.example")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 302);
        assert_eq!(
            answer.headers()["location"].to_str().unwrap(),
            format!("{here}{path}")
        );
    }
    for path in ["/mcp", "/token"] {
        let answer = client
            .post(plain(path))
            .body("refresh_token=x")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 405);
        assert!(!answer.headers().contains_key("location"));
    }
    secured.world.end().await;
}

/// A start that fails leaves nothing behind, so the next one finds what this one found. Above all, a secret that was
/// made beside data would look like the right one from then on.
#[test]
fn a_start_that_can_not_succeed_makes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let refused = |more: &[(&str, &str)]| {
        let served = std::process::Command::new(env!("CARGO_BIN_EXE_garmin-gateway"))
            .arg("serve")
            .env_clear()
            .current_dir(place.path())
            .env("HOME", place.path())
            .env("DATA_DIR", at("data"))
            .env("RUNTIME_DIR", at("run"))
            .env("GATEWAY_SECRET_FILE", at("secret"))
            .envs(more.iter().copied())
            .output()
            .unwrap();
        assert_eq!(served.status.code(), Some(78));
        assert!(!at("secret").exists());
        String::from_utf8(served.stderr).unwrap()
    };
    let directory = place.path().to_str().unwrap();
    let told = refused(&[
        ("PUBLIC_URL", "https://localhost"),
        ("TLS_CERT", directory),
        ("TLS_KEY", "missing.pem"),
    ]);
    assert!(
        told.contains("TLS_CERT (") && told.contains("TLS_KEY ("),
        "{told}"
    );
    assert!(!at("data").exists() && !at("run").exists());

    std::fs::create_dir_all(at("data/gateway.db")).unwrap();
    std::fs::write(at("data/gateway.db/db"), "data").unwrap();
    let told = refused(&[]);
    assert!(
        told.contains("is missing, and the data can't be opened"),
        "{told}"
    );
}
