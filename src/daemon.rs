//! Builds and starts all parts, announces readiness, waits, and drains.
//!
//! The order matters in two places. Readiness is announced only after the store is open, the port is bound and the
//! tokens of earlier workers have been read back. The public interface stops before the workers, so that calls in
//! progress are answered.

pub mod demo;
mod fades;
mod filling;
mod listeners;
mod live_settings;
mod monitored;
mod reader;
mod retention;
mod start_error;
mod stats;
mod supervised;
mod tile_archive;
mod worker_lists;

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fades::FadeReading;
use filling::Filling;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use reader::BackgroundReader;
pub use start_error::StartError;
pub use supervised::Kept;
use tile_archive::tile_archive;
use tokio_util::sync::CancellationToken;
use worker_lists::worker_lists;

use crate::accounts::Accounts;
use crate::admin;
use crate::admin::operations::Rooms;
use crate::admin::service::{AdminService, GatewayFacts};
use crate::advice::{Advice, AdviceParts};
use crate::base::clock::Clock;
use crate::base::lifecycle::{Lifecycle, StopSignals};
use crate::base::log::{Telemetry, Traces};
use crate::base::source::Proxies;
use crate::base::threads::ConnectionThreads;
use crate::coach::{Claude, ClaudeParts, missing_program};
use crate::config;
use crate::config::{Config, PublicUrl, Sources, WatchedSettings, WorkerSettings};
use crate::garmin::livetrack::LiveTrack;
use crate::garmin::{self, ApiSettings, GovernorSettings, SignIns};
use crate::gateway::{Gateway, GatewayParts, unknown_names};
use crate::history::History;
use crate::notify::bot::BotListener;
use crate::notify::{Notifier, NotifierParts};
use crate::oauth::{OAuth, OAuthParts};
use crate::race::ending::EndRules;
use crate::races::{BOT_MENU, MailboxParts, RaceBot, RaceMailbox, Races, RacesParts};
use crate::sandbox::{PrivatePaths, Processes};
use crate::store::{Health, Store};
use crate::tls::{self, TlsParts};
use crate::tools;
use crate::web::{self, WebLimits, WebParts};
use crate::workers::rehearsal::Script;
use crate::workers::{SILENCE, Workers, WorkersParts};

/// The maximum time for calls in progress after the stop signal.
const DRAIN: Duration = Duration::from_secs(15);

pub struct DaemonParts {
    pub config: Config,
    /// The sources of the settings. The gateway watches the env file among them for changes.
    pub sources: Sources,
    pub telemetry: Telemetry,
    pub clock: Clock,
    /// The clock by which races are watched. It differs from `clock` only in the demo.
    pub races_clock: Clock,
    /// The path of this program, which is also the built-in worker.
    pub program: PathBuf,
    /// The listening socket that systemd kept during a restart.
    pub kept: Kept,
}

pub struct Daemon {
    address: SocketAddr,
    public_url: PublicUrl,
    accounts: Accounts,
    oauth: OAuth,
    workers: Workers,
    gateway: Gateway,
    races: Races,
    history: History,
    face: PublicFace,
    lifecycle: Lifecycle,
}

/// The public interface, which stops before everything else.
struct PublicFace {
    stopping: CancellationToken,
    ended: CancellationToken,
}

impl Daemon {
    /// Builds and starts everything. When it returns, the gateway answers requests.
    pub async fn start(parts: DaemonParts) -> Result<Self, StartError> {
        // The future is too large for the stack.
        Box::pin(Self::wired(parts)).await
    }

    #[expect(clippy::too_many_lines, reason = "the wiring, once, top to bottom")]
    async fn wired(parts: DaemonParts) -> Result<Self, StartError> {
        let DaemonParts {
            mut config,
            sources,
            telemetry,
            clock,
            races_clock,
            program,
            kept,
        } = parts;
        let lifecycle = Lifecycle::new();
        if let Some(file) = sources.file() {
            tracing::info!(path = %file.display(), "config.read");
        }
        let unknown_tools = unknown_names(&config, &tools::lists().tools);
        let missing = missing_program(&config.races.coach);
        for warning in config.warnings.iter().chain(&unknown_tools).chain(&missing) {
            tracing::warn!(warning, "config.warned");
        }
        // What can be checked without making anything comes first, so that a mistake leaves nothing behind.
        tls::examine(&config.tls, config.public_url.host(), clock.now())?;
        directory(&config.data_dir, "DATA_DIR", 0o700)?;
        // The admin socket is in this directory, and its group must be able to reach it. The workers' directories have
        // their own modes.
        directory(&config.runtime_dir, "RUNTIME_DIR", 0o750)?;
        let (secret, made) = config.secret.resolve()?;
        if made {
            let path = config.secret.path().unwrap_or(Path::new("")).display();
            tracing::info!(%path, "secret.made");
        }
        let store = Store::open(&config.db_path, &secret)?;
        drop(secret);
        let listener = supervised::listen(config.bind, kept).await;
        let listener = listener.map_err(|reason| StartError::Bind {
            address: config.bind,
            reason,
        })?;
        let address = listener.local_addr().unwrap_or(config.bind);
        if config.public_url == PublicUrl::local(0) {
            config.public_url = PublicUrl::local(address.port());
        }

        let facts = GatewayFacts {
            started_at: clock.now(),
            url: config.public_url.mcp(),
            simulated: config.garmin.is_simulated(),
            max_workers: config.workers.max,
            proxies: Arc::new(Proxies::new(config.trusted_proxies.clone())),
        };
        let private = [
            Some(config.db_path.as_path()),
            config.secret.path(),
            sources.file(),
            Some(&config.runtime_dir),
        ];
        let private = private.into_iter().flatten().map(Path::to_owned);
        let private = PrivatePaths::new(&config.data_dir, private.chain([config.data_dir.join("users")]));
        let processes = Processes::start(program, private, &lifecycle).map_err(StartError::Processes)?;
        let script = Script {
            settings: config.workers.clone(),
            garmin: config.garmin.clone(),
            processes: processes.clone(),
            directory: config.runtime_dir.clone(),
        };
        let WatchedSettings { live, saved } = config::watch(&config, sources, &lifecycle);
        live_settings::log_level(&telemetry, live.clone(), &lifecycle);
        let accounts = Accounts::new(store.clone(), clock.clone(), live.clone());
        let tls = TlsParts {
            settings: config.tls.clone(),
            host: config.public_url.host().to_owned(),
            store: store.clone(),
            clock: clock.clone(),
        };
        let (tls, certificate) = match tls::start(tls, &lifecycle)? {
            Some(tls) => (Some(tls.acceptor), Some(tls.health)),
            None => (None, None),
        };
        let local = match &tls {
            Some(_) => Some(listeners::plain_listener().await?),
            None => None,
        };
        if let Some(port) = config.http_port {
            listeners::plain_port(
                SocketAddr::new(config.bind.ip(), port),
                &config.public_url,
                &lifecycle,
            )
            .await;
        }
        let local_address = local.as_ref().and_then(|listener| listener.local_addr().ok());
        let http = garmin::client(&config.garmin).map_err(|e| StartError::Tls(e.to_string()))?;
        let pace = GovernorSettings::new(config.sign_in, &config.garmin);
        let livetrack = LiveTrack::new(http.clone(), config.garmin.clone(), races_clock.clone());
        let sign_ins = SignIns::kept_in(&store, config.garmin.clone(), http, clock.clone(), pace)?;
        live_settings::client_ids(&sign_ins, live.clone(), &lifecycle);
        let oauth = OAuth::new(OAuthParts {
            store: store.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
            accounts: accounts.clone(),
            sign_ins,
            public_url: config.public_url.clone(),
            sign_in_ttl: config.sign_in_ttl,
            live: live.clone(),
        });
        let history = History::new(store.clone(), clock.clone());
        let parts = WorkersParts {
            silence: SILENCE,
            rate: ApiSettings::new(&config.garmin).rate,
            settings: config.workers.clone(),
            runtime_dir: config.runtime_dir.clone(),
            data_dir: config.data_dir.clone(),
            garmin: config.garmin.clone(),
            accounts: accounts.clone(),
            lifecycle: lifecycle.clone(),
            processes: processes.clone(),
        };
        // Only the built-in worker can read days for a history.
        let history_parts = parts.settings.command.is_some().then(|| WorkersParts {
            settings: WorkerSettings {
                command: None,
                ..parts.settings.clone()
            },
            runtime_dir: config.runtime_dir.join("history"),
            data_dir: parts.data_dir.clone(),
            garmin: parts.garmin.clone(),
            accounts: accounts.clone(),
            lifecycle: lifecycle.clone(),
            processes: processes.clone(),
            ..parts
        });
        let workers = start_workers(parts).await?;
        let history_workers = match history_parts {
            Some(parts) => Some(start_workers(parts).await?),
            None => None,
        };
        let notifier = NotifierParts {
            store: store.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            public_url: config.public_url.origin().to_owned(),
            live: live.clone(),
        };
        let notifier = Notifier::start(notifier, &lifecycle);
        let claude = Claude::new(ClaudeParts {
            config: config.races.coach.clone(),
            store: store.clone(),
            clock: clock.clone(),
            public_url: config.public_url.origin().to_owned(),
            local_url: listeners::local_url(local_address.unwrap_or(address)),
            directory: config.runtime_dir.join("coach"),
            processes,
        });
        let races = Races::start(RacesParts {
            store: store.clone(),
            clock: races_clock,
            lifecycle: lifecycle.clone(),
            livetrack,
            rules: EndRules {
                stale_stop: whole_seconds(config.races.stale_stop),
                min_elapsed: whole_seconds(config.races.min_elapsed),
            },
            notifier: notifier.clone(),
            time_zone: TimeZone::system().iana_name().map(str::to_owned),
            coach: Some(claude.clone()),
            traces: match &config.monitoring.otlp {
                Some(collector) => Traces::start(collector, clock.clone(), &lifecycle),
                None => Traces::off(),
            },
            public_url: config.public_url.origin().to_owned(),
        })?;
        let advice = Advice::start(
            AdviceParts {
                store: store.clone(),
                clock: clock.clone(),
                accounts: accounts.clone(),
                history: history.clone(),
                notifier: notifier.clone(),
                claude: Some(claude),
                link: format!("{}/link", config.public_url.origin()),
            },
            &lifecycle,
        );
        RaceBot::start(
            races.clone(),
            advice.clone(),
            BotListener::new(notifier.clone(), live.clone(), BOT_MENU, lifecycle.stopping()),
            config.public_url.is_loopback(),
            &lifecycle,
        );
        let mailbox = MailboxParts {
            races: races.clone(),
            accounts: accounts.clone(),
            live: live.clone(),
            is_local: config.public_url.is_loopback(),
        };
        let mailbox = RaceMailbox::start(mailbox, &lifecycle);
        let gateway = Gateway::start(GatewayParts {
            workers: workers.clone(),
            history_workers: history_workers.clone(),
            lists: worker_lists(&config),
            races: races.clone(),
            history: history.clone(),
            advice: advice.clone(),
            accounts: accounts.clone(),
            public_url: config.public_url.clone(),
            live: live.clone(),
            oauth: oauth.clone(),
            store: store.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
        })?;
        gateway.finish_withdrawals().await?;
        if let Some(beat) = config.monitoring.heartbeat.clone() {
            monitored::heartbeat(beat, store.health(), &lifecycle);
        }
        let health = store.health();
        let rooms = Rooms {
            accounts: accounts.clone(),
            oauth: oauth.clone(),
            workers: workers.clone(),
            gateway: gateway.clone(),
            races: races.clone(),
            history: history.clone(),
            advice,
            store,
        };
        let news = monitored::news(&config, &notifier, &clock, &lifecycle);
        let service = AdminService {
            rooms: rooms.clone(),
            facts,
            clock: clock.clone(),
            notifier,
            mailbox,
            news,
            script,
            certificate,
            saved,
        };
        let exporting = service.clone();
        let web = WebParts {
            rooms: rooms.clone(),
            export: Arc::new(move |account| exporting.personal_export(account)),
            oauth: oauth.clone(),
            gateway: gateway.clone(),
            races: races.clone(),
            public_url: config.public_url.clone(),
            proxies: Arc::clone(&service.facts.proxies),
            live,
            clock: clock.clone(),
            simulated: config.garmin.is_simulated(),
            map_tiles: config.races.map_tiles.clone(),
            tile_archive: tile_archive(config.races.map_tiles.as_ref()).await?,
            ready: Arc::new(move || match &*health.borrow() {
                Health::Writing => Ok(()),
                Health::Degraded(_) => Err("the store can't write"),
            }),
            limits: WebLimits::default(),
            threads: ConnectionThreads::start().map_err(StartError::Threads)?,
            lifecycle: lifecycle.clone(),
        };
        let face = PublicFace {
            stopping: lifecycle.stopping().child_token(),
            ended: CancellationToken::new(),
        };
        let (stopping, ended) = (face.stopping.clone(), face.ended.clone());
        if let Some(local) = local {
            let served = web::serve(local, None, web.clone(), stopping.clone());
            lifecycle.spawn("web on this machine", served);
        }
        lifecycle.spawn("web", async move {
            web::serve(listener, tls, web, stopping).await;
            ended.cancel();
        });
        // Only the built-in worker can read what the gateway itself asks for.
        let own_workers = history_workers.is_some().then(|| workers.clone());
        let reader = BackgroundReader {
            accounts: accounts.clone(),
            gateway: gateway.clone(),
            workers: history_workers.unwrap_or_else(|| workers.clone()),
            own_workers,
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
        };
        fades::start(FadeReading {
            races: races.clone(),
            reader: reader.clone(),
        });
        filling::start(Filling {
            history: history.clone(),
            oauth: oauth.clone(),
            reader,
            pace: whole_seconds(config.history_pace),
        });
        retention::start(rooms, config.races.retention, clock.clone(), &lifecycle);
        if let Some(address) = config.monitoring.metrics {
            monitored::metrics(address, service.clone(), &lifecycle).await?;
        }
        admin::start(&config.runtime_dir, service, telemetry.ring().clone(), &lifecycle)?;
        stats::start(&accounts, &oauth, &workers, &lifecycle);
        tracing::info!(%address, url = config.public_url.mcp(), version = env!("CARGO_PKG_VERSION"), "daemon.ready");
        supervised::ready(&lifecycle);
        Ok(Self {
            address,
            public_url: config.public_url,
            accounts,
            oauth,
            workers,
            gateway,
            races,
            history,
            face,
            lifecycle,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub fn oauth(&self) -> &OAuth {
        &self.oauth
    }

    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    pub fn races(&self) -> &Races {
        &self.races
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    /// Runs until a stop signal arrives or a part fails, then drains. Returns true if nothing failed. `signals` must
    /// be created before [`Daemon::start`], so that no signal is lost.
    pub async fn run(self, mut signals: StopSignals) -> bool {
        let stopping = self.lifecycle.stopping();
        tokio::select! {
            () = signals.wait() => {}
            () = stopping.cancelled() => {}
        }
        tokio::select! {
            well = self.stop() => well,
            // A second signal ends the drain.
            () = signals.wait() => false,
        }
    }

    /// Stops accepting requests, lets those in progress finish, and stops the workers. Returns true if nothing
    /// failed.
    pub async fn stop(self) -> bool {
        tracing::info!("daemon.stopping");
        supervised::stopping();
        self.face.stopping.cancel();
        // After a failure, everything stops immediately.
        let broken = self.lifecycle.stopping();
        tokio::select! {
            () = self.face.ended.cancelled() => {}
            () = broken.cancelled() => {}
        }
        self.lifecycle.stop();
        self.workers.drain().await;
        let drained = self.lifecycle.drain(DRAIN).await;
        if let Err(e) = self.gateway.flush_usage().await {
            tracing::warn!(reason = %e, "usage.lost");
        }
        tracing::info!(drained, "daemon.stopped");
        drained && !self.lifecycle.has_failed()
    }
}

async fn start_workers(parts: WorkersParts) -> Result<Workers, StartError> {
    let started = Workers::start(parts).await;
    started.map_err(|e| StartError::Workers(e.to_string()))
}

fn whole_seconds(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

fn directory(path: &Path, setting: &'static str, mode: u32) -> Result<(), StartError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(|reason| StartError::Directory {
            path: path.to_owned(),
            setting,
            reason,
        })
}
