//! Carries out what was planned for a request.

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::{
    mcp::{Era, Method, Refusal, Request, answer, headers::Accepts, shorten},
    workers::{UpstreamAnswer, UpstreamCall, WorkerError},
};

use super::{
    Answer, Caller, House,
    advice::{Asked, advice},
    caller::Reach,
    offer::Offered,
    plan::{Plan, Question, plan},
    refused,
    relay::{Call, Listener, Reply, WaitReason, relay},
};

/// A call must be answered in this time: Claude gives up after 240 s or more.
pub(super) const DEADLINE: Duration = Duration::from_secs(200);
/// Notifications of one call that wait to be told; more are lost.
const NOTIFICATIONS: usize = 32;

impl House {
    /// Answers one request of this caller.
    pub(super) async fn serve(
        self: Arc<Self>,
        caller: Caller,
        accepts: Accepts,
        request: Request<'_>,
    ) -> Answer {
        if caller.reach == Reach::Account && !matches!(request.method, Method::Ping | Method::SetLogLevel) {
            self.offer
                .ensure_known(self.upstream.as_ref(), &caller.account)
                .await;
        }
        let offered = match caller.reach {
            Reach::Account => self.offer.now(),
            Reach::Race(_) => self.for_race.clone(),
            Reach::Nothing => self.for_probe.clone(),
        };
        let planned = plan(&offered, caller.access, &request);
        let paced = if matches!(planned, Plan::Own { .. } | Plan::Ask(_)) {
            self.too_fast(&caller)
        } else {
            None
        };
        let asking = Asking {
            id: request.id.get().into(),
            era: request.era,
            method: request.method,
            offered: offered.clone(),
        };
        if let Some(wait) = paced {
            let Reply { status, body } = asking.no_answer(&wait);
            return Answer::Json { status, body };
        }
        match planned {
            Plan::Reply(result) => Answer::Json {
                status: 200,
                body: answer::response(&asking.id, &result),
            },
            Plan::Refuse(refusal) => refused(&refusal.of(Some(request.id))),
            Plan::SetLogLevel(level) => {
                self.in_flight.set_level(&caller.connection, level);
                Answer::Json {
                    status: 200,
                    body: answer::response(&asking.id, "{}"),
                }
            }
            Plan::Deny { tool, text } => {
                tracing::info!(account.id = %caller.account, tool = %tool, "mcp.call_denied");
                self.counters.count(&caller.account, &tool, true);
                let Reply { status, body } = asking.tool_error(&text);
                Answer::Json { status, body }
            }
            Plan::Own { tool, arguments } => self.call_own(caller, accepts, asking, tool, arguments).await,
            Plan::Ask(question) => self.ask_worker(caller, accepts, &request, asking, question).await,
        }
    }

    /// What to say to an account that calls too often.
    fn too_fast(&self, caller: &Caller) -> Option<String> {
        let per_minute = self.live.borrow().calls_per_minute;
        let wait = self.pace.take(&caller.account, per_minute).err()?;
        tracing::warn!(account.id = %caller.account, per_minute, "mcp.call_paced");
        let seconds = wait.as_secs().max(1);
        Some(format!(
            "Too many calls: this server takes {per_minute} a minute. Nothing was changed. Try again in {seconds} s."
        ))
    }

    async fn call_own(
        self: Arc<Self>,
        caller: Caller,
        accepts: Accepts,
        asking: Asking,
        tool: Arc<str>,
        arguments: Option<Box<RawValue>>,
    ) -> Answer {
        let Some(own_tools) = &self.own_tools else {
            return refused(&Refusal::InvalidParams("Unknown tool".into()).into());
        };
        let call = match &caller.reach {
            Reach::Race(race) => own_tools.call_for_race(race, &tool, arguments),
            Reach::Account | Reach::Nothing => own_tools.call(&caller.account, &tool, arguments),
        };
        let listener = Listener {
            era: asking.era,
            accepts,
            progress_token: None,
            log_level: None,
            wait_reason: None,
        };
        let (house, lifecycle) = (self.clone(), self.lifecycle.clone());
        let answer = Box::pin(async move {
            // It reads and reckons: other calls do not wait for that.
            let called = async move { tokio::time::timeout(DEADLINE, call).await };
            let reply = match house.lifecycle.apart(called).await {
                Ok(result) => asking.relayed(&result),
                Err(_) => asking.tool_error("This took too long. Try again."),
            };
            house
                .counters
                .count(&caller.account, &tool, is_error(&reply.body));
            reply
        });
        relay(
            Call {
                listener,
                answer,
                progress: None,
                messages: None,
                cancelled: None,
            },
            &lifecycle,
        )
        .await
    }

    async fn ask_worker(
        self: Arc<Self>,
        caller: Caller,
        accepts: Accepts,
        request: &Request<'_>,
        asking: Asking,
        question: Question,
    ) -> Answer {
        let meta = &request.params.meta;
        let logs = asking.offered.handshake.logs();
        let log_level = match request.era {
            _ if !logs || !accepts.stream => None,
            Era::Modern => meta.log_level(),
            Era::Legacy => Some(self.in_flight.level(&caller.connection)),
        };
        let progress_token = meta
            .progress_token
            .filter(|_| accepts.stream)
            .map(|token| Arc::<str>::from(token.get()));
        let (progress, progress_events) = channel(progress_token.is_some());
        let (messages, message_events) = channel(log_level.is_some());
        let wait_reason = progress_token.is_some().then(|| {
            let (house, account) = (self.clone(), caller.account.clone());
            Box::new(move || house.upstream.wait_reason(&account)) as WaitReason
        });
        let listener = Listener {
            era: request.era,
            accepts,
            progress_token,
            log_level,
            wait_reason,
        };
        let (flight, cancelled) = match request.era {
            Era::Legacy => Some(self.in_flight.enter(&caller.connection, &asking.id)).unzip(),
            Era::Modern => (None, None),
        };

        let Question {
            tool,
            params,
            read_only,
            uri,
        } = question;
        let call = UpstreamCall {
            method: request.method.name(),
            params,
            read_only,
            progress,
            messages,
        };
        let counted = self.cuts.enter(&caller.connection);
        let upstream = self.upstream.call(&caller.account, call);
        let lifecycle = self.lifecycle.clone();
        let answer = Box::pin(async move {
            // The call stays in flight until it is answered, with or without its client.
            let _flight = flight;
            let outcome = tokio::select! {
                // First: a sign-in that is over starts nothing.
                biased;
                () = counted.cut() => Err(WorkerError::Stopped),
                outcome = tokio::time::timeout(DEADLINE, upstream) => outcome.unwrap_or(Err(WorkerError::TimedOut)),
            };
            drop(counted);
            self.finished(&caller, tool.as_ref(), &outcome);
            match outcome {
                Ok(UpstreamAnswer::Result(result)) => asking.relayed(&result),
                Ok(UpstreamAnswer::Error(error)) => {
                    let (status, body) =
                        answer::relayed_error(&asking.id, asking.era, asking.method, &error, uri.as_deref());
                    Reply { status, body }
                }
                Err(error) => asking.no_answer(&advice(
                    &error,
                    Asked {
                        read_only,
                        link: &self.link,
                    },
                )),
            }
        });
        relay(
            Call {
                listener,
                answer,
                progress: progress_events,
                messages: message_events,
                cancelled,
            },
            &lifecycle,
        )
        .await
    }

    /// Counts and tells what became of a call.
    fn finished(
        self: &Arc<Self>,
        caller: &Caller,
        tool: Option<&Arc<str>>,
        outcome: &Result<UpstreamAnswer, WorkerError>,
    ) {
        let failed = match outcome {
            Ok(UpstreamAnswer::Result(result)) => is_error(result.get().as_bytes()),
            Ok(UpstreamAnswer::Error(_)) | Err(_) => true,
        };
        if let Some(tool) = tool {
            self.counters.count(&caller.account, tool, failed);
        }
        let tool = tool.map_or("", |tool| tool.as_ref());
        match outcome {
            Ok(_) => {
                tracing::debug!(account.id = %caller.account, tool, failed, "mcp.call_answered");
            }
            Err(reason) => {
                tracing::warn!(account.id = %caller.account, tool, %reason, "mcp.call_failed");
            }
        }
        if outcome.is_ok() && self.offer.is_stale(self.upstream.as_ref()) {
            let (house, account) = (self.clone(), caller.account.clone());
            self.lifecycle.spawn("catalogue.refresh", async move {
                house.offer.refresh(house.upstream.as_ref(), &account).await;
            });
        }
    }
}

/// A request that waits for its answer.
struct Asking {
    /// Raw JSON text.
    id: Box<str>,
    era: Era,
    method: Method,
    offered: Arc<Offered>,
}

impl Asking {
    fn relayed(&self, result: &RawValue) -> Reply {
        let shortened = shorten::shortened(result);
        if let Some(shortened) = &shortened {
            let characters = shortened.characters;
            tracing::info!(method = self.method.name(), characters, "mcp.result_cut");
        }
        let result = shortened.as_ref().map_or(result, |shortened| &shortened.result);
        match answer::relayed(&self.id, self.era, self.method, result, self.server()) {
            Some(body) => Reply { status: 200, body },
            None => self.no_answer("The Garmin session gave an answer that could not be read."),
        }
    }

    /// What is said when there is no answer: to a tool call a result that the model reads, else an error.
    fn no_answer(&self, text: &str) -> Reply {
        if self.method == Method::CallTool {
            return self.tool_error(text);
        }
        let refusal = Refusal::NoAnswer(text.to_owned());
        Reply {
            status: refusal.status(),
            body: refusal.body(Some(&self.id)),
        }
    }

    fn tool_error(&self, text: &str) -> Reply {
        Reply {
            status: 200,
            body: answer::tool_error(&self.id, self.era, text, self.server()),
        }
    }

    fn server(&self) -> &str {
        self.offered.handshake.server()
    }
}

fn channel<T>(wanted: bool) -> (Option<mpsc::Sender<T>>, Option<mpsc::Receiver<T>>) {
    wanted.then(|| mpsc::channel(NOTIFICATIONS)).unzip()
}

/// Whether a tool's result says that it is an error. Only the ends are looked at, where workers write it: it is for
/// counting.
fn is_error(result: &[u8]) -> bool {
    const FLAG: &[u8] = b"\"isError\":true";
    let has = |part: &[u8]| part.windows(FLAG.len()).any(|window| window == FLAG);
    has(result.get(..result.len().min(48)).unwrap_or_default())
        || has(result.get(result.len().saturating_sub(48)..).unwrap_or_default())
}
