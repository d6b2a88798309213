//! Referral: from the call to help: people, risk, referrals, clocks, and the evidential package of each call.

pub mod access;
pub mod app;
pub mod books;
pub mod callers;
pub mod config;
pub mod courier;
pub mod domain;
pub mod error;
pub mod events;
pub mod grpc;
mod lent;
pub mod links;
pub mod metrics;
pub mod print;
pub mod records;
mod sealer;
pub mod store;

use api::referral::v1::referral_service_server::ReferralServiceServer;
use chassis::{
    Ambient, Health, Shutdown, Tls, Workers,
    config::ServiceConfig,
    grpc::{Server, connect_lazy},
};
use outbox::{Post, Wakeups};
use sqlx::migrate::Migrator;

use crate::{
    app::App,
    books::Books,
    callers::Callers,
    config::Config,
    courier::Courier,
    error::Error,
    events::{Ear, HEARD},
    grpc::Grpc,
    links::Links,
    records::Records,
    sealer::Sealer,
    store::Store,
};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Brings the database up to date: the outbox's schema, then the service's own.
///
/// # Errors
/// When the database is away or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Error> {
    Ok(outbox::migrate_service(&config.database, "referral", &MIGRATOR).await?)
}

/// Runs until the shutdown. Postgres and NATS may be away at the start and at any time later.
///
/// # Errors
/// When a book makes no sense or a port can't be bound.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    let base = config.base();
    let books = Books::read(&config.books, config.profile, ambient.clock.now())?;
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    let wakeups = Wakeups::default();
    let (clock, entropy) = (ambient.clock.clone(), ambient.entropy.clone());
    let tls = Tls::read(config.tls.as_ref(), ambient.clock.clone()).map_err(chassis::Error::from)?;
    let post = Post::open("referral", &pool, &config.nats, tls.as_ref(), &ambient.clock, &shutdown).await?;
    let evidence = connect_lazy(&config.evidence.url, tls.as_ref()).map_err(chassis::Error::from)?;
    let intake = connect_lazy(&config.intake.url, tls.as_ref()).map_err(chassis::Error::from)?;
    let records = Records::new(evidence, entropy.clone());
    let others = (records.clone(), Callers::new(intake));
    let app = App::new(Store::new(pool.clone()), books, clock, entropy, wakeups.clone(), others);
    let sealer = Sealer::new(app.clone(), records, &config.sealing);

    let links = config.links.as_ref().map(Links::read).transpose().map_err(chassis::Error::from)?;
    let courier = Courier::new(app.clone(), &config, links.clone(), &ambient.entropy).map_err(chassis::Error::from)?;

    let health = Health::new();
    let probes = health.serve(&base, shutdown.clone()).await?;
    let server = Server::new(&base, &ambient.entropy, shutdown.clone())
        .guarded(access::RULES, ambient.clock.clone())
        .lent(app.clone())
        .add(ReferralServiceServer::new(Grpc::new(app.clone())))
        .bind(&health)
        .await?;

    let mut workers = Workers::default();
    post.publish(&mut workers, "referral", &health, &base.telemetry);
    post.keep_checkpoints(&mut workers, "referral-checkpoints");
    for heard in HEARD {
        post.hear(&mut workers, heard, Ear(app.clone()));
    }
    workers.spawn("wakeups", wakeups.run(pool.clone(), (store::CASES, "referral-watches"), shutdown.clone()));
    workers.spawn("due", app.clone().hear_due(pool.clone(), shutdown.clone()));
    workers.spawn("ticker", app.clone().run_ticker(shutdown.clone()));
    let (store, clock) = (Store::new(pool.clone()), ambient.clock.clone());
    workers.spawn("figures", metrics::measure(store, clock, base.telemetry.clone(), shutdown.clone()));
    workers.spawn("courier", courier.run(pool.clone(), shutdown.clone()));
    workers.spawn("sealer", sealer.run(pool, shutdown.clone()));

    let mut addresses = vec![("grpc", server.local_addr()), ("health", probes.local_addr())];
    if let Some(links) = links {
        addresses.push(("links", links.serve(app, shutdown.clone(), &mut workers).await?));
    }
    chassis::announce(&base, &addresses)?;
    server.serve().await?;
    workers.end().await;
    Ok(())
}
