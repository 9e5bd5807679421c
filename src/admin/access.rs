//! Views of access: token families, clients and past revocations.

use std::collections::BTreeMap;

use super::api::AdminRefusal;
use super::service::AdminService;
use super::views::count;
use super::views::{ClientView, FamilyView, RevocationView, TokensView};

use crate::accounts::AccountId;
use crate::mcp::Access;
use crate::oauth::FamilyOverview;

/// The number of revocations shown, newest first.
const REVOCATIONS: usize = 200;

impl AdminService {
    pub(super) fn tokens(&self) -> Result<TokensView, AdminRefusal> {
        self.tokens_with(&self.rooms.oauth.families()?, &self.labels()?)
    }

    pub(super) fn tokens_with(
        &self,
        families: &[FamilyOverview],
        labels: &BTreeMap<AccountId, String>,
    ) -> Result<TokensView, AdminRefusal> {
        let label = |account: &AccountId| labels.get(account).cloned().unwrap_or_default();
        let mut shown: Vec<FamilyView> = families
            .iter()
            .map(|family| FamilyView {
                id: family.id.as_str().to_owned(),
                account: family.account.to_string(),
                label: label(&family.account),
                client: family.client_name.clone(),
                client_id: family.client_id.clone(),
                access: access_name(family.access).to_owned(),
                issued_at: family.created_at,
                last_used: Some(family.last_used_at),
                expires_at: family.expires_at,
            })
            .collect();
        shown.sort_by(|a, b| b.issued_at.cmp(&a.issued_at).then_with(|| a.id.cmp(&b.id)));
        let revocations = self.rooms.oauth.revocations(REVOCATIONS)?.into_iter();
        let revocations = revocations
            .map(|one| RevocationView {
                at: one.at,
                family: one.family.as_str().to_owned(),
                label: label(&one.account),
                account: one.account.to_string(),
                client: one.client_name,
                reason: one.reason.as_str().to_owned(),
                by_uid: one.by_uid,
                tokens: count(one.n_access_tokens),
            })
            .collect();
        Ok(TokensView {
            families: shown,
            revocations,
        })
    }

    pub(super) fn clients(&self) -> Result<Vec<ClientView>, AdminRefusal> {
        let mut clients: BTreeMap<String, ClientView> = BTreeMap::new();
        for family in self.rooms.oauth.families()? {
            let client = clients
                .entry(family.client_id.clone())
                .or_insert_with(|| ClientView {
                    id: family.client_id,
                    name: family.client_name,
                    first_used_at: family.created_at,
                    tokens: 0,
                });
            client.first_used_at = client.first_used_at.min(family.created_at);
            client.tokens += 1;
        }
        Ok(clients.into_values().collect())
    }
}

pub(super) fn access_name(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "read only",
        Access::ReadAndChange => "read and change",
    }
}
