//! The newest Garmin tokens of an account.
//!
//! The Python gateway stores tokens at a sign-in only. A worker that renews them afterwards writes the new ones to its
//! own file. The stored refresh token is then spent.

use crate::base::secrets::Secret;
use crate::garmin::{GarminTokens, TokenFile};

/// Tokens, and whether they are from the worker's file.
pub(super) type Newest = (GarminTokens, bool);

/// The tokens in `stored` or in the worker's file, whichever Garmin accepts for longer. `None` if neither holds any.
pub(super) fn newest(stored: Option<&Secret>, file: &TokenFile) -> Option<Newest> {
    // A file that is missing or broken only means that there are no newer tokens.
    choose(stored.and_then(parse), file.read().ok())
}

fn parse(text: &Secret) -> Option<GarminTokens> {
    let tokens: GarminTokens = serde_json::from_str(text.expose()).ok()?;
    (!tokens.di_token.is_empty()).then_some(tokens)
}

fn choose(stored: Option<GarminTokens>, file: Option<GarminTokens>) -> Option<Newest> {
    match (stored, file) {
        (Some(stored), Some(file)) if file.expires_at() > stored.expires_at() => Some((file, true)),
        (Some(stored), _) => Some((stored, false)),
        (None, Some(file)) => Some((file, true)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sample::garmin_tokens;

    #[test]
    fn the_tokens_that_last_longer_are_taken() {
        let [old, new] = [1_800_000_000, 1_800_100_000].map(garmin_tokens);
        let taken = |stored: Option<&GarminTokens>, file: Option<&GarminTokens>| {
            choose(stored.cloned(), file.cloned()).map(|(tokens, from_file)| (tokens == new, from_file))
        };
        assert_eq!(taken(Some(&old), Some(&new)), Some((true, true)));
        assert_eq!(taken(Some(&new), Some(&old)), Some((true, false)));
        assert_eq!(taken(Some(&new), Some(&new)), Some((true, false)));
        assert_eq!(taken(None, Some(&new)), Some((true, true)));
        assert_eq!(taken(Some(&new), None), Some((true, false)));
        assert_eq!(taken(None, None), None);
    }

    #[test]
    fn text_without_a_token_is_none() {
        for text in ["", "{}", r#"{"di_token":""}"#, r#"{"di_token":null}"#] {
            assert!(parse(&Secret::new(text)).is_none(), "{text}");
        }
        let file = TokenFile::new("/nowhere/garmin_tokens.json");
        assert!(newest(Some(&Secret::new("{}")), &file).is_none());
        let whole = Secret::new(serde_json::to_string(&garmin_tokens(1_800_000_000)).unwrap());
        assert!(newest(Some(&whole), &file).is_some());
    }
}
