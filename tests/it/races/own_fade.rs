//! The outlook rests on the athlete's own past activities if the athlete is the account's owner.

use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::race::outlook::fade::OwnFade;
use garmin_gateway::races::FoundFade;
use garmin_gateway::simulator::livetrack::Playback;
use garmin_gateway::simulator::livetrack::scenario::Scenario;
use garmin_gateway::simulator::{Fault, FaultRule, Place};
use jiff::SignedDuration;
use serde_json::json;

use super::{Tracked, scenario, start, url};
use crate::history::export;
use crate::whole::World;

/// Garmin's list of activities, which nothing else in these stories asks for with a sport.
const LIST: &str = "/activitylist-service/activities/search/activities";

fn marathon(athlete: &str) -> Scenario {
    Scenario {
        athlete: athlete.to_owned(),
        ..scenario("marathon")
    }
}

async fn tracked(athlete: &str) -> Tracked {
    let clock = Clock::manual(start());
    let world = World::start_at(clock.clone()).await;
    Tracked::of(world, clock, &marathon(athlete)).await
}

impl Tracked {
    /// What the slowdown of a race's outlook rests on, and the likely finish.
    async fn slowdown(&self, race: &str) -> (String, String) {
        let told = self.told("get_outlook", json!({"race": race})).await;
        let text = |path: &str| told.pointer(path).unwrap().as_str().unwrap().to_owned();
        (
            text("/outlook/slowdown"),
            text("/outlook/finish/likely_race_time"),
        )
    }

    async fn until_slowdown(&self, race: &str, wanted: &str) -> (String, String) {
        loop {
            let (slowdown, likely) = self.slowdown(race).await;
            if slowdown.starts_with(wanted) {
                return (slowdown, likely);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn lists_of_runs(&self) -> usize {
        let requests = self.world.simulator.requests();
        let is_list = |path: &str, query: &str| {
            path == LIST && query.contains("&start=0&") && query.contains("activityType=running")
        };
        requests
            .iter()
            .filter(|request| is_list(&request.path, &request.query))
            .count()
    }
}

/// Ann watches herself and a friend at the same race. Both run alike, but only her own past runs are read.
#[tokio::test]
async fn the_owner_gets_her_own_fade_and_a_friend_the_usual_one() {
    let mut ann = tracked("Ann Example").await;
    let links = ann
        .world
        .simulator
        .links(&marathon("Ben Example"), Playback::default());
    let arguments = json!({"url": url(&links[0]), "race_config": marathon("").race_config});
    let friend = ann.told("start_tracking", arguments).await["race"].clone();
    let (own, friend) = (ann.race.clone(), friend.as_str().unwrap().to_owned());
    ann.play(5400).await;

    let (slowdown, likely) = ann.until_slowdown(&own, "the athlete's own").await;
    assert!(slowdown.ends_with(", 6 of them"), "{slowdown}");
    let (of_friend, likely_friend) = ann.until_slowdown(&friend, "the usual").await;
    assert!(of_friend.contains("not clearly the owner"), "{of_friend}");
    // Her long runs of the past year fade more than the usual ones.
    assert!(likely > likely_friend, "{likely} {likely_friend}");
    assert_eq!(ann.lists_of_runs(), 1);

    let exported = export(&ann.world, "ann@example.org").await;
    let races = exported["races"].as_array().unwrap();
    let fades = |race: &str| {
        let race = races.iter().find(|one| one["id"] == race).unwrap();
        race["own_fades"].clone()
    };
    assert_eq!(fades(&own)["sports"][0]["fade"]["activities"], 6);
    assert_eq!(fades(&friend)["sports"], json!([]));

    ann.world.restart().await;
    assert_eq!(ann.slowdown(&own).await.0, slowdown);
    assert_eq!(ann.slowdown(&friend).await.0, of_friend);
    assert_eq!(ann.lists_of_runs(), 1, "it is not read again");
}

/// Garmin's API is down when the race starts. The race goes on, and the past is read later.
#[tokio::test]
async fn a_race_goes_on_while_the_past_cannot_be_read() {
    let clock = Clock::manual(start());
    let world = World::start_at(clock.clone()).await;
    let down = FaultRule {
        path: Some(LIST.to_owned()),
        ..FaultRule::new(Place::Api, Fault::Status { status: 503 })
    };
    world.simulator.add_fault(down);
    let ann = Tracked::of(world, clock, &marathon("Ann Example")).await;
    // After the failure, the reading sleeps for half an hour.
    ann.play_beside(1, 1500).await;
    let (slowdown, _) = ann.slowdown(&ann.race).await;
    assert!(slowdown.contains("have not been read"), "{slowdown}");
    ann.world.simulator.clear_faults();
    ann.clock.advance(SignedDuration::from_mins(31));
    ann.until_slowdown(&ann.race, "the athlete's own").await;
}

/// What is found after the race was stopped is not written.
#[tokio::test]
async fn a_fade_that_comes_too_late_is_not_kept() {
    let ann = tracked("Ann Example").await;
    let (races, race) = (ann.world.races(), ann.race.parse().unwrap());
    // The session says who the athlete is; the plan of a marathon says the sport.
    let wanted = loop {
        if let Some(wanted) = races.wanted_fade(&race) {
            break wanted;
        }
        ann.play(0).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    let found = FoundFade::Read(Some(OwnFade {
        per_doubling: 0.2,
        activities: 99,
    }));
    ann.told("stop_tracking", json!({"race": ann.race})).await;
    assert!(!races.keep_fade(&race, &wanted, found).await.unwrap());
    let exported = export(&ann.world, "ann@example.org").await;
    assert!(!exported.to_string().contains("99,"), "{exported}");
    assert_eq!(races.wanted_fade(&race), None);
}
