//! A gateway that is connected but does not answer.

use jiff::SignedDuration;

use crate::admin::api::AdminRead;
use crate::console::state::{ConsoleEffect, ConsoleState, LinkState};

/// After this pause the console asks whether the gateway still answers.
const PROBE_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// After this pause the console says that the gateway does not answer.
const SILENT_AFTER: SignedDuration = SignedDuration::from_secs(6);

impl ConsoleState {
    /// Asks something after a pause, because updates come only when something changes: a gateway that hangs would look
    /// like one that is idle.
    pub(super) fn probe(&mut self) -> Vec<ConsoleEffect> {
        let is_quiet = self.unheard().is_some_and(|pause| pause >= PROBE_AFTER);
        if self.link != LinkState::Live || self.probing || !is_quiet {
            return Vec::new();
        }
        self.probing = true;
        self.read(AdminRead::Overview)
    }

    fn unheard(&self) -> Option<SignedDuration> {
        self.heard_at.map(|at| self.now.duration_since(at))
    }

    /// The seconds for which a connected gateway has not answered, if they are many.
    pub(in crate::console) fn silent_s(&self) -> Option<u64> {
        let pause = self.unheard().filter(|pause| *pause >= SILENT_AFTER)?;
        (self.link == LinkState::Live).then(|| pause.as_secs().unsigned_abs())
    }
}
