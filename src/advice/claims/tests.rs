use jiff::civil::date;

use super::*;
use crate::advice::rules::{AdvicePart, SaidAdvice};

fn figure(metric: &str, from: i8, to: i8, value: f64, usual: Option<(f64, f64)>) -> CoachFigure {
    CoachFigure {
        metric: metric.to_owned(),
        from: date(2026, 5, from),
        to: date(2026, 5, to),
        days: u32::try_from(to - from + 1).unwrap(),
        value,
        usual,
    }
}

/// Wednesday, 6 May 2026: the resting heart rate is high, the HRV low.
fn check(text: &str) -> Vec<String> {
    let run = |metric: &str, is_above| AdvicePart::Run {
        metric: metric.to_owned(),
        is_above,
    };
    let advice = SaidAdvice {
        day: date(2026, 5, 6),
        parts: vec![
            (
                run("resting_heart_rate", true),
                vec![figure("resting_heart_rate", 2, 6, 56.2, Some((48.0, 52.1)))],
            ),
            (
                run("hrv", false),
                vec![figure("hrv", 1, 6, 41.0, Some((52.0, 71.0)))],
            ),
        ],
    };
    let days = vec![
        figure("resting_heart_rate", 6, 6, 58.0, None),
        figure("resting_heart_rate", 5, 5, 55.0, None),
        figure("sleep", 6, 6, 7.4, None),
        figure("sleep", 4, 4, 6.05, None),
    ];
    problems(text, &LookFindings { advice, days })
}

#[test]
fn what_the_rules_told_or_the_history_holds_may_be_said() {
    for text in [
        "Your resting heart rate has been above your band for five days: 56.2 bpm on average, usually 48 to 52.",
        "Resting heart rate 56, normally between 48 and 52.1; HRV is down at 41 ms (52–71 is usual). Take it easy today.",
        "Since 2 May your resting pulse is up. Six days of low HRV, too.",
        "Last night you slept 7:24 and your resting heart rate was 58.",
        "On Monday you slept only 6 h 3 min.",
        "Yesterday your resting heart rate was 55 bpm.",
        "Heart rate variability has averaged 41 for 6 nights.",
        "Nothing to worry about: two easy things help, rest and water.",
        "From 2026-05-02 on, your resting heart rate was high.",
    ] {
        assert_eq!(check(text), [""; 0], "{text}");
    }
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        "Your resting heart rate was 57.2 bpm on average.",
        "Your resting heart rate has been up for eight days.",
        "Your HRV was 56.2.",
        "Your HRV is 56 ms.",
        "Your HRV is down 30 %.",
        "Last night your resting heart rate was 55.",
        "On Monday you slept 7.4 h.",
        "Since 3 May your resting heart rate is up.",
        "Your resting heart rate is 5 bpm above usual.",
        "Your resting heart rate is below what is usual.",
        "Your HRV is higher than usual.",
        "You slept twelve hours.",
        "Your sleep was 41.",
        "Call 112 now.",
        "See https://example.org for more.",
        "Your resting heart rate is ５６.",
        "From 2026-05-03 on, your resting heart rate was high.",
    ] {
        assert!(!check(text).is_empty(), "{text}");
    }
    assert!(!check(&"rest ".repeat(101)).is_empty(), "too long");
}
