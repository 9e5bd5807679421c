//! Imports clients and access tokens of another gateway, so that nobody has to connect again.
//!
//! An imported token is the only one of its sign-in: the other gateway issued no refresh token, so the sign-in ends
//! when the token expires. The client then returns to `/authorize` with the id that it has, which is why clients are
//! imported too. Their secrets are not: here, every client is a public client with PKCE.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::OAuth;
use super::client::{OAuthClient, display_name};
use super::clients::{ClientId, MAX_ID_BYTES};
use super::family::TokenFamily;
use super::grants::{AccessToken, Consent, FamilyId};
use super::redirect::fence::RedirectFence;
use crate::accounts::AccountId;
use crate::base::secrets::TokenHash;
use crate::mcp::Access;
use crate::store::{Kind, Record, Store, StoreError, Table, Tx};

/// A client as another gateway registered it.
#[derive(Clone, Debug)]
pub struct ForeignClient {
    pub id: String,
    /// The client's own name, as it was registered.
    pub name: Option<String>,
    /// The redirect URIs that this gateway allows: see [`allowed_redirects`].
    pub redirect_uris: Vec<String>,
}

/// An access token of another gateway. It allowed its client to read and change data.
#[derive(Clone, Debug)]
pub struct ForeignToken {
    pub hash: TokenHash,
    pub account: AccountId,
    pub client_id: String,
    pub client_name: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    /// `None`: the token does not expire.
    pub expires_at: Option<Timestamp>,
}

/// An imported client. Key: its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ImportedClient {
    client: OAuthClient,
}

impl Record for ImportedClient {
    const TABLE: Table = Table("imported_client");
}

pub(super) const KIND: Kind = Kind::of::<ImportedClient>();

/// The imported client with this id.
pub(super) fn find_client(store: &Store, id: &str) -> Result<Option<OAuthClient>, StoreError> {
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Ok(None);
    }
    let found: Option<ImportedClient> = store.find(id.as_bytes())?;
    Ok(found.map(|imported| imported.client))
}

/// The redirect URIs among `uris` to which this gateway may send a code, in the form in which it stores them. `added`:
/// the operator's additions (`REDIRECT_HOSTS`).
pub fn allowed_redirects<'a>(uris: impl IntoIterator<Item = &'a str>, added: &[String]) -> Vec<String> {
    let fence = RedirectFence::new(added);
    let mut allowed: Vec<String> = Vec::new();
    for uri in uris.into_iter().filter_map(|raw| fence.admit(raw).ok()) {
        let uri = uri.without_loopback_port().as_str().to_owned();
        if !allowed.contains(&uri) {
            allowed.push(uri);
        }
    }
    allowed
}

impl OAuth {
    /// The ids of the clients that were imported.
    pub fn imported_clients(store: &Store) -> Result<Vec<String>, StoreError> {
        let clients = store.list::<ImportedClient>(b"")?.into_iter();
        Ok(clients.map(|(_, imported)| imported.client.id).collect())
    }

    /// Stores a client, inside a unit of work. Returns whether it was stored: its id must be usable and not yet known.
    pub fn import_client_within(tx: &mut Tx<'_>, foreign: &ForeignClient) -> Result<bool, StoreError> {
        let id = foreign.id.as_str();
        let is_usable = !id.is_empty() && id.len() <= MAX_ID_BYTES && ClientId::parse(id).is_none();
        if !is_usable || tx.find::<ImportedClient>(id.as_bytes())?.is_some() {
            return Ok(false);
        }
        let client = OAuthClient {
            id: id.to_owned(),
            name: foreign.name.as_deref().and_then(display_name),
            redirect_uris: foreign.redirect_uris.clone(),
        };
        tx.put(id.as_bytes(), &ImportedClient { client })?;
        Ok(true)
    }

    /// Stores a token as a sign-in of its own for `resource`, the URL of the endpoint, inside a unit of work. Returns
    /// whether it was new.
    pub fn import_token_within(
        tx: &mut Tx<'_>,
        foreign: ForeignToken,
        resource: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if tx.find::<AccessToken>(foreign.hash.as_bytes())?.is_some() {
            return Ok(false);
        }
        let name = foreign.client_name.as_deref().and_then(display_name);
        let consent = Consent {
            account: foreign.account,
            access: Access::ReadAndChange,
            client_name: name.unwrap_or_else(|| "unnamed".to_owned()),
            client_id: foreign.client_id,
            resource: resource.to_owned(),
        };
        let family = TokenFamily::imported(
            consent,
            foreign.created_at,
            foreign.last_used_at.min(now),
            foreign.hash,
            foreign.expires_at,
        );
        family.write(tx, &FamilyId::random(), now)?;
        Ok(true)
    }
}
