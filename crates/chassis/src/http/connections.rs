//! The connections of a listener that strangers reach: so many at once, none that takes its time to say what it wants, and none that
//! is waited for without end. HTTP/1.1 only, so a connection is one request at a time: what stands in front of us speaks HTTP/2.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
    serve::Listener,
};
use futures::FutureExt;
use http::{StatusCode, header};
use http_body_util::Limited;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::task::TaskTracker;
use tower::{ServiceExt, service_fn};

use super::problem;
use crate::{Shutdown, grpc::log_panic};

/// Bytes of a request's head, its cookies and all.
const HEAD: usize = 64 * 1024;

/// What strangers may take up of us.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once, and so requests. Whoever comes beyond them waits for a place.
    pub connections: usize,
    /// In which the head of a request comes. A connection is kept idle for no longer, so what stands in front has to let go of its own
    /// before.
    pub head: Duration,
    /// From a request's head to its answer's, the request's body with it. What an answer streams afterwards isn't counted.
    pub answer: Duration,
    /// Bytes of a body, whatever its route would take.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            head: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            body: 16 * 1024 * 1024,
        }
    }
}

/// Takes connections until the shutdown is asked for, and returns when the last of them is over.
pub(crate) async fn accept<L>(mut listener: L, router: Router, limits: Limits, shutdown: Shutdown)
where
    L: Listener<Addr: Clone + Sync>,
{
    let (places, open) = (Arc::new(Semaphore::new(limits.connections)), TaskTracker::new());
    while let Some(Some(place)) = shutdown.or(place(&places, limits)).await {
        let Some((stream, peer)) = shutdown.or(listener.accept()).await else { break };
        let one = serve_one(stream, router.clone(), ConnectInfo(peer), limits, shutdown.clone());
        open.spawn(one.map(|()| drop(place)));
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn place(places: &Arc<Semaphore>, limits: Limits) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = places.clone().try_acquire_owned() {
        return Some(place);
    }
    tracing::warn!(connections = limits.connections, "every connection is taken: the next one waits");
    // It fails only when it is closed, which nobody does.
    places.clone().acquire_owned().await.ok()
}

async fn serve_one<Io, Peer>(stream: Io, router: Router, peer: ConnectInfo<Peer>, limits: Limits, shutdown: Shutdown)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Peer: Clone + Send + Sync + 'static,
{
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(HEAD)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shutdown.requested() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// No body is larger, no answer takes longer, and a handler that panics has answered all the same.
pub(super) async fn bounded(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limits.body as u64) {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", "nothing as large is taken here");
    }
    let request = request.map(|body| Body::new(Limited::new(body, limits.body)));
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limits.answer, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            log_panic();
            problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here; it has been logged")
        }
        Err(_) => problem(StatusCode::REQUEST_TIMEOUT, "TOO_SLOW", "the request did not come in time"),
    }
}
