//! What was recorded, kept so that a court can trust it: taken durably, sealed, handed out with a record of who asked.
//!
//! ```text
//! video-session --gRPC segments--> grpc -> app -> journal (files) --entries--> app::index -> store
//! transfer, session --events--> events -> app -> store (+ outbox) --exhibit_opened, exhibit_sealed, ...-->
//!                              app::worker -> domain -> store
//! ```

pub mod app;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod grpc;
pub mod journal;
pub mod store;

use api::evidence::v1::evidence_service_server::EvidenceServiceServer;
use chassis::{Ambient, Health, ServiceConfig, Shutdown, grpc::Server};
use outbox::{Consumer, Relay};
use sqlx::migrate::Migrator;
use tokio::task::JoinSet;

use crate::{
    app::App,
    events::{HEARD, Heard},
    grpc::{Grpc, MAX_MESSAGE},
    journal::Disk,
    store::Store,
};

pub use config::Config;
pub use error::Error;

/// Its name in traces and to its consumers' inboxes.
pub const NAME: &str = "evidence-store";

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Brings the database up to date: the outbox's tables, then ours.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Error> {
    let pool = outbox::pg_pool(&config.database)?;
    outbox::migrate(&pool).await?;
    let mut migrator = Migrator { migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
    migrator.create_schema("evidence");
    migrator.dangerous_set_table_name("evidence._sqlx_migrations");
    migrator.run(&pool).await?;
    pool.close().await;
    Ok(())
}

/// Serves until the shutdown, then lets what runs finish. Neither Postgres nor NATS need be there yet, or stay.
///
/// # Errors
/// When a listener, the journal's folder or the signing key can't be had.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    config.check().map_err(chassis::Error::from)?;
    let base = config.base();
    let disk = Disk::lock(&config.journal.data_dir).map_err(Error::journal("take the journal's folder"))?;
    let signer = app::signer(&config, &ambient)?;
    let pool = outbox::pg_pool(&config.database)?;
    let (client, jetstream) = outbox::nats(&config.nats).await?;
    let health = Health::new();
    let store = Store::new(pool.clone());
    let app = App::new(&config, store, ambient.clock.clone(), ambient.entropy, disk.reader(), signer);

    let health_server = health.serve(&base, shutdown.clone()).await?;
    let service = EvidenceServiceServer::new(Grpc::new(app.clone())).max_decoding_message_size(MAX_MESSAGE);
    let server = Server::new(&base, shutdown.clone()).add(service).bind(&health).await?;
    // With the database there, segments are welcome from the first moment; without it, announced all the same.
    let max_file = config.journal.max_file_mb * 1024 * 1024;
    let started = match app.recover(&disk).await {
        Ok(found) => Some(app.serve(found, disk.clone(), max_file, &health)?),
        Err(error) if error.is_away() => None,
        Err(error) => return Err(error),
    };
    chassis::announce(&base, &[("grpc", server.local_addr()), ("health", health_server.local_addr())])?;

    let mut tasks = JoinSet::new();
    tasks.spawn(outbox::watch_health(pool.clone(), client, health.clone(), shutdown.clone()));
    let relay = Relay::new(pool.clone(), jetstream.clone(), "evidence").replicas(config.nats.stream_replicas);
    tasks.spawn(relay.run(shutdown.clone()));
    for (source, names) in HEARD {
        let consumer = Consumer::new(pool.clone(), jetstream.clone(), NAME, source, names, ambient.clock.clone());
        tasks.spawn(consumer.run(shutdown.clone(), Heard(app.clone())));
    }
    let index = app.index();
    tasks.spawn(index.run(shutdown.clone()));
    tasks.spawn(app.clone().seal_all(shutdown.clone()));

    let recovery = async {
        match started {
            Some(thread) => Ok(Some(thread)),
            None => app.start(disk, max_file, &health, &shutdown).await,
        }
    };
    let serving = async { server.serve().await.map_err(Error::from) };
    let ((), journal) = tokio::try_join!(serving, recovery)?;
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task ended badly");
        }
    }
    if let Some(thread) = journal {
        app.close().await;
        // Its panic is logged by its own hook.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
    pool.close().await;
    Ok(())
}
