//! When the athlete gets to a place: the answers to `/eta` and to a location that was sent. Pure.

#[cfg(test)]
mod tests;

use crate::garmin::livetrack::Position;
use crate::race::outlook::{self, PlaceOutlook, PlaceState};
use crate::race::page::{PageWords, SpokenRace};
use crate::race::snapshot::Snapshot;
use crate::race::text;
use crate::races::answers::{find_place, why_unknown};

/// Maximum number of names that are offered instead of an unknown one.
const MOST_OFFERED: usize = 5;

/// Names within this edit distance count as near.
const NEAR_LETTERS: usize = 3;

/// The answer to `/eta` for one race.
#[derive(Debug, PartialEq)]
pub(super) enum EtaAnswer {
    Told(String),
    /// The race has no such place. Names to offer instead: near ones, or those of the places ahead.
    NoSuchPlace(Vec<String>),
}

/// When the athlete gets to the places ahead, or to the one that is asked for.
pub(super) fn eta(snapshot: &Snapshot, asked: Option<&str>, words: &'static PageWords) -> EtaAnswer {
    let spoken = SpokenRace::new(snapshot, words);
    let outlook = snapshot.outlook();
    let known = outlook::places(snapshot.goal(), outlook.as_ref());
    let places = match asked {
        None => {
            let ahead = |place: &PlaceOutlook| !matches!(place.state, PlaceState::Passed(_));
            known.into_iter().filter(ahead).collect()
        }
        Some(asked) => match named(snapshot, &known, asked, words) {
            Ok(place) => vec![place],
            Err(offered) => return EtaAnswer::NoSuchPlace(offered),
        },
    };
    let mut lines: Vec<String> = places.iter().map(|place| spoken.place(place)).collect();
    let is_known = |place: &PlaceOutlook| place.state != PlaceState::Unknown;
    if places.iter().any(is_known) {
        lines.push(spoken.zone());
    } else {
        let why = why_unknown(snapshot);
        lines.push(format!("There is no outlook: {why}."));
    }
    EtaAnswer::Told(lines.join("\n"))
}

/// The place of this name, or of the only name that contains it. Otherwise the names to offer.
fn named(
    snapshot: &Snapshot,
    known: &[PlaceOutlook],
    asked: &str,
    words: &PageWords,
) -> Result<PlaceOutlook, Vec<String>> {
    let wanted = asked.to_lowercase();
    let is_finish = wanted == words.finish.to_lowercase() || wanted == "goal";
    let exact = find_place(snapshot, if is_finish { "finish" } else { asked });
    if let Some(place) = exact {
        return Ok(place);
    }
    let containing: Vec<_> = known
        .iter()
        .filter(|place| place.name.to_lowercase().contains(&wanted))
        .collect();
    if let [one] = containing[..] {
        return Ok(one.clone());
    }
    let is_near = |name: &str| {
        let mut parts = name.split_whitespace().chain([name]);
        parts.any(|part| strsim::damerau_levenshtein(&part.to_lowercase(), &wanted) <= NEAR_LETTERS)
    };
    let names = |places: &mut dyn Iterator<Item = &PlaceOutlook>| -> Vec<String> {
        places
            .take(MOST_OFFERED)
            .map(|place| place.name.clone())
            .collect()
    };
    let mut offered = names(&mut containing.into_iter());
    if offered.is_empty() {
        offered = names(&mut known.iter().filter(|place| is_near(&place.name)));
    }
    if offered.is_empty() {
        let is_ahead = |place: &&PlaceOutlook| !matches!(place.state, PlaceState::Passed(_));
        offered = names(&mut known.iter().filter(is_ahead));
    }
    Err(offered)
}

/// When the athlete passes a place on the map.
pub(super) fn passes_at(snapshot: &Snapshot, position: Position, words: &'static PageWords) -> String {
    let Some(course) = snapshot.course.as_deref() else {
        return "This race has no course, so a location on the map does not help. Ask by kilometres from the start, such as \
                /eta 31.5."
            .to_owned();
    };
    let track = &snapshot.track;
    let Some(at) = course.next_pass(position, track.progress_m()) else {
        let off_m = course.off_m(position).unwrap_or_default();
        return format!("That place is {} off the course.", text::km(off_m));
    };
    let spoken = SpokenRace::new(snapshot, words);
    let athlete = athlete(snapshot);
    let km = text::mark((at.along_m / 100.0).round() * 100.0);
    if let Some(crossing) = track.crossing(at.along_m) {
        let time = spoken.at(track.true_time(crossing.at));
        return format!("{athlete} passed there, at {km}, at {time}.\n{}", spoken.zone());
    }
    let outlook = snapshot.outlook();
    let Some(arrival) = outlook.and_then(|outlook| outlook.at(at.along_m)) else {
        let why = why_unknown(snapshot);
        return format!("That place is at {km} of the course. There is no outlook: {why}.");
    };
    let [early, likely, late] = spoken.window(&arrival);
    format!(
        "{athlete} should pass there, at {km}, between {early} and {late}, most likely at {likely}.\n{}",
        spoken.zone()
    )
}

/// The athlete's name as LiveTrack shows it.
fn athlete(snapshot: &Snapshot) -> String {
    let session = snapshot.watch.session.as_ref();
    let name = session.and_then(|session| session.athlete.as_deref());
    let name: String = text::plain_text(name.unwrap_or_default())
        .chars()
        .take(60)
        .collect();
    if name.is_empty() {
        "The athlete".to_owned()
    } else {
        name
    }
}
