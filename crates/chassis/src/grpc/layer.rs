//! Around each RPC: a span named by its method in the caller's trace, its status, and a wall that panics stop at.
//!
//! Nothing of a request or an answer is looked at but its path, its `traceparent` and its status code. Streams that
//! wait for news when the service shuts down are ended with UNAVAILABLE, so that no service has to think of it.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::body::{TracedBody, internal, log_panic};
use crate::{
    Shutdown,
    metrics::Measured,
    trace::{TRACEPARENT, Trace},
};

/// Wraps a gRPC server's routes in [`Tracing`].
#[derive(Debug, Clone)]
pub struct TraceLayer {
    shutdown: Shutdown,
}

/// The service that [`TraceLayer`] makes.
#[derive(Debug, Clone)]
pub struct Tracing<S> {
    inner: S,
    shutdown: Shutdown,
}

impl TraceLayer {
    /// A layer whose streams end at this shutdown.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Tracing<S>;

    fn layer(&self, inner: S) -> Tracing<S> {
        Tracing { inner, shutdown: self.shutdown.clone() }
    }
}

impl<S, A, B> Service<Request<A>> for Tracing<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    A: Send + 'static,
    B: Body + Default + Send + Unpin + 'static,
{
    type Response = Response<TracedBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let span = rpc_span(request.uri().path(), request.headers());
        let measured = Measured::begin(request.uri().path());
        // The one that was polled ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let (shutdown, rpc) = (self.shutdown.clone(), span.clone());
        let answer = AssertUnwindSafe(async move { inner.call(request).await }).catch_unwind();
        async move {
            let response = match answer.await {
                Ok(response) => response?,
                Err(_) => {
                    log_panic();
                    internal().into_http()
                }
            };
            let (parts, body) = response.into_parts();
            let body = TracedBody::new(body, (rpc, measured), &parts.headers, shutdown);
            Ok(Response::from_parts(parts, body))
        }
        .instrument(span)
        .boxed()
    }
}

/// A span for an RPC of ours, in the caller's trace; none for health checks and reflection, which would be noise.
fn rpc_span(path: &str, headers: &HeaderMap) -> Span {
    let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return Span::none();
    };
    let plain = |text: &str| text.len() <= 80 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    if !service.starts_with("alcove.") || !plain(service) || !plain(method) {
        return Span::none();
    }
    let span = tracing::info_span!(
        "rpc",
        otel.name = format!("{service}/{method}"),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = format!("{service}/{method}"),
        rpc.response.status_code = Empty,
        "error.type" = Empty,
    );
    let parent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).map(Trace::parse);
    if let Some(parent) = parent.as_ref().and_then(Trace::to_context) {
        // It fails only when the span is disabled.
        let _ = span.set_parent(parent);
    }
    span
}
