//! Puts the parts together: connect, bind, announce, serve until shutdown, drain.

mod doors;
mod opened;
mod works;

use std::io;

use chassis::{Ambient, ServiceConfig, Shutdown, ShutdownTrigger};

use self::{doors::Doors, opened::Opened, works::Works};
use crate::config::Config;

/// Why the process could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The chassis' part.
    #[error(transparent)]
    Chassis(#[from] chassis::Error),
    /// A setting is not usable.
    #[error(transparent)]
    Config(#[from] chassis::ConfigError),
    /// The outbox's part.
    #[error("the outbox could not be set up")]
    Outbox(#[from] outbox::Error),
    /// Our own migrations.
    #[error("the migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The media socket.
    #[error("the media core could not be started")]
    Media(#[source] io::Error),
    /// The spool's disk.
    #[error("the spool could not be opened")]
    Spool(#[source] io::Error),
    /// The media thread.
    #[error("the media core has died, and with it every call: to be started anew")]
    MediaDied,
    /// Two processes of one name are one too many.
    #[error("another instance of this name has come, and this one is over: `instance.name` must differ")]
    Replaced,
}

/// Brings the database up to date.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Failed> {
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    outbox::migrate(&pool).await?;
    sqlx::migrate!().run(&mut outbox::for_migrations(&pool).await?).await?;
    Ok(())
}

/// Runs the service until shutdown.
///
/// # Errors
/// When something that it can't do without can't be set up, or a listener fails.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Failed> {
    let base = config.base();
    let (stop, shutdown) = from_inside_too(shutdown);
    let (opened, to_record) = Opened::open(&config, ambient, &shutdown).await?;
    let doors = Doors::bind(&config, &opened, &shutdown).await?;
    let health_server = opened.health.serve(&base, shutdown.clone()).await?;
    let works = Works::start(&config, &opened, to_record, &doors, (stop, &shutdown)).await;

    let mut addresses = doors.addresses();
    addresses.extend([("health", health_server.local_addr()), ("udp", opened.media.local_addr())]);
    chassis::announce(&base, &addresses)?;
    let served = doors.serve(&shutdown).await;
    // Each says that it is over: whoever finds a process that won't end sees what it waits for.
    tracing::info!("nobody is answered any more");
    let ended = works.end(opened.media, opened.spool).await;
    served?;
    ended
}

/// A shutdown that can be asked for from inside, too: when another process takes our place.
fn from_inside_too(signal: Shutdown) -> (ShutdownTrigger, Shutdown) {
    let (stop, asked) = Shutdown::manual();
    let stopper = stop.clone();
    tokio::spawn(async move {
        signal.requested().await;
        stopper.request();
    });
    (stop, asked)
}
