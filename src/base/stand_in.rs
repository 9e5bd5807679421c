//! A test server that replaces Telegram, ntfy, a runner and a collector: real HTTP with canned responses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use url::Url;

use crate::base::http::HttpServer;
use crate::base::lifecycle::Lifecycle;

/// A request that the server received.
#[derive(Clone, Debug)]
pub(crate) struct SeenRequest {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

#[derive(Default)]
struct StandInState {
    asked: Vec<SeenRequest>,
    /// The responses still to be sent. When there are none left, the response is 200.
    answers: VecDeque<CannedResponse>,
}

struct CannedResponse {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) url: Url,
    state: Arc<Mutex<StandInState>>,
    heard: Arc<Notify>,
}

impl StandIn {
    pub(crate) async fn start(lifecycle: &Lifecycle) -> Self {
        // Another test may already have installed it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stand_in = Self {
            url: Url::parse(&url).unwrap(),
            state: Arc::default(),
            heard: Arc::default(),
        };
        let answering = stand_in.clone();
        let handle = move |request: http::Request<hyper::body::Incoming>| {
            let answering = answering.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let request = SeenRequest {
                    path: head.uri.path().to_owned(),
                    headers: head.headers,
                    json: serde_json::from_slice(&body).unwrap_or_default(),
                };
                answering.answer(request)
            }
        };
        lifecycle.spawn(
            "stand-in",
            HttpServer::new(listener).serve(handle, lifecycle.stopping()),
        );
        stand_in
    }

    fn answer(&self, request: SeenRequest) -> Response<Full<Bytes>> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(request);
        let answer = state.answers.pop_front().unwrap_or(CannedResponse {
            status: 200,
            headers: vec![],
            body: "{}".into(),
        });
        self.heard.notify_waiters();
        let mut response = Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(Full::from(answer.body)).unwrap()
    }

    /// Queues a response, after those already queued.
    pub(crate) fn will_answer(&self, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let answer = CannedResponse {
            status,
            headers: headers.collect(),
            body: body.to_owned(),
        };
        self.state.lock().unwrap().answers.push_back(answer);
    }

    /// All requests received so far.
    pub(crate) fn asked(&self) -> Vec<SeenRequest> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Waits until `count` requests have arrived, and returns them.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<SeenRequest> {
        loop {
            let heard = self.heard.notified();
            let asked = self.asked();
            if asked.len() >= count {
                return asked;
            }
            heard.await;
        }
    }
}
