//! Races: a LiveTrack link becomes a race that is watched until it ends.
//!
//! One task per race polls Garmin, stores the points ([`series`]), adds them to the track, and sends the alerts that
//! the rules in [`crate::race`] raise. [`Races`] is the only entry point.
//!
//! Invariants:
//! - An alert, the record that it was raised, and the points that caused it are committed together. After a crash a
//!   race continues where it stopped and repeats no alert.
//! - A person reaches only their own races. Another person's race is reported as missing. The link of a share shows the
//!   page of one race, and opens nothing else.
//! - A link's token is sealed with its race and appears in no answer and no log. Positions are not logged.
//!
//! | file | what |
//! |---|---|
//! | `registry` | all races, and reading them |
//! | `start`, `started`, `reach`, `acts`, `erase` | find, start or continue, stop, change, forget |
//! | `by_link` | a link alone starts a race, with the settings of an earlier one |
//! | `imported` | races that another program watched |
//! | `shares`, `versions` | links to a race's page, and notifying open pages of a change |
//! | `caller` | for whom a call acts, and whether it may still write |
//! | `task`, `state`, `race` | the task of a race, what tasks share, one race in memory |
//! | `running_looks` | the running looks (Claude's analyses), so that they end with their race |
//! | `records`, `series` | what is stored |
//! | `coaching` | sends Claude's messages to the phone |
//! | `recipients`, `messages` | readers of a race with their own phones, and which message goes to which phone |
//! | `fades` | whose past activities are to be read for the outlook, and what they showed |
//! | `home` | the state of each athlete, for home automation |
//! | `answers`, `tools` | the race tools of the connector |
//! | `bot` | the Telegram bot's answers about races, made by rules |
//! | `mailbox` | e-mails that start races |

mod acts;
pub mod answers;
mod bot;
mod by_link;
mod caller;
mod coaching;
mod erase;
mod fades;
mod home;
mod imported;
mod mailbox;
mod messages;
mod places;
mod race;
mod reach;
mod recipients;
mod records;
mod registry;
mod running_looks;
pub mod series;
mod shares;
mod start;
mod started;
mod state;
mod task;
pub mod tools;
mod versions;

use crate::coach;
use crate::notify::{self, message::Phone};
use crate::race::alerts::Alert;
use crate::store::Kind;
use records::{AccountRace, CourseRow, RaceProgress, RaceRow, RaceShare, RaceToken, ShareToken};

pub use acts::RaceActError;
pub use bot::{BOT_MENU, RaceBot};
pub use caller::{RaceCaller, RaceGrant};
pub use coaching::{CoachingError, CoachingOutcome, LONGEST_MESSAGE};
pub use fades::{FoundFade, WantedFade};
pub use imported::PastRace;
pub use mailbox::{
    MailboxHealth, MailboxParts, MailboxTrouble, RaceMailbox, fuzz as fuzz_mail, probe_mailbox,
};
pub use recipients::ChatInvitation;
pub use registry::{RaceOverview, Races, RacesMetrics, RacesParts};
pub use shares::{
    EndedShares, JoinedShare, LinkedAthlete, MOST_ATHLETES, NewShare, OpenLink, OpenShare, ShareOverview,
};
pub use started::{StartedRace, TrackingError};
pub use versions::RaceVersions;

/// The tables of this module, of messages, and of looks.
pub const KINDS: &[Kind] = &[
    Kind::of::<RaceRow>(),
    Kind::of::<RaceProgress>(),
    Kind::of::<CourseRow>(),
    Kind::of::<Alert>(),
    Kind::of::<AccountRace>(),
    Kind::of::<RaceToken>(),
    Kind::of::<RaceShare>(),
    Kind::of::<ShareToken>(),
    series::KIND,
    notify::KINDS[0],
    notify::KINDS[1],
    notify::KINDS[2],
    notify::KINDS[3],
    notify::KINDS[4],
    notify::KINDS[5],
    notify::KINDS[6],
    notify::KINDS[7],
    Kind::of::<Phone>(),
    coach::KIND,
    mailbox::KINDS[0],
    mailbox::KINDS[1],
];
