use proptest::prelude::*;

use super::*;
use crate::mcp::Access;
use crate::oauth::grants::ACCESS_LIFE;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn begin() -> (TokenFamily, TokenPair) {
    let consent = Consent {
        account: "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
        access: Access::ReadOnly,
        client_id: "cli_x".into(),
        client_name: "X".into(),
        resource: "https://gw.example.org/mcp".into(),
    };
    TokenFamily::begin(consent, START, ACCESS_LIFE)
}

/// The outcome of presenting `token` at `seconds`, as one word, and the pair.
fn present(
    family: &mut TokenFamily,
    token: &Secret,
    seconds: i64,
) -> (&'static str, Option<(Secret, Secret)>) {
    match family.rotate(token.expose(), at(seconds), ACCESS_LIFE) {
        Rotation::Rotated(pair) => ("rotated", Some((pair.access, pair.refresh))),
        Rotation::Again(pair) => ("again", Some((pair.access, pair.refresh))),
        Rotation::Reused => ("reused", None),
    }
}

#[test]
fn refresh_rotates_one_second_after_the_exchange() {
    let (mut family, first) = begin();
    let (word, pair) = present(&mut family, &first.refresh, 1);
    let (access, refresh) = pair.unwrap();
    assert_eq!(word, "rotated");
    assert!(access != first.access && refresh != first.refresh);
    assert!(access.expose().starts_with(ACCESS_PREFIX) && refresh.expose().starts_with(REFRESH_PREFIX));
    assert_eq!(family.n_access_tokens(at(1)), 2);
}

#[test]
fn refresh_grace_window_gives_two_machines_the_same_pair() {
    let (mut family, first) = begin();
    let (_, one) = present(&mut family, &first.refresh, 100);
    for seconds in [100, 101, 176, 220] {
        assert_eq!(
            present(&mut family, &first.refresh, seconds),
            ("again", one.clone()),
            "{seconds}"
        );
    }
    assert_eq!(present(&mut family, &first.refresh, 221).0, "reused");
}

#[test]
fn refresh_grace_window_follows_a_chain_of_rotations() {
    let (mut family, first) = begin();
    let (_, second) = present(&mut family, &first.refresh, 100);
    let (word, third) = present(&mut family, &second.clone().unwrap().1, 101);
    assert_eq!(word, "rotated");
    assert_eq!(
        present(&mut family, &first.refresh, 110),
        ("again", third.clone())
    );
    assert_eq!(present(&mut family, &second.unwrap().1, 110), ("again", third));
}

#[test]
fn refresh_theft_is_noticed_after_the_window_whoever_comes_second() {
    // Either the thief presents a token that the person's client has spent, or the reverse.
    let (mut family, first) = begin();
    present(&mut family, &first.refresh, 10);
    assert_eq!(present(&mut family, &first.refresh, 10 + 4 * 86_400).0, "reused");
    // Within the window both hold the same tokens, and the next rotation exposes one of them.
    let (mut family, first) = begin();
    let (_, client) = present(&mut family, &first.refresh, 10);
    let (_, thief) = present(&mut family, &first.refresh, 20);
    assert_eq!(client, thief);
    present(&mut family, &thief.unwrap().1, 50_000);
    assert_eq!(present(&mut family, &client.unwrap().1, 80_000).0, "reused");
}

#[test]
fn a_pair_whose_access_token_is_gone_is_not_given_again() {
    let (mut family, first) = begin();
    let (_, second) = present(&mut family, &first.refresh, 100);
    let (access, refresh) = second.unwrap();
    family.forget_access(TokenHash::of(access.expose()));
    let (word, third) = present(&mut family, &first.refresh, 101);
    assert_eq!(word, "rotated");
    assert!(third.as_ref().unwrap().0 != access && third.unwrap().1 != refresh);
}

#[test]
fn a_token_of_another_family_is_never_taken() {
    let (mut family, _) = begin();
    let (_, stranger) = begin();
    assert_eq!(present(&mut family, &stranger.refresh, 1).0, "reused");
}

#[test]
fn successors_need_the_key_of_the_family() {
    let (mut one, first) = begin();
    let mut other = one.clone();
    other.key = random_token("");
    assert_ne!(
        present(&mut one, &first.refresh, 1).1,
        present(&mut other, &first.refresh, 1).1
    );
}

proptest! {
    /// Compares with a model: the tokens in the order in which they became current, and when each was spent.
    #[test]
    fn rotation_is_what_the_model_says(moves in prop::collection::vec((0_usize..6, 0_i64..200), 1..60)) {
        let (mut family, first) = begin();
        let mut tokens = vec![first.refresh];
        let mut spent_at: Vec<i64> = Vec::new();
        let mut seconds = 0;
        for (back, pass) in moves {
            seconds += pass;
            let current = tokens.len() - 1;
            let presented = current.saturating_sub(back);
            let (word, pair) = present(&mut family, &tokens[presented].clone(), seconds);
            if presented == current {
                prop_assert_eq!(word, "rotated");
                tokens.push(pair.unwrap().1);
                spent_at.push(seconds);
            } else if seconds - spent_at[presented] <= GRACE.as_secs() {
                prop_assert_eq!(word, "again");
                prop_assert_eq!(&pair.unwrap().1, &tokens[current]);
            } else {
                prop_assert_eq!(word, "reused");
            }
        }
    }
}
