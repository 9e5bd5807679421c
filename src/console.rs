//! The console: draws what the daemon sends and turns keys into acts.
//!
//! Messages go into [`state::ConsoleState::apply`], which is pure and returns [`state::ConsoleEffect`]s. `views`
//! draws the state after a change, at most twenty times a second. A lost connection to the daemon is a state to show,
//! not an error; the console reconnects automatically.
//!
//! Omitted on purpose: mouse support (it would prevent text selection), animation, and colours outside the terminal's
//! theme.

mod actions;
mod command_line;
mod data;
mod dialog;
mod keys;
mod link;
pub mod measured;
mod rehearsal;
#[cfg(test)]
mod replay;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod views;
pub mod words;

use std::io::Write;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, EventStream, KeyCode, KeyEvent, KeyEventKind,
    KeyModifiers,
};
use jiff::tz::TimeZone;
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_stream::StreamExt;

use self::keys::KeyPress;
use self::link::DaemonConnection;
use self::rehearsal::RehearsedRace;
use self::state::{ConsoleEffect, ConsoleMessage, ConsoleState};
use self::theme::Theme;
use crate::base::clock::Clock;

/// A stored race that is being read and replayed through the race watch.
type PlayingRace = Pin<Box<dyn Future<Output = Result<Arc<RehearsedRace>, String>>>>;

/// Minimum time between two frames.
const FRAME: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    pub no_color: bool,
    pub ascii: bool,
}

/// The width of the terminal in cells.
pub fn terminal_width() -> Option<usize> {
    crossterm::terminal::size()
        .ok()
        .map(|(width, _)| usize::from(width))
}

/// Runs the console for the daemon at `socket` until the operator quits or a signal arrives. The terminal is restored
/// afterwards, even after a panic. Errors: the terminal can't be used.
pub async fn run(socket: PathBuf, look: Look, clock: Clock) -> std::io::Result<()> {
    let theme = Theme {
        color: !look.no_color,
        ascii: look.ascii,
    };
    let mut terminal = ratatui::try_init()?;
    let _restored = TerminalGuard;
    crossterm::execute!(std::io::stdout(), EnableBracketedPaste)?;
    let connection = DaemonConnection::new(socket, clock.clone());
    event_loop(&mut terminal, connection, theme, &clock).await
}

/// Restores the terminal when dropped.
struct TerminalGuard;

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        // This fails if the terminal is gone, which then needs no restoring.
        crossterm::execute!(std::io::stdout(), DisableBracketedPaste).unwrap_or_default();
        ratatui::restore();
    }
}

async fn event_loop(
    terminal: &mut DefaultTerminal,
    mut connection: DaemonConnection,
    theme: Theme,
    clock: &Clock,
) -> std::io::Result<()> {
    let size = terminal.size()?;
    let mut state = ConsoleState::new(clock.now(), TimeZone::system(), (size.width, size.height));
    let mut events = EventStream::new();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (mut changed, mut due) = (true, Instant::now());
    let mut playing: Option<PlayingRace> = None;
    loop {
        let message = tokio::select! {
            () = sleep_until(due), if changed => {
                terminal.draw(|frame| views::draw(&state, theme, frame))?;
                changed = false;
                due = Instant::now() + FRAME;
                continue;
            }
            event = events.next() => match event {
                Some(event) => match message_of(&event?) {
                    Some(message) => message,
                    None => continue,
                },
                None => return Ok(()),
            },
            message = connection.next() => message,
            played = async { Some(playing.as_mut()?.await) }, if playing.is_some() => {
                playing = None;
                match played {
                    Some(played) => ConsoleMessage::Played(played),
                    None => continue,
                }
            }
            _ = second.tick() => ConsoleMessage::Tick,
            _ = terminate.recv() => return Ok(()),
            _ = hang_up.recv() => return Ok(()),
        };
        for effect in state.apply(message, clock.now()) {
            match effect {
                ConsoleEffect::Send(request) => connection.send(request).await,
                ConsoleEffect::Copy(text) => copy(&text)?,
                ConsoleEffect::Play(race) => {
                    playing = Some(Box::pin(rehearsal::play(connection.path().to_owned(), race)));
                }
                ConsoleEffect::StopPlaying => playing = None,
                ConsoleEffect::Quit => return Ok(()),
            }
        }
        changed = true;
    }
}

/// Asks the terminal to copy `text` to the clipboard (OSC 52). This also works over ssh; terminals without support
/// ignore it.
fn copy(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
    out.flush()
}

fn message_of(event: &Event) -> Option<ConsoleMessage> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_of(key).map(ConsoleMessage::Key),
        Event::Paste(text) => Some(ConsoleMessage::Paste(text.clone())),
        Event::Resize(columns, rows) => Some(ConsoleMessage::Resize(*columns, *rows)),
        _ => None,
    }
}

fn key_of(key: &KeyEvent) -> Option<KeyPress> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => KeyPress::Interrupt,
        KeyCode::Char(_)
            if key
                .modifiers
                .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            return None;
        }
        KeyCode::Char(c) => KeyPress::Char(c),
        KeyCode::Enter => KeyPress::Enter,
        KeyCode::Esc => KeyPress::Esc,
        KeyCode::Tab => KeyPress::Tab,
        KeyCode::BackTab => KeyPress::BackTab,
        KeyCode::Backspace => KeyPress::Backspace,
        KeyCode::Up => KeyPress::Up,
        KeyCode::Down => KeyPress::Down,
        KeyCode::Left => KeyPress::Left,
        KeyCode::Right => KeyPress::Right,
        KeyCode::PageUp => KeyPress::PageUp,
        KeyCode::PageDown => KeyPress::PageDown,
        KeyCode::Home => KeyPress::Home,
        KeyCode::End => KeyPress::End,
        _ => return None,
    })
}
