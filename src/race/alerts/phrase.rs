//! What an alert says, independent of language and units.

use crate::race::recipients::Units;
use crate::race::sport::{LegKind, SpeedUnit};
use crate::race::text;

use super::words::{AlertWords, ENGLISH};

/// Below this speed no pace is shown.
pub(super) const SLOWEST_PACE_MPS: f64 = 0.3;

const FEET_PER_M: f64 = 1.0 / 0.3048;
const YARD_M: f64 = 0.9144;
const MILE_M: f64 = 1609.344;

/// The language and the units of one reader.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    words: &'static AlertWords,
    units: Units,
}

/// A sentence or a part of one, with its values.
#[derive(Clone, Debug)]
pub(super) struct AlertPhrase {
    sentence: fn(&AlertWords) -> &'static str,
    values: Vec<(&'static str, PhraseValue)>,
}

/// A value within a phrase.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PhraseValue {
    /// A length or a place on the way in metres, shown with one decimal.
    Way(f64),
    /// A distance mark in metres.
    Mark(f64),
    /// A distance mark in metres, shown without its unit.
    BareMark(f64),
    /// A short distance across the ground in metres, shown in metres or feet.
    Away(f64),
    /// A duration or a race time in seconds, shown as `h:mm:ss`.
    Time(f64),
    /// A duration in seconds, shown in whole minutes.
    Minutes(f64),
    /// Metres per second in the unit of the sport.
    Pace(Option<LegKind>, f64),
    Sport(Option<LegKind>),
    /// A sport at the beginning of a sentence.
    FirstSport(Option<LegKind>),
    Whole(f64),
    /// A name or a time of day, the same in every language.
    Name(String),
    Part(AlertPhrase),
    Nothing,
}

/// Two phrases are equal if they read the same in English.
impl PartialEq for AlertPhrase {
    fn eq(&self, other: &Self) -> bool {
        self.told(Voice::default()) == other.told(Voice::default())
    }
}

impl From<Option<AlertPhrase>> for PhraseValue {
    fn from(part: Option<AlertPhrase>) -> Self {
        part.map_or(Self::Nothing, Self::Part)
    }
}

impl Default for Voice {
    /// English and metric, as alerts are stored.
    fn default() -> Self {
        Self {
            words: ENGLISH,
            units: Units::Metric,
        }
    }
}

impl PartialEq for Voice {
    fn eq(&self, other: &Self) -> bool {
        (self.words.code, self.units) == (other.words.code, other.units)
    }
}

impl Voice {
    /// English if no language is given, or if the alerts are not translated into it.
    pub fn new(language: Option<&str>, units: Units) -> Self {
        let words = language.and_then(AlertWords::named);
        Self {
            words: words.unwrap_or(ENGLISH),
            units,
        }
    }

    pub fn language(self) -> &'static str {
        self.words.code
    }

    pub fn units(self) -> Units {
        self.units
    }

    /// Whether the alerts are translated into this language.
    pub fn speaks(language: &str) -> bool {
        AlertWords::named(language).is_some()
    }

    /// The codes of the languages.
    pub fn languages() -> [&'static str; 5] {
        AlertWords::all().map(|words| words.code)
    }

    /// The first message to a phone that was added as a recipient of a race.
    pub fn arrive_here(self, race: &str) -> String {
        text::fill(self.words.arrive_here, &[("race", race)])
    }

    /// The answer to somebody who accepted the invitation to a race.
    pub fn linked(self, race: &str) -> String {
        text::fill(self.words.linked, &[("race", race)])
    }

    /// The answer to somebody who wants no more messages.
    pub fn unlinked(self) -> &'static str {
        self.words.unlinked
    }

    fn decimal(self, number: String) -> String {
        match self.words.decimal {
            '.' => number,
            point => number.replace('.', &point.to_string()),
        }
    }

    fn way(self, metres: f64) -> String {
        self.decimal(match self.units {
            Units::Metric => text::km(metres),
            Units::Imperial => format!("{:.1} mi", metres / MILE_M),
        })
    }

    fn mark(self, metres: f64) -> String {
        self.decimal(match self.units {
            Units::Metric => text::mark(metres),
            Units::Imperial => {
                let miles = metres / MILE_M;
                let places = usize::from((miles - miles.round()).abs() >= 0.05);
                format!("{miles:.places$} mi")
            }
        })
    }

    fn away(self, metres: f64) -> String {
        match self.units {
            Units::Metric => format!("{metres:.0} m"),
            Units::Imperial => format!("{:.0} ft", metres * FEET_PER_M),
        }
    }

    fn pace(self, kind: Option<LegKind>, mps: f64) -> String {
        let per = |metres: f64, unit: &str| format!("{} /{unit}", text::time(metres / mps));
        let told = match (self.units, kind.map_or(SpeedUnit::KmPerHour, LegKind::speed_unit)) {
            (Units::Metric, _) => text::pace(kind, mps).unwrap_or_default(),
            _ if mps <= 0.0 => String::new(),
            (Units::Imperial, SpeedUnit::KmPerHour) => format!("{:.1} mph", mps * 3600.0 / MILE_M),
            (Units::Imperial, SpeedUnit::Per100m) => per(100.0 * YARD_M, "100 yd"),
            // Rowers use the pace per 500 m in every country.
            (Units::Imperial, SpeedUnit::Per500m) => per(500.0, "500 m"),
            (Units::Imperial, SpeedUnit::PerKm) => per(MILE_M, "mi"),
        };
        self.decimal(told)
    }

    /// A sport at the beginning of a sentence or of a row.
    pub fn sport_name(self, kind: Option<LegKind>) -> String {
        capital(self.sport(kind))
    }

    fn sport(self, kind: Option<LegKind>) -> &'static str {
        let sports = &self.words.sports;
        match kind {
            None => sports.unknown,
            Some(LegKind::Swim) => sports.swim,
            Some(LegKind::Ride) => sports.ride,
            Some(LegKind::Run) => sports.run,
            Some(LegKind::Walk) => sports.walk,
            Some(LegKind::Hike) => sports.hike,
            Some(LegKind::Row) => sports.row,
            Some(LegKind::Kayak) => sports.kayak,
            Some(LegKind::Paddle) => sports.paddle,
            Some(LegKind::Ski) => sports.ski,
            Some(LegKind::Skate) => sports.skate,
            Some(LegKind::Transition) => sports.transition,
        }
    }

    fn value(self, value: &PhraseValue) -> String {
        match value {
            PhraseValue::Way(metres) => self.way(*metres),
            PhraseValue::Mark(metres) => self.mark(*metres),
            PhraseValue::BareMark(metres) => {
                let mark = self.mark(*metres);
                mark.split(' ').next().unwrap_or_default().to_owned()
            }
            PhraseValue::Away(metres) => self.away(*metres),
            PhraseValue::Time(seconds) => text::time(*seconds),
            PhraseValue::Minutes(seconds) => text::minutes(*seconds),
            PhraseValue::Pace(kind, mps) => self.pace(*kind, *mps),
            PhraseValue::Sport(kind) => self.sport(*kind).to_owned(),
            PhraseValue::FirstSport(kind) => capital(self.sport(*kind)),
            PhraseValue::Whole(number) => format!("{number:.0}"),
            PhraseValue::Name(name) => text::isolated(name).into_owned(),
            PhraseValue::Part(phrase) => phrase.told(self),
            PhraseValue::Nothing => String::new(),
        }
    }
}

impl AlertPhrase {
    pub(super) fn new(sentence: fn(&AlertWords) -> &'static str) -> Self {
        Self {
            sentence,
            values: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<PhraseValue>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// The phrase as this reader gets it.
    pub(super) fn told(&self, voice: Voice) -> String {
        let values: Vec<(&str, String)> = self
            .values
            .iter()
            .map(|(name, value)| (*name, voice.value(value)))
            .collect();
        let values: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        text::fill((self.sentence)(voice.words), &values)
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_in_the_readers_units() {
        use PhraseValue::{Away, BareMark, Mark, Pace, Way};
        let german = Voice::new(Some("de"), Units::Imperial);
        for (value, english, imperial) in [
            (Way(23_449.0), "23.4 km", "14,6 mi"),
            (Mark(10_000.0), "10 km", "6,2 mi"),
            (Mark(MILE_M * 5.0), "8.0 km", "5 mi"),
            (BareMark(30_000.0), "30", "18,6"),
            (Away(400.0), "400 m", "1312 ft"),
            (Pace(Some(LegKind::Run), 3.367), "4:57 /km", "7:58 /mi"),
            (Pace(Some(LegKind::Ride), 8.667), "31.2 km/h", "19,4 mph"),
            (Pace(Some(LegKind::Swim), 0.893), "1:52 /100 m", "1:42 /100 yd"),
            (Pace(Some(LegKind::Row), 4.0), "2:05 /500 m", "2:05 /500 m"),
        ] {
            assert_eq!(Voice::default().value(&value), english);
            assert_eq!(german.value(&value), imperial);
        }
    }

    #[test]
    fn a_phrase_holds_phrases() {
        let phrase = |kind| {
            AlertPhrase::new(|words| words.leg_began)
                .with(
                    "done",
                    Some(
                        AlertPhrase::new(|words| words.leg_done)
                            .with("sport", PhraseValue::FirstSport(Some(LegKind::Swim)))
                            .with("way", PhraseValue::Way(3800.0))
                            .with("time", PhraseValue::Time(3720.0)),
                    ),
                )
                .with("sport", PhraseValue::Sport(kind))
                .with("time", PhraseValue::Time(3900.0))
        };
        let bike = phrase(Some(LegKind::Ride));
        assert_eq!(
            bike.told(Voice::default()),
            "Swim done: 3.8 km in 1:02:00. The bike began after 1:05:00."
        );
        assert_eq!(
            bike.told(Voice::new(Some("de"), Units::Imperial)),
            "Schwimmen geschafft: 2,4 mi in 1:02:00. Jetzt: Rad, ab 1:05:00."
        );
        assert_eq!(bike, phrase(Some(LegKind::Ride)));
        assert_ne!(bike, phrase(None));
    }
}
