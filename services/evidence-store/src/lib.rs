//! What was recorded, kept so that a court can trust it: taken durably, sealed, handed out with a record of who asked.
//!
//! ```text
//! video-session --gRPC segments--> grpc -> app -> journal (files) --entries--> app::index -> store
//! transfer, session --events--> events -> app -> store (+ outbox) --exhibit_opened, exhibit_sealed, ...-->
//!                              app::worker -> domain -> store
//! ```

pub mod access;
pub mod app;
pub mod archive;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod grpc;
pub mod journal;
pub mod keys;
pub mod log;
pub mod metrics;
pub mod store;
pub mod tsa;
pub mod working_copy;

use api::evidence::v1::evidence_service_server::EvidenceServiceServer;
use chassis::{Ambient, Errand, Health, ServiceConfig, Shutdown, Tls, Workers, grpc::Server};
use outbox::Post;
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::interceptor::InterceptedService;

use crate::{
    app::{App, Notary},
    archive::Archive,
    events::{HEARD, Heard},
    grpc::{Grpc, MAX_MESSAGE},
    journal::{Disk, disk::Reader},
    store::Store,
};

pub use config::Config;
pub use error::Error;

/// Its name in traces and to its consumers' inboxes.
pub const NAME: &str = "evidence-store";

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What it does besides serving.
pub const ERRANDS: [Errand<Config, Error>; 3] = [
    Errand {
        name: "rewrap",
        about: "Wrap every exhibit's key under a new key-encryption key (keys.previous is the old one); evidence stays as it is",
        run: |config, ambient| Box::pin(async move { app::rewrap(&config, &ambient).map(drop) }),
    },
    Errand {
        name: "reindex",
        about: "Rebuild the database's index from the journal",
        run: |config, ambient| Box::pin(reindex(config, ambient)),
    },
    Errand {
        name: "behind",
        about: "Say what the database lacks of what the log's tiles and the journal hold: after it was put back to an earlier day",
        run: |config, ambient| Box::pin(behind(config, ambient)),
    },
];

/// Empties the index and fills it again from the journal, in one transaction.
///
/// # Errors
/// The service is running, the database is away, or the journal can't be read.
pub async fn reindex(config: Config, ambient: Ambient) -> Result<(), Error> {
    let (app, disk, pool) = at_rest(&config, &ambient).await?;
    let done = app.reindex(&disk).await;
    pool.close().await;
    done
}

/// Prints what the database lacks.
///
/// # Errors
/// The service is running, the database is away, or tiles or journal can't be read.
async fn behind(config: Config, ambient: Ambient) -> Result<(), Error> {
    let (app, disk, pool) = at_rest(&config, &ambient).await?;
    let lacks = app.behind(&disk).await;
    pool.close().await;
    print!("{}", lacks?);
    Ok(())
}

/// All that there is, while nothing is served.
async fn at_rest(config: &Config, ambient: &Ambient) -> Result<(App, Disk, PgPool), Error> {
    let disk = Disk::lock(&config.journal.data_dir).map_err(Error::journal("take the journal's folder"))?;
    let keys = app::keys(config, ambient)?;
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    let store = Store::new(pool.clone());
    let notary = Notary::new(config, ambient, &store)?;
    Ok((App::new(config, store, ambient, reader(config, &disk)?, notary, keys), disk, pool))
}

/// Reads the journal: here or, once it was dropped here, in the archive.
fn reader(config: &Config, disk: &Disk) -> Result<Reader, Error> {
    let archive = config.archive.url.as_ref().map(|url| Archive::open(url, config.journal.data_dir.join("cache")));
    Ok(disk.reader().with_archive(archive.transpose()?))
}

/// Brings the database up to date: the outbox's tables, then ours.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Error> {
    Ok(outbox::migrate_service(&config.database, "evidence", &MIGRATIONS).await?)
}

/// Serves until the shutdown, then lets what runs finish. Neither Postgres nor NATS need be there yet, or stay.
///
/// # Errors
/// When a listener, the journal's folder or the signing key can't be had.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    config.check().map_err(chassis::Error::from)?;
    let base = config.base();
    let disk = Disk::lock(&config.journal.data_dir).map_err(Error::journal("take the journal's folder"))?;
    let disk = disk.with_reserve(config.journal.reserve_mb * 1024 * 1024);
    let keys = app::keys(&config, &ambient)?;
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    let tls = Tls::read(config.tls.as_ref(), ambient.clock.clone()).map_err(chassis::Error::from)?;
    let post = Post::open(NAME, &pool, &config.nats, tls.as_ref(), &ambient.clock, &shutdown).await?;
    let jetstream = post.jetstream();
    let reader = reader(&config, &disk)?;
    let health = Health::new();
    let store = Store::new(pool.clone());
    let notary = Notary::new(&config, &ambient, &store)?;
    let receipts = notary.receipts.clone();
    let app = App::new(&config, store, &ambient, reader, notary, keys);

    // Until the port is open nobody hears the shutdown for us.
    let keys_here = shutdown.or(app.check_keys(&health)).await.unwrap_or(Ok(false))?;
    let health_server = health.serve(&base, shutdown.clone()).await?;
    let service = EvidenceServiceServer::new(Grpc::new(app.clone())).max_decoding_message_size(MAX_MESSAGE);
    let service = InterceptedService::new(service, grpc::Door(app.log().standing().clone()));
    let server = Server::new(&base, &ambient.entropy, shutdown.clone()).guarded(access::RULES, ambient.clock.clone());
    let server = server.add(service).bind(&health).await?;
    // With the database there, segments are welcome from the first moment; without it, announced all the same.
    let max_file = config.journal.max_file_mb * 1024 * 1024;
    let started = match shutdown.or(app.come_up(&disk, jetstream, &receipts, max_file, &health)).await {
        Some(Ok(thread)) => Some(thread),
        Some(Err(error)) if !error.is_away() => return Err(error),
        Some(Err(_)) | None => None,
    };
    chassis::announce(&base, &[("grpc", server.local_addr()), ("health", health_server.local_addr())])?;

    let mut workers = Workers::default();
    post.publish(&mut workers, "evidence", &health, &base.telemetry);
    for (source, names) in HEARD {
        post.hear(&mut workers, (NAME, source, names), Heard(app.clone()));
    }
    let (store, clock, telemetry) = (Store::new(pool), ambient.clock.clone(), base.telemetry.clone());
    let stands = (app.log().clone(), app.unreadable());
    workers.spawn("figures", metrics::measure(store, clock, stands, telemetry, shutdown.clone()));
    let index = app.index();
    workers.spawn("index", index.run(shutdown.clone()));
    workers.spawn("reading back", app.reread().run(shutdown.clone()));
    if !keys_here {
        workers.spawn("keys", app.clone().await_keys(health.clone(), shutdown.clone()));
    }
    workers.spawn("taking up", app.clone().take_up_mended(shutdown.clone()));
    workers.spawn("sealing", app.clone().seal_all(shutdown.clone()));
    workers.spawn("disposals", app.clone().finish_disposals(shutdown.clone()));
    workers.spawn("consents", app.clone().keep_consents(shutdown.clone()));
    workers.spawn("working copies", app.clone().make_working_copies(shutdown.clone()));
    workers.spawn("sequencer", app.log().clone().sequence(shutdown.clone()));
    workers.spawn("comparing", app.log().clone().listen(jetstream.clone(), shutdown.clone()));
    workers.spawn("standing", app.log().standing().clone().show(health.clone(), shutdown.clone()));
    workers.spawn("archive", app.clone().archive_all(shutdown.clone()));

    let recovery = async {
        match started {
            Some(thread) => Ok(Some(thread)),
            None => app.start(disk, jetstream, receipts, max_file, &health, &shutdown).await,
        }
    };
    let serving = async { server.serve().await.map_err(Error::from) };
    let ((), journal) = tokio::try_join!(serving, recovery)?;
    workers.end().await;
    if let Some(thread) = journal {
        app.close().await;
        // Its panic is logged by its own hook.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
    Ok(())
}
