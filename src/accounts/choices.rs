//! What a person has chosen: the tools in their list, their time zone, and whether clients get views.

use super::Accounts;
use super::account::{AccountId, Choices};
use crate::config::ToolProfile;
use crate::store::{StoreError, Tx};

impl Accounts {
    /// What the person has chosen; the defaults if nothing.
    pub fn choices(&self, id: &AccountId) -> Result<Choices, StoreError> {
        Ok(self.store.find(id.as_str().as_bytes())?.unwrap_or_default())
    }

    /// Sets the tools in the person's list; `None` for the gateway's default. Returns false if the account was
    /// forgotten, or if `is_allowed`, which runs in the same unit of work, returns false.
    pub async fn choose_tools(
        &self,
        id: &AccountId,
        tools: Option<ToolProfile>,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.choose(id, is_allowed, |choices| choices.tools = tools).await
    }

    /// Sets the person's time zone; `None` for that of their Garmin profile. Returns whether it was set, as
    /// [`Accounts::choose_tools`] does. A worker that is running keeps the zone with which it was started.
    pub async fn choose_time_zone(
        &self,
        id: &AccountId,
        time_zone: Option<String>,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.choose(id, is_allowed, |choices| choices.time_zone = time_zone)
            .await
    }

    /// Switches the views in the person's clients off or on. Returns whether the choice was stored, as
    /// [`Accounts::choose_tools`] does.
    pub async fn choose_views(
        &self,
        id: &AccountId,
        are_off: bool,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.choose(id, is_allowed, move |choices| choices.are_views_off = are_off)
            .await
    }

    async fn choose(
        &self,
        id: &AccountId,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
        change: impl FnOnce(&mut Choices) + Send + 'static,
    ) -> Result<bool, StoreError> {
        let account = id.clone();
        let is_chosen = self
            .store
            .atomic(move |tx| {
                let key = account.as_str().as_bytes();
                if !Self::exists_within(tx, &account)? || !is_allowed(tx)? {
                    return Ok(false);
                }
                let mut choices: Choices = tx.find(key)?.unwrap_or_default();
                change(&mut choices);
                tx.put(key, &choices)?;
                Ok::<_, StoreError>(true)
            })
            .await?;
        if is_chosen {
            tracing::info!(account.id = %id, "choices.changed");
        }
        Ok(is_chosen)
    }
}
