//! The tokens with which Claude reads one person's history while it words a message, and hands its words back. They are
//! kept in memory only and end with the wording.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::rules::LookFindings;
use crate::accounts::AccountId;
use crate::base::secrets::{Secret, TokenHash, random_token};

/// The prefix of the tokens.
const PREFIX: &str = "gkd_";

#[derive(Debug, Default)]
pub(super) struct WordingTokens(HashMap<TokenHash, OpenWording>);

/// A message that is being worded.
#[derive(Debug)]
struct OpenWording {
    account: AccountId,
    found: Arc<LookFindings>,
    /// Takes the first words that pass the check.
    words: Option<oneshot::Sender<String>>,
}

impl WordingTokens {
    pub(super) fn issue(
        &mut self,
        account: &AccountId,
        found: Arc<LookFindings>,
        words: oneshot::Sender<String>,
    ) -> Secret {
        let token = random_token(PREFIX);
        let wording = OpenWording {
            account: account.clone(),
            found,
            words: Some(words),
        };
        self.0.insert(TokenHash::of(token.expose()), wording);
        token
    }

    pub(super) fn end(&mut self, token: &Secret) {
        self.0.remove(&TokenHash::of(token.expose()));
    }

    /// The account whose history a token may read.
    pub(super) fn reader_of(&self, token: &str) -> Option<AccountId> {
        if !token.starts_with(PREFIX) {
            return None;
        }
        let wording = self.0.get(&TokenHash::of(token))?;
        Some(wording.account.clone())
    }

    /// The findings against which the words for a token are checked.
    pub(super) fn found(&self, token: &str) -> Option<Arc<LookFindings>> {
        let wording = self.0.get(&TokenHash::of(token))?;
        Some(Arc::clone(&wording.found))
    }

    /// Hands words over. Returns whether they were the first.
    pub(super) fn hand_over(&mut self, token: &str, text: String) -> bool {
        let wording = self.0.get_mut(&TokenHash::of(token));
        let words = wording.and_then(|wording| wording.words.take());
        words.is_some_and(|words| words.send(text).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::rules::SaidAdvice;

    #[test]
    fn a_token_reads_for_one_person_and_hands_over_once_until_it_ends() {
        let mut tokens = WordingTokens::default();
        let ann = AccountId::random();
        let (words, mut handed) = oneshot::channel();
        let found = LookFindings {
            advice: SaidAdvice {
                day: jiff::civil::date(2026, 5, 6),
                parts: Vec::new(),
            },
            days: Vec::new(),
        };
        let token = tokens.issue(&ann, Arc::new(found), words);
        assert_eq!(tokens.reader_of(token.expose()), Some(ann));
        assert_eq!(tokens.reader_of("gkd_other"), None);
        assert!(tokens.hand_over(token.expose(), "Rest.".to_owned()));
        assert!(!tokens.hand_over(token.expose(), "Run.".to_owned()));
        assert_eq!(handed.try_recv().ok().as_deref(), Some("Rest."));
        tokens.end(&token);
        assert_eq!(tokens.reader_of(token.expose()), None);
        assert!(tokens.found(token.expose()).is_none());
    }
}
