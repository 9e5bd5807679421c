//! What keys and typed commands do.

use super::samples::{race_detail, typical};
use super::*;

#[test]
fn keys_become_acts() {
    let account = || "acc_ann".to_owned();
    for (keys, expected) in [
        ("q", vec![ConsoleEffect::Quit]),
        ("2s<enter>", vec![]),
        ("2sy", act(AdminAct::StopWorker { account: account() })),
        ("3a", vec![]),
        ("3a<enter>", vec![]),
        (
            "3ay",
            act(AdminAct::Invite {
                email: "dee@example.org".into(),
            }),
        ),
        (
            "3jx<right><enter>",
            act(AdminAct::Revoke(RevocationTarget::Account(account()))),
        ),
        ("3jFforget<enter>", act(AdminAct::Forget { account: account() })),
        ("3jFforgot<enter>", vec![]),
        (
            "3Guy",
            act(AdminAct::Uninvite {
                email: "cleo@example.org".into(),
            }),
        ),
        (
            "3ieve@example.org<enter>",
            act(AdminAct::Invite {
                email: "eve@example.org".into(),
            }),
        ),
        (
            "5xy",
            act(AdminAct::Revoke(RevocationTarget::Token("fam_ann".into()))),
        ),
        ("5Xy", act(AdminAct::Revoke(RevocationTarget::Account(account())))),
        (
            "5Cy",
            act(AdminAct::Revoke(RevocationTarget::Client(
                "https://claude.ai/oauth/mcp-oauth-client-metadata".into(),
            ))),
        ),
        ("5A<esc>", vec![]),
        ("5Ay", act(AdminAct::Revoke(RevocationTarget::All))),
        (
            "4w",
            act(AdminAct::LookAtRace {
                race: "race_1".into(),
            }),
        ),
        (
            "4sy",
            act(AdminAct::StopRace {
                race: "race_1".into(),
            }),
        ),
        (
            "4pcrew Ann's friends<enter>",
            act(AdminAct::ShareRace {
                race: "race_1".into(),
                role: "crew".into(),
                name: Some("Ann's friends".into()),
                privacy_m: None,
                hours_after: None,
                with: None,
            }),
        ),
        (
            "4pfamily Ben https://gw.example.org/r/abc<enter>",
            act(AdminAct::ShareRace {
                race: "race_1".into(),
                role: "family".into(),
                name: Some("Ben".into()),
                privacy_m: None,
                hours_after: None,
                with: Some("https://gw.example.org/r/abc".into()),
            }),
        ),
        ("4peverybody<enter>", vec![]),
        (
            "4Py",
            act(AdminAct::EndShares {
                race: "race_1".into(),
                share: None,
            }),
        ),
        // An account row has no worker to stop.
        ("3s", vec![]),
        ("3jy", vec![ConsoleEffect::Copy("ann@example.org".into())]),
        ("5y", vec![ConsoleEffect::Copy("fam_ann".into())]),
    ] {
        assert_eq!(play(&mut typical((80, 24)), keys), expected, "{keys}");
    }
}

#[test]
fn a_typed_command_does_what_its_key_does() {
    for (keys, expected) in [
        (":quit<enter>", vec![ConsoleEffect::Quit]),
        (
            "3:invite eve@example.org<enter>",
            act(AdminAct::Invite {
                email: "eve@example.org".into(),
            }),
        ),
        // A destructive command asks first, as its key does.
        ("2:stop-w<enter>", vec![]),
        (
            "2:stop-w<enter>y",
            act(AdminAct::StopWorker {
                account: "acc_ann".into(),
            }),
        ),
        (
            "4:lim<tab>hr_max=150<enter>",
            act(AdminAct::ChangeLimits {
                race: "race_1".into(),
                limits: Map::from_iter([("hr_max".to_owned(), json!(150.0))]),
            }),
        ),
        ("4:end-pages share_b<enter>", vec![]),
        (
            "4:end-pages share_b<enter>y",
            act(AdminAct::EndShares {
                race: "race_1".into(),
                share: Some("share_b".into()),
            }),
        ),
        (":<esc>q", vec![ConsoleEffect::Quit]),
    ] {
        assert_eq!(play(&mut typical((80, 24)), keys), expected, "{keys}");
    }
    let mut state = typical((80, 24));
    play(&mut state, ":acc<enter>:filter ben<enter>");
    assert_eq!((state.view, state.rows().0.len()), (ConsoleView::Accounts, 1));
    // The race says which ids there are.
    let mut race = typical((130, 45));
    play(&mut race, "4");
    let ben = LinkedAthleteView {
        name: Some("Ben".into()),
        share: Some("share_b".into()),
    };
    race.data.race = Some(RaceDetail {
        shares: vec![ShareView {
            id: "share_a".into(),
            role: "family".into(),
            name: Some("Ann".into()),
            privacy_m: 300,
            hours_after: 24,
            created_at: race.now,
            ends_at: None,
            by_operator: false,
            with: vec![ben],
        }],
        ..race_detail()
    });
    let shown = screen(&race, Theme::default());
    assert!(
        shown.contains("share_a, family, Ann; with Ben (share_b)"),
        "{shown}"
    );
    // An invalid address is refused in the dialog, where it can be corrected.
    play(&mut state, ":invite eve<enter>");
    assert!(screen(&state, Theme::default()).contains("That is not an e-mail address."));
}
