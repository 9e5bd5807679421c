//! A new LiveTrack session in mid-race, whose link comes by mail.

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::simulator::SimulatorSettings;

use super::{Tracked, start};
use crate::mailbox::{ImapServer, mail};
use crate::whole::World;

#[tokio::test]
async fn a_mail_with_a_new_link_carries_the_race_on() {
    let lifecycle = Lifecycle::new();
    let mails = ImapServer::start(&lifecycle, true).await;
    let clock = Clock::manual(start());
    let simulated = SimulatorSettings {
        clock: clock.clone(),
        ..SimulatorSettings::default()
    };
    let world = World::with(simulated, 1, &mails.settings()).await;
    let tracked = Tracked::in_world(world, clock.clone(), "successor").await;
    tracked.play(5500).await;
    let n = mails.count("IDLE");
    // The old session has points of a minute ago, so the mail waits.
    let uid = mails.deliver(&mail("ann@example.org", &tracked.links[1].path()), clock.now());
    let passes = async |n: usize| {
        while mails.count("IDLE") < n {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    passes(n + 1).await;
    assert!(!mails.is_read(uid));
    tracked.play(5900).await;
    mails.cut();
    while !mails.is_read(uid) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    tracked.play_to_the_end().await;
    assert_eq!(tracked.world.races().list(&tracked.account()).unwrap().len(), 1);
    assert_eq!(tracked.state().await, "finished");
    assert_eq!(tracked.kept(), tracked.sent());
    lifecycle.stop();
}
