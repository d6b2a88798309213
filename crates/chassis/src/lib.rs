//! Everything a `main()` needs, once: configuration, telemetry, clock and randomness, health, servers, shutdown.
//!
//! A service differs only in what it runs: its `main.rs` names its defaults, its `migrate` and its `run`, and
//! [`main`] does the rest in an order that matters: configuration is parsed before any port is bound, and telemetry
//! is flushed after everything else has ended.

pub mod access;
mod announce;
mod clock;
pub mod config;
mod entropy;
mod error;
pub mod grpc;
pub mod health;
pub mod http;
mod launch;
mod logs;
pub mod metrics;
pub mod principal;
mod roles;
mod shutdown;
pub mod status;
pub mod telemetry;
pub mod tls;
pub mod tokens;
pub mod trace;
mod workers;

pub use announce::announce;
pub use clock::{Clock, ManualClock};
pub use config::{ConfigError, ServiceConfig};
pub use entropy::Entropy;
pub use error::{Error, chain};
pub use health::Health;
pub use launch::{Ambient, Errand, Running, ServiceInfo, main, main_with};
pub use principal::Principal;
pub use roles::{Role, Roles};
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use tls::Tls;
pub use tokens::{Claims, Refused, Tokens};
pub use trace::Trace;
pub use workers::Workers;
