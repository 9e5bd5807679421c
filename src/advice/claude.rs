//! Has Claude word a message, with a token that reads this person's history and nothing else.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::claims;
use super::keeping::Advice;
use super::prompt::{self, SEND_WORDS, SERVER};
use super::rules::LookFindings;
use crate::accounts::AccountId;
use crate::base::secrets::Secret;
use crate::coach::ClaudeOrder;
use crate::oauth::OAuth;
use crate::race::text::plain_text;
use crate::store::StoreError;

/// The tools that the token gives access to.
pub const WORDING_QUESTIONS: [&str; 5] = [
    "get_trend",
    "find_unusual",
    "baseline",
    "compare_periods",
    "get_training_volume",
];

/// A token that is revoked when this value is dropped.
struct OpenToken<'a> {
    advice: &'a Advice,
    token: Secret,
}

impl Drop for OpenToken<'_> {
    fn drop(&mut self) {
        self.advice.0.tokens.lock().end(&self.token);
    }
}

impl Advice {
    /// Claude's words for a message; `None` means that the rules' own words are sent.
    pub(super) async fn words_of_claude(
        &self,
        account: &AccountId,
        found: &Arc<LookFindings>,
        own: &str,
    ) -> Option<String> {
        let claude = self.0.parts.claude.as_ref().filter(|claude| claude.is_set_up())?;
        let (words, mut handed) = oneshot::channel();
        let open = OpenToken {
            advice: self,
            token: self.0.tokens.lock().issue(account, Arc::clone(found), words),
        };
        let mut tools = WORDING_QUESTIONS.to_vec();
        tools.push(SEND_WORDS);
        let order = ClaudeOrder {
            account,
            token: &open.token,
            server: SERVER,
            tools: &tools,
            prompt: prompt::prompt(&found.advice, own, &WORDING_QUESTIONS),
        };
        match claude.write(order).await {
            // A runner only accepts the order, and carries it out later.
            Ok(None) => timeout(claude.time_limit(), handed).await.ok()?.ok(),
            Ok(Some(reply)) => handed
                .try_recv()
                .ok()
                .or_else(|| Self::checked(account, found, &reply).ok()),
            Err(reason) => {
                tracing::warn!(account.id = %account, %reason, "coach.not_worded");
                None
            }
        }
    }

    fn checked(account: &AccountId, found: &LookFindings, text: &str) -> Result<String, Vec<String>> {
        let text = plain_text(text);
        let problems = claims::problems(&text, found);
        if problems.is_empty() {
            return Ok(text);
        }
        tracing::info!(account.id = %account, claims = problems.len(), "coach.words_refused");
        Err(problems)
    }

    /// Accepts Claude's words for the message that a token was issued for. The error tells Claude why they were
    /// refused.
    pub fn take_words(&self, token: &str, text: &str) -> Result<(), String> {
        let (found, account) = {
            let tokens = self.0.tokens.lock();
            let found = tokens.found(token).zip(tokens.reader_of(token));
            found.ok_or("No message is expected any more.")?
        };
        let text = Self::checked(&account, &found, text).map_err(|problems| {
            format!(
                "Nothing was sent: {}. Say it again with only the figures that you were given, each with its metric.",
                problems.join("; ")
            )
        })?;
        if self.0.tokens.lock().hand_over(token, text) {
            Ok(())
        } else {
            Err("A message was already handed over.".to_owned())
        }
    }

    /// The account whose history a bearer token may read.
    pub fn reader_of(&self, token: &str) -> Result<Option<AccountId>, StoreError> {
        let Some(account) = self.0.tokens.lock().reader_of(token) else {
            return Ok(None);
        };
        let has_access = OAuth::has_access(&self.0.parts.store, &account)?;
        Ok(has_access.then_some(account))
    }
}
