//! Changes that people made at the pretend Garmin: the requests, and the documents afterwards.
//!
//! The documents of [`super::data`] are computed and contain no changes. A person's changes are kept here until the
//! process ends, and are applied to the computed documents: a renamed activity has its new name in the list too.

mod activities;
mod body;
mod courses;
mod foods;
mod workouts;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::reply::{SimulatedRequest, SimulatedResponse};

/// A change that was carried out, with what was sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CarriedOut {
    pub person: String,
    pub method: String,
    pub path: String,
    /// The body as JSON; `null` if it is a file or there is none.
    pub body: Value,
}

/// The changes of all people.
#[derive(Debug, Default)]
pub(super) struct KeptChanges {
    people: HashMap<String, PersonChanges>,
    pub(super) carried_out: Vec<CarriedOut>,
    made: i64,
}

/// The changes of one person.
#[derive(Debug, Default)]
struct PersonChanges {
    activities: activities::KeptActivities,
    body: body::KeptBody,
    workouts: workouts::KeptWorkouts,
    foods: foods::KeptFoods,
    courses: courses::KeptCourses,
}

/// A request that changes something, and what the changes need to answer it.
struct ChangeRequest<'a> {
    method: &'a str,
    /// The segments of the path.
    path: Vec<&'a str>,
    body: Value,
    /// The body as it was sent; it may be a file.
    raw: &'a [u8],
    /// The current document at a path with query.
    read: &'a dyn Fn(&str) -> Option<Value>,
    /// An id that is not in use yet.
    id: i64,
}

/// A read, whose document the changes adjust.
struct ReadRequest<'a> {
    path: Vec<&'a str>,
    query: &'a str,
}

impl ReadRequest<'_> {
    fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

impl KeptChanges {
    /// Carries out a change; `None` for an unknown path. `read` computes a document without the changes.
    pub(super) fn change(
        &mut self,
        person: &str,
        request: &SimulatedRequest,
        read: &dyn Fn(&str) -> Option<Value>,
    ) -> Option<SimulatedResponse> {
        let body = request.json().unwrap_or_default();
        let changes = self.people.entry(person.to_owned()).or_default();
        let path = segments(&request.path);
        if path == ["graphql-gateway", "graphql"] {
            let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
            return changes
                .workouts
                .graphql(query)
                .map(|document| SimulatedResponse::json(200, &document));
        }
        self.made += 1;
        let response = {
            let current = |target: &str| {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                changes.document(path, query, read(target))
            };
            let change = ChangeRequest {
                method: &request.method,
                path,
                body: body.clone(),
                raw: &request.body,
                read: &current,
                id: 90_000_000 + self.made,
            };
            PersonChanges::plan(&change)
        }?;
        let (response, apply) = response;
        if let Some(apply) = apply {
            apply(changes);
            self.carried_out.push(CarriedOut {
                person: person.to_owned(),
                method: request.method.clone(),
                path: request.path.clone(),
                body,
            });
        }
        Some(response)
    }

    /// Whether the person deleted the computed document at this path.
    pub(super) fn hides(&self, person: &str, path: &str) -> bool {
        let document = self.document(person, path, "", Some(Value::Bool(true)));
        document.is_none()
    }

    /// The document of a read, with the person's changes; `None` if there is none.
    pub(super) fn document(
        &self,
        person: &str,
        path: &str,
        query: &str,
        computed: Option<Value>,
    ) -> Option<Value> {
        match self.people.get(person) {
            Some(changes) => changes.document(path, query, computed),
            None => PersonChanges::default().document(path, query, computed),
        }
    }
}

/// The effect of a change on what is kept.
type Apply = Box<dyn FnOnce(&mut PersonChanges)>;

/// The response to a change, and its effect; without an effect the change was refused.
type Planned = (SimulatedResponse, Option<Apply>);

fn done(status: u16, apply: impl FnOnce(&mut PersonChanges) + 'static) -> Planned {
    (SimulatedResponse::empty(status), Some(Box::new(apply)))
}

fn told(document: &Value, apply: impl FnOnce(&mut PersonChanges) + 'static) -> Planned {
    (SimulatedResponse::json(200, document), Some(Box::new(apply)))
}

fn refused(status: u16, error: &str, message: &str) -> Planned {
    (SimulatedResponse::api_error(status, error, message), None)
}

fn missing() -> Planned {
    refused(404, "NotFoundException", "HTTP 404 Not Found")
}

impl PersonChanges {
    fn plan(change: &ChangeRequest<'_>) -> Option<Planned> {
        activities::plan(change)
            .or_else(|| body::plan(change))
            .or_else(|| workouts::plan(change))
            .or_else(|| foods::plan(change))
            .or_else(|| courses::plan(change))
    }

    fn document(&self, path: &str, query: &str, computed: Option<Value>) -> Option<Value> {
        let request = ReadRequest {
            path: segments(path),
            query,
        };
        let document = self.activities.document(&request, computed);
        let document = self.body.document(&request, document);
        let document = self.workouts.document(&request, document);
        let document = self.foods.document(&request, document);
        self.courses.document(&request, document)
    }
}

/// Merges the members of `patch` into a document, at every depth.
fn merge(document: &mut Value, patch: &Value) {
    match (document, patch) {
        (Value::Object(members), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(members.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (document, patch) => document.clone_from(patch),
    }
}

/// A copy of the document in which the member `name` has this value.
fn with(document: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut members = document.as_object().cloned().unwrap_or_default();
    members.insert(name.to_owned(), value.into());
    members.into()
}

/// The items of a list that `keeps` accepts, and then `more`.
fn listed(
    document: Option<Value>,
    keeps: impl Fn(&Value) -> bool,
    more: impl IntoIterator<Item = Value>,
) -> Value {
    let items = match document {
        Some(Value::Array(items)) => items,
        _ => vec![],
    };
    items.into_iter().filter(|item| keeps(item)).chain(more).collect()
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_default()
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path such as `a.b`; null if there is none.
fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .try_fold(document, |value, name| value.get(name))
        .unwrap_or(&Value::Null)
}

fn object(pairs: &[(&str, Value)]) -> Value {
    let members = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Object(members.collect::<Map<_, _>>())
}
