//! The fence around a worker, tested from inside with real processes. The worker can use its own program wherever
//! that is installed, and nothing of anyone else's.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use super::fake;
use super::world::{World, settings};

/// Writes an executable script with its parent directories.
fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A command like a Python program: a script of a virtual environment, whose interpreter is a link to another
/// installation, and which reads a package from a third place before it starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_anywhere_reaches_its_own_parts() {
    let base = tempfile::tempdir().unwrap();
    let at = |path: &str| base.path().join(path);
    let words = fake::command();
    let (test_binary, arguments) = words.split_first().unwrap();
    fs::create_dir_all(at("python/bin")).unwrap();
    // A hard link on the same file system avoids a copy.
    if fs::hard_link(test_binary, at("python/bin/python3")).is_err() {
        fs::copy(test_binary, at("python/bin/python3")).unwrap();
    }
    let packages = at("venv/lib/python3.12/site-packages");
    fs::create_dir_all(&packages).unwrap();
    fs::write(packages.join("x.pth"), at("project/src").display().to_string()).unwrap();
    fs::write(
        at("venv/pyvenv.cfg"),
        format!("home = {}\n", at("python/bin").display()),
    )
    .unwrap();
    program(&at("project/src/arguments"), &(arguments.join(" ") + "\n"));
    fs::create_dir_all(at("venv/bin")).unwrap();
    symlink(at("python/bin/python3"), at("venv/bin/python")).unwrap();
    let script = format!(
        "#!/usr/bin/env -S sh -e\nread -r words <{}\nexec {} $words\n",
        at("project/src/arguments").display(),
        at("venv/bin/python").display()
    );
    program(&at("venv/bin/garmin-mcp"), &script);
    fs::create_dir_all(at("home/bin")).unwrap();
    symlink(at("venv/bin/garmin-mcp"), at("home/bin/garmin-mcp")).unwrap();

    let mut settings = settings();
    settings.command = Some(vec![at("home/bin/garmin-mcp").display().to_string()]);
    let world = World::new(settings).await;
    let ann = world.link(1, "t").await;
    let answer = world
        .read(&ann, "read", json!({"path": at("venv/pyvenv.cfg")}))
        .await
        .unwrap();
    assert_eq!(answer["error"], json!(null));
    if world.fence(&ann).starts_with("files") {
        fs::write(at("project/other"), "").unwrap();
        let answer = world
            .read(&ann, "read", json!({"path": at("project/other")}))
            .await
            .unwrap();
        assert_eq!(answer["error"], "permission denied", "beside its parts");
    }
    world.end().await;
}

/// Program, data and runtime directory share one parent directory, for example under `/opt`.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_beside_the_gateways_data_sees_none_of_it() {
    let base = tempfile::tempdir().unwrap();
    let at = |path: &str| base.path().join(path);
    let words = fake::command().join(" ");
    program(
        &at("start.sh"),
        "#!/bin/sh\nset -e\n. \"$(dirname \"$0\")/parts/settings.sh\"\n",
    );
    program(&at("parts/settings.sh"), &format!("exec {words}"));
    fs::create_dir(at("data")).unwrap();
    fs::write(at("secret"), "x").unwrap();
    let mut settings = settings();
    // This names the test binary, which finally becomes the worker, so that the fence allows it.
    settings.command = Some(vec![
        at("start.sh").display().to_string(),
        fake::command().swap_remove(0),
    ]);
    let world = World::at(base.path(), settings).await;
    let (ann, bob) = (world.link(1, "ann-1").await, world.link(2, "bob-1").await);
    for person in [&ann, &bob] {
        world.read(person, "who", json!({})).await.unwrap();
    }
    if world.fence(&ann).starts_with("files") {
        for (path, allowed) in [
            (at("parts/settings.sh"), true),
            (world.worker_directory(&ann), true),
            (at("data"), false),
            (at("data/db"), false),
            (at("secret"), false),
            (at("run"), false),
            (world.worker_directory(&bob).join("garmin_tokens.json"), false),
        ] {
            let answer = world.read(&ann, "read", json!({"path": path})).await.unwrap();
            assert_eq!(answer["error"].is_null(), allowed, "{path:?}: {answer}");
        }
    }
    world.end().await;
}

/// `uvx`, as far as it matters to the fence: it runs the `uv` next to it, which creates an environment in its cache
/// at the first start and runs the program from there.
#[tokio::test(flavor = "multi_thread")]
async fn uvx_fills_its_cache_once_for_all() {
    let base = tempfile::tempdir().unwrap();
    let at = |path: &str| base.path().join(path);
    program(
        &at("uv/bin/uvx"),
        "#!/bin/sh\nexec \"$(dirname \"$0\")/uv\" tool uvx \"$@\"\n",
    );
    let made = "$UV_CACHE_DIR/archive-v0/x/bin/garmin-mcp";
    let words = fake::command();
    let uv = format!(
        "#!/bin/sh\nset -e\n[ \"$4\" = garmin-mcp ]\n\
         if ! [ -e {made} ]; then\n\
           mkdir -p $(dirname {made}) $UV_TOOL_DIR $UV_PYTHON_INSTALL_DIR\n\
           echo '#!/bin/sh' > {made}\n echo 'exec {}' >> {made}\n chmod +x {made}\n echo . >> $UV_TOOL_DIR/made\n\
         fi\nexec {made}\n",
        words.join(" ")
    );
    program(&at("uv/bin/uv"), &uv);
    let mut settings = settings();
    settings.command = Some(vec![
        at("uv/bin/uvx").display().to_string(),
        // This names the test binary, which finally becomes the worker, so that the fence allows it.
        format!("--from={}", words[0]),
        "garmin-mcp".to_owned(),
    ]);
    let world = World::at(base.path(), settings).await;
    let (ann, bob) = (world.link(1, "ann-1").await, world.link(2, "bob-1").await);
    for person in [&ann, &bob] {
        world.read(person, "who", json!({})).await.unwrap();
    }
    assert_eq!(
        fs::read_to_string(at("data/uv/tools/made")).unwrap(),
        ".\n",
        "made once"
    );
    assert!(at("data/uv/python").is_dir());
    if world.fence(&ann).starts_with("files") {
        for (tool, path, allowed) in [
            ("write", at("data/uv/cache/x"), true),
            ("write", at("uv/bin/x"), false),
            ("read", at("data/db"), false),
            (
                "read",
                world.worker_directory(&bob).join("garmin_tokens.json"),
                false,
            ),
        ] {
            let answer = world.read(&ann, tool, json!({"path": path})).await.unwrap();
            assert_eq!(answer["error"].is_null(), allowed, "{tool} {path:?}: {answer}");
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_knows_nothing_but_its_own() {
    let world = World::new(settings()).await;
    let (ann, bob) = (
        world.link(1, "ann-secret").await,
        world.link(2, "bob-secret").await,
    );
    let process = world.read(&ann, "who", json!({})).await.unwrap()["process"]
        .as_i64()
        .unwrap();
    let others = world.read(&bob, "who", json!({})).await.unwrap()["process"]
        .as_i64()
        .unwrap();

    let told = world.read(&ann, "environment", json!({})).await.unwrap();
    assert_eq!(told["directory"], json!(world.worker_directory(&ann)));
    let mut names: Vec<&str> = told["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap().split('=').next().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    insta::assert_snapshot!(names.join(" "), @"GARMINTOKENS GARMINTOKENS_BASE64 GARMIN_MCP_HOST GARMIN_MCP_PORT GARMIN_MCP_TRANSPORT HOME PATH PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED TMPDIR");
    for file in ["environ", "cmdline"] {
        let content = fs::read(format!("/proc/{process}/{file}")).unwrap();
        assert!(!String::from_utf8_lossy(&content).contains("secret"), "{file}");
    }
    let fence = world.fence(&ann);
    if !fence.starts_with("files") {
        // Without landlock there is nothing more to test; the event log has reported it.
        return world.end().await;
    }
    let own = world.worker_directory(&ann);
    let console = world.directory.join("admin.sock");
    let _console = std::os::unix::net::UnixListener::bind(&console).unwrap();
    let gateway = nix::unistd::getpid().as_raw();
    for (tool, arguments, allowed) in [
        ("read", json!({"path": own.join("garmin_tokens.json")}), true),
        ("write", json!({"path": own.join("x")}), true),
        ("read", json!({"path": "/etc/resolv.conf"}), true),
        ("read", json!({"path": world.worker_directory(&bob)}), false),
        (
            "read",
            json!({"path": world.worker_directory(&bob).join("garmin_tokens.json")}),
            false,
        ),
        ("read", json!({"path": own.with_extension("json")}), false),
        ("read", json!({"path": world.directory.join("data")}), false),
        ("write", json!({"path": world.directory.join("data/x")}), false),
        ("write", json!({"path": "/tmp/garmin-gateway-test"}), false),
        ("read", json!({"path": format!("/proc/{gateway}/environ")}), false),
        ("read", json!({"path": format!("/proc/{others}/environ")}), false),
        ("unix_socket", json!({"path": console}), false),
    ] {
        let answer = world.read(&ann, tool, arguments.clone()).await.unwrap();
        assert_eq!(answer["error"].is_null(), allowed, "{tool} {arguments}: {answer}");
    }
    if fence.contains("ports") {
        let foreign = world.info(&bob).unwrap().process.unwrap().port;
        let answer = world
            .read(&ann, "connect", json!({"port": foreign}))
            .await
            .unwrap();
        assert_eq!(answer["error"], "permission denied");
        // The port configured for Garmin in this test is allowed, though nothing listens on it.
        let answer = world.read(&ann, "connect", json!({"port": 9})).await.unwrap();
        assert_eq!(answer["error"], "connection refused");
    }
    if fence.contains("signals") {
        for process in [i64::from(gateway), others] {
            let answer = world
                .read(&ann, "signal", json!({"process": process}))
                .await
                .unwrap();
            assert!(
                answer["error"]
                    .as_str()
                    .is_some_and(|error| error.contains("EPERM")),
                "{answer}"
            );
        }
    }
    world.end().await;
}

/// The kernel lets a process change the limits and priority of any process of the same user. Each program is first
/// run outside the fence, to make sure that it works there.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_changes_no_other_process() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let bob = world.link(2, "t").await;
    let other = world.read(&bob, "who", json!({})).await.unwrap()["process"].to_string();
    let gateway = std::process::id().to_string();
    for victim in [&gateway, &other] {
        for words in [
            // Harmless values, in case the fence does not hold.
            vec!["prlimit", "--core=0:0", "--pid", victim],
            vec!["renice", "-n", "0", "-p", victim],
            vec!["ionice", "-c", "2", "-n", "4", "-p", victim],
            vec!["chrt", "-o", "-p", "0", victim],
            vec!["taskset", "-p", "ffffffff", victim],
        ] {
            let outside = std::process::Command::new(words[0]).args(&words[1..]).output();
            if !outside.is_ok_and(|outside| outside.status.success()) {
                continue;
            }
            let answer = world.read(&ann, "run", json!({"words": words})).await.unwrap();
            assert!(answer["code"].as_i64().unwrap() > 0, "{words:?}: {answer}");
            assert!(
                answer["said"].as_str().unwrap().contains("not permitted"),
                "{words:?}: {answer}"
            );
        }
    }
    // A program may still change itself and its children.
    for words in [
        vec!["sh", "-c", "ulimit -n 64"],
        vec!["nice", "-n", "5", "true"],
        vec!["sh", "-c", "sleep 100 & kill $!"],
    ] {
        let answer = world.read(&ann, "run", json!({"words": words})).await.unwrap();
        assert_eq!(answer["code"], 0, "{words:?}: {answer}");
    }
    world.end().await;
}

/// A core dump would contain a person's tokens. The limit also applies to what a worker starts, and can't be raised.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_leaves_no_core_dump() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let run = async |script: &str| {
        let words = ["sh", "-c", script];
        world.read(&ann, "run", json!({"words": words})).await.unwrap()
    };
    for limit in ["ulimit -S -c", "ulimit -H -c"] {
        let answer = run(&format!("{limit} >&2")).await;
        assert_eq!(answer["said"].as_str().unwrap().trim(), "0", "{limit}: {answer}");
    }
    let raised = run("ulimit -c unlimited").await;
    assert_ne!(raised["code"], 0, "{raised}");
    world.end().await;
}

/// Makes every system call that the fence refuses, by number, from inside. Perl makes the calls; most systems have it,
/// and the test is skipped without it. A call that got past the fence would fail with another error, because its
/// arguments are all zero, or would do nothing.
#[tokio::test(flavor = "multi_thread")]
async fn each_refused_system_call_is_refused() {
    use nix::libc;

    if std::process::Command::new("perl")
        .args(["-e", "1"])
        .status()
        .is_err()
    {
        return;
    }
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let gateway = i64::from(nix::unistd::getpid().as_raw());
    let other = [gateway, 0, 0, 0, 0];
    for (name, number, arguments) in [
        ("ptrace", libc::SYS_ptrace, [0; 5]),
        ("process_vm_readv", libc::SYS_process_vm_readv, [0; 5]),
        ("process_vm_writev", libc::SYS_process_vm_writev, [0; 5]),
        ("process_madvise", libc::SYS_process_madvise, [-1, 0, 0, 0, 0]),
        ("process_mrelease", libc::SYS_process_mrelease, [-1, 0, 0, 0, 0]),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, [-1, 0, 0, 0, 0]),
        ("kcmp", libc::SYS_kcmp, [gateway, gateway, 0, 0, 0]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [0; 5]),
        ("bpf", libc::SYS_bpf, [0; 5]),
        ("perf_event_open", libc::SYS_perf_event_open, [0; 5]),
        ("userfaultfd", libc::SYS_userfaultfd, [0; 5]),
        ("keyctl", libc::SYS_keyctl, [0; 5]),
        ("add_key", libc::SYS_add_key, [0; 5]),
        ("request_key", libc::SYS_request_key, [0; 5]),
        ("setns", libc::SYS_setns, [-1, 0, 0, 0, 0]),
        ("unshare", libc::SYS_unshare, [0; 5]),
        ("prlimit64", libc::SYS_prlimit64, other),
        ("sched_setaffinity", libc::SYS_sched_setaffinity, other),
        ("sched_setattr", libc::SYS_sched_setattr, other),
        ("sched_setparam", libc::SYS_sched_setparam, other),
        ("sched_setscheduler", libc::SYS_sched_setscheduler, other),
        ("migrate_pages", libc::SYS_migrate_pages, other),
        ("move_pages", libc::SYS_move_pages, other),
        ("setpriority", libc::SYS_setpriority, [0, gateway, 0, 0, 0]),
        ("setpriority of a group", libc::SYS_setpriority, [1, 0, 0, 0, 0]),
        ("setpriority of a user", libc::SYS_setpriority, [2, 0, 0, 0, 0]),
        ("ioprio_set", libc::SYS_ioprio_set, [1, gateway, 0, 0, 0]),
        ("ioprio_set of a group", libc::SYS_ioprio_set, [2, 0, 0, 0, 0]),
        ("ioprio_set of a user", libc::SYS_ioprio_set, [3, 0, 0, 0, 0]),
        ("kill of everybody", libc::SYS_kill, [-1, 0, 0, 0, 0]),
        ("socket of the unix kind", libc::SYS_socket, [1, 1, 0, 0, 0]),
        ("socket of the packet kind", libc::SYS_socket, [17, 3, 0, 0, 0]),
        ("ioctl TIOCSTI", libc::SYS_ioctl, [0, 0x5412, 0, 0, 0]),
        ("ioctl TIOCLINUX", libc::SYS_ioctl, [0, 0x541c, 0, 0, 0]),
    ] {
        let arguments = arguments.map(|argument| argument.to_string()).join(",");
        let program =
            format!("syscall({number},{arguments}) == -1 ? print STDERR $!+0 : print STDERR 'done'");
        let words = ["perl", "-e", &program];
        let answer = world.read(&ann, "run", json!({"words": words})).await.unwrap();
        let said = answer["said"].as_str().unwrap();
        assert_eq!(said.trim(), libc::EPERM.to_string(), "{name}: {answer}");
    }
    // Calls that affect only the caller are allowed, so it is not the name of the call that is refused.
    for (name, number, arguments) in [
        ("sched_getaffinity", libc::SYS_sched_getaffinity, "0,0,0"),
        ("setpriority of itself", libc::SYS_setpriority, "0,0,19"),
        ("socket of the internet", libc::SYS_socket, "2,1,0"),
        ("kill of itself", libc::SYS_kill, "$$,0"),
    ] {
        let program =
            format!("syscall({number},{arguments}) == -1 ? print STDERR $!+0 : print STDERR 'done'");
        let words = ["perl", "-e", &program];
        let answer = world.read(&ann, "run", json!({"words": words})).await.unwrap();
        assert_ne!(
            answer["said"].as_str().unwrap().trim(),
            libc::EPERM.to_string(),
            "{name}: {answer}"
        );
    }
    world.end().await;
}
