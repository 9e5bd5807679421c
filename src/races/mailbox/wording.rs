//! Why a mail started no race, in words. Pure.

/// Why a person's LiveTrack mail started nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UnusedMail {
    /// The link is cut off.
    Incomplete,
    /// Garmin does not know the session, or no longer.
    Gone,
    /// The athlete has ended the session.
    Over,
    /// Garmin did not answer before the link expired.
    NoAnswer,
    /// More sessions came by mail than are followed in a day.
    TooMany,
    /// The race could not be started; with the sentence that says why.
    Refused(String),
}

impl UnusedMail {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Incomplete => "link_incomplete",
            Self::Gone => "link_gone",
            Self::Over => "session_over",
            Self::NoAnswer => "no_answer",
            Self::TooMany => "too_many",
            Self::Refused(_) => "not_started",
        }
    }

    pub(super) fn told(&self) -> String {
        match self {
            Self::Incomplete => "A LiveTrack e-mail came, but its link is cut off, so no race was started. Send the whole \
                 link to the bot's chat or to Claude."
                .to_owned(),
            Self::Gone => "A LiveTrack e-mail came, but Garmin does not know its session, or no longer does. Nothing was started."
                .to_owned(),
            Self::Over => "A LiveTrack e-mail came, but its session is already over. Nothing was started.".to_owned(),
            Self::NoAnswer => "A LiveTrack e-mail came, but Garmin did not answer for a day, and the link has expired. Nothing was \
                 started."
                .to_owned(),
            Self::TooMany => "Many LiveTrack e-mails have come today, so no more of them start a race. A link that you send \
                 to the bot's chat or to Claude still does."
                .to_owned(),
            Self::Refused(why) => format!("A LiveTrack e-mail came. {why}"),
        }
    }
}
