//! The rules' own sentences, and the answer to `/why`. Pure.

use jiff::civil::Date;

use super::figure::{CoachFigure, CoachMetric};
use super::rules::{AdvicePart, SaidAdvice};

/// The sentence before the figures in the answer to `/why`.
const RESTS_ON: &str = "This is based on your own days, kept on this gateway; your usual values come from the two months before.";

pub const NOTHING_SAID: &str = "I haven't said anything about your days yet.";

/// The message in the rules' own words.
pub fn text(advice: &SaidAdvice) -> String {
    let sentences = advice
        .parts
        .iter()
        .filter_map(|(part, figures)| sentence(part, figures));
    sentences.collect::<Vec<_>>().join(" ")
}

fn sentence(part: &AdvicePart, figures: &[CoachFigure]) -> Option<String> {
    match part {
        AdvicePart::Run { is_above, .. } => run(figures.first()?, *is_above),
        AdvicePart::Strain { .. } => Some(format!(
            "Several signs of strain in recent days: {}. An oncoming illness, little sleep or hard training can look like \
             that; an easy day does no harm.",
            list(figures, " and ")
        )),
        AdvicePart::Week => Some(format!("Your last seven days: {}.", list(figures, "; "))),
        AdvicePart::Night => Some(format!("Last night: {}.", list(figures, ", "))),
    }
}

fn run(figure: &CoachFigure, is_above: bool) -> Option<String> {
    let metric = figure.metric()?;
    let side = if is_above { "above" } else { "below" };
    Some(format!(
        "Your {} has been {side} what is usual for you on {} days since {}: {} on average, usually {}.",
        metric.words,
        figure.days,
        day(figure.from),
        metric.told(figure.value),
        metric.band(figure.usual?)
    ))
}

fn list(figures: &[CoachFigure], between: &str) -> String {
    let told = figures.iter().filter_map(|figure| {
        let metric = figure.metric()?;
        Some(match (metric.name, figure.usual) {
            ("activities", _) => format!("{} activities", metric.number(figure.value)),
            ("training_hours", _) => format!("{} of training", metric.told(figure.value)),
            ("distance", _) => metric.told(figure.value),
            (_, Some(usual)) => {
                format!(
                    "{} {} (usually {})",
                    metric.words,
                    metric.told(figure.value),
                    metric.band(usual)
                )
            }
            (_, None) => format!("{} {}", metric.words, metric.told(figure.value)),
        })
    });
    told.collect::<Vec<_>>().join(between)
}

/// The answer to `/why`: the message, and the figures on which it rests.
pub fn why(text: &str, advice: &SaidAdvice) -> String {
    let mut lines = vec![
        format!("On {} I said: {text}", day(advice.day)),
        RESTS_ON.to_owned(),
    ];
    lines.extend(advice.figures().filter_map(figure_line));
    lines.join("\n")
}

/// One figure with its days, for `/why` and for Claude.
pub fn figure_line(figure: &CoachFigure) -> Option<String> {
    let metric: &CoachMetric = figure.metric()?;
    let value = metric.told(figure.value);
    let days = if figure.from == figure.to {
        day(figure.from)
    } else {
        format!("{} to {}, {} days", day(figure.from), day(figure.to), figure.days)
    };
    let usual = figure.usual.map(|usual| {
        let side = match figure.is_above() {
            Some(true) => "above",
            Some(false) => "below",
            None => "within",
        };
        format!(", {side} your usual {}", metric.band(usual))
    });
    let mean = if figure.days > 1 && figure.usual.is_some() {
        " on average"
    } else {
        ""
    };
    Some(format!(
        "- {}, {days}: {value}{mean}{}",
        metric.words,
        usual.unwrap_or_default()
    ))
}

/// A day without its year: `2 May`.
pub fn day(date: Date) -> String {
    date.strftime("%-d %b").to_string()
}

/// Says that the link to Garmin is broken. `whose` names the person if the chat is not theirs alone.
pub fn broken_link(whose: Option<&str>, link: &str) -> String {
    let whose = whose.map_or("Your link".to_owned(), |name| format!("{name}'s link"));
    format!(
        "{whose} to Garmin is broken: Garmin asks for a new sign-in, and until then nothing can be fetched. Sign in again here: {link}"
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn figure(metric: &str, from: i8, days: u32, value: f64, usual: Option<(f64, f64)>) -> CoachFigure {
        CoachFigure {
            metric: metric.to_owned(),
            from: date(2026, 5, from),
            to: date(2026, 5, from + i8::try_from(days).unwrap() - 1),
            days,
            value,
            usual,
        }
    }

    fn advice(part: AdvicePart, figures: Vec<CoachFigure>) -> SaidAdvice {
        SaidAdvice {
            day: date(2026, 5, 6),
            parts: vec![(part, figures)],
        }
    }

    #[test]
    fn a_run_is_one_sentence_with_its_figures() {
        let part = AdvicePart::Run {
            metric: "resting_heart_rate".to_owned(),
            is_above: true,
        };
        let run = figure("resting_heart_rate", 2, 5, 56.2, Some((48.0, 52.1)));
        let advice = advice(part, vec![run]);
        let said = text(&advice);
        assert_eq!(
            said,
            "Your resting heart rate has been above what is usual for you on 5 days since 2 May: 56.2 bpm on average, \
             usually 48 to 52.1 bpm."
        );
        let why = why(&said, &advice);
        assert!(why.starts_with("On 6 May I said: Your resting"), "{why}");
        assert!(
            why.ends_with("- resting heart rate, 2 May to 6 May, 5 days: 56.2 bpm on average, above your usual 48 to 52.1 bpm"),
            "{why}"
        );
    }

    #[test]
    fn a_week_and_a_night_are_lists() {
        let week = advice(
            AdvicePart::Week,
            vec![
                figure("sleep", 1, 6, 7.25, Some((6.6, 8.0))),
                figure("activities", 1, 6, 4.0, None),
                figure("training_hours", 1, 6, 5.3, None),
                figure("distance", 1, 6, 52.4, None),
            ],
        );
        assert_eq!(
            text(&week),
            "Your last seven days: sleep 7.2 h (usually 6.6 to 8 h); 4 activities; 5.3 h of training; 52.4 km."
        );
        let night = advice(AdvicePart::Night, vec![figure("hrv", 6, 1, 61.0, None)]);
        assert_eq!(text(&night), "Last night: HRV 61 ms.");
    }
}
