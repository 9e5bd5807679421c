//! Decides what is imported and what is left out, without I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::database::{ClientRow, TokenRow};
use super::error::ImportError;
use super::old_gateway::OldGateway;
use super::old_races::OldRace;
use crate::accounts::is_email;
use crate::base::secrets::TokenHash;
use crate::garmin::GarminTokens;
use crate::oauth::{ForeignClient, allowed_redirects};

/// What the store holds already.
#[derive(Debug, Default)]
pub struct AlreadyHere {
    /// The e-mails of its accounts.
    pub emails: BTreeSet<String>,
    /// The ids of the clients that were imported before.
    pub client_ids: BTreeSet<String>,
    /// The imported races: the e-mail of the account, and when the race began.
    pub races: BTreeSet<(String, Timestamp)>,
}

/// The rules of this gateway.
#[derive(Debug)]
pub struct ImportRules<'a> {
    /// The operator's additions, `REDIRECT_HOSTS`.
    pub redirect_hosts: &'a [String],
    /// `ACCESS_TOKEN_TTL_DAYS`: a sign-in ends after this long without use.
    pub sign_in_ttl: Option<Duration>,
}

#[derive(Debug, Default)]
pub struct ImportPlan {
    pub accounts: Vec<PlannedAccount>,
    pub left_accounts: Vec<LeftAccount>,
    pub clients: Vec<ForeignClient>,
    /// The names, or else the ids, of clients without a redirect URI that this gateway allows.
    pub left_clients: Vec<String>,
    /// Access tokens that have expired, by their own date or for lack of use.
    pub n_expired: usize,
    /// Access tokens of an unknown account, or whose row makes no sense.
    pub n_stray: usize,
    pub races: Vec<PlannedRace>,
    /// Races that the account already has.
    pub n_known_races: usize,
    /// Races that are left out, because nobody said whose they are.
    pub n_ownerless_races: usize,
}

#[derive(Debug)]
pub struct PlannedRace {
    /// The e-mail of the account.
    pub owner: String,
    pub race: OldRace,
}

#[derive(Debug)]
pub struct PlannedAccount {
    pub email: String,
    pub tokens: GarminTokens,
    /// Whether the Garmin tokens are from the file of its worker, which had renewed them.
    pub is_renewed: bool,
    pub linked_at: Timestamp,
    pub access: Vec<PlannedToken>,
}

/// An access token that stays valid.
#[derive(Debug)]
pub struct PlannedToken {
    pub(super) hash: TokenHash,
    pub(super) client_id: String,
    pub(super) client_name: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) last_used_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

/// An account that is not imported.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftAccount {
    /// Its key in the Python gateway, which may not be an e-mail.
    pub key: String,
    pub why: Unusable,
    /// How many of Claude's connections stop working because of this.
    pub n_tokens: usize,
}

/// Why an account is not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    AlreadyHere,
    /// The key can't be used for an invitation.
    NotAnEmail,
    /// The Garmin tokens can't be decrypted with the secret, or there are none.
    NoGarminTokens,
}

impl ImportPlan {
    pub fn of(old: OldGateway, here: &AlreadyHere, rules: &ImportRules<'_>, now: Timestamp) -> Self {
        let mut plan = Self::default();
        let names: BTreeMap<String, String> = old
            .clients
            .iter()
            .filter_map(|client| Some((client.id.clone(), client.name.clone()?)))
            .collect();
        let mut tokens = plan.sort_tokens(&old, &names, rules.sign_in_ttl, now);
        for account in old.accounts {
            let access = tokens.remove(&account.key).unwrap_or_default();
            let why = if here.emails.contains(&account.key) {
                Unusable::AlreadyHere
            } else if !is_email(&account.key) || account.key != account.key.trim().to_lowercase() {
                Unusable::NotAnEmail
            } else if let Some((tokens, is_renewed)) = account.tokens {
                plan.accounts.push(PlannedAccount {
                    email: account.key,
                    tokens,
                    is_renewed,
                    linked_at: account.created_at.unwrap_or(now),
                    access,
                });
                continue;
            } else {
                Unusable::NoGarminTokens
            };
            plan.left_accounts.push(LeftAccount {
                key: account.key,
                why,
                n_tokens: access.len(),
            });
        }
        plan.sort_clients(old.clients, here, rules);
        plan
    }

    /// Whether an import would change nothing.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.clients.is_empty() && self.races.is_empty()
    }

    /// Adds the races of livetrack-mcp, which knows no accounts. They go to `owner` or, without one, to the only
    /// account that is here or comes with the plan.
    pub fn add_races(
        &mut self,
        races: Vec<OldRace>,
        owner: Option<&str>,
        here: &AlreadyHere,
    ) -> Result<(), ImportError> {
        let planned = self.accounts.iter().map(|account| &account.email);
        let emails: BTreeSet<&String> = here.emails.iter().chain(planned).collect();
        let owner = match owner {
            Some(given) => {
                let email = given.trim().to_lowercase();
                if !emails.contains(&email) {
                    return Err(ImportError::NoSuchOwner(given.to_owned()));
                }
                email
            }
            None if emails.len() == 1 => emails.into_iter().cloned().collect(),
            None => {
                self.n_ownerless_races += races.len();
                return Ok(());
            }
        };
        for race in races {
            let began_at = race.past.began_at();
            if began_at.is_some_and(|at| here.races.contains(&(owner.clone(), at))) {
                self.n_known_races += 1;
            } else {
                let owner = owner.clone();
                self.races.push(PlannedRace { owner, race });
            }
        }
        Ok(())
    }

    /// Returns the tokens that stay valid, by account, and counts the others.
    fn sort_tokens(
        &mut self,
        old: &OldGateway,
        names: &BTreeMap<String, String>,
        sign_in_ttl: Option<Duration>,
        now: Timestamp,
    ) -> BTreeMap<String, Vec<PlannedToken>> {
        let accounts: BTreeSet<&str> = old.accounts.iter().map(|account| &*account.key).collect();
        let sign_in_ttl = sign_in_ttl.and_then(|ttl| SignedDuration::try_from(ttl).ok());
        let mut valid: BTreeMap<String, Vec<PlannedToken>> = BTreeMap::new();
        for row in &old.tokens {
            let Some(token) = plan_token(row, names, now).filter(|_| accounts.contains(&*row.account)) else {
                self.n_stray += 1;
                continue;
            };
            let is_unused = sign_in_ttl.is_some_and(|ttl| now.duration_since(token.last_used_at) >= ttl);
            if is_unused || token.expires_at.is_some_and(|end| end <= now) {
                self.n_expired += 1;
            } else {
                valid.entry(row.account.clone()).or_default().push(token);
            }
        }
        valid
    }

    fn sort_clients(&mut self, clients: Vec<ClientRow>, here: &AlreadyHere, rules: &ImportRules<'_>) {
        for row in clients {
            if here.client_ids.contains(&row.id) {
                continue;
            }
            let uris: Vec<String> = serde_json::from_str(&row.redirect_uris).unwrap_or_default();
            let redirect_uris = allowed_redirects(uris.iter().map(String::as_str), rules.redirect_hosts);
            if redirect_uris.is_empty() {
                self.left_clients.push(row.name.unwrap_or(row.id));
                continue;
            }
            self.clients.push(ForeignClient {
                id: row.id,
                name: row.name,
                redirect_uris,
            });
        }
    }
}

/// `None` if the row holds no hash, or an impossible time.
fn plan_token(row: &TokenRow, names: &BTreeMap<String, String>, now: Timestamp) -> Option<PlannedToken> {
    let created_at = row.created_at.unwrap_or(now);
    let client_id = row.client_id.clone().unwrap_or_default();
    Some(PlannedToken {
        hash: TokenHash::from_hex(&row.hash)?,
        client_name: names.get(&client_id).cloned(),
        client_id,
        created_at,
        last_used_at: row.last_used_at.unwrap_or(created_at),
        expires_at: match row.expires_at {
            Some(seconds) => Some(Timestamp::from_second(seconds).ok()?),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests;
