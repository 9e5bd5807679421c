//! A JSON-RPC message at `/mcp`: one header per line, an empty line, the body.
#![no_main]

use garmin_gateway::mcp::{Inbound, JsonRpcMessage, RequestHeaders};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let at = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = at.map_or((&b""[..], data), |at| (&data[..at], &data[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines().map(|line| (!line.is_empty()).then_some(line));
    let headers = RequestHeaders {
        protocol_version: lines.next().flatten(),
        mcp_method: lines.next().flatten(),
        mcp_name: lines.next().flatten(),
        ..RequestHeaders::default()
    };
    let Ok(Inbound::Request(request)) = Inbound::read(&headers, body) else {
        return;
    };
    // A worker's parameters parse to the same object, apart from the members that were left out.
    if let Some(params) = request.params.for_worker() {
        let whole = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#);
        assert!(JsonRpcMessage::parse(whole.as_bytes()).is_ok(), "{whole}");
        for key in ["name", "uri", "arguments"] {
            let again = garmin_gateway::mcp::params::Params::read(Some(&params)).unwrap();
            let (ours, theirs) = (request.params.get(key), again.get(key));
            assert_eq!(ours.map(|raw| raw.get()), theirs.map(|raw| raw.get()));
        }
    }
});
