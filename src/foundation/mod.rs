//! What every room stands on; it knows nothing of Garmin, MCP or OAuth.
