//! Replays a console session recorded against the demo, without a daemon: the same keys and lines must produce the
//! same requests and screens. `tests/clients/run.py console --record` records a new one.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde::Deserialize;
use serde_json::Value;

use super::keys::KeyPress;
use super::link::message_of;
use super::state::{ConsoleEffect, ConsoleMessage, ConsoleState, LinkState};
use super::tests::snapshot;
use super::theme::Theme;
use super::views;
use crate::admin::api::{AdminCall, AdminLine, AdminRequest};

const SESSION: &str = include_str!("../../tests/console/session.jsonl");

#[derive(Deserialize)]
struct RecordedEntry {
    /// Seconds since 1970-01-01 UTC.
    at: f64,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// The operator pressed a key.
    Key(char),
    /// A line from the console to the daemon.
    Said(AdminCall),
    /// A line from the daemon: first its `Hello`, then the other lines.
    Heard(Value),
}

struct Replay {
    state: ConsoleState,
    wanted: VecDeque<AdminRequest>,
    asked: HashMap<u64, AdminRequest>,
}

impl Replay {
    fn apply(&mut self, message: ConsoleMessage, now: Timestamp) {
        for effect in self.state.apply(message, now) {
            if let ConsoleEffect::Send(request) = effect {
                self.wanted.push_back(request);
            }
        }
    }

    fn said(&mut self, call: AdminCall, now: Timestamp) {
        // The connection sends this request on its own.
        if call.request == AdminRequest::Follow {
            return;
        }
        if self.wanted.is_empty() {
            // Neither a key nor a line caused this request, so it was caused by a tick.
            self.apply(ConsoleMessage::Tick, now);
        }
        assert_eq!(self.wanted.pop_front().as_ref(), Some(&call.request));
        self.asked.insert(call.id, call.request);
    }

    fn heard(&mut self, line: Value, now: Timestamp) {
        if line.get("protocol").is_some() {
            self.apply(ConsoleMessage::Link(LinkState::Live), now);
            return;
        }
        let line: AdminLine = serde_json::from_value(line).unwrap();
        if let Some(message) = message_of(line, &mut self.asked) {
            self.apply(message, now);
        }
    }

    fn picture(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let theme = Theme::default();
        terminal
            .draw(|frame| views::draw(&self.state, theme, frame))
            .unwrap();
        terminal.backend().to_string()
    }
}

#[test]
fn a_recorded_session_replays() {
    let entries: Vec<RecordedEntry> = SESSION
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let moment = |at: f64| Timestamp::from_duration(jiff::SignedDuration::from_secs_f64(at)).unwrap();
    let mut replay = Replay {
        state: ConsoleState::new(moment(entries[0].at), TimeZone::UTC, (80, 24)),
        wanted: VecDeque::new(),
        asked: HashMap::new(),
    };
    let mut pictures = Vec::new();
    for RecordedEntry { at, what } in entries {
        let now = moment(at);
        match what {
            What::Key(key) => {
                pictures.push(format!("before {key}\n{}", replay.picture()));
                replay.apply(ConsoleMessage::Key(KeyPress::Char(key)), now);
            }
            What::Said(call) => replay.said(call, now),
            What::Heard(line) => replay.heard(line, now),
        }
    }
    assert!(
        replay.wanted.is_empty(),
        "it asked for more than then: {:?}",
        replay.wanted
    );
    snapshot("a_recorded_session_replays", &pictures.join("\n\n"));
}
