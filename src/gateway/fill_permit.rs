//! The right to fetch days for a person's history, which ends with the person's access.

use super::in_flight::InFlightCall;
use super::service::Gateway;
use crate::accounts::AccountId;
use crate::store::StoreError;

/// The right to fetch days of a person. It ends with the person's access.
#[derive(Debug)]
pub struct FillPermit(InFlightCall);

impl FillPermit {
    /// Completes when the person's access ends.
    pub async fn ended(&self) {
        self.0.revoked().await;
    }
}

impl Gateway {
    /// Registers a request for days of a person; `None` if no client is signed in to the account. The call is
    /// registered before the check, so that a revocation takes effect whichever comes first.
    pub fn begin_fill(&self, account: &AccountId) -> Result<Option<FillPermit>, StoreError> {
        let permit = FillPermit(self.register_fill(account));
        Ok(self.has_sign_in(account)?.then_some(permit))
    }
}
