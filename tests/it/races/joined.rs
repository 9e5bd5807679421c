//! Several athletes on one page: who may add what, what each part shows, and what is left when one of them leaves.

use std::time::Instant;

use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest};
use garmin_gateway::simulator::livetrack::Playback;
use serde_json::{Value, json};

use super::page::{AT_ONCE, Stream, ask, get};
use super::{Tracked, scenario, url};
use crate::outputs;
use crate::whole::Connected;

/// Ann's race, and Ben's on the same course.
struct Pair {
    tracked: Tracked,
    ben: Connected,
    bens: String,
}

impl Pair {
    async fn start() -> Self {
        let tracked = Tracked::start("marathon").await;
        let ben = tracked
            .world
            .connect("ben@example.org", "demo-ben", Some("123456"))
            .await;
        let scenario = scenario("aid_station");
        let links = tracked.world.simulator.links(&scenario, Playback::default());
        let arguments = json!({"url": url(&links[0]), "race_config": scenario.race_config});
        let mut pair = Self {
            tracked,
            ben,
            bens: String::new(),
        };
        let started = pair.told_ben("start_tracking", arguments).await.unwrap();
        started["race"].as_str().unwrap().clone_into(&mut pair.bens);
        pair
    }

    async fn told_ben(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        let world = &self.tracked.world;
        let answer = world.told(&self.ben.access_token, tool, arguments).await;
        if let Ok(answer) = &answer {
            outputs::check(tool, answer);
        }
        answer
    }

    async fn page(&self, path: &str) -> String {
        let (status, page) = get(&self.tracked.world, path).await;
        assert_eq!(status, 200, "{page}");
        page
    }
}

#[tokio::test]
async fn two_athletes_are_on_one_page_and_each_takes_off_only_their_own() {
    let pair = Pair::start().await;
    let world = &pair.tracked.world;
    pair.tracked.play(2700).await;
    let path = pair.tracked.shared(json!({"name": "Anna"})).await;
    let mut stream = Stream::open(world, &path).await;
    assert!(stream.until("event: beat").await.contains(r#""id":"now""#));

    let arguments = json!({"action": "make", "with": world.url(&path), "name": "Ben", "role": "crew"});
    let joined = pair.told_ben("share_race", arguments.clone()).await.unwrap();
    assert_eq!(
        (&joined["athletes"], &joined["race"]),
        (&json!(2), &json!(pair.bens))
    );
    let more = stream.change().await;
    assert!(more.contains("Anna") && more.contains("Ben"), "{more}");

    let page = pair.page(&path).await;
    let script = get(world, "/race.js").await.1;
    assert!(page.len() + script.len() <= 60_000, "{} bytes", page.len());
    for part in [
        "<title>Anna, Ben: live race</title>",
        "<bdi>Anna</bdi><span class=\"unseen\">: </span></span> Running.",
        "<bdi>Ben</bdi><span class=\"unseen\">: </span></span> Stopped",
        "<details",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Only Ben lets his heart rate be seen.
    let (anns, bens) = page.split_once("Ben</bdi><span").unwrap();
    assert!(!anns.contains("bpm") && bens.contains("bpm"), "{page}");
    let again = pair.told_ben("share_race", arguments).await.unwrap_err();
    assert!(again.contains("on that link already"), "{again}");
    let listed = pair.tracked.told("share_race", json!({"action": "list"})).await;
    assert_eq!(listed["shares"][0]["with"], json!(["Ben"]));

    // Ann ends all her shares; Ben's part stays at the same address, and nothing names her.
    let since = Instant::now();
    pair.tracked.told("share_race", json!({"action": "end"})).await;
    let rest = stream.change().await;
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    assert!(rest.contains("Ben") && !rest.contains("Anna"), "{rest}");
    let page = pair.page(&path).await;
    assert!(
        page.contains("<title>Ben: live race</title>") && !page.contains("Anna"),
        "{page}"
    );

    let end = json!({"action": "end", "share": joined["share"]});
    pair.told_ben("share_race", end).await.unwrap();
    stream.ends().await;
    assert_eq!(get(world, &path).await.0, 404);
}

#[tokio::test]
async fn a_race_is_added_only_by_its_own_athlete() {
    let pair = Pair::start().await;
    let world = &pair.tracked.world;
    let path = pair.tracked.shared(json!({})).await;
    // Somebody else's race, a link that never existed, and one that has ended.
    let with = world.url(&path);
    let foreign = json!({"race": pair.tracked.race, "with": with, "action": "make"});
    let refused = pair.told_ben("share_race", foreign).await.unwrap_err();
    assert!(refused.contains("there is no such race"), "{refused}");
    for wrong in ["x".to_owned(), world.url(&format!("/r/{}", "A".repeat(43)))] {
        let refused = pair
            .told_ben("share_race", json!({"action": "make", "with": wrong}))
            .await
            .unwrap_err();
        assert!(refused.starts_with("with: no link"), "{refused}");
    }
    pair.tracked.told("share_race", json!({"action": "end"})).await;
    let refused = pair
        .told_ben("share_race", json!({"action": "make", "with": with}))
        .await
        .unwrap_err();
    assert!(refused.starts_with("with: no link"), "{refused}");
    assert_eq!(
        pair.told_ben("share_race", json!({"action": "list"}))
            .await
            .unwrap()["shares"],
        json!([])
    );
}

/// Ann made the link, so she can take Ben off it. He can't take her off, and keeps his race and his own links.
#[tokio::test]
async fn the_maker_of_a_link_takes_another_athlete_off_it() {
    let pair = Pair::start().await;
    let world = &pair.tracked.world;
    pair.tracked.play(2700).await;
    let path = pair.tracked.shared(json!({"name": "Anna"})).await;
    let own = pair
        .told_ben("share_race", json!({"action": "make", "name": "Ben"}))
        .await
        .unwrap();
    let own = own["url"]
        .as_str()
        .unwrap()
        .strip_prefix(&world.url(""))
        .unwrap()
        .to_owned();
    let with = json!({"action": "make", "with": world.url(&path), "name": "Ben"});
    let part = pair.told_ben("share_race", with.clone()).await.unwrap();

    let listed = pair.tracked.told("share_race", json!({"action": "list"})).await;
    assert_eq!(
        listed["shares"][0]["can_end"],
        json!([{"share": part["share"], "name": "Ben"}])
    );
    let anns = json!({"action": "end", "share": listed["shares"][0]["share"]});
    let refused = pair.told_ben("share_race", anns).await.unwrap_err();
    assert!(refused.contains("no such share"), "{refused}");
    let listed = pair
        .told_ben("share_race", json!({"action": "list"}))
        .await
        .unwrap();
    // His two links were made at the same moment, so either may come first.
    let shares = listed["shares"].as_array().unwrap();
    let bens = shares
        .iter()
        .find(|share| share["share"] == part["share"])
        .unwrap();
    assert_eq!((&bens["with"], &bens["can_end"]), (&json!(["Anna"]), &json!([])));

    let mut stream = Stream::open(world, &path).await;
    assert!(stream.until("event: beat").await.contains("Ben"));
    let since = Instant::now();
    let end = json!({"action": "end", "share": part["share"]});
    let ended = pair.tracked.told("share_race", end.clone()).await;
    assert_eq!(
        (&ended["ended"], &ended["shares"][0]["with"]),
        (&json!(1), &json!([]))
    );
    let rest = stream.change().await;
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    assert!(rest.contains("Anna") && !rest.contains("Ben"), "{rest}");
    assert!(!pair.page(&path).await.contains("Ben"));
    assert!(pair.page(&own).await.contains("Ben"), "his own link stays");
    let listed = pair
        .told_ben("share_race", json!({"action": "list"}))
        .await
        .unwrap();
    assert_eq!(listed["shares"].as_array().unwrap().len(), 1);
    let races = pair.told_ben("list_races", json!({})).await.unwrap();
    assert!(races.to_string().contains(&pair.bens), "{races}");

    // The operator does the same.
    let part = pair.told_ben("share_race", with).await.unwrap();
    let share = part["share"].as_str().unwrap().to_owned();
    let end = |race: &str, share: &str| {
        let (race, share) = (race.to_owned(), Some(share.to_owned()));
        AdminRequest::Act(AdminAct::EndShares { race, share })
    };
    let AdminAnswer::Done(sentence) = ask(world, end(&pair.tracked.race, &share)).await else {
        panic!("not taken off")
    };
    assert!(sentence.contains("The athlete is off the page"), "{sentence}");
    assert!(!pair.page(&path).await.contains("Ben"));
}

/// The operator joins the two, and one of them is forgotten: the other stays, also after a restart.
#[tokio::test]
async fn a_forgotten_athlete_leaves_the_page_to_the_others() {
    let mut pair = Pair::start().await;
    pair.tracked.play(1800).await;
    let path = pair.tracked.shared(json!({"hours_after": 2})).await;
    let join = AdminAct::ShareRace {
        race: pair.bens.clone(),
        role: "family".into(),
        name: None,
        privacy_m: None,
        hours_after: None,
        with: Some(path.clone()),
    };
    let AdminAnswer::Done(sentence) = ask(&pair.tracked.world, AdminRequest::Act(join)).await else {
        panic!("not joined")
    };
    assert!(sentence.contains("of 2 athletes"), "{sentence}");
    let read = AdminRequest::Read(AdminRead::Shares {
        race: pair.bens.clone(),
    });
    let AdminAnswer::Shares(shares) = ask(&pair.tracked.world, read).await else {
        panic!("no list")
    };
    let others = &shares[0].with;
    assert_eq!((others.len(), shares[0].by_operator), (1, true));
    // Ann made the link, so Ben's side can't take her off.
    assert_eq!((&others[0].name, &others[0].share), (&None, &None));
    pair.tracked.world.restart().await;
    let page = pair.page(&path).await;
    assert!(page.contains("Athlete 1") && page.contains("Athlete 2"), "{page}");
    let forget = AdminAct::Forget {
        account: "ann@example.org".into(),
    };
    ask(&pair.tracked.world, AdminRequest::Act(forget)).await;
    let page = pair.page(&path).await;
    assert!(
        page.contains("<title>Live race</title>") && !page.contains("Athlete"),
        "{page}"
    );
}
