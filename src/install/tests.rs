//! Tests of plans as snapshots, and of a complete installation in a temporary directory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn answers() -> Answers {
    Answers {
        public_url: "https://garmin.example.org".into(),
        tls: "acme".into(),
        invited: "ada@example.org,@family.example".into(),
        operator_name: "Ada's brother".replace('\'', "’"),
        operator_email: String::new(),
        ..Answers::default()
    }
}

fn page() -> Manual {
    Manual {
        path: "man/man1/garmin-gateway.1".into(),
        text: "A page.\n".into(),
    }
}

/// A machine with systemd on which nothing is installed yet.
fn fresh() -> Facts {
    Facts {
        layout: Layout::system(Path::new("/")),
        version: "1.2.0".into(),
        is_root: true,
        has_systemd: true,
        has_user: false,
        installed: None,
        is_same_program: false,
        is_same_unit: false,
        is_same_backup: false,
        has_backup: false,
        has_unit: false,
        is_running: false,
        has_settings: false,
        has_secret: false,
        has_data: false,
        has_store: false,
        store: "/var/lib/garmin-gateway/gateway.db".into(),
        manuals: vec![page()],
        has_same_manuals: false,
        missing: facts::removed_paths(
            &Layout::system(Path::new("/")),
            Path::new("/var/lib/garmin-gateway/gateway.db"),
            &[page()],
        )
        .collect(),
    }
}

/// The same machine with version 1.1.0 installed and running.
fn at_work() -> Facts {
    Facts {
        has_user: true,
        installed: Some("1.1.0".into()),
        is_same_unit: true,
        is_same_backup: true,
        has_backup: true,
        has_unit: true,
        is_running: true,
        has_settings: true,
        has_secret: true,
        has_data: true,
        missing: BTreeSet::new(),
        has_store: true,
        ..fresh()
    }
}

fn shown(facts: &Facts, wish: &InstallOperation) -> String {
    let plan = match plan(facts, wish) {
        Ok(plan) => plan,
        Err(error) => return format!("refused: {error}"),
    };
    let mut text = String::new();
    for (number, action) in plan.actions.iter().enumerate() {
        let mark = if plan.takes_back_from.is_some_and(|from| number >= from) {
            "↺"
        } else {
            "-"
        };
        writeln!(text, "{mark} {action}").unwrap();
    }
    for note in plan.notes {
        writeln!(text, "{note}").unwrap();
    }
    text
}

#[test]
fn plans_are_what_they_were() {
    let install = InstallOperation::Install(answers());
    let uninstall = |purge| InstallOperation::Uninstall { purge };
    let user = Facts {
        layout: Layout::user(Path::new("/home/ada")),
        is_root: false,
        ..fresh()
    };
    let cases = [
        ("root, nothing there", fresh(), install.clone()),
        ("one's own", user.clone(), install.clone()),
        (
            "no systemd",
            Facts {
                has_systemd: false,
                ..user
            },
            install.clone(),
        ),
        ("upgrade", at_work(), install.clone()),
        (
            "upgrade, the store elsewhere",
            Facts {
                store: "/srv/garmin.db".into(),
                ..at_work()
            },
            install.clone(),
        ),
        (
            "upgrade of what does not run",
            Facts {
                is_running: false,
                ..at_work()
            },
            install.clone(),
        ),
        (
            "again",
            Facts {
                is_same_program: true,
                installed: Some("1.2.0".into()),
                ..at_work()
            },
            install.clone(),
        ),
        (
            "another unit",
            Facts {
                is_same_program: true,
                is_same_unit: false,
                ..at_work()
            },
            install.clone(),
        ),
        (
            "upgrade of what made no backups",
            Facts {
                is_same_backup: false,
                has_backup: false,
                ..at_work()
            },
            install.clone(),
        ),
        (
            "downgrade",
            Facts {
                installed: Some("1.10.0".into()),
                ..at_work()
            },
            install.clone(),
        ),
        (
            "not root",
            Facts {
                is_root: false,
                ..fresh()
            },
            install,
        ),
        ("uninstall", at_work(), uninstall(false)),
        ("purge", at_work(), uninstall(true)),
        (
            "purge, the store elsewhere",
            Facts {
                store: "/srv/garmin.db".into(),
                ..at_work()
            },
            uninstall(true),
        ),
        ("nothing to uninstall", fresh(), uninstall(false)),
    ];
    let mut all = String::new();
    for (name, facts, wish) in cases {
        writeln!(all, "# {name}\n{}", shown(&facts, &wish).trim_end()).unwrap();
        all.push('\n');
    }
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/install/snapshots");
    insta::with_settings!({ snapshot_path => directory }, {
        insta::assert_snapshot!(all);
    });
}

#[test]
fn answers_become_settings() {
    let text = answers().env_file().unwrap();
    let said: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    assert_eq!(
        said,
        [
            "PUBLIC_URL=https://garmin.example.org",
            "TLS=acme",
            "INVITED=ada@example.org,@family.example",
            "OPERATOR_NAME='Ada’s brother'",
        ]
    );
    assert!(text.contains("#OPERATOR_EMAIL="));
    for bad in ["x\nINVITED=@everybody", "'it'"] {
        let answers = Answers {
            operator_name: bad.into(),
            ..Answers::default()
        };
        assert!(
            matches!(answers.env_file(), Err(InstallError::Answers(_))),
            "{bad}"
        );
    }
}

/// Each mistake is found before anything is written, and named by its option.
#[test]
fn answers_are_read_as_the_gateway_reads_them() {
    let url = |public_url: &str, tls: &str| Answers {
        public_url: public_url.into(),
        tls: tls.into(),
        ..Answers::default()
    };
    let invited = |invited: &str| Answers {
        invited: invited.into(),
        ..Answers::default()
    };
    for (answers, expected) in [
        (url("garmin.example.org", ""), "--public-url"),
        (url("http://garmin.example.org", ""), "--public-url"),
        (url("https://garmin.example.org/mcp", ""), "--public-url"),
        (url("", "acme"), "--public-url"),
        (url("https://garmin.example.org", "letsencrypt"), "--tls"),
        (invited("ada"), "--invite"),
        (invited("a@evil.org@example.com"), "--invite"),
    ] {
        match plan(&fresh(), &InstallOperation::Install(answers.clone())) {
            Err(InstallError::Answers(wrong)) => {
                let [(option, reason)] = &wrong[..] else {
                    panic!("{answers:?}: {wrong:?}")
                };
                assert_eq!(*option, expected, "{answers:?}");
                assert!(reason.contains("; "), "{reason}");
            }
            other => panic!("{answers:?}: {other:?}"),
        }
    }
    let both = Answers {
        invited: "ada".into(),
        ..url("garmin.example.org", "")
    };
    let told = plan(&fresh(), &InstallOperation::Install(both))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("--public-url: ") && told.contains("\n--invite: "),
        "{told}"
    );
}

#[test]
fn a_second_run_says_what_it_ignores() {
    let notes = plan(&at_work(), &InstallOperation::Install(answers()))
        .unwrap()
        .notes;
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("Not used: --public-url, --tls, --invite")),
        "{notes:?}"
    );
}

/// A user's installation without systemd changes nothing outside its directory, so this test performs all of it.
#[test]
fn an_installation_is_made_upgraded_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let layout = Layout::user(home.path());
    let program = |text: &str| {
        let path = home.path().join(text);
        fs::write(&path, format!("#!/bin/sh\necho garmin-gateway {text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let run = |program: &Path, wish: &InstallOperation| {
        let facts = Facts {
            has_systemd: false,
            ..Facts::find(layout.clone(), program, vec![page()]).unwrap()
        };
        let plan = plan(&facts, wish)?;
        let mut said = Vec::new();
        perform(&plan, &facts, program, &mut |line| said.push(line.to_owned()))?;
        Ok::<_, InstallError>(said.len())
    };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let install = InstallOperation::Install(answers());

    let first = program("0.0.1");
    assert!(run(&first, &install).unwrap() > 0);
    assert_eq!(mode(&layout.program), 0o755);
    assert_eq!(mode(&layout.env_file()), 0o600);
    assert_eq!(mode(&layout.config), 0o700);

    // An upgrade preserves edited settings and keeps the previous program.
    fs::write(layout.env_file(), "INVITED=@mine.example\n").unwrap();
    let second = program("0.0.2");
    run(&second, &install).unwrap();
    assert_eq!(fs::read(&layout.program).unwrap(), fs::read(&second).unwrap());
    assert_eq!(fs::read(layout.old_program()).unwrap(), fs::read(&first).unwrap());
    assert_eq!(
        fs::read_to_string(layout.env_file()).unwrap(),
        "INVITED=@mine.example\n"
    );
    // A repeated installation only checks the settings.
    assert_eq!(run(&second, &install).unwrap(), 1);

    fs::create_dir_all(layout.store()).unwrap();
    run(&second, &InstallOperation::Uninstall { purge: false }).unwrap();
    assert!(!layout.program.exists() && !layout.old_program().exists());
    assert!(layout.env_file().exists() && layout.state.exists());
    run(&second, &InstallOperation::Uninstall { purge: true }).unwrap();
    assert!(!layout.config.exists() && !layout.state.exists());
    // Removing an installation that does not exist succeeds.
    run(&second, &InstallOperation::Uninstall { purge: true }).unwrap();
}

#[test]
fn the_store_is_where_the_settings_have_it() {
    let home = tempfile::tempdir().unwrap();
    let layout = Layout::user(home.path());
    let program = std::env::current_exe().unwrap();
    let store = || Facts::find(layout.clone(), &program, vec![page()]).unwrap().store;
    assert_eq!(store(), layout.store());
    fs::create_dir_all(&layout.config).unwrap();
    for (settings, wanted) in [
        ("PORT=8080", layout.store()),
        ("DATA_DIR=/srv/garmin", "/srv/garmin/gateway.db".into()),
        ("DATA_DIR=/srv/garmin\nDB_PATH=/mnt/db", "/mnt/db".into()),
    ] {
        fs::write(layout.env_file(), settings).unwrap();
        assert_eq!(store(), wanted, "{settings}");
    }
}

/// Settings that the new program refuses stop the upgrade before anything is changed.
#[test]
fn bad_settings_stop_an_upgrade_before_it_begins() {
    let home = tempfile::tempdir().unwrap();
    let layout = Layout::user(home.path());
    fs::create_dir_all(&layout.config).unwrap();
    fs::write(layout.env_file(), "PORT=0.5\n").unwrap();
    let program = home.path().join("new");
    fs::write(&program, "#!/bin/sh\necho 'PORT is wrong' >&2; exit 78\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let facts = Facts {
        has_systemd: false,
        ..Facts::find(layout.clone(), &program, vec![page()]).unwrap()
    };
    let plan = plan(&facts, &InstallOperation::Install(Answers::default())).unwrap();
    let error = perform(&plan, &facts, &program, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("PORT is wrong"), "{error}");
    assert!(!layout.program.exists());
}

/// Data that the new program can't open stops the upgrade while the old one is still running.
#[test]
fn data_that_the_new_program_does_not_read_stop_an_upgrade_before_it_begins() {
    let home = tempfile::tempdir().unwrap();
    let program = |name: &str, does: &str| {
        let path = home.path().join(name);
        fs::write(
            &path,
            format!(
                "#!/bin/sh\necho \"{name} $*\" >>{}/log\n{does}\n",
                home.path().display()
            ),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let layout = Layout::user(home.path());
    let facts = Facts::find(layout.clone(), Path::new("/bin/sh"), vec![page()]).unwrap();
    let check = |installed: &Path, new: &Path| {
        let plan = Plan {
            actions: vec![Action::CheckStore {
                installed: installed.to_owned(),
                runtime: "/run/ours".into(),
                env_file: "/etc/ours.env".into(),
            }],
            ..Plan::default()
        };
        perform(&plan, &facts, new, &mut |_| ()).map_err(|e| e.to_string())
    };
    // The last argument of both programs is the backup file.
    let makes = program("makes", "for file; do :; done; echo sealed >\"$file\"");
    let fails = program("fails", "echo 'another backup is being made' >&2; exit 1");
    let reads = program("reads", "for file; do :; done; grep -q sealed \"$file\"");
    let refuses = program("refuses", "echo 'a record does not open' >&2; exit 1");
    assert_eq!(check(&makes, &reads), Ok(()));
    assert!(
        check(&makes, &refuses)
            .unwrap_err()
            .contains("a record does not open")
    );
    assert!(check(&fails, &reads).unwrap_err().contains("another backup"));

    let log = fs::read_to_string(home.path().join("log")).unwrap();
    let said: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
    let [backup, restore, ..] = &said[..] else {
        panic!("{log}");
    };
    assert_eq!(
        backup[..5],
        ["makes", "backup", "--env-file", "/etc/ours.env", "--socket"]
    );
    assert_eq!(
        restore[..5],
        ["reads", "restore", "--verify", "--env-file", "/etc/ours.env"]
    );
    let file = Path::new(backup.last().unwrap());
    assert_eq!(restore.last(), backup.last());
    assert!(!file.exists() && !file.parent().unwrap().exists());
}

#[test]
fn no_secret_is_made_beside_data() {
    let lost = Facts {
        has_secret: false,
        ..at_work()
    };
    let told = shown(&lost, &InstallOperation::Install(answers()));
    assert!(
        told.starts_with("refused: /etc/garmin-gateway/secret is missing"),
        "{told}"
    );
}
