//! Mapping tables from Garmin's keys to ours.
//!
//! A [`Field`] maps a value of Garmin's document to a key of the result. Values that are missing or `null` are omitted
//! from the result, because Garmin uses both for "no data".

use serde_json::{Map, Value};

use super::json::{is_empty, rounded};
use super::local_time;
use super::sport::{SportFamily, pace};

#[derive(Debug)]
pub(super) struct Field {
    key: &'static str,
    /// Dotted paths into Garmin's document. The first path with a value is used, unless the format needs two.
    from: &'static [&'static str],
    form: FieldFormat,
}

#[derive(Debug)]
enum FieldFormat {
    AsItIs,
    /// Rounded to this number of decimals; zero is omitted.
    Rounded(usize),
    /// Minutes converted to hours with one decimal; zero is omitted.
    Hours,
    /// Minutes converted to hours with one decimal; zero is kept.
    HoursOrZero,
    /// From a local time and the same moment in UTC: the offset, as `+13:00`.
    Offset,
    /// From a moment in UTC and the same in local time: the local time with its offset.
    LocalTime,
    /// From a speed in m/s, and either the activity's type or a value that only activities of this family have: the
    /// time for this distance in metres, as `5:03`.
    Pace(SportFamily, f64),
}

impl Field {
    pub(super) const fn new(key: &'static str, from: &'static [&'static str]) -> Self {
        Self {
            key,
            from,
            form: FieldFormat::AsItIs,
        }
    }

    /// A field that is rounded to one decimal; zero is omitted.
    pub(super) const fn rounded(key: &'static str, from: &'static [&'static str]) -> Self {
        Self {
            key,
            from,
            form: FieldFormat::Rounded(1),
        }
    }

    /// A field in minutes, converted to hours with one decimal; zero is omitted.
    pub(super) const fn hours(key: &'static str, from: &'static [&'static str]) -> Self {
        let form = FieldFormat::Hours;
        Self { key, from, form }
    }

    /// A field in minutes, converted to hours with one decimal; zero is kept.
    pub(super) const fn hours_or_zero(key: &'static str, from: &'static [&'static str]) -> Self {
        let form = FieldFormat::HoursOrZero;
        Self { key, from, form }
    }

    /// The offset between a local time and UTC, from two fields.
    pub(super) const fn offset(key: &'static str, from: &'static [&'static str]) -> Self {
        let form = FieldFormat::Offset;
        Self { key, from, form }
    }

    /// A local time with its offset, from a UTC and a local field.
    pub(super) const fn local_time(key: &'static str, from: &'static [&'static str]) -> Self {
        let form = FieldFormat::LocalTime;
        Self { key, from, form }
    }

    /// The pace per kilometre of a run, from its speed and its type or cadence.
    pub(super) const fn run_pace(key: &'static str, from: &'static [&'static str]) -> Self {
        let form = FieldFormat::Pace(SportFamily::Run, 1_000.0);
        Self { key, from, form }
    }

    /// The pace per 100 m of a swim, from its speed and its type or number of strokes.
    pub(super) const fn swim_pace(key: &'static str, from: &'static [&'static str]) -> Self {
        let form = FieldFormat::Pace(SportFamily::Swim, 100.0);
        Self { key, from, form }
    }

    /// The value of a format that needs two fields.
    fn of_two(&self, document: &Value) -> Option<Value> {
        let [one, other, ..] = self.from else {
            return None;
        };
        let (one, other) = (at(document, one)?, at(document, other)?);
        let told = match self.form {
            FieldFormat::Offset => local_time::offset_text(one, other),
            FieldFormat::LocalTime => local_time::local_text(one, other),
            FieldFormat::Pace(family, metres) => {
                let is_of_family = other.as_str().is_none_or(|kind| SportFamily::of(kind) == family);
                pace(one.as_f64().filter(|_| is_of_family)?, metres)
            }
            _ => None,
        };
        told.map(Value::String)
    }

    fn value(&self, document: &Value) -> Option<Value> {
        if let FieldFormat::Offset | FieldFormat::LocalTime | FieldFormat::Pace(..) = self.form {
            return self.of_two(document);
        }
        let value = self.from.iter().find_map(|path| at(document, path))?;
        let some = || value.as_f64().filter(|number| *number != 0.0);
        let hours = |minutes| rounded(minutes / 60.0, 1);
        match self.form {
            FieldFormat::AsItIs => Some(value.clone()),
            // Integers need no rounding and stay integers.
            FieldFormat::Rounded(_) if value.is_i64() => some().map(|_| value.clone()),
            FieldFormat::Rounded(digits) => some().map(|number| rounded(number, digits)),
            FieldFormat::Hours => some().map(hours),
            FieldFormat::HoursOrZero => value.as_f64().map(hours),
            FieldFormat::Offset | FieldFormat::LocalTime | FieldFormat::Pace(..) => None,
        }
    }
}

/// A table of [`Field`]s: `fields! { "our_key" <- "garminKey"; "hours" <- hours "minutes"; "x" <- "a.b" | "c"; }`.
macro_rules! fields {
    (@one $key:literal, $($from:literal)+) => { $crate::tools::fields::Field::new($key, &[$($from),+]) };
    (@one $key:literal, $form:ident $($from:literal)+) => { $crate::tools::fields::Field::$form($key, &[$($from),+]) };
    ($($key:literal <- $($form:ident)? $($from:literal)|+;)*) => {
        &[$(fields!(@one $key, $($form)? $($from)+)),*]
    };
}
pub(super) use fields;

/// Garmin's answer does not have the expected shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Garmin changed its answer: {expected} was expected at {path}; this program needs an update")]
pub(super) struct Changed {
    /// The JSON path of the unexpected part. It never contains a value.
    pub(super) path: String,
    pub(super) expected: &'static str,
}

/// The value at a dotted path; `None` when it is missing or null.
pub(super) fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(document, |value, key| value.get(key))
        .filter(|value| !value.is_null())
}

/// The fields that have a value in this document.
///
/// A document that has none of the keys, not even with a `null` value, counts as having an unknown shape.
pub(super) fn pick(fields: &[Field], document: &Value) -> Result<Map<String, Value>, Changed> {
    let expected = |expected| Changed {
        path: "$".to_owned(),
        expected,
    };
    let members = document.as_object().ok_or_else(|| expected("an object"))?;
    let picked: Map<String, Value> = fields
        .iter()
        .filter_map(|field| Some((field.key.to_owned(), field.value(document)?)))
        .collect();
    let is_known = || {
        let mut paths = fields.iter().flat_map(|field| field.from);
        paths.any(|path| {
            path.split('.')
                .next()
                .is_some_and(|key| members.contains_key(key))
        })
    };
    if picked.is_empty() && !members.is_empty() && !is_known() {
        return Err(expected("a member that this program knows"));
    }
    Ok(picked)
}

/// The list at a dotted path (`""` is the document itself). A missing or null list is empty.
pub(super) fn list<'a>(document: &'a Value, path: &str) -> Result<&'a [Value], Changed> {
    let value = if path.is_empty() {
        Some(document)
    } else {
        if !document.is_object() && !is_empty(document) {
            return Err(Changed {
                path: "$".to_owned(),
                expected: "an object",
            });
        }
        at(document, path)
    };
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) if path.is_empty() => Err(Changed {
            path: "$".to_owned(),
            expected: "a list",
        }),
        Some(_) => Err(Changed {
            path: format!("$.{path}"),
            expected: "a list",
        }),
    }
}

/// The row with the greatest text at this path, which orders days and moments; the first one of equal rows.
pub(super) fn newest<'a>(rows: impl IntoIterator<Item = &'a Value>, path: &str) -> Option<&'a Value> {
    let moment = |row: &'a Value| at(row, path).and_then(Value::as_str).unwrap_or_default();
    rows.into_iter()
        .reduce(|newest, row| if moment(row) > moment(newest) { row } else { newest })
}

/// Applies [`pick`] to every item of the list at a path.
pub(super) fn pick_each(fields: &[Field], document: &Value, path: &str) -> Result<Vec<Value>, Changed> {
    let dot = if path.is_empty() { "" } else { "." };
    let picked = |(index, item)| {
        pick(fields, item).map(Value::Object).map_err(|changed| Changed {
            path: format!("$.{path}{dot}[{index}]").replace(".[", "["),
            ..changed
        })
    };
    list(document, path)?.iter().enumerate().map(picked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: &[Field] = fields! {
        "id" <- "activityId";
        "type" <- "activityType.typeKey";
        "spo2" <- "averageSPO2" | "averageSpo2";
        "floors" <- rounded "floorsAscended";
        "recovery" <- hours "recoveryTime";
        "left" <- hours_or_zero "timeLeft";
    };

    #[test]
    fn the_result_has_the_order_of_the_table() {
        let document = json!({
            "recoveryTime": 1_265, "floorsAscended": 7.25, "averageSpo2": 94, "timeLeft": 0, "averageSPO2": null,
            "activityType": {"typeKey": "running"}, "activityId": 5, "more": true
        });
        let picked = Value::Object(pick(FIELDS, &document).unwrap());
        assert_eq!(
            serde_json::to_string(&picked).unwrap(),
            r#"{"id":5,"type":"running","spo2":94,"floors":7.2,"recovery":21.1,"left":0.0}"#
        );
    }

    #[test]
    fn times_get_their_offset_and_runs_and_swims_a_pace() {
        const TIMED: &[Field] = fields! {
            "utc_offset" <- offset "startTimeLocal" | "startTimeGMT";
            "sleep_start_local" <- local_time "startMs" | "localMs";
            "avg_pace_min_per_km" <- run_pace "averageSpeed" | "activityType.typeKey";
            "avg_pace_min_per_100m" <- swim_pace "averageSpeed" | "activityType.typeKey";
        };
        let told = |document: Value| Value::Object(pick(TIMED, &document).unwrap());
        let speed = 3.333_333;
        assert_eq!(
            told(json!({
                "startTimeLocal": "2026-04-05 07:30:00", "startTimeGMT": "2026-04-04 19:30:00.0", "averageSpeed": speed,
                "activityType": {"typeKey": "trail_running"}, "startMs": 1_775_331_000_000_i64, "localMs": 1_775_374_200_000_i64,
            })),
            json!({
                "utc_offset": "+12:00", "sleep_start_local": "2026-04-05T07:30:00+12:00", "avg_pace_min_per_km": "5:00",
            })
        );
        assert_eq!(
            told(json!({
                "startTimeLocal": "2026-03-08T06:00:00", "startTimeGMT": "2026-03-08T16:00:00", "averageSpeed": 1.25,
                "activityType": {"typeKey": "open_water_swimming"},
            })),
            json!({"utc_offset": "-10:00", "avg_pace_min_per_100m": "1:20"})
        );
        let ride = json!({"averageSpeed": 8.0, "activityType": {"typeKey": "cycling"}, "startTimeLocal": "x", "startTimeGMT": null});
        assert_eq!(told(ride), json!({}));
    }

    #[test]
    fn null_missing_and_zero_are_left_out() {
        let document =
            json!({"activityId": null, "activityType": null, "floorsAscended": 0.0, "recoveryTime": 0});
        assert_eq!(pick(FIELDS, &document).unwrap(), Map::new());
        assert_eq!(
            pick(FIELDS, &json!({"floorsAscended": 12})).unwrap(),
            *json!({"floors": 12}).as_object().unwrap()
        );
    }

    #[test]
    fn an_unknown_shape_is_reported_with_its_path() {
        assert_eq!(pick(FIELDS, &json!([1])).unwrap_err().path, "$");
        assert_eq!(
            pick(FIELDS, &json!({"data": {"activityId": 5}}))
                .unwrap_err()
                .path,
            "$"
        );
        assert_eq!(list(&json!({"laps": {}}), "laps").unwrap_err().path, "$.laps");
        assert_eq!(list(&json!([7]), "laps").unwrap_err().path, "$");
        assert_eq!(list(&Value::Null, "laps").unwrap(), &[] as &[Value]);
        assert_eq!(pick_each(FIELDS, &json!([{}, 1]), "").unwrap_err().path, "$[1]");
        assert_eq!(
            pick_each(FIELDS, &json!({"a": {"b": ["x"]}}), "a.b")
                .unwrap_err()
                .path,
            "$.a.b[0]"
        );
        assert_eq!(list(&json!({"laps": null}), "laps").unwrap(), &[] as &[Value]);
    }
}
