//! Looks at a race by a command that the gateway starts: its input, its permissions, and that nothing of it remains,
//! however it ends. The test binary also runs itself as the gateway that is killed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::{RootSecret, Secret};
use garmin_gateway::coach::look::{LookError, RaceLook};
use garmin_gateway::coach::{Claude, ClaudeParts};
use garmin_gateway::config::{CoachConfig, CoachedBy};
use garmin_gateway::race::id::RaceId;
use garmin_gateway::race::plan::RacePlan;
use garmin_gateway::race::schedule::RaceWatch;
use garmin_gateway::race::snapshot::Snapshot;
use garmin_gateway::race::sport::RaceKind;
use garmin_gateway::race::track::Track;
use garmin_gateway::sandbox::{PrivatePaths, Processes};
use garmin_gateway::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const DIRECTORY: &str = "LOOKS_TEST_DIRECTORY";

fn now() -> Timestamp {
    "2026-10-04T09:00:00Z".parse().unwrap()
}

fn failed(why: &str) -> LookError {
    LookError::Failed(why.to_owned())
}

/// A gateway's coach with its own directory, which contains the data, the secret, and in `run` the directories of the
/// looks.
struct Bench {
    claude: Claude,
    clock: Clock,
    directory: PathBuf,
    _owned: Option<tempfile::TempDir>,
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
        let owned = tempfile::tempdir().unwrap();
        let bench = Self::at(owned.path(), config);
        Self {
            _owned: Some(owned),
            ..bench
        }
    }

    fn at(directory: &Path, config: CoachConfig) -> Self {
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let data = directory.join("data");
        fs::create_dir_all(directory.join("run/workers/acc")).unwrap();
        fs::create_dir_all(data.join("users")).unwrap();
        for path in ["secret", "run/workers/acc/garmin_tokens.json", "data/users/log"] {
            fs::write(directory.join(path), "private").unwrap();
        }
        let private = ["data/db", "data/users", "run", "secret"].map(|name| directory.join(name));
        let private = PrivatePaths::new(&data, private);
        let clock = Clock::manual(now());
        let program = crate::whole::program();
        let claude = Claude::new(ClaudeParts {
            config,
            store: Store::open(&data.join("db"), &secret).unwrap(),
            clock: clock.clone(),
            public_url: "https://gw.example.org".into(),
            local_url: "http://127.0.0.1:8080".into(),
            directory: directory.join("run/coach"),
            processes: Processes::start(program, private, &Lifecycle::new()).unwrap(),
        });
        Self {
            claude,
            clock,
            directory: directory.to_owned(),
            _owned: None,
        }
    }

    async fn look(&self) -> Result<Option<String>, LookError> {
        let look = RaceLook {
            snapshot: Snapshot {
                race: RaceId::random(),
                account: "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
                now: now(),
                settings: RacePlan::default(),
                course: None,
                watch: RaceWatch::new(now()),
                track: Track::new(RaceKind::Run),
                alerts: vec![],
            },
            window: vec![],
            said: vec![],
            token: Secret::new("t"),
            asked_for: false,
        };
        self.claude.look(look).await
    }

    /// Number of look directories that remain.
    fn leftovers(&self) -> usize {
        fs::read_dir(self.directory.join("run/coach")).map_or(0, Iterator::count)
    }
}

/// Directory to which a stand-in for Claude writes its input. It contains the stand-in's login, the only writable
/// place that outlasts a look.
pub(crate) struct Notes(tempfile::TempDir);

impl Notes {
    pub(crate) fn make() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The stand-in itself.
    pub(crate) fn program(&self) -> PathBuf {
        self.0.path().join("claude")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("login").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    async fn wait_for(&self, name: &str) -> String {
        while !self.path(name).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.read(name)
    }
}

/// A program that replaces `claude` and records its input in `$notes`.
pub(crate) fn stand_in(notes: &Notes, body: &str) -> CoachedBy {
    let program = notes.program();
    fs::create_dir_all(notes.path("")).unwrap();
    let script = format!(
        "#!/bin/sh\nnotes=$CLAUDE_CONFIG_DIR\nprintf '%s\\n' \"$@\" > $notes/arguments\nenv > $notes/environment\n\
         cat > $notes/prompt\nls -A > $notes/files\n{body}\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let login = notes.path("").display().to_string();
    CoachedBy::Command {
        words: vec![program.display().to_string(), "--model".into(), "sonnet".into()],
        environment: vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("CLAUDE_CONFIG_DIR".into(), login),
        ],
    }
}

pub(crate) const ANSWER: &str = r#"echo '{"is_error":false,"result":"All is well.","total_cost_usd":0.6}'"#;

#[tokio::test]
async fn a_command_gets_the_prompt_and_the_way_to_one_race() {
    let notes = Notes::make();
    let note = |name: &str| notes.read(name);
    let copy = r#"while [ "$1" != --mcp-config ]; do shift; done; cp "$2" $notes/mcp"#;
    let bench = Bench::new(stand_in(&notes, &format!("{copy}\n{ANSWER}")));
    assert_eq!(bench.look().await, Ok(Some("All is well.".into())));
    assert!(note("prompt").contains("<race_data>"));
    let arguments = note("arguments");
    assert!(arguments.starts_with("--model\nsonnet\n-p\n"), "{arguments}");
    assert!(
        arguments.contains(
            "mcp__race__get_timeseries,mcp__race__update_thresholds,mcp__race__send_coaching_message"
        )
    );
    assert!(arguments.contains("--max-budget-usd=1.00"));
    // Neither the token nor the race may appear in a process list.
    assert!(!arguments.contains("Bearer") && !arguments.contains("elapsed"));
    let mcp: Value = serde_json::from_str(&note("mcp")).unwrap();
    assert_eq!(mcp["mcpServers"]["race"]["url"], "http://127.0.0.1:8080/mcp");
    let own = [
        "ENABLE_TOOL_SEARCH=",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=",
        "DISABLE_AUTOUPDATER=",
        "PATH=",
        "CLAUDE_CONFIG_DIR=",
        "TMPDIR=",
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

/// Starts a child process, reports both process ids, and hangs.
const HANGS: &str = "sleep 600 & echo $$ $! > $notes/new; mv $notes/new $notes/processes; sleep 600";

/// The process ids that [`HANGS`] reported.
pub(crate) async fn processes(notes: &Notes) -> Vec<i32> {
    let told = notes.wait_for("processes").await;
    told.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// Waits until the processes are gone. Their new parent may take a moment to reap them.
async fn until_gone(processes: &[i32]) {
    while processes.iter().any(|id| is_alive(*id)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_look_that_hangs_is_killed_with_all_that_it_started() {
    let notes = Notes::make();
    let bench = Bench::new(stand_in(&notes, HANGS));
    // The caller stops waiting for the look.
    let started = tokio::select! {
        seen = bench.look() => panic!("{seen:?}"),
        started = processes(&notes) => started,
    };
    until_gone(&started).await;
    assert_eq!(bench.leftovers(), 0);
}

/// Not a test of its own: a gateway that runs a look until it is killed.
#[tokio::test]
async fn gateway_program() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let notes: PathBuf = std::env::var("LOOKS_TEST_NOTES").unwrap().into();
    let by = CoachedBy::Command {
        words: vec![notes.join("claude").display().to_string()],
        environment: vec![(
            "CLAUDE_CONFIG_DIR".into(),
            notes.join("login").display().to_string(),
        )],
    };
    let bench = Bench::at(
        Path::new(&directory),
        CoachConfig {
            by,
            timeout: Duration::from_secs(600),
            at_once: 1,
            daily: 1,
            daily_cents: None,
        },
    );
    panic!("{:?}", bench.look().await);
}

#[tokio::test]
async fn a_look_dies_with_a_gateway_that_is_killed() {
    let (notes, directory) = (Notes::make(), tempfile::tempdir().unwrap());
    // Nothing asks the script, which ignores SIGTERM, or its child to exit.
    stand_in(&notes, &format!("trap '' TERM; {HANGS}"));
    let mut gateway = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "looks::gateway_program", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .env("LOOKS_TEST_NOTES", notes.0.path())
        .spawn()
        .unwrap();
    let started = processes(&notes).await;
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    until_gone(&started).await;
}

/// Whether this kernel supports Landlock.
fn has_landlock() -> bool {
    use landlock::{ABI, Access, AccessFs, LandlockStatus, Ruleset, RulesetAttr};
    // In a separate thread, because the restriction applies to the calling thread.
    let tried = std::thread::spawn(|| {
        let rules = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V1))
            .unwrap();
        rules.create().unwrap().restrict_self().unwrap().landlock
    });
    matches!(tried.join().unwrap(), LandlockStatus::Available { .. })
}

#[tokio::test]
async fn a_command_sees_nothing_of_the_gateway_or_of_its_people() {
    let notes = Notes::make();
    let gateway = std::process::id();
    let body = format!(
        "tried() {{ if \"$@\" >/dev/null 2>&1; then echo yes; else echo no; fi >> $notes/tried; }}\n\
         for path in data/db/db data/users/log secret run/workers/acc/garmin_tokens.json; do\n\
           tried cat $(cat $notes/ground)/$path\n\
         done\n\
         tried cat /proc/{gateway}/environ\n\
         tried touch /tmp/looks-test-{gateway}\n\
         tried touch $TMPDIR/x\n\
         tried touch $notes/x\n\
         tried cat /etc/hosts\n{ANSWER}"
    );
    let bench = Bench::new(stand_in(&notes, &body));
    fs::write(notes.path("ground"), bench.directory.display().to_string()).unwrap();
    // These files exist, so a refusal is due to the fence.
    for path in ["data/db/db", "data/users/log", "secret"] {
        assert!(bench.directory.join(path).exists(), "{path}");
    }
    assert_eq!(bench.look().await, Ok(Some("All is well.".into())));
    let tried = notes.read("tried");
    if has_landlock() {
        assert_eq!(
            tried.split_whitespace().collect::<String>(),
            "nonononononoyesyesyes"
        );
    }
}

/// A zombie process counts as dead.
pub(crate) fn is_alive(id: i32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[tokio::test]
async fn a_look_has_its_time_its_number_and_its_price() {
    let notes = Notes::make();
    let by = stand_in(&notes, "sleep 600");
    let slow = Bench::with(CoachConfig {
        by,
        timeout: Duration::from_millis(300),
        at_once: 1,
        daily: 2,
        daily_cents: None,
    });
    let too_long = failed("it took longer than ANALYSIS_TIMEOUT");
    assert_eq!(slow.look().await, Err(too_long.clone()));
    assert_eq!(slow.look().await, Err(too_long));
    assert_eq!(
        slow.look().await,
        Err(failed("today's looks (ANALYSIS_DAILY) are used up"))
    );
    // Each look costs 60 cents, with a limit of one dollar a day: the second one exhausts it.
    let dear = Bench::new(stand_in(&notes, ANSWER));
    for _ in 0..2 {
        assert!(dear.look().await.is_ok());
    }
    let spent = Err(failed("today's ANALYSIS_DAILY_USD is spent"));
    assert_eq!(dear.look().await, spent);
    dear.clock.advance(SignedDuration::from_hours(24));
    assert!(dear.look().await.is_ok());
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    let notes = Notes::make();
    let bench = Bench::new(stand_in(&notes, "echo '{\"result\":\"x\"}'; exit 3"));
    let why = bench.look().await.unwrap_err().to_string();
    assert!(why.contains("exit status: 3"), "{why}");
    let bench = Bench::new(CoachedBy::Command {
        words: vec!["/does/not/exist".into()],
        environment: vec![],
    });
    let why = bench.look().await.unwrap_err().to_string();
    assert!(why.contains("CLAUDE_CMD can't be started"), "{why}");
}
