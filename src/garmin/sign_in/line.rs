//! The loop beside the steps of a sign-in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::cookie::Jar;

use super::{Conversation, Inner, Move};
use crate::garmin::governor::Person;
use crate::garmin::http;
use crate::garmin::refusal::SignInMethod;
use crate::garmin::wire::{Ask, Cookies, Heard};

/// The loop of one sign-in: waits, sends, counts, and tells the steps what came back.
pub(super) struct Line<'a> {
    inner: &'a Inner,
    person: Person,
    id: &'a str,
    pub(super) jar: Arc<Jar>,
    /// Whether Garmin has heard of it, which counts against the person's day.
    pub(super) counted: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(inner: &'a Inner, person: Person, id: &'a str) -> Self {
        Self {
            inner,
            person,
            id,
            jar: Arc::default(),
            counted: false,
        }
    }

    pub(super) async fn talk<C: Conversation>(&mut self, conversation: &mut C) -> C::End {
        let mut next = conversation.begin();
        loop {
            match next {
                Move::Done(end) => return end,
                Move::Send(ask) => {
                    let heard = self.send(&ask).await;
                    next = conversation.hear(&heard);
                }
            }
        }
    }

    async fn send(&mut self, ask: &Ask) -> Heard {
        let wait = self.inner.pause(ask.pause);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if ask.cookies == Cookies::New {
            self.jar = Arc::default();
        }
        let is_first = !self.counted;
        if is_first {
            self.count().await;
        }
        let started = Instant::now();
        let heard = http::send(&self.inner.http, ask, &self.jar, self.inner.clock.now()).await;
        if is_first && matches!(heard, Heard::NoConnection) {
            self.counted = false;
            self.inner.governor().not_reached(self.person);
            self.inner.write_down(self.person).await;
        }
        if self.note(ask, &heard, started.elapsed()) {
            self.inner.write_down(self.person).await;
        }
        heard
    }

    /// Before Garmin hears: whoever leaves, or is killed, before the answer has been there all the same.
    async fn count(&mut self) {
        self.counted = true;
        self.inner.governor().reached(self.person, self.inner.clock.now());
        self.inner.write_down(self.person).await;
    }

    /// Returns whether the governor knows more now.
    fn note(&self, ask: &Ask, heard: &Heard, took: Duration) -> bool {
        let now = self.inner.clock.now();
        let (status, way) = (
            if let Heard::Answer(answer) = heard {
                answer.status
            } else {
                0
            },
            ask.bucket,
        );
        tracing::debug!(
            status,
            path = ask.url.path(),
            sign_in.id = self.id,
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "garmin.answered"
        );
        let Heard::Answer(answer) = heard else {
            return false;
        };
        if answer.is_throttle() {
            let until = self.inner.governor().throttled(way, answer.retry_after, now);
            tracing::warn!(
                way = way.map(SignInMethod::name), %until, sign_in.id = self.id, "garmin.throttled"
            );
        }
        answer.is_throttle()
    }
}
