//! The `params` of a request. The gateway reads `name`, `uri`, `cursor` and parts of `_meta`; the rest stays raw.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    error::{McpError, shortened},
    members::{Members, is_object, is_string_or_integer, text},
    notification::LogSeverity,
};

/// The prefix of those members of `_meta` that belong to the protocol itself.
const PROTOCOL_PREFIX: &str = "io.modelcontextprotocol/";
/// The member with the protocol version, which every modern request must have.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The member with the client's capabilities, which every modern request must have.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const META_PROGRESS: &str = "progressToken";

/// The members that the gateway uses, or that workers read by name.
const CANONICAL: [&str; 5] = ["name", "arguments", "uri", "_meta", "cursor"];

#[derive(Debug, Default)]
pub struct Params<'a> {
    members: Members<'a>,
    pub meta: Meta<'a>,
}

/// The parts of `params._meta` that the gateway reads.
#[derive(Debug, Default)]
pub struct Meta<'a> {
    members: Members<'a>,
    /// The client's own progress token: a string or a whole number.
    pub progress_token: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// Absent parameters count as an empty object.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, McpError> {
        let Some(params) = params else {
            return Ok(Params::default());
        };
        let members = Members::of(params.get()).ok_or(McpError::NotAMessage(
            "the member \"params\" must be an object".into(),
        ))?;
        unambiguous(&members, "params", &CANONICAL)?;
        let meta = match members.get("_meta") {
            Some(meta) => Meta::read(meta)?,
            None => Meta::default(),
        };
        Ok(Params { members, meta })
    }

    /// A member such as `name`, which must be a string if it is present.
    pub fn text(&self, key: &'static str) -> Result<Option<Cow<'a, str>>, McpError> {
        match self.members.get(key) {
            None => Ok(None),
            Some(value) => match text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(McpError::InvalidParams(
                    format!("params.{key} must be a string").into(),
                )),
            },
        }
    }

    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.members.get(key)
    }

    /// The parameters for a worker, with every member byte for byte and in order. Two parts of `_meta` are removed: the
    /// progress token, because the gateway's session with the worker has its own, and the protocol's members, which a
    /// legacy worker does not know.
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
    fn read(meta: &'a RawValue) -> Result<Self, McpError> {
        if meta.get() == "null" {
            return Ok(Meta::default());
        }
        let members = Members::of(meta.get())
            .ok_or(McpError::InvalidParams("params._meta must be an object".into()))?;
        unambiguous(
            &members,
            "params._meta",
            &[META_VERSION, META_CAPABILITIES, META_LOG_LEVEL, META_PROGRESS],
        )?;
        let progress_token = members.get(META_PROGRESS).filter(|token| token.get() != "null");
        if progress_token.is_some_and(|token| !is_string_or_integer(token)) {
            return Err(McpError::InvalidParams(
                "params._meta.progressToken must be a string or a whole number".into(),
            ));
        }
        Ok(Meta {
            members,
            progress_token,
        })
    }

    pub fn has_version(&self) -> bool {
        self.members.get(META_VERSION).is_some()
    }

    /// The protocol version of a modern request. Fails if the version or the client's capabilities are missing.
    pub fn required(&self) -> Result<Cow<'a, str>, McpError> {
        let version = self
            .members
            .get(META_VERSION)
            .and_then(text)
            .ok_or(McpError::Metadata(
                META_VERSION,
                "a protocol version like \"2026-07-28\"",
            ))?;
        match self.members.get(META_CAPABILITIES) {
            Some(capabilities) if is_object(capabilities) => Ok(version),
            _ => Err(McpError::Metadata(META_CAPABILITIES, "an object")),
        }
    }

    /// The client's capabilities, which a modern request has.
    pub fn capabilities(&self) -> Option<&'a RawValue> {
        self.members.get(META_CAPABILITIES)
    }

    /// The lowest severity of log messages that the client wants for this request (modern). If absent, it wants none.
    pub fn log_level(&self) -> Option<LogSeverity> {
        self.members
            .get(META_LOG_LEVEL)
            .and_then(text)
            .and_then(|level| LogSeverity::named(&level))
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

fn separate(out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
}

fn unambiguous(members: &Members<'_>, place: &str, canonical: &[&str]) -> Result<(), McpError> {
    let offence = members
        .duplicate()
        .map(|key| format!("{place}: the member {:?} occurs twice", shortened(key)))
        .or_else(|| {
            members.alias(canonical).map(|key| {
                let key = shortened(key);
                format!(
                    "{place}: the member {key:?} must be written as the specification has it, without escapes"
                )
            })
        });
    offence.map_or(Ok(()), |offence| Err(McpError::NotAMessage(offence.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    /// The worker receives everything except the protocol's metadata and the client's progress token.
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
            let error = Params::read(Some(raw(json))).unwrap_err();
            assert_eq!((error.code(), error.status()), (-32600, 400), "{json}");
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
