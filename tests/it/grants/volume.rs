//! Hundreds of calls within and beyond grants that come and go.

use std::collections::BTreeMap;

use garmin_gateway::base::clock::Clock;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::json;

use super::{ann, ben, dora, pass, withdraw, yesterday};
use crate::tools::today;
use crate::whole::World;
use crate::withdrawal::Chance;

/// Hundreds of calls among three people who give, replace and take back grants while time passes. A second bookkeeping
/// says what each call may see.
#[tokio::test]
async fn no_answer_is_beyond_its_grant() {
    let clock = Clock::manual(Timestamp::now());
    let world = World::start_at(clock.clone()).await;
    let mut people = [ann(&world).await, ben(&world).await, dora(&world).await];
    let names = ["Ann Example", "Ben Example", "Dora Example"];
    let emails = ["ann@example.org", "ben@example.org", "dora@example.org"];
    let tools = [
        (
            "get_hill_score",
            "training",
            json!({ "start_date": today() - 20.days(), "end_date": today() - 1.day() }),
        ),
        ("get_floors", "steps", yesterday()),
        ("get_sleep_summary", "sleep", yesterday()),
        ("get_rhr_day", "heart", yesterday()),
        ("list_races", "races", json!({})),
        ("get_full_name", "everything", json!({})),
        ("get_trend", "steps", json!({ "metric": "steps", "range": "-2w" })),
        ("get_trend", "sleep", json!({ "metric": "sleep", "range": "-2w" })),
    ];
    let groups = ["training", "steps", "sleep", "heart", "races", "everything"];
    let mut chance = Chance(0x6ea7);
    let mut allowed: BTreeMap<(usize, usize), (Vec<&str>, Timestamp)> = BTreeMap::new();
    let (mut calls, mut seen) = (0, 0);
    while calls < 400 {
        let (granter, grantee) = (chance.below(3), chance.below(3));
        if granter == grantee {
            continue;
        }
        match chance.below(16) {
            0..=2 => {
                let some: Vec<&str> = (0..=chance.below(2)).map(|_| chance.pick(&groups)).collect();
                let day = clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
                let day = day + i64::try_from(chance.below(2)).unwrap().days();
                let wish = json!({ "to": emails[grantee], "groups": some, "until": day });
                world
                    .told(&people[granter].access_token, "grant_access", wish)
                    .await
                    .unwrap();
                let ends = (day + 1.day())
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .unwrap()
                    .timestamp();
                allowed.insert((granter, grantee), (some, ends));
            }
            3 => {
                let withdrawn = withdraw(&world, &people[granter], emails[grantee]).await;
                let was_given = allowed.remove(&(granter, grantee));
                assert_eq!(
                    withdrawn.is_ok(),
                    was_given.is_some_and(|(_, ends)| clock.now() < ends)
                );
            }
            4 => {
                let by = SignedDuration::from_mins(i64::try_from(chance.below(300)).unwrap());
                let [a, b, c] = &mut people;
                pass(&world, &clock, by, &mut [a, b, c]).await;
            }
            _ => {
                calls += 1;
                let (tool, group, mut arguments) = tools[chance.below(tools.len())].clone();
                arguments["person"] = json!(names[granter]);
                let result = world.call(&people[grantee].access_token, tool, arguments).await;
                let may_see = allowed.get(&(granter, grantee)).is_some_and(|(groups, ends)| {
                    clock.now() < *ends && (groups.contains(&group) || groups.contains(&"everything"))
                });
                let text = result["content"][0]["text"].as_str().unwrap();
                let is_answer = result["isError"] != true;
                assert_eq!(
                    is_answer, may_see,
                    "{tool} of {} for {}: {text}",
                    names[granter], names[grantee]
                );
                if is_answer {
                    seen += 1;
                    assert!(text.contains(names[granter]), "{text}");
                    if tool == "get_full_name" {
                        assert_eq!(result["structuredContent"]["full_name"], names[granter]);
                    }
                }
            }
        }
    }
    assert!(seen > 60, "{seen}");
    world.end().await;
}
