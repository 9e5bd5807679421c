//! One finding, the list of exceptions, and the comparison of the two.

use std::collections::BTreeSet;
use std::fmt;

/// A violation of a rule. An exception is written the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// `floor`, `fence`, `circle` or `doubled`.
    pub(super) rule: String,
    /// The module, crate or type name concerned; empty for a cycle.
    pub(super) subject: String,
    /// Paths relative to the `src/` directory.
    pub(super) files: BTreeSet<String>,
}

impl Finding {
    /// Whether this exception allows that finding. One that covers fewer files is allowed, and makes the exception stale.
    fn covers(&self, finding: &Self) -> bool {
        self.rule == finding.rule && self.subject == finding.subject && self.files.is_superset(&finding.files)
    }

    fn advice(&self) -> &'static str {
        match self.rule.as_str() {
            "floor" => {
                "import only from rooms on lower floors (table in src/lib.rs), or move what is shared down"
            }
            "fence" => {
                "use this crate only in its room (FENCES in tests/it/tidy/rules.rs), behind that room's own types"
            }
            "circle" => "move what these files share into a file of its own that imports none of them",
            "doubled" => "give each type its own name",
            _ => "unknown rule",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        f.write_str(":")?;
        self.files.iter().try_for_each(|file| write!(f, " {file}"))
    }
}

pub(super) fn parse(text: &str) -> BTreeSet<Finding> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (head, files) = line.split_once(": ").expect("rule, subject, colon, files");
            let (rule, subject) = head.split_once(' ').unwrap_or((head, ""));
            Finding {
                rule: rule.to_owned(),
                subject: subject.to_owned(),
                files: files.split(' ').map(str::to_owned).collect(),
            }
        })
        .collect()
}

/// One message for each new finding and for each exception that is wider than needed, with the fix.
pub(super) fn compare(found: &BTreeSet<Finding>, listed: &BTreeSet<Finding>) -> Vec<String> {
    let new = found
        .iter()
        .filter(|finding| !listed.iter().any(|exception| exception.covers(finding)))
        .map(|finding| format!("new:   {finding}\n       {}", finding.advice()));
    let stale = listed.difference(found).map(|exception| {
        format!(
            "stale: {exception}\n       no longer needed as it stands: cargo test --test it tidy::shrink_the_exceptions -- --ignored"
        )
    });
    new.chain(stale).collect()
}

/// The exceptions that are still needed, reduced to the files that need them.
pub(super) fn shrink(found: &BTreeSet<Finding>, listed: &BTreeSet<Finding>) -> BTreeSet<Finding> {
    found
        .iter()
        .filter(|finding| listed.iter().any(|exception| exception.covers(finding)))
        .cloned()
        .collect()
}
