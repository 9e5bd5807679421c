//! Protocol versions, their two eras, and the methods that exist in each.

/// The only version of the modern era.
pub const MODERN: &str = "2026-07-28";
/// The legacy versions, newest first.
pub const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The two families of protocol versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Versions up to 2025-11-25.
    Legacy,
    /// Version 2026-07-28, in which each request is self-contained.
    Modern,
}

/// The requests that the gateway answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum McpMethod {
    /// The method exists in the legacy era only.
    Initialize,
    /// The method exists in the legacy era only.
    Ping,
    /// The method exists in the legacy era only.
    SetLogLevel,
    /// The method exists in the modern era only.
    Discover,
    ListTools,
    CallTool,
    ListResources,
    ListResourceTemplates,
    ReadResource,
    ListPrompts,
    GetPrompt,
    Complete,
}

impl McpMethod {
    const ALL: [McpMethod; 12] = [
        McpMethod::Initialize,
        McpMethod::Ping,
        McpMethod::SetLogLevel,
        McpMethod::Discover,
        McpMethod::ListTools,
        McpMethod::CallTool,
        McpMethod::ListResources,
        McpMethod::ListResourceTemplates,
        McpMethod::ReadResource,
        McpMethod::ListPrompts,
        McpMethod::GetPrompt,
        McpMethod::Complete,
    ];

    /// The name used in JSON-RPC messages.
    pub fn name(self) -> &'static str {
        match self {
            McpMethod::Initialize => "initialize",
            McpMethod::Ping => "ping",
            McpMethod::SetLogLevel => "logging/setLevel",
            McpMethod::Discover => "server/discover",
            McpMethod::ListTools => "tools/list",
            McpMethod::CallTool => "tools/call",
            McpMethod::ListResources => "resources/list",
            McpMethod::ListResourceTemplates => "resources/templates/list",
            McpMethod::ReadResource => "resources/read",
            McpMethod::ListPrompts => "prompts/list",
            McpMethod::GetPrompt => "prompts/get",
            McpMethod::Complete => "completion/complete",
        }
    }

    /// The method with this name, if it exists in this era.
    pub fn named(name: &str, era: Era) -> Option<McpMethod> {
        let method = Self::ALL.into_iter().find(|method| method.name() == name)?;
        let only_in = match method {
            McpMethod::Initialize | McpMethod::Ping | McpMethod::SetLogLevel => Some(Era::Legacy),
            McpMethod::Discover => Some(Era::Modern),
            _ => None,
        };
        only_in.is_none_or(|only| only == era).then_some(method)
    }

    /// The member of `params` that the header `Mcp-Name` repeats.
    pub(super) fn name_param(self) -> Option<&'static str> {
        match self {
            McpMethod::CallTool | McpMethod::GetPrompt => Some("name"),
            McpMethod::ReadResource => Some("uri"),
            _ => None,
        }
    }
}

/// The version in the answer to `initialize`: the requested one if it is in [`LEGACY`], otherwise the newest legacy
/// one.
pub fn negotiated(requested: Option<&str>) -> &'static str {
    LEGACY
        .into_iter()
        .find(|version| requested == Some(version))
        .unwrap_or(LEGACY[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unknown and modern versions are answered with the newest legacy version.
    #[test]
    fn initialize_negotiates() {
        for (requested, expected) in [
            (Some("2025-11-25"), "2025-11-25"),
            (Some("2025-06-18"), "2025-06-18"),
            (Some("2025-03-26"), "2025-03-26"),
            (Some("2024-11-05"), "2024-11-05"),
            (Some("2026-07-28"), "2025-11-25"),
            (Some("2030-01-01"), "2025-11-25"),
            (Some(""), "2025-11-25"),
            (None, "2025-11-25"),
        ] {
            assert_eq!(negotiated(requested), expected, "{requested:?}");
        }
    }
}
