//! The changes of the last minutes, so that a call that is repeated by mistake changes nothing.
//!
//! A worker keeps this in memory only, so it is lost when the worker ends. The gateway keeps its own record.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long an equal call counts as a repetition.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The changes that were begun within the window, by their content.
#[derive(Debug, Default)]
pub(in crate::tools) struct RecentChanges(HashMap<String, RecentChange>);

#[derive(Debug, Clone, Copy)]
struct RecentChange {
    at: Timestamp,
    state: EarlierChange,
}

/// The state of an earlier, equal call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlierChange {
    InProgress,
    Made,
    /// Garmin may or may not have carried it out.
    Unknown,
}

impl EarlierChange {
    /// The text for a repetition that must not be sent. `age` is the time since the earlier call, and `again` whether
    /// the change is wanted once more.
    pub fn refuse(self, age: SignedDuration, again: bool) -> Result<(), String> {
        let seconds = age.as_secs().max(0);
        let ago = if seconds < 120 {
            format!("{seconds} s ago")
        } else {
            format!("{} min ago", seconds / 60)
        };
        match self {
            Self::InProgress => Err(format!(
                "the same change was begun {ago} and is not finished. Nothing more was sent."
            )),
            Self::Made if !again => Err(format!(
                "the same change was made {ago}. Nothing was sent. To make it once more, give again: true."
            )),
            Self::Unknown if !again => Err(format!(
                "the same change was sent {ago}, and it is not known whether Garmin made it. Nothing was sent. Look at \
                 the data first, then give again: true if the change is missing."
            )),
            Self::Made | Self::Unknown => Ok(()),
        }
    }
}

impl RecentChanges {
    /// Begins a change. An equal one within the window is an error, unless the call says `again`. One that is still in
    /// progress is always an error.
    pub(in crate::tools) fn begin(
        &mut self,
        content: &str,
        again: bool,
        now: Timestamp,
    ) -> Result<(), String> {
        self.0
            .retain(|_, earlier| now.duration_since(earlier.at) < WINDOW);
        if let Some(earlier) = self.0.get(content) {
            earlier.state.refuse(now.duration_since(earlier.at), again)?;
        }
        let state = EarlierChange::InProgress;
        self.0.insert(content.to_owned(), RecentChange { at: now, state });
        Ok(())
    }

    /// Records how a change ended; `None` if nothing was changed.
    pub(in crate::tools) fn end(&mut self, content: &str, state: Option<EarlierChange>) {
        match state {
            Some(state) => {
                if let Some(change) = self.0.get_mut(content) {
                    change.state = state;
                }
            }
            None => {
                self.0.remove(content);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_change_within_ten_minutes_needs_again() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut recent = RecentChanges::default();
        recent.begin("a", false, at(0)).unwrap();
        assert!(
            recent
                .begin("a", true, at(1))
                .unwrap_err()
                .contains("not finished")
        );
        recent.end("a", Some(EarlierChange::Made));
        assert!(
            recent
                .begin("a", false, at(599))
                .unwrap_err()
                .contains("9 min ago")
        );
        recent.begin("b", false, at(599)).unwrap();
        recent.begin("a", true, at(599)).unwrap();
        recent.end("a", Some(EarlierChange::Unknown));
        assert!(
            recent
                .begin("a", false, at(600))
                .unwrap_err()
                .contains("not known")
        );
        recent.begin("a", false, at(1_199)).unwrap();
        recent.end("a", None);
        recent.begin("a", false, at(1_200)).unwrap();
    }
}
