//! Revocation under load: a person's clients call without a pause while the operator revokes in each of the possible
//! ways. Once the operator has the answer, no call succeeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest, RevocationTarget};
use garmin_gateway::admin::client::AdminClient;
use serde_json::{Value, json};

use crate::whole::World;

const ROUNDS: usize = 20;
const CALLERS: usize = 5;

/// How many calls each caller begins after the operator has the answer.
const AFTER: usize = 100;

/// The calls of one caller, counted.
struct Seen {
    /// Calls that succeeded before the answer.
    good: usize,
    /// Calls that began after the answer and still succeeded.
    late: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_that_began_after_the_answer_succeeds() {
    let world = World::start().await;
    let mut operator = AdminClient::connect(&world.socket()).await.unwrap();
    for round in 0..ROUNDS {
        let ann = world.connect("ann@example.org", "demo-ann", None).await;
        // The worker must be running, so that there is something to cut off.
        assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
        let target = target(&mut operator, round).await;

        let answered = Arc::new(AtomicBool::new(false));
        let warm = Arc::new(tokio::sync::Barrier::new(CALLERS + 1));
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let (answered, warm) = (Arc::clone(&answered), Arc::clone(&warm));
            let request = world.http.post(world.url("/mcp")).bearer_auth(&ann.access_token);
            let request = request.json(&call(caller));
            callers.spawn(async move {
                let mut seen = Seen { good: 0, late: 0 };
                let mut after = 0;
                let mut is_warm = false;
                while after < AFTER {
                    let begun_after = answered.load(Ordering::SeqCst);
                    let is_good = succeeds(request.try_clone().unwrap()).await;
                    after += usize::from(begun_after);
                    seen.late += usize::from(begun_after && is_good);
                    seen.good += usize::from(!begun_after && is_good);
                    if !is_warm {
                        is_warm = true;
                        warm.wait().await;
                    }
                }
                seen
            });
        }
        warm.wait().await;
        let revoke = AdminRequest::Act(AdminAct::Revoke(target.clone()));
        let fell = operator.ask(revoke).await.unwrap();
        answered.store(true, Ordering::SeqCst);
        assert!(
            matches!(fell, AdminAnswer::Revoked(fell) if (fell.families, fell.workers) == (1, 1)),
            "{fell:?}"
        );

        for seen in callers.join_all().await {
            assert!(seen.good > 0, "it never worked");
            assert_eq!(seen.late, 0, "round {round}, {target:?}");
        }
        assert!(world.workers().is_empty(), "a dead token started a worker");
    }
}

/// Each way to name the target of a revocation, in turn.
async fn target(operator: &mut AdminClient, round: usize) -> RevocationTarget {
    let tokens = operator.ask(AdminRequest::Read(AdminRead::Tokens)).await.unwrap();
    let clients = operator
        .ask(AdminRequest::Read(AdminRead::Clients))
        .await
        .unwrap();
    let (AdminAnswer::Tokens(tokens), AdminAnswer::Clients(clients)) = (tokens, clients) else {
        panic!("neither tokens nor clients");
    };
    match round % 4 {
        0 => RevocationTarget::Account("ann@example.org".into()),
        1 => RevocationTarget::Token(tokens.families[0].id.clone()),
        2 => RevocationTarget::Client(clients[0].id.clone()),
        _ => RevocationTarget::All,
    }
}

/// Alternates between calls that need a worker and calls that do not.
fn call(caller: usize) -> Value {
    match caller {
        0 => {
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "get_full_name" } })
        }
        1 => json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
        _ => json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }),
    }
}

/// Whether a call succeeded. An interrupted call gets an error, and one that came too late gets a 401.
async fn succeeds(request: reqwest::RequestBuilder) -> bool {
    let answer = request.send().await.unwrap();
    match answer.status().as_u16() {
        401 => false,
        200 => {
            let text = answer.text().await.unwrap();
            text.contains("\"result\"") && !text.contains("\"isError\":true")
        }
        other => panic!("{other}"),
    }
}
