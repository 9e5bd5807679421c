//! Workers for tests of the rooms above: one MCP server that already runs answers for every account.
//!
//! Calls take the whole real path (pool, policy, session, HTTP); only the process is missing. Nothing is started,
//! fenced in or given tokens here.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::board::Board;
use super::handle::Workers;
use super::life::Live;
use super::policy::{Action, End, Event, Limits};
use super::running::Facts;
use super::upstream::Link;
use crate::accounts::AccountId;
use crate::base::lifecycle::Lifecycle;

impl Workers {
    /// Every account is served by the MCP server on `port` of `127.0.0.1`. For tests, which script that server.
    #[doc(hidden)]
    pub fn attached(port: u16, lifecycle: &Lifecycle) -> Self {
        let (board, mut actions) = Board::new(Limits {
            max: 8,
            idle_ttl: Duration::from_secs(600),
            wait_for_room: Duration::from_secs(10),
        });
        let workers = Workers::new(Arc::clone(&board), "attached", lifecycle, PathBuf::new());
        let tasks = lifecycle.clone();
        lifecycle.spawn("workers.attached", async move {
            let stopping = tasks.stopping();
            while let Some(Some(action)) = stopping.run_until_cancelled(actions.recv()).await {
                match action {
                    Action::Spawn { account, incarnation } => {
                        let event = match connect(port, &account, &board, &tasks).await {
                            Ok(handle) => Event::Started {
                                account,
                                incarnation,
                                handle,
                            },
                            Err(reason) => Event::Gone {
                                account,
                                incarnation,
                                end: End::NotStarted { reason },
                            },
                        };
                        board.happened(event);
                    }
                    Action::Check { account, incarnation } => {
                        let event = match connect(port, &account, &board, &tasks).await {
                            Ok(handle) => Event::Cleared {
                                account,
                                incarnation,
                                handle,
                            },
                            Err(reason) => Event::Gone {
                                account,
                                incarnation,
                                end: End::Crashed { reason },
                            },
                        };
                        board.happened(event);
                    }
                    Action::Stop {
                        account, incarnation, ..
                    } => board.happened(Event::Gone {
                        account,
                        incarnation,
                        end: End::Stopped,
                    }),
                    Action::Admit { ticket, seat } => board.answer(ticket, Ok(seat)),
                    Action::Refuse { ticket, error } => board.answer(ticket, Err(error)),
                }
            }
            board.close();
        });
        workers
    }
}

/// Opens a session for one account.
async fn connect(
    port: u16,
    account: &AccountId,
    board: &Board,
    lifecycle: &Lifecycle,
) -> Result<Arc<Live>, String> {
    let session = Link::new(port, lifecycle.clone()).open().await;
    let upstream = session.map_err(|failure| failure.to_string())?;
    board.heard(upstream.server());
    Ok(Arc::new(Live {
        account: account.clone(),
        upstream,
        facts: Arc::new(Facts {
            process: nix::unistd::Pid::this(),
            port,
            calls: AtomicU64::new(0),
            fence: OnceLock::new(),
        }),
    }))
}
