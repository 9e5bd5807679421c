//! Calls of tools, as a person's client makes them.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::house::{Garmin, House};
use crate::load::Target;
use crate::person;
use crate::wire::{Connection, mcp_request};

/// A client that a person has connected.
pub(crate) struct Client {
    port: u16,
    token: String,
    connection: Connection,
}

impl Client {
    /// Connects the first of the simulator's people.
    pub(crate) async fn connect(garmin: &Garmin, house: &House) -> Result<Self> {
        Ok(Self {
            port: house.port,
            token: person::connect(&house.url, garmin.person(0)?).await?,
            connection: Connection::open(house.port).await?,
        })
    }

    /// A call to measure. Each answer must contain this text.
    pub(crate) fn target(&self, name: &str, arguments: &Value, contains: &'static [u8]) -> Target {
        Target {
            port: self.port,
            request: self.request(name, arguments),
            contains,
            tls: None,
        }
    }

    /// Calls once, and returns the structured result.
    pub(crate) async fn call(&mut self, name: &str, arguments: &Value) -> Result<Value> {
        let request = self.request(name, arguments);
        let answer = self.connection.exchange(&request).await?;
        let mut told: Value = serde_json::from_slice(answer.body)
            .with_context(|| format!("{name}: status {}", answer.status))?;
        let result = told["result"].take();
        ensure!(result["isError"] != true, "{name} failed: {result}");
        Ok(result["structuredContent"].clone())
    }

    /// Has the simulator play its race and the gateway watch it. Returns the race.
    pub(crate) async fn watch_race(&mut self, garmin: &Garmin) -> Result<String> {
        let url = format!("{}/simulator/livetrack", garmin.url());
        let played = reqwest::Client::new()
            .post(url)
            .body(json!({"elapsed_s": 2400}).to_string());
        let played: Value = serde_json::from_slice(&played.send().await?.bytes().await?)?;
        let link = json!({"url": played["links"][0]["url"], "race_config": {"poll_interval_secs": 5}});
        let started = self.call("start_tracking", &link).await?;
        let race = started["race"].as_str();
        Ok(race.with_context(|| format!("no race: {started}"))?.to_owned())
    }

    fn request(&self, name: &str, arguments: &Value) -> Vec<u8> {
        let params = json!({"name": name, "arguments": arguments});
        mcp_request(&self.token, "tools/call", &params)
    }
}
