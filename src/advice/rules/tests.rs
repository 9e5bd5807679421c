use jiff::civil::date;

use super::*;

const TODAY: Date = date(2026, 5, 6);

fn stretch(metric: &str, from: i8, to: i8, is_above: bool) -> UnusualStretch {
    let figure = CoachFigure {
        metric: metric.to_owned(),
        from: date(2026, 5, from),
        to: date(2026, 5, to),
        days: u32::try_from(to - from + 1).unwrap(),
        value: if is_above { 58.0 } else { 40.0 },
        usual: Some((48.0, 52.0)),
    };
    UnusualStretch { figure, is_above }
}

fn said_on(
    wishes: &CoachWishes,
    said: &[SaidAdvice],
    stretches: &[UnusualStretch],
    day: Date,
) -> Option<SaidAdvice> {
    let facts = MorningFacts {
        stretches: stretches.to_vec(),
        ..MorningFacts::default()
    };
    decide(wishes, said, facts, day)
}

fn parts(said: Option<SaidAdvice>) -> Vec<AdvicePart> {
    said.into_iter()
        .flat_map(|said| said.parts)
        .map(|(part, _)| part)
        .collect()
}

#[test]
fn a_run_is_told_once_and_again_after_three_weeks() {
    let wishes = CoachWishes::default();
    let run = [stretch("resting_heart_rate", 2, 6, true)];
    let first = said_on(&wishes, &[], &run, TODAY).unwrap();
    let part = AdvicePart::Run {
        metric: "resting_heart_rate".to_owned(),
        is_above: true,
    };
    assert_eq!(first.parts, [(part.clone(), vec![run[0].figure.clone()])]);
    let said = [first];
    assert_eq!(said_on(&wishes, &said, &run, TODAY), None);
    assert_eq!(said_on(&wishes, &said, &run, date(2026, 5, 8)), None);
    let later = [UnusualStretch {
        figure: CoachFigure {
            to: date(2026, 5, 27),
            days: 26,
            ..run[0].figure.clone()
        },
        ..run[0].clone()
    }];
    assert_eq!(said_on(&wishes, &said, &later, date(2026, 5, 26)), None);
    assert_eq!(parts(said_on(&wishes, &said, &later, date(2026, 5, 27))), [part]);
}

#[test]
fn what_is_short_over_or_good_news_is_not_told() {
    let wishes = CoachWishes::default();
    for (what, stretch) in [
        ("four days", stretch("resting_heart_rate", 3, 6, true)),
        ("over", stretch("resting_heart_rate", 1, 3, false)),
        (
            "a lower resting heart rate",
            stretch("resting_heart_rate", 1, 6, false),
        ),
        ("a higher HRV", stretch("hrv", 1, 6, true)),
        ("longer sleep", stretch("sleep", 1, 6, true)),
    ] {
        assert_eq!(said_on(&wishes, &[], &[stretch], TODAY), None, "{what}");
    }
}

#[test]
fn two_metrics_on_two_days_are_strain_and_one_bad_night_is_not() {
    let wishes = CoachWishes::default();
    let night = [
        stretch("resting_heart_rate", 6, 6, true),
        stretch("hrv", 6, 6, false),
    ];
    assert_eq!(said_on(&wishes, &[], &night, TODAY), None);
    let two = [
        stretch("resting_heart_rate", 5, 6, true),
        stretch("hrv", 6, 6, false),
    ];
    let told = said_on(&wishes, &[], &two, TODAY).unwrap();
    let metrics = vec![("hrv".to_owned(), false), ("resting_heart_rate".to_owned(), true)];
    assert_eq!(told.parts[0].0, AdvicePart::Strain { metrics });
    // The strain was reported, so the run that follows it is no news.
    let run = [stretch("resting_heart_rate", 2, 6, true)];
    assert_eq!(said_on(&wishes, &[told], &run, TODAY), None);
}

#[test]
fn the_review_comes_once_a_week_and_late_rather_than_never() {
    let wishes = CoachWishes::default();
    let facts = || MorningFacts {
        week: vec![stretch("sleep", 1, 3, false).figure],
        night: vec![stretch("sleep", 4, 4, false).figure],
        ..MorningFacts::default()
    };
    let (monday, tuesday) = (date(2026, 5, 4), date(2026, 5, 5));
    let told = decide(&wishes, &[], facts(), monday).unwrap();
    assert_eq!(parts(Some(told.clone())), [AdvicePart::Week]);
    let said = [told];
    assert_eq!(decide(&wishes, &said, facts(), tuesday), None);
    assert!(decide(&wishes, &[], facts(), tuesday).is_some());
    assert_eq!(decide(&wishes, &[], facts(), TODAY), None);
    assert!(decide(&wishes, &said, facts(), date(2026, 5, 11)).is_some());
    let daily = CoachWishes {
        morning: MorningWish::Daily,
        weekly: false,
        ..wishes
    };
    assert_eq!(parts(decide(&daily, &[], facts(), monday)), [AdvicePart::Night]);
    assert_eq!(decide(&daily, &[], MorningFacts::default(), monday), None);
}
