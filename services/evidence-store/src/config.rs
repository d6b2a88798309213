//! What can be set. Every key is explained in `config.toml`, whose values are the defaults.

use std::path::PathBuf;

use chassis::{
    ConfigError,
    config::{Base, Database, Listen, Nats, Profile, ServiceConfig, Telemetry},
};
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
    /// The service's own database.
    pub database: Database,
    /// The message bus.
    pub nats: Nats,
    /// Where the evidence is.
    pub journal: Journal,
    /// When to seal.
    pub sealing: Sealing,
    /// Who seals.
    #[serde(default)]
    pub signing: Signing,
}

/// Where the evidence is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The folder.
    pub data_dir: PathBuf,
    /// Size of a file at which the next begins.
    pub max_file_mb: u64,
}

/// When to seal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// How long to wait for declared segments.
    pub grace_seconds: u32,
}

/// Who seals.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// PEM file of the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// PEM file of its certificate.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: Some(self.grpc.clone()),
            health: self.health.clone(),
            address_file: self.address_file.clone(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        match (&self.signing.key_file, &self.signing.cert_file) {
            (Some(_), Some(_)) => {}
            (None, None) if self.profile == Profile::Dev => {}
            (None, None) => return Err(ConfigError::unusable("signing.key_file", "production needs a signing key")),
            _ => return Err(ConfigError::unusable("signing", "key_file and cert_file go together")),
        }
        // A batch and a segment of the largest size must fit in a file.
        if !(64..=1024 * 1024).contains(&self.journal.max_file_mb) {
            return Err(ConfigError::unusable("journal.max_file_mb", "must be from 64 to 1048576"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn load(env: &[(&str, &str)]) -> Config {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        chassis::config::load("evidence-store", DEFAULTS, env).unwrap()
    }

    #[test]
    fn the_shipped_defaults_are_a_configuration() {
        assert!(load(&[]).check().is_ok());
    }

    #[test]
    fn production_brings_its_own_key() {
        let production = ("ALCOVE_EVIDENCE_STORE__PROFILE", "production");
        let key = ("ALCOVE_EVIDENCE_STORE__SIGNING__KEY_FILE", "/k");
        let cert = ("ALCOVE_EVIDENCE_STORE__SIGNING__CERT_FILE", "/c");
        assert!(load(&[production]).check().is_err());
        assert!(load(&[key]).check().is_err());
        assert!(load(&[production, key, cert]).check().is_ok());
    }
}
