//! The Model Context Protocol without I/O.

use serde::{Deserialize, Serialize};

/// What a person allowed a client to do when it signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Tools that read; every other tool is neither listed nor called.
    ReadOnly,
    /// All tools.
    ReadAndChange,
}

/// The request headers that the transport rules look at, each the first value as text.
///
/// `None` = absent. A header sent twice, or with bytes that are not text, is the face's to refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHeaders {
    /// `MCP-Protocol-Version`
    pub protocol_version: Option<String>,
    /// `Mcp-Method`
    pub mcp_method: Option<String>,
    /// `Mcp-Name`, still encoded
    pub mcp_name: Option<String>,
    /// `Accept`
    pub accept: Option<String>,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Origin`
    pub origin: Option<String>,
    /// `Host` as the client sent it
    pub host: Option<String>,
}
