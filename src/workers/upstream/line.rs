//! A connection that is driven by whoever uses it, in the user's own task: an answer wakes one task and nothing is handed
//! from task to task, which is most of what a hop costs.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::Connection;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::base::turns::Turns;

type Http = Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// One connection, without its sender.
#[derive(Debug)]
pub(super) struct Line {
    /// `None` once it ended.
    connection: Option<Http>,
    turns: Turns,
}

impl Line {
    pub(super) fn new(connection: Http) -> Self {
        Self {
            connection: Some(connection),
            turns: Turns::default(),
        }
    }

    /// Waits for what `poll` waits for, and moves the bytes that it takes. `poll` is told whether the connection ended.
    pub(super) async fn drive<T>(&mut self, mut poll: impl FnMut(bool, &mut Context<'_>) -> Poll<T>) -> T {
        let Self { connection, turns } = self;
        poll_fn(|context| {
            turns.poll(context, |context| {
                // What the last bytes brought needs no others.
                let done = poll(connection.is_none(), context);
                let Some(open) = connection.as_mut().filter(|_| done.is_pending()) else {
                    return done;
                };
                if Pin::new(open).poll(context).is_ready() {
                    // How it ended, its user is told by hyper.
                    *connection = None;
                }
                poll(connection.is_none(), context)
            })
        })
        .await
    }
}
