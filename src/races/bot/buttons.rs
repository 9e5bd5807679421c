//! What is written into the buttons below a message, and how it comes back. Pure.

use crate::notify::bot::ReplyButton;
use crate::race::id::RaceId;

/// The answer to whether a race should be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StopChoice {
    Stop(RaceId),
    Keep,
}

impl StopChoice {
    fn data(&self) -> String {
        match self {
            Self::Stop(race) => format!("stop:{race}"),
            Self::Keep => "keep".to_owned(),
        }
    }

    /// `None` for a button that this version does not know.
    pub(super) fn read(data: &str) -> Option<Self> {
        if data == "keep" {
            return Some(Self::Keep);
        }
        data.strip_prefix("stop:")?.parse().ok().map(Self::Stop)
    }
}

/// A button that stops each race, and one that keeps watching. `races` are ids and titles.
pub(super) fn stop_buttons(races: &[(RaceId, String)]) -> Vec<ReplyButton> {
    let stop = |(race, title): &(RaceId, String)| ReplyButton {
        label: match races {
            [_] => "Stop watching".to_owned(),
            _ => format!("Stop watching {title}"),
        },
        data: StopChoice::Stop(race.clone()).data(),
    };
    let keep = ReplyButton {
        label: "Keep watching".to_owned(),
        data: StopChoice::Keep.data(),
    };
    races.iter().map(stop).chain([keep]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_comes_back_as_it_was_made() {
        let races = [
            (RaceId::random(), "A".to_owned()),
            (RaceId::random(), "B".to_owned()),
        ];
        let buttons = stop_buttons(&races);
        let labels: Vec<_> = buttons.iter().map(|button| button.label.as_str()).collect();
        assert_eq!(labels, ["Stop watching A", "Stop watching B", "Keep watching"]);
        let choices = buttons.iter().filter_map(|button| StopChoice::read(&button.data));
        let stop = |at: usize| StopChoice::Stop(races[at].0.clone());
        assert!(choices.eq([stop(0), stop(1), StopChoice::Keep]));
        assert!(buttons.iter().all(|button| button.data.len() <= 64));
        assert_eq!(stop_buttons(&races[..1])[0].label, "Stop watching");
        for data in ["", "stop", "stop:x", "look:race_abcdefgh23456723"] {
            assert_eq!(StopChoice::read(data), None, "{data}");
        }
    }
}
