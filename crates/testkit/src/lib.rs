//! What a test stands on: a private Postgres and NATS, the services as processes, and faults on demand.
//!
//! For tests and `dev` only; no service depends on it. Everything started here ends with the test, also when that
//! is killed.

mod authority;
pub mod browser;
mod dice;
mod elsewhere;
mod error;
mod front;
mod identities;
pub mod isolation;
mod issuer;
mod mint;
mod nats;
mod otlp;
pub mod phone;
mod port;
mod postgres;
mod process;
mod proxy;
pub mod road;
mod role;
mod s3;
mod scratch;
mod service;
mod stack;
mod tls;
mod tools;
pub mod tsa;
mod turn;
mod wait;

pub use dice::Dice;
pub use elsewhere::{Elsewhere, Network};
pub use error::Error;
pub use front::Front;
pub use identities::{Identities, Papers};
pub use issuer::{Issuer, RefreshTokens};
pub use mint::{Mint, SigningKey};
pub use nats::{TestNats, nats};
pub use otlp::{MetricKind, OtlpSink, SeenGauge, SeenMetric, SeenSpan};
pub use port::Port;
pub use postgres::{Durability, Postgres, TestDatabase, database, database_durable};
pub use proxy::{Passage, Proxy};
pub use role::seeing_all;
pub use s3::S3;
pub use service::{Service, binary, key};
pub use stack::{Clocks, Networks, Secure, Stack, StackOptions};
pub use tls::Tls;
pub use tools::workspace;
pub use turn::Turn;
pub use wait::{eventually, listening, until};
