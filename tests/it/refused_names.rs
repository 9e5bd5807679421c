//! Stories of an operator who writes names that do not exist: nothing is done, and the command line says so.

use std::path::Path;

use crate::whole::World;

/// Runs a command. Returns its exit code and everything that it wrote.
async fn cli(socket: &Path, line: &str) -> (Option<i32>, String) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_garmin-gateway"))
        .args(line.split(' '))
        .arg("--socket")
        .arg(socket)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap();
    let written = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(written).unwrap())
}

#[tokio::test]
async fn a_name_that_nothing_has_is_refused_with_what_to_write() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let socket = world.socket();
    let (code, listed) = cli(&socket, "tools").await;
    assert_eq!(code, Some(0), "{listed}");
    assert!(listed.contains("get_sleep_data"), "{listed}");
    for (line, told) in [
        ("tools ann@example.org nope", "there is no tool nope"),
        (
            "tools ann@example.org get_sleep_dat",
            "did you mean get_sleep_data?",
        ),
        (
            "tools ann@example.org core,get_sleep_data",
            "core stands alone: write core",
        ),
        ("revoke --client nope --yes", "there is no client nope; `clients`"),
        ("invite @example.com", "INVITED=@example.com"),
    ] {
        let (code, words) = cli(&socket, line).await;
        assert_eq!(code, Some(64), "{line}: {words}");
        assert!(words.contains(told), "{line}: {words}");
    }
    let (code, words) = cli(&socket, "tools ann@example.org get_sleep_data,get_stats").await;
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
}
