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

/// What `name` is set to in an env file.
pub(super) fn find(text: &str, name: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| value_in(line, name))?;
    Some(value.trim_matches('\'').to_owned()).filter(|value| !value.is_empty())
}

/// The text with `name` set to `value` where it was set, or at its end; with `None` the line stays as a comment.
pub(super) fn with(text: &str, name: &str, value: Option<&str>) -> String {
    let said = value.map(|value| format!("{name}='{value}'"));
    let mut lines: Vec<String> = Vec::new();
    let mut is_said = false;
    for line in text.lines() {
        match (value_in(line, name), &said) {
            (None, _) => lines.push(line.to_owned()),
            (Some(_), Some(said)) if !is_said => {
                lines.push(said.clone());
                is_said = true;
            }
            (Some(_), _) => lines.push(format!("#{line}")),
        }
    }
    lines.extend(said.filter(|_| !is_said));
    lines.join("\n") + "\n"
}

fn value_in<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.trim_start().split_once('=')?;
    (found.trim_end() == name).then(|| value.trim())
}
