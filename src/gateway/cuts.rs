//! Which calls a revocation ends: those that were admitted by a sign-in that is over.
//!
//! A sign-in that was cut stays cut: its id is never given again, and a call that was admitted a moment before, and comes
//! here a moment after, must not start a worker for somebody without access.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The calls with a worker, by sign-in. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub(super) struct Cuts(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: HashMap<Arc<str>, (CancellationToken, usize)>,
    over: HashSet<Box<str>>,
}

/// A call counts as long as this lives.
#[derive(Debug)]
pub(super) struct Counted {
    set: Cuts,
    family: Arc<str>,
    cut: CancellationToken,
}

impl Counted {
    /// Waits until the sign-in is over.
    pub(super) async fn cut(&self) {
        self.cut.cancelled().await;
    }
}

impl Cuts {
    /// Enters a call of a sign-in.
    pub(super) fn enter(&self, family: &Arc<str>) -> Counted {
        let mut state = self.locked();
        let cut = if state.over.contains(family.as_ref()) {
            let cut = CancellationToken::new();
            cut.cancel();
            cut
        } else {
            let (cut, n) = state.calls.entry(Arc::clone(family)).or_default();
            *n += 1;
            cut.clone()
        };
        drop(state);
        Counted {
            set: self.clone(),
            family: Arc::clone(family),
            cut,
        }
    }

    /// Ends all calls of a sign-in, now and for ever. Returns how many there were.
    pub(super) fn cut(&self, family: &str) -> usize {
        let mut state = self.locked();
        state.over.insert(family.into());
        state.calls.remove(family).map_or(0, |(cut, n)| {
            cut.cancel();
            n
        })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = self.set.locked();
        if let Some((_, n)) = state.calls.get_mut(&self.family) {
            *n -= 1;
            if *n == 0 {
                state.calls.remove(&self.family);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_sign_in_is_cut_alone_and_for_ever() {
        let (cuts, a) = (Cuts::default(), Arc::from("fam_a"));
        let (one, two, other) = (cuts.enter(&a), cuts.enter(&a), cuts.enter(&"fam_b".into()));
        drop(cuts.enter(&a));
        assert_eq!(cuts.cut("fam_a"), 2);
        let is_cut = |call: &Counted| call.cut().now_or_never().is_some();
        assert!(is_cut(&one) && is_cut(&two) && !is_cut(&other));
        assert!(is_cut(&cuts.enter(&a)), "admitted before, and here after");
        assert_eq!((cuts.cut("fam_a"), cuts.cut("fam_b")), (0, 1));
        drop((one, two, other));
        assert!(cuts.locked().calls.is_empty());
    }
}
