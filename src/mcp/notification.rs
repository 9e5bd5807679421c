//! Notifications for a client: progress under the client's own token, and the log messages that it requested.

use serde_json::value::RawValue;

use super::members::{Members, text};

/// The severity of a log message (RFC 5424), in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSeverity {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogSeverity {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "debug" => LogSeverity::Debug,
            "info" => LogSeverity::Info,
            "notice" => LogSeverity::Notice,
            "warning" => LogSeverity::Warning,
            "error" => LogSeverity::Error,
            "critical" => LogSeverity::Critical,
            "alert" => LogSeverity::Alert,
            "emergency" => LogSeverity::Emergency,
            _ => return None,
        })
    }
}

/// `notifications/progress` for a client: the worker's `params` with `token` in place of the worker's own. `None` if
/// `params` is not an object.
pub fn progress(token: &str, params: &RawValue) -> Option<String> {
    let members = Members::of(params.get())?;
    let mut out = String::with_capacity(90 + token.len() + params.get().len());
    out.push_str(r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#);
    out.push_str(token);
    for member in members.iter().filter(|member| member.key != "progressToken") {
        out.push(',');
        member.write(&mut out);
    }
    out.push_str("}}");
    Some(out)
}

/// The member `progress` of a worker's `params`. MCP requires it to increase with each notification.
pub fn amount(params: &RawValue) -> Option<f64> {
    serde_json::from_str(Members::of(params.get())?.get("progress")?.get()).ok()
}

/// `notifications/message` for a client that requested messages from `level` upwards; `None` if this one is below it.
pub fn log_message(level: LogSeverity, params: &RawValue) -> Option<String> {
    let sent = Members::of(params.get())?.get("level").and_then(text)?;
    if LogSeverity::named(&sent)? < level {
        return None;
    }
    Some(format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{}}}"#,
        params.get()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    /// The client's token is returned exactly as the client wrote it. Numbers and unknown members are unchanged.
    #[test]
    fn progress_carries_the_clients_token() {
        for (token, params, expected) in [
            (
                "7",
                r#"{"progress":1.0,"total":3}"#,
                r#"{"progressToken":7,"progress":1.0,"total":3}"#,
            ),
            (
                "\"a\"",
                r#"{"progressToken":99,"progress":2,"x":{}}"#,
                r#"{"progressToken":"a","progress":2,"x":{}}"#,
            ),
            ("1", "{}", r#"{"progressToken":1}"#),
        ] {
            let expected =
                format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{expected}}}"#);
            assert_eq!(progress(token, raw(params)).unwrap(), expected);
        }
        assert_eq!(progress("1", raw("[]")), None);
    }

    #[test]
    fn amounts_are_read() {
        assert_eq!(amount(raw(r#"{"progress":0.5}"#)), Some(0.5));
        assert_eq!(amount(raw(r#"{"progress":"x"}"#)), None);
    }

    /// A client gets only log messages of the severity that it requested or higher.
    #[test]
    fn log_messages_below_the_level_are_dropped() {
        let wanted = |level: &str, sent: &str| {
            log_message(
                LogSeverity::named(level).unwrap(),
                raw(&format!(r#"{{"level":{sent},"data":"x"}}"#)),
            )
            .is_some()
        };
        for (level, sent, expected) in [
            ("info", "\"info\"", true),
            ("info", "\"debug\"", false),
            ("debug", "\"emergency\"", true),
            ("emergency", "\"alert\"", false),
            ("debug", "\"loud\"", false),
            ("debug", "3", false),
        ] {
            assert_eq!(wanted(level, sent), expected, "{level} {sent}");
        }
    }
}
