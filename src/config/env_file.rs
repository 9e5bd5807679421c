//! The env file: `NAME=value`, one setting per line, without the other features of a shell.
//!
//! A value is either taken literally or refused. There is no substitution, so `$` is an ordinary character.
//!
//! | line | value |
//! |---|---|
//! | `NAME=two words` | `two words`: everything after the `=`, without blanks at the ends |
//! | `NAME='two words'` | the text between the quotation marks |
//! | `NAME="two words"` | the same; `\"`, `\\`, `\$` and `` \` `` mean the second character |
//! | `# …`, `; …`, nothing | a comment |
//!
//! systemd's `EnvironmentFile=` (systemd.exec(5)) and Docker's `env_file:` read every accepted file the same way,
//! with these exceptions: neither accepts `export` before a name or a byte-order mark, and Docker substitutes `$NAME`
//! outside single quotes. Anything that the three would read differently is refused: an unquoted backslash, ` #` in
//! an unquoted value, text after a closing quotation mark, a value in two pairs of quotation marks, a value that
//! spans several lines, and a name with two values.

use std::collections::BTreeMap;
use std::path::Path;

use super::problem::{SettingProblem, SettingSource};

/// The settings of an env file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    values: BTreeMap<String, String>,
    /// The line of each value, counted from 1.
    lines: BTreeMap<String, usize>,
}

/// The name in a problem with the file rather than with one of its settings.
pub(super) const WHOLE_FILE: &str = "--env-file";

/// Whether `name` has the form of a setting's name. Any other text may be the second line of a secret, which is not
/// repeated.
pub(super) fn can_be_setting(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// What is wrong with a line, and the fix. Neither quotes the line, which may contain a secret.
type Refusal = (&'static str, &'static str);

impl EnvFile {
    /// Reads the file at `path`. Returns the settings of its good lines, and what is wrong with the others. Errors: the
    /// file can't be read.
    pub fn read(path: &Path) -> Result<(Self, Vec<SettingProblem>), SettingProblem> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self::good_lines(&bytes, path)),
            Err(e) => Err(SettingProblem {
                name: WHOLE_FILE.into(),
                source: SettingSource::File(path.to_owned()),
                what: format!("it can't be read ({e})"),
                fix: "check the path and its permissions".into(),
            }),
        }
    }

    /// Parses the text of an env file. `path` is used in errors.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, Vec<SettingProblem>> {
        match Self::good_lines(bytes, path) {
            (file, problems) if problems.is_empty() => Ok(file),
            (_, problems) => Err(problems),
        }
    }

    fn good_lines(bytes: &[u8], path: &Path) -> (Self, Vec<SettingProblem>) {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let (mut file, mut problems) = (Self::default(), Vec::new());
        for (number, bytes) in (1_usize..).zip(bytes.split(|byte| *byte == b'\n')) {
            let mut refuse = |name: &str, what: &str, fix: &str| {
                problems.push(SettingProblem {
                    name: if can_be_setting(name) { name } else { WHOLE_FILE }.to_owned(),
                    source: SettingSource::File(path.to_owned()),
                    what: format!("line {number}: {what}"),
                    fix: fix.to_owned(),
                });
            };
            let Ok(line) = str::from_utf8(bytes) else {
                refuse("", "it is not UTF-8", "save the file as UTF-8");
                continue;
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let name = Self::name_of(line);
            match value_of(line) {
                Err((what, fix)) => refuse(name, what, fix),
                Ok(_) if name.is_empty() => refuse("", "it names no setting", "write NAME=value"),
                Ok(value) => match file.values.insert(name.to_owned(), value.clone()) {
                    Some(before) if before != value => {
                        let first = file.line_of(name).unwrap_or_default();
                        let what = format!("it has another value in line {first}");
                        refuse(name, &what, "keep one of the two lines");
                        file.values.insert(name.to_owned(), before);
                    }
                    _ => drop(file.lines.insert(name.to_owned(), number)),
                },
            }
        }
        (file, problems)
    }

    /// The line that sets `name`, counted from 1.
    pub(super) fn line_of(&self, name: &str) -> Option<usize> {
        self.lines.get(name).copied()
    }

    /// The name in front of the `=` of a line; empty if the line sets nothing.
    pub fn name_of(line: &str) -> &str {
        let (name, _) = line.split_once('=').unwrap_or_default();
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim_start();
        let is_good = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_good && !name.starts_with(|c: char| c.is_ascii_digit()) {
            name
        } else {
            ""
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A line that sets `name` to `value`. Errors: why an env file can't hold the value.
    pub fn line(name: &str, value: &str) -> Result<String, &'static str> {
        if value.chars().any(char::is_control) {
            return Err("it must be one line");
        }
        let plain = |c: char| c.is_alphanumeric() || "@.,:/_+-".contains(c);
        let quoted = if value.chars().all(plain) {
            value.to_owned()
        } else if !value.contains('\'') {
            format!("'{value}'")
        } else {
            let escaped = value
                .chars()
                .flat_map(|c| "\"\\$`".contains(c).then_some('\\').into_iter().chain([c]));
            format!("\"{}\"", escaped.collect::<String>())
        };
        let line = format!("{name}={quoted}");
        match Self::parse(line.as_bytes(), Path::new("")) {
            Ok(file) if file.get(name) == Some(value) => Ok(line),
            _ => Err("it must not begin and end with a quotation mark"),
        }
    }
}

fn value_of(line: &str) -> Result<String, Refusal> {
    const QUOTE_IT: &str = "quote it: NAME='value'";
    let (_, value) = line.split_once('=').ok_or(("it has no =", "write NAME=value"))?;
    let value = value.trim();
    if value.chars().any(char::is_control) {
        return Err(("the value contains a control character", "remove it"));
    }
    let value = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(value, quote)?,
        _ if value.contains('\\') => return Err(("the value contains a backslash", QUOTE_IT)),
        _ if value.contains(" #") || value.contains("\t#") => {
            return Err((
                "the value contains a # after a space",
                "write the comment on a line of its own, or quote it: NAME='value'",
            ));
        }
        _ => value.to_owned(),
    };
    if in_quotation_marks(&value) {
        return Err(("the value is quoted twice", "remove one pair of quotation marks"));
    }
    Ok(value)
}

/// The text between quotation marks, which must enclose the whole value.
fn quoted(value: &str, quote: char) -> Result<String, Refusal> {
    let mut text = String::new();
    let mut rest = value.chars().skip(1);
    while let Some(c) = rest.next() {
        match c {
            c if c == quote && rest.clone().next().is_none() => return Ok(text),
            c if c == quote => {
                return Err((
                    "there is text after the closing quotation mark",
                    "put the whole value in quotation marks",
                ));
            }
            '\\' if quote == '"' => match rest.next() {
                Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                _ => {
                    return Err((
                        "a backslash stands before an ordinary character",
                        "write '…' instead of \"…\"",
                    ));
                }
            },
            c => text.push(c),
        }
    }
    Err((
        "a quotation mark is not closed on this line",
        "close it; a value has one line",
    ))
}

/// Whether `value` begins and ends with the same quotation mark.
pub(super) fn in_quotation_marks(value: &str) -> bool {
    value.len() > 1
        && ['\'', '"']
            .iter()
            .any(|quote| value.starts_with(*quote) && value.ends_with(*quote))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<EnvFile, String> {
        let told = |problems: Vec<SettingProblem>| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        };
        EnvFile::parse(text.as_bytes(), Path::new("/x/.env")).map_err(told)
    }

    #[test]
    fn a_value_is_taken_literally() {
        for (line, value) in [
            ("N=anna$race2026", "anna$race2026"),
            ("N=${HOME}/x", "${HOME}/x"),
            ("N='anna$race'", "anna$race"),
            ("N=\"anna$race\"", "anna$race"),
            ("N=Two Words", "Two Words"),
            ("  N = Two Words  \r", "Two Words"),
            ("export N=1", "1"),
            ("\u{feff}N=1", "1"),
            ("N=", ""),
            ("N=''", ""),
            ("N=a#b", "a#b"),
            ("N=#b", "#b"),
            ("N=it's", "it's"),
            ("N=uvx --from 'a b' c", "uvx --from 'a b' c"),
            (r#"N="say \"hi\" for \$5""#, r#"say "hi" for $5"#),
            (r"N='C:\new'", r"C:\new"),
            ("N=`date`", "`date`"),
            ("N=é🏃", "é🏃"),
            ("# N=2\n; N=3\n\nN=1\nN=1", "1"),
        ] {
            assert_eq!(parse(line).unwrap().get("N"), Some(value), "{line}");
        }
    }

    #[test]
    fn what_could_be_understood_differently_is_refused_with_line_and_name() {
        for (line, what) in [
            ("N='\"secret\"'", "quoted twice"),
            ("N=\"'secret'\"", "quoted twice"),
            ("N='secret", "not closed"),
            ("N=\"secret", "not closed"),
            ("N='secret' more", "after the closing"),
            ("N=\"secret\"'more'", "after the closing"),
            ("N=secret # comment", "# after a space"),
            (r"N=se\cret", "backslash"),
            (r#"N="se\ncret""#, "backslash"),
            ("N=sec\u{0}ret", "control character"),
            ("N=sec\rret", "control character"),
            ("secret", "no ="),
            ("9N=secret", "no setting"),
            ("my name=secret", "no setting"),
        ] {
            let told = parse(&format!("\n{line}")).unwrap_err();
            let has_name = !what.starts_with("no ");
            assert!(told.contains("line 2") && told.contains(what), "{line}: {told}");
            assert_eq!(told.starts_with("N ("), has_name, "{line}: {told}");
            assert!(!told.contains("secret"), "{told}");
        }
        let told = parse("A='1\nN=1\nB=2\nN=2").unwrap_err();
        assert!(
            told.contains("A (/x/.env): line 1") && told.contains("N (/x/.env): line 4"),
            "{told}"
        );
        assert!(EnvFile::parse(b"N=\xff", Path::new("")).is_err());
    }

    proptest! {
        #[test]
        fn a_line_that_is_written_reads_back(value in "[ -~é]{0,12}") {
            if let Ok(line) = EnvFile::line("N", &value) {
                let file = parse(&line).unwrap();
                prop_assert_eq!(file.get("N"), Some(value.as_str()));
            } else {
                // No quoting of this value is read the same way by all three readers.
                prop_assert!(in_quotation_marks(&value), "{value}");
            }
        }
    }
}
