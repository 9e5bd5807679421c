//! Statistics, and how figures are written.

use serde_json::{Map, Value, json};

use crate::tools::json::rounded;

/// A number with this many decimals; a whole number has no decimal point.
pub(super) fn figure(number: f64, digits: usize) -> Value {
    if !number.is_finite() {
        return Value::Null;
    }
    if digits == 0 {
        return format!("{number:.0}")
            .parse::<i64>()
            .map_or(Value::Null, Value::from);
    }
    rounded(number, digits)
}

/// A number as [`figure`] writes it; `null` for `None`.
pub(super) fn figure_or_null(number: Option<f64>, digits: usize) -> Value {
    number.map_or(Value::Null, |number| figure(number, digits))
}

pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values.get(middle.checked_sub(1)?)? + upper) / 2.0)
}

/// The slope of the line through these points by least squares; `None` below three points.
pub(super) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    if points.len() < 3 {
        return None;
    }
    let x_mean = mean(points.iter().map(|(x, _)| *x))?;
    let y_mean = mean(points.iter().map(|(_, y)| *y))?;
    let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let both: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    (spread > 0.0).then(|| both / spread)
}

/// Rows as columns: one list for each key that has a value in any row, with `null` where a row has none.
pub(super) fn columns(rows: &[Map<String, Value>]) -> Map<String, Value> {
    let mut columns = Map::new();
    for key in rows.iter().flat_map(Map::keys) {
        if columns.contains_key(key) {
            continue;
        }
        let column: Vec<Value> = rows
            .iter()
            .map(|row| row.get(key).cloned().unwrap_or_default())
            .collect();
        if column.iter().any(|value| !value.is_null()) {
            columns.insert(key.clone(), column.into());
        }
    }
    columns
}

/// An object without the members that are null or empty.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    members
        .into_iter()
        .filter(|(_, value)| !crate::tools::json::is_empty(value))
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// The member `failed` of an answer: the parts that Garmin did not give, and why.
pub(super) fn failed(parts: impl IntoIterator<Item = (String, String)>) -> Value {
    parts
        .into_iter()
        .map(|(part, reason)| json!(format!("{part}: {reason}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        assert_eq!(figure(7.249, 1), json!(7.2));
        assert_eq!(figure(9_000.4, 0).to_string(), "9000");
        assert_eq!(figure(-0.6, 0).to_string(), "-1");
        assert_eq!(figure(-0.04, 1).to_string(), "0.0");
        assert_eq!(figure(f64::NAN, 1), Value::Null);
    }

    #[test]
    fn statistics_of_few_values_are_none() {
        assert_eq!(
            (mean([]), median([]), slope(&[(0.0, 1.0), (1.0, 2.0)])),
            (None, None, None)
        );
        assert_eq!(
            (mean([1.0, 2.0]), median([3.0, 1.0, 2.0]), median([4.0, 1.0])),
            (Some(1.5), Some(2.0), Some(2.5))
        );
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), Some(2.0));
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 3.0), (1.0, 5.0)]), None);
    }

    #[test]
    fn columns_keep_the_place_of_a_missing_value() {
        let row = |value: Value| value.as_object().unwrap().clone();
        let rows = [
            row(json!({"km": 5, "bpm": null, "x": null})),
            row(json!({"km": 6, "bpm": 140})),
        ];
        assert_eq!(
            Value::Object(columns(&rows)),
            json!({"km": [5, 6], "bpm": [null, 140]})
        );
    }
}
