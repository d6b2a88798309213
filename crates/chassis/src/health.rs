//! Is the process alive, and should it be given work? Each dependency's owner says how it is; all must be well.
//!
//! `/livez` answers as long as the process can; `/readyz` and `grpc.health.v1` follow the checks. A service that is not
//! ready keeps serving what it can: readiness only tells a balancer to look elsewhere.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::StatusCode;
use serde::Serialize;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tonic_health::{
    ServingStatus,
    pb::health_server::HealthServer as GrpcHealth,
    server::{HealthReporter, HealthService},
};

use crate::{
    Error, Shutdown,
    config::Base,
    http::{Limits, connections},
};

/// Probes have one each for a moment.
const CONNECTIONS: usize = 256;

/// The state of everything that this process depends on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health(Arc<watch::Sender<Checks>>);

#[derive(Debug, Clone, Serialize)]
struct Checks {
    ready: bool,
    checks: BTreeMap<&'static str, bool>,
}

/// The HTTP listener of `/livez` and `/readyz`. It answers until it is dropped: to the very end of a drain.
#[derive(Debug)]
pub struct HealthServer {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// With no checks yet: ready.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Checks { ready: true, checks: BTreeMap::new() })))
    }

    /// Says how a dependency is: `health.set("database", true)`. Changes are logged, what it starts with isn't.
    pub fn set(&self, name: &'static str, ok: bool) {
        self.0.send_if_modified(|state| {
            let before = state.checks.insert(name, ok);
            if before == Some(ok) {
                return false;
            }
            state.ready = state.checks.values().all(|ok| *ok);
            match (before, ok) {
                (Some(_), true) => tracing::info!(check = name, "well"),
                (Some(_), false) => tracing::warn!(check = name, "not well"),
                (None, _) => {}
            }
            true
        });
    }

    /// Are all checks well?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.borrow().ready
    }

    /// Returns once all checks are well.
    pub async fn ready(&self) {
        // The sender lives in `self`, so waiting can't fail.
        let _ = self.0.subscribe().wait_for(|state| state.ready).await;
    }

    /// Opens the HTTP listener at `base.health` and answers there. Not ready any more once the shutdown is asked for.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn serve(&self, base: &Base, shutdown: Shutdown) -> Result<HealthServer, Error> {
        let failed = |source| Error::Bind { what: "health", addr: base.health.listen, source };
        let listener = TcpListener::bind(base.health.listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let router = Router::new()
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", get(readyz))
            .with_state((self.clone(), shutdown));
        let task = tokio::spawn(async move {
            // It ends with its owner, and at no shutdown.
            let (_nobody, never) = Shutdown::manual();
            let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
            connections::accept(listener, router, limits, never).await;
        });
        Ok(HealthServer { addr, task })
    }

    /// The gRPC health service, kept in step with the checks until the shutdown.
    pub(crate) fn grpc(&self, names: Vec<&'static str>, shutdown: Shutdown) -> GrpcHealth<HealthService> {
        let reporter = HealthReporter::new();
        let service = HealthService::from_health_reporter(reporter.clone());
        let mut changes = self.0.subscribe();
        tokio::spawn(async move {
            loop {
                let ready = changes.borrow_and_update().ready && !shutdown.is_requested();
                let state = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
                for name in names.iter().copied().chain([""]) {
                    reporter.set_service_status(name, state).await;
                }
                if shutdown.is_requested() {
                    return;
                }
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    () = shutdown.requested() => {}
                }
            }
        });
        GrpcHealth::new(service)
    }
}

impl HealthServer {
    /// The address that was bound.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for HealthServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn readyz(State((health, shutdown)): State<(Health, Shutdown)>) -> impl IntoResponse {
    let mut state = health.0.borrow().clone();
    state.ready &= !shutdown.is_requested();
    let code = if state.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(state))
}
