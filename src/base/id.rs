//! Ids used in logs, answers, paths and keys: a prefix for the kind, and 16 random characters. Not secret.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::secrets::random_id;

/// A kind of thing that has ids.
pub trait Named {
    /// The prefix of its ids.
    const PREFIX: &'static str;
    /// Its name in messages, with an article.
    const WORDS: &'static str;
}

/// The id of one thing of kind `T`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    try_from = "String",
    into = "String",
    bound(serialize = "K: Clone", deserialize = "K: Named")
)]
pub struct Id<K>(Arc<str>, PhantomData<K>);

impl<K: Named> Id<K> {
    pub fn random() -> Self {
        Self(random_id(K::PREFIX).into(), PhantomData)
    }

    /// An id that nothing can have, because random ids contain no `0`.
    pub fn nobody() -> Self {
        Self(format!("{}0000000000000000", K::PREFIX).into(), PhantomData)
    }
}

impl<K> Id<K> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a key in the store.
    pub fn key(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Id").field(&self.0).finish()
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a valid id of this kind.
#[derive(Debug, thiserror::Error)]
#[error("{words} is {prefix} and 16 letters")]
pub struct NotAnId {
    words: &'static str,
    prefix: &'static str,
}

impl<K: Named> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let letters = text.strip_prefix(K::PREFIX).unwrap_or_default();
        // An id becomes a directory name, so no other characters are allowed.
        let fits = letters.len() == 16
            && letters
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        fits.then(|| Self(text.into(), PhantomData)).ok_or(NotAnId {
            words: K::WORDS,
            prefix: K::PREFIX,
        })
    }
}

impl<K: Named> TryFrom<String> for Id<K> {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl<K> From<Id<K>> for Arc<str> {
    fn from(id: Id<K>) -> Self {
        id.0
    }
}

impl<K> From<Id<K>> for String {
    fn from(id: Id<K>) -> Self {
        id.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    enum OfTest {}

    impl Named for OfTest {
        const PREFIX: &'static str = "test_";
        const WORDS: &'static str = "a test id";
    }

    #[test]
    fn only_names_of_the_kind_are_taken() {
        let id = Id::<OfTest>::random();
        assert_eq!(id.to_string().parse::<Id<OfTest>>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<Id<OfTest>>(&json).unwrap(), id);
        for text in [
            "",
            "test_",
            "race_abcdefghabcdefgh",
            "test_abcdefghabcdefg",
            "test_abcdefghabcdefgH",
            "test_abcdefgh/bcdefgh",
            "test_abcdefghabcdefghi",
        ] {
            let wrong = text.parse::<Id<OfTest>>().unwrap_err();
            assert_eq!(wrong.to_string(), "a test id is test_ and 16 letters", "{text}");
        }
    }
}
