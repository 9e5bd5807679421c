//! The open sign-ins: the contents of their pages, and the state of those whose form was posted.
//!
//! Invariants:
//! - A page view is not stored anywhere. Its whole state is in its form, signed together with the browser's cookie.
//! - Only a posted form takes one of the places in memory. One source may take only a few, and then loses its own
//!   oldest one first. A place is never given up while Garmin is being asked or a code is awaited, so strangers cannot
//!   end a sign-in.
//! - A restart discards the key, and with it every open page: people start again from Claude.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::pages::{HiddenFields, Visitor};
use super::progress::{LIFE, SignInProgress, SignInStage, is_too_old};
use super::request::AuthorizationRequest;
use crate::accounts::Account;
use crate::base::secrets::{Secret, constant_time_eq, derived_token, random_id, random_token};
use crate::base::source::network;

/// Upper bound of clicks on one sign-in that wait for each other. A double click makes two.
const MAX_CLICKS: usize = 4;

const TRANSACTION_PREFIX: &str = "txn_";
const BROWSER_PREFIX: &str = "brw_";

/// Upper bounds of sign-ins in memory, for all sources together and for one. Behind a proxy that is not trusted,
/// everybody is one source.
const MAX_OPEN: usize = 2000;
const MAX_OPEN_PER_SOURCE: usize = 64;

/// The state of a page, as its form carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageTicket {
    id: String,
    begun_at: Timestamp,
    purpose: SignInPurpose,
}

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SignInPurpose {
    /// A client receives a code.
    Connect(Box<AuthorizationRequest>),
    /// `/link`: Garmin's sign-in is renewed.
    Link,
    /// `/me`: the person's own page opens.
    OwnPage,
}

impl SignInPurpose {
    pub(super) fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Connect(request) => Some(&**request),
            Self::Link | Self::OwnPage => None,
        }
    }
}

/// One sign-in whose form has been posted.
pub(super) struct Transaction {
    pub(super) hidden: HiddenFields,
    pub(super) purpose: SignInPurpose,
    begun_at: Timestamp,
    source: Option<IpAddr>,
    /// A sequence number, which shows whether the transaction was opened before the operator ended sign-ins.
    number: u64,
    /// Increases with every accepted form. If it changed while a click waited for the lock, that click is a
    /// repetition.
    pub(super) round: AtomicU64,
    pub(super) clicks: Arc<Semaphore>,
    pub(super) progress: tokio::sync::Mutex<SignInProgress>,
}

/// The open sign-ins that end because the operator withdrew an invitation or access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum EndedSignIns {
    Email(String),
    /// The person's profile number at Garmin.
    Profile(u64),
    Client(String),
    All,
}

pub(in crate::oauth) struct Transactions {
    /// The key that signs the forms of this run.
    key: Secret,
    next: AtomicU64,
    open: Mutex<HashMap<String, Arc<Transaction>>>,
    /// What the operator ended, each with the number of the first transaction that is not affected and the time of the
    /// entry.
    ended: Mutex<Vec<(EndedSignIns, u64, Timestamp)>>,
}

impl Default for Transactions {
    fn default() -> Self {
        Self {
            key: random_token(""),
            next: AtomicU64::new(0),
            open: Mutex::default(),
            ended: Mutex::default(),
        }
    }
}

impl Transactions {
    /// The hidden fields of a new page for the browser that has `cookie`, and the cookie to set if that is missing or
    /// invalid.
    pub(super) fn issue(
        &self,
        purpose: SignInPurpose,
        cookie: Option<&str>,
        now: Timestamp,
    ) -> (HiddenFields, Option<Secret>) {
        let set_browser = match cookie {
            Some(cookie) if is_browser(cookie) => None,
            _ => Some(random_token(BROWSER_PREFIX)),
        };
        let browser = set_browser
            .as_ref()
            .map(Secret::expose)
            .or(cookie)
            .unwrap_or_default();
        let ticket = PageTicket {
            id: random_id(TRANSACTION_PREFIX),
            begun_at: now,
            purpose,
        };
        // Strings and numbers always serialise; an empty text would be refused when it is posted.
        let json = serde_json::to_vec(&ticket).unwrap_or_default();
        let transaction = URL_SAFE_NO_PAD.encode(json);
        let csrf = self.sign(&transaction, browser).expose().to_owned();
        (HiddenFields { transaction, csrf }, set_browser)
    }

    fn sign(&self, transaction: &str, browser: &str) -> Secret {
        derived_token("", &self.key, format!("{transaction}\n{browser}").as_bytes())
    }

    /// The state in a posted form, if this gateway made its page for this browser recently enough.
    fn read(&self, hidden: &HiddenFields, visitor: Visitor<'_>, now: Timestamp) -> Option<PageTicket> {
        let expected = self.sign(&hidden.transaction, visitor.browser?);
        if !constant_time_eq(hidden.csrf.as_bytes(), expected.expose().as_bytes()) {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(&hidden.transaction).ok()?;
        let ticket: PageTicket = serde_json::from_slice(&json).ok()?;
        (!is_too_old(ticket.begun_at, now)).then_some(ticket)
    }

    /// The sign-in of a posted form, opened now if this is its first form.
    pub(super) fn find(
        &self,
        hidden: &HiddenFields,
        visitor: Visitor<'_>,
        now: Timestamp,
    ) -> Result<Arc<Transaction>, NotFound> {
        let ticket = self.read(hidden, visitor, now).ok_or(NotFound::NotYours)?;
        let source = visitor.source.map(network);
        let mut open = self.open.lock();
        if let Some(found) = open.get(&ticket.id) {
            return Ok(Arc::clone(found));
        }
        if !make_room(&mut open, source) {
            return Err(NotFound::NoRoom);
        }
        let transaction = Arc::new(Transaction {
            hidden: hidden.clone(),
            purpose: ticket.purpose,
            begun_at: ticket.begun_at,
            source,
            number: self.next.fetch_add(1, Ordering::SeqCst),
            round: AtomicU64::new(0),
            clicks: Arc::new(Semaphore::new(MAX_CLICKS)),
            progress: tokio::sync::Mutex::new(SignInProgress::begin(ticket.begun_at)),
        });
        open.insert(ticket.id, Arc::clone(&transaction));
        Ok(transaction)
    }

    /// Ends the sign-ins that are open now. One that is waiting for Garmin ends when its result is about to be saved.
    pub(in crate::oauth) fn end(&self, whose: EndedSignIns, now: Timestamp) {
        let mut ended = self.ended.lock();
        ended.push((whose, self.next.load(Ordering::SeqCst), now));
    }

    /// Whether the operator ended this sign-in. `account`: the person's account, once Garmin has identified it.
    pub(super) fn is_ended(&self, transaction: &Transaction, email: &str, account: Option<&Account>) -> bool {
        let is_about = |whose: &EndedSignIns| match whose {
            EndedSignIns::Email(ended) => {
                *ended == email.to_lowercase() || account.is_some_and(|account| account.email == *ended)
            }
            EndedSignIns::Profile(ended) => account.is_some_and(|account| account.profile_id == Some(*ended)),
            EndedSignIns::Client(ended) => transaction
                .purpose
                .request()
                .is_some_and(|request| request.client_id == *ended),
            EndedSignIns::All => true,
        };
        let ended = self.ended.lock();
        ended
            .iter()
            .any(|(whose, before, _)| transaction.number < *before && is_about(whose))
    }

    /// Removes the sign-ins that are too old to continue.
    pub(in crate::oauth) fn sweep(&self, now: Timestamp) {
        // Twice the lifetime, because Garmin may be slow to answer the last form.
        let is_over = |since: Timestamp| now.duration_since(since) > LIFE.saturating_mul(2);
        self.open.lock().retain(|_, one| !is_over(one.begun_at));
        self.ended.lock().retain(|(_, _, at)| !is_over(*at));
    }
}

/// Why a form belongs to no sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    /// The page is too old, from another browser or another run, or not one of the gateway's.
    NotYours,
    /// Too many sign-ins of this source are in progress.
    NoRoom,
}

impl Transaction {
    /// The order in which places are given up, lowest first; `None`: never, because Garmin is being asked or has sent a
    /// code. An idle sign-in goes first, because its form can open it again. A finished one is kept only to answer a
    /// form that is posted twice.
    fn rank(&self) -> Option<u8> {
        let progress = self.progress.try_lock().ok()?;
        match progress.stage {
            SignInStage::AskCode(_) => None,
            SignInStage::Done(_) => Some(1),
            _ => Some(0),
        }
    }
}

/// Makes room for one more sign-in of `source` by removing the oldest idle one, or else the oldest finished one. A
/// source that has used up its share can replace only its own.
fn make_room(open: &mut HashMap<String, Arc<Transaction>>, source: Option<IpAddr>) -> bool {
    let n_own = open.values().filter(|one| one.source == source).count();
    let own_only = n_own >= MAX_OPEN_PER_SOURCE;
    if !own_only && open.len() < MAX_OPEN {
        return true;
    }
    let oldest = open
        .iter()
        .filter(|(_, one)| !own_only || one.source == source)
        .filter_map(|(id, one)| Some((one.rank()?, one.number, id)))
        .min()
        .map(|(.., id)| id.clone());
    oldest.is_some_and(|id| open.remove(&id).is_some())
}

/// Whether a cookie has the form of the gateway's own; any other is replaced.
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

    fn visitor<'a>(cookie: Option<&'a str>, source: &str) -> Visitor<'a> {
        Visitor {
            browser: cookie,
            source: Some(source.parse().unwrap()),
        }
    }

    fn page(all: &Transactions) -> (HiddenFields, String) {
        let (hidden, cookie) = all.issue(SignInPurpose::Link, None, NOW);
        (hidden, cookie.unwrap().expose().to_owned())
    }

    /// Posts a new page's form from `source`.
    fn post(all: &Transactions, source: &str) -> Result<Arc<Transaction>, NotFound> {
        let (hidden, cookie) = page(all);
        all.find(&hidden, visitor(Some(&cookie), source), NOW)
    }

    #[test]
    fn a_form_counts_only_in_its_browser_unchanged_and_in_time() {
        let all = Transactions::default();
        let ((mine, my_cookie), (theirs, their_cookie)) = (page(&all), page(&all));
        let found = |transaction: &str, csrf: &str, cookie, now| {
            let hidden = HiddenFields {
                transaction: transaction.to_owned(),
                csrf: csrf.to_owned(),
            };
            all.find(&hidden, visitor(cookie, "192.0.2.1"), now).is_ok()
        };
        let (text, csrf) = (mine.transaction.as_str(), mine.csrf.as_str());
        assert!(found(text, csrf, Some(&my_cookie), NOW));
        for (text, csrf, cookie) in [
            (text, csrf, None),
            (text, csrf, Some("")),
            (text, csrf, Some(their_cookie.as_str())),
            (text, theirs.csrf.as_str(), Some(&my_cookie)),
            (text, "", Some(&my_cookie)),
            (theirs.transaction.as_str(), csrf, Some(&my_cookie)),
            ("", csrf, Some(&my_cookie)),
            (&text[1..], csrf, Some(&my_cookie)),
        ] {
            assert!(!found(text, csrf, cookie, NOW), "{text} {csrf} {cookie:?}");
        }
        let late = NOW.checked_add(LIFE.saturating_mul(2)).unwrap();
        assert!(!found(text, csrf, Some(&my_cookie), late));
        // Another run has another key.
        let hidden = mine.clone();
        assert!(
            Transactions::default()
                .find(&hidden, visitor(Some(&my_cookie), "192.0.2.1"), NOW)
                .is_err()
        );
    }

    #[test]
    fn one_browser_may_have_two_tabs_and_chooses_no_cookie_of_its_own() {
        let all = Transactions::default();
        let (first, cookie) = page(&all);
        let (second, again) = all.issue(SignInPurpose::Link, Some(&cookie), NOW);
        assert!(again.is_none());
        for tab in [first, second] {
            assert!(all.find(&tab, visitor(Some(&cookie), "192.0.2.1"), NOW).is_ok());
        }
        for chosen in ["x", "brw_short", &format!("brw_{}", "é".repeat(21))] {
            assert!(
                all.issue(SignInPurpose::Link, Some(chosen), NOW).1.is_some(),
                "{chosen}"
            );
        }
    }

    #[test]
    fn page_views_take_no_memory_and_posts_of_one_source_only_its_own() {
        let all = Transactions::default();
        let (mine, cookie) = page(&all);
        for _ in 0..3 * MAX_OPEN {
            all.issue(SignInPurpose::Link, None, NOW);
        }
        assert!(all.open.lock().is_empty());

        let me = visitor(Some(&cookie), "192.0.2.1");
        let opened = all.find(&mine, me, NOW).unwrap();
        for _ in 0..3 * MAX_OPEN {
            post(&all, "198.51.100.7").unwrap();
        }
        assert_eq!(all.open.lock().len(), 1 + MAX_OPEN_PER_SOURCE);
        assert!(Arc::ptr_eq(&opened, &all.find(&mine, me, NOW).unwrap()));

        all.sweep(NOW.checked_add(LIFE.saturating_mul(3)).unwrap());
        assert!(all.open.lock().is_empty());
    }

    #[test]
    fn many_sources_push_out_nobody_who_is_being_signed_in() {
        let all = Transactions::default();
        let (mine, cookie) = page(&all);
        let me = visitor(Some(&cookie), "192.0.2.1");
        let opened = all.find(&mine, me, NOW).unwrap();
        let asking_garmin = opened.progress.try_lock().unwrap();
        for n in 0..=MAX_OPEN {
            post(&all, &format!("198.51.{}.{}", n / 250, n % 250)).unwrap();
        }
        assert_eq!(all.open.lock().len(), MAX_OPEN);
        assert!(Arc::ptr_eq(&opened, &all.find(&mine, me, NOW).unwrap()));
        drop(asking_garmin);
    }

    #[test]
    fn a_source_with_all_its_places_busy_gets_no_more() {
        let all = Transactions::default();
        let busy: Vec<_> = (0..MAX_OPEN_PER_SOURCE)
            .map(|_| post(&all, "2001:db8:1:1::7").unwrap())
            .collect();
        let locks: Vec<_> = busy.iter().map(|one| one.progress.try_lock().unwrap()).collect();
        // The whole network of a subscriber counts as one source.
        assert_eq!(post(&all, "2001:db8:1:1::8").err(), Some(NotFound::NoRoom));
        assert!(post(&all, "2001:db8:1:2::8").is_ok());
        drop(locks);
        assert!(post(&all, "2001:db8:1:1::8").is_ok());
    }

    #[test]
    fn an_end_counts_for_what_was_open_before_it() {
        let all = Transactions::default();
        let before = post(&all, "192.0.2.1").unwrap();
        all.end(EndedSignIns::Email("ann@example.org".into()), NOW);
        let after = post(&all, "192.0.2.1").unwrap();
        assert!(all.is_ended(&before, "Ann@Example.org", None));
        assert!(!all.is_ended(&before, "bob@example.org", None));
        assert!(!all.is_ended(&after, "ann@example.org", None));
        all.end(EndedSignIns::All, NOW);
        assert!(all.is_ended(&after, "bob@example.org", None));
        all.sweep(NOW.checked_add(LIFE.saturating_mul(3)).unwrap());
        assert!(all.ended.lock().is_empty());
    }
}
