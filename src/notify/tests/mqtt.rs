use std::collections::BTreeMap;
use std::slice;

use serde_json::Value;

use super::broker::{BrokerMemory, BrokerStandIn};
use super::*;
use crate::base::secrets::Secret;
use crate::garmin::{GarminTokens, SignedIn};
use crate::race::home::HomeState;
use crate::race::support::hour;

const ACCOUNT: &str = "acc_aaaaaaaaaaaaaaaa";
const STATE: &str = "garmin-gateway/acc_aaaaaaaaaaaaaaaa/state";
const DEVICE: &str = "homeassistant/device/garmin_gateway_acc_aaaaaaaaaaaaaaaa/config";

/// Lets the bench use a broker.
fn broker_settings(bench: &Bench, broker: &BrokerStandIn, people: &str, more: &[(&str, &str)]) {
    let mut pairs = vec![("MQTT_URL", broker.url.as_str()), ("MQTT_PEOPLE", people)];
    pairs.extend_from_slice(more);
    let live = settings(&bench.telegram.url, &bench.ntfy.url, &pairs);
    bench.live.send_replace(live);
}

fn athletes(bench: &Bench) -> BTreeMap<AccountId, HomeState> {
    let mut snapshot = hour().0;
    snapshot.account = bench.account.clone();
    [(bench.account.clone(), HomeState::of(&snapshot))].into()
}

#[tokio::test]
async fn a_message_waits_for_the_broker_and_arrives_on_the_persons_topic() {
    let bench = Bench::new(&[]).await;
    let broker = BrokerStandIn::start().await;
    // 5: not authorized.
    broker.refuse_with(5);
    let user = [("MQTT_USER", "gateway"), ("MQTT_PASSWORD", "secret")];
    broker_settings(&bench, &broker, "all", &user);
    broker.wait_for(|told| !told.sign_ins.is_empty()).await;
    bench.push("started", "The race has started.").await;
    bench.failure_noted().await;
    let advice = bench.notifier.broker_advice().unwrap();
    assert!(advice.contains("check MQTT_USER and MQTT_PASSWORD"), "{advice}");
    let tested = bench.notifier.test().await.unwrap();
    assert_eq!((tested[0].sent, tested[0].failed.as_ref()), (0, Some(&advice)));

    broker.refuse_with(0);
    while bench.notifier.broker_advice().is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    bench.clock.advance(SignedDuration::from_mins(2));
    bench.notifier.wake();
    let told = broker.wait_for(|told| !told.passed.is_empty()).await;
    bench.settled().await;
    assert!(told.sign_ins[0].contains("gateway") && told.sign_ins[0].contains("secret"));
    let (topic, payload) = &told.passed[0];
    assert_eq!(*topic, format!("garmin-gateway/{ACCOUNT}/messages"));
    let payload: Value = serde_json::from_str(payload).unwrap();
    assert_eq!(
        (&payload["text"], &payload["severity"], &payload["kind"]),
        (&"The race has started.".into(), &"warning".into(), &"race".into())
    );
    assert_eq!(payload["race"], bench.race.to_string());
    // The operator's test has a topic of its own.
    assert_eq!(bench.notifier.test().await.unwrap()[0].sent, 1);
    let told = broker.wait_for(|told| told.passed.len() == 2).await;
    assert_eq!(told.passed[1].0, "garmin-gateway/operator/messages");
}

#[tokio::test]
async fn the_broker_keeps_what_is_wanted_and_nothing_else() {
    let bench = Bench::new(&[]).await;
    let broker = BrokerStandIn::start().await;
    let left = "garmin-gateway/acc_bbbbbbbbbbbbbbbb/state";
    broker.keep(left, "{}");
    broker.keep("garmin-gateway/else/state", "{}");
    broker_settings(&bench, &broker, "all", &[]);
    let told = broker
        .wait_for(|told| told.kept.contains_key("garmin-gateway/status"))
        .await;
    // The athletes are not known yet, so nothing is cleared.
    assert!(told.kept.contains_key(left));
    bench.notifier.show_at_broker(athletes(&bench));
    let is_shown = |told: &BrokerMemory| {
        told.kept.contains_key(DEVICE) && told.kept.contains_key(STATE) && !told.kept.contains_key(left)
    };
    let told = broker.wait_for(is_shown).await;
    let state: Value = serde_json::from_str(&told.kept[STATE]).unwrap();
    assert_eq!(
        (&state["in_activity"], &state["distance_km"]),
        (&"OFF".into(), &10.8.into())
    );
    let device: Value = serde_json::from_str(&told.kept[DEVICE]).unwrap();
    assert_eq!(device["state_topic"], STATE);
    // After a change of the prefix, everything under the old one is cleared.
    broker_settings(&bench, &broker, "all", &[("MQTT_TOPIC", "home/garmin")]);
    let told = broker
        .wait_for(|told| {
            told.kept
                .contains_key(&STATE.replace("garmin-gateway", "home/garmin"))
        })
        .await;
    assert!(!told.kept.contains_key(STATE));
    assert_eq!(told.kept["garmin-gateway/status"], "offline");
    // A device that is no longer wanted is cleared.
    bench.notifier.show_at_broker(BTreeMap::new());
    let told = broker.wait_for(|told| !told.kept.contains_key(DEVICE)).await;
    assert_eq!(told.kept["home/garmin/status"], "online");
    assert!(bench.lifecycle.drain(std::time::Duration::from_secs(20)).await);
    broker
        .wait_for(|told| told.kept["home/garmin/status"] == "offline")
        .await;
}

#[tokio::test]
async fn only_those_who_are_named_and_have_no_phone_of_their_own_are_at_the_broker() {
    let bench = Bench::new(&[]).await;
    let broker = BrokerStandIn::start().await;
    let ntfy = [("NTFY_TOPIC", "family")];
    broker_settings(&bench, &broker, "ben@example.org", &ntfy);
    bench.push("a", "first").await;
    bench.settled().await;
    assert_eq!(texts(&bench.ntfy, "message"), ["first"]);
    broker_settings(&bench, &broker, ACCOUNT, &ntfy);
    bench.push("b", "second").await;
    bench.settled().await;
    let told = broker.wait_for(|told| !told.passed.is_empty()).await;
    assert!(told.passed[0].1.contains("second"));
    // The person has chosen a phone, so messages go only there.
    let own = phone(None, Some("anns-own"));
    assert_eq!(bench.set(own).await, Ok(MessageRoute::Personal));
    bench.push("c", "third").await;
    bench.settled().await;
    assert_eq!(texts(&bench.ntfy, "message").last().unwrap(), "third");
    let told = broker.wait_for(|_| true).await;
    assert_eq!(told.passed.len(), 1);
}

#[tokio::test]
async fn people_at_the_broker_are_accounts_whose_messages_go_there() {
    let bench = Bench::new(&[]).await;
    assert!(bench.notifier.people_at_broker().unwrap().is_empty());
    let signed_in = |profile_id| SignedIn {
        profile_id,
        display_name: "ann".into(),
        full_name: "Ann Example".into(),
        tokens: GarminTokens {
            di_token: Secret::new("t"),
            di_refresh_token: None,
            di_client_id: None,
        },
    };
    let ann = bench
        .notifier
        .accounts()
        .link("ann@example.org", signed_in(7))
        .await
        .unwrap();
    bench
        .notifier
        .accounts()
        .link("ben@example.org", signed_in(8))
        .await
        .unwrap();
    let broker = BrokerStandIn::start().await;
    broker_settings(&bench, &broker, "Ann@example.org", &[]);
    assert_eq!(
        bench.notifier.people_at_broker().unwrap(),
        slice::from_ref(&ann.id)
    );
    let key = ann.id.as_str().as_bytes();
    bench.store.put(key, phone(None, Some("anns-own"))).await.unwrap();
    // Her phone is on a channel that is not set up.
    assert_eq!(
        bench.notifier.people_at_broker().unwrap(),
        slice::from_ref(&ann.id)
    );
    broker_settings(&bench, &broker, "Ann@example.org", &[("NTFY_TOPIC", "family")]);
    assert!(bench.notifier.people_at_broker().unwrap().is_empty());
}
