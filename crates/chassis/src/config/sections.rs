//! The sections that services share. Each is `deny_unknown_fields`, which rules out `#[serde(flatten)]`: a service
//! puts them inline in its own struct and hands them over as [`Base`].

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};

/// A text that is never printed.
pub type SecretString = ids::Secret<String>;

/// What every service's own `Config` must be able to do. Its `Debug` is what the `config` subcommand prints: secrets
/// in it are [`SecretString`]s, whose `Debug` says `[redacted]`.
pub trait ServiceConfig: DeserializeOwned + fmt::Debug + Send + Sync + 'static {
    /// The parts that the chassis works with.
    fn base(&self) -> Base;

    /// Refuses what parses and still makes no sense (a development sign-in in production, say). Checked by every
    /// subcommand before anything is bound.
    ///
    /// # Errors
    /// Names the key and what is wrong with it.
    fn check(&self) -> Result<(), super::ConfigError> {
        Ok(())
    }
}

/// The parts of a service's configuration that the chassis works with.
#[derive(Debug, Clone)]
pub struct Base {
    /// What the process is for.
    pub profile: Profile,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The gRPC listener, for services that have one.
    pub grpc: Option<Grpc>,
    /// The message bus, for services that are on it.
    pub nats: Option<Nats>,
    /// The listener of `/livez` and `/readyz`.
    pub health: Listen,
    /// Where to write the addresses that were bound.
    pub address_file: Option<PathBuf>,
    /// Who we are to the other services, and whom we believe.
    pub tls: Option<Tls>,
    /// Whose tokens say which officer asks.
    pub tokens: Option<Tokens>,
}

impl Base {
    /// Refuses what is wrong whichever service it is.
    ///
    /// # Errors
    /// Names the key and what is wrong with it.
    pub fn check(&self) -> Result<(), super::ConfigError> {
        if !(0.0..=1.0).contains(&self.telemetry.sample_ratio) {
            return Err(super::ConfigError::unusable("telemetry.sample_ratio", "a share is between 0 and 1"));
        }
        if self.grpc.is_some() && self.tls.is_none() && self.profile != Profile::Dev {
            return Err(super::ConfigError::unusable(
                "tls",
                "this profile needs certificates: without them anybody may ask",
            ));
        }
        if self.grpc.as_ref().is_some_and(|grpc| grpc.max_connection_age_ms == 0) {
            return Err(super::ConfigError::unusable(
                "grpc.max_connection_age_ms",
                "a connection that ends at once answers nothing",
            ));
        }
        if self.profile != Profile::Dev && self.nats.as_ref().is_some_and(|nats| !nats.is_guarded()) {
            return Err(super::ConfigError::unusable(
                "nats.url",
                "this profile needs tls://: in the clear anybody may say what has happened",
            ));
        }
        Ok(())
    }
}

/// Certificates, as PEM files. They may be replaced while the process runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Our own, then those between it and a root. Its subject alternative names have the host that others call us by,
    /// and who we are: `spiffe://alcove/service/<name>`.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities whose certificates we believe, of servers and of callers.
    pub roots: PathBuf,
}

/// What the process is for: production refuses conveniences that development has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One person's machine, or a test.
    Dev,
    /// Real calls.
    Production,
}

/// Logs and traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Which log lines to write, in `tracing`'s filter words: `info`, `warn,intake=debug`. Traces don't depend on it.
    #[serde(default = "info")]
    pub log: String,
    /// How to write them.
    #[serde(default)]
    pub format: LogFormat,
    /// The OTLP/gRPC collector: `http://127.0.0.1:4317`. Without it nothing is exported, though trace ids still flow.
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// Metrics are exported once in so many milliseconds.
    #[serde(default = "a_minute")]
    pub metrics_every_ms: u64,
    /// Of traces that begin here, this share is recorded, from 0 to 1; a trace that comes from elsewhere goes by what was decided there.
    /// Keep it at 1 where a collector decides at a trace's end: it alone can know that a call was slow, or failed.
    #[serde(default = "all")]
    pub sample_ratio: f64,
}

impl Telemetry {
    /// The period of export.
    #[must_use]
    pub fn metrics_every(&self) -> Duration {
        Duration::from_millis(self.metrics_every_ms.max(1))
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// The gRPC listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grpc {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A connection takes no new requests after so many milliseconds, or up to a tenth fewer: its client makes another, and
    /// may find another instance by it. What is under way on the old one goes on to its end.
    #[serde(default = "a_minute")]
    pub max_connection_age_ms: u64,
}

impl Default for Grpc {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), max_connection_age_ms: a_minute() }
    }
}

/// The service's own Postgres database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://user:password@host/database`.
    pub url: SecretString,
    /// The pool's size. The outbox's relay has two connections of its own beside it.
    #[serde(default = "ten")]
    pub max_connections: u32,
}

/// The message bus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `tls://host:4222`: we show the certificate of the section `tls`, by which NATS knows what we may do. `nats://host:4222` is in the
    /// clear, for the dev profile. Credentials don't belong in it: it is printed and logged.
    pub url: String,
    /// Copies of each stream: 1 in development, 3 on a cluster.
    #[serde(default = "one")]
    pub stream_replicas: usize,
}

impl Nats {
    /// Does NATS ask who we are, and we who it is?
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.url.starts_with("tls://")
    }
}

/// Whose tokens say which officer asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The identity provider, as it names itself: `https://login.example/realms/police`.
    pub issuer: String,
    /// For whom a token must be made out.
    pub audience: String,
    /// Where its public keys are; asked for at the issuer (`/.well-known/openid-configuration`) without it.
    #[serde(default)]
    pub jwks_url: Option<String>,
}

fn info() -> String {
    "info".to_owned()
}

fn a_minute() -> u64 {
    60_000
}

fn all() -> f64 {
    1.0
}

fn ten() -> u32 {
    10
}

fn one() -> usize {
    1
}
