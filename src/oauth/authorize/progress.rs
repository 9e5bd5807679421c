//! The state of one sign-in, and how a form or Garmin's answer changes it. Nothing here waits or sends.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::refusals::SignInNotice;
use crate::accounts::is_email;
use crate::base::secrets::{Secret, TokenHash};
use crate::garmin::{Credentials, MfaChallenge, SignInRefusal};
use crate::mcp::Access;

/// Looking for a password or waiting for an e-mail takes minutes; a page left open for longer is abandoned.
pub(super) const LIFE: SignedDuration = SignedDuration::from_mins(15);

/// Number of passwords that one page accepts.
pub(super) const TRIES: u8 = 5;

/// RFC 5321 §4.5.3.1.3, without the brackets.
const MAX_EMAIL_BYTES: usize = 254;

/// Garmin's own limit is far lower.
const MAX_PASSWORD_BYTES: usize = 512;

/// One sign-in between its first form and its end.
#[derive(Debug)]
pub(super) struct SignInProgress {
    pub(super) stage: SignInStage,
    begun_at: Timestamp,
    pub(super) email: String,
    pub(super) access: Access,
    pub(super) tries_left: u8,
    /// Why the last try failed.
    pub(super) notice: Option<SignInNotice>,
    /// The address that posted the last form, if known. Sign-ins at Garmin are limited per address.
    pub(super) from: Option<IpAddr>,
}

#[derive(Debug)]
pub(super) enum SignInStage {
    /// The page asks for e-mail and password.
    AskCredentials,
    /// The page asks for Garmin's code.
    AskCode(MfaChallenge),
    Done(SignInAnswer),
    /// The client has its tokens, so it is too late to decline.
    Exchanged,
    /// The person chose not to connect.
    Denied,
    OutOfTries,
    Expired,
    /// The operator withdrew the invitation or the access in the meantime.
    Withdrawn,
}

/// How a sign-in succeeded. It is kept so that a second click gets the same answer.
#[derive(Clone, Debug)]
pub(super) enum SignInAnswer {
    Code {
        code: TokenHash,
        url: String,
        issued_at: Timestamp,
    },
    Linked {
        full_name: String,
        has_app: bool,
    },
    OwnPage {
        code: Secret,
    },
}

impl SignInProgress {
    pub(super) fn begin(begun_at: Timestamp) -> Self {
        Self {
            stage: SignInStage::AskCredentials,
            begun_at,
            email: String::new(),
            // The least access, until the person chooses more.
            access: Access::ReadOnly,
            tries_left: TRIES,
            notice: None,
            from: None,
        }
    }

    /// Whether forms still count. An expired sign-in ends here.
    pub(super) fn is_open(&mut self, now: Timestamp) -> bool {
        match self.stage {
            SignInStage::AskCredentials | SignInStage::AskCode(_) if is_too_old(self.begun_at, now) => {
                self.stage = SignInStage::Expired;
                false
            }
            SignInStage::AskCredentials | SignInStage::AskCode(_) => true,
            _ => false,
        }
    }

    /// Accepts the first form. Returns the credentials to try, or `None` if the page must be shown again. An open
    /// challenge is dropped, because the person went back.
    pub(super) fn typed(&mut self, email: &str, password: Secret, access: Access) -> Option<Credentials> {
        self.access = access;
        let email = email.trim();
        if !is_email(email) || email.len() > MAX_EMAIL_BYTES {
            self.notice = Some(SignInNotice::NoEmail);
            return None;
        }
        email.clone_into(&mut self.email);
        if password.is_empty() || password.expose().len() > MAX_PASSWORD_BYTES {
            self.notice = Some(SignInNotice::NoPassword);
            return None;
        }
        // The last attempt may have led to the page for the code. With no tries left, the person cannot go back from
        // it.
        if self.tries_left == 0 {
            self.stage = SignInStage::OutOfTries;
            return None;
        }
        self.stage = SignInStage::AskCredentials;
        self.tries_left = self.tries_left.saturating_sub(1);
        Some(Credentials {
            email: self.email.clone(),
            password,
        })
    }

    /// Keeps what was typed, for the same page in another language.
    pub(super) fn keep_typed(&mut self, email: Option<String>, access: Option<Access>) {
        if !matches!(self.stage, SignInStage::AskCredentials) {
            return;
        }
        if let Some(email) = email.filter(|email| email.len() <= MAX_EMAIL_BYTES) {
            self.email = email;
        }
        self.access = access.unwrap_or(self.access);
    }

    pub(super) fn ask_code(&mut self, challenge: MfaChallenge) {
        self.stage = SignInStage::AskCode(challenge);
        self.notice = None;
    }

    /// Records a refusal by Garmin, or by the governor before Garmin was asked. After a wrong code, another one may
    /// follow.
    pub(super) fn refused(&mut self, refusal: SignInRefusal) {
        self.notice = Some(SignInNotice::Refused(refusal));
        match &self.stage {
            SignInStage::AskCode(challenge) if challenge.tries_left() > 0 => {}
            _ => self.ask_again(),
        }
    }

    /// Records that Garmin accepted the sign-in, but the store could not save it.
    pub(super) fn not_kept(&mut self) {
        self.notice = Some(SignInNotice::NotKept);
        self.ask_again();
    }

    fn ask_again(&mut self) {
        self.stage = if self.tries_left == 0 {
            SignInStage::OutOfTries
        } else {
            SignInStage::AskCredentials
        };
    }
}

/// Whether a page created at `begun_at` has expired.
pub(super) fn is_too_old(begun_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(begun_at) > LIFE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn type_in(progress: &mut SignInProgress, email: &str, password: &str) -> bool {
        progress
            .typed(email, Secret::new(password), Access::ReadAndChange)
            .is_some()
    }

    #[test]
    fn five_tries_and_no_more() {
        let mut progress = SignInProgress::begin(NOW);
        for left in (0..TRIES).rev() {
            assert!(progress.is_open(NOW));
            assert!(type_in(&mut progress, "ann@example.org", "pw"));
            progress.refused(SignInRefusal::WrongCredentials);
            assert_eq!(progress.tries_left, left);
        }
        assert!(matches!(progress.stage, SignInStage::OutOfTries));
        assert!(!progress.is_open(NOW));
    }

    #[test]
    fn a_sign_in_that_was_not_kept_may_be_tried_again() {
        let mut progress = SignInProgress::begin(NOW);
        assert!(type_in(&mut progress, "ann@example.org", "pw"));
        progress.not_kept();
        assert!(progress.is_open(NOW) && progress.notice == Some(SignInNotice::NotKept));
        progress.tries_left = 0;
        progress.not_kept();
        assert!(matches!(progress.stage, SignInStage::OutOfTries));
    }

    #[test]
    fn another_language_costs_no_try_and_forgets_nothing() {
        let mut progress = SignInProgress::begin(NOW);
        progress.keep_typed(Some("ann@exa".into()), Some(Access::ReadAndChange));
        progress.keep_typed(None, None);
        progress.keep_typed(Some("a".repeat(10_000)), None);
        assert_eq!(
            (progress.email.as_str(), progress.access, progress.tries_left),
            ("ann@exa", Access::ReadAndChange, TRIES)
        );
        assert!(progress.notice.is_none() && progress.is_open(NOW));
    }

    #[test]
    fn malformed_credentials_cost_no_try() {
        let long = format!("{}@example.org", "a".repeat(MAX_EMAIL_BYTES));
        for (email, password) in [
            ("", "password"),
            ("   ", "password"),
            ("ann", "password"),
            ("ann@example.org", ""),
            ("ann@example.org", &"x".repeat(10_000)),
            ("a\r\n@b", "password"),
            ("ann@evil.org@example.org", "password"),
            ("ann@", "password"),
            ("@example.org", "password"),
            (&long, "password"),
        ] {
            let mut progress = SignInProgress::begin(NOW);
            assert!(!type_in(&mut progress, email, password), "{email}");
            assert_eq!(progress.tries_left, TRIES, "{email}");
            assert!(progress.notice.is_some());
            // The chosen access stays selected on the page that is shown again.
            assert_eq!(progress.access, Access::ReadAndChange);
        }
    }

    #[test]
    fn access_is_read_only_until_chosen() {
        let mut progress = SignInProgress::begin(NOW);
        assert_eq!(progress.access, Access::ReadOnly);
        type_in(&mut progress, " ann@example.org ", "pw");
        assert_eq!(
            (progress.access, progress.email.as_str()),
            (Access::ReadAndChange, "ann@example.org")
        );
    }

    #[test]
    fn a_sign_in_expires() {
        let mut progress = SignInProgress::begin(NOW);
        let late = NOW.checked_add(LIFE).unwrap();
        assert!(progress.is_open(late));
        let too_late = late.checked_add(SignedDuration::from_secs(1)).unwrap();
        assert!(!progress.is_open(too_late));
        assert!(matches!(progress.stage, SignInStage::Expired));
        assert!(!progress.is_open(NOW), "an expired sign-in stays expired");
    }
}
