//! Invitations in the settings: a single address, or a whole domain.

use std::fmt;

/// An invitation in the settings, in lower case.
#[derive(Clone, PartialEq, Eq)]
pub enum Invited {
    Email(String),
    /// All addresses of this domain, which is stored without the `@`.
    Domain(String),
}

impl Invited {
    /// Reads `ann@example.org` or `@example.org`. Errors: what is wrong, for a setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.to_lowercase();
        if text.contains('*') {
            return Err("a * is not a pattern here: write @example.org for everybody of example.org".into());
        }
        match text.split_once('@') {
            Some(("", domain)) if is_domain(domain) => Ok(Self::Domain(domain.to_owned())),
            Some((name, domain)) if is_local_part(name) && is_domain(domain) => Ok(Self::Email(text)),
            _ => Err("it is neither an e-mail address nor a @domain".into()),
        }
    }

    /// Whether `email` is invited. A text with a second `@` is not an address, so no domain covers it.
    pub fn covers(&self, email: &str) -> bool {
        let email = email.trim().to_lowercase();
        match self {
            Self::Email(invited) => *invited == email,
            Self::Domain(domain) => email
                .split_once('@')
                .is_some_and(|(name, of)| is_local_part(name) && of == domain),
        }
    }
}

impl fmt::Display for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(email) => f.write_str(email),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl fmt::Debug for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invited(…)")
    }
}

/// Labels of letters, digits and hyphens, separated by dots.
pub(super) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    text.split('.').all(is_label)
}

/// Whether `text` can precede the `@` of an address. Quoted forms (RFC 5321) are refused: Garmin does not use them,
/// and a quotation mark in the settings is a mistake.
fn is_local_part(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c))
}
