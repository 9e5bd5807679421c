//! The result of an act on the page.

use super::refusal::PageRefusal;
use crate::base::secrets::Secret;
use crate::store::StoreError;

/// The result of an act.
pub(super) enum Acted {
    /// The page is shown again, with the notice of this name.
    Done(&'static str),
    /// A link was made. The page shows it once.
    Shared(Secret),
    /// Nothing was changed, for this reason.
    Refused(PageRefusal),
    Closed(PageClosing),
    /// The store can't be used.
    Broken,
}

/// Why an act closed the page.
#[derive(Clone, Copy)]
pub(super) enum PageClosing {
    SignedOut,
    /// The app that was cut off had opened the page.
    AppEnded,
    Forgotten,
}

impl From<StoreError> for Acted {
    fn from(reason: StoreError) -> Self {
        tracing::error!(%reason, "page.not_acted");
        Self::Broken
    }
}
