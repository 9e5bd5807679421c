//! Known causes of a worker's failure to start, recognised by its output, each with advice.

/// `garmin_mcp` is written for version 1 of the Python package `mcp` but sets no upper bound. A fresh installation
/// therefore gets version 2, which lacks modules that it imports.
pub const MCP_TOO_NEW: &str = "its Python package `mcp` is too new: garmin_mcp needs a version below 2; add `mcp<2` where it is \
                               installed, e.g. `uvx --with 'mcp<2' …` in GARMIN_MCP_CMD";
pub const MCP_MISSING: &str =
    "its Python package `mcp` is missing: install garmin_mcp with its dependencies and `mcp<2`";
/// The Python that was started has no `garmin_mcp` package.
pub const GARMIN_MCP_MISSING: &str = "this Python has no garmin_mcp: name the `garmin-mcp` of the environment that it was installed in, in GARMIN_MCP_CMD";
const PORT_TAKEN: &str = "another program took its port first";
const OUT_OF_MEMORY: &str = "it needed more memory than a worker may have";
const FENCED_OFF: &str = "it may not read a file that it needs: keep the program's parts in a directory of their own, \
                          apart from homes and from the gateway's data";

/// Advice for a program that printed these lines and exited, if the cause is known.
pub fn advice<S: AsRef<str>>(lines: &[S]) -> Option<&'static str> {
    let said = |text: &str| lines.iter().any(|line| line.as_ref().contains(text));
    let not_imported = said("ImportError") || said("ModuleNotFoundError");
    // Ordered from the most specific to the most general, because a traceback may contain several.
    let known = [
        (
            not_imported && (said("'mcp.server") || said("FastMCP")),
            MCP_TOO_NEW,
        ),
        (not_imported && said("No module named 'mcp'"), MCP_MISSING),
        (
            said("No module named 'garmin_mcp'") || said("No module named garmin_mcp"),
            GARMIN_MCP_MISSING,
        ),
        (
            said("address already in use") || said("Address already in use"),
            PORT_TAKEN,
        ),
        (said("MemoryError") || said("memory allocation of"), OUT_OF_MEMORY),
        (said("PermissionError") || said("Permission denied"), FENCED_OFF),
    ];
    known
        .into_iter()
        .find_map(|(is_it, advice)| is_it.then_some(advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_causes_become_advice() {
        for (line, expected) in [
            // The error of mcp 2.3.0 on `from mcp.server.fastmcp import FastMCP`.
            (
                "ModuleNotFoundError: No module named 'mcp.server.fastmcp'. This is mcp 2.x, where FastMCP was renamed to \
                 MCPServer (from mcp.server.mcpserver import MCPServer) and other APIs changed; see the migration guide",
                Some(MCP_TOO_NEW),
            ),
            (
                "ImportError: cannot import name 'FastMCP' from 'mcp.server'",
                Some(MCP_TOO_NEW),
            ),
            ("ModuleNotFoundError: No module named 'mcp'", Some(MCP_MISSING)),
            (
                "/usr/bin/python3: No module named garmin_mcp",
                Some(GARMIN_MCP_MISSING),
            ),
            ("error: [Errno 98] address already in use", Some(PORT_TAKEN)),
            (
                "PermissionError: [Errno 13] Permission denied: '/home/ann/x.py'",
                Some(FENCED_OFF),
            ),
            ("ModuleNotFoundError: No module named 'requests'", None),
            ("something else", None),
        ] {
            let lines = ["Traceback (most recent call last):", line, ""];
            assert_eq!(advice(&lines), expected, "{line}");
        }
    }
}
