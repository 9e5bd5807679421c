//! `get_training_volume` and `get_zone_distribution`: sums over the activities of a period.

use serde_json::{Map, Value, json};

use super::effort::Effort;
use super::figures::{failed, figure, figure_or_null, object};
use super::listing::{efforts, next_page, page_count};
use super::period::{Division, Period};
use crate::tools::activity_management::known_type;
use crate::tools::call::ToolCall;
use crate::tools::fields::{at, list};
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::sport::SportFamily;
use crate::tools::table::{AnswerError, ToolAnswer};

/// The most activities whose zones are requested one by one, because the list did not have them.
const MOST_ZONE_REQUESTS: usize = 40;

const FAMILIES: [SportFamily; 6] = [
    SportFamily::Run,
    SportFamily::Ride,
    SportFamily::Swim,
    SportFamily::Walk,
    SportFamily::Strength,
    SportFamily::Other,
];

/// Splits off Garmin's list of types, which is read first if a type is given, so that an unknown type can be refused.
fn split_types<'a, 'b>(
    call: &ToolCall,
    answers: &'a [&'b Value],
) -> (Option<&'a &'b Value>, &'a [&'b Value]) {
    if call.text("sport").is_empty() {
        return (None, answers);
    }
    match answers.split_first() {
        Some((types, pages)) => (Some(types), pages),
        None => (None, &[]),
    }
}

pub(super) fn pages_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    let Ok(period) = Period::of(call) else {
        return Vec::new();
    };
    let sport = call.text("sport");
    if answers.is_empty() && !sport.is_empty() {
        return vec![GarminGet::plain("/activity-service/activity/activityTypes")];
    }
    let (types, pages) = split_types(call, answers);
    if types.is_some_and(|types| known_type("sport", &sport, types).is_err()) {
        return Vec::new();
    }
    next_page(period, &sport, pages).into_iter().collect()
}

fn activities(call: &ToolCall, answers: &[&Value]) -> Result<(Period, Vec<Effort>, bool), AnswerError> {
    let period = Period::of(call)?;
    let (types, pages) = split_types(call, answers);
    if let Some(types) = types {
        known_type("sport", &call.text("sport"), types)?;
    }
    let (efforts, is_cut) = efforts(pages)?;
    Ok((period, efforts, is_cut))
}

/// The sums over some activities: kilometres, hours, climb, load.
struct VolumeSums {
    count: usize,
    km: f64,
    hours: f64,
    climb_m: f64,
    load: f64,
}

impl VolumeSums {
    fn of<'a>(efforts: impl Iterator<Item = &'a Effort>) -> Self {
        let mut sums = Self {
            count: 0,
            km: 0.0,
            hours: 0.0,
            climb_m: 0.0,
            load: 0.0,
        };
        for effort in efforts {
            sums.count += 1;
            sums.km += effort.distance_m / 1_000.0;
            sums.hours += effort.duration_s / 3_600.0;
            sums.climb_m += effort.climb_m.unwrap_or(0.0);
            sums.load += effort.load.unwrap_or(0.0);
        }
        sums
    }

    fn told(&self) -> Map<String, Value> {
        let some = |number: f64| (number > 0.0).then_some(number);
        object([
            ("activities", json!(self.count)),
            ("km", figure_or_null(some(self.km), 1)),
            ("hours", figure(self.hours, 1)),
            ("climb_m", figure_or_null(some(self.climb_m), 0)),
            ("training_load", figure_or_null(some(self.load), 0)),
        ])
    }
}

pub(super) fn volume(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let (period, efforts, is_cut) = activities(call, answers)?;
    if efforts.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let division = Division::of(call, period);
    let rows = division.rows(period);
    let mut totals = Map::new();
    let mut series = object(division.index(&rows));
    for family in FAMILIES {
        let of_family = || efforts.iter().filter(|effort| effort.family() == family);
        let all = VolumeSums::of(of_family());
        if all.count == 0 {
            continue;
        }
        totals.insert(family.name().to_owned(), all.told().into());
        let sums: Vec<VolumeSums> = rows
            .iter()
            .map(|(_, row)| VolumeSums::of(of_family().filter(|effort| row.hold(effort.date()))))
            .collect();
        if all.km > 0.0 {
            let km: Value = sums.iter().map(|sums| figure(sums.km, 1)).collect();
            series.insert(format!("{}_km", family.name()), km);
        }
        let hours: Value = sums.iter().map(|sums| figure(sums.hours, 1)).collect();
        series.insert(format!("{}_hours", family.name()), hours);
    }
    totals.insert("all".to_owned(), VolumeSums::of(efforts.iter()).told().into());
    Ok(ToolAnswer::Json(json!({
        "range": period.told(),
        "totals": totals,
        "series": series,
        "rests_on": rests_on(&efforts, is_cut),
    })))
}

fn rests_on(efforts: &[Effort], is_cut: bool) -> Map<String, Value> {
    object([
        ("activities", json!(efforts.len())),
        ("newest", json!(efforts.first().map(Effort::date))),
        ("oldest", json!(efforts.last().map(Effort::date))),
        (
            "left_out",
            if is_cut {
                json!("activities older than the oldest one here: ask for a shorter range")
            } else {
                Value::Null
            },
        ),
    ])
}

/// The answers that list activities, and those about the zones of single ones.
fn split_zones<'a, 'b>(call: &ToolCall, answers: &'a [&'b Value]) -> (&'a [&'b Value], &'a [&'b Value]) {
    let (types, pages) = split_types(call, answers);
    let lists = usize::from(types.is_some()) + page_count(pages);
    answers.split_at_checked(lists).unwrap_or((answers, &[]))
}

/// Requests the pages, and then the zones of the activities whose entry in the list has none.
pub(super) fn zones_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    let (lists, zones) = split_zones(call, answers);
    if !zones.is_empty() {
        return Vec::new();
    }
    let pages = pages_step(call, lists);
    if !pages.is_empty() {
        return pages;
    }
    let Ok((_, efforts, _)) = activities(call, lists) else {
        return Vec::new();
    };
    without_zones(&efforts)
        .map(|effort| {
            let path = format!("/activity-service/activity/{}/hrTimeInZones", effort.id);
            GarminGet::plain(&path).optional()
        })
        .collect()
}

fn without_zones(efforts: &[Effort]) -> impl Iterator<Item = &Effort> {
    let has_beats = |effort: &&Effort| effort.zones_s.is_none() && effort.bpm.is_some();
    efforts.iter().filter(has_beats).take(MOST_ZONE_REQUESTS)
}

pub(super) fn zones(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let (lists, own) = split_zones(call, answers);
    let (period, mut efforts, is_cut) = activities(call, lists)?;
    let asked: Vec<i64> = without_zones(&efforts).map(|effort| effort.id).collect();
    let mut failures = Vec::new();
    for (id, answer) in asked.into_iter().zip(own) {
        match answer.get(FAILED) {
            Some(reason) => failures.push((
                format!("activity {id}"),
                reason.as_str().unwrap_or_default().to_owned(),
            )),
            None => {
                if let Some(effort) = efforts.iter_mut().find(|effort| effort.id == id) {
                    effort.zones_s = zone_seconds(answer)?;
                }
            }
        }
    }
    let with_zones: Vec<&Effort> = efforts.iter().filter(|effort| effort.zones_s.is_some()).collect();
    if with_zones.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let sums = |efforts: &mut dyn Iterator<Item = &&Effort>| {
        efforts.fold([0.0; 5], |mut sums: [f64; 5], effort| {
            for (sum, seconds) in sums.iter_mut().zip(effort.zones_s.unwrap_or_default()) {
                *sum += seconds;
            }
            sums
        })
    };
    let all = sums(&mut with_zones.iter());
    let division = Division::of(call, period);
    let rows = division.rows(period);
    let by_row: Vec<[f64; 5]> = rows
        .iter()
        .map(|(_, row)| sums(&mut with_zones.iter().filter(|effort| row.hold(effort.date()))))
        .collect();
    let mut series = object(division.index(&rows));
    for (index, name) in ["z1_min", "z2_min", "z3_min", "z4_min", "z5_min"]
        .into_iter()
        .enumerate()
    {
        let minutes = by_row
            .iter()
            .filter_map(|zones| Some(figure(zones.get(index)? / 60.0, 0)));
        series.insert(name.to_owned(), minutes.collect());
    }
    let total: f64 = all.iter().sum();
    let share = |seconds: f64| figure(seconds / total.max(1.0) * 100.0, 0);
    let [z1, z2, z3, z4, z5] = all;
    let mut rests = rests_on(&efforts, is_cut);
    rests.extend(object([
        ("activities_with_zones", json!(with_zones.len())),
        ("failed", failed(failures)),
    ]));
    Ok(ToolAnswer::Json(json!({
        "range": period.told(),
        "hours": figure(total / 3_600.0, 1),
        "minutes_in_zone": all.map(|seconds| figure(seconds / 60.0, 0)),
        "percent_in_zone": all.map(share),
        "percent_easy_z1_z2": share(z1 + z2),
        "percent_moderate_z3": share(z3),
        "percent_hard_z4_z5": share(z4 + z5),
        "series": series,
        "rests_on": rests,
    })))
}

/// Seconds in the five zones; `None` for an activity without a heart rate.
pub(super) fn zone_seconds(answer: &Value) -> Result<Option<[f64; 5]>, AnswerError> {
    let zones = list(answer, "")?;
    let mut seconds = [0.0; 5];
    for zone in zones {
        let index = at(zone, "zoneNumber")
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok());
        let slot = index.and_then(|number| seconds.get_mut(number.checked_sub(1)?));
        if let (Some(slot), Some(within)) = (slot, at(zone, "secsInZone").and_then(Value::as_f64)) {
            *slot += within;
        }
    }
    Ok((!zones.is_empty()).then_some(seconds))
}
