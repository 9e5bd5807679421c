//! Weigh-ins, blood pressure, hydration, and requests to reload a day.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{ChangeRequest, Planned, ReadRequest, at, done, missing, number, refused, text, told, with};

#[derive(Debug, Default)]
pub(super) struct KeptBody {
    weighings: Vec<Value>,
    deleted: BTreeSet<i64>,
    pressures: Vec<Value>,
    drunk_ml: BTreeMap<String, f64>,
}

/// The day of a time in Garmin's format.
fn day(time: &str) -> String {
    time.get(..10).unwrap_or_default().to_owned()
}

fn milliseconds(time: &str) -> i64 {
    let time = time.parse::<jiff::civil::DateTime>().unwrap_or_default();
    time.in_tz("UTC")
        .map_or(0, |time| time.timestamp().as_millisecond())
}

pub(super) fn plan(change: &ChangeRequest<'_>) -> Option<Planned> {
    let body = &change.body;
    Some(match (change.method, change.path.as_slice()) {
        ("POST", ["weight-service", "user-weight"]) => {
            let Some(value) = body.get("value").and_then(Value::as_f64) else {
                return Some(refused(400, "BadRequestException", "HTTP 400 Bad Request"));
            };
            let grams = if text(body, "unitKey") == "lbs" {
                value * 453.592_37
            } else {
                value * 1_000.0
            };
            let (local, gmt) = (text(body, "dateTimestamp"), text(body, "gmtTimestamp"));
            let weighing = json!({
                "samplePk": change.id,
                "date": milliseconds(local),
                "calendarDate": day(local),
                "weight": grams.round(),
                "sourceType": "MANUAL",
                "timestampGMT": milliseconds(gmt),
            });
            done(204, |kept| kept.body.weighings.push(weighing))
        }
        ("DELETE", ["weight-service", "weight", date, "byversion", sample]) => {
            let sample = number(sample);
            let of_day = (change.read)(&format!("/weight-service/weight/dayview/{date}?includeAll=true"));
            let mut known = of_day
                .iter()
                .filter_map(|day| day.get("dateWeightList")?.as_array())
                .flatten();
            if !known.any(|item| item.get("samplePk") == Some(&json!(sample))) {
                return Some(missing());
            }
            done(204, move |kept| {
                kept.body.deleted.insert(sample);
            })
        }
        ("POST", ["bloodpressure-service", "bloodpressure"]) => {
            let measured = with(&with(body, "version", change.id), "category", "NORMAL");
            let kept_measured = measured.clone();
            told(&measured, |kept| kept.body.pressures.push(kept_measured))
        }
        ("PUT", ["usersummary-service", "usersummary", "hydration", "log"]) => {
            let (date, amount) = (
                text(body, "calendarDate").to_owned(),
                body.get("valueInML").and_then(Value::as_f64)?,
            );
            let now = (change.read)(&format!(
                "/usersummary-service/usersummary/hydration/daily/{date}"
            ));
            let before = now
                .as_ref()
                .and_then(|now| now.get("valueInML")?.as_f64())
                .unwrap_or_default();
            let after = with(
                &now.unwrap_or_else(|| json!({"calendarDate": date})),
                "valueInML",
                before + amount,
            );
            told(&after, move |kept| {
                *kept.body.drunk_ml.entry(date).or_default() += amount;
            })
        }
        ("POST", ["wellness-service", "wellness", "epoch", "request", date]) => {
            told(&json!({"status": "SUBMITTED", "calendarDate": date}), |_| ())
        }
        ("POST", ["upload-service", "upload"]) => {
            let result = json!({"detailedImportResult": {
                "uploadId": change.id, "fileSize": change.raw.len(), "successes": [], "failures": [],
            }});
            told(&result, |_| ())
        }
        _ => return None,
    })
}

impl KeptBody {
    pub(super) fn document(&self, request: &ReadRequest<'_>, computed: Option<Value>) -> Option<Value> {
        match request.path.as_slice() {
            ["weight-service", "weight", "dayview", date] => {
                let document = computed.unwrap_or_else(|| json!({"startDate": date, "endDate": date}));
                let list = self.weighings(document.get("dateWeightList"), |day| day == *date);
                Some(with(&document, "dateWeightList", list))
            }
            ["weight-service", "weight", "range", first, last] => {
                let document = computed.unwrap_or_else(|| json!({}));
                Some(self.range(&document, first, last))
            }
            ["bloodpressure-service", "bloodpressure", "range", first, last] => {
                let document = computed?;
                let within = |pressure: &&Value| {
                    let day = day(text(pressure, "measurementTimestampLocal"));
                    *first <= day.as_str() && day.as_str() <= *last
                };
                let more = self.pressures.iter().filter(within).map(|pressure| {
                    let day = day(text(pressure, "measurementTimestampLocal"));
                    json!({"startDate": day, "measurementSummaryDate": day, "numOfMeasurements": 1, "measurements": [pressure]})
                });
                let days = at(&document, "measurementSummaries")
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                Some(with(
                    &document,
                    "measurementSummaries",
                    days.into_iter().chain(more).collect::<Value>(),
                ))
            }
            ["usersummary-service", "usersummary", "hydration", "daily", date] => {
                let document = computed?;
                let Some(more) = self.drunk_ml.get(*date) else {
                    return Some(document);
                };
                let before = document
                    .get("valueInML")
                    .and_then(Value::as_f64)
                    .unwrap_or_default();
                Some(with(&document, "valueInML", before + more))
            }
            _ => computed,
        }
    }

    /// The weigh-ins of a list without the deleted ones, followed by those that were added on the accepted days.
    fn weighings(&self, list: Option<&Value>, is_within: impl Fn(&str) -> bool) -> Value {
        let computed = list.and_then(Value::as_array).into_iter().flatten();
        let added = self
            .weighings
            .iter()
            .filter(|item| is_within(text(item, "calendarDate")));
        let sample = |item: &Value| item.get("samplePk").and_then(Value::as_i64).unwrap_or_default();
        computed
            .chain(added)
            .filter(|item| !self.deleted.contains(&sample(item)))
            .cloned()
            .collect()
    }

    fn range(&self, document: &Value, first: &str, last: &str) -> Value {
        let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let computed = at(document, "dailyWeightSummaries")
            .as_array()
            .cloned()
            .unwrap_or_default();
        let all: Value = computed
            .iter()
            .flat_map(|day| {
                at(day, "allWeightMetrics")
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            })
            .collect();
        let all = self.weighings(Some(&all), |day| first <= day && day <= last);
        for item in all.as_array().into_iter().flatten() {
            days.entry(text(item, "calendarDate").to_owned())
                .or_default()
                .push(item.clone());
        }
        let days: Value = days
            .into_iter()
            .map(|(day, items)| {
                let summary = computed
                    .iter()
                    .find(|summary| text(summary, "summaryDate") == day);
                let summary = summary.cloned().unwrap_or_else(|| json!({"summaryDate": day}));
                with(&summary, "allWeightMetrics", items)
            })
            .collect();
        with(document, "dailyWeightSummaries", days)
    }
}
