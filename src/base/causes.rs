//! Error messages including their causes.

use std::error::Error;

/// Formats an error and its causes on one line, and skips a cause that the text already ends with.
pub fn chain(e: &dyn Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        let next = e.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = e.source();
    }
    text
}

/// The last cause alone, because the errors that libraries wrap around it often say only that something failed.
pub fn root(e: &dyn Error) -> String {
    let mut last = e;
    while let Some(e) = last.source() {
        last = e;
    }
    last.to_string()
}
