//! Stores the lists of a foreign worker.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::secrets::sha256;
use crate::store::{Kind, Record, Store, StoreError, Table};

/// Values in the store must be under 32 KiB, and JSON escaping may double the length of a text.
const CHUNK: usize = 12 << 10;

/// The lists of a foreign worker, each as the JSON text of an array.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LearnedLists {
    pub(super) tools: String,
    pub(super) resources: String,
    pub(super) resource_templates: String,
    pub(super) prompts: String,
    /// The `serverInfo` of the worker: its name and version.
    #[serde(default)]
    pub(super) server: Option<Arc<str>>,
}

/// A chunk of [`LearnedLists`] as JSON, because the store limits the size of values. Key: `fingerprint/number`.
#[derive(Debug, Serialize, Deserialize)]
struct Chunk(String);

impl Record for Chunk {
    const TABLE: Table = Table("catalogue");
}

pub(in crate::gateway) const KIND: Kind = Kind::of::<Chunk>();

/// The stored lists of the worker with this fingerprint.
pub(super) fn find(store: &Store, fingerprint: &str) -> Result<Option<LearnedLists>, StoreError> {
    let chunks = store.list::<Chunk>(format!("{fingerprint}/").as_bytes())?;
    let json: String = chunks.into_iter().map(|(_, Chunk(piece))| piece).collect();
    Ok(serde_json::from_str(&json).ok())
}

/// Stores the lists of the worker with this fingerprint if they have changed.
pub(super) async fn keep(store: &Store, fingerprint: &str, lists: LearnedLists) -> Result<(), StoreError> {
    let prefix = format!("{fingerprint}/");
    let keep = store.atomic(move |tx| {
        let json = serde_json::to_string(&lists).unwrap_or_default();
        let old = tx.list::<Chunk>(prefix.as_bytes())?;
        if old
            .iter()
            .map(|(_, Chunk(piece))| piece.as_str())
            .collect::<String>()
            == json
        {
            return Ok(());
        }
        for (at, _) in old {
            tx.remove::<Chunk>(&at);
        }
        for (number, piece) in pieces(&json).enumerate() {
            tx.put(
                format!("{prefix}{number:05}").as_bytes(),
                &Chunk(piece.to_owned()),
            )?;
        }
        Ok(())
    });
    keep.await
}

/// Identifies a worker by a hash of its command.
pub(super) fn fingerprint(command: &[String]) -> String {
    let hash = sha256(command.join("\0").as_bytes());
    let start = hash.first_chunk::<8>().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(start))
}

/// Splits a text into chunks of at most [`CHUNK`] bytes.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut end = text.len().min(CHUNK);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, rest) = text.split_at(end);
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_characters() {
        for text in ["", "short", &"é".repeat(CHUNK), &"x".repeat(CHUNK * 2)] {
            let cut: Vec<&str> = pieces(text).collect();
            assert_eq!(cut.concat(), text);
            assert!(cut.iter().all(|piece| !piece.is_empty() && piece.len() <= CHUNK));
        }
    }

    #[test]
    fn commands_have_different_fingerprints() {
        let key =
            |words: &[&str]| fingerprint(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["a", "b"]), key(&["ab"]));
        assert_eq!(key(&[]).len(), 16);
    }
}
