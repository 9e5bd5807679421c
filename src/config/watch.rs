//! Watches the env file: what may change while the program runs takes effect when the file is saved.

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::{mpsc, watch};

use super::gateway::Config;
use super::live::Live;
use super::reader::Effective;
use super::sources::Sources;
use super::{Change, SETTINGS};
use crate::base::lifecycle::Lifecycle;

/// Starts watching and returns the live settings as they change. A file with a mistake changes nothing and is
/// told in the log (`config.refused`), as is a changed setting that wants a restart (`config.restart_wanted`).
pub fn watch(config: &Config, sources: Sources, lifecycle: &Lifecycle) -> watch::Receiver<Live> {
    let (live, receiver) = watch::channel(config.live.clone());
    let started_with = config.effective.clone();
    let stopping = lifecycle.stopping();
    lifecycle.spawn("config", async move {
        let Some(file) = sources.file().map(ToOwned::to_owned) else {
            stopping.cancelled().await;
            return;
        };
        let (saved, mut saves) = mpsc::channel(1);
        let name = file.file_name().map(ToOwned::to_owned);
        let heard = move |event: notify::Result<notify::Event>| {
            let ours = |event: &notify::Event| event.paths.iter().any(|p| p.file_name() == name.as_deref());
            if event.is_ok_and(|event| !event.kind.is_access() && ours(&event)) {
                // A full queue means that a reading is due anyway.
                saved.try_send(()).unwrap_or_default();
            }
        };
        // Editors replace the file, so it is the directory that is watched.
        let watcher = notify::recommended_watcher(heard).and_then(|mut watcher| {
            let directory = file.parent().unwrap_or(&file);
            watcher
                .watch(directory, RecursiveMode::NonRecursive)
                .map(|()| watcher)
        });
        let _watcher = match watcher {
            Ok(watcher) => watcher,
            Err(e) => {
                tracing::warn!(reason = %e, "config.unwatched");
                stopping.cancelled().await;
                return;
            }
        };
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                save = saves.recv() => if save.is_none() { return },
            }
            reload(&sources, &started_with, &live);
        }
    });
    receiver
}

fn reload(sources: &Sources, started_with: &[Effective], live: &watch::Sender<Live>) {
    let loaded = sources
        .clone()
        .with_file(sources.file())
        .map_err(|problem| vec![problem])
        .and_then(|sources| Config::load(&sources));
    let config = match loaded {
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

/// The settings that differ and take effect only at the next start.
fn restart_wanted(before: &[Effective], after: &[Effective]) -> Vec<&'static str> {
    let waits = |name: &str| {
        SETTINGS
            .iter()
            .any(|s| s.name == name && s.change == Change::Restart)
    };
    let value = |name: &str| before.iter().find(|e| e.name == name).map(|e| &e.value);
    after
        .iter()
        .filter(|e| waits(e.name) && value(e.name) != Some(&e.value))
        .map(|e| e.name)
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
        // The watch begins in its task: save until it has heard one.
        let heard = async {
            loop {
                std::fs::write(&file, "OPEN_SIGN_UP=maybe\n").unwrap();
                std::fs::write(&file, "INVITED=bob@example.org,@example.net\nPORT=9\n").unwrap();
                let pause = std::time::Duration::from_millis(20);
                if tokio::time::timeout(pause, live.changed()).await.is_ok() {
                    break;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), heard)
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
