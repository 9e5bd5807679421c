//! Reloads the env file when it is saved, and on SIGHUP.

use notify::{RecursiveMode, Watcher as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::gateway::Config;
use super::live::Live;
use super::problem::SettingProblem;
use super::reader::Effective;
use super::settings::{Change, SETTINGS};
use super::sources::Sources;
use crate::base::lifecycle::Lifecycle;

/// What was saved in the env file since the start, and is not in effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedSettings {
    /// Why the file was ignored when it was last read.
    pub refused: Vec<SettingProblem>,
    /// The settings that have changed but take effect only at the next start.
    pub waiting: Vec<&'static str>,
}

impl SavedSettings {
    /// A sentence for each thing that the operator should do.
    pub fn sentences(&self) -> Vec<String> {
        let refused = self.refused.iter().map(|problem| {
            format!("the env file was saved with a mistake, and the next start would fail: {problem}")
        });
        let waiting = (!self.waiting.is_empty()).then(|| {
            format!(
                "changed in the env file, and in effect after a restart: {}",
                self.waiting.join(", ")
            )
        });
        refused.chain(waiting).collect()
    }
}

/// The settings while the program runs.
pub struct WatchedSettings {
    pub live: watch::Receiver<Live>,
    pub saved: watch::Receiver<SavedSettings>,
}

/// Starts watching. The receivers get the live settings whenever they change, and what is saved without being in
/// effect. A file with a problem is ignored, and each problem is logged as `config.refused`. A change that needs a
/// restart is logged as `config.restart_wanted`.
pub fn watch(config: &Config, sources: Sources, lifecycle: &Lifecycle) -> WatchedSettings {
    let (live, receiver) = watch::channel(config.live.clone());
    let (saved, saved_receiver) = watch::channel(SavedSettings::default());
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
            reload(&sources, &started_with, &live, &saved);
        }
    });
    WatchedSettings {
        live: receiver,
        saved: saved_receiver,
    }
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

fn reload(
    sources: &Sources,
    started_with: &[Effective],
    live: &watch::Sender<Live>,
    saved: &watch::Sender<SavedSettings>,
) {
    let loaded = sources.clone().with_file(sources.file());
    let loaded = loaded.and_then(|sources| Ok((Config::load(&sources)?, sources)));
    let (config, now) = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                tracing::warn!(%problem, "config.refused");
            }
            saved.send_modify(|saved| saved.refused = problems);
            return;
        }
    };
    let waiting = restart_wanted((started_with, sources), (&config.effective, &now));
    if !waiting.is_empty() {
        tracing::warn!(names = waiting.join(","), "config.restart_wanted");
    }
    saved.send_replace(SavedSettings {
        refused: Vec::new(),
        waiting,
    });
    let changed = live.send_if_modified(|now| {
        let changed = *now != config.live;
        *now = config.live.clone();
        changed
    });
    if changed {
        tracing::info!("config.reloaded");
    }
}

/// The settings that have changed but take effect only at the next start. The text is compared too, because not all
/// of a secret or a command is among the values to show.
fn restart_wanted(before: (&[Effective], &Sources), after: (&[Effective], &Sources)) -> Vec<&'static str> {
    let value = |(settings, sources): (&[Effective], &Sources), name: &str| {
        let found = settings.iter().find(|effective| effective.name == name);
        let text = sources.find(name).map(|(text, _)| text.to_owned());
        (found.map(|effective| effective.value.clone()), text)
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
        let WatchedSettings { mut live, mut saved } = watch(&config, sources, &lifecycle);
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

        // Both states are kept for the operator until the file is right.
        let limit = std::time::Duration::from_secs(10);
        std::fs::write(
            &file,
            "INVITED=eve@example.org\nHEARTBEAT_URL=not-a-url-but-secret\n",
        )
        .unwrap();
        let refused = saved.wait_for(|saved| !saved.refused.is_empty());
        let seen = tokio::time::timeout(limit, refused)
            .await
            .unwrap()
            .unwrap()
            .clone();
        let told = seen.sentences().join("\n");
        assert!(
            told.contains("HEARTBEAT_URL (") && told.contains("line 2"),
            "{told}"
        );
        assert!(!told.contains("but-secret"), "{told}");
        let invited = live.borrow().invited.clone();
        assert!(!invited.iter().any(|i| i.covers("eve@example.org")));
        std::fs::write(&file, "PORT=9\nHEARTBEAT_URL=https://example.org/ping\n").unwrap();
        let waits = saved.wait_for(|saved| saved.waiting.contains(&"HEARTBEAT_URL"));
        let seen = tokio::time::timeout(limit, waits).await.unwrap().unwrap().clone();
        assert_eq!(seen.waiting, ["PUBLIC_URL", "PORT", "HEARTBEAT_URL"]);
        assert!(seen.refused.is_empty() && seen.sentences().len() == 1, "{seen:?}");
    }

    #[test]
    fn settings_that_want_a_restart_are_named() {
        let load = |name: &str, value: &str| {
            let sources = Sources::of_pairs([SECRET, ("HOME", "/h"), (name, value)]);
            (Config::load(&sources).unwrap().effective, sources)
        };
        let changed = |name: &str, (from, to): (&str, &str)| {
            let (before, after) = (load(name, from), load(name, to));
            restart_wanted((&before.0, &before.1), (&after.0, &after.1))
        };
        assert_eq!(changed("PORT", ("1", "2")), ["PUBLIC_URL", "PORT"]);
        let pings = ("https://example.org/a", "https://example.org/b");
        assert_eq!(changed("HEARTBEAT_URL", pings), ["HEARTBEAT_URL"]);
        assert_eq!(changed("CLAUDE_CMD", ("claude", "claude -v")), ["CLAUDE_CMD"]);
    }
}
