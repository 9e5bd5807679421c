use std::time::Duration;

use url::Url;

use super::look::{LookError, sample_look as look};
use super::{Claude, ClaudeParts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::RootSecret;
use crate::base::stand_in::StandIn;
use crate::config::{CoachConfig, CoachedBy};
use crate::sandbox::{PrivatePaths, Processes};
use crate::store::Store;

struct Bench {
    claude: Claude,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new(by: CoachedBy) -> Self {
        let config = CoachConfig {
            by,
            timeout: Duration::from_secs(60),
            at_once: 2,
            daily: 3,
            daily_cents: Some(100),
        };
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let claude = Claude::new(ClaudeParts {
            config,
            store: Store::open(&dir.path().join("db"), &secret).unwrap(),
            clock: Clock::manual("2026-10-04T09:00:00Z".parse().unwrap()),
            public_url: "https://gw.example.org".into(),
            local_url: "http://127.0.0.1:8080".into(),
            directory: dir.path().join("coach"),
            processes: Processes::start(
                "/nothing".into(),
                PrivatePaths::new(dir.path(), []),
                &Lifecycle::new(),
            )
            .unwrap(),
        });
        Self { claude, _dir: dir }
    }
}

fn runner(url: &Url) -> CoachedBy {
    CoachedBy::Runner {
        url: url.clone(),
        workspace: "training".into(),
    }
}

#[tokio::test]
async fn a_runner_gets_the_order_and_nobody_waits_for_it() {
    let lifecycle = Lifecycle::new();
    let stand_in = StandIn::start(&lifecycle).await;
    stand_in.will_answer(202, &[], "");
    stand_in.will_answer(503, &[], "");
    let bench = Bench::new(runner(&stand_in.url));
    assert_eq!(bench.claude.look(look()).await, Ok(None));
    let order = stand_in.asked().remove(0);
    assert_eq!(
        (order.path.as_str(), &order.json["workspace"]),
        ("/run", &"training".into())
    );
    let prompt = order.json["prompt"].as_str().unwrap();
    assert!(prompt.contains("https://gw.example.org/control") && prompt.contains("elapsed: 1:00:00"));
    assert!(!prompt.contains("Bearer t"), "no bearer in a prompt");
    assert_eq!(order.headers["authorization"], "Bearer t");
    let mcp = &order.json["mcp_config"]["mcpServers"]["race"];
    assert_eq!(mcp["url"], "https://gw.example.org/mcp");
    assert_eq!(mcp["headers"]["Authorization"], "Bearer t");
    // The runner answers 503 once, then works again.
    assert_eq!(
        bench.claude.look(look()).await,
        Err(LookError::failed("the runner answered 503"))
    );
    assert_eq!(bench.claude.look(look()).await, Ok(None));
}

#[tokio::test]
async fn a_runner_that_is_not_there_costs_nothing() {
    let bench = Bench::new(runner(&"http://127.0.0.1:1".parse().unwrap()));
    drop(rustls::crypto::ring::default_provider().install_default());
    assert_eq!(
        bench.claude.look(look()).await,
        Err(LookError::failed("the runner can't be reached"))
    );
}

#[tokio::test]
async fn nobody_set_up_looks_at_nothing() {
    let bench = Bench::new(CoachedBy::Nobody);
    assert!(!bench.claude.is_set_up());
    assert_eq!(bench.claude.look(look()).await, Err(LookError::NotSetUp));
}
