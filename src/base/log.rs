//! The log. Events are facts in the past tense, and the message of an event is its name.
//!
//! On a terminal an event is one short line; elsewhere it is one JSON object per line. The same events go to the log
//! file, if one is configured, and to a ring buffer that the console shows. The level can be changed at runtime.
//!
//! Invariant: events of other crates are logged from `warn` up only, because their debug output contains headers and
//! bodies.
//!
//! | level | events |
//! |---|---|
//! | error | `task.failed`, `store.write_failed`, `store.reopen_failed`, `bug` |
//! | warn | abnormal conditions: `worker.exited`, `token.reuse_detected`, `garmin.answer_changed`, `config.refused` |
//! | info | normal operation: `daemon.ready`, `account.linked`, `worker.ready`, `token.issued`, `stats` |
//! | debug | single requests, polls and connections |

mod event;
mod level;
mod ring;
mod traces;

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::base::clock::Clock;
use event::EventFields;
pub use event::LogEvent;
pub use level::LogLevel;
pub use ring::Ring;
pub use traces::{Span, Traces};

/// Where log lines go, in addition to the log file and the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// Standard output, used by the daemon.
    Stdout,
    /// Standard error, for commands whose output is read by other programs.
    Stderr,
}

/// A handle to the running log, with its ring and its level.
#[derive(Clone, Debug)]
pub struct Telemetry {
    ring: Ring,
    level: Arc<AtomicU8>,
}

impl Telemetry {
    /// Starts logging for the whole process. Fails if the log file can't be opened or logging was already started.
    pub fn start(
        console: Console,
        file: Option<&Path>,
        level: LogLevel,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let file = file
            .map(|path| OpenOptions::new().create(true).append(true).open(path))
            .transpose()?;
        let is_terminal = match console {
            Console::Stdout => std::io::stdout().is_terminal(),
            Console::Stderr => std::io::stderr().is_terminal(),
        };
        let telemetry = Self {
            ring: Ring::default(),
            level: Arc::new(AtomicU8::new(rank(level))),
        };
        let layer = Log {
            console,
            is_terminal,
            file: file.map(Mutex::new),
            telemetry: telemetry.clone(),
            clock,
        };
        tracing_subscriber::registry()
            .with(layer)
            .try_init()
            .map_err(std::io::Error::other)?;
        Ok(telemetry)
    }

    /// Recent events, and a feed of new ones.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Changes the level at runtime.
    pub fn set_level(&self, level: LogLevel) {
        self.level.store(rank(level), Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }
}

/// The verbosity of a level; a higher rank logs more.
fn rank(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 1,
        LogLevel::Warning => 2,
        LogLevel::Info => 3,
        LogLevel::Debug => 4,
    }
}

fn rank_of(level: Level) -> u8 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

const OURS: &str = env!("CARGO_CRATE_NAME");

struct Log {
    console: Console,
    is_terminal: bool,
    file: Option<Mutex<File>>,
    telemetry: Telemetry,
    clock: Clock,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let rank = rank_of(*metadata.level());
        let wanted = self.telemetry.level.load(Ordering::Relaxed);
        rank <= wanted && (metadata.target().starts_with(OURS) || rank <= 2)
    }

    /// Lets tracing skip unwanted events with a single comparison. It asks again when the level changes.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.telemetry.level.load(Ordering::Relaxed) {
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        })
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // Not cached, because the level can change at runtime.
        tracing::subscriber::Interest::sometimes()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = EventFields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<EventFields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = EventFields::default();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<EventFields>() {
                fields.add_missing(of_span);
            }
        }
        event.record(&mut fields);
        let event = LogEvent::new(self.clock.now(), *event.metadata().level(), fields);
        let json = event.to_json();
        let line = if self.is_terminal {
            event.to_line()
        } else {
            json.clone()
        };
        // A full pipe or disk must not stop the program, so the line is dropped.
        drop(match self.console {
            Console::Stdout => writeln!(std::io::stdout().lock(), "{line}"),
            Console::Stderr => writeln!(std::io::stderr().lock(), "{line}"),
        });
        if let Some(file) = &self.file {
            let mut file = file.lock();
            drop(writeln!(file, "{json}"));
        }
        self.telemetry.ring.push(event);
    }
}
