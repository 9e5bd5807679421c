//! Tests of loading all settings: defaults, sources, problems.

mod races;
mod tls;

use super::settings::{SETTINGS, near_miss};
use super::*;

const SECRET: (&str, &str) = ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef");

fn load(pairs: &[(&str, &str)]) -> Result<Config, Vec<SettingProblem>> {
    let home = [("HOME", "/home/ann"), SECRET];
    Config::load(&Sources::of_pairs(home.into_iter().chain(pairs.iter().copied())))
}

#[test]
fn nothing_set_means_the_defaults_of_the_document() {
    let config = load(&[]).unwrap();
    assert_eq!(config.bind, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.public_url.origin(), "http://localhost:8080");
    assert_eq!(config.public_url.mcp(), "http://localhost:8080/mcp");
    assert_eq!(config.workers.ports, 9000..=9099);
    assert_eq!(config.workers.idle_ttl.as_secs(), 900);
    assert_eq!(config.workers.startup_timeout.as_secs(), 20);
    assert_eq!(config.workers.max, 10);
    assert_eq!(config.workers.command, None);
    assert_eq!(config.sign_in_ttl.map(|d| d.as_secs()), Some(90 * 86_400));
    assert_eq!(config.garmin.sso.as_str(), "https://sso.garmin.com/");
    assert!(!config.live.open_sign_up && config.live.invited.is_empty());
    assert!(!config.garmin.is_simulated());
}

#[test]
fn every_setting_is_shown_and_no_secret_is() {
    let config = load(&[]).unwrap();
    let shown: Vec<&str> = config.effective.iter().map(|e| e.name).collect();
    let expected: Vec<&str> = SETTINGS
        .iter()
        .map(|s| s.name)
        .filter(|name| *name != "GATEWAY_SECRET_FILE")
        .collect();
    assert_eq!(shown, expected);
    assert!(config.effective.iter().all(|e| !e.value.contains(SECRET.1)));
}

#[test]
fn quotation_marks_that_a_shell_or_docker_left_are_refused() {
    for (name, value) in [
        ("INVITED", "\"a@b.c\""),
        ("OPERATOR_NAME", "'Ann'"),
        ("PORT", "\"8080\""),
        ("DATA_DIR", "'/srv/data'"),
    ] {
        let problems = load(&[(name, value)]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].fix.contains("without them"), "{}", problems[0]);
    }
    assert!(load(&[("GARMIN_MCP_CMD", "'/opt/my worker/run'")]).is_ok());
}

/// Defaults exist only as text in the table. Each must be a value that its setting accepts.
#[test]
fn every_default_is_the_value_in_effect() {
    let config = load(&[
        ("DATA_DIR", "/srv/PORT"),
        ("GARMIN_DOMAIN", "garmin.cn"),
        ("PORT", "81"),
    ])
    .unwrap();
    let value = |name: &str| {
        let found = config.effective.iter().find(|e| e.name == name);
        found.map(|e| e.value.as_str()).unwrap_or_default()
    };
    assert_eq!(value("PUBLIC_URL"), "http://localhost:81");
    assert_eq!(value("DB_PATH"), "/srv/PORT/gateway.db");
    assert_eq!(value("GARMIN_SSO_URL"), "https://sso.garmin.cn");
    assert_eq!(value("ANALYSIS_DAILY_USD"), "5.00");
    assert_eq!(value("WORKER_IDLE_TTL"), "900");
}

#[test]
fn a_wrong_value_does_not_spoil_the_defaults_that_name_it() {
    for name in ["PORT", "GARMIN_DOMAIN", "DATA_DIR"] {
        let problems = load(&[(name, "'#'")]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_their_fix() {
    let problems = load(&[
        ("PORT", "eighty"),
        ("PUBLIC_URL", "http://example.org"),
        ("GARMIN_SSO_URL", "http://sso.garmin.com"),
        ("INVITED", "ann@example.org,nonsense"),
        ("MAX_WORKERS", "0"),
        ("GARMIN_MCP_CMD", "uvx 'garmin"),
    ])
    .unwrap_err();
    let names: Vec<&str> = problems.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "PUBLIC_URL",
            "PORT",
            "INVITED",
            "GARMIN_MCP_CMD",
            "MAX_WORKERS",
            "GARMIN_SSO_URL"
        ]
    );
    assert!(
        problems
            .iter()
            .all(|p| p.source == SettingSource::Environment && !p.fix.is_empty())
    );
    assert_eq!(
        problems[1].to_string(),
        "PORT (environment): it is not a whole number; write a whole number from 0 to 65535"
    );
}

#[test]
fn one_value_each() {
    let check = |name: &str, value: &str, ok: bool| {
        assert_eq!(load(&[(name, value)]).is_ok(), ok, "{name}={value}");
    };
    for (name, value, ok) in [
        ("PUBLIC_URL", "https://garmin.example.org", true),
        ("PUBLIC_URL", "https://garmin.example.org/", true),
        ("PUBLIC_URL", "https://garmin.example.org/gw", false),
        ("PUBLIC_URL", "https://a:b@garmin.example.org", false),
        ("PUBLIC_URL", "http://127.0.0.1:8088", true),
        ("PUBLIC_URL", "ftp://garmin.example.org", false),
        ("GARMIN_CONNECTAPI_URL", "http://127.0.0.1:7777", true),
        ("GARMIN_DOMAIN", "garmin.cn", true),
        ("GARMIN_DOMAIN", "garmin.de", false),
        ("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8", true),
        ("TRUSTED_PROXIES", "localhost", false),
        ("ACCESS_TOKEN_TTL_DAYS", "0", true),
        ("WORKER_PORT_END", "8000", false),
        ("WORKER_PORT_END", "9003", false),
        ("REDIRECT_HOSTS", "chat.example.org", true),
        ("REDIRECT_HOSTS", "https://chat.example.org", false),
        ("REDIRECT_HOSTS", "myapp://host/callback,chat.example.org", true),
        ("REDIRECT_HOSTS", "javascript://host/callback", false),
        ("GATEWAY_LOG_LEVEL", "critical", true),
        ("OPEN_SIGN_UP", "perhaps", false),
        ("GATEWAY_SECRET_FILE", "/x", false),
        ("CALLS_PER_MINUTE", "99999999999999999999", false),
        ("INVITED", "*@example.org", false),
        ("OPERATOR_EMAIL", "me", false),
        ("OPERATOR_EMAIL", "Ann@example.org", true),
        ("NTFY_TOPIC", "my topic", false),
        ("NTFY_TOPIC", "ann@example.org=one bob@example.org=two", true),
    ] {
        check(name, value, ok);
    }
    assert!(Config::load(&Sources::of_pairs([("HOME", "/h"), ("GATEWAY_SECRET", "short")])).is_err());
}

#[test]
fn the_environment_wins_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    std::fs::write(&file, "PORT=1111\nMAX_WORKERS=3\n# a comment\n").unwrap();
    let sources = Sources::of_pairs([SECRET, ("HOME", "/h"), ("PORT", "2222")]);
    let config = Config::load(&sources.with_file(Some(&file)).unwrap()).unwrap();
    assert_eq!((config.bind.port(), config.workers.max), (2222, 3));
    let shown = config.effective.iter().find(|e| e.name == "MAX_WORKERS").unwrap();
    assert_eq!(shown.source, SettingSource::File(file));
}

#[test]
fn a_broken_line_of_the_file_is_told_without_its_text() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    std::fs::write(&file, "GATEWAY_SECRET='unclosed-and-very-secret\n").unwrap();
    let sources = Sources::of_pairs([("HOME", "/h")])
        .with_file(Some(&file))
        .unwrap();
    let problems = Config::load(&sources).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let told = problems[0].to_string();
    assert!(!told.contains("very-secret") && told.contains("line 1"), "{told}");
}

/// One round of corrections must be enough: wrong lines, wrong values and wrong names are told together.
#[test]
fn every_mistake_of_a_file_is_told_at_once_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.env");
    let text = "PORT=eighty\nINVITE=ann@example.org\nMAX_WORKERS=3\nMAX_WORKERS=4\nOPERATOR_NAME='Ann\n\n\
        TRUSTED_PROXIES=localhost,127.0.0.1,10.0.0.0/33\nHOST=0.0.0.0\n";
    std::fs::write(&file, text).unwrap();
    let sources = Sources::of_pairs([SECRET, ("HOME", "/h"), ("STALE_STOP_MIN", "-5")])
        .with_file(Some(&file))
        .unwrap();
    let problems = Config::load(&sources).unwrap_err();
    let told: Vec<_> = problems
        .iter()
        .map(|p| (p.name.as_str(), p.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("PORT", "line 1: it is not a whole number"),
            (
                "TRUSTED_PROXIES",
                "line 7: entry 1: it is neither an address nor a network"
            ),
            (
                "TRUSTED_PROXIES",
                "line 7: entry 3: it is neither an address nor a network"
            ),
            (
                "OPERATOR_NAME",
                "line 5: a quotation mark is not closed on this line"
            ),
            ("MAX_WORKERS", "line 4: it has another value in line 3"),
            ("STALE_STOP_MIN", "-5 is out of range"),
            ("HOST", "line 8: it is not a setting, so it has no effect"),
            ("INVITE", "line 2: it is not a setting"),
        ]
    );
}

#[test]
fn a_name_of_the_file_that_is_no_setting_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.env");
    let text = "ALLOWED_EMAILS=ann@example.org\nLOG_LEVEL=debug\nTZ=Europe/Vienna\nPORT=81\nc2VjcmV0=\n";
    std::fs::write(&file, text).unwrap();
    let sources = Sources::of_pairs([SECRET, ("HOME", "/h"), ("ALLOWED_EMAILS_2", "x")])
        .with_file(Some(&file))
        .unwrap();
    let warnings = Config::load(&sources).unwrap().warnings;
    let told = warnings.join("\n");
    assert!(
        told.contains("ALLOWED_EMAILS (") && told.contains("line 1: it is not a setting"),
        "{told}"
    );
    assert!(told.contains("did you mean GATEWAY_LOG_LEVEL?"), "{told}");
    // The third is perhaps the second line of a secret.
    let is_told_apart = told.contains("--env-file (") && told.contains("line 5") && !told.contains("c2Vj");
    assert!(is_told_apart, "{told}");
    assert_eq!(warnings.len(), 4, "{told}");
}

#[test]
fn near_misses_are_pointed_out() {
    for (name, meant) in [
        ("GATEWAY_SECRT", Some("GATEWAY_SECRET")),
        ("PUBLICURL", Some("PUBLIC_URL")),
        ("INVITE", Some("INVITED")),
        ("MAX_WORKER", Some("MAX_WORKERS")),
        ("PORT", None),
        ("PATH", None),
        ("GARMIN_MCP_REF", None),
        ("LANGUAGE", None),
    ] {
        assert_eq!(near_miss(name), meant, "{name}");
    }
    let config = load(&[("WORKER_IDLE_TLL", "5")]).unwrap();
    assert!(
        config
            .warnings
            .iter()
            .any(|w| w.contains("did you mean WORKER_IDLE_TTL?"))
    );
    let config = load(&[("REGISTRATIONS_PER_HOUR", "5")]).unwrap();
    assert!(
        config.warnings[0].starts_with("REGISTRATIONS_PER_HOUR (")
            && config.warnings[0].contains("no longer has any effect"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn invitations_cover_whom_they_name() {
    let check = |invited: &str, email: &str, covers: bool| {
        assert_eq!(
            Invited::parse(invited).unwrap().covers(email),
            covers,
            "{invited} {email}"
        );
    };
    check("ann@example.org", "Ann@Example.org ", true);
    check("ann@example.org", "bob@example.org", false);
    check("@example.org", "bob@example.org", true);
    check("@example.org", "bob@sub.example.org", false);
    check("@example.org", "bob@notexample.org", false);
    check("@example.org", "ann@evil.org@example.org", false);
    check("@example.org", "\"ann\"@example.org", false);
    for bad in [
        "",
        "@",
        "ann",
        "ann@",
        "a@b@c",
        "@.org",
        "\"a@b.c\"",
        "<a@b.c>",
        "@b c.org",
    ] {
        assert!(Invited::parse(bad).is_err(), "{bad}");
    }
}
