//! Finds the LiveTrack session that a text means, and asks Garmin about it.

use std::collections::BTreeSet;

use super::registry::Races;
use super::started::TrackingError;
use crate::garmin::livetrack::{LiveTrackError, LiveTrackLink, LiveTrackSession, PastedLink, ResolveError};
use crate::race::course::Course;

/// A link that was found in a text, and what LiveTrack says about its session.
#[derive(Debug)]
pub(super) struct ReachedLink {
    pub(super) link: LiveTrackLink,
    pub(super) session: Option<LiveTrackSession>,
    /// Whether Garmin has not replied, so that nothing is known about the session.
    pub(super) unreachable: bool,
    /// Number of other sessions to which the text had a link.
    pub(super) left_out: usize,
}

/// The number of sessions, other than that of `chosen`, to which the links lead.
fn others(links: &[LiveTrackLink], chosen: &LiveTrackLink) -> usize {
    let sessions = links.iter().map(|link| &link.session_id);
    let others: BTreeSet<_> = sessions
        .filter(|session| **session != chosen.session_id)
        .collect();
    others.len()
}

impl Races {
    /// Finds the links in a text, and asks LiveTrack for the session of each until one goes on. A link that must be
    /// resolved counts only if Garmin knows none of the complete ones.
    pub(super) async fn reach(&self, text: &str) -> Result<ReachedLink, TrackingError> {
        let livetrack = &self.0.livetrack;
        let found = livetrack.find_all(text).map_err(ResolveError::from)?;
        let (mut complete, mut unresolved) = (Vec::new(), None);
        for pasted in found {
            match pasted {
                PastedLink::Complete(link) => complete.push(link),
                other => unresolved = Some(other),
            }
        }
        let reached = self.reach_first(&complete).await;
        match (reached, unresolved) {
            (Err(TrackingError::Gone), Some(unresolved)) => {
                let link = livetrack.resolve(unresolved).await?;
                let mut reached = self.reach_link(link).await?;
                reached.left_out = others(&complete, &reached.link);
                Ok(reached)
            }
            (reached, _) => reached,
        }
    }

    /// Asks LiveTrack for the session of each link, and takes the first that goes on; else the first that Garmin knows;
    /// else the first about which Garmin gave no answer.
    pub(super) async fn reach_first(&self, links: &[LiveTrackLink]) -> Result<ReachedLink, TrackingError> {
        let mut best: Option<ReachedLink> = None;
        for link in links {
            let reached = match self.reach_link(link.clone()).await {
                Ok(reached) => reached,
                Err(TrackingError::Gone) => continue,
                Err(other) => return Err(other),
            };
            let now = self.0.clock.now();
            let session = reached.session.as_ref();
            let goes_on = session.is_some_and(|session| session.ended_at(now).is_none());
            let is_better = match &best {
                None => true,
                Some(best) => goes_on || (best.unreachable && !reached.unreachable),
            };
            if is_better {
                best = Some(reached);
            }
            if goes_on {
                break;
            }
        }
        let mut best = best.ok_or(TrackingError::Gone)?;
        best.left_out = others(links, &best.link);
        Ok(best)
    }

    /// Asks LiveTrack for the session of a link.
    async fn reach_link(&self, link: LiveTrackLink) -> Result<ReachedLink, TrackingError> {
        let livetrack = &self.0.livetrack;
        let (session, unreachable) = match livetrack.session(&link).await {
            Ok(session) => (Some(session), false),
            Err(LiveTrackError::Gone) => match livetrack.page(&link).await {
                Ok(page) => (page.session, false),
                Err(_) => return Err(TrackingError::Gone),
            },
            Err(_) => (None, true),
        };
        Ok(ReachedLink {
            link,
            session,
            unreachable,
            left_out: 0,
        })
    }

    /// The course that the athlete follows, if the session has one.
    pub(super) async fn course_of_session(&self, link: &LiveTrackLink) -> Option<Course> {
        let places = self.0.livetrack.course(link).await.ok()?;
        Course::from_places(&places).ok()
    }
}
