//! What happens in a transaction, as a pure step: (what is, what happened, when) → (what is, what to do).

use jiff::{SignedDuration, Timestamp};

use crate::garmin::SignInRefusal;
use crate::mcp::Access;

/// A person who must look for a password or wait for an e-mail has time; a page left open does not stay useful.
pub(super) const LIFE: SignedDuration = SignedDuration::from_mins(15);

/// Tries with a password in one transaction.
pub(super) const TRIES: u8 = 5;

/// RFC 5321 §4.5.3.1.3 less the brackets. Longer is no address.
const MAX_EMAIL_BYTES: usize = 254;

/// Garmin's own limit is far below.
const MAX_PASSWORD_BYTES: usize = 512;

/// What is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    pub(super) begun_at: Timestamp,
    pub(super) email: String,
    pub(super) access: Access,
    pub(super) tries_left: u8,
    /// What the page in front of the person says went wrong.
    pub(super) notice: Option<String>,
}

/// Where the person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// In front of the form for e-mail and password.
    AskCredentials,
    /// In front of the form for the code.
    AskCode,
    /// Signed in; the answer was made.
    Done,
    /// Said no.
    Denied,
    /// Ran out of tries.
    OutOfTries,
    /// Ran out of time.
    Expired,
}

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Event<'a> {
    /// The first form was posted.
    Credentials {
        email: &'a str,
        n_password_bytes: usize,
        access: Access,
        is_invited: bool,
    },
    /// The second form was posted.
    Code,
    /// The button that says no. `is_answered`: the client has used the code already, so it is too late.
    Deny { is_answered: bool },
    /// What Garmin let in is kept, and the answer is made.
    Kept,
    /// Garmin, or who plays its part, answered.
    Heard(Heard),
}

/// What an answer of Garmin means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    SignedIn,
    CodeWanted,
    /// With how many codes the open challenge still takes; 0 if there is none.
    Refused {
        refusal: SignInRefusal,
        codes_left: u8,
    },
    /// Garmin said yes, and the store could not keep it.
    NotKept,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Show the page of the stage: a form, or why it is over.
    Show,
    /// Take e-mail and password to Garmin.
    AskGarmin,
    /// Pretend to.
    Decline,
    /// Take the code to Garmin.
    VerifyCode,
    /// Keep the account and make the answer.
    Finish,
}

impl Progress {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self {
            stage: Stage::AskCredentials,
            begun_at: now,
            email: String::new(),
            // The least, until the person chooses more.
            access: Access::ReadOnly,
            tries_left: TRIES,
            notice: None,
        }
    }

    /// Whether the transaction is too old for anything to happen in it.
    pub(super) fn is_too_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.begun_at) > LIFE
    }

    /// Takes one event in. `operator`: how a person calls whoever runs the gateway, for the texts.
    pub(super) fn step(&mut self, event: Event<'_>, now: Timestamp, operator: &str) -> Act {
        let is_open = match self.stage {
            Stage::AskCredentials | Stage::AskCode => true,
            // Somebody who says no while Garmin is being asked may be heard only after it has answered.
            Stage::Done => matches!(event, Event::Deny { is_answered: false }),
            Stage::Denied | Stage::OutOfTries | Stage::Expired => false,
        };
        if !is_open {
            return Act::Show;
        }
        // What Garmin says is heard even late: the person waited for it.
        if self.is_too_old(now) && !matches!(event, Event::Heard(_) | Event::Kept) {
            self.stage = Stage::Expired;
            return Act::Show;
        }
        match event {
            Event::Deny { .. } => {
                self.stage = Stage::Denied;
                Act::Show
            }
            Event::Kept => {
                self.stage = Stage::Done;
                Act::Show
            }
            Event::Code if self.stage == Stage::AskCode => Act::VerifyCode,
            Event::Code => Act::Show,
            Event::Credentials {
                email,
                n_password_bytes,
                access,
                is_invited,
            } => self.credentials(email.trim(), n_password_bytes, access, is_invited),
            Event::Heard(heard) => self.heard(heard, operator),
        }
    }

    fn credentials(&mut self, email: &str, n_password_bytes: usize, access: Access, is_invited: bool) -> Act {
        self.access = access;
        let fits =
            email.contains('@') && email.len() <= MAX_EMAIL_BYTES && !email.chars().any(char::is_control);
        if !fits {
            self.notice = Some("Type the e-mail address of your Garmin account.".to_owned());
            return Act::Show;
        }
        email.clone_into(&mut self.email);
        if n_password_bytes == 0 || n_password_bytes > MAX_PASSWORD_BYTES {
            self.notice = Some("Type the password of your Garmin account.".to_owned());
            return Act::Show;
        }
        // The last try may have led to the form for the code; from there no way leads back.
        if self.tries_left == 0 {
            self.stage = Stage::OutOfTries;
            return Act::Show;
        }
        // A challenge that was open is dropped: the person went back.
        self.stage = Stage::AskCredentials;
        self.tries_left = self.tries_left.saturating_sub(1);
        if is_invited { Act::AskGarmin } else { Act::Decline }
    }

    fn heard(&mut self, heard: Heard, operator: &str) -> Act {
        match heard {
            Heard::SignedIn => return Act::Finish,
            Heard::CodeWanted => {
                self.stage = Stage::AskCode;
                self.notice = None;
                return Act::Show;
            }
            Heard::Refused { refusal, codes_left } => {
                self.notice = Some(notice(&refusal, operator));
                if self.stage == Stage::AskCode && codes_left > 0 {
                    return Act::Show;
                }
            }
            Heard::NotKept => {
                self.notice = Some(format!(
                    "Garmin accepted your sign-in, but the gateway could not keep it. Try again in a minute; if it stays \
                     so, tell {operator}."
                ));
            }
        }
        self.stage = if self.tries_left == 0 {
            Stage::OutOfTries
        } else {
            Stage::AskCredentials
        };
        Act::Show
    }
}

/// A refusal in words for the person. The text for a wrong password is also the text for somebody who was not invited,
/// so it names both.
fn notice(refusal: &SignInRefusal, operator: &str) -> String {
    match refusal {
        SignInRefusal::WrongCredentials | SignInRefusal::SamePasswordAgain => format!(
            "This e-mail and password were not accepted. Check both; if you are not sure, sign in at connect.garmin.com \
             first, because too many wrong tries lock a Garmin account. If they are right there, ask {operator} whether \
             this address is invited."
        ),
        other => other.for_person(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    const DENY: Event<'static> = Event::Deny { is_answered: false };

    fn credentials(is_invited: bool) -> Event<'static> {
        Event::Credentials {
            email: " ann@example.org ",
            n_password_bytes: 8,
            access: Access::ReadAndChange,
            is_invited,
        }
    }

    fn refused(refusal: SignInRefusal) -> Event<'static> {
        Event::Heard(Heard::Refused {
            refusal,
            codes_left: 0,
        })
    }

    fn wrong_code(codes_left: u8) -> Event<'static> {
        let refusal = SignInRefusal::WrongCode {
            tries_left: codes_left,
        };
        Event::Heard(Heard::Refused { refusal, codes_left })
    }

    /// Plays events and returns what to do after each, and where it ended.
    fn play(events: &[Event<'static>]) -> (Vec<Act>, Progress) {
        let mut progress = Progress::begin(NOW);
        let acts = events
            .iter()
            .map(|event| progress.step(event.clone(), NOW, "Olga"))
            .collect();
        (acts, progress)
    }

    fn check(events: &[Event<'static>], acts: &[Act], stage: Stage) {
        let (got, progress) = play(events);
        assert_eq!((got.as_slice(), progress.stage), (acts, stage), "{events:?}");
    }

    #[test]
    fn the_ways_through() {
        use Heard::{CodeWanted, NotKept, SignedIn};
        let heard = Event::Heard;
        check(
            &[credentials(true), heard(SignedIn), Event::Kept, credentials(true)],
            &[Act::AskGarmin, Act::Finish, Act::Show, Act::Show],
            Stage::Done,
        );
        check(
            &[
                credentials(true),
                heard(CodeWanted),
                Event::Code,
                wrong_code(2),
                Event::Code,
                heard(SignedIn),
            ],
            &[
                Act::AskGarmin,
                Act::Show,
                Act::VerifyCode,
                Act::Show,
                Act::VerifyCode,
                Act::Finish,
            ],
            Stage::AskCode,
        );
        check(
            &[
                credentials(true),
                heard(CodeWanted),
                Event::Code,
                wrong_code(0),
                Event::Code,
            ],
            &[Act::AskGarmin, Act::Show, Act::VerifyCode, Act::Show, Act::Show],
            Stage::AskCredentials,
        );
        check(
            &[
                credentials(true),
                heard(CodeWanted),
                credentials(true),
                heard(CodeWanted),
            ],
            &[Act::AskGarmin, Act::Show, Act::AskGarmin, Act::Show],
            Stage::AskCode,
        );
        check(
            &[credentials(true), heard(NotKept)],
            &[Act::AskGarmin, Act::Show],
            Stage::AskCredentials,
        );
        check(&[DENY, credentials(true)], &[Act::Show, Act::Show], Stage::Denied);
        check(
            &[credentials(true), heard(CodeWanted), DENY],
            &[Act::AskGarmin, Act::Show, Act::Show],
            Stage::Denied,
        );
        check(&[Event::Code], &[Act::Show], Stage::AskCredentials);
    }

    #[test]
    fn a_no_counts_until_the_client_has_used_the_code() {
        let done = [credentials(true), Event::Heard(Heard::SignedIn), Event::Kept];
        for (is_answered, stage) in [(false, Stage::Denied), (true, Stage::Done)] {
            let events = [&done[..], &[Event::Deny { is_answered }]].concat();
            assert_eq!(play(&events).1.stage, stage);
        }
    }

    #[test]
    fn five_tries_and_no_more() {
        let mut progress = Progress::begin(NOW);
        for left in (0..TRIES).rev() {
            assert_eq!(progress.step(credentials(true), NOW, "Olga"), Act::AskGarmin);
            progress.step(refused(SignInRefusal::WrongCredentials), NOW, "Olga");
            assert_eq!(progress.tries_left, left);
        }
        assert_eq!(progress.stage, Stage::OutOfTries);
        assert_eq!(progress.step(credentials(true), NOW, "Olga"), Act::Show);
    }

    #[test]
    fn the_last_try_may_still_need_a_code() {
        let mut progress = Progress::begin(NOW);
        progress.tries_left = 1;
        progress.step(credentials(true), NOW, "Olga");
        progress.step(Event::Heard(Heard::CodeWanted), NOW, "Olga");
        assert_eq!(progress.step(Event::Code, NOW, "Olga"), Act::VerifyCode);
        let mut back = progress.clone();
        assert_eq!(back.step(credentials(true), NOW, "Olga"), Act::Show);
        assert_eq!(back.stage, Stage::OutOfTries);
        progress.step(wrong_code(0), NOW, "Olga");
        assert_eq!(progress.stage, Stage::OutOfTries);
    }

    #[test]
    fn who_was_not_invited_learns_nothing() {
        let (acts, stranger) = play(&[credentials(false), refused(SignInRefusal::WrongCredentials)]);
        assert_eq!(acts, [Act::Decline, Act::Show]);
        let (_, invited) = play(&[credentials(true), refused(SignInRefusal::WrongCredentials)]);
        assert_eq!(stranger, invited);
        let (_, again) = play(&[credentials(true), refused(SignInRefusal::SamePasswordAgain)]);
        assert_eq!(stranger, again);
        assert!(stranger.notice.unwrap().contains("ask Olga"));
    }

    #[test]
    fn what_can_not_be_right_costs_no_try_and_reaches_nobody() {
        let typed = |email, n_password_bytes| Event::Credentials {
            email,
            n_password_bytes,
            access: Access::ReadAndChange,
            is_invited: true,
        };
        let long = "a".repeat(MAX_EMAIL_BYTES);
        let long = format!("{long}@example.org");
        for (email, n_password_bytes) in [
            ("", 8),
            ("   ", 8),
            ("ann", 8),
            ("ann@example.org", 0),
            ("ann@example.org", 10_000),
            ("a\r\n@b", 8),
            (&long, 8),
        ] {
            let mut progress = Progress::begin(NOW);
            let act = progress.step(typed(email, n_password_bytes), NOW, "Olga");
            assert_eq!((act, progress.tries_left), (Act::Show, TRIES), "{email}");
            assert!(progress.notice.is_some());
            // What was chosen is still chosen on the page that comes back.
            assert_eq!(progress.access, Access::ReadAndChange);
        }
    }

    #[test]
    fn a_transaction_ends_after_its_time() {
        let mut progress = Progress::begin(NOW);
        let late = NOW.checked_add(LIFE).unwrap();
        assert_eq!(progress.step(credentials(true), late, "Olga"), Act::AskGarmin);
        let too_late = late.checked_add(SignedDuration::from_secs(1)).unwrap();
        assert_eq!(
            progress.step(Event::Heard(Heard::CodeWanted), too_late, "Olga"),
            Act::Show
        );
        assert_eq!(progress.stage, Stage::AskCode);
        assert_eq!(progress.step(Event::Code, too_late, "Olga"), Act::Show);
        assert_eq!(progress.stage, Stage::Expired);
    }

    #[test]
    fn access_is_read_only_until_chosen() {
        assert_eq!(Progress::begin(NOW).access, Access::ReadOnly);
        let (_, progress) = play(&[credentials(true)]);
        assert_eq!(
            (progress.access, progress.email.as_str()),
            (Access::ReadAndChange, "ann@example.org")
        );
    }

    fn any_event() -> impl Strategy<Value = Event<'static>> {
        prop_oneof![
            3 => any::<bool>().prop_map(credentials),
            3 => Just(Event::Code),
            1 => any::<bool>().prop_map(|is_answered| Event::Deny { is_answered }),
            2 => Just(Event::Heard(Heard::SignedIn)),
            3 => Just(Event::Heard(Heard::CodeWanted)),
            3 => (0_u8..3).prop_map(wrong_code),
            3 => Just(refused(SignInRefusal::WrongCredentials)),
            1 => Just(Event::Heard(Heard::NotKept)),
            1 => Just(Event::Kept),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_garmin_is_asked_only_for_the_invited_and_five_times_at_most(
            events in prop::collection::vec((any_event(), 0_i64..200), 0..40)
        ) {
            let mut progress = Progress::begin(NOW);
            let (mut n_asked, mut seconds) = (0, 0);
            for (event, pass) in events {
                seconds += pass;
                let (before, now) = (progress.stage, Timestamp::from_second(seconds).unwrap());
                let act = progress.step(event.clone(), now, "Olga");
                match act {
                    Act::AskGarmin => {
                        let is_invited = matches!(event, Event::Credentials { is_invited: true, .. });
                        prop_assert!(is_invited && seconds <= LIFE.as_secs());
                        n_asked += 1;
                    }
                    Act::Decline => n_asked += 1,
                    Act::VerifyCode => prop_assert_eq!(before, Stage::AskCode),
                    Act::Finish => prop_assert!(matches!(event, Event::Heard(Heard::SignedIn))),
                    Act::Show => {}
                }
                prop_assert!(n_asked <= TRIES);
                // What is over stays over, but for a late "no".
                if matches!(before, Stage::Denied | Stage::OutOfTries | Stage::Expired) {
                    prop_assert_eq!(progress.stage, before);
                }
            }
        }
    }
}
