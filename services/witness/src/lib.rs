//! The witness: cosigns a log's checkpoint only if it continues the one that it cosigned before. <https://c2sp.org/tlog-witness>
//!
//! It runs on another host under other people's control, has no database and no bus, and knows nothing of exhibits: a stolen log key
//! and a compliant evidence store together still can't rewrite what it has seen.

pub mod config;
pub mod error;
pub mod judge;
pub mod keys;
pub mod logs;
pub mod storage;
pub mod web;
pub mod witness;

use std::sync::Arc;

use chassis::{Ambient, Health, ServiceConfig, ServiceInfo, Shutdown};

pub use config::Config;
pub use error::Error;

/// What the binary is.
pub const SERVICE: ServiceInfo =
    ServiceInfo { name: "witness", version: env!("CARGO_PKG_VERSION"), defaults: include_str!("../config.toml") };

/// There is no database.
///
/// # Errors
/// None.
#[expect(clippy::unused_async, reason = "every service's migrate has this shape")]
pub async fn migrate(_: Config) -> Result<(), Error> {
    Ok(())
}

/// Serves until the shutdown, then lets what runs finish.
///
/// # Errors
/// When the folder is another process's or damaged, the key can't be had, or a listener can't.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    config.check()?;
    let base = config.base();
    let storage = storage::Storage::lock(&config.storage.data_dir)?;
    let key = keys::load(&config, &ambient.entropy)?;
    tracing::info!(vkey = %key.cosignature_verifier(), "cosigning as");
    let seen = storage.load(&key.cosignature_verifier())?;
    let logs = logs::Logs::new(config.logs.clone());
    let witness = Arc::new(witness::Witness::new(key, logs, storage, seen, ambient.clock));
    let health = Health::new().serve(&base, shutdown.clone()).await?;
    let listener = chassis::http::bind("http", config.http.listen).await?;
    let http = listener.local_addr().map_err(|source| chassis::Error::Bind {
        what: "http",
        addr: config.http.listen,
        source,
    })?;
    chassis::announce(&base, &[("http", http), ("health", health.local_addr())])?;
    chassis::http::serve(listener, web::router(witness), chassis::http::Limits::default(), shutdown).await;
    Ok(())
}
