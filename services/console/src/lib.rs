//! The officers' front door: serves the console's page, knows who is signed in, and passes gRPC-web on to the five.
//!
//! It owns nothing that outlives it: after a restart everybody signs in again, and no call notices.

mod callable;
pub mod config;
pub mod domain;
pub mod door;
pub mod error;
pub mod grpc;
pub mod oidc;
pub mod web;

use std::sync::Arc;

use chassis::{Ambient, Health, ServiceConfig, ServiceInfo, Shutdown, Tls};
use tokio_util::task::AbortOnDropHandle;

pub use config::Config;
pub use error::Error;

/// What the binary is.
pub const SERVICE: ServiceInfo =
    ServiceInfo { name: "console", version: env!("CARGO_PKG_VERSION"), defaults: include_str!("../config.toml") };

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
/// When a listener can't be had, or the configuration makes no sense.
pub async fn run(config: Config, ambient: Ambient, shutdown: Shutdown) -> Result<(), Error> {
    config.check()?;
    let base = config.base();
    let tls = Tls::read(config.tls.as_ref(), ambient.clock.clone())?;
    let proxy = grpc::Proxy::new(&config.upstreams, tls.as_ref(), shutdown.clone())?;
    let door = Arc::new(door::Door::new(&config.sign_in, ambient)?);
    let router = web::router(&config, Arc::clone(&door), proxy)?;
    let health = Health::new().serve(&base, shutdown.clone()).await?;
    let listener = chassis::http::bind("http", config.http.listen).await?;
    let http = listener.local_addr().map_err(|source| chassis::Error::Bind {
        what: "http",
        addr: config.http.listen,
        source,
    })?;
    chassis::announce(&base, &[("http", http), ("health", health.local_addr())])?;
    let closing = Arc::clone(&door);
    let _closing = AbortOnDropHandle::new(tokio::spawn(async move { closing.close_in_time().await }));
    let serving = async {
        chassis::http::serve(listener, router, chassis::http::Limits::default(), shutdown.clone()).await;
        door.told_all().await;
    };
    tokio::select! {
        () = serving => {}
        () = shutdown.overdue(chassis::http::DRAIN_LIMIT) => {}
    }
    Ok(())
}
