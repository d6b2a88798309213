//! What can be set. Every key is explained in `config.toml`, whose values are the defaults.

use std::{collections::BTreeMap, path::PathBuf};

use chassis::config::{Base, Database, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens};
use ids::ForceId;
use serde::Deserialize;

/// The embedded defaults.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is for.
    pub profile: Profile,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The gRPC listener.
    pub grpc: Listen,
    /// The health listener.
    pub health: Listen,
    /// Where to write the addresses that were bound.
    #[serde(default)]
    pub address_file: Option<PathBuf>,
    /// Who we are to the other services, and whom we believe.
    pub tls: Option<Tls>,
    /// Whose tokens say which officer asks.
    pub tokens: Option<Tokens>,
    /// The service's own database.
    pub database: Database,
    /// The message bus.
    pub nats: Nats,
    /// evidence-store, which has the chapters and the chat that a statement is drafted from.
    pub evidence: Upstream,
    /// What it goes by.
    #[serde(default)]
    pub books: Books,
}

/// Files that take the place of the shipped ones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Books {
    /// The folder of the calendars.
    pub calendars: Option<PathBuf>,
    /// The rules of clocks.
    pub clocks: Option<PathBuf>,
    /// A folder of question sets.
    pub questions: Option<PathBuf>,
    /// Which of them are gone by, the one that is begun with first; none: all, in the order of their files' names.
    pub sets: Vec<String>,
    /// The same, of forces with a choice of their own.
    pub force_sets: BTreeMap<ForceId, Vec<String>>,
    /// The kinds of referral.
    pub kinds: Option<PathBuf>,
    /// The same, of forces with a file of their own.
    pub force_kinds: BTreeMap<ForceId, PathBuf>,
}

/// Another service of ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its gRPC.
    pub url: String,
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: Some(self.grpc.clone()),
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: self.tls.clone(),
            tokens: self.tokens.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_defaults_are_a_configuration() {
        let config: Config = chassis::config::load("referral", DEFAULTS, std::iter::empty()).unwrap();
        assert!(config.check().is_ok());
    }
}
