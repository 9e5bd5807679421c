//! The page of a shared race, ready to be laid out: sentences, rows and drawings in the reader's language. Pure.
//!
//! Invariants:
//! - The page of a family has no heart rate, no power, no free text, and no position within the chosen radius of the
//!   start and the end.
//! - Nothing names the person unless they chose a name for the share.
//! - No signal is never called a stop.
//! - On a page of several athletes, each one's part follows the terms of their own share.

mod course_group;
mod drawing;
mod events;
mod joined;
mod map;
mod moments;
mod pace;
mod places;
mod privacy;
mod profile;
mod report;
mod sign;
mod single;
mod source;
mod splits;
mod spoken;
mod state;
#[cfg(test)]
mod tests;
mod tiles;
mod words;

pub use events::EventRow;
pub use joined::{JoinedPage, PagePart};
pub use map::PageMap;
pub use pace::PagePace;
pub use places::PlaceRow;
pub use profile::PageProfile;
pub use report::{PageReport, is_over};
pub use sign::AthleteSign;
pub use single::{BodyFigure, RacePage};
pub use source::{LinePoint, PageSource};
pub use splits::{PageSplits, SplitRow};
pub use spoken::SpokenRace;
pub use state::{PageState, PageTone};
pub use words::{MessageWords, PageWords};
