//! Clients and tokens of another gateway.

use super::authorize::query;
use super::*;
use crate::oauth::{
    AuthorizeStep, EndedBy, ForeignClient, ForeignToken, RevocationReason, RevocationScope, Unauthenticated,
};

const OLD_TOKEN: &str = "9vXWmJ0b1cYQyT1mB0k3Zr7uQm0T2xqPjz8l-Qw4_eA";
const OLD_CLIENT: &str = "kq3J8sV0m2xYt1Rz4bLw9A";
const DAY: i64 = 24 * 3600;

fn foreign(world: &World, expires_at: Option<Timestamp>) -> ForeignToken {
    ForeignToken {
        hash: TokenHash::of(OLD_TOKEN),
        account: account('a'),
        client_id: OLD_CLIENT.into(),
        client_name: Some("Claude".into()),
        created_at: world.clock.now(),
        last_used_at: world.clock.now(),
        expires_at,
    }
}

async fn import(world: &World, token: ForeignToken) -> bool {
    let now = world.clock.now();
    let imported = world
        .store
        .atomic(move |tx| OAuth::import_token_within(tx, token, &format!("{ORIGIN}/mcp"), now));
    imported.await.unwrap()
}

#[tokio::test]
async fn an_imported_token_works_until_it_expires() {
    let world = World::new();
    assert!(!world.is_good(OLD_TOKEN));
    let ends_at = far(world.clock.now(), 30);
    assert!(import(&world, foreign(&world, Some(ends_at))).await);
    assert!(!import(&world, foreign(&world, None)).await, "it is there");
    let grant = world.oauth.authenticate(OLD_TOKEN).unwrap();
    assert_eq!(
        (grant.account, grant.access, grant.client_id.as_str()),
        (account('a'), Access::ReadAndChange, OLD_CLIENT)
    );
    let [family] = &world.oauth.families().unwrap()[..] else {
        panic!("one family")
    };
    assert_eq!((family.n_access_tokens, family.expires_at), (1, Some(ends_at)));
    assert!(world.restarted_at(ORIGIN).authenticate(OLD_TOKEN).is_ok());
    assert!(matches!(
        world
            .restarted_at("https://other.example.org")
            .authenticate(OLD_TOKEN),
        Err(Unauthenticated::ForeignAudience)
    ));
    world.pass(30 * DAY);
    assert!(matches!(
        world.oauth.authenticate(OLD_TOKEN),
        Err(Unauthenticated::Expired)
    ));
    world.oauth.sweep().await.unwrap();
    assert!(world.oauth.families().unwrap().is_empty());
    assert_eq!(
        world.oauth.revocations(1).unwrap()[0].reason,
        RevocationReason::Expired
    );
    assert!(world.has_access(&account('a')), "nobody withdrew it");
}

#[tokio::test]
async fn a_token_without_an_end_lasts_as_long_as_it_is_used() {
    let world = World::new();
    assert!(import(&world, foreign(&world, None)).await);
    for _ in 0..3 {
        world.pass(89 * DAY);
        assert!(world.is_good(OLD_TOKEN));
        world.oauth.flush_uses().await.unwrap();
        world.oauth.sweep().await.unwrap();
    }
    world.pass(90 * DAY);
    world.oauth.sweep().await.unwrap();
    assert!(!world.is_good(OLD_TOKEN));
}

#[tokio::test]
async fn an_imported_token_is_revoked_like_any_other() {
    let world = World::new();
    assert!(import(&world, foreign(&world, None)).await);
    let scope = RevocationScope::Client(OLD_CLIENT.into());
    let revoked = world.oauth.end_access(scope, EndedBy::Operator(None)).await;
    assert_eq!(revoked.unwrap().n_access_tokens, 1);
    assert!(!world.is_good(OLD_TOKEN));
}

#[tokio::test]
async fn an_imported_client_may_sign_in_again_with_its_id() {
    let world = World::new();
    let unknown = exchange("gac_x", &[("client_id", OLD_CLIENT)]);
    assert_eq!(
        refusal(world.oauth.token(&unknown, None).await),
        ("invalid_client", 401)
    );
    let sign_in = query(&[("client_id", OLD_CLIENT)]);
    let page = || world.oauth.authorize(&sign_in, visitor(None));
    assert!(matches!(page().await, AuthorizeStep::Refused(_)));
    let foreign = ForeignClient {
        id: OLD_CLIENT.into(),
        name: Some("Claude".into()),
        redirect_uris: crate::oauth::allowed_redirects(
            [CLAUDE_CALLBACK, "https://evil.example/cb", "javascript:x"],
            &[],
        ),
    };
    assert_eq!(foreign.redirect_uris, [CLAUDE_CALLBACK]);
    for is_new in [true, false] {
        let foreign = foreign.clone();
        let imported = world
            .store
            .atomic(move |tx| OAuth::import_client_within(tx, &foreign));
        assert_eq!(imported.await.unwrap(), is_new);
    }
    assert!(matches!(page().await, AuthorizeStep::SignIn(_)));
    let code = world.code(&account('a'), OLD_CLIENT).await;
    // The client still sends the secret that the other gateway issued.
    let changes = [("client_id", OLD_CLIENT), ("client_secret", "s3cret")];
    pair(world.oauth.token(&exchange(&code, &changes), None).await);
}

#[tokio::test]
async fn an_id_of_this_gateway_is_not_imported() {
    let world = World::new();
    for id in ["", CLAUDE, &"x".repeat(3000)] {
        let foreign = ForeignClient {
            id: id.to_owned(),
            name: None,
            redirect_uris: vec![CLAUDE_CALLBACK.into()],
        };
        let imported = world
            .store
            .atomic(move |tx| OAuth::import_client_within(tx, &foreign));
        assert!(!imported.await.unwrap());
    }
}
