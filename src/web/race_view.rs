//! Renders the page of a shared race: once per change, for all readers who see the same.

mod fragments;
mod html;
mod readers;
mod rendered;

pub(super) use self::html::{MessageTemplate, MessageWhy, SCRIPT, STYLE_SOURCES};
pub(super) use self::readers::RaceReaders;
pub(super) use self::rendered::RenderedRace;
