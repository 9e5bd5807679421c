//! The catalogue that is currently offered, and how it is learned from a foreign worker.
//!
//! The built-in worker's lists are compiled in. Those of a foreign worker (`GARMIN_MCP_CMD`) are kept in the store, so
//! that listing tools after a restart needs no worker. The gateway requests them when none are stored. While people
//! make calls, it refreshes them in the background: every [`FRESH_FOR`], and immediately after a worker of another
//! version has started.

mod kept;
mod learn;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

use crate::accounts::AccountId;
use crate::mcp::catalogue::Overlay;
use crate::mcp::handshake::{Capabilities, Handshake, Instructions};
use crate::mcp::{Access, Catalogue, CatalogueError, Lists};
use crate::store::Store;
use crate::workers::Workers;

use kept::LearnedLists;
use learn::{LearnError, learn};

pub(super) use kept::KIND;

/// The age at which stored lists are refreshed.
const FRESH_FOR: Duration = Duration::from_secs(600);
/// The pause after a failed attempt to learn the lists.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// The time limit for learning all lists, including a cold start of the worker.
const LEARN_LIMIT: Duration = Duration::from_secs(60);

/// The worker whose lists are offered.
#[derive(Debug, Clone)]
pub enum WorkerLists {
    /// The built-in worker: the results of its `tools/list`, `resources/list` and `resources/templates/list`.
    BuiltIn {
        tools: String,
        resources: String,
        resource_templates: String,
    },
    /// A foreign worker. The store keeps its lists under a fingerprint of its command.
    Foreign {
        /// The value of `GARMIN_MCP_CMD`, split into arguments.
        command: Vec<String>,
        /// The built-in tools, which are offered until the worker's own lists are known.
        seed_tools: String,
        seed_resources: String,
    },
}

#[derive(Debug)]
pub(super) struct Offered {
    pub(super) catalogue: Catalogue,
    pub(super) handshake: Handshake,
}

#[derive(Debug)]
pub(super) struct Offer {
    current: RwLock<Arc<Offered>>,
    overlay: Overlay,
    own_tools: String,
    website: String,
    foreign: Option<ForeignLists>,
}

#[derive(Debug)]
struct ForeignLists {
    store: Store,
    fingerprint: String,
    /// The `serverInfo` of the worker whose lists are offered.
    server: Mutex<Option<Arc<str>>>,
    /// Held while a worker is asked, so that only one task at a time does so.
    learning: tokio::sync::Mutex<()>,
    age: Mutex<ListsAge>,
}

#[derive(Debug, Clone, Copy)]
struct ListsAge {
    /// Whether this worker's lists are on offer, possibly from an earlier run of the gateway.
    is_known: bool,
    /// The time of the last attempt to learn the lists in this process, and whether it succeeded.
    asked: Option<(Instant, bool)>,
}

impl Offer {
    /// Fails if the lists or the overlay of this build are damaged.
    pub(super) fn new(
        lists: WorkerLists,
        own_tools: String,
        website: &str,
        store: &Store,
    ) -> Result<Self, CatalogueError> {
        let (tools, resources, resource_templates, foreign) = match lists {
            WorkerLists::BuiltIn {
                tools,
                resources,
                resource_templates,
            } => (tools, resources, resource_templates, None),
            WorkerLists::Foreign {
                command,
                seed_tools,
                seed_resources,
            } => (
                seed_tools,
                seed_resources,
                "[]".to_owned(),
                Some(ForeignLists {
                    store: store.clone(),
                    fingerprint: kept::fingerprint(&command),
                    server: Mutex::default(),
                    learning: tokio::sync::Mutex::new(()),
                    age: Mutex::new(ListsAge {
                        is_known: false,
                        asked: None,
                    }),
                }),
            ),
        };
        let overlay = overlay()?;
        let seed = offered(
            &Lists {
                own_tools: &own_tools,
                resource_templates: &resource_templates,
                ..Lists::new(&tools, &resources)
            },
            &overlay,
            website,
            foreign.is_some(),
        )?;
        let offer = Offer {
            current: RwLock::new(Arc::new(seed)),
            overlay,
            own_tools,
            website: website.to_owned(),
            foreign,
        };
        if let Some(foreign) = &offer.foreign {
            offer.offer_kept(foreign);
        }
        Ok(offer)
    }

    /// Offers the stored lists, if there are any.
    fn offer_kept(&self, foreign: &ForeignLists) {
        let offered = match kept::find(&foreign.store, &foreign.fingerprint) {
            Ok(None) => return,
            Ok(Some(lists)) => self
                .offer(&lists)
                .map(|()| lists.server)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match offered {
            Ok(server) => {
                *foreign.server.lock() = server;
                foreign.age.lock().is_known = true;
            }
            Err(reason) => tracing::warn!(reason, "catalogue.not_read"),
        }
    }

    /// Whether the worker is not the built-in one.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    pub(super) fn current(&self) -> Arc<Offered> {
        self.current.read().clone()
    }

    /// Asks the worker of this account for its lists if none are known yet. Returns immediately for the built-in
    /// worker.
    pub(super) async fn ensure_known(&self, workers: &Workers, account: &AccountId) {
        let Some(foreign) = &self.foreign else { return };
        if !foreign.is_unknown() {
            return;
        }
        let _learning = foreign.learning.lock().await;
        if foreign.is_unknown() {
            self.learn(foreign, workers, account).await;
        }
    }

    /// Whether the lists should be refreshed and no refresh is running.
    pub(super) fn is_stale(&self, workers: &Workers) -> bool {
        self.foreign
            .as_ref()
            .is_some_and(|foreign| foreign.is_stale(workers) && foreign.learning.try_lock().is_ok())
    }

    /// Asks the worker of this account for its lists, unless another task has just refreshed them.
    pub(super) async fn refresh(&self, workers: &Workers, account: &AccountId) {
        if let Some(foreign) = &self.foreign {
            let _learning = foreign.learning.lock().await;
            if foreign.is_stale(workers) {
                self.learn(foreign, workers, account).await;
            }
        }
    }

    async fn learn(&self, foreign: &ForeignLists, workers: &Workers, account: &AccountId) {
        let learned = match tokio::time::timeout(LEARN_LIMIT, learn(workers, account)).await {
            Ok(Ok(lists)) => {
                foreign.server.lock().clone_from(&lists.server);
                self.offer(&lists).map(|()| lists).map_err(LearnError::from)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LearnError::TooLong),
        };
        {
            let mut age = foreign.age.lock();
            age.asked = Some((Instant::now(), learned.is_ok()));
            age.is_known |= learned.is_ok();
        }
        match learned {
            Ok(lists) => {
                let tools = self.current().catalogue.count(Access::ReadAndChange);
                tracing::info!(tools, "catalogue.learned");
                if let Err(error) = kept::keep(&foreign.store, &foreign.fingerprint, lists).await {
                    tracing::warn!(%error, "catalogue.not_kept");
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "catalogue.not_learned");
            }
        }
    }

    /// Offers these lists from now on.
    fn offer(&self, learned: &LearnedLists) -> Result<(), CatalogueError> {
        let lists = Lists {
            tools: &learned.tools,
            resources: &learned.resources,
            resource_templates: &learned.resource_templates,
            prompts: &learned.prompts,
            own_tools: &self.own_tools,
        };
        let offered = offered(&lists, &self.overlay, &self.website, true)?;
        *self.current.write() = Arc::new(offered);
        Ok(())
    }
}

/// A catalogue with the gateway's own tools and nothing from a worker.
pub(super) fn own_tools_only(own_tools: &str, website: &str) -> Result<Offered, CatalogueError> {
    let lists = Lists {
        own_tools,
        ..Lists::new("[]", "[]")
    };
    offered(&lists, &overlay()?, website, false)
}

/// The overlay with the facts about Garmin's tools. The built-in worker has all of these tools, so its list states
/// their effects for every worker.
fn overlay() -> Result<Overlay, CatalogueError> {
    Overlay::built_in(&crate::tools::lists().tools)
}

fn offered(
    lists: &Lists<'_>,
    overlay: &Overlay,
    website: &str,
    foreign: bool,
) -> Result<Offered, CatalogueError> {
    // `serverInfo` does not depend on the lists, but the capabilities do.
    let server = Handshake::new(website, Capabilities::default(), Instructions::default());
    let catalogue = Catalogue::from_lists(*lists, overlay, server.server())?;
    for tool in catalogue.too_large() {
        tracing::warn!(tool, "catalogue.schema_too_large");
    }
    let capabilities = Capabilities {
        logging: foreign,
        completions: catalogue.completes(),
    };
    let instructions = Instructions::new(
        |tool| catalogue.find(tool).is_some(),
        catalogue.changes().next().is_some(),
    );
    Ok(Offered {
        catalogue,
        handshake: Handshake::new(website, capabilities, instructions),
    })
}

impl ForeignLists {
    fn is_unknown(&self) -> bool {
        let age = *self.age.lock();
        !age.is_known && age.asked.is_none_or(|(at, _)| at.elapsed() >= RETRY_AFTER)
    }

    fn is_stale(&self, workers: &Workers) -> bool {
        let age = *self.age.lock();
        age.asked.is_none_or(|(at, succeeded)| {
            if succeeded {
                self.is_outdated(workers) || at.elapsed() >= FRESH_FOR
            } else {
                at.elapsed() >= RETRY_AFTER
            }
        })
    }

    /// Whether the most recently started worker is another program or version than the one whose lists are offered.
    fn is_outdated(&self, workers: &Workers) -> bool {
        let known = self.server.lock();
        workers
            .server()
            .is_some_and(|server| known.as_ref() != Some(&server))
    }
}
