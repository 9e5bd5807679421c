//! The gateway's own prompts: texts of `assets/prompts/`, with arguments filled in.
//!
//! A file begins with a header of `key: value` lines: `title`, `about`, any number of `argument: name: description`,
//! and `tools`, the tools that the text names. After an empty line comes the text. `{name}` stands for an argument;
//! `{name|words}` also gives the words for an argument that is left out.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::error::McpError;

const SOURCES: [(&str, &str); 5] = [
    (
        "morning_check",
        include_str!("../../assets/prompts/morning_check.md"),
    ),
    (
        "weekly_review",
        include_str!("../../assets/prompts/weekly_review.md"),
    ),
    ("plan_week", include_str!("../../assets/prompts/plan_week.md")),
    (
        "race_debrief",
        include_str!("../../assets/prompts/race_debrief.md"),
    ),
    (
        "explain_activity",
        include_str!("../../assets/prompts/explain_activity.md"),
    ),
];

/// Upper bound of an argument in characters. An argument is a sentence, not a document.
const LONGEST_ARGUMENT: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub name: &'static str,
    title: &'static str,
    about: &'static str,
    /// Names and descriptions of the arguments, all of which are optional.
    arguments: Vec<(&'static str, &'static str)>,
    /// The tools that the text names. Without them the prompt is not offered.
    pub tools: Vec<&'static str>,
    text: &'static str,
}

/// All prompts, in the order in which they are listed.
pub fn built_in() -> Vec<Prompt> {
    SOURCES
        .into_iter()
        .map(|(name, source)| Prompt::read(name, source))
        .collect()
}

impl Prompt {
    fn read(name: &'static str, source: &'static str) -> Self {
        let (header, text) = source.split_once("\n\n").unwrap_or((source, ""));
        let mut prompt = Self {
            name,
            title: name,
            about: "",
            arguments: Vec::new(),
            tools: Vec::new(),
            text: text.trim_end(),
        };
        for (key, value) in header.lines().filter_map(|line| line.split_once(": ")) {
            match key {
                "title" => prompt.title = value,
                "about" => prompt.about = value,
                "argument" => prompt.arguments.extend(value.split_once(": ")),
                "tools" => prompt.tools.extend(value.split(", ")),
                _ => {}
            }
        }
        prompt
    }

    /// The entry in `prompts/list`.
    pub(super) fn listing(&self) -> Value {
        let argument =
            |(name, about): &(&str, &str)| json!({"name": name, "description": about, "required": false});
        json!({
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "arguments": self.arguments.iter().map(argument).collect::<Value>(),
        })
    }

    /// The result of `prompts/get`. `arguments` is the object of the request, if it has one.
    pub fn filled(&self, arguments: Option<&RawValue>) -> Result<Value, McpError> {
        let given: Map<String, Value> = match arguments.filter(|arguments| arguments.get() != "null") {
            None => Map::new(),
            Some(arguments) => serde_json::from_str(arguments.get())
                .map_err(|_| McpError::InvalidParams("params.arguments must be an object".into()))?,
        };
        let mut values = Vec::new();
        for (name, value) in &given {
            if !self.arguments.iter().any(|(known, _)| known == name) {
                let known: Vec<&str> = self.arguments.iter().map(|(known, _)| *known).collect();
                let known = known.join(", ");
                return Err(McpError::InvalidParams(
                    format!("params.arguments.{name} is unknown: {} takes {known}", self.name).into(),
                ));
            }
            let text = match value {
                Value::String(text) if text.chars().count() <= LONGEST_ARGUMENT => text.trim(),
                _ => {
                    return Err(McpError::InvalidParams(
                        format!(
                            "params.arguments.{name} must be a string of at most {LONGEST_ARGUMENT} characters"
                        )
                        .into(),
                    ));
                }
            };
            values.push((name.as_str(), text));
        }
        let text = self.text_with(&values);
        Ok(json!({
            "description": self.about,
            "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
        }))
    }

    fn text_with(&self, values: &[(&str, &str)]) -> String {
        let mut text = String::with_capacity(self.text.len() + 100);
        let mut rest = self.text;
        while let Some((before, (placeholder, after))) = rest
            .split_once('{')
            .and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            let (name, otherwise) = placeholder.split_once('|').unwrap_or((placeholder, "not given"));
            let value = values
                .iter()
                .find(|(known, value)| *known == name && !value.is_empty());
            text.push_str(before);
            text.push_str(value.map_or(otherwise, |(_, value)| value));
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_names_its_tools_and_uses_its_arguments() {
        let tools = crate::tools::lists().tools;
        let tools: Value = serde_json::from_str(&tools).unwrap();
        let exists = |name: &str| {
            tools["tools"]
                .as_array()
                .unwrap()
                .iter()
                .any(|tool| tool["name"] == name)
        };
        let prompts = built_in();
        assert_eq!(prompts.len(), SOURCES.len());
        for prompt in prompts {
            assert!(
                !prompt.title.is_empty() && prompt.about.len() > 20,
                "{}",
                prompt.name
            );
            assert!(
                !prompt.tools.is_empty() && !prompt.arguments.is_empty(),
                "{}",
                prompt.name
            );
            for tool in &prompt.tools {
                assert!(exists(tool), "{} names {tool}, which does not exist", prompt.name);
                assert!(
                    prompt.text.contains(tool),
                    "{} lists {tool}, but does not name it",
                    prompt.name
                );
            }
            // Every word of the text that looks like a tool's name must be one of the prompt's tools.
            let words = prompt
                .text
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for word in words.filter(|word| word.starts_with("get_") || exists(word)) {
                assert!(prompt.tools.contains(&word), "{} names {word}", prompt.name);
            }
            for (argument, about) in &prompt.arguments {
                assert!(about.len() > 10, "{argument}");
                assert!(
                    prompt.text.contains(&format!("{{{argument}}}"))
                        || prompt.text.contains(&format!("{{{argument}|")),
                    "{} does not use {argument}",
                    prompt.name
                );
            }
        }
    }

    #[test]
    fn arguments_are_filled_in_or_have_other_words() {
        let prompts = built_in();
        let prompt = &prompts[0];
        let text = |arguments: Option<&str>| {
            let arguments = arguments.map(|text| RawValue::from_string(text.to_owned()).unwrap());
            let result = prompt
                .filled(arguments.as_deref())
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(
                result["messages"][0]["content"]["text"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            )
        };
        assert!(
            text(Some(r#"{"plan":"6 x 1 km"}"#))
                .unwrap()
                .contains("Today's plan: 6 x 1 km.")
        );
        for none in [None, Some("null"), Some("{}"), Some(r#"{"plan":" "}"#)] {
            let text = text(none).unwrap();
            assert!(text.contains("Today's plan: not given."), "{text}");
        }
        let wrong = text(Some(r#"{"date":"x"}"#)).unwrap_err();
        assert!(
            wrong.contains("date is unknown") && wrong.contains("plan"),
            "{wrong}"
        );
        assert!(text(Some(r#"{"plan":5}"#)).is_err() && text(Some("[]")).is_err());
    }
}
