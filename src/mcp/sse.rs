//! Event streams (`text/event-stream`), read and written.
//!
//! Source: WHATWG HTML, *server-sent events*, as used by MCP: the data of each event is one JSON-RPC message.
//! Reconnection (`id`, `retry`) is not used, because streams are not resumable.

use bytes::Bytes;

/// A comment that keeps proxies from closing an idle stream.
pub const KEEP_ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// The maximum size of an event from a worker, in bytes.
pub const EVENT_LIMIT: usize = 64 << 20;

/// The event that carries one message to a client. A line break in JSON text can only be white space, so each one may
/// start another data line.
pub fn frame(message: &str) -> Bytes {
    frame_bytes(message.as_bytes())
}

/// Like [`frame`], for a message in bytes.
pub fn frame_bytes(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len() + 24);
    out.extend_from_slice(b"event: message\n");
    for line in message.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    Bytes::from(out)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// The event type; `message` by default.
    pub kind: String,
    /// The data lines, joined by `\n`.
    pub data: Vec<u8>,
}

/// The stream cannot be read any further, because an event is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {EVENT_LIMIT} bytes")]
pub struct EventTooLarge;

/// Parses events from chunks that may end anywhere.
#[derive(Debug, Default)]
pub struct Parser {
    /// The start of a line whose end has not arrived yet.
    line: Vec<u8>,
    /// The last byte was CR, so a following LF belongs to it.
    after_cr: bool,
    /// Whether the first line was read. Only that one may begin with a byte-order mark.
    started: bool,
    kind: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
}

impl Parser {
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses the next bytes, and appends the events that they complete to `events`.
    pub fn push(&mut self, mut chunk: &[u8], events: &mut Vec<SseEvent>) -> Result<(), EventTooLarge> {
        while let Some(&first) = chunk.first() {
            if self.after_cr {
                self.after_cr = false;
                if first == b'\n' {
                    chunk = chunk.get(1..).unwrap_or_default();
                    continue;
                }
            }
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (line, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            if self.line.len() + self.data.len() + line.len() > EVENT_LIMIT {
                return Err(EventTooLarge);
            }
            let Some((&line_end, rest)) = rest.split_first() else {
                self.line.extend_from_slice(line);
                return Ok(());
            };
            self.after_cr = line_end == b'\r';
            if self.line.is_empty() {
                self.take_line(line, events);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole, events);
                whole.clear();
                self.line = whole;
            }
            chunk = rest;
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], events: &mut Vec<SseEvent>) {
        let line = if self.started {
            line
        } else {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        };
        self.started = true;
        if line.is_empty() {
            self.dispatch(events);
            return;
        }
        let (field, value) = match line.iter().position(|&byte| byte == b':') {
            Some(0) => return,
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            b"event" => value.clone_into(&mut self.kind),
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, events: &mut Vec<SseEvent>) {
        let kind = std::mem::take(&mut self.kind);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            let kind = if kind.is_empty() {
                "message".to_owned()
            } else {
                String::from_utf8_lossy(&kind).into_owned()
            };
            events.push(SseEvent { kind, data });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = Parser::new();
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk, &mut events).unwrap();
        }
        events
            .into_iter()
            .map(|event| (event.kind, String::from_utf8(event.data).unwrap()))
            .collect()
    }

    #[test]
    fn streams_are_read_as_the_standard_says() {
        for (stream, expected) in [
            ("data: a\n\n", vec![("message", "a")]),
            (
                "event: message\r\ndata: {\"a\":1}\r\n\r\n",
                vec![("message", "{\"a\":1}")],
            ),
            ("data: a\r\rdata: b\r\r", vec![("message", "a"), ("message", "b")]),
            ("data: a\ndata: b\ndata\n\n", vec![("message", "a\nb\n")]),
            ("data:a\ndata:  b\n\n", vec![("message", "a\n b")]),
            (": ping - 2026\r\n\r\ndata: x\n\n", vec![("message", "x")]),
            (
                "event: endpoint\nid: 7\nretry: 5\ndata: /m\n\n",
                vec![("endpoint", "/m")],
            ),
            (
                "event: priming\ndata:\n\ndata: x\n\n",
                vec![("priming", ""), ("message", "x")],
            ),
            ("event: lost\n\ndata: x\n\n", vec![("message", "x")]),
            ("\u{feff}data: a\n\n\u{feff}data: b\n\n", vec![("message", "a")]),
            ("data: unfinished\n", vec![]),
            ("other: x\ndata: a:b: c\n\n", vec![("message", "a:b: c")]),
            ("\n\n\n", vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(k, d)| (k.to_owned(), d.to_owned()))
                .collect();
            assert_eq!(events(&[stream.as_bytes()]), expected, "{stream:?}");
        }
    }

    #[test]
    fn an_endless_event_ends_the_stream() {
        let mut parser = Parser::new();
        let chunk = vec![b'x'; EVENT_LIMIT / 2 + 1];
        assert_eq!(parser.push(&chunk, &mut Vec::new()), Ok(()));
        assert_eq!(parser.push(&chunk, &mut Vec::new()), Err(EventTooLarge));
    }

    #[test]
    fn frames_are_one_event_each() {
        assert_eq!(frame(r#"{"a":1}"#), "event: message\ndata: {\"a\":1}\n\n");
        assert_eq!(
            frame("{\n\"a\":1\r\n}"),
            "event: message\ndata: {\ndata: \"a\":1\ndata: \ndata: }\n\n"
        );
        assert_eq!(events(&[&KEEP_ALIVE]), []);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(stream in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut events = Vec::new();
            Parser::new().push(&stream, &mut events).unwrap();
        }

        #[test]
        fn every_cut_gives_the_same_events(stream in "((data|event|id|x)?:? ?[a-z{}:\u{e9}]{0,6}(\r\n|\n|\r){0,3}){0,12}") {
            let bytes = stream.as_bytes();
            let whole = events(&[bytes]);
            for at in 0..=bytes.len() {
                let (a, b) = bytes.split_at(at);
                prop_assert_eq!(&events(&[a, b]), &whole);
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&events(&single), &whole);
        }

        #[test]
        fn what_is_framed_is_read_back(message in r#"\{"[a-z]{0,5}":( |\n|\r|\r\n)?[1-9]{1,4}(\n|\r)?\}"#) {
            let framed = frame(&message);
            let mut read = Vec::new();
            Parser::new().push(&framed, &mut read).unwrap();
            prop_assert_eq!(read.len(), 1);
            let before: serde_json::Value = serde_json::from_str(&message).unwrap();
            let after: serde_json::Value = serde_json::from_slice(&read[0].data).unwrap();
            prop_assert_eq!(before, after);
        }
    }
}
