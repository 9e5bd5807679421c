//! Attacks on another person's data, each with its required outcome.

use super::*;
use crate::oauth::{RevocationReason, Unauthenticated};

/// An exchange that must be refused and must leave the code usable for its client.
async fn refused_and_unspent(changes: &[(&str, &str)], expected: (&str, u16)) {
    let world = World::new();
    let code = world.code(&account('a'), CLAUDE).await;
    let form = exchange(&code, changes);
    assert_eq!(refusal(world.oauth.token(&form, None).await), expected, "{form}");
    pair(world.oauth.token(&exchange(&code, &[]), None).await);
}

#[tokio::test]
async fn pkce_downgrade_and_guessing() {
    let challenge = challenge_text();
    let changed = VERIFIER.replacen('a', "b", 1);
    for verifier in [
        challenge.as_str(),
        &changed,
        &VERIFIER[..43],
        &"a".repeat(43),
        "x",
    ] {
        refused_and_unspent(&[("code_verifier", verifier)], INVALID_GRANT).await;
    }
    refused_and_unspent(&[("code_verifier", "")], ("invalid_request", 400)).await;
    // The method was fixed at /authorize; sending another one here changes nothing.
    let plain = [
        ("code_verifier", challenge.as_str()),
        ("code_challenge_method", "plain"),
    ];
    refused_and_unspent(&plain, INVALID_GRANT).await;
}

#[tokio::test]
async fn code_mix_up_by_another_client_or_redirect() {
    for changes in [
        [("client_id", "https://app.example.org/client.json")],
        [("client_id", "https://claude.ai/oauth/claude-code-client-metadata")],
        [("redirect_uri", "https://claude.com/api/mcp/auth_callback")],
        [("redirect_uri", "https://claude.ai/api/mcp/auth_callback/")],
        [("redirect_uri", "https://claude.ai/api/mcp/auth_callback?")],
        [("redirect_uri", "HTTPS://claude.ai/api/mcp/auth_callback")],
        [("redirect_uri", "http://localhost/callback")],
    ] {
        refused_and_unspent(&changes, INVALID_GRANT).await;
    }
}

#[tokio::test]
async fn code_after_its_minute() {
    let world = World::new();
    let code = world.code(&account('a'), CLAUDE).await;
    world.pass(61);
    assert_eq!(
        refusal(world.oauth.token(&exchange(&code, &[]), None).await),
        INVALID_GRANT
    );
}

#[tokio::test]
async fn code_replay_revokes_what_the_code_gave() {
    let world = World::new();
    let code = world.code(&account('a'), CLAUDE).await;
    let first = pair(world.oauth.token(&exchange(&code, &[]), None).await);
    let second = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    // Hours later, the reuse is still detected.
    world.pass(3 * 3600);
    assert_eq!(
        refusal(world.oauth.token(&exchange(&code, &[]), None).await),
        INVALID_GRANT
    );
    for tokens in [first, second] {
        assert!(!world.is_good(&tokens.access));
        assert_eq!(
            refusal(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await),
            INVALID_GRANT
        );
    }
    assert_eq!(
        world.oauth.revocations(1).unwrap()[0].reason,
        RevocationReason::CodeReuse
    );
}

#[tokio::test]
async fn code_replay_by_whoever_only_saw_the_code_signs_nobody_out() {
    let world = World::new();
    let code = world.code(&account('a'), CLAUDE).await;
    let tokens = pair(world.oauth.token(&exchange(&code, &[]), None).await);
    for changes in [
        &[("code_verifier", "wrong-but-long-enough-0123456789012345678901")][..],
        &[("client_id", "https://app.example.org/client.json")],
        &[("redirect_uri", "http://localhost/callback")],
    ] {
        assert_eq!(
            refusal(world.oauth.token(&exchange(&code, changes), None).await),
            INVALID_GRANT
        );
        assert!(world.is_good(&tokens.access));
    }
}

#[tokio::test]
async fn code_race_has_one_winner_at_most() {
    let world = World::new();
    let code = world.code(&account('a'), CLAUDE).await;
    let form = exchange(&code, &[]);
    let all = futures_util::future::join_all((0..10).map(|_| world.oauth.token(&form, None))).await;
    assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), 1);
    // Someone else had both the code and the verifier, so all access ends.
    assert!(world.oauth.families().unwrap().is_empty());
}

#[tokio::test]
async fn refresh_theft_inside_the_window_is_noticed_at_the_next_rotation() {
    let world = World::new();
    let first = world.signed_in(&account('a')).await;
    let person = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    world.pass(60);
    let thief = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    assert_eq!(thief.refresh, person.refresh);
    world.pass(20 * 3600);
    let thief = pair(world.oauth.token(&refresh(&thief.refresh, &[]), None).await);
    world.pass(3600);
    assert_eq!(
        refusal(world.oauth.token(&refresh(&person.refresh, &[]), None).await),
        INVALID_GRANT
    );
    assert!(!world.is_good(&thief.access));
    assert_eq!(
        refusal(world.oauth.token(&refresh(&thief.refresh, &[]), None).await),
        INVALID_GRANT
    );
}

#[tokio::test]
async fn refresh_token_of_another_client_stays_with_its_own() {
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    for client_id in [
        "https://app.example.org/client.json",
        "https://claude.ai/oauth/claude-code-client-metadata",
    ] {
        let stolen = refresh(&tokens.refresh, &[("client_id", client_id)]);
        assert_eq!(refusal(world.oauth.token(&stolen, None).await), INVALID_GRANT);
    }
    pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
}

#[tokio::test]
async fn foreign_audience_opens_nothing_here() {
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    let elsewhere = world.restarted_at("https://other.example.org");
    assert!(matches!(
        elsewhere.authenticate(&tokens.access),
        Err(Unauthenticated::ForeignAudience)
    ));
    let theirs = refresh(&tokens.refresh, &[("resource", "https://other.example.org/mcp")]);
    assert_eq!(refusal(elsewhere.token(&theirs, None).await), INVALID_GRANT);
    let code = world.code(&account('a'), CLAUDE).await;
    let theirs = exchange(&code, &[("resource", "")]);
    assert_eq!(refusal(elsewhere.token(&theirs, None).await), INVALID_GRANT);
    // Moving the gateway to another address and back ends no sign-in.
    assert!(world.is_good(&tokens.access));
}

#[tokio::test]
async fn bearers_that_are_none() {
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    let code = world.code(&account('a'), CLAUDE).await;
    let hash = format!(
        "gat_{}",
        URL_SAFE_NO_PAD.encode(TokenHash::of(&tokens.access).as_bytes())
    );
    let mut changed = tokens.access.clone();
    changed.replace_range(10..11, if &changed[10..11] == "A" { "B" } else { "A" });
    for bearer in [
        "",
        "gat_",
        &tokens.refresh,
        &code,
        &changed,
        &hash,
        &tokens.access[1..],
        &tokens.access[..tokens.access.len() - 1],
        &format!("{} ", tokens.access),
        &format!("{}\0", tokens.access),
        &tokens.access.to_uppercase(),
        &"gat_".repeat(10_000),
        &format!("gat_{}", "é".repeat(21)),
    ] {
        assert!(
            matches!(world.oauth.authenticate(bearer), Err(Unauthenticated::Unknown)),
            "{bearer:.60}"
        );
    }
    assert!(world.is_good(&tokens.access));
}

#[tokio::test]
async fn another_persons_ids_lead_nowhere() {
    let world = World::new();
    let (a, b) = (
        world.signed_in(&account('a')).await,
        world.signed_in(&account('b')).await,
    );
    assert_eq!(world.oauth.authenticate(&a.access).unwrap().account, account('a'));
    assert_eq!(world.oauth.authenticate(&b.access).unwrap().account, account('b'));
    // A family's id appears in logs, so it must not work as a token, with or without a prefix.
    let id = world.oauth.authenticate(&a.access).unwrap().family;
    for token in [id.to_string(), format!("grt_{id}"), format!("gat_{id}")] {
        assert_eq!(
            refusal(world.oauth.token(&refresh(&token, &[]), None).await),
            INVALID_GRANT
        );
        assert!(!world.is_good(&token));
        world
            .oauth
            .revoke(&form(&[("token", &token)], &[]), None)
            .await
            .unwrap();
    }
    // Extra parameters can't turn one person's token into another's.
    let mine = refresh(
        &a.refresh,
        &[
            ("account", "acc_bbbbbbbbbbbbbbbb"),
            ("sub", "b"),
            ("access", "read_and_change"),
        ],
    );
    let next = pair(world.oauth.token(&mine, None).await);
    let grant = world.oauth.authenticate(&next.access).unwrap();
    assert_eq!((grant.account, grant.access), (account('a'), Access::ReadOnly));
}

#[tokio::test]
async fn forms_of_any_shape_are_refused_and_never_more() {
    let world = World::new();
    for form in [
        "&&&&",
        "=",
        "grant_type",
        "grant_type=%00",
        "%",
        "%zz=%zz",
        "a=%F0%28%8C%28",
        "\u{0}",
        "🦀=🦀",
    ] {
        assert_eq!(refusal(world.oauth.token(form, None).await).1, 400, "{form}");
        assert_eq!(
            world.oauth.revoke(form, None).await.unwrap_err().status(),
            400,
            "{form}"
        );
    }
    let long = format!("grant_type=authorization_code&code={}", "a".repeat(100_000));
    assert_eq!(
        refusal(world.oauth.token(&long, None).await),
        ("invalid_request", 400)
    );
}
