//! Tests on generated days of people: what is usual in them, what is not, and what moves together.

use super::*;

/// A generator of numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A normally distributed number, as the sum of twelve uniform ones.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// The values of one metric by day, up to today.
#[derive(Clone)]
struct Days(Vec<f64>);

impl Days {
    /// Each day resembles the one before, as people's do.
    fn of(chance: &mut Chance, days: usize, middle: f64, spread: f64) -> Self {
        let mut before = 0.0;
        let mut next = || {
            before = 0.4 * before + chance.normal() * (1.0_f64 - 0.16).sqrt();
            middle + before * spread
        };
        Self((0..days).map(|_| next()).collect())
    }

    fn on(&self, day: Date) -> Option<f64> {
        let back = usize::try_from((TODAY - day).get_days()).ok()?;
        self.0
            .len()
            .checked_sub(back + 1)
            .and_then(|index| self.0.get(index))
            .copied()
    }

    fn raise(&mut self, back: usize, days: usize, by: f64) {
        let end = self.0.len() - back;
        for value in &mut self.0[end - days..end] {
            *value += by;
        }
    }
}

struct Person {
    resting: Days,
    hrv: Days,
    sleep_h: Days,
}

impl Person {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed * 7_919 + 13);
        chance.normal();
        let resting = 45.0 + 12.0 * chance.uniform();
        let hrv = 35.0 + 50.0 * chance.uniform();
        Self {
            resting: Days::of(&mut chance, 160, resting, 1.8),
            hrv: Days::of(&mut chance, 160, hrv, hrv / 10.0),
            sleep_h: Days::of(&mut chance, 160, 7.3, 0.7),
        }
    }

    /// Garmin's answer to a request for a range of days.
    fn garmin(&self, target: &str) -> Value {
        let path = target.split('?').next().unwrap();
        if path.contains("/weight-service/") {
            return json!({"dateWeightList": []});
        }
        let days = || days_of(target);
        let rows = |of: &Days, row: &dyn Fn(Date, f64) -> Value| -> Vec<Value> {
            days().filter_map(|day| Some(row(day, of.on(day)?))).collect()
        };
        if path.contains("/heartRate/") {
            let row = |day, value: f64| json!({"calendarDate": day, "values": {"restingHR": value.round()}});
            return rows(&self.resting, &row).into();
        }
        if path.contains("/hrv-service/") {
            let row = |day, value: f64| json!({"calendarDate": day, "lastNightAvg": value.round()});
            return json!({"hrvSummaries": rows(&self.hrv, &row)});
        }
        if path.contains("/sleep-service/") {
            let row = |day, hours: f64| json!({"calendarDate": day, "values": {"totalSleepTimeInSeconds": (hours * 3_600.0).round()}});
            return json!({"individualStats": rows(&self.sleep_h, &row)});
        }
        if path.contains("/stress/") {
            return days()
                .map(|day| json!({"calendarDate": day, "values": {"overallStressLevel": 30}}))
                .collect();
        }
        Value::Null
    }

    fn ask(&self, tool: &str, arguments: &Value) -> Value {
        ask(tool, arguments, &|target| self.garmin(target)).unwrap()
    }

    /// What is unusual in the last 90 days: metric, first day, number of days, side.
    fn unusual(&self) -> Vec<(String, Date, i64, String)> {
        let told = self.ask("find_unusual", &json!({"range": "-90d"}));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        told["unusual"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| {
                let from = found["from"].as_str().unwrap().parse().unwrap();
                (
                    text(&found["metric"]),
                    from,
                    found["days"].as_i64().unwrap(),
                    text(&found["is"]),
                )
            })
            .collect()
    }
}

fn days_ago(days: i64) -> Date {
    TODAY - jiff::Span::new().days(days)
}

#[test]
fn ordinary_lives_have_hardly_anything_unusual() {
    let found: Vec<usize> = (0..20).map(|seed| Person::new(seed).unusual().len()).collect();
    assert!(found.iter().all(|found| *found <= 2), "{found:?}");
    assert!(found.iter().sum::<usize>() <= 8, "{found:?}");
}

#[test]
fn a_fever_a_short_night_and_a_fall_of_hrv_are_found() {
    let (mut right, mut wrong, mut missed) = (0, 0, Vec::new());
    for seed in 100..140 {
        let mut person = Person::new(seed);
        let back = 10 + usize::try_from(seed % 40).unwrap();
        person.resting.raise(back, 7, 9.0);
        person.sleep_h.raise(back + 20, 1, -4.5);
        let fall = -0.45 * person.hrv.0[0];
        person.hrv.raise(back, 8, fall);
        let found = person.unusual();
        let is_near = |day: Date, back: usize, days: i64| {
            let end = days_ago(i64::try_from(back).unwrap());
            (0..=days + 1).contains(&i64::from((end - day).get_days()))
        };
        for (metric, back, days, side) in [
            ("resting_heart_rate", back, 7, "above"),
            ("sleep", back + 20, 1, "below"),
            ("hrv", back, 8, "below"),
        ] {
            let is_it = |found: &&(String, Date, i64, String)| {
                found.0 == metric && found.3 == side && is_near(found.1, back, days)
            };
            match found.iter().filter(is_it).count() {
                0 => missed.push((seed, metric)),
                count => right += count,
            }
        }
        wrong += found.len();
    }
    wrong -= right;
    assert!(missed.len() <= 4, "{missed:?}");
    assert!(right as f64 / (right + wrong) as f64 >= 0.95, "{right} {wrong}");
}

#[test]
fn a_baseline_tells_where_the_last_days_are() {
    let mut person = Person::new(1);
    person.resting.raise(0, 4, 8.0);
    let told = person.ask("baseline", &json!({"metric": "resting_heart_rate"}));
    assert_eq!(
        (&told["of"], &told["latest"]["is"]),
        (&json!("resting_bpm"), &json!("above"))
    );
    assert_eq!(told["latest"]["date"], "2026-01-31");
    assert!(told["days_outside_in_a_row"].as_i64().unwrap() >= 3, "{told}");
    assert_eq!(told["usual"]["days"], 60);
    assert!(told["usual"]["usual_low"].as_f64() < told["usual"]["usual_high"].as_f64());
    let few = |target: &str| {
        if target.contains("2026-01-") {
            person.garmin(target)
        } else {
            json!([])
        }
    };
    let told = ask(
        "baseline",
        &json!({"metric": "resting_heart_rate", "date": "2026-01-12"}),
        &few,
    )
    .unwrap();
    assert!(
        told["no_baseline"].as_str().unwrap().contains("14 days"),
        "{told}"
    );
}

#[test]
fn days_that_still_grow_are_not_judged() {
    let garmin = |target: &str| {
        if !target.contains("/stress/") {
            return json!([]);
        }
        days_of(target)
            .map(|day| {
                let level = if day == TODAY { 90 } else { 30 };
                json!({"calendarDate": day, "values": {"overallStressLevel": level}})
            })
            .collect()
    };
    let told = ask("find_unusual", &json!({"metric": "stress"}), &garmin).unwrap();
    assert_eq!(
        (&told["unusual"], &told["ordinary"]),
        (&json!([]), &json!(["stress"]))
    );
    for range in ["today", "-1d"] {
        let told = ask(
            "find_unusual",
            &json!({"metric": "stress", "range": range}),
            &garmin,
        )
        .unwrap();
        assert_eq!(
            (&told["not_judged"], &told["rests_on"]["days_with_data"]["stress"]),
            (&json!(["stress"]), &json!(0))
        );
        let why = told["not_judged_because"].as_str().unwrap();
        assert!(why.starts_with("today is not over"), "{why}");
        let told = ask(
            "compare_periods",
            &json!({"metric": "stress", "range": range}),
            &garmin,
        )
        .unwrap();
        let why = &told["compared"]["avg_stress"]["result"];
        assert!(why.as_str().unwrap().contains("days that are over"), "{told}");
        assert_eq!(
            told["rests_on"],
            json!({"days_with_data": 0, "days_with_data_against": 1})
        );
    }
}

fn days_of(target: &str) -> impl Iterator<Item = Date> {
    let mut ends = target.split('?').next().unwrap().rsplit('/');
    let last: Date = ends.next().unwrap().parse().unwrap();
    let first: Date = ends.next().unwrap().parse().unwrap();
    first
        .series(jiff::Span::new().days(1))
        .take_while(move |day| *day <= last)
}

#[test]
fn two_periods_differ_clearly_or_not() {
    let mut calm = 0;
    for seed in 0..20 {
        let person = Person::new(seed);
        let told = person.ask("compare_periods", &json!({"metric": "hrv"}));
        calm += i32::from(told["compared"]["last_night_avg_ms"]["result"] == "no clear difference");
    }
    assert!(calm >= 17, "{calm}");
    let mut person = Person::new(3);
    person.resting.raise(0, 28, -5.0);
    let told = person.ask("compare_periods", &json!({"metric": "resting_heart_rate"}));
    assert_eq!(told["compared"]["resting_bpm"]["result"], "lower");
    assert_eq!(
        told["against"],
        json!({"start": "2025-12-07", "end": "2026-01-03", "days": 28})
    );
    let told = person.ask(
        "compare_periods",
        &json!({"metric": "sleep", "range": "2026-01-05..2026-01-08", "against": "a year before"}),
    );
    assert_eq!(
        told["compared"]["sleep_h"]["result"],
        "one of the periods has no data"
    );
    let wrong = ask(
        "compare_periods",
        &json!({"metric": "sleep", "against": "whenever"}),
        &|target| person.garmin(target),
    );
    assert!(
        wrong
            .unwrap_err()
            .starts_with("against \"whenever\" is not a period")
    );
}

#[test]
fn what_moves_together_is_told_with_its_interval() {
    let mut person = Person::new(5);
    let nights = person.sleep_h.0.clone();
    let mut chance = Chance(99);
    // HRV follows the sleep of the night before.
    for (day, hrv) in person.hrv.0.iter_mut().enumerate().skip(1) {
        *hrv = 60.0 + (nights[day - 1] - 7.3) * 9.0 + chance.normal() * 4.0;
    }
    let asked = |lag: i64| json!({"metric": "sleep", "other": "hrv", "lag_days": lag, "range": "-120d"});
    let told = person.ask("correlate", &asked(1));
    assert_eq!(
        (&told["result"], &told["pairs_of_days"]),
        (&json!("strong"), &json!(119))
    );
    let thirds = told["by_thirds_of_metric"]["other_mean"].as_array().unwrap();
    assert!(thirds[0].as_f64().unwrap() + 5.0 < thirds[2].as_f64().unwrap());
    assert!(told["caution"].as_str().unwrap().contains("not cause"));
    let mut by_chance = 0;
    for seed in 0..20 {
        let told = Person::new(seed).ask("correlate", &asked(0));
        by_chance += i32::from(told["result"] == "not distinguishable from chance");
    }
    assert!(by_chance >= 17, "{by_chance}");
    let same = ask(
        "correlate",
        &json!({"metric": "hrv", "other": "hrv"}),
        &|target| person.garmin(target),
    );
    assert!(same.unwrap_err().contains("give two"));
    let few = person.ask(
        "correlate",
        &json!({"metric": "sleep", "other": "hrv", "range": "-10d"}),
    );
    assert!(few["result"].as_str().unwrap().starts_with("too few"));
}

#[test]
fn a_part_that_fails_is_named() {
    let person = Person::new(2);
    let garmin = |target: &str| {
        if target.contains("/hrv-service/") {
            failing()
        } else {
            person.garmin(target)
        }
    };
    let told = ask("find_unusual", &json!({"range": "-2w"}), &garmin).unwrap();
    assert!(
        told["failed"][0]
            .as_str()
            .unwrap()
            .starts_with("hrv 2025-11-12 to "),
        "{told}"
    );
    assert!(told["not_judged"].as_array().unwrap().contains(&json!("hrv")));
    let long = ask("find_unusual", &json!({"range": "-1y"}), &garmin).unwrap_err();
    assert!(long.contains("longer than half a year"), "{long}");
}
