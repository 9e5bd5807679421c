//! `/token`, and the use of the tokens that it issues.

use super::*;
use crate::oauth::RevocationReason;
use crate::oauth::grants::{ACCESS_PREFIX, REFRESH_PREFIX};

#[tokio::test]
async fn token_endpoint_answers_a_code_with_a_pair_that_opens() {
    let world = World::new();
    let pair = world.signed_in(&account('a')).await;
    assert!(pair.access.starts_with(ACCESS_PREFIX) && pair.refresh.starts_with(REFRESH_PREFIX));
    assert_eq!(pair.expires_in_s, 24 * 3600);
    let grant = world.oauth.authenticate(&pair.access).unwrap();
    assert_eq!((grant.account, grant.access), (account('a'), Access::ReadOnly));
    assert_eq!(grant.client_id, CLAUDE);
}

#[tokio::test]
async fn token_endpoint_forgives_what_clients_leave_out_or_add() {
    let world = World::new();
    for changes in [
        &[("resource", "")][..],
        &[("resource", ORIGIN)],
        &[("redirect_uri", "")],
        &[("scope", "claudeai")],
        &[
            ("client_secret", "a-secret-it-was-never-given"),
            ("audience", "x"),
        ],
    ] {
        let code = world.code(&account('a'), CLAUDE).await;
        let first = pair(world.oauth.token(&exchange(&code, changes), None).await);
        let mut changes = changes.to_vec();
        changes.retain(|(name, _)| *name != "redirect_uri");
        changes.push(("client_id", ""));
        pair(world.oauth.token(&refresh(&first.refresh, &changes), None).await);
    }
}

#[tokio::test]
async fn token_endpoint_refusals_have_the_codes_of_the_rfc() {
    let world = World::new();
    let code = world.code(&account('a'), CLAUDE).await;
    let tokens = world.signed_in(&account('a')).await;
    let bad_request = ("invalid_request", 400);
    for (form, expected) in [
        (String::new(), bad_request),
        ("{\"grant_type\":\"authorization_code\"}".to_owned(), bad_request),
        (exchange(&code, &[("grant_type", "")]), bad_request),
        (
            exchange(&code, &[("grant_type", "password")]),
            ("unsupported_grant_type", 400),
        ),
        (
            exchange(&code, &[("grant_type", "client_credentials")]),
            ("unsupported_grant_type", 400),
        ),
        (exchange(&code, &[("code", "")]), bad_request),
        (exchange(&code, &[("code_verifier", "")]), bad_request),
        (exchange(&code, &[("client_id", "")]), bad_request),
        (format!("{}&code={code}", exchange(&code, &[])), bad_request),
        (format!("{}&client_id=x", exchange(&code, &[])), bad_request),
        (
            exchange(&code, &[("client_id", "unknown")]),
            ("invalid_client", 401),
        ),
        (
            exchange(&code, &[("client_id", "cli_unknown")]),
            ("invalid_client", 401),
        ),
        (
            exchange(&code, &[("resource", "https://other.example/mcp")]),
            ("invalid_target", 400),
        ),
        (refresh("", &[]), bad_request),
        (
            refresh(&tokens.refresh, &[("client_id", "unknown")]),
            ("invalid_client", 401),
        ),
        (
            refresh(&tokens.refresh, &[("resource", "https://other.example/mcp")]),
            ("invalid_target", 400),
        ),
        (refresh("grt_unknown", &[]), INVALID_GRANT),
        (refresh(&tokens.access, &[]), INVALID_GRANT),
        (refresh(&code, &[]), INVALID_GRANT),
        (exchange(&tokens.refresh, &[]), INVALID_GRANT),
        (exchange("gac_unknown", &[]), INVALID_GRANT),
    ] {
        assert_eq!(refusal(world.oauth.token(&form, None).await), expected, "{form}");
    }
    // None of these requests spent the client's code.
    pair(world.oauth.token(&exchange(&code, &[]), None).await);
    pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
}

#[tokio::test]
async fn refresh_one_second_after_the_exchange_keeps_both_access_tokens_good() {
    let world = World::new();
    let first = world.signed_in(&account('a')).await;
    world.pass(1);
    let second = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    assert!(world.is_good(&first.access) && world.is_good(&second.access));
}

#[tokio::test]
async fn refresh_from_two_egress_nodes_at_once_gives_one_pair_and_no_loser() {
    let world = World::new();
    let first = world.signed_in(&account('a')).await;
    let form = refresh(&first.refresh, &[]);
    let both = futures_util::future::join_all((0..20).map(|_| world.oauth.token(&form, None))).await;
    let pairs: Vec<Pair> = both.into_iter().map(pair).collect();
    assert!(pairs.iter().all(|one| *one == pairs[0]));
    // A burst lasts for more than a minute, and the winner has refreshed again by then.
    world.pass(2);
    let next = pair(world.oauth.token(&refresh(&pairs[0].refresh, &[]), None).await);
    for seconds in [1, 30, 43] {
        world.pass(seconds);
        let again = pair(world.oauth.token(&form, None).await);
        assert_eq!((&again.access, &again.refresh), (&next.access, &next.refresh));
        assert!(again.expires_in_s < 24 * 3600 && world.is_good(&again.access));
    }
}

#[tokio::test]
async fn refresh_grace_window_outlives_a_restart() {
    let world = World::new();
    let first = world.signed_in(&account('a')).await;
    let second = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    let restarted = world.restarted_at(ORIGIN);
    assert!(restarted.authenticate(&second.access).is_ok());
    assert_eq!(
        pair(restarted.token(&refresh(&first.refresh, &[]), None).await),
        second
    );
}

#[tokio::test]
async fn refresh_after_the_window_ends_the_family_and_says_so() {
    let world = World::new();
    let first = world.signed_in(&account('a')).await;
    let other = world.signed_in(&account('a')).await;
    let second = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    world.pass(121);
    assert_eq!(
        refusal(world.oauth.token(&refresh(&first.refresh, &[]), None).await),
        INVALID_GRANT
    );
    for access in [&first.access, &second.access] {
        assert!(!world.is_good(access));
    }
    assert_eq!(
        refusal(world.oauth.token(&refresh(&second.refresh, &[]), None).await),
        INVALID_GRANT
    );
    assert!(
        world.is_good(&other.access),
        "another sign-in of the same person stays"
    );
    let [revocation] = &world.oauth.revocations(10).unwrap()[..] else {
        panic!("one revocation")
    };
    assert_eq!(
        (revocation.reason, &revocation.account),
        (RevocationReason::RefreshReuse, &account('a'))
    );
}

#[tokio::test]
async fn a_busy_family_keeps_a_bounded_number_of_tokens() {
    let world = World::new();
    let mut current = world.signed_in(&account('a')).await;
    let first = current.clone();
    for _ in 0..40 {
        world.pass(200);
        current = pair(world.oauth.token(&refresh(&current.refresh, &[]), None).await);
    }
    assert!(world.is_good(&current.access));
    assert!(!world.is_good(&first.access));
    let [family] = &world.oauth.families().unwrap()[..] else {
        panic!("one family")
    };
    assert_eq!(family.n_access_tokens, 16);
    // The record of such an old token is gone, so presenting it does not end the family.
    assert_eq!(
        refusal(world.oauth.token(&refresh(&first.refresh, &[]), None).await),
        INVALID_GRANT
    );
    assert!(world.is_good(&current.access));
}

#[tokio::test]
async fn rfc_7009_revocation_answers_alike_and_takes_what_it_names() {
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    let other = world.signed_in(&account('b')).await;
    for form in [
        "token=unknown",
        "token=gat_x&token_type_hint=access_token&client_id=x",
    ] {
        world.oauth.revoke(form, None).await.unwrap();
    }
    for form in ["", "token=", "token_type_hint=access_token", "token=a&token=b"] {
        assert_eq!(
            world.oauth.revoke(form, None).await.unwrap_err().code(),
            "invalid_request",
            "{form}"
        );
    }
    // A client cannot revoke another client's token.
    world
        .oauth
        .revoke(
            &form(
                &[("token", &tokens.refresh), ("client_id", "https://x.example/c")],
                &[],
            ),
            None,
        )
        .await
        .unwrap();
    assert!(world.is_good(&tokens.access));

    let second = pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
    world
        .oauth
        .revoke(&form(&[("token", &second.access)], &[]), None)
        .await
        .unwrap();
    assert!(!world.is_good(&second.access) && world.is_good(&tokens.access));
    let third = pair(world.oauth.token(&refresh(&second.refresh, &[]), None).await);
    // Claude Code signs out like this: the refresh token, then the access token.
    for token in [&third.refresh, &third.access] {
        world
            .oauth
            .revoke(&form(&[("token", token), ("client_id", CLAUDE)], &[]), None)
            .await
            .unwrap();
    }
    for access in [&tokens.access, &second.access, &third.access] {
        assert!(!world.is_good(access));
    }
    assert_eq!(
        refusal(world.oauth.token(&refresh(&third.refresh, &[]), None).await),
        INVALID_GRANT
    );
    assert!(world.is_good(&other.access));
    let revocations = world.oauth.revocations(10).unwrap();
    assert_eq!(
        (revocations.len(), revocations[0].reason),
        (1, RevocationReason::Client)
    );
}

#[tokio::test]
async fn a_spent_refresh_token_still_signs_out() {
    let world = World::new();
    let first = world.signed_in(&account('a')).await;
    let second = pair(world.oauth.token(&refresh(&first.refresh, &[]), None).await);
    world
        .oauth
        .revoke(&form(&[("token", &first.refresh)], &[]), None)
        .await
        .unwrap();
    assert!(!world.is_good(&second.access));
}
