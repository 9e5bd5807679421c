//! Workers for tests of higher layers: one running MCP server answers for every account.
//!
//! Calls take the real path (pool, policy, session, HTTP), but there is no process: nothing is started, fenced or
//! given tokens.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::context::{ProcessFacts, WorkerHandle};
use super::handle::Workers;
use super::pause::GarminPause;
use super::policy::{Incarnation, PoolLimits, WorkerAction, WorkerEvent, WorkerExit};
use super::pool::WorkerPool;
use super::session::WorkerClient;
use super::task::SILENCE;
use crate::accounts::AccountId;
use crate::base::lifecycle::Lifecycle;

impl Workers {
    /// Serves every account from the MCP server on `port` of `127.0.0.1`. For tests, which script that server.
    #[doc(hidden)]
    pub fn attached(port: u16, lifecycle: &Lifecycle) -> Self {
        let (pool, mut actions) = WorkerPool::new(PoolLimits {
            max: 8,
            idle_ttl: Duration::from_secs(600),
            wait_for_room: Duration::from_secs(10),
            silence: SILENCE,
        });
        let workers = Workers::new(
            Arc::clone(&pool),
            "attached",
            lifecycle,
            PathBuf::new(),
            GarminPause::none(),
        );
        let tasks = lifecycle.clone();
        lifecycle.spawn("workers.attached", async move {
            let stopping = tasks.stopping();
            while let Some(Some(action)) = stopping.run_until_cancelled(actions.recv()).await {
                match action {
                    WorkerAction::Spawn { account, incarnation } => {
                        let connected = connect(port, &account, &pool, &tasks).await;
                        pool.happened(match connected {
                            Ok(handle) => WorkerEvent::Started {
                                account,
                                incarnation,
                                handle,
                            },
                            Err(reason) => gone(account, incarnation, WorkerExit::NotStarted { reason }),
                        });
                    }
                    WorkerAction::Check { account, incarnation } => {
                        let connected = connect(port, &account, &pool, &tasks).await;
                        pool.happened(match connected {
                            Ok(handle) => WorkerEvent::Cleared {
                                account,
                                incarnation,
                                handle,
                            },
                            Err(reason) => gone(account, incarnation, WorkerExit::Crashed { reason }),
                        });
                    }
                    WorkerAction::Stop {
                        account, incarnation, ..
                    } => pool.happened(gone(account, incarnation, WorkerExit::Stopped)),
                    WorkerAction::Admit { ticket, admission } => pool.answer(ticket, Ok(admission)),
                    WorkerAction::Refuse { ticket, error } => pool.answer(ticket, Err(error)),
                }
            }
            pool.close();
        });
        workers
    }
}

fn gone<H>(account: AccountId, incarnation: Incarnation, end: WorkerExit) -> WorkerEvent<H> {
    WorkerEvent::Gone {
        account,
        incarnation,
        end,
    }
}

async fn connect(
    port: u16,
    account: &AccountId,
    pool: &WorkerPool,
    lifecycle: &Lifecycle,
) -> Result<Arc<WorkerHandle>, String> {
    let session = WorkerClient::new(port, None, lifecycle.clone()).open().await;
    let session = session.map_err(|failure| failure.to_string())?;
    pool.set_server_info(session.server_info());
    Ok(Arc::new(WorkerHandle {
        account: account.clone(),
        session,
        facts: Arc::new(ProcessFacts {
            process: nix::unistd::Pid::this(),
            port,
            calls: AtomicU64::new(0),
            fence: OnceLock::new(),
        }),
    }))
}
