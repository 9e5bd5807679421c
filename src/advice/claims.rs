//! Checks Claude's words: each number must come from the rules' own message, or from the history for the metric and the
//! day that its clause names. Pure.
//!
//! | number | must be |
//! |---|---|
//! | followed by days or nights | the number of days of a reported figure |
//! | beside a month | the first or last day of a reported figure, or today |
//! | in a clause that names a day | the metric's value on that day |
//! | any other | a reported value, or an edge of its usual band |
//!
//! A number that can't be read this way, such as a percentage, is refused. The rules' own sentence is then sent
//! instead.

mod pieces;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::figure::{COACH_METRICS, CoachFigure, CoachMetric, WEEK_SUMS};
use super::rules::LookFindings;
use pieces::{Amount, Piece, pieces};

/// Maximum length of Claude's words in characters.
const LONGEST: usize = 500;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
const UP: [&str; 9] = [
    "above",
    "higher",
    "high",
    "raised",
    "elevated",
    "up",
    "rose",
    "risen",
    "increased",
];
const DOWN: [&str; 9] = [
    "below",
    "lower",
    "low",
    "down",
    "fell",
    "fallen",
    "dropped",
    "reduced",
    "decreased",
];

/// What is wrong with a text; empty if it may be sent.
pub fn problems(text: &str, known: &LookFindings) -> Vec<String> {
    let length = text.chars().count();
    if length == 0 || length > LONGEST {
        return vec![format!("it has {length} characters, not 1 to {LONGEST}")];
    }
    let lower = text.to_lowercase();
    if ["http", "www."].iter().any(|part| lower.contains(part)) {
        return vec!["it contains a web address".to_owned()];
    }
    let all = pieces(&lower);
    let (mut problems, mut metrics) = (Vec::new(), Vec::new());
    for sentence in all.split(|piece| *piece == Piece::Stop) {
        let mut day = None;
        for clause in sentence.split(|piece| *piece == Piece::Break) {
            let named = named_in(clause);
            if !named.is_empty() {
                metrics = named;
            }
            day = known.day_in(clause).or(day);
            let clause = WordedClause {
                pieces: clause,
                metrics: &metrics,
                day,
            };
            problems.extend(clause.problems(known));
        }
    }
    problems
}

/// The metrics that a clause names.
fn named_in(clause: &[Piece]) -> Vec<&'static CoachMetric> {
    let words: Vec<&str> = clause.iter().filter_map(Piece::word).collect();
    let mut text = format!(" {} ", words.join(" "));
    let mut phrases: Vec<(&str, &CoachMetric)> = COACH_METRICS
        .iter()
        .chain(&WEEK_SUMS)
        .flat_map(|metric| metric.named_by.iter().map(move |phrase| (*phrase, metric)))
        .collect();
    // Longer phrases first: `heart rate variability` is not a heart rate.
    phrases.sort_by_key(|(phrase, _)| (std::cmp::Reverse(phrase.len()), *phrase));
    let mut found: Vec<&CoachMetric> = Vec::new();
    // Several metrics may share a phrase.
    let mut last = "";
    for (phrase, metric) in phrases {
        let wanted = format!(" {phrase} ");
        if text.contains(&wanted) || last == phrase {
            if !found.iter().any(|known| known.name == metric.name) {
                found.push(metric);
            }
            text = text.replace(&wanted, "  ");
            last = phrase;
        }
    }
    found
}

struct WordedClause<'a> {
    pieces: &'a [Piece],
    /// The metrics that this clause names, or else those named last.
    metrics: &'a [&'static CoachMetric],
    /// The day that this clause names, or else the one that an earlier clause of the sentence named.
    day: Option<Date>,
}

impl WordedClause<'_> {
    fn problems(&self, known: &LookFindings) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            let at = |index: usize| self.pieces.get(index).and_then(Piece::word).unwrap_or_default();
            let (after, before) = (at(index + 1), index.checked_sub(1).map_or("", at));
            let is_known = match piece {
                Piece::Word(_) | Piece::Break | Piece::Stop => continue,
                Piece::Day(day) => known.is_told_day(*day),
                // `two things` is not a figure; `two days` is.
                Piece::Spelled(number) => match after {
                    "day" | "days" | "night" | "nights" | "morning" | "mornings" => {
                        known.has_days(f64::from(*number))
                    }
                    "week" | "weeks" => known.has_days(f64::from(*number) * 7.0),
                    unit if unit_of(unit).is_some() || matches!(unit, "percent" | "%") => false,
                    _ => continue,
                },
                Piece::Number(amount) => match after {
                    "day" | "days" | "night" | "nights" | "morning" | "mornings" => {
                        known.has_days(amount.value)
                    }
                    "week" | "weeks" => known.has_days(amount.value * 7.0),
                    _ if month(after).is_some() => known.is_told_date(amount.value, month(after)),
                    _ if month(before).is_some() => known.is_told_date(amount.value, month(before)),
                    _ => self.is_known_value(amount, unit_of(after), after, known),
                },
            };
            if !is_known {
                problems.push(format!("{} is not among the figures", piece.told()));
            }
        }
        problems.extend(self.wrong_side(known));
        problems
    }

    fn is_known_value(&self, amount: &Amount, unit: Option<&str>, after: &str, known: &LookFindings) -> bool {
        if matches!(after, "%" | "percent" | "min" | "minutes" | "minute") && !amount.is_time {
            return false;
        }
        let unit = unit.or(amount.is_time.then_some("h"));
        let fits = |metric: &CoachMetric| unit.is_none_or(|unit| metric.unit == unit);
        let all = || COACH_METRICS.iter().chain(&WEEK_SUMS);
        let own: Vec<&str> = if self.metrics.iter().any(|metric| fits(metric)) {
            self.metrics
                .iter()
                .filter(|metric| fits(metric))
                .map(|metric| metric.name)
                .collect()
        } else if unit.is_some() {
            all()
                .filter(|metric| fits(metric))
                .map(|metric| metric.name)
                .collect()
        } else {
            Vec::new()
        };
        let told = known.advice.figures();
        let is_own = |figure: &&CoachFigure| own.contains(&figure.metric.as_str());
        match self.day {
            Some(day) => {
                told
                .chain(&known.days)
                .filter(is_own)
                .any(|figure| figure.from == day && figure.to == day && amount.is(figure.value))
                // The usual band applies to each day.
                || known.advice.figures().filter(is_own).any(|figure| amount.is_edge(figure))
            }
            None => told
                .filter(is_own)
                .any(|figure| amount.is(figure.value) || amount.is_edge(figure)),
        }
    }

    /// A metric that the clause puts on the wrong side of its usual band.
    fn wrong_side(&self, known: &LookFindings) -> Option<String> {
        let has = |words: &[&str]| {
            let mut own = self.pieces.iter().filter_map(Piece::word);
            own.any(|word| words.contains(&word))
        };
        let (up, down) = (has(&UP), has(&DOWN));
        if up == down {
            return None;
        }
        let wrong = named_in(self.pieces).into_iter().find(|metric| {
            let mut sides = known
                .advice
                .figures()
                .filter(|figure| figure.metric == metric.name)
                .filter_map(CoachFigure::is_above);
            let first = sides.next();
            first.is_some_and(|is_above| is_above != up) && sides.all(|is_above| is_above != up)
        })?;
        Some(format!("{} is on the other side of what is usual", wrong.words))
    }
}

impl LookFindings {
    fn has_days(&self, days: f64) -> bool {
        self.advice.figures().any(|figure| {
            let span = f64::from((figure.to - figure.from).get_days() + 1);
            is_same(days, f64::from(figure.days)) || is_same(days, span)
        })
    }

    fn is_told_day(&self, day: Date) -> bool {
        day == self.advice.day
            || self
                .advice
                .figures()
                .any(|figure| figure.from == day || figure.to == day)
    }

    fn is_told_date(&self, of_month: f64, month: Option<i8>) -> bool {
        let mut days = self.advice.figures().flat_map(|figure| [figure.from, figure.to]);
        let is_it = |day: Date| Some(day.month()) == month && is_same(f64::from(day.day()), of_month);
        is_it(self.advice.day) || days.any(is_it)
    }

    /// The single day that a clause names.
    fn day_in(&self, clause: &[Piece]) -> Option<Date> {
        let today = self.advice.day;
        let words: Vec<&str> = clause.iter().filter_map(Piece::word).collect();
        if words.contains(&"since") || words.contains(&"from") {
            return None;
        }
        if words
            .windows(2)
            .any(|pair| matches!(pair, ["last", "night"] | ["this", "morning"]))
            || words.contains(&"today")
        {
            return Some(today);
        }
        if words.contains(&"yesterday") {
            return today.yesterday().ok();
        }
        let (_, weekday) = WEEKDAYS.iter().find(|(name, _)| words.contains(name))?;
        (0..7_i64)
            .filter_map(|ago| today.checked_sub(ago.days()).ok())
            .find(|day| day.weekday() == *weekday)
    }
}

/// Whether two whole numbers are the same.
fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.01
}

fn month(word: &str) -> Option<i8> {
    let start = word.get(..3)?;
    let index = MONTHS.iter().position(|month| *month == start)?;
    // `mayor` and `marathon` are not months.
    let is_month = word.len() == 3
        || [
            "january",
            "february",
            "march",
            "april",
            "june",
            "july",
            "august",
            "september",
            "sept",
            "october",
            "november",
            "december",
        ]
        .contains(&word);
    if is_month {
        i8::try_from(index + 1).ok()
    } else {
        None
    }
}

fn unit_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "bpm" | "beats" => "bpm",
        "ms" | "milliseconds" => "ms",
        "h" | "hour" | "hours" | "hrs" => "h",
        "kg" | "kilos" | "kilograms" => "kg",
        "km" | "kilometres" | "kilometers" => "km",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
