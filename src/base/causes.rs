//! What an error says, with what it hides.

use std::error::Error;

/// An error and its causes, on one line; what an error already says of its cause is not said twice.
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

/// The last cause alone: what libraries put around it says only that something failed.
pub fn root(e: &dyn Error) -> String {
    let mut last = e;
    while let Some(e) = last.source() {
        last = e;
    }
    last.to_string()
}
