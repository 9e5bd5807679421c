use super::*;
use crate::garmin::livetrack::Trackpoint;
use crate::import::old_gateway::OldAccount;
use crate::import::sample::{garmin_tokens, hex};
use crate::race::plan::RacePlan;
use crate::races::PastRace;

const ANN: &str = "ann@example.org";
const DAY: i64 = 24 * 3600;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - days * DAY).unwrap()
}

fn account(key: &str) -> OldAccount {
    OldAccount {
        key: key.to_owned(),
        tokens: Some((garmin_tokens(1_800_000_000), false)),
        created_at: Some(days_ago(40)),
    }
}

/// A token that was used yesterday and expires in ten days.
fn token(text: &str, account: &str) -> TokenRow {
    let hash = TokenHash::of(text);
    TokenRow {
        hash: hex(hash.as_bytes()),
        account: account.to_owned(),
        client_id: Some("client-1".into()),
        created_at: Some(days_ago(40)),
        last_used_at: Some(days_ago(1)),
        expires_at: Some(now().as_second() + 10 * DAY),
    }
}

fn client(id: &str, redirect_uris: &str) -> ClientRow {
    ClientRow {
        id: id.to_owned(),
        redirect_uris: redirect_uris.to_owned(),
        name: (id == "client-1").then(|| "Claude".to_owned()),
    }
}

fn old(accounts: Vec<OldAccount>, tokens: Vec<TokenRow>, clients: Vec<ClientRow>) -> OldGateway {
    OldGateway {
        database: "gateway.db".into(),
        public_url: None,
        livetrack: None,
        is_running: false,
        accounts,
        tokens,
        clients,
    }
}

const RULES: ImportRules<'static> = ImportRules {
    redirect_hosts: &[],
    sign_in_ttl: Some(Duration::from_secs(90 * 24 * 3600)),
};

#[test]
fn an_account_comes_with_its_tokens_and_the_client_of_each() {
    let clients = vec![client(
        "client-1",
        r#"["https://claude.ai/api/mcp/auth_callback"]"#,
    )];
    let old = old(
        vec![account(ANN)],
        vec![token("a", ANN), token("b", ANN)],
        clients,
    );
    let plan = ImportPlan::of(old, &AlreadyHere::default(), &RULES, now());
    let [ann] = &plan.accounts[..] else {
        panic!("{plan:?}")
    };
    assert_eq!((ann.email.as_str(), ann.access.len()), (ANN, 2));
    assert_eq!(ann.linked_at, days_ago(40));
    assert_eq!(ann.access[0].client_name.as_deref(), Some("Claude"));
    assert_eq!(ann.access[0].last_used_at, days_ago(1));
    assert_eq!(plan.clients[0].id, "client-1");
    assert!(plan.left_accounts.is_empty() && plan.n_expired == 0 && plan.n_stray == 0);
}

#[test]
fn what_can_not_be_taken_is_left_with_its_reason() {
    let mut closed = account("bob@example.org");
    closed.tokens = None;
    let accounts = vec![
        account(ANN),
        closed,
        account("not an e-mail"),
        account("Upper@example.org"),
    ];
    let tokens = vec![token("a", ANN), token("b", "bob@example.org")];
    let here = AlreadyHere {
        emails: [ANN.to_owned()].into(),
        ..AlreadyHere::default()
    };
    let plan = ImportPlan::of(old(accounts, tokens, vec![]), &here, &RULES, now());
    let left: Vec<_> = plan
        .left_accounts
        .iter()
        .map(|one| (&*one.key, one.why, one.n_tokens))
        .collect();
    assert_eq!(
        left,
        [
            (ANN, Unusable::AlreadyHere, 1),
            ("bob@example.org", Unusable::NoGarminTokens, 1),
            ("not an e-mail", Unusable::NotAnEmail, 0),
            ("Upper@example.org", Unusable::NotAnEmail, 0),
        ]
    );
    assert!(plan.is_empty());
}

#[test]
fn an_expired_an_unused_and_a_stray_token_are_counted() {
    let expired = TokenRow {
        expires_at: Some(now().as_second()),
        ..token("a", ANN)
    };
    let unused = TokenRow {
        expires_at: None,
        last_used_at: Some(days_ago(90)),
        ..token("b", ANN)
    };
    let endless = TokenRow {
        expires_at: None,
        ..token("c", ANN)
    };
    let no_hash = TokenRow {
        hash: "xyz".into(),
        ..token("d", ANN)
    };
    let tokens = vec![expired, unused, endless, no_hash, token("e", "gone@example.org")];
    let plan_with = |rules: &ImportRules<'_>| {
        let old = old(vec![account(ANN)], tokens.clone(), vec![]);
        let plan = ImportPlan::of(old, &AlreadyHere::default(), rules, now());
        (plan.accounts[0].access.len(), plan.n_expired, plan.n_stray)
    };
    assert_eq!(plan_with(&RULES), (1, 2, 2));
    let forever = ImportRules {
        sign_in_ttl: None,
        ..RULES
    };
    assert_eq!(plan_with(&forever), (2, 1, 2));
}

#[test]
fn a_client_comes_with_the_redirect_uris_that_are_allowed_here() {
    let clients = || {
        vec![
            client(
                "client-1",
                r#"["http://localhost:7777/callback","https://evil.example/cb"]"#,
            ),
            client("client-2", r#"["https://tools.example.org/cb"]"#),
            client("client-3", "no list"),
            client("client-4", r#"["http://localhost/cb"]"#),
        ]
    };
    let here = AlreadyHere {
        client_ids: ["client-4".to_owned()].into(),
        ..AlreadyHere::default()
    };
    let plan = ImportPlan::of(old(vec![], vec![], clients()), &here, &RULES, now());
    assert_eq!(plan.clients[0].redirect_uris, ["http://localhost/callback"]);
    assert_eq!(
        (plan.clients.len(), plan.left_clients),
        (1, vec!["client-2".to_owned(), "client-3".into()])
    );
    let added = ["tools.example.org".to_owned()];
    let rules = ImportRules {
        redirect_hosts: &added,
        ..RULES
    };
    let plan = ImportPlan::of(old(vec![], vec![], clients()), &here, &rules, now());
    assert_eq!(plan.clients.len(), 2);
}

fn old_race() -> OldRace {
    OldRace {
        past: PastRace {
            settings: RacePlan::default(),
            link: None,
            points: vec![Trackpoint::at(days_ago(30))],
        },
        bad_config: None,
    }
}

#[test]
fn races_go_to_the_account_that_is_named_or_to_the_only_one() {
    let bob = "bob@example.org".to_owned();
    let mut here = AlreadyHere {
        emails: [bob.clone()].into(),
        ..AlreadyHere::default()
    };
    let planned = |here: &AlreadyHere, owner: Option<&str>| {
        let mut plan = ImportPlan::of(old(vec![], vec![], vec![]), here, &RULES, now());
        plan.add_races(vec![old_race()], owner, here).map(|()| plan)
    };
    assert_eq!(planned(&here, None).unwrap().races[0].owner, bob);
    // The race is imported once.
    here.races.insert((bob.clone(), days_ago(30)));
    let again = planned(&here, None).unwrap();
    assert!(again.is_empty() && again.n_known_races == 1);
    here.emails.insert(ANN.to_owned());
    let ownerless = planned(&here, None).unwrap();
    assert!(ownerless.is_empty() && ownerless.n_ownerless_races == 1);
    assert_eq!(
        planned(&here, Some(" Ann@example.org ")).unwrap().races[0].owner,
        ANN
    );
    let nobody = planned(&here, Some("nobody@example.org")).unwrap_err();
    assert!(nobody.to_string().contains("nobody@example.org"));
    // An account that comes with the same import may be the only one.
    let here = AlreadyHere::default();
    let mut plan = ImportPlan::of(old(vec![account(ANN)], vec![], vec![]), &here, &RULES, now());
    plan.add_races(vec![old_race()], None, &here).unwrap();
    assert_eq!(plan.races[0].owner, ANN);
}
