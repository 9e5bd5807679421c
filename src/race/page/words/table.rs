//! The words of the page, each with its name. Every language must have all of them.

/// Every word of the page in one language.
#[derive(Debug)]
pub struct PageWords {
    /// The language's code, for the `lang` attribute and for choosing the language.
    pub code: &'static str,
    pub decimal: char,
    /// Short names, Monday first.
    pub weekdays: [&'static str; 7],
    /// A time of day on another day than now.
    pub other_day: &'static str,
    pub title: &'static str,
    pub title_of: &'static str,
    pub by: &'static str,
    pub skip: &'static str,
    pub simulated: &'static str,
    pub imprint: &'static str,
    pub moving: MovingWords,
    pub state: StateWords,
    pub just_now: &'static str,
    pub ago: &'static str,
    pub one_minute: &'static str,
    pub minutes: &'static str,
    pub hours: &'static str,
    pub map: &'static str,
    pub map_alt: &'static str,
    pub map_hidden: &'static str,
    pub map_tiles: &'static str,
    pub map_credit: &'static str,
    pub course: &'static str,
    pub covered: &'static str,
    pub last_seen: &'static str,
    pub north: &'static str,
    pub profile: &'static str,
    pub profile_alt: &'static str,
    pub places: &'static str,
    pub places_note: &'static str,
    pub place: &'static str,
    pub start: &'static str,
    pub finish: &'static str,
    pub early: &'static str,
    pub likely: &'static str,
    pub late: &'static str,
    pub passed: &'static str,
    pub unknown: &'static str,
    pub not_seen: &'static str,
    pub cutoff: &'static str,
    pub margin: &'static str,
    pub too_late: &'static str,
    pub on_the_map: &'static str,
    pub body: &'static str,
    pub heart_rate: &'static str,
    pub bpm: &'static str,
    pub power: &'static str,
    pub pace: &'static str,
    pub splits: &'static str,
    pub splits_last: &'static str,
    pub splits_all: &'static str,
    pub distance: &'static str,
    pub time: &'static str,
    pub messages: &'static str,
    pub events: EventWords,
    pub joined: JoinedWords,
    pub report: ReportWords,
    pub zone: &'static str,
    pub reload: &'static str,
    pub ends_at: &'static str,
    pub live: LiveWords,
    pub chat: ChatWords,
    pub gone: MessageWords,
    pub busy: MessageWords,
    pub broken: MessageWords,
}

/// What the athlete does, by kind of sport.
#[derive(Debug)]
pub struct MovingWords {
    pub unknown: &'static str,
    pub swim: &'static str,
    pub ride: &'static str,
    pub run: &'static str,
    pub walk: &'static str,
    pub hike: &'static str,
    pub row: &'static str,
    pub paddle: &'static str,
    pub ski: &'static str,
    pub skate: &'static str,
    pub transition: &'static str,
}

/// The state of the race in sentences.
#[derive(Debug)]
pub struct StateWords {
    pub waiting: &'static str,
    pub waiting_more: &'static str,
    pub seen_at: &'static str,
    pub seen: &'static str,
    pub seen_near: &'static str,
    pub stopped: &'static str,
    pub stopped_at: &'static str,
    pub paused: &'static str,
    pub paused_at: &'static str,
    pub signal_good: &'static str,
    pub no_signal: &'static str,
    pub no_signal_more: &'static str,
    pub expected: &'static str,
    pub unreachable: &'static str,
    pub unreachable_more: &'static str,
    pub finished: &'static str,
    pub finished_in: &'static str,
    pub ended_early: &'static str,
    pub probably: &'static str,
    pub probably_more: &'static str,
    pub link_gone: &'static str,
    pub tracking_stopped: &'static str,
    pub may_go_on: &'static str,
    pub covered: &'static str,
    pub started: &'static str,
    pub left: &'static str,
}

/// The events, for readers who do not see the messages themselves.
#[derive(Debug)]
pub struct EventWords {
    pub started: &'static str,
    pub no_signal: &'static str,
    pub signal_back: &'static str,
    pub stopped: &'static str,
    pub paused: &'static str,
    pub off_course: &'static str,
    pub cutoff_risk: &'static str,
    pub cutoff_missed: &'static str,
    pub checkpoint: &'static str,
    pub leg_change: &'static str,
    pub finished: &'static str,
    pub ended: &'static str,
    pub probably_finished: &'static str,
    pub link_gone: &'static str,
}

/// The words of a page with several athletes.
#[derive(Debug)]
pub struct JoinedWords {
    /// The name of an athlete who chose none.
    pub athlete: &'static str,
    pub arrivals: &'static str,
    pub arrivals_note: &'static str,
    /// Names the zone of the times, if the races are in several.
    pub zone: &'static str,
}

/// The report of a race that is over.
#[derive(Debug)]
pub struct ReportWords {
    pub title: &'static str,
    pub ended_at: &'static str,
    pub ahead: &'static str,
    pub behind: &'static str,
    pub moving: &'static str,
    pub average: &'static str,
    pub climb: &'static str,
    pub no_stop: &'static str,
    pub one_stop: &'static str,
    pub stops: &'static str,
    pub one_gap: &'static str,
    pub gaps: &'static str,
    pub heart_rate: &'static str,
    pub drift_more: &'static str,
    pub drift_fewer: &'static str,
    pub legs_title: &'static str,
    pub leg: &'static str,
    pub length: &'static str,
    pub stops_title: &'static str,
    pub from: &'static str,
    pub lasted: &'static str,
    pub passed: &'static str,
    pub after: &'static str,
    pub plan: &'static str,
    pub plan_note: &'static str,
    pub spare: &'static str,
    pub paused: &'static str,
    pub near_end: &'static str,
    pub pace_range: &'static str,
    pub gpx: &'static str,
}

/// The words of the script, which shows how old the page is.
#[derive(Debug)]
pub struct LiveWords {
    pub fresh: &'static str,
    pub seconds: &'static str,
    pub minutes: &'static str,
    pub lost: &'static str,
    pub ended: &'static str,
}

/// The answers in a chat that have no place on the page.
#[derive(Debug)]
pub struct ChatWords {
    pub no_race: &'static str,
    pub no_outlook: &'static str,
    pub over: &'static str,
    pub no_distance: &'static str,
    pub too_early: &'static str,
    pub by_kilometre: &'static str,
    pub no_such_place: &'static str,
    pub beyond_finish: &'static str,
    pub known_places: &'static str,
    pub no_course: &'static str,
    pub off_course: &'static str,
    pub passed_there: &'static str,
    pub passes_there: &'static str,
    pub place_at: &'static str,
    pub athlete: &'static str,
    pub share_how: &'static str,
    pub no_files: &'static str,
    pub already_linked: &'static str,
    pub not_invited: &'static str,
}

/// A page with one message.
#[derive(Debug)]
pub struct MessageWords {
    pub title: &'static str,
    pub text: &'static str,
    pub step: &'static str,
}
