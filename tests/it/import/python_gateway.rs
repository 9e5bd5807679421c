//! The files of a Python gateway, in its layout.

use std::fs;
use std::path::{Path, PathBuf};

use garmin_gateway::base::secrets::{random_bytes, sha256};
use garmin_gateway::garmin::GarminTokens;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rusqlite::{Connection, params};

pub(super) const SECRET: &str = "the Python gateway's own secret, long enough";

const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE garmin_accounts (garmin_user_key TEXT PRIMARY KEY, garmin_tokens_enc TEXT NOT NULL,
        created_at TEXT DEFAULT (datetime('now')), updated_at TEXT DEFAULT (datetime('now')));
    CREATE TABLE access_tokens (token_hash TEXT PRIMARY KEY, garmin_user_key TEXT NOT NULL, client_id TEXT,
        created_at TEXT DEFAULT (datetime('now')), last_used TEXT, expires_at INTEGER);
    CREATE TABLE oauth_clients (client_id TEXT PRIMARY KEY, client_secret_hash TEXT NOT NULL,
        redirect_uris TEXT NOT NULL, client_name TEXT, created_at TEXT DEFAULT (datetime('now')));
    CREATE TABLE oauth_codes (code_hash TEXT PRIMARY KEY, client_id TEXT NOT NULL);
    CREATE TABLE tool_usage (garmin_user_key TEXT NOT NULL, tool TEXT NOT NULL, calls INTEGER, last_used TEXT);
";

/// A directory with `.env` and `gateway.db`.
pub(super) struct PythonGateway {
    pub(super) dir: PathBuf,
    database: Option<Connection>,
}

impl PythonGateway {
    /// Creates the files of a running gateway, whose database is open.
    pub(super) fn start(dir: &Path) -> Self {
        fs::create_dir(dir).unwrap();
        fs::write(
            dir.join(".env"),
            format!("GATEWAY_SECRET={SECRET}\nMAX_WORKERS=10\n"),
        )
        .unwrap();
        let database = Connection::open(dir.join("gateway.db")).unwrap();
        database.execute_batch(TABLES).unwrap();
        Self {
            dir: dir.to_owned(),
            database: Some(database),
        }
    }

    /// Stops cleanly: unlike after a kill, the write-ahead log is merged into the database file.
    pub(super) fn stop(&mut self) {
        self.database = None;
    }

    pub(super) fn run(&self, sql: &str, row: &[&dyn rusqlite::ToSql]) {
        let database = self.database.as_ref().unwrap();
        database.execute(sql, row).unwrap();
    }

    pub(super) fn account(&self, email: &str, tokens: &GarminTokens) {
        let sealed = seal(&serde_json::to_string(tokens).unwrap());
        self.run(
            "INSERT INTO garmin_accounts (garmin_user_key, garmin_tokens_enc) VALUES (?1, ?2)",
            params![email, sealed],
        );
    }

    /// `lives` is the SQLite modifier that gives the expiry relative to now.
    pub(super) fn token(&self, token: &str, email: &str, client_id: &str, lives: &str) {
        self.run(
            "INSERT INTO access_tokens (token_hash, garmin_user_key, client_id, last_used, expires_at) \
             VALUES (?1, ?2, ?3, datetime('now'), unixepoch('now', ?4))",
            params![hex(&sha256(token.as_bytes())), email, client_id, lives],
        );
    }

    pub(super) fn client(&self, id: &str, name: &str, redirect_uri: &str) {
        let uris = serde_json::to_string(&[redirect_uri]).unwrap();
        self.run(
            "INSERT INTO oauth_clients (client_id, client_secret_hash, redirect_uris, client_name) \
             VALUES (?1, ?2, ?3, ?4)",
            params![id, hex(&sha256(b"a client secret")), uris, name],
        );
    }
}

/// The nonce and the ciphertext, in hexadecimal, under the SHA-256 of the secret.
fn seal(text: &str) -> String {
    let key = UnboundKey::new(&AES_256_GCM, &sha256(SECRET.as_bytes())).unwrap();
    let nonce = random_bytes::<12>();
    let mut bytes = text.as_bytes().to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .unwrap();
    format!("{}:{}", hex(&nonce), hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
