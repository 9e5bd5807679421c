//! Converts Garmin's documents to rows of kept members, and rows back to such documents.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::kind::{AskedDays, KeptKind, Member, MemberForm};

/// The longest text that is kept. Garmin's texts are keys such as `BALANCED`, or times.
const LONGEST_TEXT: usize = 60;
/// The most entries of a list inside a row, such as the body battery's events of a day.
const MOST_ENTRIES: usize = 32;
/// The most rows of one document: activities of four weeks, or weighings of twelve.
const MOST_ROWS: usize = 2_000;

/// Garmin's document does not have the shape that this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a list was expected at {0}")]
pub struct UnknownShape(pub String);

/// One row of a document, such as a day's sleep.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRow {
    pub date: Date,
    /// One value for each member of the kind.
    pub(super) values: Vec<Option<KeptValue>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeptValue {
    Number(f64),
    /// A text, or a list as JSON.
    Text(String),
}

impl KeptRow {
    /// The number of the member at this place (see [`KeptRows::place`]).
    pub fn number(&self, place: usize) -> Option<f64> {
        match self.values.get(place)?.as_ref()? {
            KeptValue::Number(number) => Some(*number),
            KeptValue::Text(_) => None,
        }
    }

    /// The text of the member at this place, or its list as JSON.
    pub fn text(&self, place: usize) -> Option<&str> {
        match self.values.get(place)?.as_ref()? {
            KeptValue::Number(_) => None,
            KeptValue::Text(text) => Some(text),
        }
    }
}

/// The rows of a request, as they are kept.
#[derive(Debug)]
pub struct KeptRows {
    pub(super) kind: &'static KeptKind,
    pub(super) asked: AskedDays,
    /// The blocks that the days are in, ascending.
    pub(super) blocks: Vec<Arc<[KeptRow]>>,
}

impl KeptRows {
    /// The rows of the requested days, before a page is cut from them.
    pub(super) fn of_asked_days(&self) -> impl Iterator<Item = &KeptRow> {
        let days = self.asked.from..=self.asked.to;
        let rows = self.blocks.iter().flat_map(|block| block.iter());
        rows.filter(move |row| days.contains(&row.date))
    }

    /// The rows that the history would keep of Garmin's answer to a request.
    #[cfg(test)]
    pub(crate) fn of(path: &str, query: &[(String, String)], document: &Value) -> Option<Self> {
        let mut kinds = super::kind::KEPT_KINDS.iter();
        let (kind, asked) = kinds.find_map(|kind| Some((kind, kind.asked(path, query)?)))?;
        let rows: Arc<[KeptRow]> = kind.rows_of(document).unwrap().into();
        // Garmin's answer is already the requested page.
        let asked = AskedDays {
            start: 0,
            limit: usize::MAX,
            ..asked
        };
        Some(Self {
            kind,
            asked,
            blocks: vec![rows],
        })
    }

    /// The rows in Garmin's order.
    pub fn rows(&self) -> impl Iterator<Item = &KeptRow> {
        let mut rows: Vec<&KeptRow> = self.of_asked_days().collect();
        if self.kind.is_newest_first {
            rows.sort_by_key(|row| std::cmp::Reverse(row.date));
        }
        rows.into_iter().skip(self.asked.start).take(self.asked.limit)
    }

    /// The place of a member, named by a JSON pointer into Garmin's row; `None` if it is not kept.
    pub fn place(&self, pointer: &str) -> Option<usize> {
        self.kind.members.iter().position(|member| member.at == pointer)
    }

    /// A row in Garmin's shape.
    pub fn row_document(&self, row: &KeptRow) -> Value {
        self.kind.object(row)
    }

    /// All rows in Garmin's shape.
    pub fn document(&self) -> Value {
        self.kind.document(self.rows())
    }
}

impl KeptKind {
    /// Garmin's document, reduced to what is kept of it. A worker sends this instead of the whole document.
    pub fn reduced(&self, document: &Value) -> Result<Value, UnknownShape> {
        Ok(self.document(&self.rows_of(document)?))
    }

    /// The rows that have at least one kept member, in the document's order.
    pub(super) fn rows_of(&self, document: &Value) -> Result<Vec<KeptRow>, UnknownShape> {
        let unknown = || UnknownShape(format!("${}", self.rows.replace('/', ".")));
        let list = match document.pointer(self.rows) {
            Some(Value::Array(list)) if list.len() <= MOST_ROWS => list,
            Some(Value::Null) => return Ok(Vec::new()),
            // Garmin sends an empty object if there is no data.
            Some(Value::Object(members)) if members.is_empty() => return Ok(Vec::new()),
            // A document that has other members instead is a new shape. Mistaken for no data, it would make the history
            // look complete.
            None if document.is_null() || document.as_object().is_some_and(Map::is_empty) => {
                return Ok(Vec::new());
            }
            _ => return Err(unknown()),
        };
        Ok(list.iter().filter_map(|row| self.row(row)).collect())
    }

    fn row(&self, row: &Value) -> Option<KeptRow> {
        let day = |pointer: &&str| row.pointer(pointer)?.as_str()?.get(..10)?.parse().ok();
        let values: Vec<_> = self.members.iter().map(|member| member.read(row)).collect();
        let date = self.date.iter().find_map(day)?;
        values
            .iter()
            .any(Option::is_some)
            .then_some(KeptRow { date, values })
    }

    /// A document with these rows, in Garmin's shape.
    pub(super) fn document<'a>(&self, rows: impl IntoIterator<Item = &'a KeptRow>) -> Value {
        let list: Value = rows.into_iter().map(|row| self.object(row)).collect();
        if self.rows.is_empty() {
            return list;
        }
        let mut document = json!({});
        put(&mut document, self.rows, list);
        document
    }

    fn object(&self, row: &KeptRow) -> Value {
        let mut object = json!({});
        if let Some(at) = self.date.first() {
            put(&mut object, at, json!(row.date));
        }
        for (member, value) in self.members.iter().zip(&row.values) {
            if let Some(value) = value.as_ref().and_then(|value| member.json(value)) {
                put(&mut object, member.at, value);
            }
        }
        object
    }
}

impl Member {
    fn read(&self, row: &Value) -> Option<KeptValue> {
        let value = row.pointer(self.at)?;
        match self.form {
            MemberForm::Number => value
                .as_f64()
                .filter(|number| number.is_finite())
                .map(KeptValue::Number),
            MemberForm::Text => value
                .as_str()
                .filter(|text| text.len() <= LONGEST_TEXT)
                .map(|text| KeptValue::Text(text.to_owned())),
            MemberForm::List(names) => {
                let entries = value.as_array()?.iter().take(MOST_ENTRIES);
                let entries: Vec<Value> = entries.map(|entry| picked(entry, names)).collect();
                (!entries.is_empty()).then(|| KeptValue::Text(json!(entries).to_string()))
            }
        }
    }

    fn json(&self, value: &KeptValue) -> Option<Value> {
        match (value, self.form) {
            (KeptValue::Number(number), _) => Some(whole_or_float(*number)),
            (KeptValue::Text(text), MemberForm::List(_)) => serde_json::from_str(text).ok(),
            (KeptValue::Text(text), _) => Some(json!(text)),
        }
    }
}

/// The members of a list's entry that are kept.
fn picked(entry: &Value, names: &[&str]) -> Value {
    let known = names.iter().filter_map(|name| {
        let value = entry.get(name)?;
        let is_short = value.as_str().is_none_or(|text| text.len() <= LONGEST_TEXT);
        (is_short && !value.is_array() && !value.is_object()).then(|| ((*name).to_owned(), value.clone()))
    });
    Value::Object(known.collect::<Map<String, Value>>())
}

/// Ids and counts must stay whole numbers.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole and small enough"
)]
fn whole_or_float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

/// Sets the value at a pointer, and creates the objects on the way.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    for key in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = json!({});
        }
        let Value::Object(members) = place else { return };
        place = members.entry(key).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> &'static KeptKind {
        KeptKind::named(name).unwrap()
    }

    #[test]
    fn a_document_is_reduced_to_what_is_kept() {
        let sleep = json!({"overallStats": {}, "individualStats": [
            {"calendarDate": "2026-01-02", "values": {"sleepScore": 80, "deepTime": 3600.5, "spO2": 97.0}},
            {"calendarDate": "2026-01-03", "values": {"spO2": 96.0}},
            {"calendarDate": "soon", "values": {"sleepScore": 70}},
        ]});
        let reduced = kind("sleep").reduced(&sleep).unwrap();
        let row = json!({"calendarDate": "2026-01-02", "values": {"sleepScore": 80, "deepTime": 3600.5}});
        assert_eq!(reduced, json!({"individualStats": [row]}));
        assert_eq!(kind("sleep").reduced(&reduced).unwrap(), reduced, "it is stable");
    }

    #[test]
    fn nested_lists_and_ids_survive() {
        let battery = json!([{"date": "2026-01-02", "drained": 50, "bodyBatteryActivityEvent": [
            {"eventType": "SLEEP", "bodyBatteryImpact": 60, "durationInMilliseconds": 1000, "deviceId": 7}]}]);
        let reduced = kind("body_battery").reduced(&battery).unwrap();
        let event = json!({"eventType": "SLEEP", "bodyBatteryImpact": 60, "durationInMilliseconds": 1000});
        assert_eq!(reduced[0]["bodyBatteryActivityEvent"], json!([event]));

        let activity = json!([{"activityId": 20_123_456_789_i64, "startTimeLocal": "2026-01-02 07:10:00",
            "activityType": {"typeKey": "running", "typeId": 1}, "activityName": "At home"}]);
        let reduced = kind("activities").reduced(&activity).unwrap();
        assert_eq!(
            reduced,
            json!([{"startTimeLocal": "2026-01-02 07:10:00", "activityId": 20_123_456_789_i64,
                "activityType": {"typeKey": "running"}}])
        );
    }

    #[test]
    fn no_data_is_no_row_and_another_shape_is_an_error() {
        for nothing in [json!(null), json!({}), json!({"individualStats": null})] {
            assert_eq!(kind("sleep").rows_of(&nothing), Ok(Vec::new()));
        }
        for nothing in [json!(null), json!({}), json!([])] {
            assert_eq!(kind("steps").rows_of(&nothing), Ok(Vec::new()), "{nothing}");
        }
        let changed = json!({"individualStats": {"v2": []}});
        let told = kind("sleep").rows_of(&changed).unwrap_err();
        assert_eq!(told.to_string(), "a list was expected at $.individualStats");
        for kind in [kind("steps"), kind("sleep")] {
            assert!(kind.rows_of(&json!({"v2": []})).is_err(), "{}", kind.name);
        }
    }
}
