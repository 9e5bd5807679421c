//! Acts on all that is kept: erasing what is past, and changing the secret that seals it.

use jiff::Timestamp;

use super::api::{AdminRefusal, PurgeSummary};
use super::desk::Desk;
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

impl Desk {
    /// Erases what is past, of one person or of all, if a time is given; gives the room back, if that is wanted.
    pub(super) async fn purge(
        &self,
        account: Option<&str>,
        before: Option<Timestamp>,
        compact: bool,
    ) -> Result<PurgeSummary, AdminRefusal> {
        let account = account.map(|account| self.account(account)).transpose()?;
        let mut purged = PurgeSummary::default();
        if let Some(before) = before {
            purged = self
                .rooms
                .purge(account.as_ref(), before.min(self.clock.now()))
                .await?;
        }
        if compact {
            let compacted = self.rooms.store.compact().await?;
            purged.compacted = Some((compacted.before, compacted.after));
        }
        Ok(purged)
    }

    /// Lets another secret open the store too.
    pub(super) async fn prepare_secret(
        &self,
        current: &Secret,
        new: &Secret,
    ) -> Result<String, AdminRefusal> {
        let (current, new) = (root(current)?, root(new)?);
        self.rooms.store.prepare_secret(current, new).await?;
        Ok("Both secrets open the store now.".to_owned())
    }

    /// Lets only the new secret open it.
    pub(super) async fn settle_secret(&self, new: &Secret) -> Result<String, AdminRefusal> {
        self.rooms.store.settle_secret(root(new)?).await?;
        Ok("Only the new secret opens the store now.".to_owned())
    }
}

fn root(secret: &Secret) -> Result<RootSecret, AdminRefusal> {
    RootSecret::new(secret.expose()).map_err(|e| AdminRefusal::Invalid(format!("the secret: {e}")))
}
