//! Intake: the calls of the control rooms, from opening to sealing. It decides who may come to the desk, keeps what
//! was answered and agreed to, and tells the control room all that happens.

pub mod access;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod grpc;
mod lent;
pub mod mait;
pub mod metrics;
pub mod rulebook;
pub mod store;

use api::intake::v1::intake_service_server::IntakeServiceServer;
use chassis::{Ambient, Health, Shutdown, Tls, Workers, config::ServiceConfig, grpc::Server};
use outbox::Post;
use sqlx::migrate::Migrator;

use crate::{
    app::{Intake, Wakeups},
    config::Config,
    error::Error,
    events::{Ear, HEARD},
    grpc::Grpc,
    rulebook::Rulebook,
    store::Store,
};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Brings the database up to date: the outbox's schema, then the service's own.
///
/// # Errors
/// When the database is away or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Error> {
    Ok(outbox::migrate_service(&config.database, "intake", &MIGRATOR).await?)
}

/// Runs until the shutdown. Postgres and NATS may be away at the start and at any time later: requests are answered
/// with UNAVAILABLE meanwhile, and nothing that was acknowledged is lost.
///
/// # Errors
/// When a rule file can't be gone by, or a port can't be bound.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    let base = config.base();
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    let tls = Tls::read(config.tls.as_ref(), ambient.clock.clone()).map_err(chassis::Error::from)?;
    let post = Post::open("intake", &pool, &config.nats, tls.as_ref(), &ambient.clock, &shutdown).await?;
    let wakeups = Wakeups::default();
    let rulebook = Rulebook::read(&config.eligibility)?;
    let store = Store::new(pool.clone());
    let (clock, entropy) = (ambient.clock.clone(), ambient.entropy.clone());
    let figures = store.clone();
    let intake = Intake::new(store, clock, entropy, wakeups.clone(), config.timing(), rulebook);

    let health = Health::new();
    let probes = health.serve(&base, shutdown.clone()).await?;
    let server = Server::new(&base, &ambient.entropy, shutdown.clone())
        .guarded(access::RULES, ambient.clock.clone())
        .lent(intake.clone())
        .add(IntakeServiceServer::new(Grpc::new(intake.clone())))
        .bind(&health)
        .await?;

    let mut workers = Workers::default();
    post.publish(&mut workers, "intake", &health, &base.telemetry);
    post.keep_checkpoints(&mut workers, "intake-checkpoints");
    for heard in HEARD {
        post.hear(&mut workers, heard, Ear(intake.clone()));
    }
    workers.spawn("wakeups", wakeups.run(pool.clone(), (store::CHANNEL, "intake-watches"), shutdown.clone()));
    workers.spawn("ticker", {
        let (intake, shutdown) = (intake.clone(), shutdown.clone());
        async move { intake.run_ticker(shutdown).await }
    });
    workers.spawn("figures", metrics::measure(figures, base.telemetry.clone(), shutdown.clone()));

    let mut addresses = vec![("grpc", server.local_addr()), ("health", probes.local_addr())];
    if let Some(mait) = &config.mait {
        let address = mait::start(mait, config.tls.as_ref(), &intake, &ambient, &shutdown, &mut workers).await?;
        addresses.push(("mait", address));
    }
    chassis::announce(&base, &addresses)?;
    server.serve().await?;
    workers.end().await;
    Ok(())
}
