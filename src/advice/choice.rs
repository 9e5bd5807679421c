//! What a person wants from the coach, and how they say it. Pure.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// The time of the messages if the person chose none. The history fetches the night from nine o'clock on.
const USUAL_TIME: u16 = 9 * 60 + 15;
const USUAL_QUIET: MinuteSpan = MinuteSpan {
    from: 21 * 60,
    to: 7 * 60,
};

/// Minutes of a local day, such as 21:00 to 07:00. The end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinuteSpan {
    pub from: u16,
    pub to: u16,
}

/// Which mornings bring a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MorningWish {
    /// Only mornings on which something is notable.
    Notable,
    /// Every morning, with the figures of the night.
    Daily,
}

/// What a person has chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoachWishes {
    pub morning: MorningWish,
    /// Whether there is a review of the week on Mondays.
    pub weekly: bool,
    /// When the coach speaks, in minutes of the local day.
    pub at: u16,
    /// When the coach is silent; `None` for never.
    pub quiet: Option<MinuteSpan>,
}

impl Default for CoachWishes {
    fn default() -> Self {
        Self {
            morning: MorningWish::Notable,
            weekly: true,
            at: USUAL_TIME,
            quiet: Some(USUAL_QUIET),
        }
    }
}

impl MinuteSpan {
    pub fn holds(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Reads two times of day, such as `21:00-07:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-').or_else(|| text.split_once('–'))?;
        let span = Self {
            from: minute(from)?,
            to: minute(to)?,
        };
        (span.from != span.to).then_some(span)
    }

    pub fn told(self) -> String {
        format!("{}-{}", clock(self.from), clock(self.to))
    }
}

/// Reads a time of day, such as `7:30`, as minutes.
pub fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let time = Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()?;
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()
}

/// Minutes as a time of day.
pub fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl CoachWishes {
    /// Applies `said`, which pairs names of arguments with their texts. The error says what is wrong and what to write
    /// instead.
    pub fn with(mut self, said: &[(&str, &str)]) -> Result<Self, String> {
        for (name, text) in said {
            let text = text.trim();
            match *name {
                "morning" => {
                    self.morning = match text {
                        "notable" => MorningWish::Notable,
                        "daily" => MorningWish::Daily,
                        _ => return Err("morning: write notable or daily".to_owned()),
                    }
                }
                "weekly" => {
                    self.weekly = match text {
                        "on" | "true" => true,
                        "off" | "false" => false,
                        _ => return Err("weekly: write on or off".to_owned()),
                    }
                }
                "at" => {
                    self.at = minute(text)
                        .ok_or("at: write a time of day with two numbers, such as 09:15".to_owned())?;
                }
                "quiet" => {
                    self.quiet = match text {
                        "off" => None,
                        _ => Some(MinuteSpan::parse(text).ok_or(
                            "quiet: write two times of day, such as 21:00-07:00, or off".to_owned(),
                        )?),
                    }
                }
                _ => {}
            }
        }
        match self.quiet {
            Some(quiet) if quiet.holds(self.at) => Err(format!(
                "at: {} is within the quiet hours {}; choose another time, or other quiet hours with quiet",
                clock(self.at),
                quiet.told()
            )),
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_pass_midnight() {
        let night = MinuteSpan::parse("21:00-7:00").unwrap();
        assert_eq!(night.told(), "21:00-07:00");
        for (text, is_quiet) in [
            ("20:59", false),
            ("21:00", true),
            ("00:00", true),
            ("06:59", true),
            ("07:00", false),
        ] {
            assert_eq!(night.holds(minute(text).unwrap()), is_quiet, "{text}");
        }
        let noon = MinuteSpan::parse("12:00-13:00").unwrap();
        assert!(noon.holds(12 * 60) && !noon.holds(13 * 60) && !noon.holds(0));
        for wrong in ["21-7", "21:00", "24:00-07:00", "9:00-9:00", "x"] {
            assert_eq!(MinuteSpan::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_fix() {
        let with = |said: &[(&str, &str)]| CoachWishes::default().with(said);
        let changed = with(&[
            ("morning", "daily"),
            ("weekly", "off"),
            ("at", "7:30"),
            ("quiet", "off"),
        ])
        .unwrap();
        assert_eq!(
            (changed.morning, changed.weekly, changed.at, changed.quiet),
            (MorningWish::Daily, false, 450, None)
        );
        assert!(
            with(&[("at", "23:00")])
                .unwrap_err()
                .contains("within the quiet hours 21:00-07:00")
        );
        for name in ["morning", "weekly", "at", "quiet"] {
            assert!(with(&[(name, "soon")]).unwrap_err().starts_with(name));
        }
    }
}
