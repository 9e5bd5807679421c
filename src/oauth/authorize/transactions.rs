//! The transactions that are open, in memory: a restart forgets them, and people start again from Claude.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::request::AuthorizationRequest;
use super::step::{LIFE, Progress};
use crate::base::secrets::{Secret, TokenHash, constant_time_eq, random_id, random_token};
use crate::garmin::MfaChallenge;

/// Clicks of one visit that may wait for each other. A person makes two; more is a program that wants to fill us.
const MAX_CLICKS: usize = 4;

const TRANSACTION_PREFIX: &str = "txn_";
const BROWSER_PREFIX: &str = "brw_";

/// Open at the same time. Strangers can open them, so the oldest that nobody has typed anything into makes room.
const MAX_OPEN: usize = 2000;

/// Why somebody signs in.
pub(super) enum Purpose {
    /// A client wants a code.
    Client(Box<AuthorizationRequest>),
    /// Garmin's sign-in is renewed; nobody gets a code.
    Link,
}

/// One visit.
pub(super) struct Transaction {
    pub(super) id: String,
    pub(super) csrf: Secret,
    browser: TokenHash,
    pub(super) purpose: Purpose,
    begun_at: Timestamp,
    /// Goes up whenever the visit got further. Who waited for the lock while it did was sent by the same click twice.
    pub(super) round: AtomicU64,
    /// Whoever is let in holds one until there is an answer.
    pub(super) clicks: Arc<Semaphore>,
    pub(super) visit: tokio::sync::Mutex<Visit>,
}

/// What changes in a visit.
pub(super) struct Visit {
    pub(super) progress: Progress,
    pub(super) challenge: Option<MfaChallenge>,
    /// The answer, once there is one, for a click that came twice.
    pub(super) answer: Option<Answer>,
}

/// How a visit ended well.
pub(super) enum Answer {
    Code {
        code: TokenHash,
        url: String,
        issued_at: Timestamp,
    },
    Linked {
        full_name: String,
    },
}

/// All open transactions.
#[derive(Default)]
pub(in crate::oauth) struct Transactions(Mutex<HashMap<String, Arc<Transaction>>>);

impl Transactions {
    /// Opens one, bound to the browser that has `cookie`. Returns the cookie to set if it has none of ours.
    pub(super) fn open(
        &self,
        purpose: Purpose,
        cookie: Option<&str>,
        now: Timestamp,
    ) -> (Arc<Transaction>, Option<Secret>) {
        let set_browser = match cookie {
            Some(cookie) if is_browser(cookie) => None,
            _ => Some(random_token(BROWSER_PREFIX)),
        };
        let browser = set_browser
            .as_ref()
            .map(Secret::expose)
            .or(cookie)
            .unwrap_or_default();
        let transaction = Arc::new(Transaction {
            id: random_id(TRANSACTION_PREFIX),
            csrf: random_token(""),
            browser: TokenHash::of(browser),
            purpose,
            begun_at: now,
            round: AtomicU64::new(0),
            clicks: Arc::new(Semaphore::new(MAX_CLICKS)),
            visit: tokio::sync::Mutex::new(Visit {
                progress: Progress::begin(now),
                challenge: None,
                answer: None,
            }),
        });
        let mut open = self.locked();
        if open.len() >= MAX_OPEN {
            open.retain(|_, one| !one.is_over(now));
        }
        if open.len() >= MAX_OPEN {
            let is_used = |one: &Transaction| one.round.load(Ordering::Relaxed) > 0;
            let oldest = open.values().min_by_key(|one| (is_used(one), one.begun_at));
            if let Some(oldest) = oldest.map(|one| one.id.clone()) {
                open.remove(&oldest);
            }
        }
        open.insert(transaction.id.clone(), Arc::clone(&transaction));
        (transaction, set_browser)
    }

    /// The transaction `id`, if it was opened by the browser that has `cookie`, on a page that knew `csrf`.
    pub(super) fn find(&self, id: &str, csrf: &str, cookie: Option<&str>) -> Option<Arc<Transaction>> {
        let found = self.locked().get(id).cloned()?;
        let same_browser = found.browser == TokenHash::of(cookie?);
        let same_page = constant_time_eq(csrf.as_bytes(), found.csrf.expose().as_bytes());
        (same_browser && same_page).then_some(found)
    }

    /// Forgets those that are over.
    pub(in crate::oauth) fn sweep(&self, now: Timestamp) {
        self.locked().retain(|_, one| !one.is_over(now));
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Arc<Transaction>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transaction {
    /// Twice its life, so that a late click still finds out that it was too late.
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.begun_at) > LIFE.saturating_mul(2)
    }
}

/// Whether a cookie has the shape of ours; whatever else a browser sends is replaced.
fn is_browser(cookie: &str) -> bool {
    cookie.strip_prefix(BROWSER_PREFIX).is_some_and(|random| {
        random.len() == 43
            && random
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn csrf_and_cross_transaction_posts_find_nothing() {
        let all = Transactions::default();
        let (mine, my_cookie) = all.open(Purpose::Link, None, NOW);
        let (theirs, their_cookie) = all.open(Purpose::Link, None, NOW);
        let (my_cookie, their_cookie) = (my_cookie.unwrap(), their_cookie.unwrap());
        let found = |id: &str, csrf: &str, cookie| all.find(id, csrf, cookie).is_some();
        assert!(found(&mine.id, mine.csrf.expose(), Some(my_cookie.expose())));
        for (id, csrf, cookie) in [
            (&mine.id, mine.csrf.expose(), None),
            (&mine.id, mine.csrf.expose(), Some("")),
            (&mine.id, mine.csrf.expose(), Some(their_cookie.expose())),
            (&mine.id, theirs.csrf.expose(), Some(my_cookie.expose())),
            (&mine.id, "", Some(my_cookie.expose())),
            (&theirs.id, theirs.csrf.expose(), Some(my_cookie.expose())),
            (
                &"txn_aaaaaaaaaaaaaaaa".to_owned(),
                mine.csrf.expose(),
                Some(my_cookie.expose()),
            ),
        ] {
            assert!(!found(id, csrf, cookie), "{id} {csrf} {cookie:?}");
        }
    }

    #[test]
    fn one_browser_may_have_two_tabs_and_chooses_no_cookie_of_its_own() {
        let all = Transactions::default();
        let (first, cookie) = all.open(Purpose::Link, None, NOW);
        let cookie = cookie.unwrap();
        let (second, again) = all.open(Purpose::Link, Some(cookie.expose()), NOW);
        assert!(again.is_none());
        for tab in [first, second] {
            assert!(
                all.find(&tab.id, tab.csrf.expose(), Some(cookie.expose()))
                    .is_some()
            );
        }
        for chosen in ["x", "brw_short", &format!("brw_{}", "é".repeat(21))] {
            assert!(all.open(Purpose::Link, Some(chosen), NOW).1.is_some(), "{chosen}");
        }
    }

    #[test]
    fn strangers_who_open_many_do_not_push_out_who_is_typing() {
        let all = Transactions::default();
        let (mine, cookie) = all.open(Purpose::Link, None, NOW);
        mine.round.store(1, Ordering::Relaxed);
        let cookie = cookie.unwrap();
        for seconds in 1..=i64::try_from(MAX_OPEN).unwrap() + 10 {
            all.open(
                Purpose::Link,
                Some(cookie.expose()),
                Timestamp::from_millisecond(seconds).unwrap(),
            );
        }
        assert_eq!(all.locked().len(), MAX_OPEN);
        assert!(
            all.find(&mine.id, mine.csrf.expose(), Some(cookie.expose()))
                .is_some()
        );
        all.sweep(NOW.checked_add(LIFE.saturating_mul(3)).unwrap());
        assert!(all.locked().is_empty());
    }
}
