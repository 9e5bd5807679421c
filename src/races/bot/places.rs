//! When the athlete gets to a place: the answers to `/eta` and to a location that was sent. Pure.

#[cfg(test)]
mod tests;

use crate::garmin::livetrack::Position;
use crate::race::outlook::{PlaceOutlook, PlaceState};
use crate::race::page::{PageWords, SpokenRace};
use crate::race::snapshot::Snapshot;
use crate::race::text;
use crate::races::answers::{WhyNoOutlook, beyond_finish, find_place, why_unknown};

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
    if let Some(whole_m) = asked.and_then(|asked| beyond_finish(snapshot, asked)) {
        let length = spoken.km(whole_m);
        return EtaAnswer::Told(text::fill(words.chat.beyond_finish, &[("length", &length)]));
    }
    let known = snapshot.places();
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
    if places.is_empty() {
        return EtaAnswer::Told(no_outlook(snapshot, words));
    }
    let mut lines: Vec<String> = places.iter().map(|place| spoken.place(place)).collect();
    let is_known = |place: &PlaceOutlook| place.state != PlaceState::Unknown;
    if places.iter().any(is_known) {
        lines.push(spoken.zone());
    } else {
        lines.push(no_outlook(snapshot, words));
    }
    EtaAnswer::Told(lines.join("\n"))
}

/// Says that there is no outlook, and why.
fn no_outlook(snapshot: &Snapshot, words: &PageWords) -> String {
    let why = match why_unknown(snapshot) {
        WhyNoOutlook::Over => words.chat.over,
        WhyNoOutlook::NoDistance => words.chat.no_distance,
        WhyNoOutlook::TooEarly => words.chat.too_early,
    };
    text::fill(words.chat.no_outlook, &[("why", why)])
}

/// The place of this name, or of the only name that contains it or is spelled much like it. Otherwise the names to
/// offer.
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
    let matching = |is_match: &dyn Fn(&str) -> bool| -> Vec<&PlaceOutlook> {
        let places = known.iter();
        places
            .filter(|place| spellings(&place.name).iter().any(|name| is_match(name)))
            .collect()
    };
    let asked_as = spellings(asked);
    let contains = |name: &str| asked_as.iter().any(|asked| name.contains(asked.as_str()));
    let is_alike = |name: &str| asked_as.iter().any(|asked| is_misspelled(name, asked));
    for found in [matching(&contains), matching(&is_alike)] {
        if let [one] = found[..] {
            return Ok(one.clone());
        }
        if !found.is_empty() {
            return Err(names(found.into_iter()));
        }
    }
    let is_near = |name: &str| {
        let mut parts = name.split_whitespace().chain([name]);
        parts.any(|part| strsim::damerau_levenshtein(part, &wanted) <= NEAR_LETTERS)
    };
    let mut offered = names(matching(&is_near).into_iter());
    if offered.is_empty() {
        let is_ahead = |place: &&PlaceOutlook| !matches!(place.state, PlaceState::Passed(_));
        offered = names(known.iter().filter(is_ahead));
    }
    Err(offered)
}

fn names<'a>(places: impl Iterator<Item = &'a PlaceOutlook>) -> Vec<String> {
    let names = places.map(|place| place.name.clone());
    names.take(MOST_OFFERED).collect()
}

/// A name in lower case as it is, without accents, and with the two letters that German writes for an umlaut.
fn spellings(name: &str) -> [String; 3] {
    let name = name.to_lowercase();
    let (mut plain, mut long) = (String::new(), String::new());
    for letter in name.chars() {
        let (short_form, long_form) = match letter {
            'ä' | 'æ' => ("a", "ae"),
            'ö' | 'ø' | 'œ' => ("o", "oe"),
            'ü' => ("u", "ue"),
            'ß' => ("ss", "ss"),
            'å' => ("a", "aa"),
            'à' | 'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => ("a", "a"),
            'ç' | 'ć' | 'č' => ("c", "c"),
            'ď' | 'đ' => ("d", "d"),
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => ("e", "e"),
            'ì' | 'í' | 'î' | 'ï' | 'ī' => ("i", "i"),
            'ł' | 'ľ' => ("l", "l"),
            'ñ' | 'ń' | 'ň' => ("n", "n"),
            'ò' | 'ó' | 'ô' | 'õ' | 'ő' => ("o", "o"),
            'ř' => ("r", "r"),
            'ś' | 'š' | 'ş' | 'ș' => ("s", "s"),
            'ť' | 'ţ' | 'ț' => ("t", "t"),
            'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => ("u", "u"),
            'ý' | 'ÿ' => ("y", "y"),
            'ź' | 'ż' | 'ž' => ("z", "z"),
            '’' => ("'", "'"),
            other => {
                plain.push(other);
                long.push(other);
                continue;
            }
        };
        plain.push_str(short_form);
        long.push_str(long_form);
    }
    [name, plain, long]
}

/// Whether only one letter of a name of five, or two of a longer one, are wrong. A wrong digit means another place.
fn is_misspelled(name: &str, asked: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let letters = name.chars().count();
    digits(name) == digits(asked)
        && strsim::damerau_levenshtein(name, asked) <= letters.min(11).saturating_sub(1) / 4
}

/// When the athlete passes a place on the map.
pub(super) fn passes_at(snapshot: &Snapshot, position: Position, words: &'static PageWords) -> String {
    let chat = &words.chat;
    let Some(course) = snapshot.course.as_deref() else {
        return format!("{} {}", chat.no_course, chat.by_kilometre);
    };
    let (track, spoken) = (&snapshot.track, SpokenRace::new(snapshot, words));
    let Some(at) = course.next_pass(position, track.progress_m()) else {
        let off_m = course.off_m(position).unwrap_or_default();
        return text::fill(chat.off_course, &[("km", &spoken.km(off_m))]);
    };
    let athlete = athlete(snapshot, words);
    let km = spoken.mark((at.along_m / 100.0).round() * 100.0);
    if let Some(crossing) = track.crossing(at.along_m) {
        let time = spoken.at(track.true_time(crossing.at));
        let values = [("athlete", athlete.as_str()), ("km", &km), ("time", &time)];
        return format!("{}\n{}", text::fill(chat.passed_there, &values), spoken.zone());
    }
    let outlook = snapshot.outlook();
    let Some(arrival) = outlook.and_then(|outlook| outlook.at(at.along_m)) else {
        let place = text::fill(chat.place_at, &[("km", &km)]);
        return format!("{place} {}", no_outlook(snapshot, words));
    };
    let [early, likely, late] = spoken.window(&arrival);
    let values = [
        ("athlete", athlete.as_str()),
        ("km", &km),
        ("early", &early),
        ("likely", &likely),
        ("late", &late),
    ];
    format!("{}\n{}", text::fill(chat.passes_there, &values), spoken.zone())
}

/// The athlete's name as LiveTrack shows it.
fn athlete(snapshot: &Snapshot, words: &PageWords) -> String {
    let session = snapshot.watch.session.as_ref();
    let name = session.and_then(|session| session.athlete.as_deref());
    let name: String = text::plain_text(name.unwrap_or_default())
        .chars()
        .take(60)
        .collect();
    if name.is_empty() {
        words.chat.athlete.to_owned()
    } else {
        text::isolated(&name).into_owned()
    }
}
