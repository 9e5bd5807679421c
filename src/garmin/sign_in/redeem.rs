//! A ticket into tokens, and the proof that they are good for something: the end of every way in.

use serde_json::Value;

use super::trouble::changed;
use super::{SignedIn, Turn};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::api::headers::native;
use crate::garmin::refusal::SignInRefusal;
use crate::garmin::token_service::{self, CLIENT_IDS};
use crate::garmin::tokens::GarminTokens;
use crate::garmin::wire::{self, Answer, Ask, Body, Heard, Method, Pause};

/// How often the profile is asked for before the sign-in is given up: nothing is wrong with the tokens then.
const PROFILE_TRIES: u8 = 3;

/// What a way in ends with: good for one exchange, together with the service that it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) ticket: Secret,
    pub(super) service: String,
}

/// Where between ticket and verified tokens a sign-in is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The ticket was offered with this client id of the list.
    Exchange {
        ticket: Ticket,
        client: usize,
        worst: SignInRefusal,
    },
    /// The profile was asked for.
    Profile { tokens: GarminTokens, tries_left: u8 },
}

/// The first request.
pub(super) fn begin(hosts: &GarminHosts, ticket: Ticket) -> (At, Ask) {
    let first = CLIENT_IDS.first().copied().unwrap_or_default();
    let ask = token_service::exchange(hosts, first, &ticket.ticket, &ticket.service);
    (
        At::Exchange {
            ticket,
            client: 0,
            worst: SignInRefusal::TicketRefused,
        },
        ask,
    )
}

/// What follows from an answer: another request, the signed-in person, or a refusal.
pub(super) fn hear(hosts: &GarminHosts, at: At, heard: &Heard) -> Turn<At, SignedIn> {
    match at {
        At::Exchange {
            ticket,
            client,
            worst,
        } => hear_exchange(hosts, ticket, client, worst, heard),
        At::Profile { tokens, tries_left } => hear_profile(hosts, tokens, tries_left, heard),
    }
}

/// Whether the ways in that are left may help: they lead to other tickets, but to the same token service and API.
pub(super) fn is_worth_another_way(refusal: &SignInRefusal) -> bool {
    matches!(
        refusal,
        SignInRefusal::TokenNotAccepted | SignInRefusal::TicketRefused
    )
}

fn hear_exchange(
    hosts: &GarminHosts,
    ticket: Ticket,
    client: usize,
    worst: SignInRefusal,
    heard: &Heard,
) -> Turn<At, SignedIn> {
    let tried = CLIENT_IDS.get(client).copied().unwrap_or_default();
    let failure = match heard {
        Heard::Answer(answer) if answer.is_throttle() => {
            return Turn::Refused(SignInRefusal::RateLimited { until: None });
        }
        Heard::Answer(answer) if answer.is_challenge_page() => {
            return Turn::Refused(SignInRefusal::BotChallenge);
        }
        Heard::Answer(answer) => match token_service::read_tokens(answer, tried) {
            Some(tokens) => {
                let ask = profile(hosts, &tokens);
                return Turn::Ask(
                    At::Profile {
                        tokens,
                        tries_left: PROFILE_TRIES - 1,
                    },
                    ask,
                );
            }
            None if answer.is_success() => changed("token service", "access_token"),
            None if answer.is_out_of_order() => SignInRefusal::Temporary,
            None => SignInRefusal::TicketRefused,
        },
        Heard::Nothing | Heard::NoConnection => SignInRefusal::Unreachable,
    };
    // Out of order on one client id and refused on the next tells less than the first.
    let worst = if worst == SignInRefusal::TicketRefused {
        failure
    } else {
        worst
    };
    match CLIENT_IDS.get(client + 1) {
        Some(next) => {
            let ask = token_service::exchange(hosts, next, &ticket.ticket, &ticket.service);
            Turn::Ask(
                At::Exchange {
                    ticket,
                    client: client + 1,
                    worst,
                },
                ask,
            )
        }
        None => Turn::Refused(worst),
    }
}

fn profile(hosts: &GarminHosts, tokens: &GarminTokens) -> Ask {
    let url = wire::at(&hosts.connectapi, "/userprofile-service/socialProfile");
    let mut ask = Ask::new(Method::Get, url, Body::Empty)
        .header("authorization", format!("Bearer {}", tokens.di_token.expose()))
        .header("accept", "application/json");
    ask.headers.extend(native());
    ask
}

fn hear_profile(
    hosts: &GarminHosts,
    tokens: GarminTokens,
    tries_left: u8,
    heard: &Heard,
) -> Turn<At, SignedIn> {
    let refusal = match heard {
        Heard::Answer(answer) if answer.is_success() => {
            return match read_profile(answer, tokens) {
                Ok(signed_in) => Turn::Won(signed_in),
                Err(refusal) => Turn::Refused(refusal),
            };
        }
        // The guard in front of the data service, which has not seen the token: another one would fare no better.
        Heard::Answer(answer) if answer.is_challenge_page() => {
            return Turn::Refused(SignInRefusal::BotChallenge);
        }
        // The data service does not know this token as active. It says nothing about the password.
        Heard::Answer(Answer {
            status: 401 | 403, ..
        }) => return Turn::Refused(SignInRefusal::TokenNotAccepted),
        Heard::Answer(answer) if answer.is_throttle() => {
            return Turn::Refused(SignInRefusal::RateLimited { until: None });
        }
        Heard::Answer(_) => SignInRefusal::Temporary,
        Heard::Nothing | Heard::NoConnection => SignInRefusal::Unreachable,
    };
    if tries_left == 0 {
        return Turn::Refused(refusal);
    }
    let ask = profile(hosts, &tokens).pause(Pause::Again);
    Turn::Ask(
        At::Profile {
            tokens,
            tries_left: tries_left - 1,
        },
        ask,
    )
}

fn read_profile(answer: &Answer, tokens: GarminTokens) -> Result<SignedIn, SignInRefusal> {
    let place = "socialProfile";
    let json = answer.json().ok_or_else(|| changed(place, "$"))?;
    let profile_id = json
        .get("profileId")
        .and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()))
        .ok_or_else(|| changed(place, "profileId"))?;
    // A new profile has no names yet; the account is known by its number.
    let text = |key: &str| {
        json.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Ok(SignedIn {
        profile_id,
        display_name: text("displayName"),
        full_name: text("fullName"),
        tokens,
    })
}
