//! A rendered page and its changes. It is rendered once for all readers who see the same.

use bytes::Bytes;
use serde_json::json;

use super::fragments::{PART_IDS, RaceParts, SharedPage};
use super::html::{document, version};

/// A rendered page, and its parts as events.
#[derive(Debug)]
pub(in crate::web) struct RenderedRace {
    /// A short hash of the content of all parts.
    pub(in crate::web) version: String,
    pub(in crate::web) html: Bytes,
    /// One event for each part, in a fixed order.
    events: Vec<Bytes>,
}

impl RenderedRace {
    pub(super) fn of(page: &SharedPage, simulated: bool) -> askama::Result<Self> {
        let parts = RaceParts::of(page)?;
        let version = version(parts.in_order().concat().as_bytes());
        let html = document(page, &parts, &version, simulated)?;
        let event = |(id, html): (&str, &str)| {
            let event = format!("event: part\ndata: {}\n\n", json!({ "id": id, "html": html }));
            Bytes::from(event)
        };
        Ok(Self {
            version,
            html: html.into(),
            events: PART_IDS.into_iter().zip(parts.in_order()).map(event).collect(),
        })
    }

    /// The events that turn an earlier page into this one; without an earlier page, all events.
    pub(in crate::web) fn since(&self, before: Option<&Self>) -> Vec<Bytes> {
        let known = |number: usize| before.and_then(|before| before.events.get(number));
        let events = self.events.iter().enumerate();
        events
            .filter(|(number, event)| known(*number) != Some(event))
            .map(|(_, event)| event.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::page::{JoinedPage, PageSource, PageWords, RacePage};
    use crate::race::plan::Checkpoint;
    use crate::race::share::{ShareRole, ShareTerms};
    use crate::race::support::hour;

    const ATTACK: &str = "</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

    fn source(name: &str) -> (PageSource, ShareTerms) {
        let (mut snapshot, _) = hour();
        snapshot.settings.checkpoints.push(Checkpoint {
            name: name.to_owned(),
            km: 15.0,
            cutoff_s: Some(6000),
            ..Checkpoint::default()
        });
        let mut terms = ShareTerms::new(ShareRole::Crew, None, None, None).unwrap();
        terms.name = Some(name.to_owned());
        let at = snapshot.now;
        let source = PageSource::new(snapshot, &[], vec![(at, name.to_owned())]);
        (source, terms)
    }

    fn page(name: &str, words: &'static PageWords) -> SharedPage {
        let (source, terms) = source(name);
        SharedPage::One(Box::new(RacePage::of(&source, &terms, None, words)))
    }

    fn joined(name: &str, words: &'static PageWords) -> SharedPage {
        let (source, terms) = source(name);
        let parts = [(&source, &terms, None), (&source, &terms, None)];
        SharedPage::Several(Box::new(JoinedPage::of(&parts, words)))
    }

    #[test]
    fn an_attack_stays_text() {
        for words in PageWords::all() {
            for make in [page, joined] {
                let html = |name| {
                    let rendered = RenderedRace::of(&make(name, words), true).unwrap();
                    String::from_utf8(rendered.html.to_vec()).unwrap()
                };
                let (attacked, clean) = (html(ATTACK), html("plain"));
                assert_eq!(attacked.matches('<').count(), clean.matches('<').count());
                assert_eq!(attacked.matches('"').count(), clean.matches('"').count());
                for forbidden in [
                    "<img",
                    "style=\"",
                    "onclick",
                    "javascript:",
                    "http://",
                    "https://",
                ] {
                    assert!(!clean.contains(forbidden), "{forbidden}");
                }
                assert_eq!(clean.matches("<script").count(), 1);
                assert!(clean.contains(&format!("<html lang=\"{}\">", words.code)));
            }
        }
    }

    #[test]
    fn only_what_changed_is_sent() {
        let words = PageWords::named("en").unwrap();
        let before = RenderedRace::of(&page("Mill", words), false).unwrap();
        let after = RenderedRace::of(&page("Bridge", words), false).unwrap();
        assert_eq!(before.since(None).len(), PART_IDS.len());
        assert_eq!(before.since(Some(&before)), Vec::<Bytes>::new());
        let changed = after.since(Some(&before));
        assert!(!changed.is_empty() && changed.len() < PART_IDS.len());
        assert_ne!(before.version, after.version);
        for event in changed {
            let text = String::from_utf8(event.to_vec()).unwrap();
            assert!(text.starts_with("event: part\ndata: {") && text.ends_with("}\n\n"));
            assert_eq!(
                text.lines().filter(|line| !line.is_empty()).count(),
                2,
                "one line of data"
            );
        }
    }
}
