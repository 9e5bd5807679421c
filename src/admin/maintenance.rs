//! Acts on the whole store: erasing old data, and changing the secret that seals it.

use jiff::Timestamp;

use super::api::{AdminRefusal, PurgeSummary};
use super::service::AdminService;
use crate::base::secrets::{RootSecret, Secret};
use crate::store::RotateError;

impl From<RotateError> for AdminRefusal {
    fn from(e: RotateError) -> Self {
        match e {
            RotateError::Store(e) => e.into(),
            RotateError::WrongSecret | RotateError::NotPrepared => Self::Invalid(e.to_string()),
        }
    }
}

impl AdminService {
    /// Erases data older than `before` if requested, then compacts the store if requested.
    pub(super) async fn purge(
        &self,
        account: Option<&str>,
        before: Option<Timestamp>,
        compact: bool,
    ) -> Result<PurgeSummary, AdminRefusal> {
        let account = account.map(|account| self.account(account)).transpose()?;
        let mut purged = PurgeSummary::default();
        if let Some(before) = before {
            // `Timestamp::MAX` means everything, including times in the future.
            let before = if before == Timestamp::MAX {
                before
            } else {
                before.min(self.clock.now())
            };
            purged = self.rooms.purge(account.as_ref(), before).await?;
        }
        if compact {
            let compacted = self.rooms.store.compact().await?;
            purged.compacted = Some((compacted.before, compacted.after));
        }
        Ok(purged)
    }

    pub(super) async fn prepare_secret(
        &self,
        current: &Secret,
        new: &Secret,
    ) -> Result<String, AdminRefusal> {
        let (current, new) = (root_secret(current)?, root_secret(new)?);
        self.rooms.store.prepare_secret(current, new).await?;
        Ok("Both secrets open the store now.".to_owned())
    }

    pub(super) async fn settle_secret(&self, new: &Secret) -> Result<String, AdminRefusal> {
        self.rooms.store.settle_secret(root_secret(new)?).await?;
        Ok("Only the new secret opens the store now.".to_owned())
    }
}

fn root_secret(secret: &Secret) -> Result<RootSecret, AdminRefusal> {
    RootSecret::new(secret.expose()).map_err(|e| AdminRefusal::Invalid(format!("the secret: {e}")))
}
