//! The desk: who waits, who is free, who is offered what.
//!
//! ```text
//! intake --transfer_requested--> events -> app -> domain -> store (+ outbox) --call_queued, call_offered, ...-->
//! console --gRPC--> grpc ---------> app                         store::wake -> WatchDesk
//!                   clock -> app::ticker
//! ```
//!
//! Everything about a force happens under its desk's lock, in one transaction that ends with a new matching.

pub mod access;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod grpc;
pub mod lent;
pub mod metrics;
pub mod store;

use api::transfer::v1::transfer_service_server::TransferServiceServer;
use chassis::{Ambient, Health, ServiceConfig, ServiceInfo, Shutdown, Tls, Workers, grpc::Server};
use outbox::Post;
use sqlx::migrate::Migrator;

use crate::{app::App, events::Heard, store::Wakes};

pub use config::Config;
pub use error::Error;

/// What the binary is.
pub const SERVICE: ServiceInfo =
    ServiceInfo { name: "call-transfer", version: env!("CARGO_PKG_VERSION"), defaults: include_str!("../config.toml") };

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Brings the database up to date: the outbox's tables, then ours.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Error> {
    Ok(outbox::migrate_service(&config.database, "transfer", &MIGRATIONS).await?)
}

/// Serves until the shutdown, then lets what runs finish. Neither Postgres nor NATS need be there yet, or stay.
///
/// # Errors
/// When a listener can't be had, or the configuration makes no sense.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    config.check().map_err(chassis::Error::from)?;
    let base = config.base();
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    let tls = Tls::read(config.tls.as_ref(), ambient.clock.clone()).map_err(chassis::Error::from)?;
    let post = Post::open(SERVICE.name, &pool, &config.nats, tls.as_ref(), &ambient.clock, &shutdown).await?;
    let (health, wakes) = (Health::new(), Wakes::new());
    let app = App::new(pool.clone(), ambient.clone(), config.rules(), config.calendar().map_err(chassis::Error::from)?);

    let health_server = health.serve(&base, shutdown.clone()).await?;
    let service = TransferServiceServer::new(grpc::Grpc::new(app.clone(), wakes.clone()));
    let server = Server::new(&base, &ambient.entropy, shutdown.clone()).guarded(access::RULES, ambient.clock.clone());
    let server = server.lent(lent::Desks::new(pool.clone(), ambient.clock.clone()));
    let server = server.add(service).bind(&health).await?;

    let mut workers = Workers::default();
    post.publish(&mut workers, "transfer", &health, &base.telemetry);
    for (source, names) in [("intake", events::FROM_INTAKE), ("session", events::FROM_SESSION)] {
        post.hear(&mut workers, (SERVICE.name, source, names), Heard(app.clone()));
    }
    let (clock, telemetry) = (ambient.clock.clone(), base.telemetry.clone());
    workers.spawn("figures", metrics::measure(pool.clone(), clock, telemetry, shutdown.clone()));
    workers.spawn("wakes", {
        let (wakes, pool, shutdown) = (wakes.clone(), pool.clone(), shutdown.clone());
        async move { wakes.run(pool, shutdown).await }
    });
    workers.spawn("ticker", {
        let shutdown = shutdown.clone();
        async move { app.run_ticker(&wakes, shutdown).await }
    });

    chassis::announce(&base, &[("grpc", server.local_addr()), ("health", health_server.local_addr())])?;
    server.serve().await?;
    workers.end().await;
    Ok(())
}
