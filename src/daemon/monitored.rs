//! External monitoring: the metrics page, the heartbeat, and the news of new releases.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::StartError;
use crate::admin::metrics;
use crate::admin::news::{News, NewsReader};
use crate::admin::service::AdminService;
use crate::base::clock::Clock;
use crate::base::http::HttpServer;
use crate::base::lifecycle::Lifecycle;
use crate::base::post::{Post, Poster};
use crate::config::{Config, Heartbeat};
use crate::notify::Notifier;
use crate::store::Health;

/// Serves `GET /metrics` on a loopback address.
pub(super) async fn metrics(
    address: std::net::SocketAddr,
    service: AdminService,
    lifecycle: &Lifecycle,
) -> Result<(), StartError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|reason| StartError::Metrics { address, reason })?;
    let stop = lifecycle.stopping();
    lifecycle.spawn("metrics", async move {
        let handle = move |request: Request<Incoming>| {
            let answer = answer(&request, &service);
            async move { answer }
        };
        HttpServer::new(listener).serve(handle, stop).await;
    });
    Ok(())
}

fn answer(request: &Request<Incoming>, service: &AdminService) -> Response<Full<Bytes>> {
    let (status, page) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => match service.metrics() {
            Ok(page) => (StatusCode::OK, page),
            Err(refusal) => (StatusCode::SERVICE_UNAVAILABLE, format!("# {refusal}\n")),
        },
        _ => (StatusCode::NOT_FOUND, "# see /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(page)));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static(metrics::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Starts reading the news of new releases, if the settings name a source.
pub(super) fn news(config: &Config, notifier: &Notifier, clock: &Clock, lifecycle: &Lifecycle) -> News {
    let reader = config.monitoring.news.clone().map(|settings| NewsReader {
        settings,
        clock: clock.clone(),
        notifier: notifier.clone(),
        zone: TimeZone::system(),
    });
    let worker = if config.workers.command.is_none() {
        "built-in"
    } else {
        "garmin_mcp"
    };
    News::start(reader, worker, lifecycle)
}

/// Sends the heartbeat while the store accepts writes, because a gateway that can't write is not healthy.
pub(super) fn heartbeat(heartbeat: Heartbeat, health: watch::Receiver<Health>, lifecycle: &Lifecycle) {
    let stopping = lifecycle.stopping();
    lifecycle.spawn("heartbeat", async move {
        let poster = Poster::default();
        let mut beat = tokio::time::interval(heartbeat.every);
        let mut was_received = true;
        loop {
            tokio::select! {
                _ = beat.tick() => {}
                () = stopping.cancelled() => return,
            }
            if *health.borrow() != Health::Writing {
                continue;
            }
            let post = Post {
                url: heartbeat.url.clone(),
                bearer: None,
                headers: Vec::new(),
                json: json!({ "version": env!("CARGO_PKG_VERSION") }),
            };
            let answer = poster.post(post).await;
            let is_received = answer.as_ref().is_ok_and(|answer| answer.status < 300);
            // Log only changes of the result.
            if is_received != was_received {
                if is_received {
                    tracing::info!("heartbeat.heard");
                } else {
                    let status = answer.map_or(0, |answer| answer.status);
                    tracing::warn!(status, "heartbeat.unheard");
                }
            }
            was_received = is_received;
        }
    });
}
