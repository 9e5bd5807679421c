//! The progress of calls that take long: many requests to Garmin, or a file.
//!
//! A client that wants to follow it sends a `progressToken`. Short calls report nothing, so that their answer can be a
//! plain one.

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

/// From this number of requests on, a call counts as long.
const LONG: u32 = 5;

pub(super) const DOWNLOADING: &str = "Downloading the file";
pub(super) const READING: &str = "Reading the file";

/// At most about this many notifications are sent for one round of requests.
const STEPS: u32 = 20;

/// Takes the messages for the client that belong to one call.
pub(super) type Notifications = mpsc::UnboundedSender<Bytes>;

/// The progress of one call.
#[derive(Default)]
pub(super) struct CallProgress {
    /// `None` if the client wants no progress.
    client: Option<ProgressClient>,
    count: Mutex<RequestCount>,
}

struct ProgressClient {
    /// The client's own token, as raw JSON.
    token: Box<RawValue>,
    notifications: Notifications,
}

#[derive(Default)]
struct RequestCount {
    done: u32,
    total: u32,
    /// The last reported value. MCP requires each value to exceed the one before.
    told: Option<u32>,
}

impl CallProgress {
    pub(super) fn new(token: Option<&RawValue>, notifications: &Notifications) -> Self {
        Self {
            client: token.map(|token| ProgressClient {
                token: token.to_owned(),
                notifications: notifications.clone(),
            }),
            count: Mutex::default(),
        }
    }

    /// Announces that more requests are about to be sent.
    pub(super) fn begin(&self, requests: usize) {
        self.count.lock().total += u32::try_from(requests).unwrap_or(u32::MAX);
    }

    /// Counts one more answered request, and reports it if it completes a step.
    pub(super) fn answered(&self) {
        let mut count = self.count.lock();
        count.done += 1;
        let step = (count.total / STEPS).max(1);
        if count.total >= LONG && (count.done.is_multiple_of(step) || count.done == count.total) {
            let text = format!("{} of {} requests to Garmin answered", count.done, count.total);
            self.tell(&mut count, &text);
        }
    }

    /// Reports a step that takes long by itself, such as a download.
    pub(super) fn step(&self, text: &str) {
        self.tell(&mut self.count.lock(), text);
    }

    fn tell(&self, count: &mut RequestCount, text: &str) {
        let Some(client) = &self.client else { return };
        if count.told.is_some_and(|told| told >= count.done) {
            return;
        }
        count.told = Some(count.done);
        let message = json!({
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {
                "progressToken": client.token,
                "progress": count.done,
                "total": count.total,
                "message": text,
            },
        });
        // An error means that the client has gone; its call ends by itself.
        drop(client.notifications.send(message.to_string().into()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn told(requests: usize, token: Option<&str>) -> Vec<Value> {
        let (notifications, mut told) = mpsc::unbounded_channel();
        let token = token.map(|token| RawValue::from_string(token.to_owned()).unwrap());
        let progress = CallProgress::new(token.as_deref(), &notifications);
        progress.begin(requests);
        for _ in 0..requests {
            progress.answered();
        }
        std::iter::from_fn(|| told.try_recv().ok())
            .map(|message| serde_json::from_slice(&message).unwrap())
            .collect()
    }

    #[test]
    fn long_work_is_told_in_growing_steps_and_only_to_those_who_want_it() {
        assert_eq!(told(90, None), Vec::<Value>::new());
        assert_eq!(told(3, Some("7")), Vec::<Value>::new());
        let steps = told(90, Some("\"a\""));
        assert!((5..=25).contains(&steps.len()), "{}", steps.len());
        let amounts: Vec<u64> = steps
            .iter()
            .map(|step| step["params"]["progress"].as_u64().unwrap())
            .collect();
        assert!(amounts.is_sorted_by(|one, next| one < next), "{amounts:?}");
        let last = steps.last().unwrap();
        assert_eq!(last["method"], "notifications/progress");
        assert_eq!(
            last["params"],
            json!({
                "progressToken": "a", "progress": 90, "total": 90, "message": "90 of 90 requests to Garmin answered",
            })
        );
    }

    #[test]
    fn a_file_is_two_steps() {
        let (notifications, mut told) = mpsc::unbounded_channel();
        let token = RawValue::from_string("7".to_owned()).unwrap();
        let progress = CallProgress::new(Some(&token), &notifications);
        progress.begin(2);
        progress.step(DOWNLOADING);
        progress.answered();
        progress.step(READING);
        progress.step(READING);
        let amounts: Vec<Value> = std::iter::from_fn(|| told.try_recv().ok())
            .map(|message| serde_json::from_slice::<Value>(&message).unwrap()["params"]["progress"].clone())
            .collect();
        assert_eq!(amounts, [0, 1]);
    }
}
