//! The built-in worker: an MCP server for one person.
