//! Lifetimes, and what the operator revokes.

use super::*;
use crate::oauth::{EndedBy, RevocationReason, RevocationScope, Revoked, Unauthenticated};

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn access_token_life_is_a_day_and_an_expired_one_says_so() {
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    world.pass(DAY - 1);
    assert!(world.is_good(&tokens.access));
    world.pass(1);
    assert!(matches!(
        world.oauth.authenticate(&tokens.access),
        Err(Unauthenticated::Expired)
    ));
    let next = pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
    assert!(world.is_good(&next.access));
}

#[tokio::test]
async fn a_sign_in_lasts_as_long_as_it_is_used() {
    let world = World::new();
    let mut tokens = world.signed_in(&account('a')).await;
    for _ in 0..10 {
        world.pass(89 * DAY);
        tokens = pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
        // A call half a day later counts as use, even if the process ends after it was stored.
        world.pass(DAY / 2);
        assert!(world.is_good(&tokens.access));
        world.oauth.flush_uses().await.unwrap();
    }
    world.pass(90 * DAY - 1);
    let tokens = pair(
        world
            .restarted_at(ORIGIN)
            .token(&refresh(&tokens.refresh, &[]), None)
            .await,
    );
    world.pass(90 * DAY);
    assert_eq!(
        refusal(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await),
        INVALID_GRANT
    );
    assert_eq!(
        world.oauth.revocations(1).unwrap()[0].reason,
        RevocationReason::Unused
    );
}

#[tokio::test]
async fn what_nobody_uses_is_swept_away() {
    let world = World::new();
    let left = world.signed_in(&account('a')).await;
    world.code(&account('a'), CLAUDE).await;
    world.pass(60 * DAY);
    let used = world.signed_in(&account('b')).await;
    world.pass(31 * DAY);
    world.oauth.sweep().await.unwrap();
    let [family] = &world.oauth.families().unwrap()[..] else {
        panic!("one family")
    };
    assert_eq!(family.account, account('b'));
    assert_eq!(family.expires_at, Some(far(world.clock.now(), 90 - 31)));
    assert_eq!(
        refusal(world.oauth.token(&refresh(&left.refresh, &[]), None).await),
        INVALID_GRANT
    );
    pair(world.oauth.token(&refresh(&used.refresh, &[]), None).await);
    // An account whose sign-in merely went unused keeps its access.
    let have_access = || ['a', 'b', 'c'].map(|name| world.has_access(&account(name)));
    assert_eq!(have_access(), [true, true, false]);
    assert_eq!(
        world
            .oauth
            .end_access(RevocationScope::All, EndedBy::Operator(None))
            .await
            .unwrap()
            .n_codes,
        0
    );
    assert_eq!(have_access(), [true, false, false]);
    world.pass(366 * DAY);
    world.oauth.sweep().await.unwrap();
    assert_eq!(world.oauth.revocations(10).unwrap(), []);
    assert_eq!(have_access(), [false; 3]);
}

#[tokio::test]
async fn a_sign_in_may_last_for_ever_or_less_than_a_day() {
    let world = World::with_ttl(None);
    let tokens = world.signed_in(&account('a')).await;
    world.pass(20 * 365 * DAY);
    world.oauth.sweep().await.unwrap();
    pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
    assert_eq!(world.oauth.families().unwrap()[0].expires_at, None);

    let world = World::with_ttl(Some(Duration::from_secs(3600)));
    assert_eq!(world.signed_in(&account('a')).await.expires_in_s, 3600);
}

#[tokio::test]
async fn the_operator_takes_away_an_account_a_client_a_sign_in_or_all() {
    let other_client = "https://app.example.org/client.json";
    let world = World::new();
    let sign_in = async |letter, client| {
        let code = world.code(&account(letter), client).await;
        let tokens = pair(
            world
                .oauth
                .token(&exchange(&code, &[("client_id", client)]), None)
                .await,
        );
        (world.oauth.authenticate(&tokens.access).unwrap().family, tokens)
    };
    let (_, a1) = sign_in('a', CLAUDE).await;
    let (_, a2) = sign_in('a', other_client).await;
    let (b1_id, b1) = sign_in('b', CLAUDE).await;
    let (_, b2) = sign_in('b', other_client).await;
    let (_, c1) = sign_in('c', CLAUDE).await;
    let pending = world.code(&account('a'), CLAUDE).await;
    let good = || [&a1, &a2, &b1, &b2, &c1].map(|tokens| world.is_good(&tokens.access));
    let end = async |scope, by_uid| {
        let by = EndedBy::Operator(by_uid);
        world.oauth.end_access(scope, by).await.unwrap()
    };
    let counts = |fell: Revoked| (fell.families.len(), fell.n_access_tokens, fell.n_codes);

    let fell = end(RevocationScope::Account(account('a')), Some(1000)).await;
    assert_eq!(counts(fell), (2, 2, 1));
    let audit = world.oauth.revocations(9).unwrap();
    assert!(
        audit
            .iter()
            .all(|one| (one.by_uid, one.n_access_tokens) == (Some(1000), 1))
    );
    assert_eq!(good(), [false, false, true, true, true]);
    assert_eq!(
        refusal(world.oauth.token(&exchange(&pending, &[]), None).await),
        INVALID_GRANT
    );
    assert_eq!(
        refusal(world.oauth.token(&refresh(&a1.refresh, &[]), None).await),
        INVALID_GRANT
    );
    let fell = end(RevocationScope::Family(b1_id.clone()), None).await;
    assert_eq!(fell.families, std::slice::from_ref(&b1_id));
    let again = end(RevocationScope::Family(b1_id.clone()), None).await;
    assert_eq!(counts(again), (0, 0, 0));
    assert_eq!(good(), [false, false, false, true, true]);
    let fell = end(RevocationScope::Client(other_client.to_owned()), None).await;
    assert_eq!(counts(fell), (1, 1, 0));
    assert_eq!(good(), [false, false, false, false, true]);
    assert_eq!(counts(end(RevocationScope::All, None).await), (1, 1, 0));
    assert_eq!(good(), [false; 5]);
    // Revocations survive a restart, and are listed newest first.
    let revocations = world.restarted_at(ORIGIN).revocations(2).unwrap();
    assert_eq!(revocations.len(), 2);
    assert!(
        revocations
            .iter()
            .all(|one| one.reason == RevocationReason::Operator)
    );
}

#[tokio::test]
async fn a_client_that_was_revoked_may_sign_in_again() {
    let world = World::new();
    world.signed_in(&account('a')).await;
    world
        .oauth
        .end_access(
            RevocationScope::Client(CLAUDE.to_owned()),
            EndedBy::Operator(None),
        )
        .await
        .unwrap();
    let tokens = world.signed_in(&account('a')).await;
    assert!(world.is_good(&tokens.access));
}

/// A machine boots with its clock ten years behind, is used, and then gets the right time. Later its clock is set ten
/// years ahead by mistake.
#[tokio::test]
async fn a_clock_that_jumps_ends_no_sign_in() {
    const TEN_YEARS: i64 = 3650 * DAY;
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    let unused = world.signed_in(&account('b')).await;

    world.clock.set_by(SignedDuration::from_secs(-TEN_YEARS));
    let world_back = world.restarted_at(ORIGIN);
    let tokens = pair(world_back.token(&refresh(&tokens.refresh, &[]), None).await);
    let began_back = pair(
        world_back
            .token(&exchange(&world.code(&account('c'), CLAUDE).await, &[]), None)
            .await,
    );
    assert!(world_back.authenticate(&began_back.access).is_ok());
    world_back.flush_uses().await.unwrap();
    world.clock.set_by(SignedDuration::from_secs(TEN_YEARS));
    world_back.sweep().await.unwrap();
    let right = world.restarted_at(ORIGIN);
    right.sweep().await.unwrap();
    for refresh_token in [&tokens.refresh, &began_back.refresh, &unused.refresh] {
        world.pass(60);
        pair(right.token(&refresh(refresh_token, &[]), None).await);
    }

    world.clock.set_by(SignedDuration::from_secs(TEN_YEARS));
    for _ in 0..11 {
        right.sweep().await.unwrap();
        world.pass(300);
    }
    assert_eq!(
        right.families().unwrap().len(),
        3,
        "the clocks have not agreed for an hour yet"
    );
    world.clock.set_by(SignedDuration::from_secs(-TEN_YEARS));
    for _ in 0..20 {
        right.sweep().await.unwrap();
        world.pass(300);
    }
    assert_eq!(right.families().unwrap().len(), 3);

    // The same holds if the program starts with the wrong clock and runs with it for days.
    right.keep_house(true).await;
    world.clock.set_by(SignedDuration::from_secs(TEN_YEARS));
    let ahead = world.restarted_at(ORIGIN);
    world.pass(3 * DAY);
    ahead.keep_house(false).await;
    assert_eq!(ahead.families().unwrap().len(), 3);
    ahead.keep_house(true).await;
    world.clock.set_by(SignedDuration::from_secs(-TEN_YEARS));
    let right = world.restarted_at(ORIGIN);
    world.pass(3 * DAY);
    right.keep_house(false).await;
    assert_eq!(right.families().unwrap().len(), 3);

    // Time that really passes still ends unused sign-ins.
    world.pass(91 * DAY);
    right.sweep().await.unwrap();
    assert!(right.families().unwrap().is_empty());
}

#[tokio::test]
async fn a_refresh_under_a_clock_that_is_behind_takes_no_use_away() {
    let world = World::new();
    let tokens = world.signed_in(&account('a')).await;
    let used_at = world.oauth.families().unwrap()[0].last_used_at;
    world.clock.set_by(SignedDuration::from_secs(-400 * DAY));
    let tokens = pair(world.oauth.token(&refresh(&tokens.refresh, &[]), None).await);
    assert!(world.is_good(&tokens.access));
    world.oauth.flush_uses().await.unwrap();
    let restarted = world.restarted_at(ORIGIN);
    assert!(restarted.authenticate(&tokens.access).is_ok());
    restarted.flush_uses().await.unwrap();
    assert_eq!(
        world.restarted_at(ORIGIN).families().unwrap()[0].last_used_at,
        used_at
    );
}
