//! Sign-ins that are withdrawn before they end, and one on a full disk.

use super::*;

/// Each way in which the operator may end a sign-in between its password and its code.
#[tokio::test]
async fn a_sign_in_that_is_withdrawn_before_its_code_is_not_linked() {
    let withdrawn = "refused: Withdrawn";
    for way in [
        "settings",
        "uninvite",
        "revoke",
        "revoke all",
        "forget",
        "redirect host",
    ] {
        let world = world(quick()).await;
        // Ben signs in beforehand, so that there is an account to revoke.
        let known = world.open_link();
        code_page(world.type_in(&known, "ben@example.org", "demo-ben").await);
        assert_eq!(
            shown(&world.type_code(&known, "123456").await),
            "linked: Ben Example"
        );
        let account = world.accounts.list().unwrap().remove(0);
        let before = world.accounts.tokens(&account.id).unwrap().unwrap().generation;

        let tools = "https://tools.example.org/cb";
        world
            .live
            .send_modify(|live| live.redirect_hosts = vec!["tools.example.org".into()]);
        let body = serde_json::json!({ "redirect_uris": [tools] }).to_string();
        let client = world.oauth.register(body.as_bytes()).unwrap();
        let browser = world.open_as(client["client_id"].as_str().unwrap(), tools).await;
        let link = world.open_link();
        for browser in [&browser, &link] {
            code_page(world.type_in(browser, "ben@example.org", "demo-ben").await);
        }
        match way {
            "settings" => world.live.send_modify(|live| live.invited.clear()),
            "uninvite" => {
                world
                    .oauth
                    .end_open_sign_ins_by_email("Ben@example.org")
                    .await
                    .unwrap();
            }
            "revoke" => {
                let scope = RevocationScope::Account(account.id.clone());
                world
                    .oauth
                    .end_access(scope, EndedBy::Operator(None))
                    .await
                    .unwrap();
            }
            "revoke all" => {
                world
                    .oauth
                    .end_access(RevocationScope::All, EndedBy::Operator(None))
                    .await
                    .unwrap();
            }
            "forget" => {
                world.oauth.end_open_sign_ins(&account);
                assert!(world.accounts.forget(&account.id).await.unwrap());
            }
            _ => world.live.send_modify(|live| live.redirect_hosts.clear()),
        }
        assert_eq!(
            shown(&world.type_code(&browser, "123456").await),
            withdrawn,
            "{way}"
        );
        assert!(world.oauth.families().unwrap().is_empty());
        let after = world
            .accounts
            .tokens(&account.id)
            .unwrap()
            .map(|held| held.generation);
        assert_eq!(after, (way != "forget").then_some(before), "{way}");
        // A sign-in at `/link` returns to no client, so the removed host does not matter.
        let expected = if way == "redirect host" {
            "linked: Ben Example"
        } else {
            withdrawn
        };
        assert_eq!(shown(&world.type_code(&link, "123456").await), expected, "{way}");
        // A sign-in that begins afterwards is checked afresh.
        if way == "revoke" {
            let again = world.open_link();
            code_page(world.type_in(&again, "ben@example.org", "demo-ben").await);
            assert_eq!(
                shown(&world.type_code(&again, "123456").await),
                "linked: Ben Example"
            );
        }
    }
}

/// A code that was issued and not exchanged is withdrawn with the invitation; a connection stays.
#[tokio::test]
async fn an_unexchanged_code_is_withdrawn_with_the_invitation() {
    let world = world(quick()).await;
    let code = async || {
        let browser = world.open().await;
        let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
        answered(&step, "code").unwrap()
    };
    let connected = world.exchange(&code().await).await.unwrap();
    let unexchanged = code().await;
    world
        .oauth
        .end_open_sign_ins_by_email("ann@example.org")
        .await
        .unwrap();
    assert_eq!(world.exchange(&unexchanged).await, Err("invalid_grant"));
    assert!(world.oauth.authenticate(&connected).is_ok());
}

#[test]
fn a_sign_in_on_a_full_disk_spends_no_login() {
    let dir = tempfile::tempdir().unwrap();
    // A limit on the file size simulates a full disk: a write past it fails in the same way.
    let child = crate::store::start(
        "oauth::full_disk_sign_in_program",
        dir.path(),
        "trap '' XFSZ; ulimit -S -f 4000;",
    );
    assert!(child.wait_with_output().unwrap().status.success());
}

/// Not a separate test: it fills the disk and signs in.
#[test]
fn full_disk_sign_in_program() {
    if std::env::var("STORE_TEST_DIRECTORY").is_err() {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let world = world(quick()).await;
        let browser = world.open().await;
        let filler = "a".repeat(3000);
        let mut n = 0;
        while world
            .accounts
            .invite(&format!("{n}{filler}@example.org"))
            .await
            .is_ok()
        {
            n += 1;
        }
        let step = world.type_in(&browser, "ann@example.org", "demo-ann").await;
        assert_eq!(shown(&step), "refused: Internal");
        assert_eq!(world.simulator.requests().len(), 0, "Garmin was asked");
    });
}
