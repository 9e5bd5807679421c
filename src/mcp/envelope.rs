//! The JSON-RPC envelope: bytes → one message.
//!
//! A message that two readers could understand differently is refused: two `method` members, `"Method"` beside
//! `"method"`, `method` together with `result`. (Access rules of other gateways were passed by with exactly these.)

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    members::{Members, is_string_or_integer, text},
    refusal::{Refusal, Rejected},
};

/// The largest body that is read, in bytes. The face refuses more with [`Refusal::TooLarge`].
pub const BODY_LIMIT: usize = 1 << 20;

/// The members of an envelope; any other is ignored, and never sent on.
const CANONICAL: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// One JSON-RPC message from a client.
#[derive(Debug)]
pub enum Message<'a> {
    /// Has an id, and wants an answer.
    Request {
        /// A string or a whole number.
        id: &'a RawValue,
        /// The method.
        method: Cow<'a, str>,
        /// An object, or absent.
        params: Option<&'a RawValue>,
    },
    /// Has no id, and wants none.
    Notification {
        /// The method.
        method: Cow<'a, str>,
        /// An object, or absent.
        params: Option<&'a RawValue>,
    },
    /// An answer to a request of ours. We send none.
    Response,
}

impl<'a> Message<'a> {
    /// Reads one message. The refusal carries the id wherever it could be read without doubt.
    pub fn parse(body: &'a [u8]) -> Result<Self, Rejected> {
        let json = std::str::from_utf8(body).map_err(|_| Refusal::NotJson)?;
        let members: Members<'a> = match serde_json::from_str(json) {
            Ok(members) => members,
            Err(_) if json.trim_start().starts_with('[') && is_json(json) => {
                return Err(Refusal::Batch.into());
            }
            Err(_) if is_json(json) => return Err(not_a_message("it must be an object").into()),
            Err(_) => return Err(Refusal::NotJson.into()),
        };
        if let Some(key) = members.duplicate() {
            return Err(not_a_message(format!("the member {key:?} occurs twice")).into());
        }
        let id = members.get("id");
        let readable_id = id.filter(|id| is_string_or_integer(id));
        let refuse = |why: Cow<'static, str>| Err(not_a_message(why).of(readable_id));

        if let Some(key) = members.alias(&CANONICAL) {
            return refuse(
                format!("the member {key:?} must be written in lower case, without escapes").into(),
            );
        }
        if members
            .get("jsonrpc")
            .is_none_or(|version| version.get() != "\"2.0\"")
        {
            return refuse("the member \"jsonrpc\" must be \"2.0\"".into());
        }
        let answers = members.get("result").is_some() || members.get("error").is_some();
        let Some(method) = members.get("method") else {
            return if answers {
                Ok(Message::Response)
            } else {
                refuse("the member \"method\" is missing".into())
            };
        };
        if answers {
            return refuse("it has both a \"method\" and a \"result\" or \"error\"".into());
        }
        let Some(method) = text(method) else {
            return refuse("the member \"method\" must be a string".into());
        };
        let params = members.get("params").filter(|params| params.get() != "null");
        if params.is_some_and(|params| !params.get().starts_with('{')) {
            return refuse("the member \"params\" must be an object".into());
        }
        match (id, readable_id) {
            (None, _) => Ok(Message::Notification { method, params }),
            (Some(_), Some(id)) => Ok(Message::Request { id, method, params }),
            (Some(_), None) => refuse("the member \"id\" must be a string or a whole number".into()),
        }
    }
}

fn not_a_message(why: impl Into<Cow<'static, str>>) -> Refusal {
    let why = why.into();
    Refusal::NotAMessage(if why.len() > 200 {
        super::refusal::shortened(&why).into()
    } else {
        why
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        let kind = |json: &str| match Message::parse(json.as_bytes()).unwrap() {
            Message::Request { id, method, params } => {
                format!("request {id} {method} {}", params.map_or("-", RawValue::get))
            }
            Message::Notification { method, params } => {
                format!("notification {method} {}", params.map_or("-", RawValue::get))
            }
            Message::Response => "response".to_owned(),
        };
        for (json, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "request 1 ping -"),
            (
                r#" {"id":"a\"b","method":"x/y","params":{ "a" : 1 },"jsonrpc":"2.0"} "#,
                r#"request "a\"b" x/y { "a" : 1 }"#,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"x","params":null,"extra":[1]}"#,
                "request 1 x -",
            ),
            (
                r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
                "notification notifications/initialized -",
            ),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "response"),
            (
                r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#,
                "response",
            ),
        ] {
            assert_eq!(kind(json), expected, "{json}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (json, code, id) in [
            ("", -32700, None),
            ("{", -32700, None),
            ("\u{feff}{}", -32700, None),
            ("[]", -32600, None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, None),
            ("1", -32600, None),
            (r"{}", -32600, None),
            (r#"{"id":1,"method":"ping"}"#, -32600, Some("1")),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32600, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1,"method":3}"#, -32600, Some("1")),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, None),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600, None),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600, None),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
                -32600,
                Some("1"),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
                -32600,
                Some("1"),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
                -32600,
                None,
            ),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, -32600, None),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","Method":"b"}"#,
                -32600,
                Some("1"),
            ),
            (r#"{"jsonrpc":"2.0","id":1,"m\u0065thod":"a"}"#, -32600, Some("1")),
            (r#"{"jsonrpc":"2.0","ID":1,"method":"a"}"#, -32600, None),
            (
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"param\u{17f}\":{}}",
                -32600,
                Some("1"),
            ),
        ] {
            let rejected = Message::parse(json.as_bytes()).unwrap_err();
            assert_eq!(
                (rejected.refusal.code(), rejected.id.as_deref()),
                (code, id),
                "{json}: {}",
                rejected.refusal
            );
        }
        assert_eq!(
            Message::parse(b"{\"jsonrpc\":\"\xff\"}").unwrap_err().refusal,
            Refusal::NotJson
        );
        assert_eq!(Message::parse(b"[1]").unwrap_err().refusal, Refusal::Batch);
    }

    /// A body may be anything; a depth that would end a recursive reader must not end us.
    #[test]
    fn depth_and_width_are_harmless() {
        let deep = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{{\"a\":{}",
            "[".repeat(500_000)
        );
        assert!(Message::parse(deep.as_bytes()).is_err());
        let closed = format!("{deep}{}}}}}", "]".repeat(500_000));
        assert!(Message::parse(closed.as_bytes()).is_ok());
        let names: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
        let wide = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",{}}}",
            names.join(",")
        );
        assert!(Message::parse(wide.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(Message::parse(&body));
        }

        #[test]
        fn arbitrary_members_never_panic(text in r#"\{("(jsonrpc|id|method|params|Method|result)":(1|"2\.0"|"x"|\{\}|null|\[\]),?){0,6}\}"#) {
            drop(Message::parse(text.as_bytes()));
        }

        #[test]
        fn an_id_comes_back_as_it_was_written(id in r#"-?[1-9][0-9]{0,17}|"[a-z\\n ]{0,20}""#) {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            if let Ok(Message::Request { id: read, .. }) = Message::parse(body.as_bytes()) {
                prop_assert_eq!(read.get(), id);
            }
        }
    }
}
