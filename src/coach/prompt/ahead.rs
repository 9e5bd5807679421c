//! What lies ahead in the race, and who reads what Claude writes.

use super::quote::quoted;
use crate::coach::look::RaceLook;
use crate::race::outlook::{PlaceState, places};
use crate::race::text;
use crate::race::trend::{drift_percent, last_hour};

/// Only the next places are shown.
const MOST_PLACES: usize = 6;

/// The arrival window at each place ahead, the drift, and the last hour against the plan.
pub(super) fn outlook(look: &RaceLook) -> String {
    let snapshot = &look.snapshot;
    let outlook = snapshot.outlook();
    let mut text = String::new();
    let ahead = places(snapshot.goal(), outlook.as_ref()).into_iter();
    let ahead = ahead.filter_map(|place| match place.state {
        PlaceState::Ahead(arrival) => Some((place, arrival)),
        _ => None,
    });
    for (place, arrival) in ahead.take(MOST_PLACES) {
        let cutoff = place
            .cutoff_s
            .map(|s| format!(", cutoff {}", text::time(f64::from(s))));
        text.extend([format!(
            "outlook {} at {}: early {}, likely {}, late {}{} (race time)\n",
            quoted(&place.name),
            text::km(place.at_m),
            text::time(arrival.early_s),
            text::time(arrival.likely_s),
            text::time(arrival.late_s),
            cutoff.unwrap_or_default(),
        )]);
    }
    if let Some(outlook) = &outlook {
        text.extend([format!("the outlook uses {}\n", snapshot.slowdown(outlook))]);
    }
    let drift = drift_percent(&snapshot.track);
    text.extend(drift.map(|percent| format!("drift of heart rate on this leg: {percent:+.1} %\n")));
    if let Some(hour) = last_hour(snapshot.goal()) {
        let side = |s: f64| if s < 0.0 { "lost" } else { "gained" };
        let gained = hour
            .gained_s
            .map(|s| format!(", {} {} on the plan", text::time(s.abs()), side(s)));
        text.extend([format!(
            "last hour: {}, standing {}{}\n",
            text::km(hour.distance_m),
            text::time(hour.stood_s),
            gained.unwrap_or_default(),
        )]);
    }
    text
}

/// The people who read what Claude writes: on the race owner's phone, or on a phone of their own if they want the
/// coach's messages.
pub(super) fn addressed(look: &RaceLook) -> String {
    let recipients = look.snapshot.settings.recipients.iter();
    let recipients = recipients.filter(|one| one.phone.is_none() || one.hears_the_coach());
    let lines = recipients.map(|recipient| {
        let (role, units) = (recipient.role.name(), recipient.units.name());
        let language = recipient
            .language
            .as_deref()
            .map(|language| format!(", language {}", quoted(language)));
        let name = recipient.name.as_deref().map(|name| format!(" {}", quoted(name)));
        format!(
            "reader: {role}{}{}, {units} units\n",
            name.unwrap_or_default(),
            language.unwrap_or_default()
        )
    });
    lines.collect()
}
