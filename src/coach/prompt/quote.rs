//! Quotes untrusted text for the prompt.

use crate::race::text::plain_text;

/// Maximum length of a quoted text in characters.
const LONGEST_TEXT: usize = 80;

/// Maximum length of a quoted message or alert. They are quoted whole unless a name in them is absurdly long.
pub(super) const LONGEST_SAID: usize = 300;

/// Quotes untrusted text: shortened, on one line, and without characters that could close the fence.
pub(super) fn quoted(text: &str) -> String {
    quoted_to(LONGEST_TEXT, text)
}

pub(super) fn quoted_to(longest: usize, text: &str) -> String {
    let plain = plain_text(text);
    let cut: String = plain.chars().take(longest).collect();
    let harmless = cut.replace('<', "‹").replace('>', "›").replace('"', "'");
    format!("\"{harmless}\"")
}
