use super::*;
use crate::base::secrets::{RootSecret, Secret};
use crate::config::ToolProfile;

pub(super) struct Fixture {
    pub(super) accounts: Accounts,
    pub(super) live: watch::Sender<Live>,
    _dir: tempfile::TempDir,
}

pub(super) fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
    let store = Store::open(&dir.path().join("db"), &secret).unwrap();
    let (live, receiver) = watch::channel(Live::default());
    let accounts = Accounts::new(store, Clock::manual(Timestamp::UNIX_EPOCH), receiver);
    Fixture {
        accounts,
        live,
        _dir: dir,
    }
}

pub(super) fn tokens(name: &str) -> GarminTokens {
    let secret = Secret::new(name);
    GarminTokens {
        di_token: secret.clone(),
        di_refresh_token: Some(secret),
        di_client_id: None,
    }
}

pub(super) fn signed_in(profile_id: u64, token: &str) -> SignedIn {
    SignedIn {
        profile_id,
        display_name: "ann".into(),
        full_name: "Ann Example".into(),
        tokens: tokens(token),
    }
}

#[tokio::test]
async fn an_account_is_identified_by_its_profile_and_not_by_its_e_mail() {
    let Fixture { accounts, .. } = fixture();
    let first = accounts.link("Ann@Example.org", signed_in(7, "a")).await.unwrap();
    let again = accounts.link("new@example.org", signed_in(7, "b")).await.unwrap();
    let other = accounts.link("new@example.org", signed_in(8, "c")).await.unwrap();
    assert_eq!((&first.id, again.email.as_str()), (&again.id, "new@example.org"));
    assert_ne!(first.id, other.id);
    assert_eq!(accounts.list().unwrap().len(), 2);
    assert!(accounts.forget(&first.id).await.unwrap());
    assert!(accounts.tokens(&first.id).unwrap().is_none());
    assert_ne!(
        accounts
            .link("x@example.org", signed_in(7, "d"))
            .await
            .unwrap()
            .id,
        first.id
    );
}

#[tokio::test]
async fn the_invitation_counts_at_the_moment_of_the_link() {
    let Fixture { accounts, .. } = fixture();
    let link = |written: Result<(), StoreError>| {
        accounts.link_invited("ann@example.org", signed_in(7, "a"), move |_, _| written)
    };
    assert!(link(Ok(())).await.unwrap().is_none());
    accounts.invite("ann@example.org").await.unwrap();
    assert!(link(Err(StoreError::Closed)).await.is_err());
    assert!(
        accounts.list().unwrap().is_empty(),
        "nothing is kept of a failed link"
    );
    assert!(link(Ok(())).await.unwrap().is_some());
    accounts.uninvite("ann@example.org").await.unwrap();
    assert!(link(Ok(())).await.unwrap().is_none());
    assert_eq!(accounts.list().unwrap().len(), 1, "what was linked before stays");
}

#[tokio::test]
async fn what_comes_late_for_a_forgotten_account_is_dropped_or_erased() {
    let Fixture { accounts, .. } = fixture();
    let id = accounts
        .link("ann@example.org", signed_in(7, "a"))
        .await
        .unwrap()
        .id;
    let exists = |id: &AccountId| {
        let id = id.clone();
        accounts.store.atomic(move |tx| Accounts::exists_within(tx, &id))
    };
    assert!(exists(&id).await.unwrap());
    assert!(accounts.forget(&id).await.unwrap());
    assert!(!exists(&id).await.unwrap());
    // A worker that was still refreshing writes back late.
    let late = accounts.write_back(&id, 1, tokens("late")).await.unwrap();
    assert_eq!(late, WriteBack::Stale);
    accounts.mark_sign_in_needed(&id, 1, "late").await.unwrap();
    assert!(accounts.tokens(&id).unwrap().is_none() && accounts.find(&id).unwrap().is_none());
    // A writer that did not check whether the account exists.
    let held = HeldTokens {
        tokens: tokens("late"),
        generation: 9,
        changed_at: Timestamp::UNIX_EPOCH,
    };
    accounts.store.put(id.as_str().as_bytes(), held).await.unwrap();
    let again = accounts.link("ann@example.org", signed_in(7, "b")).await.unwrap();
    assert_ne!(again.id, id);
    accounts.sweep_tombstones().await.unwrap();
    assert!(accounts.tokens(&id).unwrap().is_none());
    assert!(accounts.find(&again.id).unwrap().is_some(), "a new sign-in stays");
    assert_eq!(accounts.tombstones().unwrap().len(), 1);
    accounts.clock.advance(TOMBSTONE_LIFETIME);
    accounts.sweep_tombstones().await.unwrap();
    assert!(accounts.tombstones().unwrap().is_empty());
    assert!(
        !accounts.forget(&id).await.unwrap(),
        "there is nothing left to forget"
    );
}

#[tokio::test]
async fn a_sign_in_wins_over_an_older_write_back() {
    let Fixture { accounts, .. } = fixture();
    let id = accounts
        .link("ann@example.org", signed_in(7, "a"))
        .await
        .unwrap()
        .id;
    let write_back = |generation, name| accounts.write_back(&id, generation, tokens(name));
    assert_eq!(write_back(1, "a").await.unwrap(), WriteBack::Unchanged);
    assert_eq!(write_back(1, "b").await.unwrap(), WriteBack::Sealed(2));
    accounts.link("ann@example.org", signed_in(7, "c")).await.unwrap();
    assert_eq!(write_back(2, "d").await.unwrap(), WriteBack::Stale);
    assert_eq!(accounts.tokens(&id).unwrap().unwrap().tokens, tokens("c"));
}

#[tokio::test]
async fn the_login_state_follows_the_newest_tokens() {
    let Fixture { accounts, .. } = fixture();
    let id = accounts
        .link("ann@example.org", signed_in(7, "a"))
        .await
        .unwrap()
        .id;
    let working = || accounts.find(&id).unwrap().unwrap().garmin == GarminLogin::Working;
    accounts.mark_sign_in_needed(&id, 0, "old").await.unwrap();
    assert!(working());
    accounts
        .mark_sign_in_needed(&id, 1, "invalid_grant")
        .await
        .unwrap();
    assert!(!working());
    accounts.link("ann@example.org", signed_in(7, "b")).await.unwrap();
    assert!(working());
}

#[test]
fn account_ids_are_safe_as_directory_names() {
    for (text, ok) in [
        ("acc_abcdefghij234567", true),
        ("acc_../../etc/passwd", false),
        ("acc_ABCDEFGHIJ234567", false),
        ("acc_abc", false),
        ("", false),
    ] {
        assert_eq!(text.parse::<AccountId>().is_ok(), ok, "{text}");
    }
    assert!(AccountId::random().as_str().parse::<AccountId>().is_ok());
}

#[tokio::test]
async fn the_choice_of_tools_is_kept_until_the_account_is_forgotten() {
    let Fixture { accounts, .. } = fixture();
    let ann = accounts
        .link("ann@example.org", signed_in(7, "a"))
        .await
        .unwrap()
        .id;
    assert_eq!(accounts.choices(&ann).unwrap().tools, None);
    let choose = |tools| accounts.choose_tools(&ann, tools, |_| Ok(true));
    assert!(choose(Some(ToolProfile::All)).await.unwrap());
    accounts.link("ann@example.org", signed_in(7, "b")).await.unwrap();
    assert_eq!(accounts.choices(&ann).unwrap().tools, Some(ToolProfile::All));
    assert!(choose(None).await.unwrap());
    assert_eq!(accounts.choices(&ann).unwrap().tools, None);
    assert!(choose(Some(ToolProfile::Core)).await.unwrap());
    let refused = accounts.choose_tools(&ann, None, |_| Ok(false));
    assert!(
        !refused.await.unwrap(),
        "access ended before the choice was written"
    );
    assert_eq!(accounts.choices(&ann).unwrap().tools, Some(ToolProfile::Core));
    assert!(accounts.choose_views(&ann, true, |_| Ok(true)).await.unwrap());
    let both = accounts.choices(&ann).unwrap();
    assert!(both.are_views_off && both.tools == Some(ToolProfile::Core));
    accounts.forget(&ann).await.unwrap();
    assert!(!choose(Some(ToolProfile::All)).await.unwrap());
    assert_eq!(
        accounts.choices(&ann).unwrap().tools,
        None,
        "nothing is left behind"
    );
}
