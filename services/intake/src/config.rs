//! What can be set. Every key is explained in `config.toml`, whose values are the defaults.

use std::{collections::BTreeMap, path::PathBuf};

use chassis::config::{Base, Database, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens};
use chrono::TimeDelta;
use ids::ForceId;
use serde::Deserialize;

use crate::app::Timing;

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
    /// How often the control room is told.
    pub fast_track: FastTrack,
    /// How long it is kept where a caller is.
    pub location: Location,
    /// Who may come to the desk.
    #[serde(default)]
    pub eligibility: Eligibility,
}

/// Who may come to the desk.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eligibility {
    /// The rule file, in place of the shipped one.
    pub rules: Option<PathBuf>,
    /// Of forces with rules of their own.
    pub forces: BTreeMap<ForceId, PathBuf>,
}

/// How often the control room is told that somebody is to be sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FastTrack {
    /// Milliseconds until it is told again, if nobody takes it on.
    pub again_after_ms: u32,
}

/// How long it is kept where a caller is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Minutes from when they were there.
    pub kept_for_min: u32,
}

impl Config {
    /// How long things take.
    #[must_use]
    pub fn timing(&self) -> Timing {
        Timing {
            again_after: TimeDelta::milliseconds(self.fast_track.again_after_ms.into()),
            location_kept_for: TimeDelta::minutes(self.location.kept_for_min.into()),
        }
    }
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
        let config: Config = chassis::config::load("intake", DEFAULTS, std::iter::empty()).unwrap();
        assert!(config.check().is_ok());
    }
}
