//! A request that reads from Garmin's API, built from a template in a tool's row.

use serde_json::Value;
use url::form_urlencoded;

use super::file_reading::FileReading;

/// An optional request that failed is represented by an object with this member. Its value is the class of the failure.
pub(super) const FAILED: &str = "$failed";

/// The class of the failure, if this stands for an optional request that failed.
pub(super) fn failure(answer: &Value) -> Option<&str> {
    answer.get(FAILED)?.as_str()
}

/// Replaces every `{name}`; an unclosed brace is left unchanged.
pub(super) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, name, after)) = rest
        .split_once('{')
        .and_then(|(before, tail)| tail.split_once('}').map(|(name, after)| (before, name, after)))
    {
        text.push_str(before);
        text.push_str(&value(name));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A read from the API: a GET with path and query, or a GraphQL query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct GarminGet {
    /// Percent-encoded, except for [`GarminGet::DISPLAY_NAME`].
    pub(super) path: String,
    /// Names and values, not yet percent-encoded.
    pub(super) query: Vec<(String, String)>,
    /// A query for Garmin's GraphQL endpoint, which has no path or query of its own.
    pub(super) graphql: Option<String>,
    /// If set, the answer is a file, which this reading turns into a document.
    pub(super) file: Option<FileReading>,
    /// Whether the call continues when this request fails; see [`FAILED`].
    pub(super) is_optional: bool,
}

impl GarminGet {
    /// The placeholder for the person's display name, which must first be requested from Garmin.
    pub(super) const DISPLAY_NAME: &str = "{display_name}";

    /// Fills in path and query. Query parameters without a value are omitted.
    pub(super) fn of(template: &str, value: impl Fn(&str) -> String) -> Self {
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let in_path = |name: &str| {
            let placeholder = format!("{{{name}}}");
            if placeholder == Self::DISPLAY_NAME {
                placeholder
            } else {
                encoded(&value(name))
            }
        };
        let pair = |pair: &str| {
            let (key, template) = pair.split_once('=')?;
            let value = fill(template, &value);
            (!value.is_empty()).then(|| (key.to_owned(), value))
        };
        Self {
            path: fill(path, in_path),
            query: query.split('&').filter_map(pair).collect(),
            ..Self::default()
        }
    }

    pub(super) fn plain(path: &str) -> Self {
        Self::of(path, |_| String::new())
    }

    /// A GraphQL query, such as `query{workoutScheduleSummariesScalar(…)}`.
    pub(super) fn graphql(query: impl Into<String>) -> Self {
        Self {
            graphql: Some(query.into()),
            ..Self::default()
        }
    }

    /// Expects a file instead of a document.
    pub(super) fn file(self, reading: FileReading) -> Self {
        Self {
            file: Some(reading),
            ..self
        }
    }

    /// Lets the call continue if this request fails.
    pub(super) fn optional(self) -> Self {
        Self {
            is_optional: true,
            ..self
        }
    }

    /// Whether the person's display name must be filled in before sending.
    pub(super) fn needs_display_name(&self) -> bool {
        self.path.contains(Self::DISPLAY_NAME)
    }

    /// Fills in the person's display name.
    pub(super) fn of_person(self, display_name: &str) -> Self {
        Self {
            path: self.path.replace(Self::DISPLAY_NAME, &encoded(display_name)),
            ..self
        }
    }
}

/// Percent-encodes a path segment.
fn encoded(text: &str) -> String {
    // Form encoding differs only in the space. A plus in the text is already encoded as %2B.
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_is_encoded_in_the_path() {
        let get = GarminGet::of("/daily/{display_name}/x", |_| panic!("it is not an argument"));
        assert!(get.needs_display_name());
        assert_eq!(get.of_person("ann/one +ü").path, "/daily/ann%2Fone%20%2B%C3%BC/x");
    }
}
