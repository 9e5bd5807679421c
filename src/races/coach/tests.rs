use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::super::facts::tests::look;
use super::*;
use crate::foundation::lifecycle::Lifecycle;
use crate::foundation::secrets::RootSecret;
use crate::foundation::stand_in::StandIn;

struct Bench {
    claude: Claude,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new(by: CoachedBy) -> Self {
        Self::with(CoachConfig {
            by,
            timeout: Duration::from_secs(60),
            at_once: 2,
            daily: 3,
            daily_cents: Some(100),
        })
    }

    fn with(config: CoachConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let claude = Claude::new(ClaudeParts {
            config,
            store: Store::open(&dir.path().join("db"), &secret).unwrap(),
            clock: Clock::manual("2026-10-04T09:00:00Z".parse().unwrap()),
            public_url: "https://gw.example.org".into(),
            local_url: "http://127.0.0.1:8080".into(),
            directory: dir.path().join("coach"),
        });
        Self { claude, dir }
    }

    /// What is left of looks.
    fn leftovers(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("coach")).map_or(0, Iterator::count)
    }
}

fn runner(url: &Url) -> CoachedBy {
    CoachedBy::Runner {
        url: url.clone(),
        workspace: "training".into(),
    }
}

#[tokio::test]
async fn a_runner_gets_the_order_and_nobody_waits_for_it() {
    let lifecycle = Lifecycle::new();
    let stand_in = StandIn::start(&lifecycle).await;
    stand_in.will_answer(202, &[], "");
    stand_in.will_answer(503, &[], "");
    let bench = Bench::new(runner(&stand_in.url));
    assert_eq!(bench.claude.look(look()).await, Ok(None));
    let order = stand_in.asked().remove(0);
    assert_eq!(
        (order.path.as_str(), &order.json["workspace"]),
        ("/run", &"training".into())
    );
    let prompt = order.json["prompt"].as_str().unwrap();
    assert!(prompt.contains("https://gw.example.org/control") && prompt.contains("elapsed: 1:00:00"));
    let mcp = &order.json["mcp_config"]["mcpServers"]["race"];
    assert_eq!(mcp["url"], "https://gw.example.org/mcp");
    assert_eq!(mcp["headers"]["Authorization"], "Bearer t");
    // Down now, up again at the next cycle.
    assert_eq!(
        bench.claude.look(look()).await,
        Err(failed("the runner answered 503"))
    );
    assert_eq!(bench.claude.look(look()).await, Ok(None));
}

#[tokio::test]
async fn a_runner_that_is_not_there_costs_nothing() {
    let bench = Bench::new(runner(&"http://127.0.0.1:1".parse().unwrap()));
    drop(rustls::crypto::ring::default_provider().install_default());
    assert_eq!(
        bench.claude.look(look()).await,
        Err(failed("the runner can't be reached"))
    );
}

#[tokio::test]
async fn nobody_set_up_looks_at_nothing() {
    let bench = Bench::new(CoachedBy::Nobody);
    assert!(!bench.claude.is_set_up());
    assert_eq!(bench.claude.look(look()).await, Err(NotLooked::NotSetUp));
}

/// A program that stands in for claude; it notes what it got in `dir`.
fn stand_in(dir: &Path, body: &str) -> CoachedBy {
    let program = dir.join("claude");
    let notes = dir.display();
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > {notes}/arguments\nenv > {notes}/environment\ncat > {notes}/prompt\n\
         pwd > {notes}/directory\nls -A > {notes}/files\n{body}\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    CoachedBy::Command {
        words: vec![program.display().to_string(), "--model".into(), "sonnet".into()],
        environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
    }
}

const ANSWER: &str = r#"echo '{"is_error":false,"result":"All is well.","total_cost_usd":0.6}'"#;

#[tokio::test]
async fn a_command_gets_the_prompt_and_the_way_to_one_race() {
    let notes = tempfile::tempdir().unwrap();
    let note = |name: &str| std::fs::read_to_string(notes.path().join(name)).unwrap();
    let copy = r#"while [ "$1" != --mcp-config ]; do shift; done; cp "$2" "$(dirname "$0")/mcp""#;
    let bench = Bench::new(stand_in(notes.path(), &format!("{copy}\n{ANSWER}")));
    assert_eq!(bench.claude.look(look()).await, Ok(Some("All is well.".into())));
    assert!(note("prompt").contains("<race_data>"));
    let arguments = note("arguments");
    assert!(arguments.starts_with("--model\nsonnet\n-p\n"), "{arguments}");
    assert!(
        arguments.contains(
            "mcp__race__get_timeseries,mcp__race__update_thresholds,mcp__race__send_coaching_message"
        )
    );
    assert!(arguments.contains("--max-budget-usd=1.00"));
    // Neither the token nor the race is for everybody's eyes in a process list.
    assert!(!arguments.contains("Bearer") && !arguments.contains("elapsed"));
    let mcp: Value = serde_json::from_str(&note("mcp")).unwrap();
    assert_eq!(mcp["mcpServers"]["race"]["url"], "http://127.0.0.1:8080/mcp");
    let own = [
        "ENABLE_TOOL_SEARCH=",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=",
        "DISABLE_AUTOUPDATER=",
        "PATH=",
        "PWD=",
        "SHLVL=",
        "_=",
        "OLDPWD=",
    ];
    let environment = note("environment");
    assert!(
        environment
            .lines()
            .all(|line| own.iter().any(|name| line.starts_with(name))),
        "{environment}"
    );
    assert_eq!(note("files"), "");
    assert_eq!(bench.leftovers(), 0);
}

#[tokio::test]
async fn a_look_that_hangs_is_killed_with_all_that_it_started() {
    let notes = tempfile::tempdir().unwrap();
    let by = stand_in(
        notes.path(),
        "sleep 600 & echo $! > \"$(dirname \"$0\")/grandchild\"; mv \"$(dirname \"$0\")/grandchild\" \"$(dirname \"$0\")/ready\"; sleep 600",
    );
    let bench = Bench::new(by);
    let ready = notes.path().join("ready");
    let started = async {
        while !ready.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // Whoever waits for the look goes away.
    tokio::select! {
        seen = bench.claude.look(look()) => panic!("{seen:?}"),
        () = started => {}
    }
    let grandchild: i32 = std::fs::read_to_string(&ready).unwrap().trim().parse().unwrap();
    // It is init's to bury; it may take a moment to be gone.
    while is_alive(grandchild) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(bench.leftovers(), 0);
}

/// A zombie is dead.
fn is_alive(id: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[tokio::test]
async fn a_look_has_its_time_its_number_and_its_price() {
    let notes = tempfile::tempdir().unwrap();
    let by = stand_in(notes.path(), "sleep 600");
    let slow = Bench::with(CoachConfig {
        by,
        timeout: Duration::from_millis(300),
        at_once: 1,
        daily: 2,
        daily_cents: None,
    });
    let too_long = failed("it took longer than ANALYSIS_TIMEOUT");
    assert_eq!(slow.claude.look(look()).await, Err(too_long.clone()));
    assert_eq!(slow.claude.look(look()).await, Err(too_long));
    assert_eq!(
        slow.claude.look(look()).await,
        Err(failed("today's looks (ANALYSIS_DAILY) are used up"))
    );
    // 60 cents each, and a dollar a day: the second one is the last.
    let dear = Bench::new(stand_in(notes.path(), ANSWER));
    for _ in 0..2 {
        assert!(dear.claude.look(look()).await.is_ok());
    }
    let spent = Err(failed("today's ANALYSIS_DAILY_USD is spent"));
    assert_eq!(dear.claude.look(look()).await, spent);
    dear.claude
        .0
        .parts
        .clock
        .advance(jiff::SignedDuration::from_hours(24));
    assert!(dear.claude.look(look()).await.is_ok());
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    let notes = tempfile::tempdir().unwrap();
    let bench = Bench::new(stand_in(notes.path(), "echo '{\"result\":\"x\"}'; exit 3"));
    let why = bench.claude.look(look()).await.unwrap_err().to_string();
    assert!(why.contains("exit status: 3"), "{why}");
    let bench = Bench::new(CoachedBy::Command {
        words: vec!["/does/not/exist".into()],
        environment: vec![],
    });
    let why = bench.claude.look(look()).await.unwrap_err().to_string();
    assert!(why.contains("CLAUDE_CMD can't be started"), "{why}");
}
