//! Tracing spans for an OpenTelemetry collector (OTLP over HTTP, JSON), if one is configured; otherwise a no-op.
//!
//! Only operations that are worth tracing have spans: polling LiveTrack, storing points, and analyses by Claude. Spans
//! are sent in batches in the background. If the collector is down, they are lost, at no other cost.
//!
//! Deliberately absent: the `opentelemetry` crates (too much for three kinds of spans), sampling, metrics, and logs.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::post::{Post, Poster};
use crate::base::secrets::random_bytes;

/// The maximum number of spans that wait to be sent; further ones are dropped.
const WAITING: usize = 4096;

/// The maximum number of spans in one request.
const BATCH: usize = 256;

/// How long spans are gathered before they are sent.
const GATHER: Duration = Duration::from_secs(5);

/// The destination of spans. Clones share the same queue.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Sink>);

#[derive(Clone, Debug)]
struct Sink {
    spans: mpsc::Sender<Value>,
    clock: Clock,
}

/// An operation in progress; it ends when this is dropped.
#[derive(Debug)]
pub struct Span(Option<OpenSpan>);

#[derive(Debug)]
struct OpenSpan {
    sink: Sink,
    name: &'static str,
    trace: String,
    id: String,
    parent: Option<String>,
    began_at: Timestamp,
    began: Instant,
    attributes: Vec<Value>,
    failed: Option<String>,
}

impl Traces {
    /// Tracing without a collector; spans do nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Sends spans to the collector at `endpoint` (`OTEL_EXPORTER_OTLP_ENDPOINT`), under `v1/traces`.
    pub fn start(endpoint: &Url, clock: Clock, lifecycle: &Lifecycle) -> Self {
        let (spans, inbox) = mpsc::channel(WAITING);
        let mut url = endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v1", "traces"]);
        }
        let stopping = lifecycle.stopping();
        lifecycle.spawn("traces", async move {
            let mut exporter = Exporter {
                url,
                inbox,
                spans: Vec::new(),
                poster: Poster::default(),
                is_down: false,
            };
            tokio::select! {
                () = exporter.run() => {}
                () = stopping.cancelled() => exporter.send_rest().await,
            }
        });
        Self(Some(Sink { spans, clock }))
    }

    pub fn begin(&self, name: &'static str) -> Span {
        Span(
            self.0
                .as_ref()
                .map(|sink| OpenSpan::new(sink, name, hex(16), None)),
        )
    }
}

impl Span {
    /// Begins a child span of this one.
    #[must_use]
    pub fn begin(&self, name: &'static str) -> Self {
        let inner =
            |open: &OpenSpan| OpenSpan::new(&open.sink, name, open.trace.clone(), Some(open.id.clone()));
        Self(self.0.as_ref().map(inner))
    }

    /// Adds a text attribute. Only ids and names of states, never personal data.
    pub fn text(&mut self, key: &str, value: impl std::fmt::Display) {
        if let Some(open) = &mut self.0 {
            let value = json!({"stringValue": value.to_string()});
            open.attributes.push(json!({"key": key, "value": value}));
        }
    }

    pub fn number(&mut self, key: &str, value: usize) {
        if let Some(open) = &mut self.0 {
            // OTLP's JSON encodes 64-bit integers as strings.
            let value = json!({"intValue": value.to_string()});
            open.attributes.push(json!({"key": key, "value": value}));
        }
    }

    /// Marks the span as failed, with the name of the error.
    pub fn failed(&mut self, why: impl std::fmt::Display) {
        if let Some(open) = &mut self.0 {
            open.failed = Some(why.to_string());
        }
    }
}

impl OpenSpan {
    fn new(sink: &Sink, name: &'static str, trace: String, parent: Option<String>) -> Self {
        Self {
            sink: sink.clone(),
            name,
            trace,
            id: hex(8),
            parent,
            began_at: sink.clock.now(),
            began: Instant::now(),
            attributes: Vec::new(),
            failed: None,
        }
    }

    fn to_json(&self) -> Value {
        let lasted = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        let ended_at = self.began_at.saturating_add(lasted).unwrap_or(Timestamp::MAX);
        let mut span = json!({
            "traceId": self.trace,
            "spanId": self.id,
            "name": self.name,
            // OTLP's SPAN_KIND_INTERNAL.
            "kind": 1,
            "startTimeUnixNano": self.began_at.as_nanosecond().to_string(),
            "endTimeUnixNano": ended_at.as_nanosecond().to_string(),
            "attributes": self.attributes,
        });
        if let Some(object) = span.as_object_mut() {
            object.extend(
                self.parent
                    .clone()
                    .map(|parent| ("parentSpanId".to_owned(), parent.into())),
            );
            let status = self.failed.as_ref().map(|why| json!({"code": 2, "message": why}));
            object.extend(status.map(|status| ("status".to_owned(), status)));
        }
        span
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(open) = &self.0 {
            // When the queue is full, spans are dropped rather than blocking the caller.
            open.sink.spans.try_send(open.to_json()).ok();
        }
    }
}

struct Exporter {
    url: Url,
    inbox: mpsc::Receiver<Value>,
    /// Spans gathered but not sent yet.
    spans: Vec<Value>,
    poster: Poster,
    is_down: bool,
}

impl Exporter {
    async fn run(&mut self) {
        while self.inbox.recv_many(&mut self.spans, BATCH).await > 0 {
            let gather = async {
                while self.spans.len() < BATCH && self.inbox.recv_many(&mut self.spans, 1).await > 0 {}
            };
            // A full batch and the timeout are both reasons to send.
            tokio::time::timeout(GATHER, gather).await.ok();
            self.send().await;
        }
    }

    /// Sends the remaining spans when the program stops.
    async fn send_rest(&mut self) {
        while let Ok(span) = self.inbox.try_recv() {
            self.spans.push(span);
        }
        if !self.spans.is_empty() {
            self.send().await;
        }
    }

    async fn send(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        let service = json!([{"key": "service.name", "value": {"stringValue": "garmin-gateway"}}]);
        let scope = json!({"name": "garmin-gateway", "version": env!("CARGO_PKG_VERSION")});
        let post = Post {
            url: self.url.clone(),
            bearer: None,
            headers: Vec::new(),
            json: json!({"resourceSpans": [{
                "resource": {"attributes": service},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }]}),
        };
        let taken = self
            .poster
            .post(post)
            .await
            .is_ok_and(|answer| (200..300).contains(&answer.status));
        if !taken && !self.is_down {
            tracing::warn!("traces.not_taken");
        }
        self.is_down = !taken;
    }
}

fn hex(bytes: usize) -> String {
    use std::fmt::Write;
    let random: [u8; 16] = random_bytes();
    random
        .iter()
        .take(bytes)
        .fold(String::with_capacity(bytes * 2), |mut text, byte| {
            // Writing to a string can't fail.
            write!(text, "{byte:02x}").ok();
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stand_in::StandIn;

    #[tokio::test]
    async fn spans_reach_the_collector() {
        let lifecycle = Lifecycle::new();
        let stand_in = StandIn::start(&lifecycle).await;
        let tracing = Lifecycle::new();
        let clock = Clock::manual("2026-10-04T09:00:00Z".parse().unwrap());
        let traces = Traces::start(&stand_in.url, clock, &tracing);
        let mut poll = traces.begin("race.poll");
        poll.text("race.id", "race_x");
        let mut store = poll.begin("race.store");
        store.number("points", 7);
        drop(store);
        poll.failed("rate_limited");
        drop(poll);
        // Shutting down sends the remaining spans.
        assert!(tracing.drain(Duration::from_secs(20)).await);
        let sent = stand_in.asked().remove(0);
        assert_eq!(sent.path, "/v1/traces");
        let resource = &sent.json["resourceSpans"][0];
        assert_eq!(
            resource["resource"]["attributes"][0]["value"]["stringValue"],
            "garmin-gateway"
        );
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        let [store, poll] = spans.as_slice() else {
            panic!("{spans:?}")
        };
        assert_eq!(
            (&store["name"], &poll["name"]),
            (&json!("race.store"), &json!("race.poll"))
        );
        assert_eq!(
            (&store["parentSpanId"], &store["traceId"]),
            (&poll["spanId"], &poll["traceId"])
        );
        assert_eq!(poll["startTimeUnixNano"], "1791104400000000000");
        assert_eq!(poll["traceId"].as_str().map(str::len), Some(32));
        assert_eq!(poll["status"], json!({"code": 2, "message": "rate_limited"}));
        assert_eq!(
            store["attributes"],
            json!([{"key": "points", "value": {"intValue": "7"}}])
        );
    }

    #[test]
    fn without_a_collector_a_span_is_nothing() {
        let mut span = Traces::off().begin("race.poll");
        span.text("a", "b");
        assert!(span.0.is_none() && span.begin("race.store").0.is_none());
    }
}
