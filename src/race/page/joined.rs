//! Several athletes on one page: the state of each in words, one map, and the arrivals of all at each place.
//!
//! Each athlete's part follows the terms of their own share. An athlete without a name is called by a number.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::course_group::{MapAthlete, is_same_place, routes};
use super::events::SHOWN;
use super::map::{PageMap, map};
use super::moments::Moments;
use super::privacy::HiddenZones;
use super::profile::{PageProfile, profile};
use super::sign::{AthleteSign, signs};
use super::single::{RacePage, title};
use super::source::PageSource;
use super::words::{PageWords, fill};
use crate::race::share::ShareTerms;
use crate::race::text;

/// One athlete of the page.
#[derive(Clone, Debug)]
pub struct JoinedAthlete {
    pub sign: AthleteSign,
    /// What the page of this athlete alone shows, without map and profile.
    pub page: RacePage,
}

/// A place, and when each athlete was there or will be.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinedPlace {
    pub name: String,
    pub at_m: f64,
    /// The distance from the start, such as `km 7.5`.
    pub km: String,
    /// The position as a `geo:` address, if one of the athletes lets it be seen.
    pub geo: Option<String>,
    pub arrivals: Vec<JoinedArrival>,
}

/// When one athlete was at a place or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedArrival {
    pub sign: AthleteSign,
    /// Early, likely and late, if the place is ahead.
    pub window: Option<[String; 3]>,
    pub instead: String,
    pub cutoff: Option<String>,
    pub margin: Option<(String, bool)>,
}

/// What happened to one of the athletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedEvent {
    pub sign: AthleteSign,
    pub at: String,
    pub text: String,
}

/// Everything that the page of several athletes shows.
#[derive(Clone, Debug)]
pub struct JoinedPage {
    pub words: &'static PageWords,
    pub title: String,
    /// The names of all athletes, with commas.
    pub names: String,
    pub athletes: Vec<JoinedAthlete>,
    pub map: Option<PageMap>,
    /// What is not shown on the map, in words.
    pub hidden: Vec<String>,
    pub profiles: Vec<PageProfile>,
    pub places: Vec<JoinedPlace>,
    pub events: Vec<JoinedEvent>,
    /// A sentence that names the zone of all times.
    pub zone: String,
    /// Until when the link works, if all races are over.
    pub ends_at: Option<String>,
}

/// A race with the terms of its share, and the end of the share if it is known.
pub type PagePart<'a> = (&'a PageSource, &'a ShareTerms, Option<Timestamp>);

impl JoinedPage {
    pub fn of(parts: &[PagePart<'_>], words: &'static PageWords) -> Self {
        let zones: Vec<_> = parts
            .iter()
            .map(|(source, terms, _)| HiddenZones::of(source, terms))
            .collect();
        // A page has one zone: that of the race of the athlete who made the link.
        let zone = parts
            .first()
            .map_or(TimeZone::UTC, |(source, ..)| source.snapshot.settings.zone());
        let moments = |source: &PageSource| Moments::new(words, zone.clone(), source.snapshot.now);
        let signs = signs(parts.iter().map(|(_, terms, _)| *terms), words);
        let athletes: Vec<_> = parts
            .iter()
            .zip(&zones)
            .zip(&signs)
            .map(|(((source, terms, ends_at), hidden), sign)| JoinedAthlete {
                sign: sign.clone(),
                page: RacePage::without_drawings(source, terms, *ends_at, hidden, &moments(source)),
            })
            .collect();
        let drawn: Vec<_> = parts
            .iter()
            .zip(&zones)
            .zip(&signs)
            .map(|(((source, ..), hidden), sign)| MapAthlete {
                source,
                hidden,
                sign: Some(sign),
            })
            .collect();
        let state = |athlete: &JoinedAthlete| {
            format!(
                "{}: {}",
                text::isolated(&athlete.sign.name),
                athlete.page.state.headline
            )
        };
        let states: Vec<_> = athletes.iter().map(state).collect();
        let shown: Vec<_> = signs.iter().map(|sign| text::isolated(&sign.name)).collect();
        let names = shown.join(", ");
        let routes = routes(&drawn);
        let profiles = routes.iter().filter_map(|route| {
            let first = *route.athletes.first()?;
            profile(route, &drawn, &moments(parts.get(first)?.0))
        });
        Self {
            words,
            title: title(Some(&names), is_over(&athletes), words),
            names,
            map: map(&drawn, words, &states.join(" ")),
            hidden: hidden(&athletes),
            profiles: profiles.collect(),
            places: places(&athletes),
            events: events(&athletes),
            zone: zone_sentence(parts, words),
            ends_at: ends_at(&athletes, parts),
            athletes,
        }
    }
}

impl JoinedPage {
    /// Whether the races of all are over.
    pub fn is_over(&self) -> bool {
        is_over(&self.athletes)
    }
}

fn is_over(athletes: &[JoinedAthlete]) -> bool {
    athletes.iter().all(|athlete| athlete.page.report.is_some())
}

/// Names the zone of the first race, and says so if others are in another zone.
fn zone_sentence(parts: &[PagePart<'_>], words: &'static PageWords) -> String {
    let mut zones = parts.iter().map(|(source, ..)| {
        let snapshot = &source.snapshot;
        Moments::new(words, snapshot.settings.zone(), snapshot.now).zone_name()
    });
    let first = zones.next().unwrap_or_default();
    let sentence = if zones.all(|zone| zone == first) {
        words.zone
    } else {
        words.joined.zone
    };
    fill(sentence, &[("zone", &first)])
}

/// What is hidden for each athlete; one sentence if it is the same for all.
fn hidden(athletes: &[JoinedAthlete]) -> Vec<String> {
    let sentences: Vec<_> = athletes
        .iter()
        .map(|athlete| (athlete, athlete.page.hidden.as_ref()))
        .collect();
    let first = sentences.first().and_then(|(_, sentence)| *sentence);
    match first {
        Some(first) if sentences.iter().all(|(_, sentence)| *sentence == Some(first)) => vec![first.clone()],
        _ => sentences
            .iter()
            .filter_map(|(athlete, sentence)| {
                Some(format!(
                    "{}: {}",
                    text::isolated(&athlete.sign.name),
                    (*sentence)?
                ))
            })
            .collect(),
    }
}

/// The places of all athletes, each once, in order.
fn places(athletes: &[JoinedAthlete]) -> Vec<JoinedPlace> {
    let mut places: Vec<JoinedPlace> = Vec::new();
    for athlete in athletes {
        for row in &athlete.page.places {
            let arrival = JoinedArrival {
                sign: athlete.sign.clone(),
                window: row.window.clone(),
                instead: row.instead.clone(),
                cutoff: row.cutoff.clone(),
                margin: row.margin.clone(),
            };
            let is_same = |place: &JoinedPlace| {
                is_same_place((place.at_m, &place.name), (row.at_m, &row.name))
                    && place.arrivals.iter().all(|other| other.sign != athlete.sign)
            };
            match places.iter_mut().find(|place| is_same(place)) {
                Some(place) => {
                    place.arrivals.push(arrival);
                    place.geo = place.geo.take().or_else(|| row.geo.clone());
                }
                None => places.push(JoinedPlace {
                    name: row.name.clone(),
                    at_m: row.at_m,
                    km: row.km.clone(),
                    geo: row.geo.clone(),
                    arrivals: vec![arrival],
                }),
            }
        }
    }
    places.sort_by(|a, b| a.at_m.total_cmp(&b.at_m));
    places
}

/// The newest events of all, the newest first.
fn events(athletes: &[JoinedAthlete]) -> Vec<JoinedEvent> {
    let mut all: Vec<_> = athletes
        .iter()
        .flat_map(|athlete| athlete.page.events.iter().map(|event| (&athlete.sign, event)))
        .collect();
    all.sort_by_key(|(_, event)| std::cmp::Reverse(event.when));
    all.into_iter()
        .take(SHOWN)
        .map(|(sign, event)| JoinedEvent {
            sign: sign.clone(),
            at: event.at.clone(),
            text: event.text.clone(),
        })
        .collect()
}

/// The end of the link, which is the end of the last share.
fn ends_at(athletes: &[JoinedAthlete], parts: &[PagePart<'_>]) -> Option<String> {
    let ends = parts.iter().map(|(.., ends_at)| *ends_at);
    let ends: Option<Vec<Timestamp>> = ends.collect();
    let (last, _) = ends?.into_iter().enumerate().max_by_key(|(_, at)| *at)?;
    athletes.get(last)?.page.ends_at.clone()
}
