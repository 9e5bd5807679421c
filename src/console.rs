//! The terminal: what the daemon tells, drawn, and keys turned into acts.
//!
//! One channel of [`message::Message`]s goes into [`state::State::apply`], which is pure; what it wants done comes
//! out as [`message::Effect`]s; [`views`] reads the state and draws. It draws only after something changed, and at
//! most twenty times a second. A lost daemon is a state that is shown, not an error: it is found again by itself.
//!
//! Absent on purpose: a mouse (people copy text), animation, colours that the terminal's own theme does not know.

mod chart;
mod dialog;
mod dots;
mod keys;
mod link;
pub mod measured;
mod message;
#[cfg(test)]
mod replay;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod views;
pub mod words;

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event, EventStream, KeyCode, KeyEvent, KeyEventKind,
    KeyModifiers,
};
use jiff::tz::TimeZone;
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_stream::StreamExt;

use self::keys::Key;
use self::link::Connection;
use self::message::{Effect, Message};
use self::state::State;
use self::theme::Theme;
use crate::base::clock::Clock;

/// The shortest time between two pictures.
const FRAME: Duration = Duration::from_millis(50);

/// How the console looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// No colours.
    pub no_color: bool,
    /// Only ASCII.
    pub ascii: bool,
}

/// Cells of a line of this terminal.
pub fn terminal_width() -> Option<usize> {
    crossterm::terminal::size()
        .ok()
        .map(|(width, _)| usize::from(width))
}

/// Shows the daemon at `socket` until the person leaves or a signal says stop. The terminal is whole afterwards,
/// also after a panic. Errors: the terminal can't be used.
pub async fn run(socket: PathBuf, look: Look, clock: Clock) -> std::io::Result<()> {
    let theme = Theme {
        color: !look.no_color,
        ascii: look.ascii,
    };
    let mut terminal = ratatui::try_init()?;
    let _restored = Restore;
    crossterm::execute!(std::io::stdout(), EnableBracketedPaste)?;
    let connection = Connection::new(socket, clock.clone());
    converse(&mut terminal, connection, theme, &clock).await
}

/// Makes the terminal whole, whatever ends the console.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        // The terminal may be gone, and then there is nothing to restore.
        crossterm::execute!(std::io::stdout(), DisableBracketedPaste).unwrap_or_default();
        ratatui::restore();
    }
}

async fn converse(
    terminal: &mut DefaultTerminal,
    mut connection: Connection,
    theme: Theme,
    clock: &Clock,
) -> std::io::Result<()> {
    let size = terminal.size()?;
    let mut state = State::new(clock.now(), TimeZone::system(), (size.width, size.height));
    let mut events = EventStream::new();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (mut changed, mut due) = (true, Instant::now());
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
            _ = second.tick() => Message::Tick,
            _ = terminate.recv() => return Ok(()),
            _ = hang_up.recv() => return Ok(()),
        };
        for effect in state.apply(message, clock.now()) {
            match effect {
                Effect::Call(request) => connection.send(request).await,
                Effect::Quit => return Ok(()),
            }
        }
        changed = true;
    }
}

fn message_of(event: &Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_of(key).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text.clone())),
        Event::Resize(columns, rows) => Some(Message::Resize(*columns, *rows)),
        _ => None,
    }
}

fn key_of(key: &KeyEvent) -> Option<Key> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(_)
            if key
                .modifiers
                .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            return None;
        }
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
