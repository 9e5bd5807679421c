//! Examples in the help of every subcommand.

use clap::Command;

/// The path of each subcommand, and its examples without the program's name.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "serve",
        &["serve", "serve --env-file /etc/garmin-gateway/gateway.env"],
    ),
    ("demo", &["demo", "demo --port 0"]),
    (
        "console",
        &["console", "console --socket /run/garmin-gateway --ascii"],
    ),
    ("status", &["status", "status --json"]),
    ("workers", &["workers", "workers --json"]),
    ("accounts", &["accounts"]),
    (
        "invite",
        &[
            "invite anna@example.org",
            "invite",
            "invite anna@example.org --remove",
        ],
    ),
    ("usage", &["usage", "usage --account anna@example.org --tools"]),
    ("clients", &["clients"]),
    (
        "tools",
        &[
            "tools",
            "tools anna@example.org core",
            "tools anna@example.org get_sleep_data,get_trend",
        ],
    ),
    (
        "mail-addresses",
        &[
            "mail-addresses anna@example.org anna@mail.example.org",
            "mail-addresses anna@example.org none",
        ],
    ),
    ("tokens", &["tokens"]),
    (
        "revoke",
        &[
            "revoke --account anna@example.org",
            "revoke --client https://claude.ai",
            "revoke --all --yes",
        ],
    ),
    ("forget", &["forget anna@example.org"]),
    (
        "purge",
        &[
            "purge --races-before 2026-01-01 --compact",
            "purge --account anna@example.org",
        ],
    ),
    (
        "races",
        &[
            "races",
            "races start anna@example.org https://livetrack.garmin.com/session/…",
        ],
    ),
    ("races list", &["races list"]),
    (
        "races start",
        &["races start anna@example.org https://livetrack.garmin.com/session/…"],
    ),
    ("races stop", &["races stop race_k3v9x2m7q4w8z1c5"]),
    (
        "races rehearse",
        &["races rehearse race.fit", "races rehearse *.gpx --speed 600"],
    ),
    ("races show", &["races show race_k3v9x2m7q4w8z1c5"]),
    (
        "races share",
        &[
            "races share race_k3v9x2m7q4w8z1c5 --name Anna",
            "races share race_k3v9x2m7q4w8z1c5 --role crew --hours 48",
            "races share race_k3v9x2m7q4w8z1c5 --name Ben --join https://garmin.example.org/r/…",
        ],
    ),
    ("races shares", &["races shares race_k3v9x2m7q4w8z1c5"]),
    (
        "races end-share",
        &["races end-share race_k3v9x2m7q4w8z1c5 share_h5k2q7w3x6z4b2n3"],
    ),
    (
        "races limits",
        &["races limits race_k3v9x2m7q4w8z1c5 hr_max=165 power_max=280"],
    ),
    ("monitor", &["monitor", "monitor --all --json | head"]),
    ("metrics", &["metrics"]),
    ("notify", &["notify test"]),
    ("notify test", &["notify test"]),
    (
        "backup",
        &[
            "backup",
            "backup /mnt/backups/ --keep 14",
            "backup - | ssh nas 'cat > gateway.backup'",
        ],
    ),
    (
        "restore",
        &[
            "restore --verify gateway.backup",
            "restore gateway.backup --replace",
        ],
    ),
    (
        "import",
        &[
            "import --from /srv/garmin-mcp-gateway",
            "import --from /srv/garmin-mcp-gateway --secret-file old-secret --yes",
            "import --livetrack /srv/livetrack/livetrack.db --races-of anna@example.org --yes",
        ],
    ),
    (
        "export",
        &[
            "export --account anna@example.org > anna.json",
            "export --account anna@example.org --race race_k3v9x2m7q4w8z1c5 --as gpx race.gpx",
        ],
    ),
    (
        "rotate-secret",
        &["rotate-secret", "rotate-secret --apart /root/new-secret"],
    ),
    (
        "install",
        &[
            "install --dry-run",
            "install --public-url https://gateway.example.org --invite anna@example.org",
        ],
    ),
    ("upgrade", &["upgrade --dry-run", "upgrade --version 1.2.3 --yes"]),
    ("doctor", &["doctor", "doctor --json"]),
    ("config", &["config", "config --env-file my.env --json"]),
    (
        "completions",
        &["completions bash > /etc/bash_completion.d/garmin-gateway"],
    ),
    ("man", &["man | man -l -", "man --into /usr/local/share/man/man1"]),
    ("worker", &["worker", "worker install"]),
    (
        "worker install",
        &["worker install", "worker install --user --dry-run"],
    ),
    ("worker rollback", &["worker rollback"]),
    ("worker use", &["worker use garmin_mcp", "worker use built-in"]),
    ("worker remove", &["worker remove"]),
];

/// Adds the examples to the help of the program's `command`.
pub(super) fn with_examples(mut command: Command) -> Command {
    for (path, examples) in EXAMPLES {
        let path: Vec<&str> = path.split(' ').collect();
        command = add(command, &path, examples);
    }
    command
}

fn add(command: Command, path: &[&str], examples: &[&str]) -> Command {
    match path {
        [] => {
            let lines = examples
                .iter()
                .map(|example| format!("  garmin-gateway {example}"));
            let lines = lines.collect::<Vec<_>>().join("\n");
            let before = command
                .get_after_help()
                .map_or_else(String::new, |text| format!("{text}\n\n"));
            command.after_help(format!("{before}Examples:\n{lines}"))
        }
        [name, rest @ ..] => command.mut_subcommand(*name, |inner| add(inner, rest, examples)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_visible_subcommand_has_an_example_that_parses() {
        let command = with_examples(Cli::command());
        let mut left: Vec<&Command> = command.get_subcommands().collect();
        while let Some(one) = left.pop() {
            if one.is_hide_set() {
                continue;
            }
            let help = one.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{} has no example", one.get_name());
            left.extend(one.get_subcommands());
        }
        for (path, examples) in EXAMPLES {
            for example in *examples {
                assert!(example.starts_with(path), "{example} is no example of {path}");
                // Take the text before a pipe or redirection. It contains no quoted words.
                let typed = example.split(['|', '>']).next().unwrap();
                let argv = std::iter::once("garmin-gateway").chain(typed.split_whitespace());
                let parsed = Cli::command().try_get_matches_from(argv);
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
