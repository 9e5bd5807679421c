//! Tests of the JSON-RPC envelope.

use proptest::prelude::*;

use super::super::*;

#[test]
fn requests_notifications_and_responses_are_told_apart() {
    let kind = |json: &str| match JsonRpcMessage::parse(json.as_bytes()).unwrap() {
        JsonRpcMessage::Request { id, method, params } => {
            format!("request {id} {method} {}", params.map_or("-", RawValue::get))
        }
        JsonRpcMessage::Notification { method, params } => {
            format!("notification {method} {}", params.map_or("-", RawValue::get))
        }
        JsonRpcMessage::Response => "response".to_owned(),
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
        let rejected = JsonRpcMessage::parse(json.as_bytes()).unwrap_err();
        assert_eq!(
            (rejected.error.code(), rejected.id.as_deref()),
            (code, id),
            "{json}: {}",
            rejected.error
        );
    }
    assert_eq!(
        JsonRpcMessage::parse(b"{\"jsonrpc\":\"\xff\"}")
            .unwrap_err()
            .error,
        McpError::NotJson
    );
    assert_eq!(JsonRpcMessage::parse(b"[1]").unwrap_err().error, McpError::Batch);
}

/// A body may contain anything. Deep nesting must not overflow the stack.
#[test]
fn depth_and_width_are_harmless() {
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{{\"a\":{}",
        "[".repeat(500_000)
    );
    assert!(JsonRpcMessage::parse(deep.as_bytes()).is_err());
    let closed = format!("{deep}{}}}}}", "]".repeat(500_000));
    assert!(JsonRpcMessage::parse(closed.as_bytes()).is_ok());
    let names: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
    let wide = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",{}}}",
        names.join(",")
    );
    assert!(JsonRpcMessage::parse(wide.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(JsonRpcMessage::parse(&body));
    }

    #[test]
    fn arbitrary_members_never_panic(text in r#"\{("(jsonrpc|id|method|params|Method|result)":(1|"2\.0"|"x"|\{\}|null|\[\]),?){0,6}\}"#) {
        drop(JsonRpcMessage::parse(text.as_bytes()));
    }

    #[test]
    fn an_id_comes_back_as_it_was_written(id in r#"-?[1-9][0-9]{0,17}|"[a-z\\n ]{0,20}""#) {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        if let Ok(JsonRpcMessage::Request { id: read, .. }) = JsonRpcMessage::parse(body.as_bytes()) {
            prop_assert_eq!(read.get(), id);
        }
    }
}
