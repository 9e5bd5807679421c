//! Edits `gateway.env`: creates it from the template in `packaging/`, and later changes single settings.

use std::io;
use std::path::Path;

use super::InstallError;
use crate::config::{EnvFile, settings};

/// The answers to the questions of the first installation. An empty string means no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub public_url: String,
    pub invited: String,
    pub operator_name: String,
    pub operator_email: String,
}

const TEMPLATE: &str = include_str!("../../packaging/gateway.env");

impl Answers {
    /// The text of a new `gateway.env`. Errors: an answer can't be written as one line.
    pub fn env_file(&self) -> Result<String, InstallError> {
        let mut text = String::with_capacity(TEMPLATE.len() + 200);
        for line in TEMPLATE.lines() {
            let name = line
                .strip_prefix('#')
                .and_then(|line| Some(line.split_once('=')?.0));
            match name.and_then(|name| self.named(name)) {
                Some((setting, option, answer)) if !answer.is_empty() => {
                    let line = EnvFile::line(setting, answer);
                    text.push_str(&line.map_err(|reason| InstallError::Answer {
                        option,
                        reason: reason.to_owned(),
                    })?);
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        Ok(text)
    }

    /// The setting called `name`, with its command-line option and its answer.
    fn named(&self, name: &str) -> Option<(&'static str, &'static str, &str)> {
        [
            (settings::PUBLIC_URL.name, "--public-url", &self.public_url),
            (settings::INVITED.name, "--invite", &self.invited),
            (
                settings::OPERATOR_NAME.name,
                "--operator-name",
                &self.operator_name,
            ),
            (
                settings::OPERATOR_EMAIL.name,
                "--operator-email",
                &self.operator_email,
            ),
        ]
        .into_iter()
        .find(|(setting, ..)| *setting == name)
        .map(|(setting, option, answer)| (setting, option, answer.as_str()))
    }
}

/// The value of `name` in the text of an env file.
pub(super) fn find(text: &str, name: &str) -> Option<String> {
    let file = EnvFile::parse(text.as_bytes(), Path::new("")).ok()?;
    file.get(name)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

/// Returns the text with `name` set to `value`, in its existing place or at the end. Other lines that set `name`
/// become comments; for `None`, all of them do. Errors: the value can't be represented.
pub(super) fn with(text: &str, name: &str, value: Option<&str>) -> io::Result<String> {
    let line = value.map(|value| EnvFile::line(name, value)).transpose();
    let mut line = line.map_err(io::Error::other)?;
    let mut lines: Vec<String> = Vec::new();
    for old in text.lines() {
        if EnvFile::name_of(old) != name {
            lines.push(old.to_owned());
        } else if let Some(line) = line.take() {
            lines.push(line);
        } else {
            lines.push(format!("#{old}"));
        }
    }
    lines.extend(line);
    Ok(lines.join("\n") + "\n")
}
