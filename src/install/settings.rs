//! Edits `gateway.env`: creates it from the template in `packaging/`, and later changes single settings.

use std::io;
use std::path::Path;

use super::InstallError;
use crate::config::{Config, EnvFile, SettingProblem, Sources, settings};

/// The answers to the questions of the first installation. An empty string means no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub public_url: String,
    /// `acme` to serve https itself; empty if a reverse proxy does.
    pub tls: String,
    pub invited: String,
    pub operator_name: String,
    pub operator_email: String,
    /// The URL of the news about releases; empty if the operator does not want it.
    pub news_url: String,
    pub news_key: String,
}

const TEMPLATE: &str = include_str!("../../packaging/gateway.env");

impl Answers {
    /// The text of a new `gateway.env`. Errors: an answer is not a valid value of its setting.
    pub fn env_file(&self) -> Result<String, InstallError> {
        self.check()?;
        let mut text = String::with_capacity(TEMPLATE.len() + 200);
        for line in TEMPLATE.lines() {
            let name = line
                .strip_prefix('#')
                .and_then(|line| Some(line.split_once('=')?.0));
            match self.given().find(|(setting, ..)| Some(*setting) == name) {
                Some((setting, option, answer)) => {
                    let line = EnvFile::line(setting, answer);
                    let wrong = |reason: &str| InstallError::Answers(vec![(option, reason.to_owned())]);
                    text.push_str(&line.map_err(wrong)?);
                }
                None => text.push_str(line),
            }
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads the answers as the gateway will, so that a mistake is found before anything is written.
    fn check(&self) -> Result<(), InstallError> {
        let pairs = self.given().map(|(setting, _, answer)| (setting, answer));
        let Err(problems) = Config::load(&Sources::of_pairs(pairs)) else {
            return Ok(());
        };
        let answer_of = |problem: &SettingProblem| {
            let mut options = self.options().into_iter();
            let (_, option, _) = options.find(|(setting, ..)| *setting == problem.name)?;
            Some((option, format!("{}; {}", problem.what, problem.fix)))
        };
        let wrong: Vec<_> = problems.iter().filter_map(answer_of).collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(InstallError::Answers(wrong))
        }
    }

    /// The answers that were given: setting, command-line option and value.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        let options = self.options().into_iter();
        options.filter(|(.., answer)| !answer.is_empty())
    }

    fn options(&self) -> [(&'static str, &'static str, &str); 7] {
        let Self {
            public_url,
            tls,
            invited,
            operator_name: name,
            operator_email: email,
            news_url,
            news_key,
        } = self;
        [
            (settings::PUBLIC_URL.name, "--public-url", public_url),
            (settings::TLS.name, "--tls", tls),
            (settings::INVITED.name, "--invite", invited),
            (settings::OPERATOR_NAME.name, "--operator-name", name),
            (settings::OPERATOR_EMAIL.name, "--operator-email", email),
            (settings::NEWS_URL.name, "--news-url", news_url),
            (settings::NEWS_KEY.name, "--news-key", news_key),
        ]
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
