//! The ways in, one after the other: what follows from each answer of Garmin, as plain functions.
//!
//! Signed in, a code wanted, a wrong password and a locked account end it; for any other refusal the next way is
//! tried, once. Nothing is tried twice, and a way that Garmin just throttled is left out.

use std::collections::VecDeque;

use super::redeem::{self, is_worth_another_way};
use super::{Conversation, Desk, Move, Pending, SignedIn, Turn, json, widget};
use crate::garmin::refusal::{SignInMethod, SignInRefusal};
use crate::garmin::wire::{Ask, Heard};

/// What a sign-in comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    SignedIn(SignedIn),
    /// Garmin wants a code for the sign-in that was begun.
    CodeWanted(Pending),
    Refused(SignInRefusal),
}

/// One sign-in, from the first request to its end.
pub(super) struct Chain<'a> {
    desk: Desk<'a>,
    left: VecDeque<SignInMethod>,
    at: At,
    setbacks: Vec<(SignInMethod, SignInRefusal)>,
}

enum At {
    Start,
    Json(SignInMethod, json::At),
    Widget(widget::At),
    Redeem(SignInMethod, redeem::At),
}

impl<'a> Chain<'a> {
    /// `ways` are tried in their order; `skipped` are left out, each for its reason.
    pub(super) fn new(
        desk: Desk<'a>,
        ways: &[SignInMethod],
        skipped: Vec<(SignInMethod, SignInRefusal)>,
    ) -> Self {
        Self {
            desk,
            left: ways.iter().copied().collect(),
            at: At::Start,
            setbacks: skipped,
        }
    }

    /// The way that is being tried, or was last.
    pub(super) fn way(&self) -> Option<SignInMethod> {
        match self.at {
            At::Start => None,
            At::Json(way, _) | At::Redeem(way, _) => Some(way),
            At::Widget(_) => Some(SignInMethod::Widget),
        }
    }

    /// The ways that failed, with their reasons, for events.
    pub(super) fn setbacks(&self) -> &[(SignInMethod, SignInRefusal)] {
        &self.setbacks
    }

    fn next_way(&mut self) -> Move<Ended> {
        let Some(way) = self.left.pop_front() else {
            return Move::Done(Ended::Refused(verdict(&self.setbacks)));
        };
        let ask = match way {
            SignInMethod::Widget => {
                let (at, ask) = widget::begin(self.desk.hosts);
                self.at = At::Widget(at);
                ask
            }
            SignInMethod::Mobile | SignInMethod::Portal => {
                let (at, ask) = json::begin(&self.desk, way);
                self.at = At::Json(way, at);
                ask
            }
        };
        Move::Send(Box::new(ask))
    }

    fn send(&mut self, at: At, ask: Ask) -> Move<Ended> {
        self.at = at;
        Move::Send(Box::new(ask))
    }

    fn set_back(&mut self, way: SignInMethod, refusal: SignInRefusal, goes_on: bool) -> Move<Ended> {
        if !goes_on {
            return Move::Done(Ended::Refused(refusal));
        }
        self.setbacks.push((way, refusal));
        self.next_way()
    }

    /// A turn of one way in.
    fn turn<S>(&mut self, way: SignInMethod, turn: Turn<S>, wrap: impl FnOnce(S) -> At) -> Move<Ended> {
        match turn {
            Turn::Ask(at, ask) => self.send(wrap(at), ask),
            Turn::CodeWanted(pending) => Move::Done(Ended::CodeWanted(pending)),
            Turn::Won(ticket) => {
                let (at, ask) = redeem::begin(self.desk.hosts, ticket);
                self.send(At::Redeem(way, at), ask)
            }
            Turn::Refused(refusal) => {
                let is_final = matches!(
                    refusal,
                    SignInRefusal::WrongCredentials | SignInRefusal::AccountLocked
                );
                self.set_back(way, refusal, !is_final)
            }
        }
    }
}

impl Conversation for Chain<'_> {
    type End = Ended;

    fn begin(&mut self) -> Move<Ended> {
        self.next_way()
    }

    fn hear(&mut self, heard: &Heard) -> Move<Ended> {
        match std::mem::replace(&mut self.at, At::Start) {
            At::Start => self.next_way(),
            // The ways in share a host: what can't be connected to now can't be on the next way either.
            At::Json(..) | At::Widget(_) if matches!(heard, Heard::NoConnection) => {
                Move::Done(Ended::Refused(SignInRefusal::Unreachable))
            }
            At::Json(way, at) => {
                let turn = json::hear(&self.desk, way, at, heard);
                self.turn(way, turn, |at| At::Json(way, at))
            }
            At::Widget(at) => {
                let turn = widget::hear(&self.desk, at, heard);
                self.turn(SignInMethod::Widget, turn, At::Widget)
            }
            At::Redeem(way, at) => match redeem::hear(self.desk.hosts, at, heard) {
                Turn::Ask(at, ask) => self.send(At::Redeem(way, at), ask),
                Turn::Won(signed_in) => Move::Done(Ended::SignedIn(signed_in)),
                Turn::CodeWanted(pending) => Move::Done(Ended::CodeWanted(pending)),
                Turn::Refused(refusal) => {
                    let goes_on = is_worth_another_way(&refusal);
                    self.set_back(way, refusal, goes_on)
                }
            },
        }
    }
}

/// What to tell when no way led in. A way that got as far as a ticket tells most; ways that agree speak for all.
fn verdict(setbacks: &[(SignInMethod, SignInRefusal)]) -> SignInRefusal {
    let furthest = setbacks.iter().find(|(_, refusal)| is_worth_another_way(refusal));
    if let Some((_, refusal)) = furthest {
        return refusal.clone();
    }
    match setbacks {
        [] => SignInRefusal::Temporary,
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other.reason() == first.reason()) => {
            first.clone()
        }
        _ => SignInRefusal::Exhausted {
            ways: setbacks.to_vec(),
        },
    }
}
