//! Stores what a plan imports.

use jiff::Timestamp;

use super::plan::{ImportPlan, PlannedAccount};
use crate::accounts::{Account, Accounts, ImportedAccount};
use crate::oauth::{ForeignToken, OAuth};
use crate::races::Races;
use crate::store::{Store, StoreError, Tx};

/// How many accounts, tokens, clients and races were new and are now stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    pub accounts: usize,
    pub tokens: usize,
    pub clients: usize,
    pub races: usize,
}

/// Stores the whole plan in one unit of work. `resource` is the URL of this gateway's endpoint, for which the tokens
/// are valid from now on. Existing records are not changed.
pub async fn carry_out(
    store: &Store,
    plan: ImportPlan,
    resource: String,
    now: Timestamp,
) -> Result<ImportSummary, StoreError> {
    let imported = store.atomic(move |tx| {
        let mut summary = ImportSummary::default();
        for account in plan.accounts {
            if let Some(n_tokens) = import_account(tx, account, &resource, now)? {
                summary.accounts += 1;
                summary.tokens += n_tokens;
            }
        }
        for client in &plan.clients {
            summary.clients += usize::from(OAuth::import_client_within(tx, client)?);
        }
        for planned in plan.races {
            let accounts = tx.list::<Account>(b"")?.into_iter().map(|(_, account)| account);
            let mut owners = accounts.filter(|account| account.email == planned.owner);
            if let Some(owner) = owners.next() {
                Races::import_within(tx, &owner.id, planned.race.past)?;
                summary.races += 1;
            }
        }
        Ok(summary)
    });
    imported.await
}

/// Stores an account with its tokens, and returns the number of tokens; `None` if its e-mail already has an account.
fn import_account(
    tx: &mut Tx<'_>,
    planned: PlannedAccount,
    resource: &str,
    now: Timestamp,
) -> Result<Option<usize>, StoreError> {
    let imported = ImportedAccount {
        email: planned.email,
        tokens: planned.tokens,
        linked_at: planned.linked_at,
    };
    let Some(account) = Accounts::import_within(tx, imported, now)? else {
        return Ok(None);
    };
    let mut n_tokens = 0;
    for token in planned.access {
        let token = ForeignToken {
            hash: token.hash,
            account: account.clone(),
            client_id: token.client_id,
            client_name: token.client_name,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
        };
        n_tokens += usize::from(OAuth::import_token_within(tx, token, resource, now)?);
    }
    Ok(Some(n_tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secrets::{RootSecret, Secret, TokenHash};
    use crate::garmin::GarminTokens;
    use crate::garmin::livetrack::Trackpoint;
    use crate::import::old_races::OldRace;
    use crate::import::plan::{PlannedRace, PlannedToken};
    use crate::import::sample::garmin_tokens;
    use crate::oauth::ForeignClient;
    use crate::race::plan::RacePlan;
    use crate::races::PastRace;

    fn planned(email: &str, tokens: GarminTokens) -> PlannedAccount {
        let now = Timestamp::UNIX_EPOCH;
        PlannedAccount {
            email: email.to_owned(),
            tokens,
            is_renewed: false,
            linked_at: now,
            access: vec![PlannedToken {
                hash: TokenHash::of(email),
                client_id: "client-1".into(),
                client_name: None,
                created_at: now,
                last_used_at: now,
                expires_at: None,
            }],
        }
    }

    fn plan(last: GarminTokens) -> ImportPlan {
        ImportPlan {
            accounts: vec![
                planned("ann@example.org", garmin_tokens(1_800_000_000)),
                planned("bob@example.org", last),
            ],
            clients: vec![ForeignClient {
                id: "client-1".into(),
                name: None,
                redirect_uris: vec!["http://localhost/cb".into()],
            }],
            races: vec![PlannedRace {
                owner: "bob@example.org".into(),
                race: OldRace {
                    past: PastRace {
                        settings: RacePlan::default(),
                        link: None,
                        points: vec![Trackpoint::at(Timestamp::UNIX_EPOCH)],
                    },
                    bad_config: None,
                },
            }],
            ..ImportPlan::default()
        }
    }

    #[tokio::test]
    async fn everything_is_stored_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let import = |plan| carry_out(&store, plan, "https://gw/mcp".into(), Timestamp::UNIX_EPOCH);
        let n_accounts = || store.list::<Account>(b"").unwrap().len();
        // The second account's record can't be stored, as when the disk fills up or the power goes in the middle.
        let endless = GarminTokens {
            di_token: Secret::new("x".repeat(40_000)),
            ..garmin_tokens(1_800_000_000)
        };
        assert!(matches!(
            import(plan(endless)).await,
            Err(StoreError::TooLarge(..))
        ));
        assert_eq!(n_accounts(), 0);
        let whole = || plan(garmin_tokens(1_800_000_000));
        let all = ImportSummary {
            accounts: 2,
            tokens: 2,
            clients: 1,
            races: 1,
        };
        assert_eq!(import(whole()).await.unwrap(), all);
        let mut again = whole();
        again.races.clear();
        assert_eq!(import(again).await.unwrap(), ImportSummary::default());
        assert_eq!(n_accounts(), 2);
    }
}
