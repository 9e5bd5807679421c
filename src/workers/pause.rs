//! Garmin's request for a pause (429). A pause that one worker reports applies to the workers of all people.
//!
//! While a pause lasts, no worker gets a permit to send a request ([`super::permits`]). The end of the pause is kept in
//! a file, so that a restart does not cut it short.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// The file in `DATA_DIR` that says until when Garmin wants no requests.
const PAUSE_FILE: &str = "garmin_pause";

/// The longest pause that one worker can impose on the others. A worker is not trusted.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// How much of the file is read, in bytes. It holds only a time.
const LONGEST_TEXT: u64 = 64;

/// Clones share one pause, which ends for all of them at once.
#[derive(Clone, Debug)]
pub(super) struct GarminPause {
    until: Arc<Mutex<Option<Timestamp>>>,
    /// Where the end of the pause is kept, so that a restart does not end it.
    file: Option<PathBuf>,
}

impl GarminPause {
    /// A pause that is kept in `DATA_DIR`, and may still last from before a restart.
    pub(super) fn kept_in(data_dir: &Path, now: Timestamp) -> Self {
        let file = data_dir.join(PAUSE_FILE);
        Self {
            until: Arc::new(Mutex::new(read(&file, now))),
            file: Some(file),
        }
    }

    /// A pause that is not stored, so that a restart ends it.
    pub(super) fn none() -> Self {
        Self {
            until: Arc::default(),
            file: None,
        }
    }

    /// Records the pause that a worker reports. It never shortens the current pause. A worker is not trusted, so a time
    /// that is too far away counts as the longest pause.
    pub(super) fn hear(&self, heard: Timestamp, now: Timestamp) {
        let heard = heard.min(now + LONGEST);
        let mut until = self.until.lock();
        if heard <= now || until.is_some_and(|until| until >= heard) {
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

    /// The end of the pause, if there is one now.
    pub(super) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.lock().filter(|until| *until > now)
    }
}

/// The time in a file, if it is in the future. A time that is too far away counts as the longest pause.
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
    fn a_pause_lasts_over_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let pause = GarminPause::kept_in(data.path(), at(0));
        assert_eq!(pause.until(at(0)), None);
        pause.hear(at(90), at(0));
        assert_eq!(pause.until(at(0)), Some(at(90)));
        let restarted = GarminPause::kept_in(data.path(), at(30));
        assert_eq!(restarted.until(at(30)), Some(at(90)));
        assert_eq!(restarted.until(at(90)), None);
    }

    #[test]
    fn a_worker_can_neither_end_a_pause_nor_stretch_it_without_limit() {
        let pause = GarminPause::none();
        for (heard, expected) in [(60, 60), (5, 60), (-5, 60), (1_000_000, 1_800)] {
            pause.hear(at(heard), at(0));
            assert_eq!(pause.until(at(0)), Some(at(expected)), "{heard}");
        }
    }

    #[test]
    fn a_file_that_holds_no_time_is_no_pause() {
        let data = tempfile::tempdir().unwrap();
        for text in ["soon".to_owned(), String::new(), "9".repeat(500)] {
            fs::write(data.path().join(PAUSE_FILE), &text).unwrap();
            assert_eq!(
                GarminPause::kept_in(data.path(), at(0)).until(at(0)),
                None,
                "{text}"
            );
        }
    }
}
