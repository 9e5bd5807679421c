//! Tests of plans as snapshots, and of performing them with stubs for git and uv.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::config::{Config, Sources};

const OTHER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn facts(root: &Path) -> WorkerFacts {
    WorkerFacts {
        layout: Layout::system(root),
        is_root: true,
        uv: Some("/usr/bin/uv".into()),
        git: Some("/usr/bin/git".into()),
        current: None,
        previous: None,
        has_settings: true,
        command: None,
        is_running: true,
        has_directory: false,
    }
}

fn install(revision: &str) -> WorkerOperation {
    WorkerOperation::Install {
        revision: revision.to_owned(),
        source: SOURCE.to_owned(),
    }
}

fn shown(facts: &WorkerFacts, wish: &WorkerOperation) -> String {
    match plan(facts, wish) {
        Ok(actions) if actions.is_empty() => "nothing to do".to_owned(),
        Ok(actions) => {
            let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
        Err(e) => format!("refused: {e}"),
    }
}

#[test]
fn plans() {
    let bare = facts(Path::new("/"));
    let installed = WorkerFacts {
        current: Some(REVISION.to_owned()),
        has_directory: true,
        ..bare.clone()
    };
    let upgraded = WorkerFacts {
        current: Some(OTHER.to_owned()),
        previous: Some(REVISION.to_owned()),
        ..bare.clone()
    };
    let used = WorkerFacts {
        command: Some(WorkerDirectory::of(&bare.layout).command()),
        ..installed.clone()
    };
    let cases = [
        ("install", shown(&bare, &install(REVISION))),
        ("install again", shown(&installed, &install(REVISION))),
        ("another revision", shown(&installed, &install(OTHER))),
        ("back by installing", shown(&upgraded, &install(REVISION))),
        ("rollback", shown(&upgraded, &WorkerOperation::Rollback)),
        (
            "rollback to nothing",
            shown(&installed, &WorkerOperation::Rollback),
        ),
        (
            "use before installing",
            shown(&bare, &WorkerOperation::Use(WorkerProgram::GarminMcp)),
        ),
        (
            "use",
            shown(&installed, &WorkerOperation::Use(WorkerProgram::GarminMcp)),
        ),
        (
            "use again",
            shown(&used, &WorkerOperation::Use(WorkerProgram::GarminMcp)),
        ),
        (
            "use built-in",
            shown(&used, &WorkerOperation::Use(WorkerProgram::BuiltIn)),
        ),
        ("remove in use", shown(&used, &WorkerOperation::Remove)),
        ("remove", shown(&installed, &WorkerOperation::Remove)),
        ("remove nothing", shown(&bare, &WorkerOperation::Remove)),
        ("a name", shown(&bare, &install("main"))),
        (
            "no uv",
            shown(
                &WorkerFacts {
                    uv: None,
                    ..bare.clone()
                },
                &install(REVISION),
            ),
        ),
        (
            "not root",
            shown(
                &WorkerFacts {
                    is_root: false,
                    ..bare.clone()
                },
                &install(REVISION),
            ),
        ),
        (
            "no gateway",
            shown(
                &WorkerFacts {
                    has_settings: false,
                    ..installed.clone()
                },
                &WorkerOperation::Use(WorkerProgram::GarminMcp),
            ),
        ),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|(name, plan)| format!("# {name}\n{plan}"))
        .collect();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/install/snapshots");
    insta::with_settings!({ snapshot_path => directory }, {
        insta::assert_snapshot!(shown.join("\n\n"));
    });
}

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\nset -eu\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A machine with stubs: git records the requested revision, and uv creates a program that prints the text from
/// [`Machine::packages`].
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        script(
            &machine.bin().join("git"),
            r#"case "$3" in fetch) [ "$7" != bad ] && echo "$7" > "$2/revision" ;; esac"#,
        );
        machine.packages("Failed to initialize Garmin Connect client. Exiting.");
        machine
    }

    fn bin(&self) -> PathBuf {
        self.root.path().join("bin")
    }

    /// Makes the programs that uv installs from now on print these words and exit.
    fn packages(&self, words: &str) {
        script(
            &self.bin().join("uv"),
            &format!(
                r#"for last; do :; done
[ -f "$last/revision" ]
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin" "$UV_CACHE_DIR"
printf '#!/bin/sh\necho "{words}"\n' > "$UV_PROJECT_ENVIRONMENT/bin/garmin-mcp"
chmod 755 "$UV_PROJECT_ENVIRONMENT/bin/garmin-mcp""#
            ),
        );
    }

    fn facts(&self) -> WorkerFacts {
        let found = WorkerFacts::find(Layout::user(self.root.path()), self.bin().to_str().unwrap());
        WorkerFacts {
            is_running: false,
            ..found
        }
    }

    async fn carry_out(&self, wish: WorkerOperation) -> Result<(), WorkerInstallError> {
        let facts = self.facts();
        let at = |name: &str| self.root.path().join(name).display().to_string();
        let sources = Sources::of_pairs([
            ("DATA_DIR", at("data").as_str()),
            ("RUNTIME_DIR", &at("run")),
            ("GATEWAY_SECRET_FILE", &at("secret")),
            ("WORKER_STARTUP_TIMEOUT", "60"),
            ("GARMIN_SSO_URL", "http://127.0.0.1:9"),
            ("GARMIN_DIAUTH_URL", "http://127.0.0.1:9"),
            ("GARMIN_CONNECTAPI_URL", "http://127.0.0.1:9"),
        ]);
        let config = Config::load(&sources).unwrap();
        let actions = plan(&facts, &wish)?;
        // The gateway's program normally confines the worker. This stub confines nothing and executes the worker
        // directly.
        let fence = self.bin().join("fence");
        script(&fence, &format!("exec {}/current-or-new", at("bin")));
        for action in &actions {
            if let WorkerInstallStep::Try { program } = action {
                script(
                    &self.bin().join("current-or-new"),
                    &format!("exec {}", program.display()),
                );
            }
        }
        perform(&actions, &facts, &config, &fence, &mut |_| {}).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_works_becomes_current_and_one_that_does_not_changes_nothing() {
    let machine = Machine::new();
    machine.carry_out(install(REVISION)).await.unwrap();
    assert_eq!(machine.facts().current.as_deref(), Some(REVISION));
    assert!(
        !WorkerDirectory::of(&machine.facts().layout)
            .0
            .join("cache")
            .exists()
    );

    // The packages are too new, so the revision is refused. A second attempt starts from the beginning.
    machine.packages("ImportError: cannot import name 'FastMCP' from 'mcp.server'");
    let error = machine.carry_out(install(OTHER)).await.unwrap_err();
    assert!(error.to_string().contains("mcp<2"), "{error}");
    assert_eq!(machine.facts().current.as_deref(), Some(REVISION));

    machine.packages("Failed to initialize Garmin Connect client. Exiting.");
    machine.carry_out(install(OTHER)).await.unwrap();
    let facts = machine.facts();
    assert_eq!(
        (facts.current.as_deref(), facts.previous.as_deref()),
        (Some(OTHER), Some(REVISION))
    );
    machine.carry_out(WorkerOperation::Rollback).await.unwrap();
    let facts = machine.facts();
    assert_eq!(
        (facts.current.as_deref(), facts.previous.as_deref()),
        (Some(REVISION), Some(OTHER))
    );

    // Installing a third revision removes the oldest one, to which no rollback is possible any more.
    let third = "c".repeat(40);
    machine.carry_out(install(&third)).await.unwrap();
    let place = WorkerDirectory::of(&machine.facts().layout);
    assert!(!place.revision(OTHER).exists() && place.revision(REVISION).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choice_is_one_line_of_the_settings() {
    let machine = Machine::new();
    let file = machine.facts().layout.env_file();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "# mine\nINVITED=ann@example.org\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    machine.carry_out(install(REVISION)).await.unwrap();
    machine
        .carry_out(WorkerOperation::Use(WorkerProgram::GarminMcp))
        .await
        .unwrap();
    let command = WorkerDirectory::of(&machine.facts().layout).command();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        format!("# mine\nINVITED=ann@example.org\nGARMIN_MCP_CMD={command}\n")
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(machine.facts().command, Some(command.clone()));
    assert!(machine.carry_out(WorkerOperation::Remove).await.is_err());

    machine
        .carry_out(WorkerOperation::Use(WorkerProgram::BuiltIn))
        .await
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        format!("# mine\nINVITED=ann@example.org\n#GARMIN_MCP_CMD={command}\n")
    );
    machine.carry_out(WorkerOperation::Remove).await.unwrap();
    assert_eq!(machine.facts().current, None);
}
