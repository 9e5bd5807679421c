//! Which links of a mail are followed. An old link often comes before the new one, such as in a forwarded thread.

use super::position::MailedSession;
use crate::accounts::AccountId;
use crate::garmin::livetrack::{LiveTrackLink, PastedLink};
use crate::races::registry::Races;
use crate::store::StoreError;

/// The links that lead to a session without a request.
pub(super) fn complete_links(found: &[PastedLink]) -> Vec<LiveTrackLink> {
    let complete = found.iter().filter_map(|pasted| match pasted {
        PastedLink::Complete(link) => Some(link.clone()),
        PastedLink::Short(_) | PastedLink::Profile(_) => None,
    });
    complete.collect()
}

/// The links that remain to be followed, and whether one of them was begun before a crash; then it is the only one.
/// A link is left out if an earlier mail brought it, or if the person had started the race before the mail came.
pub(super) fn open_links(
    races: &Races,
    account: &AccountId,
    links: &[LiveTrackLink],
) -> Result<(Vec<LiveTrackLink>, bool), StoreError> {
    let mut open = Vec::new();
    for link in links {
        let known: Option<MailedSession> = races.0.store.find(&MailedSession::key(account, link))?;
        match known {
            Some(session) if session.is_done => {}
            Some(_) => return Ok((vec![link.clone()], true)),
            None if races.race_of_link(account, link)?.is_some() => {}
            None => open.push(link.clone()),
        }
    }
    Ok((open, false))
}
