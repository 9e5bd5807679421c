use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{SignedDuration, ToSpan as _};

use super::*;
use crate::accounts::GarminLogin;

fn person(n: u8, name: &str) -> Account {
    let letter = char::from(b'a' + n);
    Account {
        id: format!("acc_{}", letter.to_string().repeat(16)).parse().unwrap(),
        profile_id: Some(u64::from(n)),
        email: format!("{letter}@example.org"),
        full_name: name.to_owned(),
        linked_at: Timestamp::UNIX_EPOCH,
        garmin: GarminLogin::Working,
    }
}

fn circle() -> Vec<Account> {
    ["Ann", "Ben", "Cleo", "Dan", "Eve"]
        .into_iter()
        .zip(0..)
        .map(|(name, n)| person(n, name))
        .collect()
}

fn now() -> Timestamp {
    "2026-06-01T10:00:00Z".parse().unwrap()
}

fn wish(to: &str, groups: &[&str], until: &str) -> GrantWish {
    GrantWish {
        to: to.to_owned(),
        groups: groups.iter().map(|&name| name.to_owned()).collect(),
        until: until.to_owned(),
        name: String::new(),
    }
}

#[test]
fn a_wish_is_taken_as_it_is_or_refused_with_what_is_valid() {
    let (all, vienna) = (circle(), TimeZone::get("Europe/Vienna").unwrap());
    let grant = |wish: &GrantWish| wish.grant(&all[0], &all, &vienna, now());
    let given = grant(&wish(" B@Example.org", &["training", "races"], "2026-06-30")).unwrap();
    assert_eq!((given.to, given.name.as_str()), (all[1].id.clone(), "Ann"));
    // The day ends at midnight in the granter's zone.
    assert_eq!(given.ends_at, "2026-06-30T22:00:00Z".parse().unwrap());
    assert!(given.groups.contains(&DataGroup::Races) && given.until == date(2026, 6, 30));
    for (wrong, expected) in [
        (wish("", &["sleep"], "2026-06-30"), "to: is missing"),
        (wish("x@example.org", &["sleep"], "2026-06-30"), "to: nobody"),
        (
            wish("a@example.org", &["sleep"], "2026-06-30"),
            "to: this is your own",
        ),
        (wish("b@example.org", &[], "2026-06-30"), "groups: is missing"),
        (
            wish("b@example.org", &["slep"], "2026-06-30"),
            "groups: there is no group slep",
        ),
        (wish("b@example.org", &["sleep"], ""), "until: is missing"),
        (
            wish("b@example.org", &["sleep"], "30 June"),
            "until: is not a date",
        ),
        (
            wish("b@example.org", &["sleep"], "2026-05-31"),
            "until: has passed",
        ),
        (
            wish("b@example.org", &["sleep"], "2027-06-03"),
            "until: is too far",
        ),
    ] {
        let refused = grant(&wrong).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }
    for name in ["ann@example.org", "A\nB", &"x".repeat(41)] {
        let named = GrantWish {
            name: name.to_owned(),
            ..wish("b@example.org", &["sleep"], "2026-06-30")
        };
        assert!(
            grant(&named).unwrap_err().to_string().starts_with("name: "),
            "{name}"
        );
    }
    let mut twins = all.clone();
    twins[2].email = "b@example.org".to_owned();
    let refused = wish("b@example.org", &["sleep"], "2026-06-30").grant(&all[0], &twins, &vienna, now());
    assert!(refused.unwrap_err().to_string().starts_with("to: two accounts"));
    let nameless = person(0, "");
    let refused = wish("b@example.org", &["sleep"], "2026-06-30").grant(&nameless, &all, &vienna, now());
    assert!(refused.unwrap_err().to_string().starts_with("name: "));
}

#[test]
fn two_granters_of_one_member_have_different_names() {
    let all = circle();
    let grant = wish("c@example.org", &["sleep"], "2026-06-30")
        .grant(&all[0], &all, &TimeZone::UTC, now())
        .unwrap();
    let held = [HeldGrant {
        granter: all[0].id.clone(),
        grant,
    }];
    assert!(wish::is_name_taken(&held, &all[1].id, "ANN"));
    assert!(!wish::is_name_taken(&held, &all[0].id, "Ann"));
    assert!(!wish::is_name_taken(&held, &all[1].id, "Ben"));
}

#[test]
fn a_granter_has_a_bounded_number_of_grants() {
    let all: Vec<Account> = (0..24).map(|n| person(n, "P")).collect();
    let mut given = GivenGrants::default();
    let mut give = |n: usize, at| {
        let wish = wish(&all[n].email, &["sleep"], "2026-06-30");
        given.give(wish.grant(&all[0], &all, &TimeZone::UTC, now()).unwrap(), at)
    };
    assert!((1..=MAX_GRANTS).all(|n| matches!(give(n, now()), Ok(false))));
    assert!(give(MAX_GRANTS + 1, now()).is_err());
    assert!(matches!(give(1, now()), Ok(true)), "an earlier one is replaced");
    // Expired grants make room.
    assert!(give(MAX_GRANTS + 1, now() + SignedDuration::from_hours(24 * 60)).is_ok());
    assert!(serde_json::to_vec(&given).unwrap().len() < 32 << 10);
}

/// splitmix64, which gives the same run each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }
}

/// Makes 10,000 calls among five people who give, replace and withdraw grants, are forgotten, and let time pass. A
/// second bookkeeping, with names and plain sets, tells what each call may see.
#[test]
fn no_call_of_ten_thousand_is_beyond_its_grant() {
    let (all, mut dice, mut at) = (circle(), Dice(0x9_2026), now());
    let mut stored: BTreeMap<Vec<u8>, GivenGrants> = BTreeMap::new();
    let mut allowed: BTreeMap<(usize, usize), (Vec<&str>, Timestamp)> = BTreeMap::new();
    let (mut calls, mut seen, mut expired) = (0, 0, 0);
    while calls < 10_000 {
        let (granter, grantee) = (dice.below(5), dice.below(5));
        let key = all[granter].id.key().to_vec();
        match dice.below(20) {
            0..=3 => {
                let groups: Vec<&str> = (0..=dice.below(3))
                    .map(|_| DataGroup::ALL[dice.below(8)].name())
                    .collect();
                let day = at.to_zoned(TimeZone::UTC).date() + i64::try_from(dice.below(5)).unwrap().days();
                let wish = wish(&all[grantee].email, &groups, &day.to_string());
                let grant = wish.grant(&all[granter], &all, &TimeZone::UTC, at);
                assert_eq!(grant.is_ok(), granter != grantee);
                if let Ok(grant) = grant {
                    stored.entry(key).or_default().give(grant, at).unwrap();
                    let ends = (day + 1.day()).to_zoned(TimeZone::UTC).unwrap().timestamp();
                    allowed.insert((granter, grantee), (groups, ends));
                }
            }
            4 => {
                let given = stored.entry(key).or_default();
                given.grants.retain(|one| one.to != all[grantee].id);
                allowed.remove(&(granter, grantee));
            }
            5 if dice.below(10) == 0 => {
                let gone = &all[granter].id;
                stored.remove(&key);
                for given in stored.values_mut() {
                    given.grants.retain(|one| one.to != *gone);
                }
                allowed.retain(|(a, b), _| *a != granter && *b != granter);
            }
            6..=7 => at += SignedDuration::from_mins(i64::try_from(dice.below(1_500)).unwrap()),
            _ => {
                calls += 1;
                let wanted: Vec<DataGroup> = (0..=dice.below(2))
                    .map(|_| DataGroup::ALL[dice.below(8)])
                    .collect();
                let records = stored.iter().map(|(key, given)| (key.clone(), given.clone()));
                let held = held_of(records.collect(), &all[grantee].id, at);
                let answered = decide(&held, &all[granter].full_name, &wanted, at);
                let may_see = allowed.get(&(granter, grantee)).is_some_and(|(groups, ends)| {
                    expired += usize::from(at >= *ends);
                    let has =
                        |group: &DataGroup| groups.contains(&group.name()) || groups.contains(&"everything");
                    at < *ends && wanted.iter().all(has)
                });
                assert_eq!(answered.is_ok(), may_see, "{held:?} {wanted:?} at {at}");
                if let Ok(found) = answered {
                    assert_eq!(found.granter, all[granter].id);
                    assert_eq!(found.grant.to, all[grantee].id);
                    seen += 1;
                }
                assert!(decide(&held, "Zoe", &wanted, at).is_err());
            }
        }
    }
    assert!(
        seen > 500 && expired > 500,
        "{seen} answered, {expired} after the end"
    );
}
