//! Garmin's request for a pause (429), as one worker heard it, for the workers of all people.
//!
//! Garmin counts requests by address, and all workers have the same one. While a pause lasts, the gateway sends no call
//! to a worker. The end of the pause is kept in a file, so that a restart does not cut it short.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// The file in its directory in which the built-in worker says until when Garmin wants no requests.
pub const PAUSE_FILE: &str = "garmin_pause";

/// The longest pause that one worker can impose on the others. A worker is not trusted.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// The longest text of a time.
const LONGEST_TEXT: u64 = 64;

#[derive(Debug)]
pub(super) struct GarminPause {
    until: Mutex<Option<Timestamp>>,
    /// Where the end of the pause is kept; `None` in tests.
    file: Option<PathBuf>,
}

impl GarminPause {
    /// A pause that is kept in `DATA_DIR`, and may still last from before a restart.
    pub(super) fn kept_in(data_dir: &Path, now: Timestamp) -> Self {
        let file = data_dir.join(PAUSE_FILE);
        Self {
            until: Mutex::new(read(&file, now)),
            file: Some(file),
        }
    }

    pub(super) fn none() -> Self {
        Self {
            until: Mutex::default(),
            file: None,
        }
    }

    /// Takes in what a worker wrote into its directory. An earlier end than the known one changes nothing.
    pub(super) fn hear(&self, directory: &Path, now: Timestamp) {
        let Some(heard) = read(&directory.join(PAUSE_FILE), now) else {
            return;
        };
        let mut until = self.until.lock();
        if until.is_some_and(|until| until >= heard) {
            return;
        }
        *until = Some(heard);
        tracing::warn!(until = %heard, "garmin.paused_for_all");
        if let Some(file) = &self.file
            && let Err(reason) = fs::write(file, heard.to_string())
        {
            tracing::warn!(%reason, "garmin.pause_not_kept");
        }
    }

    /// How long the pause still lasts, rounded up to a second; `None` if there is none.
    pub(super) fn left(&self, now: Timestamp) -> Option<Duration> {
        let left = (*self.until.lock())?.duration_since(now);
        let whole = left.as_secs() + i64::from(left.subsec_nanos() > 0);
        u64::try_from(whole)
            .ok()
            .filter(|left| *left > 0)
            .map(Duration::from_secs)
    }
}

/// The time in a file, if it is to come. A time that is too far away counts as the longest pause.
fn read(file: &Path, now: Timestamp) -> Option<Timestamp> {
    let is_file = fs::symlink_metadata(file).is_ok_and(|found| found.is_file());
    let mut text = String::new();
    fs::File::open(file)
        .ok()
        .filter(|_| is_file)?
        .take(LONGEST_TEXT)
        .read_to_string(&mut text)
        .ok()?;
    let until: Timestamp = text.trim().parse().ok()?;
    (until > now).then(|| until.min(now + LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_pause_that_one_worker_heard_holds_for_all_and_over_a_restart() {
        let (data, worker) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let pause = GarminPause::kept_in(data.path(), at(0));
        pause.hear(worker.path(), at(0));
        assert_eq!(pause.left(at(0)), None);
        let says = |text: &str| fs::write(worker.path().join(PAUSE_FILE), text).unwrap();
        says(&at(90).to_string());
        pause.hear(worker.path(), at(0));
        assert_eq!(pause.left(at(0)), Some(Duration::from_secs(90)));
        let restarted = GarminPause::kept_in(data.path(), at(30));
        assert_eq!(restarted.left(at(30)), Some(Duration::from_secs(60)));
        assert_eq!(restarted.left(at(90)), None);
        // A part of a second is a second, so that the next call is not too early.
        let almost = at(89) + SignedDuration::from_millis(1);
        assert_eq!(restarted.left(almost), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_worker_can_neither_end_a_pause_nor_stretch_it_without_limit() {
        let worker = tempfile::tempdir().unwrap();
        let pause = GarminPause::none();
        let says = |text: &str| fs::write(worker.path().join(PAUSE_FILE), text).unwrap();
        says(&at(60).to_string());
        pause.hear(worker.path(), at(0));
        for text in [
            at(5).to_string(),
            "soon".to_owned(),
            String::new(),
            "9".repeat(500),
        ] {
            says(&text);
            pause.hear(worker.path(), at(0));
            assert_eq!(pause.left(at(0)), Some(Duration::from_secs(60)), "{text}");
        }
        says(&at(1_000_000).to_string());
        pause.hear(worker.path(), at(0));
        assert_eq!(pause.left(at(0)), Some(Duration::from_secs(1_800)));
    }
}
