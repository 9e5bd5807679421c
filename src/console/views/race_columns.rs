//! The columns of the list of races. A wide terminal has more of them.

use jiff::Timestamp;
use ratatui::layout::Constraint;
use ratatui::text::{Line, Span};

use crate::admin::views::RaceView;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::views::panes::{WIDE, state_word};
use crate::console::words::{ago, clock, early_or_late, plain, time_of_day};

struct RaceColumn {
    title: &'static str,
    width: Constraint,
    /// The narrowest terminal that shows it.
    from_width: u16,
    cell: fn(&ConsoleState, Theme, &RaceView) -> Line<'static>,
}

const ANY: u16 = 0;

const COLUMNS: [RaceColumn; 9] = [
    RaceColumn {
        title: "ATHLETE",
        width: Constraint::Fill(2),
        from_width: ANY,
        cell: |state, _, race| text(state.data.athlete(race)),
    },
    RaceColumn {
        title: "RACE",
        width: Constraint::Fill(3),
        from_width: ANY,
        cell: |_, _, race| text(&race.name),
    },
    RaceColumn {
        title: "STATE",
        width: Constraint::Length(12),
        from_width: ANY,
        cell: |_, theme, race| state_word(theme, &race.state),
    },
    RaceColumn {
        title: "ELAPSED",
        width: Constraint::Length(8),
        from_width: WIDE,
        cell: |state, _, race| text(&elapsed(state.races_now(), race).map_or("-".into(), clock)),
    },
    RaceColumn {
        title: "DISTANCE",
        width: Constraint::Length(14),
        from_width: ANY,
        cell: |_, _, race| text(&distance(race)),
    },
    RaceColumn {
        title: "FINISH",
        width: Constraint::Length(6),
        from_width: ANY,
        cell: |state, _, race| text(&finish(state, race)),
    },
    RaceColumn {
        title: "PLAN",
        width: Constraint::Length(10),
        from_width: WIDE,
        cell: |_, theme, race| margin(theme, race.ahead_of_plan_s, ""),
    },
    RaceColumn {
        title: "NEXT CUT-OFF",
        width: Constraint::Fill(2),
        from_width: WIDE,
        cell: |_, theme, race| {
            let place = race
                .next_cutoff
                .as_ref()
                .map(|cutoff| format!(", {}", cutoff.place));
            let margin_s = race.next_cutoff.as_ref().map(|cutoff| cutoff.margin_s);
            margin(theme, margin_s, &place.unwrap_or_default())
        },
    },
    RaceColumn {
        title: "LAST POINT",
        width: Constraint::Length(10),
        from_width: ANY,
        cell: |state, _, race| {
            text(
                &race
                    .last_point_at
                    .map_or("-".into(), |at| ago(at, state.races_now())),
            )
        },
    },
];

fn shown(width: u16) -> impl Iterator<Item = &'static RaceColumn> {
    COLUMNS.iter().filter(move |column| width >= column.from_width)
}

pub(super) fn titles(width: u16) -> Vec<&'static str> {
    shown(width).map(|column| column.title).collect()
}

pub(super) fn widths(width: u16) -> Vec<Constraint> {
    shown(width).map(|column| column.width).collect()
}

/// The cells of a race in a terminal of this width.
pub(super) fn cells(state: &ConsoleState, theme: Theme, race: &RaceView, width: u16) -> Vec<Line<'static>> {
    shown(width)
        .map(|column| (column.cell)(state, theme, race))
        .collect()
}

fn text(text: &str) -> Line<'static> {
    Line::raw(plain(text))
}

/// Seconds from the start to the finish, to the end of the points, or to now.
fn elapsed(now: Timestamp, race: &RaceView) -> Option<f64> {
    let until = race.finished_at.or(race.ended_at).unwrap_or(now);
    Some(until.duration_since(race.started_at?).as_secs_f64())
}

/// The distance so far, and the total distance if it is known.
pub(super) fn distance(race: &RaceView) -> String {
    let km = |m: f64| format!("{:.1}", m / 1_000.0);
    match (race.distance_m, race.whole_m) {
        (Some(so_far), Some(whole)) => format!("{}/{} km", km(so_far), km(whole)),
        (Some(so_far), None) => format!("{} km", km(so_far)),
        (None, Some(whole)) => format!("of {} km", km(whole)),
        (None, None) => "-".into(),
    }
}

/// The time of day at the finish: when the athlete was there, else when they are likely to be.
pub(super) fn finish(state: &ConsoleState, race: &RaceView) -> String {
    let likely = race.finish.map(|[_, likely, _]| likely);
    let finish = race.finished_at.or(likely);
    finish.map_or("-".into(), |at| time_of_day(at, &state.zone))
}

/// How early or late, with a warning if late. A sign would need a legend: the page of a race has + for slower, and a
/// cut-off usually + for time to spare.
fn margin(theme: Theme, early_s: Option<f64>, rest: &str) -> Line<'static> {
    let Some(early_s) = early_s else {
        return Line::raw("-");
    };
    let role = if early_s < 0.0 { Role::Warn } else { Role::Ok };
    let margin = Span::styled(early_or_late(early_s), theme.style(role));
    Line::from(vec![margin, Span::raw(plain(rest))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::tests::samples::{at, race};

    #[test]
    fn the_clock_of_a_race_ends_with_it() {
        let mut race = race();
        assert_eq!(elapsed(at(0), &race), Some(4_000.0));
        race.ended_at = Some(at(-400));
        assert_eq!(elapsed(at(0), &race), Some(3_600.0));
        race.finished_at = Some(at(-500));
        assert_eq!(elapsed(at(0), &race), Some(3_500.0));
        race.started_at = None;
        assert_eq!(elapsed(at(0), &race), None);
    }

    #[test]
    fn a_finished_race_shows_its_finish_and_plan() {
        let state = crate::console::tests::samples::typical((120, 40));
        let mut race = race();
        assert_eq!(finish(&state, &race), "11:38");
        (race.finish, race.next_cutoff) = (None, None);
        race.finished_at = Some(at(-500));
        let row = cells(&state, Theme::default(), &race, WIDE);
        let row: Vec<String> = row.iter().map(ToString::to_string).collect();
        assert_eq!(
            (row[5].as_str(), row[6].as_str(), row[7].as_str()),
            ("10:58", "1:15 late", "-")
        );
        race.ahead_of_plan_s = Some(287.0);
        let row = cells(&state, Theme::default(), &race, WIDE);
        assert_eq!(row[6].to_string(), "4:47 early");
    }

    #[test]
    fn an_unknown_distance_is_not_made_up() {
        let mut race = race();
        assert_eq!(distance(&race), "14.2/21.1 km");
        race.whole_m = None;
        assert_eq!(distance(&race), "14.2 km");
        race.distance_m = None;
        assert_eq!(distance(&race), "-");
    }
}
