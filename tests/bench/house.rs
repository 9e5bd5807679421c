//! The environment of a measurement: the simulated Garmin, a gateway with its data, and nginx.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::https::Certificate;
use crate::person::Person;
use crate::processes::{Process, cpu};

/// The program to measure: the one named by `--program`, or else the one that cargo built with the bench.
fn gateway() -> Result<PathBuf> {
    let mut arguments = std::env::args_os().skip_while(|argument| argument != "--program");
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(env!("CARGO_BIN_EXE_garmin-gateway").into()),
        (Some(_), Some(program)) => Ok(program.into()),
        (Some(_), None) => bail!("--program needs the gateway's file"),
    }
}

/// The simulated Garmin, in its own process.
pub(crate) struct Garmin {
    url: String,
    people: Vec<Person>,
    _process: Process,
    _directory: TempDir,
}

#[derive(Deserialize)]
struct Told {
    url: String,
    people: Vec<Person>,
}

impl Garmin {
    /// Its base URL, `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Starts the simulator with this many people without MFA.
    pub(crate) async fn start(people: usize) -> Result<Self> {
        let directory = TempDir::new()?;
        let log = directory.path().join("garmin.log");
        let arguments = [
            "simulator",
            "--bind",
            "127.0.0.1:0",
            "--people",
            &(people + 5).to_string(),
        ];
        let mut process = Process::start(&gateway()?, &arguments, &[], log)?;
        let told: Told = serde_json::from_str(&process.first_line().await?)?;
        let people = told
            .people
            .into_iter()
            .filter(|person| person.mfa_code.is_none())
            .collect();
        Ok(Self {
            url: told.url,
            people,
            _process: process,
            _directory: directory,
        })
    }

    /// One of the simulator's people.
    pub(crate) fn person(&self, number: usize) -> Result<&Person> {
        self.people
            .get(number)
            .with_context(|| format!("no person {number}"))
    }
}

/// A gateway with its own data.
pub(crate) struct House {
    /// The public URL, `http://localhost:PORT`, or `https` with a certificate.
    pub(crate) url: String,
    /// The port that it listens on, on 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) process: Process,
    directory: TempDir,
    environment: Vec<(&'static str, String)>,
    /// Kept open across restarts, as systemd does.
    socket: TcpListener,
    client: reqwest::Client,
}

impl House {
    /// Starts `serve` with these settings in addition to the common ones.
    pub(crate) async fn start(garmin: &Garmin, settings: &[(&'static str, String)]) -> Result<Self> {
        Self::start_at("http", reqwest::Client::new(), garmin, settings).await
    }

    /// The same, but it serves https itself.
    pub(crate) async fn start_over_https(
        garmin: &Garmin,
        certificate: &Certificate,
        settings: &[(&'static str, String)],
    ) -> Result<Self> {
        let settings = [&certificate.settings(), settings].concat();
        Self::start_at("https", certificate.browser().build()?, garmin, &settings).await
    }

    async fn start_at(
        scheme: &str,
        client: reqwest::Client,
        garmin: &Garmin,
        settings: &[(&'static str, String)],
    ) -> Result<Self> {
        let directory = TempDir::new()?;
        let at = |name: &str| directory.path().join(name).display().to_string();
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let port = socket.local_addr()?.port();
        let url = format!("{scheme}://localhost:{port}");
        let invited: Vec<&str> = garmin.people.iter().map(|person| person.email.as_str()).collect();
        let mut environment = vec![
            ("HOME", at("")),
            ("PORT", port.to_string()),
            ("PUBLIC_URL", url.clone()),
            ("DATA_DIR", at("data")),
            ("RUNTIME_DIR", at("runtime")),
            ("GATEWAY_SECRET_FILE", at("secret")),
            ("INVITED", invited.join(",")),
            ("GATEWAY_LOG_LEVEL", "warning".to_owned()),
            // As in the units of packaging/.
            ("MALLOC_ARENA_MAX", "2".to_owned()),
            // A bench signs in and calls far more often than the default limits allow.
            ("SIGN_IN_SPACING", "0".to_owned()),
            ("SIGN_IN_DAILY", "1000".to_owned()),
            ("CALLS_PER_MINUTE", "1000000".to_owned()),
        ];
        for name in [
            "GARMIN_SSO_URL",
            "GARMIN_DIAUTH_URL",
            "GARMIN_CONNECTAPI_URL",
            "GARMIN_LIVETRACK_URL",
        ] {
            environment.push((name, garmin.url.clone()));
        }
        environment.extend(settings.iter().cloned());
        let mut process = serve(&socket, &environment, &directory)?;
        process.ready(&client, &format!("{url}/readyz")).await?;
        Ok(Self {
            url,
            port,
            process,
            directory,
            environment,
            socket,
            client,
        })
    }

    /// Restarts the gateway as an upgrade does: stops the old process, waits for it, and starts a new one.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.process.stop();
        self.process = serve(&self.socket, &self.environment, &self.directory)?;
        let url = format!("{}/readyz", self.url);
        self.process.ready(&self.client, &url).await
    }

    /// The share of a core that the gateway, without its workers, uses in this time.
    pub(crate) async fn share_of_a_core(&self, time: Duration) -> Result<f64> {
        let (began, before) = (Instant::now(), cpu(self.process.id())?);
        tokio::time::sleep(time).await;
        let used = cpu(self.process.id())?.saturating_sub(before);
        Ok(used.as_secs_f64() / began.elapsed().as_secs_f64())
    }

    /// The path of the console's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        let name = garmin_gateway::admin::SOCKET_NAME;
        self.directory.path().join("runtime").join(name)
    }
}

/// The settings of a gateway whose only worker is the fast upstream, at this port.
pub(crate) fn fast_worker(port: u16) -> Result<[(&'static str, String); 4]> {
    let bench = std::env::current_exe()?;
    Ok([
        ("GARMIN_MCP_CMD", format!("{} --upstream", bench.display())),
        ("WORKER_PORT_START", port.to_string()),
        ("WORKER_PORT_END", port.to_string()),
        ("MAX_WORKERS", "1".to_owned()),
    ])
}

fn serve(
    socket: &TcpListener,
    environment: &[(&'static str, String)],
    directory: &TempDir,
) -> Result<Process> {
    let log = directory.path().join("gateway.log");
    Process::on_socket(socket, &gateway()?, "serve", environment, log)
}

/// An nginx process in front of the same upstream.
pub(crate) struct Nginx {
    /// The port that it listens on, on 127.0.0.1.
    pub(crate) port: u16,
    _process: Process,
    _directory: TempDir,
}

impl Nginx {
    /// Starts nginx, if it is installed.
    pub(crate) async fn start(upstream: u16) -> Result<Option<Self>> {
        Self::start_at("http", "", &reqwest::Client::new(), upstream).await
    }

    /// The same, but it serves https.
    pub(crate) async fn start_over_https(upstream: u16, certificate: &Certificate) -> Result<Option<Self>> {
        let client = certificate.browser().build()?;
        Self::start_at("https", &certificate.settings_of_nginx(), &client, upstream).await
    }

    async fn start_at(
        scheme: &str,
        tls: &str,
        client: &reqwest::Client,
        upstream: u16,
    ) -> Result<Option<Self>> {
        let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
        let Some(program) = places.iter().find(|place| place.exists()) else {
            return Ok(None);
        };
        let directory = TempDir::new()?;
        let port = free_port()?;
        let settings = directory.path().join("nginx.conf");
        std::fs::write(
            &settings,
            settings_of_nginx(directory.path(), port, upstream, tls),
        )?;
        let arguments = [
            "-p",
            &directory.path().display().to_string(),
            "-c",
            &settings.display().to_string(),
        ];
        let log = directory.path().join("nginx.log");
        let mut process = Process::start(program, &arguments, &[], log)?;
        process
            .ready(client, &format!("{scheme}://localhost:{port}/healthz"))
            .await?;
        Ok(Some(Self {
            port,
            _process: process,
            _directory: directory,
        }))
    }
}

/// Configures nginx as a minimal reverse proxy with keep-alive connections.
fn settings_of_nginx(directory: &Path, port: u16, upstream: u16, tls: &str) -> String {
    let dir = directory.display();
    let ssl = if tls.is_empty() { "" } else { " ssl" };
    format!(
        "daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.err; worker_processes 2;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream worker {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port}{ssl} reuseport; {tls}
    location / {{ proxy_pass http://worker; proxy_http_version 1.1; proxy_set_header Connection \"\";
      proxy_set_header Host localhost:{upstream}; }}
  }}
}}
"
    )
}

/// A free port below the range that the kernel assigns automatically.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(22_000);
    let mut ports = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed)).take(1_000);
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("no port is free")
}
