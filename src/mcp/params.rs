//! The `params` of a request, as deep as the gateway must look: `name`, `uri`, `cursor` and parts of `_meta`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    members::{Members, is_object, is_string_or_integer, text},
    progress::LogLevel,
    refusal::Refusal,
};

/// The prefix of the members of `_meta` that the protocol itself uses between a client and us.
const PROTOCOL_PREFIX: &str = "io.modelcontextprotocol/";
/// The version of this request (modern, required).
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// What the client can do (modern, required).
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const META_PROGRESS: &str = "progressToken";

/// The members that decide something here, or that workers read by name.
const CANONICAL: [&str; 5] = ["name", "arguments", "uri", "_meta", "cursor"];

/// The parameters of one request.
#[derive(Debug, Default)]
pub struct Params<'a> {
    members: Members<'a>,
    /// What the client told about this request.
    pub meta: Meta<'a>,
}

/// The parts of `params._meta` that the gateway reads.
#[derive(Debug, Default)]
pub struct Meta<'a> {
    members: Members<'a>,
    /// The progress token of the client: a string or a whole number.
    pub progress_token: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// Reads the parameters of a request. Absent ones are empty ones.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Refusal> {
        let Some(params) = params else {
            return Ok(Params::default());
        };
        let members = Members::of(params.get()).ok_or(Refusal::NotAMessage(
            "the member \"params\" must be an object".into(),
        ))?;
        unambiguous(&members, "params", &CANONICAL)?;
        let meta = match members.get("_meta") {
            Some(meta) => Meta::read(meta)?,
            None => Meta::default(),
        };
        Ok(Params { members, meta })
    }

    /// A member that must be a string if it is there, e.g. `name`.
    pub fn text(&self, key: &'static str) -> Result<Option<Cow<'a, str>>, Refusal> {
        match self.members.get(key) {
            None => Ok(None),
            Some(value) => match text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(Refusal::InvalidParams(
                    format!("params.{key} must be a string").into(),
                )),
            },
        }
    }

    /// The raw value of a member.
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.members.get(key)
    }

    /// The parameters as they go to a worker: every member byte for byte and in order, but without the progress
    /// token (a worker's session has its own) and without the protocol's members of `_meta`, which mean nothing to
    /// a legacy worker.
    pub fn for_worker(&self) -> Option<Box<RawValue>> {
        let mut out = String::with_capacity(
            2 + self
                .members
                .iter()
                .map(|member| member.key.len() + member.value.get().len() + 4)
                .sum::<usize>(),
        );
        out.push('{');
        for member in self.members.iter() {
            if member.key == "_meta" {
                self.meta.write(&mut out);
            } else {
                separate(&mut out);
                member.write(&mut out);
            }
        }
        out.push('}');
        RawValue::from_string(out).ok()
    }
}

impl<'a> Meta<'a> {
    fn read(meta: &'a RawValue) -> Result<Self, Refusal> {
        if meta.get() == "null" {
            return Ok(Meta::default());
        }
        let members =
            Members::of(meta.get()).ok_or(Refusal::InvalidParams("params._meta must be an object".into()))?;
        unambiguous(
            &members,
            "params._meta",
            &[META_VERSION, META_CAPABILITIES, META_LOG_LEVEL, META_PROGRESS],
        )?;
        let progress_token = members.get(META_PROGRESS).filter(|token| token.get() != "null");
        if progress_token.is_some_and(|token| !is_string_or_integer(token)) {
            return Err(Refusal::InvalidParams(
                "params._meta.progressToken must be a string or a whole number".into(),
            ));
        }
        Ok(Meta {
            members,
            progress_token,
        })
    }

    /// True for a request of the modern era.
    pub fn has_version(&self) -> bool {
        self.members.get(META_VERSION).is_some()
    }

    /// The two members that every modern request must have: the version, and the client's capabilities.
    pub fn required(&self) -> Result<Cow<'a, str>, Refusal> {
        let version = self
            .members
            .get(META_VERSION)
            .and_then(text)
            .ok_or(Refusal::Metadata(
                META_VERSION,
                "a protocol version like \"2026-07-28\"",
            ))?;
        match self.members.get(META_CAPABILITIES) {
            Some(capabilities) if is_object(capabilities) => Ok(version),
            _ => Err(Refusal::Metadata(META_CAPABILITIES, "an object")),
        }
    }

    /// From which level on the client wants the log messages of this request (modern; absent = none).
    pub fn log_level(&self) -> Option<LogLevel> {
        self.members
            .get(META_LOG_LEVEL)
            .and_then(text)
            .and_then(|level| LogLevel::named(&level))
    }

    fn write(&self, out: &mut String) {
        let mut kept = self
            .members
            .iter()
            .filter(|member| member.key != META_PROGRESS && !member.key.starts_with(PROTOCOL_PREFIX))
            .peekable();
        if kept.peek().is_none() {
            return;
        }
        separate(out);
        out.push_str("\"_meta\":{");
        for member in kept {
            separate(out);
            member.write(out);
        }
        out.push('}');
    }
}

/// The comma between two members.
fn separate(out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
}

fn unambiguous(members: &Members<'_>, place: &str, canonical: &[&str]) -> Result<(), Refusal> {
    let offence = members
        .duplicate()
        .map(|key| {
            format!(
                "{place}: the member {:?} occurs twice",
                super::refusal::shortened(key)
            )
        })
        .or_else(|| {
            members.alias(canonical).map(|key| {
                let key = super::refusal::shortened(key);
                format!(
                    "{place}: the member {key:?} must be written as the specification has it, without escapes"
                )
            })
        });
    offence.map_or(Ok(()), |offence| Err(Refusal::NotAMessage(offence.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    /// Section 4, translating a modern call, rows 1 and 2: the protocol's metadata and the client's token stay
    /// here, all else goes on.
    #[test]
    fn what_goes_to_a_worker_is_the_clients_own() {
        for (json, expected) in [
            (
                r#"{"name":"get_stats","arguments":{"date":"2026-01-01", "x": 1.0}}"#,
                r#"{"name":"get_stats","arguments":{"date":"2026-01-01", "x": 1.0}}"#,
            ),
            (
                r#"{"_meta":{"progressToken":7,"claudecode/toolUseId":"t","io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"00"},"name":"a"}"#,
                r#"{"_meta":{"claudecode/toolUseId":"t","traceparent":"00"},"name":"a"}"#,
            ),
            (
                r#"{"name":"a","_meta":{"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{}}}"#,
                r#"{"name":"a"}"#,
            ),
            (r#"{"name":"a","_meta":null}"#, r#"{"name":"a"}"#),
            (
                r#"{"vendor/x":[1],"name":"a\"b"}"#,
                r#"{"vendor/x":[1],"name":"a\"b"}"#,
            ),
            ("{}", "{}"),
        ] {
            let params = Params::read(Some(raw(json))).unwrap();
            assert_eq!(params.for_worker().unwrap().get(), expected, "{json}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for json in [
            r#"{"name":"get_stats","name":"delete_workout"}"#,
            r#"{"name":"get_stats","Name":"delete_workout"}"#,
            r#"{"n\u0061me":"delete_workout"}"#,
            r#"{"uri":"a","URI":"b"}"#,
            r#"{"_meta":{"progressToken":1,"progressToken":2}}"#,
            r#"{"_meta":{"ProgressToken":1}}"#,
        ] {
            let refusal = Params::read(Some(raw(json))).unwrap_err();
            assert_eq!((refusal.code(), refusal.status()), (-32600, 400), "{json}");
        }
        for json in [
            r#"{"_meta":1}"#,
            r#"{"_meta":{"progressToken":1.5}}"#,
            r#"{"_meta":{"progressToken":{}}}"#,
        ] {
            assert_eq!(
                Params::read(Some(raw(json))).unwrap_err().code(),
                -32602,
                "{json}"
            );
        }
    }

    #[test]
    fn members_are_read_by_name() {
        let params = Params::read(Some(raw(
            r#"{"name":"caf\u00e9","uri":5,"_meta":{"progressToken":"p"}}"#,
        )))
        .unwrap();
        assert_eq!(params.text("name").unwrap().as_deref(), Some("café"));
        assert_eq!(params.text("uri").unwrap_err().code(), -32602);
        assert_eq!(params.text("cursor").unwrap(), None);
        assert_eq!(params.meta.progress_token.unwrap().get(), "\"p\"");
    }
}
