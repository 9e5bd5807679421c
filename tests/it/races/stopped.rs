//! Stories of an operator who stops a race.

use garmin_gateway::admin::api::{AdminAct, AdminRefusal, AdminRequest};
use garmin_gateway::admin::client::{AdminClient, ClientError};

use super::Tracked;

#[tokio::test]
async fn a_race_that_is_over_is_not_stopped_again() {
    let tracked = Tracked::start("tunnel").await;
    tracked.play(600).await;
    let mut operator = AdminClient::connect(&tracked.world.socket()).await.unwrap();
    let race = tracked.race.clone();
    let stop = || AdminRequest::Act(AdminAct::StopRace { race: race.clone() });
    operator.ask(stop()).await.unwrap();
    let refused = operator.ask(stop()).await.unwrap_err();
    let told =
        matches!(&refused, ClientError::Refused(AdminRefusal::Invalid(why)) if why.contains("already over"));
    assert!(told, "{refused}");
}
