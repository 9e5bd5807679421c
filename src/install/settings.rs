//! The first settings: the template of `packaging/` with what the person answered.

use super::InstallError;

/// What is asked at the first installation. Empty = not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// `PUBLIC_URL`
    pub public_url: String,
    /// `INVITED`
    pub invited: String,
    /// `OPERATOR_NAME`
    pub operator_name: String,
    /// `OPERATOR_EMAIL`
    pub operator_email: String,
}

const TEMPLATE: &str = include_str!("../../packaging/gateway.env");

impl Answers {
    /// The text of `gateway.env`. Errors: an answer that would make more than one line.
    pub fn env_file(&self) -> Result<String, InstallError> {
        let mut text = String::with_capacity(TEMPLATE.len() + 200);
        for line in TEMPLATE.lines() {
            let name = line
                .strip_prefix('#')
                .and_then(|line| Some(line.split_once('=')?.0));
            match name.and_then(|name| self.named(name)) {
                Some((option, answer)) if !answer.is_empty() => {
                    text.push_str(line.trim_start_matches('#').split('=').next().unwrap_or_default());
                    text.push('=');
                    text.push_str(&quoted(option, answer)?);
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        Ok(text)
    }

    fn named(&self, name: &str) -> Option<(&'static str, &str)> {
        Some(match name {
            "PUBLIC_URL" => ("--public-url", &self.public_url),
            "INVITED" => ("--invite", &self.invited),
            "OPERATOR_NAME" => ("--operator-name", &self.operator_name),
            "OPERATOR_EMAIL" => ("--operator-email", &self.operator_email),
            _ => return None,
        })
    }
}

/// A value as it is written in an env file.
fn quoted(option: &'static str, value: &str) -> Result<String, InstallError> {
    if value.chars().any(|c| c.is_control() || c == '\'') {
        return Err(InstallError::Answer {
            option,
            reason: "it must be one line without single quotes".to_owned(),
        });
    }
    let plain = value
        .chars()
        .all(|c| c.is_alphanumeric() || "@.,:/_+-".contains(c));
    Ok(if plain {
        value.to_owned()
    } else {
        format!("'{value}'")
    })
}
