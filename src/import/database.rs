//! Reads the tables of the Python gateway, and those of a database whose layout is not known. No other module uses
//! SQLite.
//!
//! | table | columns that are read |
//! |---|---|
//! | `garmin_accounts` | `garmin_user_key` (an e-mail in lower case), `garmin_tokens_enc` (see [`cipher`](super::cipher)), `created_at` |
//! | `access_tokens` | `token_hash` (SHA-256 in hexadecimal), `garmin_user_key`, `client_id`, `created_at`, `last_used`, `expires_at` (Unix seconds, or null: never; older databases lack it) |
//! | `oauth_clients` | `client_id`, `redirect_uris` (a JSON list), `client_name` |
//!
//! Times other than `expires_at` are text in UTC: `2026-07-01 09:30:00`.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::error::ImportError;
use super::files::DatabaseCopy;

/// The tables, and the columns that each must have. A database without them is another program's.
const LAYOUT: [(&str, &[&str]); 3] = [
    (
        "garmin_accounts",
        &["garmin_user_key", "garmin_tokens_enc", "created_at"],
    ),
    (
        "access_tokens",
        &[
            "token_hash",
            "garmin_user_key",
            "client_id",
            "created_at",
            "last_used",
        ],
    ),
    ("oauth_clients", &["client_id", "redirect_uris", "client_name"]),
];

#[derive(Debug)]
pub(super) struct AccountRow {
    pub(super) key: String,
    pub(super) sealed_tokens: String,
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct TokenRow {
    pub(super) hash: String,
    pub(super) account: String,
    pub(super) client_id: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) last_used_at: Option<Timestamp>,
    /// Unix seconds; `None` if the token never expires.
    pub(super) expires_at: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct ClientRow {
    pub(super) id: String,
    /// A JSON list, as it was registered.
    pub(super) redirect_uris: String,
    pub(super) name: Option<String>,
}

/// The rows of the three tables.
#[derive(Debug)]
pub(super) struct OldTables {
    pub(super) accounts: Vec<AccountRow>,
    pub(super) tokens: Vec<TokenRow>,
    pub(super) clients: Vec<ClientRow>,
}

/// A table of a database whose layout is not known.
#[derive(Debug)]
pub(super) struct AnyTable {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// In the order in which the rows were written, each with a cell per column.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl AnyTable {
    /// Reads all tables of a copy of the database at `path`.
    pub(super) fn read_all(path: &Path) -> Result<Vec<Self>, ImportError> {
        read_copy(path, |connection| {
            let names: Vec<String> = rows(
                connection,
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                |row| row.get(0),
            )?;
            let tables = names.into_iter().map(|name| {
                let columns = columns(connection, &name)?;
                let query = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
                let cells = |row: &Row<'_>| (0..columns.len()).map(|at| row.get(at)).collect();
                Ok(Self {
                    rows: rows(connection, &query, cells)?,
                    columns,
                    name,
                })
            });
            tables.collect()
        })
    }
}

/// Reads a copy of the database at `path`.
fn read_copy<T>(path: &Path, read: impl FnOnce(&Connection) -> Result<T, NotRead>) -> Result<T, ImportError> {
    let copy = DatabaseCopy::of(path)?;
    // SQLite needs to write, because it merges the write-ahead log into the copy.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(copy.path(), flags).map_err(NotRead::Failed);
    opened
        .and_then(|connection| read(&connection))
        .map_err(|e| match e {
            NotRead::OtherLayout(what) => ImportError::OtherLayout {
                path: path.to_owned(),
                what,
            },
            NotRead::Failed(e) if e.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                ImportError::NotADatabase(path.to_owned())
            }
            NotRead::Failed(
                e @ (rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..)),
            ) => ImportError::OtherLayout {
                path: path.to_owned(),
                what: e.to_string(),
            },
            NotRead::Failed(source) => ImportError::Unreadable {
                path: path.to_owned(),
                source,
            },
        })
}

impl OldTables {
    pub(super) fn read(path: &Path) -> Result<Self, ImportError> {
        read_copy(path, Self::query)
    }

    fn query(connection: &Connection) -> Result<Self, NotRead> {
        for (table, wanted) in LAYOUT {
            let columns = columns(connection, table)?;
            if columns.is_empty() {
                return Err(NotRead::OtherLayout(format!("it has no table {table}")));
            }
            if let Some(missing) = wanted.iter().find(|name| !columns.iter().any(|c| c == *name)) {
                let what = format!("its table {table} has no column {missing}");
                return Err(NotRead::OtherLayout(what));
            }
        }
        // A later version of the Python gateway added this column.
        let has_expiry = columns(connection, "access_tokens")?
            .iter()
            .any(|column| column == "expires_at");
        let expires_at = if has_expiry { "expires_at" } else { "NULL" };
        Ok(Self {
            accounts: rows(
                connection,
                "SELECT garmin_user_key, garmin_tokens_enc, created_at FROM garmin_accounts ORDER BY garmin_user_key",
                |row| {
                    Ok(AccountRow {
                        key: row.get(0)?,
                        sealed_tokens: row.get(1)?,
                        created_at: time(row, 2)?,
                    })
                },
            )?,
            tokens: rows(
                connection,
                &format!(
                    "SELECT token_hash, garmin_user_key, client_id, created_at, last_used, {expires_at} \
                     FROM access_tokens ORDER BY token_hash"
                ),
                |row| {
                    Ok(TokenRow {
                        hash: row.get(0)?,
                        account: row.get(1)?,
                        client_id: row.get(2)?,
                        created_at: time(row, 3)?,
                        last_used_at: time(row, 4)?,
                        expires_at: row.get(5)?,
                    })
                },
            )?,
            clients: rows(
                connection,
                "SELECT client_id, redirect_uris, client_name FROM oauth_clients ORDER BY client_id",
                |row| {
                    Ok(ClientRow {
                        id: row.get(0)?,
                        redirect_uris: row.get(1)?,
                        name: row.get(2)?,
                    })
                },
            )?,
        })
    }
}

enum NotRead {
    OtherLayout(String),
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for NotRead {
    fn from(e: rusqlite::Error) -> Self {
        Self::Failed(e)
    }
}

/// The columns of a table; none if there is no such table.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn rows<T>(
    connection: &Connection,
    query: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(query)?.query_map([], read)?.collect()
}

/// Reads a time in SQLite's format; `None` for any other format. These times are only displayed, and the present can
/// stand in for them.
fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    let civil = text.and_then(|text| text.parse::<DateTime>().ok());
    Ok(civil.and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::import::sample;

    fn refusal(path: &Path) -> String {
        OldTables::read(path).unwrap_err().to_string()
    }

    #[test]
    fn all_tables_are_read_with_what_is_only_written_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.db");
        let open = sample::create(&path);
        sample::add_account(&open, "ann@example.org", "sealed");
        sample::add_token(&open, "secret-token", "ann@example.org", Some(1_800_000_000));
        sample::add_client(&open, "client-1", r#"["http://localhost/cb"]"#);
        // The connection is still open, so the rows are only in the write-ahead log.
        assert!(fs::metadata(dir.path().join("gateway.db-wal")).unwrap().len() > 0);
        let before = fs::read(&path).unwrap();
        let tables = OldTables::read(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(tables.accounts[0].key, "ann@example.org");
        assert_eq!(
            tables.accounts[0].created_at,
            Some("2026-07-01T09:30:00Z".parse().unwrap())
        );
        assert_eq!(tables.tokens[0].expires_at, Some(1_800_000_000));
        assert_eq!(tables.tokens[0].client_id.as_deref(), Some("client-1"));
        assert_eq!(tables.clients[0].redirect_uris, r#"["http://localhost/cb"]"#);
    }

    #[test]
    fn tokens_of_an_older_database_do_not_expire() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.db");
        let open = sample::create(&path);
        sample::add_token(&open, "secret-token", "ann@example.org", Some(1_800_000_000));
        open.execute_batch("ALTER TABLE access_tokens DROP COLUMN expires_at")
            .unwrap();
        assert_eq!(OldTables::read(&path).unwrap().tokens[0].expires_at, None);
    }

    #[test]
    fn what_is_another_file_or_another_layout_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.db");
        fs::write(&path, "Dear Ada, this is a letter and not a database.").unwrap();
        assert!(refusal(&path).contains("not a SQLite database"));
        fs::write(&path, "").unwrap();
        assert!(refusal(&path).contains("no table garmin_accounts"));
        for (change, what) in [
            ("DROP TABLE oauth_clients", "no table oauth_clients"),
            (
                "ALTER TABLE access_tokens RENAME COLUMN token_hash TO token",
                "its table access_tokens has no column token_hash",
            ),
            (
                "INSERT INTO access_tokens (token_hash, garmin_user_key) VALUES (x'00ff', 'ann@example.org')",
                "token_hash",
            ),
        ] {
            fs::remove_file(&path).unwrap();
            let open = sample::create(&path);
            open.execute_batch(change).unwrap();
            drop(open);
            let told = refusal(&path);
            assert!(
                told.contains("not a database of the Python gateway") && told.contains(what),
                "{told}"
            );
        }
    }
}
