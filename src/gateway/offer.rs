//! What is offered at the moment, and how it is learned.
//!
//! The built-in worker's lists are known. Those of a foreign worker (`GARMIN_MCP_CMD`) are kept in the store, so
//! that a restart needs no worker to list tools; they are asked for when nothing is known yet, and again in the
//! background while people call, at once where a worker says that it is another version.

mod ask;
mod kept;

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use crate::accounts::AccountId;
use crate::mcp::catalogue::Overlay;
use crate::mcp::handshake::{Capabilities, Handshake};
use crate::mcp::{Access, Catalogue, CatalogueError, Lists};
use crate::store::Store;

use super::upstream::Upstream;
use ask::{LearnError, ask_all};
use kept::Asked;

pub(super) use kept::KIND;

/// Lists are asked for again after this.
const FRESH_FOR: Duration = Duration::from_secs(600);
/// After a failure they are not asked for again before this.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// Asking may take this long, a cold start included.
const ASK_LIMIT: Duration = Duration::from_secs(60);
/// Whose lists are offered.
#[derive(Debug, Clone)]
pub enum WorkerLists {
    /// The built-in worker: the results of its `tools/list` and `resources/list`.
    BuiltIn {
        /// Tools.
        tools: String,
        /// Resources.
        resources: String,
    },
    /// A foreign worker, known by its command.
    Foreign {
        /// `GARMIN_MCP_CMD`.
        command: Vec<String>,
        /// The built-in tools, offered where the worker can't be asked.
        seed_tools: String,
        /// The built-in resources.
        seed_resources: String,
    },
}

/// What is offered at one moment.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) catalogue: Catalogue,
    pub(super) handshake: Handshake,
}

/// What is offered, and where it comes from.
#[derive(Debug)]
pub(super) struct Offer {
    current: RwLock<Arc<Offered>>,
    overlay: Overlay,
    own_tools: String,
    website: String,
    foreign: Option<Foreign>,
}

#[derive(Debug)]
struct Foreign {
    store: Store,
    fingerprint: String,
    /// What the worker said of itself whose lists are offered.
    server: Mutex<Option<Arc<str>>>,
    asking: tokio::sync::Mutex<()>,
    state: Mutex<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Lists of this worker are offered, of now or of an earlier start.
    lists: bool,
    /// When they were last asked for, in this process, and whether that went well.
    asked: Option<(Instant, bool)>,
}

impl Offer {
    /// Reads what is known. Errors: the lists or the overlay of this build are damaged.
    pub(super) fn new(
        lists: WorkerLists,
        own_tools: String,
        website: &str,
        store: &Store,
    ) -> Result<Self, CatalogueError> {
        let (tools, resources, foreign) = match lists {
            WorkerLists::BuiltIn { tools, resources } => (tools, resources, None),
            WorkerLists::Foreign {
                command,
                seed_tools,
                seed_resources,
            } => (
                seed_tools,
                seed_resources,
                Some(Foreign {
                    store: store.clone(),
                    fingerprint: kept::fingerprint(&command),
                    server: Mutex::default(),
                    asking: tokio::sync::Mutex::new(()),
                    state: Mutex::new(Known {
                        lists: false,
                        asked: None,
                    }),
                }),
            ),
        };
        let overlay = Overlay::built_in()?;
        let seed = offered(
            &Lists {
                own_tools: &own_tools,
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
            offer.take_kept(foreign);
        }
        Ok(offer)
    }

    /// Offers what was learned before this start, if anything was.
    fn take_kept(&self, foreign: &Foreign) {
        let taken = match kept::find(&foreign.store, &foreign.fingerprint) {
            Ok(None) => return,
            Ok(Some(asked)) => self
                .take(&asked)
                .map(|()| asked.server)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match taken {
            Ok(server) => {
                foreign.is_from(server);
                foreign.note(|known| known.lists = true);
            }
            Err(reason) => tracing::warn!(reason, "catalogue.not_read"),
        }
    }

    /// What is offered now.
    pub(super) fn now(&self) -> Arc<Offered> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes sure that the lists are those of the worker, if that can be had: asks the worker of this account where
    /// nothing is known. Returns at once for the built-in worker.
    pub(super) async fn ensure_known(&self, upstream: &dyn Upstream, account: &AccountId) {
        let Some(foreign) = &self.foreign else { return };
        if !foreign.is_unknown() {
            return;
        }
        let _asking = foreign.asking.lock().await;
        if foreign.is_unknown() {
            self.ask(foreign, upstream, account).await;
        }
    }

    /// The lists are old enough to be asked for again, and nobody does so at the moment.
    pub(super) fn is_stale(&self, upstream: &dyn Upstream) -> bool {
        self.foreign
            .as_ref()
            .is_some_and(|foreign| foreign.is_stale(upstream) && foreign.asking.try_lock().is_ok())
    }

    /// Asks the worker of this account for its lists again, if they are still old.
    pub(super) async fn refresh(&self, upstream: &dyn Upstream, account: &AccountId) {
        if let Some(foreign) = &self.foreign {
            let _asking = foreign.asking.lock().await;
            if foreign.is_stale(upstream) {
                self.ask(foreign, upstream, account).await;
            }
        }
    }

    async fn ask(&self, foreign: &Foreign, upstream: &dyn Upstream, account: &AccountId) {
        let learned = match tokio::time::timeout(ASK_LIMIT, ask_all(upstream, account)).await {
            Ok(Ok(asked)) => {
                foreign.is_from(asked.server.clone());
                self.take(&asked).map(|()| asked).map_err(LearnError::from)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LearnError::TooLong),
        };
        let went_well = learned.is_ok();
        foreign.note(|known| {
            known.asked = Some((Instant::now(), went_well));
            known.lists |= went_well;
        });
        match learned {
            Ok(asked) => {
                let tools = self.now().catalogue.count(Access::ReadAndChange);
                tracing::info!(tools, "catalogue.learned");
                if let Err(error) = kept::keep(&foreign.store, &foreign.fingerprint, asked).await {
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
    fn take(&self, asked: &Asked) -> Result<(), CatalogueError> {
        let lists = Lists {
            tools: &asked.tools,
            resources: &asked.resources,
            resource_templates: &asked.resource_templates,
            prompts: &asked.prompts,
            own_tools: &self.own_tools,
        };
        let offered = offered(&lists, &self.overlay, &self.website, true)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(offered);
        Ok(())
    }
}

/// The gateway's own tools and nothing of a worker's.
pub(super) fn only_own(own_tools: &str, website: &str) -> Result<Offered, CatalogueError> {
    let lists = Lists {
        own_tools,
        ..Lists::new("[]", "[]")
    };
    offered(&lists, &Overlay::built_in()?, website, false)
}

fn offered(
    lists: &Lists<'_>,
    overlay: &Overlay,
    website: &str,
    foreign: bool,
) -> Result<Offered, CatalogueError> {
    // `serverInfo` does not depend on the lists; the capabilities do.
    let server = Handshake::new(website, Capabilities::default());
    let catalogue = Catalogue::from_lists(*lists, overlay, server.server())?;
    for tool in catalogue.unusable() {
        tracing::warn!(tool, "catalogue.schema_too_large");
    }
    let capabilities = Capabilities {
        logging: foreign,
        completions: catalogue.completes(),
    };
    Ok(Offered {
        catalogue,
        handshake: Handshake::new(website, capabilities),
    })
}

impl Foreign {
    fn note(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn known(&self) -> Known {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_unknown(&self) -> bool {
        let known = self.known();
        !known.lists && known.asked.is_none_or(|(at, _)| at.elapsed() >= RETRY_AFTER)
    }

    fn is_stale(&self, upstream: &dyn Upstream) -> bool {
        self.known().asked.is_none_or(|(at, went_well)| {
            if went_well {
                self.is_another(upstream) || at.elapsed() >= FRESH_FOR
            } else {
                at.elapsed() >= RETRY_AFTER
            }
        })
    }

    fn is_from(&self, server: Option<Arc<str>>) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Whether the worker that was started last is another program, or another version of it, than the one whose lists
    /// are offered.
    fn is_another(&self, upstream: &dyn Upstream) -> bool {
        let known = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        upstream
            .server()
            .is_some_and(|server| known.as_ref() != Some(&server))
    }
}
