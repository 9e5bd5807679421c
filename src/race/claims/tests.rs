use proptest::prelude::*;

use super::*;
use crate::race::support::hour;

fn wrong(text: &str) -> Vec<String> {
    let (snapshot, window) = hour();
    let known = KnownFigures::of(&snapshot, &window);
    untrue(text, &known)
        .into_iter()
        .map(|untrue| untrue.said)
        .collect()
}

#[test]
fn what_is_true_may_be_said() {
    for text in [
        "Steady 145 bpm, well under 165. Keep it.",
        "10.8 km after 1:00:00, 5:33 /km. Next gel in 10 minutes, 30 g.",
        "Average HR 145 so far; it peaked at 171 bpm.",
        "10.3 km to go: at this pace you finish in about 1:57:12.",
        "Cadence 170 spm is fine. Hold it for the next 5 km.",
        "At km 15 there is water.",
        "10.8 km/h. Well done, 1 gel now!",
        "You run 5:33, stay there.",
        "",
    ] {
        assert_eq!(wrong(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_is_made_up_may_not() {
    for text in [
        "HR is 182, slow down",
        "Average HR 152 so far",
        "You peaked at 160 bpm",
        "Power is 240 W",
        "You have done 12.5 km",
        "At km 30 take a gel",
        "Your pace is 4:20 /km",
        "16 km/h!",
        "1:10:00 gone",
        "Puls １６３",
    ] {
        assert_eq!(wrong(text).len().min(1), 1, "{text}");
    }
}

#[test]
fn the_rules_own_words_are_always_true() {
    let (snapshot, window) = hour();
    let words = own_words(&snapshot, &window);
    assert_eq!(words, "10.8 km after 1:00:00. Last 10 min: 5:33 /km, 145 bpm.");
    assert!(wrong(&words).is_empty());
}

proptest! {
    #[test]
    fn a_heart_rate_passes_only_within_what_was_measured(bpm in 30_u32..250) {
        let seen = (144..=172).contains(&bpm);
        prop_assert_eq!(wrong(&format!("Your heart rate is {bpm} bpm now.")).is_empty(), seen);
    }

    #[test]
    fn a_distance_passes_only_near_one_that_is_known(metres in 0_u32..42_000) {
        let (snapshot, window) = hour();
        let known = KnownFigures::of(&snapshot, &window);
        let km = f64::from(metres) / 1000.0;
        let passes = untrue(&format!("{km:.1} km done"), &known).is_empty();
        let near = known.distances_m.iter().any(|known| (known - km * 1000.0).abs() <= 400.0);
        prop_assert!(near || !passes, "{}", km);
    }
}
