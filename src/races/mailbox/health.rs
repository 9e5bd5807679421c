//! Whether the mailbox is watched; if not, why, and what the operator can do. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// A failure that may pass by itself is reported to the operator after this many in a row.
const REPORTED_AFTER: u32 = 3;

/// Why the mailbox can't be read. It contains no text of the server, because that may contain an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxTrouble {
    #[error("the mail server can't be reached")]
    Unreachable,
    #[error("the mail server's certificate is not trusted")]
    BadCertificate,
    #[error("the mail server has no STARTTLS, so the password would be sent unencrypted")]
    NoStartTls,
    #[error("the mail server rejects the user or the password")]
    LoginRefused,
    #[error("the mail server has no such mailbox, or the user may not open it")]
    NoMailbox,
    #[error("the mail server refused a command")]
    Refused,
    #[error("the mail server sent something that is not IMAP, or too much data")]
    Unreadable,
    #[error("the mail server ended the connection")]
    Lost,
    #[error("the mail server did not answer in time")]
    Slow,
    #[error("the store can't be read or written")]
    Store,
}

impl MailboxTrouble {
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::BadCertificate => "bad_certificate",
            Self::NoStartTls => "no_starttls",
            Self::LoginRefused => "login_refused",
            Self::NoMailbox => "no_mailbox",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Lost => "lost",
            Self::Slow => "slow",
            Self::Store => "store",
        }
    }

    /// What to do about it.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Unreachable => "check the host and the port in IMAP_URL, and this machine's network",
            Self::BadCertificate => {
                "name the host as the certificate does, or add the certificate's authority to this machine"
            }
            Self::NoStartTls => {
                "write imaps:// in IMAP_URL if the server offers it, or turn on STARTTLS there"
            }
            Self::LoginRefused => {
                "check the user in IMAP_URL and IMAP_PASSWORD; with two-factor sign-in, most providers need an app password"
            }
            Self::NoMailbox => "check the mailbox in IMAP_URL; INBOX always exists",
            Self::Refused => "the gateway keeps trying, and the server's own log may say more",
            Self::Unreadable => "check that IMAP_URL names an IMAP server, and its port",
            Self::Lost | Self::Slow => {
                "the gateway keeps trying, and nothing needs doing unless this goes on"
            }
            Self::Store => "free some disk space, and the gateway tries again",
        }
    }

    /// Whether the failure lasts until the operator does something.
    fn needs_the_operator(self) -> bool {
        matches!(
            self,
            Self::BadCertificate | Self::NoStartTls | Self::LoginRefused | Self::NoMailbox
        )
    }

    /// The wait after `times` failures in a row (1 is the first). Many servers lock out a user after several wrong
    /// passwords.
    fn back_off(self, times: u32) -> Duration {
        let (first_s, most_s) = if self.needs_the_operator() {
            (30, 1_800)
        } else {
            (1, 120)
        };
        let factor = 1_u64 << times.saturating_sub(1).min(16);
        Duration::from_secs((first_s * factor).min(most_s))
    }
}

/// Whether e-mails reach the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailboxHealth {
    /// No mailbox is set up.
    #[default]
    Off,
    /// The first answer is awaited.
    Connecting,
    Watching {
        since: Timestamp,
        /// Whether the server announces new mails at once (IDLE); otherwise the gateway asks every minute.
        tells: bool,
    },
    Failing {
        trouble: MailboxTrouble,
        /// The failures in a row.
        times: u32,
        since: Timestamp,
    },
}

impl MailboxHealth {
    /// The health after a failure, the wait before the next try, and whether it is a new kind of failure.
    pub(super) fn after(self, trouble: MailboxTrouble, now: Timestamp) -> (Self, Duration, bool) {
        let (times, since, is_new) = match self {
            Self::Failing {
                trouble: before,
                times,
                since,
            } => (times.saturating_add(1), since, before != trouble),
            _ => (1, now, true),
        };
        let next = Self::Failing {
            trouble,
            times,
            since,
        };
        (next, trouble.back_off(times), is_new)
    }

    /// What the operator should know and do, if anything.
    pub fn advice(self) -> Option<String> {
        match self {
            Self::Failing { trouble, times, .. }
                if trouble.needs_the_operator() || times >= REPORTED_AFTER =>
            {
                Some(format!("{trouble}; {}", trouble.fix()))
            }
            _ => None,
        }
    }

    /// The health in a sentence; `None` without a mailbox. `last_mail`: when the last LiveTrack mail came.
    pub fn told(self, last_mail: Option<Timestamp>) -> Option<String> {
        let moment = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let health = match self {
            Self::Off => return None,
            Self::Connecting => "connecting".to_owned(),
            Self::Watching { since, tells: true } => format!("watched since {}", moment(since)),
            Self::Watching { since, .. } => {
                format!("watched since {}, checked every minute", moment(since))
            }
            Self::Failing { trouble, since, .. } => format!("{trouble}, since {}", moment(since)),
        };
        Some(match last_mail {
            Some(at) => format!("{health}; last LiveTrack mail {}", moment(at)),
            None => health,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_is_tried_rarely_and_told_at_once() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let (mut health, mut waits, mut events) = (MailboxHealth::Connecting, vec![], 0);
        for _ in 0..8 {
            let (next, wait, is_new) = health.after(MailboxTrouble::LoginRefused, now);
            health = next;
            waits.push(wait.as_secs());
            events += usize::from(is_new);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_800, 1_800]);
        assert_eq!(events, 1);
        assert!(health.advice().unwrap().contains("app password"));
    }

    #[test]
    fn a_short_outage_is_no_problem_for_the_operator() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let mut health = MailboxHealth::Watching {
            since: now,
            tells: true,
        };
        let mut told = Vec::new();
        for _ in 0..3 {
            health = health.after(MailboxTrouble::Lost, now).0;
            told.push(health.advice().is_some());
        }
        assert_eq!(told, [false, false, true]);
    }

    #[test]
    fn the_health_is_told_in_words() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let watching = |tells| MailboxHealth::Watching { since: now, tells };
        assert_eq!(MailboxHealth::Off.told(None), None);
        assert_eq!(
            watching(true).told(Some(now)).unwrap(),
            "watched since 2026-10-04 09:00 UTC; last LiveTrack mail 2026-10-04 09:00 UTC"
        );
        assert!(
            watching(false)
                .told(None)
                .unwrap()
                .ends_with("checked every minute")
        );
        let failing = MailboxHealth::Off.after(MailboxTrouble::NoMailbox, now).0;
        assert!(failing.told(None).unwrap().contains("no such mailbox"));
    }
}
