//! The gateway with a simulated Garmin. All features work with invented data, and all files are removed at the end.

mod showroom;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use serde_json::json;
use tokio::net::TcpListener;

use self::showroom::Showroom;
use super::{Daemon, DaemonParts};
use crate::base::clock::Clock;
use crate::base::disk::Scratch;
use crate::base::lifecycle::{Lifecycle, StopSignals};
use crate::base::log::{Console, Telemetry};
use crate::config::{Config, Sources};
use crate::garmin::GovernorSettings;
use crate::simulator::{Mfa, Person, Simulator, SimulatorSettings};

/// The ports that are tried if none is given.
const PORTS: RangeInclusive<u16> = 8080..=8099;

/// The factor by which races run faster than in reality.
const RACE_SPEED: u16 = 20;

/// How far in the past the first races start. Both athletes reach the finish before the races' clock has caught up with
/// real time.
const RACES_BEHIND: SignedDuration = SignedDuration::from_hours(8);

/// Runs the demo until a stop signal arrives. Without `port`, the first free one of [`PORTS`] is used. Returns true if
/// nothing failed.
pub async fn run(port: Option<u16>, program: PathBuf) -> anyhow::Result<bool> {
    let signals = StopSignals::listen()?.or_closed_terminal();
    let port = match port {
        Some(port) => port,
        None => free_port().await?,
    };
    let home = Scratch::make(&std::env::temp_dir(), "garmin-gateway-demo-")?;
    let at = |name: &str| home.path().join(name).display().to_string();
    let clock = Clock::system();
    let races_clock = Clock::catching_up(RACES_BEHIND, RACE_SPEED);
    let lifecycle = Lifecycle::new();
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("there is no port for the simulated Garmin")?;
    let settings = SimulatorSettings {
        races_clock: Some(races_clock.clone()),
        ..SimulatorSettings::default()
    };
    let people = settings.people.clone();
    let simulator = Simulator::start(settings, listener, &lifecycle)?;

    let garmin = simulator.base_url().as_str();
    let port = port.to_string();
    let (data, runtime, secret) = (at("data"), at("runtime"), at("secret"));
    let sources = Sources::of_pairs([
        ("PORT", port.as_str()),
        ("DATA_DIR", &data),
        ("RUNTIME_DIR", &runtime),
        ("GATEWAY_SECRET_FILE", &secret),
        ("INVITED", "@example.org"),
        ("OPERATOR_NAME", "the demo on this machine"),
        ("SIGN_IN_SPACING", "0"),
        ("SIGN_IN_DAILY", "1000"),
        // The simulated Garmin needs no protection from load.
        ("HISTORY_PACE", "0"),
        ("GARMIN_SSO_URL", garmin),
        ("GARMIN_DIAUTH_URL", garmin),
        ("GARMIN_CONNECTAPI_URL", garmin),
        ("GARMIN_LIVETRACK_URL", garmin),
    ]);
    let config = Config::load(&sources)
        .map_err(|problems| anyhow::anyhow!("the demo's own settings are wrong: {problems:?}"))?;
    let pace = GovernorSettings::new(config.sign_in, &config.garmin);
    let telemetry = Telemetry::start(Console::Stderr, None, config.live.log_level, clock.clone())?;
    let daemon = Daemon::start(DaemonParts {
        config,
        sources,
        telemetry,
        clock: clock.clone(),
        races_clock,
        program,
        kept: super::Kept::default(),
    })
    .await
    .map_err(|e| match e {
        super::StartError::Bind { address, reason } => {
            anyhow::anyhow!("{address} can't be used: {reason}; choose another port with --port")
        }
        other => other.into(),
    })?;
    let showroom = Showroom::new(&daemon, simulator, people.clone())?;
    let page = showroom.open(pace, clock).await?;
    showroom.keep_open(&lifecycle);
    announce(&daemon, &people, page.expose(), &runtime)?;
    let well = daemon.run(signals).await;
    Ok(lifecycle.drain(Duration::from_secs(2)).await && well)
}

async fn free_port() -> anyhow::Result<u16> {
    for port in PORTS {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!(
        "no port from {} to {} is free; choose another with --port",
        PORTS.start(),
        PORTS.end()
    )
}

fn announce(daemon: &Daemon, people: &[Person], race_page: &str, runtime_dir: &str) -> std::io::Result<()> {
    let url = daemon.public_url().mcp();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\nA gateway with a simulated Garmin. No real person, no real data.\n"
    )?;
    writeln!(out, "  Connector URL   {url}")?;
    writeln!(
        out,
        "  Claude Code     claude mcp add --transport http garmin {url}"
    )?;
    writeln!(out, "                  then /mcp in Claude Code, to sign in")?;
    // The command line uses the path with which the program was started, because people who try the demo have not
    // installed it.
    let program = std::env::args().next();
    let program = program.as_deref().unwrap_or("garmin-gateway");
    writeln!(out, "  Console         {program} console --socket {runtime_dir}")?;
    writeln!(out, "  A race, live    {race_page}")?;
    writeln!(
        out,
        "                  run some hours ago, and replayed {RACE_SPEED} times as fast\n"
    )?;
    for (n, person) in people.iter().enumerate() {
        let head = if n == 0 { "Sign in as" } else { "" };
        let Person { email, password, .. } = person;
        let note = match (&person.mfa, person.is_locked) {
            (_, true) => "  (locked by Garmin)".to_owned(),
            (Some(Mfa { code, .. }), _) => format!("  code {code}"),
            (None, _) => String::new(),
        };
        writeln!(out, "  {head:14}  {email:18}  password {password}{note}")?;
    }
    writeln!(out, "\nCtrl-C stops it and leaves nothing behind.\n")?;
    out.flush()
}

/// Runs only the simulated Garmin until a stop signal arrives. The first line of output contains its address and its
/// people.
pub async fn simulate(bind: SocketAddr, n_people: Option<usize>) -> anyhow::Result<bool> {
    let lifecycle = Lifecycle::new();
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("{bind} can't be used"))?;
    let mut settings = SimulatorSettings::default();
    for n in settings.people.len()..n_people.unwrap_or_default() {
        let number = u64::try_from(n)? + 1;
        let name = format!("Person{number}");
        let email = format!("person{number}@example.org");
        settings
            .people
            .push(Person::new(number, &name, &email, &format!("demo-{number}")));
    }
    let people: Vec<_> = settings
        .people
        .iter()
        .filter(|person| !person.is_locked)
        .map(|person| {
            json!({
                "email": person.email,
                "password": person.password,
                "full_name": person.data.full_name,
                "mfa_code": person.mfa.as_ref().map(|mfa| &mfa.code),
            })
        })
        .collect();
    let simulator = Simulator::start(settings, listener, &lifecycle)?;
    let mut signals = StopSignals::listen()?.or_closed_terminal();
    {
        let url = simulator.base_url().as_str().trim_end_matches('/');
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", json!({ "url": url, "people": people }))?;
        out.flush()?;
    }
    signals.wait().await;
    Ok(lifecycle.drain(Duration::from_secs(2)).await)
}
