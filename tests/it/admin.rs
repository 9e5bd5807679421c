//! Tests of the admin socket: its answers, and that no client disturbs the daemon or other clients.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use garmin_gateway::admin::api::{
    AdminAct, AdminAnswer, AdminCall, AdminLine, AdminRead, AdminRefusal, AdminRequest, AdminUpdate, Hello,
    RevocationSummary, RevocationTarget,
};
use garmin_gateway::admin::client::{AdminClient, ClientError};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::whole::World;

async fn overview(socket: &Path) -> garmin_gateway::admin::views::Overview {
    let mut client = AdminClient::connect(socket).await.unwrap();
    match client.ask(AdminRequest::Read(AdminRead::Overview)).await.unwrap() {
        AdminAnswer::Overview(overview) => overview,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_operator_sees_a_person_and_ends_their_access() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let mut client = AdminClient::connect(&world.socket()).await.unwrap();

    let AdminAnswer::Workers(workers) = client.ask(AdminRequest::Read(AdminRead::Workers)).await.unwrap()
    else {
        panic!("no workers");
    };
    assert_eq!(
        (workers[0].label.as_str(), workers[0].state.as_str()),
        ("ann@example.org", "ready")
    );

    let revoke = AdminRequest::Act(AdminAct::Revoke(RevocationTarget::Account(
        "ann@example.org".into(),
    )));
    let AdminAnswer::Revoked(fell) = client.ask(revoke).await.unwrap() else {
        panic!("nothing fell");
    };
    assert_eq!((fell.families, fell.workers), (1, 1));
    let refused = world.http.post(world.url("/mcp")).bearer_auth(&ann.access_token);
    assert_eq!(refused.send().await.unwrap().status(), 401);

    // After `Follow`, updates arrive without further requests.
    client.send(AdminRequest::Follow).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 6 {
        if let AdminLine::Update { sequence, update } = client.next().await.unwrap() {
            assert_eq!(sequence, told.len() as u64 + 1);
            told.push(update);
        }
    }
    assert!(
        told.iter()
            .any(|u| matches!(u, AdminUpdate::Tokens(t) if t.revocations.len() == 1))
    );

    let forget = AdminRequest::Act(AdminAct::Forget {
        account: "ann@example.org".into(),
    });
    let AdminAnswer::Revoked(fell) = client.ask(forget).await.unwrap() else {
        panic!("nobody was forgotten");
    };
    assert_eq!(fell.accounts, 1);
    assert_eq!(overview(&world.socket()).await.accounts, 0);
}

/// Whether `uid` with `gid` can reach the socket. The shell tries to write to it as to a file: "Permission denied"
/// means that access was refused, "No such device" that it was granted.
fn reaches(socket: &Path, uid: u32, gid: u32) -> bool {
    use std::os::unix::process::CommandExt;
    let mut shell = std::process::Command::new("/bin/sh");
    let shell = shell.args(["-c", ": > \"$0\""]).arg(socket).env("LC_ALL", "C");
    let said = shell.uid(uid).gid(gid).output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    let is_refused = said.contains("Permission denied");
    assert!(is_refused || said.contains("No such device"), "{said}");
    !is_refused
}

/// Only root can switch to another user. Without root, the test only checks the file modes.
#[tokio::test]
async fn another_user_is_refused_by_the_kernel_and_one_of_the_group_is_not() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let world = World::start().await;
    let socket = world.socket();
    let runtime = socket.parent().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(runtime), mode(&socket)), (0o750, 0o660));
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let open = |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    open(runtime.parent().unwrap());
    let (nobody, group) = (65_534, std::fs::metadata(&socket).unwrap().gid());
    assert!(!reaches(&socket, nobody, nobody));
    assert!(reaches(&socket, nobody, group));
    // The socket's own mode is sufficient if the directory already existed and is open to everyone.
    open(runtime);
    assert!(!reaches(&socket, nobody, nobody));
    assert_eq!(overview(&socket).await.accounts, 0);
}

#[tokio::test]
async fn strange_lines_disturb_nobody() {
    let world = World::start().await;
    let socket = world.socket();

    // A connection that is closed in the middle of a line.
    let mut half = UnixStream::connect(&socket).await.unwrap();
    half.write_all(b"{\"id\":1,").await.unwrap();
    drop(half);

    // A line that is not a request is refused, and the next one is answered.
    let mut strange = BufReader::new(UnixStream::connect(&socket).await.unwrap());
    let mut line = String::new();
    strange.read_line(&mut line).await.unwrap();
    assert_eq!(serde_json::from_str::<Hello>(&line).unwrap().protocol, 1);
    strange
        .write_all(b"{\"id\":1,\"request\":\"fly\"}\n")
        .await
        .unwrap();
    strange
        .write_all(b"{\"id\":2,\"request\":{\"read\":\"races\"}}\n")
        .await
        .unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        line.clear();
        strange.read_line(&mut line).await.unwrap();
        answers.push(serde_json::from_str::<Value>(&line).unwrap());
    }
    assert!(
        answers[0]["refused"]["refusal"]["invalid"].is_string(),
        "{answers:?}"
    );
    assert_eq!(
        answers[1],
        json!({ "answer": { "id": 2, "answer": { "races": [] } } })
    );

    // A line of ten megabytes is refused, and the connection is closed.
    let (read, mut write) = UnixStream::connect(&socket).await.unwrap().into_split();
    let writing = async {
        let part = vec![b'x'; 1 << 20];
        for _ in 0..10 {
            // The daemon closes the connection before the end of the line.
            if write.write_all(&part).await.is_err() {
                break;
            }
        }
    };
    let mut said = Vec::new();
    let mut read = read.take(1 << 20);
    let ((), read) = tokio::join!(writing, read.read_to_end(&mut said));
    // The daemon may close the connection before its refusal can be read.
    assert!(read.is_err() || String::from_utf8_lossy(&said).contains("is longer than"));

    assert_eq!(overview(&socket).await.accounts, 0);
}

#[tokio::test]
async fn many_consoles_and_one_that_does_not_read() {
    let world = World::start().await;
    let socket = world.socket();
    let mut deaf = AdminClient::connect(&socket).await.unwrap();
    deaf.send(AdminRequest::Follow).await.unwrap();
    for _ in 0..200 {
        // This client sends requests and reads nothing, until the daemon accepts no more.
        let asked = tokio::time::timeout(
            Duration::from_millis(50),
            deaf.send(AdminRequest::Read(AdminRead::Overview)),
        );
        if asked.await.is_err() {
            break;
        }
    }
    let mut consoles = Vec::new();
    for _ in 0..50 {
        let mut client = AdminClient::connect(&socket).await.unwrap();
        client.send(AdminRequest::Follow).await.unwrap();
        consoles.push(client);
    }
    for console in &mut consoles {
        let answer = console.ask(AdminRequest::Read(AdminRead::Clients)).await.unwrap();
        assert_eq!(answer, AdminAnswer::Clients(Vec::new()));
    }
}

#[tokio::test]
async fn another_version_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("admin.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let old = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"{\"protocol\":99,\"program\":\"9.9\"}\n")
            .await
            .unwrap();
        stream
    };
    let (_stream, client) = tokio::join!(old, AdminClient::connect(&path));
    let Err(ClientError::OtherVersion { theirs }) = client else {
        panic!("it was taken for ours");
    };
    assert_eq!(theirs, "9.9");
}

/// Runs the program against this socket, without a terminal.
async fn cli(socket: &Path, args: &[&str]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_garmin-gateway"))
        .args(args)
        .arg("--socket")
        .arg(socket)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_command_line_reads_acts_and_refuses() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let socket = world.socket();
    let status = cli(&socket, &["status", "--json"]).await;
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["accounts"], &status["tokens"]), (&json!(1), &json!(1)));
    let tokens = cli(&socket, &["tokens"]).await;
    assert!(
        String::from_utf8(tokens.stdout)
            .unwrap()
            .contains("ann@example.org")
    );

    // Without a terminal, nobody can confirm.
    let unsure = cli(&socket, &["revoke", "--all"]).await;
    assert_eq!(unsure.status.code(), Some(64));
    assert!(String::from_utf8(unsure.stderr).unwrap().contains("--yes"));
    let sure = cli(&socket, &["revoke", "--account", "ann@example.org", "--yes"]).await;
    assert_eq!(sure.status.code(), Some(0));
    let refused = world.http.post(world.url("/mcp")).bearer_auth(&ann.access_token);
    assert_eq!(refused.send().await.unwrap().status(), 401);

    let nobody = cli(&socket, &["forget", "zoe@example.org", "--yes"]).await;
    assert_eq!(nobody.status.code(), Some(64));
    let nowhere = cli(Path::new("/nonexistent/admin.sock"), &["status"]).await;
    assert_eq!(nowhere.status.code(), Some(69));
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("start it"));
}

/// Runs the program with its standard output connected to a closed pipe.
fn unread(args: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_garmin-gateway"));
    let command = command
        .args(args)
        .stdin(std::process::Stdio::null())
        .stdout(writer);
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_ends_every_command_quietly() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let socket = world.socket();
    let socket = socket.to_str().unwrap();
    for args in [
        &["--help"][..],
        &["man"],
        &["completions", "bash"],
        &["config"],
        &["status", "--socket", socket],
        &["workers", "--socket", socket],
        &["accounts", "--json", "--socket", socket],
        &["usage", "--socket", socket],
        &["clients", "--socket", socket],
        &["tokens", "--json", "--socket", socket],
        &["races", "--socket", socket],
        &["metrics", "--socket", socket],
        &["invite", "--socket", socket],
        &["tools", "ann@example.org", "core", "--socket", socket],
        &["notify", "--help"],
        &["races", "rehearse", "--help"],
        &["monitor", "--all", "--socket", socket],
        &["export", "--account", "ann@example.org", "--socket", socket],
        &["export", "--account", "ann@example.org", "--socket", socket, "-"],
    ] {
        let output = unread(args);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), words.as_str()), (Some(0), ""), "{args:?}");
    }
    // The doctor fails in the test environment, but does not report the closed pipe.
    let words = String::from_utf8(unread(&["doctor", "--socket", socket]).stderr).unwrap();
    assert_eq!(words, "");
}

#[tokio::test]
async fn an_invitation_is_a_message_to_forward_and_a_removal_tells_the_truth() {
    let world = World::start().await;
    let socket = world.socket();
    let said = async |args: &[&str]| {
        let output = cli(&socket, args).await;
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let message = said(&["invite", "Zoe@example.net"]).await;
    for part in [
        "zoe@example.net may sign in now.",
        "Add custom connector",
        "/mcp",
        "What it means",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let invited = said(&["invite"]).await;
    assert!(
        invited.contains("zoe@example.net") && !invited.contains("GARMIN"),
        "{invited}"
    );
    let removed = said(&["invite", "zoe@example.net", "--remove"]).await;
    assert!(
        removed.contains("The invitation for zoe@example.net has been withdrawn"),
        "{removed}"
    );
    let again = said(&["invite", "zoe@example.net", "--remove"]).await;
    assert!(
        again.contains("There was no invitation for zoe@example.net"),
        "{again}"
    );
    for wrong in ["zoe", "@example.net", "a@evil.org@example.com"] {
        let refused = cli(&socket, &["invite", wrong]).await;
        assert_eq!(refused.status.code(), Some(64), "{wrong}");
    }
}

#[test]
fn the_protocol_is_as_it_was() {
    let call = |request| AdminCall { id: 7, request };
    let lines = [
        json!(Hello {
            protocol: 1,
            program: "1.2.3".into()
        }),
        json!(call(AdminRequest::Follow)),
        json!(call(AdminRequest::Read(AdminRead::Overview))),
        json!(call(AdminRequest::Read(AdminRead::Race {
            race: "race_1".into()
        }))),
        json!(call(AdminRequest::Act(AdminAct::Revoke(RevocationTarget::All)))),
        json!(call(AdminRequest::Act(AdminAct::Revoke(
            RevocationTarget::Account("acc_1".into())
        )))),
        json!(call(AdminRequest::Act(AdminAct::Forget {
            account: "acc_1".into()
        }))),
        json!(AdminLine::Answer {
            id: 7,
            answer: AdminAnswer::Revoked(RevocationSummary::default())
        }),
        json!(AdminLine::Refused {
            id: 7,
            refusal: AdminRefusal::NotFound("no".into())
        }),
        json!(AdminLine::Update {
            sequence: 1,
            update: AdminUpdate::Log {
                anew: true,
                events: Vec::new()
            }
        }),
    ];
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    {"protocol":1,"program":"1.2.3"}
    {"id":7,"request":"follow"}
    {"id":7,"request":{"read":"overview"}}
    {"id":7,"request":{"read":{"race":{"race":"race_1"}}}}
    {"id":7,"request":{"act":{"revoke":"all"}}}
    {"id":7,"request":{"act":{"revoke":{"account":"acc_1"}}}}
    {"id":7,"request":{"act":{"forget":{"account":"acc_1"}}}}
    {"answer":{"id":7,"answer":{"revoked":{"families":0,"tokens":0,"workers":0,"calls":0,"races":0,"accounts":0}}}}
    {"refused":{"id":7,"refusal":{"not_found":"no"}}}
    {"update":{"sequence":1,"update":{"log":{"anew":true,"events":[]}}}}
    "#);
}
