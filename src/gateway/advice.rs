//! The text for the model and the person when no worker answered: what happened, what was changed, and what to do.

use crate::workers::WorkerError;

/// `read_only`: the call could not have changed anything. `link`: the page where the person signs in at Garmin again.
pub(super) fn advice(error: &WorkerError, read_only: bool, link: &str) -> String {
    let unsure = "The change may or may not have been made. Look at the data first, and repeat the call only if the change is missing.";
    let unchanged = "Nothing was changed.";
    match error {
        WorkerError::GarminSignInNeeded => format!(
            "Garmin asks you to sign in again. Open {link}, sign in with your Garmin account, and ask again. The connector stays \
             as it is; nothing has to be set up again. {unchanged}"
        ),
        WorkerError::Busy { retry_after } => format!(
            "All Garmin sessions of this server are in use. Try again in {} s. {unchanged}",
            retry_after.as_secs().max(1)
        ),
        WorkerError::StartFailed { reason } => format!(
            "The Garmin session could not be started: {reason}. {unchanged} Try again in a minute. If it fails again, tell the operator of this server."
        ),
        WorkerError::Died => format!(
            "The Garmin session ended twice while it was reading. {unchanged} Try again, perhaps for a shorter period. If it \
             fails again, tell the operator of this server."
        ),
        WorkerError::MayHaveHappened => {
            format!("The Garmin session ended in the middle of this call. {unsure}")
        }
        WorkerError::TimedOut if read_only => format!(
            "Garmin took too long to answer. {unchanged} Ask for a shorter period or fewer details, or try again later."
        ),
        WorkerError::TimedOut => format!("Garmin took too long to answer. {unsure}"),
        WorkerError::BadAnswer { .. } if read_only => {
            format!(
                "The Garmin session sent an answer that could not be read. {unchanged} Tell the operator of this server."
            )
        }
        WorkerError::BadAnswer { .. } => {
            format!(
                "The Garmin session sent an answer that could not be read. {unsure} Tell the operator of this server."
            )
        }
        WorkerError::Stopped if read_only => {
            format!("The Garmin session was stopped by the server. {unchanged} Try again in a few seconds.")
        }
        WorkerError::Stopped => format!("The Garmin session was stopped by the server. {unsure}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Every message says what to do and whether anything was changed.
    #[test]
    fn every_failure_says_what_to_do() {
        let link = "https://garmin.example.com/link";
        for (error, read_only, expected) in [
            (
                WorkerError::GarminSignInNeeded,
                true,
                vec![link, "sign in", "Nothing was changed"],
            ),
            (
                WorkerError::GarminSignInNeeded,
                false,
                vec![link, "connector stays", "Nothing was changed"],
            ),
            (
                WorkerError::Busy {
                    retry_after: Duration::from_secs(7),
                },
                false,
                vec!["in 7 s", "Nothing was changed"],
            ),
            (
                WorkerError::Busy {
                    retry_after: Duration::ZERO,
                },
                true,
                vec!["in 1 s"],
            ),
            (
                WorkerError::StartFailed {
                    reason: "it ended with exit code 1".into(),
                },
                false,
                vec!["exit code 1", "Nothing was changed", "operator"],
            ),
            (WorkerError::Died, true, vec!["Nothing was changed", "Try again"]),
            (
                WorkerError::MayHaveHappened,
                false,
                vec!["may or may not", "Look at the data first"],
            ),
            (
                WorkerError::TimedOut,
                true,
                vec!["Nothing was changed", "shorter period"],
            ),
            (WorkerError::TimedOut, false, vec!["may or may not"]),
            (
                WorkerError::BadAnswer { reason: "x".into() },
                true,
                vec!["Nothing was changed", "operator"],
            ),
            (
                WorkerError::BadAnswer { reason: "x".into() },
                false,
                vec!["may or may not", "operator"],
            ),
            (
                WorkerError::Stopped,
                true,
                vec!["Nothing was changed", "few seconds"],
            ),
            (WorkerError::Stopped, false, vec!["may or may not"]),
        ] {
            let text = advice(&error, read_only, link);
            for words in expected {
                assert!(
                    text.contains(words),
                    "{error:?} {read_only}: {words:?} is not in {text:?}"
                );
            }
        }
    }
}
