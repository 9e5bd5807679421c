//! A database in the Python gateway's layout, for tests.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rusqlite::{Connection, params};

use crate::base::secrets::{Secret, TokenHash, random_bytes, sha256};
use crate::garmin::GarminTokens;

const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE garmin_accounts (garmin_user_key TEXT PRIMARY KEY, garmin_tokens_enc TEXT NOT NULL, created_at TEXT,
        updated_at TEXT);
    CREATE TABLE access_tokens (token_hash TEXT PRIMARY KEY, garmin_user_key TEXT NOT NULL, client_id TEXT,
        created_at TEXT, last_used TEXT, expires_at INTEGER);
    CREATE TABLE oauth_clients (client_id TEXT PRIMARY KEY, client_secret_hash TEXT NOT NULL,
        redirect_uris TEXT NOT NULL, client_name TEXT, created_at TEXT);
    CREATE TABLE tool_usage (garmin_user_key TEXT, tool TEXT, calls INTEGER, last_used TEXT);
";

const CREATED: &str = "2026-07-01 09:30:00";

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Creates the tables at `path`. What is added reaches the file itself when the connection is dropped.
pub(super) fn create(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(TABLES).unwrap();
    connection
}

pub(super) fn add_account(connection: &Connection, email: &str, sealed_tokens: &str) {
    let row = params![email, sealed_tokens, CREATED];
    connection
        .execute("INSERT INTO garmin_accounts VALUES (?1, ?2, ?3, ?3)", row)
        .unwrap();
}

pub(super) fn add_token(connection: &Connection, token: &str, email: &str, expires_at: Option<i64>) {
    let hash = hex(TokenHash::of(token).as_bytes());
    let row = params![hash, email, CREATED, expires_at];
    connection
        .execute(
            "INSERT INTO access_tokens VALUES (?1, ?2, 'client-1', ?3, ?3, ?4)",
            row,
        )
        .unwrap();
}

pub(super) fn add_client(connection: &Connection, id: &str, redirect_uris: &str) {
    let row = params![id, redirect_uris, CREATED];
    connection
        .execute(
            "INSERT INTO oauth_clients VALUES (?1, 'a hash', ?2, 'Claude', ?3)",
            row,
        )
        .unwrap();
}

/// Encrypts a text as the Python gateway does.
pub(super) fn seal(secret: &str, text: &str) -> String {
    let key = UnboundKey::new(&AES_256_GCM, &sha256(secret.as_bytes())).unwrap();
    let nonce = random_bytes::<12>();
    let mut bytes = text.as_bytes().to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .unwrap();
    format!("{}:{}", hex(&nonce), hex(&bytes))
}

/// Garmin tokens whose access token expires at this second.
pub(super) fn garmin_tokens(expires_at: i64) -> GarminTokens {
    let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{expires_at}}}"#));
    GarminTokens {
        di_token: Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln")),
        di_refresh_token: Some(Secret::new(format!("refresh-{expires_at}"))),
        di_client_id: Some("GARMIN_CONNECT_MOBILE_ANDROID_DI".into()),
    }
}
