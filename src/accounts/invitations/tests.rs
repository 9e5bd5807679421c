use super::super::tests::{Fixture, fixture};
use super::*;

#[tokio::test]
async fn invitations_come_from_settings_and_store() {
    let Fixture { accounts, live, .. } = fixture();
    assert!(!accounts.is_invited("ann@example.org").unwrap());
    accounts.note_access_request("Ann@example.org").await.unwrap();
    accounts.note_access_request("ann@example.org").await.unwrap();
    assert_eq!(accounts.access_requests().unwrap()[0].times, 2);
    accounts.invite(" Ann@Example.org").await.unwrap();
    assert!(accounts.is_invited("ann@example.org").unwrap());
    assert!(accounts.access_requests().unwrap().is_empty());
    accounts.uninvite("ann@example.org").await.unwrap();
    assert!(!accounts.is_invited("ann@example.org").unwrap());
    accounts.note_access_request("dee@example.org").await.unwrap();
    accounts.uninvite(" Dee@example.org").await.unwrap();
    assert!(
        accounts.access_requests().unwrap().is_empty(),
        "a request can be dismissed"
    );
    live.send_modify(|live| live.invited.push(Invited::parse("@example.org").unwrap()));
    assert!(accounts.is_invited("ann@example.org").unwrap());
}

#[tokio::test]
async fn only_one_address_can_be_invited() {
    let Fixture { accounts, live, .. } = fixture();
    live.send_modify(|live| {
        live.invited.push(Invited::parse("@example.com").unwrap());
        live.open_sign_up = true;
    });
    for email in [
        "a@evil.org@example.com",
        "a@@example.com",
        "@example.com",
        "a b@example.com",
        "a@example.com b@example.com",
        "a\n@example.com",
        "example.com",
        "a@",
    ] {
        assert!(
            !is_email(email) && !accounts.is_invited(email).unwrap(),
            "{email:?}"
        );
    }
    for email in ["a@example.com", " A.b+c@Example.com ", "o'neil@example.com"] {
        assert!(
            is_email(email) && accounts.is_invited(email).unwrap(),
            "{email:?}"
        );
    }
}

#[tokio::test]
async fn strangers_cannot_fill_the_list_of_access_requests_for_good() {
    let Fixture { accounts, .. } = fixture();
    let n_requests = || accounts.access_requests().unwrap().len();
    accounts.note_access_request("dee@friends.example").await.unwrap();
    accounts.note_access_request("dee@friends.example").await.unwrap();
    for n in 0..MAX_ACCESS_REQUESTS + 5 {
        accounts
            .note_access_request(&format!("{n}@example.org"))
            .await
            .unwrap();
    }
    assert_eq!(n_requests(), MAX_ACCESS_REQUESTS);
    let has = |email: &str| {
        accounts
            .access_requests()
            .unwrap()
            .iter()
            .any(|r| r.email == email)
    };
    // The flood gives way to a new person, but a person who tried twice stays.
    accounts.clock.advance(SINGLE_TRY_LIFETIME);
    accounts.note_access_request("new@friends.example").await.unwrap();
    assert!(has("new@friends.example") && has("dee@friends.example"));
    assert_eq!(n_requests(), MAX_ACCESS_REQUESTS);
    // All requests expire in time.
    accounts.clock.advance(ACCESS_REQUEST_LIFETIME);
    assert_eq!(n_requests(), 0);
    accounts.note_access_request("dee@friends.example").await.unwrap();
    let again = &accounts.access_requests().unwrap()[0];
    assert_eq!((n_requests(), again.times), (1, 1));
    let stored: Vec<AccessRequest> = records(&accounts.store).unwrap();
    assert_eq!(stored.len(), 1, "expired ones are removed from the store too");
}
