//! A worker's event stream, cut at the position that the first byte gives. Every message in it is read.
#![no_main]

use garmin_gateway::mcp::sse::{Parser, SseEvent};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((cut, stream)) = data.split_first() else {
        return;
    };
    let whole = events(&[stream]);
    let (head, tail) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(events(&[head, tail]), whole);
    for event in whole {
        garmin_gateway::workers::fuzz_message(&event.data);
    }
});

fn events(chunks: &[&[u8]]) -> Vec<SseEvent> {
    let (mut parser, mut events) = (Parser::new(), Vec::new());
    for chunk in chunks {
        parser.push(chunk, &mut events).unwrap();
    }
    events
}
