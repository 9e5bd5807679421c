//! A link in a chat or in an e-mail starts a race, with the settings of an earlier one.

mod inherited;

use inherited::{EarlierRace, NewRace, TakenSettings, inherit};

use crate::accounts::AccountId;
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::snapshot::race_title;
use crate::races::caller::RaceCaller;
use crate::races::reach::ReachedLink;
use crate::races::records::{CourseRow, RaceProgress, RaceRow};
use crate::races::registry::Races;
use crate::races::started::{StartOutcome, StartedRace, TrackingError};
use crate::store::StoreError;

impl LinkStart {
    /// The result for a race that continues with another link.
    pub(super) fn continued(started: StartedRace, title: String) -> Self {
        Self {
            started,
            title,
            taken: None,
            is_untold: false,
        }
    }

    /// Reports a found race as new, because the program was killed after it had started the race and before it said so.
    pub(super) fn was_started_before_a_crash(&mut self) {
        self.started.outcome = StartOutcome::New;
        self.is_untold = true;
    }
}

/// How a link came to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkWay {
    /// The person sent it to the bot.
    Chat,
    /// It came in an e-mail, which anybody can send.
    Mail,
}

/// A race that a link started or found.
#[derive(Debug)]
pub(super) struct LinkStart {
    pub(super) started: StartedRace,
    pub(super) title: String,
    taken: Option<TakenSettings>,
    /// Whether it is unknown which settings were taken over.
    is_untold: bool,
}

/// Starts a race with this link for the caller, or finds the race that has it already.
pub(super) async fn start(
    races: &Races,
    caller: &RaceCaller,
    reached: ReachedLink,
    way: LinkWay,
) -> Result<LinkStart, TrackingError> {
    let account = caller.account();
    let is_known = races.race_of_link(account, &reached.link)?.is_some();
    let new = if is_known {
        NewRace::default()
    } else {
        look(races, &reached).await
    };
    let mut earlier = earlier(races, account)?;
    if way == LinkWay::Mail {
        // The settings name recipients, who must not get messages about a stranger.
        let athlete = reached.session.as_ref().and_then(LiveTrackSession::athlete_key);
        earlier.retain(|race| athlete.is_some() && race.athlete == athlete);
    }
    let taken = inherit(&new, &earlier);
    let plan = taken.as_ref().map(|taken| taken.plan.clone()).unwrap_or_default();
    let course = taken.as_ref().and_then(|taken| taken.course.clone());
    let mut own_course = new.course;
    let other = own_course.take_if(|own| course.is_none() && plan.is_contradicted_by(own, false));
    let course = course.or(own_course);
    let title = race_title(reached.session.as_ref(), &plan);
    let started = StartedRace {
        course_left_out: other.is_some(),
        ..races.begin(caller, reached, plan, course).await?
    };
    Ok(LinkStart {
        started,
        title,
        taken,
        is_untold: false,
    })
}

/// What LiveTrack reports about a new race. Unknown values stay empty.
async fn look(races: &Races, reached: &ReachedLink) -> NewRace {
    let mut new = NewRace {
        activity_type: reached
            .session
            .as_ref()
            .and_then(|session| session.activity_type.clone()),
        ..NewRace::default()
    };
    if reached.unreachable {
        return new;
    }
    if let Ok(batch) = races.0.livetrack.points(&reached.link, None).await {
        let mut points = batch.points.iter();
        new.start = points.clone().find_map(|point| point.position);
        let of_points = points.find_map(|point| point.activity_type.clone());
        new.activity_type = of_points.or(new.activity_type);
    }
    new.course = races.course_of_session(&reached.link).await;
    new
}

fn earlier(races: &Races, account: &AccountId) -> Result<Vec<EarlierRace>, StoreError> {
    let store = &races.0.store;
    let mut earlier = Vec::new();
    for id in races.ids_of(account)? {
        let Some(row) = store.find::<RaceRow>(id.key())? else {
            continue;
        };
        let progress = store.find::<RaceProgress>(id.key())?;
        let session: Option<LiveTrackSession> = progress.and_then(|progress| progress.watch.session);
        earlier.push(EarlierRace {
            title: race_title(session.as_ref(), &row.settings),
            created_at: row.created_at,
            course: store.find::<CourseRow>(id.key())?.map(|row| row.course),
            athlete: session.as_ref().and_then(LiveTrackSession::athlete_key),
            activity_type: session.and_then(|session| session.activity_type),
            plan: row.settings,
        });
    }
    Ok(earlier)
}

/// Says what is watched now, and with which settings. `link` is the address of a page for the family.
pub(super) fn told(start: &LinkStart, link: Option<&str>, way: LinkWay) -> String {
    let LinkStart {
        started,
        title,
        taken,
        is_untold,
    } = start;
    let mut lines = vec![match started.outcome {
        StartOutcome::Known => format!("I'm already watching {title}. /status shows how it is going."),
        StartOutcome::Continued if way == LinkWay::Mail => {
            format!("A new LiveTrack link came by e-mail, so {title} goes on, with the settings it has.")
        }
        StartOutcome::Continued => format!("I'm watching {title} again, with the settings it has."),
        StartOutcome::New if way == LinkWay::Mail => format!(
            "A LiveTrack e-mail came, so I'm watching {title}. I'll stop when the race ends; to end it earlier, send /stop \
             to the bot or tell Claude."
        ),
        StartOutcome::New => {
            format!("I'm watching {title}. I'll stop when the race ends; /stop ends it earlier.")
        }
    }];
    if started.unreachable {
        lines.push("Garmin has not answered yet. I'll keep trying.".to_owned());
    }
    lines.extend(left_out(started.left_out, way));
    if started.outcome == StartOutcome::New && !is_untold {
        lines.push(match taken {
            Some(taken) => taken.told.clone(),
            None => "The settings are the usual ones. Claude can change them: course, checkpoints, limits."
                .to_owned(),
        });
    }
    if started.course_left_out {
        lines.push(
            "The course in LiveTrack is not used, because it contradicts the distance, places or legs of the settings. Claude \
             can change them."
                .to_owned(),
        );
    }
    if let Some(link) = link {
        lines.push(format!("The live page for family and friends: {link}"));
    }
    lines.join("\n")
}

/// Says that the text had links to other sessions.
fn left_out(others: usize, way: LinkWay) -> Option<String> {
    let source = match way {
        LinkWay::Chat => "message",
        LinkWay::Mail => "e-mail",
    };
    match others {
        0 => None,
        1 => Some(format!(
            "The {source} has another LiveTrack link, which is not watched. To watch it too, send it alone."
        )),
        more => Some(format!(
            "The {source} has {more} other LiveTrack links, which are not watched. To watch one of them too, send it alone."
        )),
    }
}

/// A problem with a link as a sentence for the chat. The name of the tool's argument is cut off, because it means
/// nothing there.
pub(super) fn failed(problem: &str) -> String {
    let problem = problem.strip_prefix("url: ").unwrap_or(problem);
    let mut letters = problem.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("Nothing was started. {first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garmin::livetrack::LinkProblem;
    use crate::race::id::RaceId;

    fn started(outcome: StartOutcome, unreachable: bool) -> LinkStart {
        LinkStart {
            started: StartedRace {
                race: RaceId::random(),
                outcome,
                unreachable,
                left_out: 0,
                course_left_out: false,
                invitations: Vec::new(),
            },
            title: "Ann E".into(),
            taken: None,
            is_untold: false,
        }
    }

    #[test]
    fn the_answer_says_what_is_watched_and_with_what() {
        let new = told(
            &started(StartOutcome::New, false),
            Some("https://gw.example.org/r/x"),
            LinkWay::Chat,
        );
        assert!(
            new.starts_with("I'm watching Ann E.") && new.contains("usual ones"),
            "{new}"
        );
        assert!(new.ends_with("friends: https://gw.example.org/r/x"), "{new}");
        let known = told(&started(StartOutcome::Known, false), None, LinkWay::Chat);
        assert_eq!(
            known,
            "I'm already watching Ann E. /status shows how it is going."
        );
        let again = told(&started(StartOutcome::Continued, true), None, LinkWay::Chat);
        assert_eq!(
            again,
            "I'm watching Ann E again, with the settings it has.\nGarmin has not answered yet. I'll keep trying."
        );
    }

    #[test]
    fn links_that_are_left_out_are_named() {
        let text = |others, way| {
            let mut start = started(StartOutcome::New, false);
            start.started.left_out = others;
            told(&start, None, way)
        };
        assert!(!text(0, LinkWay::Chat).contains("another"));
        let one = text(1, LinkWay::Chat);
        assert!(
            one.contains("The message has another LiveTrack link, which is not watched."),
            "{one}"
        );
        let two = text(2, LinkWay::Mail);
        assert!(two.contains("The e-mail has 2 other LiveTrack links"), "{two}");
    }

    #[test]
    fn a_race_that_a_mail_started_says_so() {
        let new = told(&started(StartOutcome::New, false), None, LinkWay::Mail);
        assert!(
            new.starts_with("A LiveTrack e-mail came, so I'm watching Ann E."),
            "{new}"
        );
        let mut found = started(StartOutcome::Known, false);
        found.was_started_before_a_crash();
        let found = told(&found, None, LinkWay::Mail);
        assert!(
            found.starts_with("A LiveTrack e-mail came") && !found.contains("settings"),
            "{found}"
        );
        let again = told(&started(StartOutcome::Continued, false), None, LinkWay::Mail);
        assert!(
            again.contains("so Ann E goes on, with the settings it has."),
            "{again}"
        );
    }

    #[test]
    fn a_problem_is_told_without_the_words_of_the_tool() {
        let gone = failed(&TrackingError::Gone.to_string());
        assert!(
            gone.starts_with("Nothing was started. Garmin does not know this"),
            "{gone}"
        );
        let cut_off = failed(&LinkProblem::Incomplete.to_string());
        assert!(
            cut_off.contains("The link has no complete session id"),
            "{cut_off}"
        );
    }
}
