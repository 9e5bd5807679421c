//! Reloads the env file when it is saved, and on SIGHUP.

use notify::{RecursiveMode, Watcher as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::gateway::Config;
use super::live::Live;
use super::reader::Effective;
use super::settings::{Change, SETTINGS};
use super::sources::Sources;
use crate::base::lifecycle::Lifecycle;

/// Starts watching. The receiver gets the live settings whenever they change. A file with a problem is logged as
/// `config.refused` and ignored. A change that needs a restart is logged as `config.restart_wanted`.
pub fn watch(config: &Config, sources: Sources, lifecycle: &Lifecycle) -> watch::Receiver<Live> {
    let (live, receiver) = watch::channel(config.live.clone());
    let started_with = config.effective.clone();
    let stopping = lifecycle.stopping();
    lifecycle.spawn("config", async move {
        let (requests, mut requested) = mpsc::channel(1);
        let _watcher = watch_file(&sources, requests.clone());
        let mut hangups = match signal(SignalKind::hangup()) {
            Ok(hangups) => hangups,
            Err(e) => {
                tracing::warn!(reason = %e, "config.no_sighup");
                stopping.cancelled().await;
                return;
            }
        };
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = hangups.recv() => tracing::info!("config.reload_requested"),
                // This is never `None`, because this task holds a sender.
                _ = requested.recv() => {}
            }
            reload(&sources, &started_with, &live);
        }
    });
    receiver
}

/// Requests a reload whenever the env file is saved, until the returned watcher is dropped.
fn watch_file(sources: &Sources, requests: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let file = sources.file()?.to_owned();
    let name = file.file_name().map(ToOwned::to_owned);
    let on_event = move |event: notify::Result<notify::Event>| {
        let is_ours = |event: &notify::Event| event.paths.iter().any(|p| p.file_name() == name.as_deref());
        if event.is_ok_and(|event| !event.kind.is_access() && is_ours(&event)) {
            // A full queue means that a reload is already pending.
            requests.try_send(()).unwrap_or_default();
        }
    };
    // Editors replace the file instead of writing to it, so its directory is watched.
    let directory = file.parent().unwrap_or(&file);
    let watcher = notify::recommended_watcher(on_event).and_then(|mut watcher| {
        watcher.watch(directory, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher
        .map_err(|e| tracing::warn!(reason = %e, "config.unwatched"))
        .ok()
}

fn reload(sources: &Sources, started_with: &[Effective], live: &watch::Sender<Live>) {
    let loaded = sources.clone().with_file(sources.file());
    let config = match loaded.and_then(|sources| Config::load(&sources)) {
        Ok(config) => config,
        Err(problems) => {
            let names: Vec<&str> = problems.iter().map(|p| p.name.as_str()).collect();
            tracing::warn!(names = names.join(","), "config.refused");
            return;
        }
    };
    let waiting = restart_wanted(started_with, &config.effective);
    if !waiting.is_empty() {
        tracing::warn!(names = waiting.join(","), "config.restart_wanted");
    }
    let changed = live.send_if_modified(|now| {
        let changed = *now != config.live;
        *now = config.live.clone();
        changed
    });
    if changed {
        tracing::info!("config.reloaded");
    }
}

/// The settings that have changed but take effect only at the next start.
fn restart_wanted(before: &[Effective], after: &[Effective]) -> Vec<&'static str> {
    let value = |settings: &[Effective], name: &str| {
        let found = settings.iter().find(|effective| effective.name == name);
        found.map(|effective| effective.value.clone())
    };
    SETTINGS
        .iter()
        .filter(|setting| setting.change == Change::Restart)
        .map(|setting| setting.name)
        .filter(|name| value(before, name) != value(after, name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: (&str, &str) = ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef");

    #[tokio::test]
    async fn saving_the_file_changes_what_is_live_and_a_mistake_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("gateway.env");
        std::fs::write(&file, "INVITED=ann@example.org\n").unwrap();
        let home = dir.path().to_str().unwrap();
        let sources = Sources::of_pairs([SECRET, ("HOME", home)])
            .with_file(Some(&file))
            .unwrap();
        let config = Config::load(&sources).unwrap();
        let lifecycle = Lifecycle::new();
        let mut live = watch(&config, sources, &lifecycle);
        // The task starts the watch asynchronously, so the first saves may go unnoticed.
        let noticed = async {
            loop {
                std::fs::write(&file, "OPEN_SIGN_UP=maybe\n").unwrap();
                std::fs::write(&file, "INVITED=bob@example.org,@example.net\nPORT=9\n").unwrap();
                let pause = std::time::Duration::from_millis(20);
                if tokio::time::timeout(pause, live.changed()).await.is_ok() {
                    break;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), noticed)
            .await
            .unwrap();
        let now = live.borrow().clone();
        assert!(now.invited.iter().any(|i| i.covers("BOB@example.org")));
        assert!(!now.invited.iter().any(|i| i.covers("ann@example.org")));
        assert!(!now.open_sign_up);
    }

    #[test]
    fn settings_that_want_a_restart_are_named() {
        let load = |port: &str| {
            Config::load(&Sources::of_pairs([SECRET, ("HOME", "/h"), ("PORT", port)]))
                .unwrap()
                .effective
        };
        assert_eq!(restart_wanted(&load("1"), &load("2")), ["PUBLIC_URL", "PORT"]);
    }
}
