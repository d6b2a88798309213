//! HTTP for pages and WHIP: problem+json errors (RFC 9457), a span per request, limits on what strangers may take up, and a drain
//! with a limit of its own.

pub(crate) mod connections;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    serve::Listener,
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::net::TcpListener;
use tracing::{Instrument, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use connections::Limits;

use crate::{
    Error, Shutdown, metrics,
    trace::{TRACEPARENT, Trace},
};

/// How long answers may take to finish after the shutdown was asked for.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The body of a problem.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    reason: &'static str,
}

/// An error answer: a status, a stable reason in UPPER_SNAKE_CASE, and a sentence for a person with nothing personal.
pub fn problem(status: StatusCode, reason: &'static str, detail: impl Into<String>) -> Response {
    let detail = detail.into();
    let title = status.canonical_reason().unwrap_or("Error");
    let body = Problem { r#type: "about:blank", title, status: status.as_u16(), detail: &detail, reason };
    let mut response = (status, axum::Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// Opens a listener.
///
/// # Errors
/// When the address can't be bound.
pub async fn bind(what: &'static str, addr: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(addr).await.map_err(|source| Error::Bind { what, addr, source })
}

/// Answers until the shutdown is asked for, then lets what is running finish, within a limit. Handlers find out who asks by
/// `ConnectInfo`: what the listener says of who is at the other end, a `SocketAddr` where it is a `TcpListener`.
pub async fn serve<L>(listener: L, router: Router, limits: Limits, shutdown: Shutdown)
where
    L: Listener<Addr: Clone + Sync>,
{
    let bounded = middleware::from_fn_with_state(limits, connections::bounded);
    // The span is outside: it has the status of what is bounded, too.
    let router = router.layer(bounded).layer(middleware::from_fn(traced));
    tokio::select! {
        () = connections::accept(listener, router, limits, shutdown.clone()) => {}
        () = shutdown.overdue(DRAIN_LIMIT) => {}
    }
}

/// Names the span by the route, never by the path: a path may hold an invitation's token.
async fn traced(request: Request, next: Next) -> Response {
    let (matched, verb) = (request.extensions().get::<MatchedPath>().cloned(), request.method().clone());
    let (route, method) = (matched.as_ref().map_or("", MatchedPath::as_str), verb.as_str());
    let since = Instant::now();
    let span = tracing::info_span!(
        "http",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    let parent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()).map(Trace::parse);
    if let Some(parent) = parent.as_ref().and_then(Trace::to_context) {
        // It fails only when the span is disabled.
        let _ = span.set_parent(parent);
    }
    let response = next.run(request).instrument(span.clone()).await;
    metrics::request_took(&verb, route, response.status(), since.elapsed());
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}
