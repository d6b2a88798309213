//! Configuration: `config.toml` has the defaults and says what each key means.

use std::path::PathBuf;

use chassis::config::{Base, ConfigError, Listen, Profile, ServiceConfig, Telemetry};
use exhibit::tlog::note::is_key_name;
use serde::Deserialize;

use crate::logs::KnownLog;

/// The witness's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is for.
    pub profile: Profile,
    /// Where to write the addresses that were bound.
    pub address_file: Option<PathBuf>,
    /// Our name in each cosignature.
    pub name: String,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// Where logs come.
    pub http: Listen,
    /// Where the health checks answer.
    pub health: Listen,
    /// What we have seen.
    pub storage: Storage,
    /// What we cosign with.
    pub signing: Signing,
    /// Whom we witness.
    pub logs: Logs,
}

/// What we have seen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The folder, which one process has to itself.
    pub data_dir: PathBuf,
}

/// What we cosign with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The key's file.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

/// Whom we witness.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// A file of further logs.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The logs of the configuration itself.
    #[serde(default)]
    pub known: Vec<KnownLog>,
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: None,
            nats: None,
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: None,
            tokens: None,
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !is_key_name(&self.name) {
            return Err(ConfigError::unusable("name", "1 to 255 bytes, no space, no plus sign"));
        }
        if let Some(problem) = self.logs.known.iter().find_map(KnownLog::problem) {
            return Err(ConfigError::unusable("logs.known", problem));
        }
        if self.profile != Profile::Dev {
            if self.signing.key_file.is_none() {
                return Err(ConfigError::unusable("signing.key_file", "this profile needs a key of its own"));
            }
            if self.logs.known.is_empty() && self.logs.file.is_none() {
                return Err(ConfigError::unusable("logs", "there is no log to witness"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn load(settings: &[(&str, &str)]) -> Config {
        let env = settings.iter().map(|(key, value)| (format!("ALCOVE_WITNESS__{key}"), (*value).to_owned()));
        chassis::config::load::<Config>("witness", crate::SERVICE.defaults, env).unwrap()
    }

    #[test]
    fn logs_are_known_by_origin_and_key() {
        let log = exhibit::tlog::note::SignerKey::from_seed("log.example/a", &[1; 32]).unwrap();
        let with = |vkey: String| {
            let known = format!("\n[[logs.known]]\norigin = \"log.example/a\"\nvkey = \"{vkey}\"\n");
            let defaults = format!("{}{known}", crate::SERVICE.defaults);
            chassis::config::load::<Config>("witness", &defaults, std::iter::empty())
        };
        let config = with(log.verifier().to_string()).unwrap();
        config.check().unwrap();
        assert_eq!(config.logs.known[0].vkey, log.verifier());
        let cosigner = with(log.cosignature_verifier().to_string()).unwrap();
        assert!(cosigner.check().unwrap_err().to_string().starts_with("logs.known"));
        assert!(with("nonsense".to_owned()).is_err());
    }

    #[test]
    fn the_defaults_are_for_development_only() {
        load(&[]).check().unwrap();
        let refused = |settings: &[(&str, &str)]| load(settings).check().unwrap_err().to_string();
        assert!(refused(&[("NAME", "two words")]).starts_with("name"));
        assert!(refused(&[("PROFILE", "production")]).starts_with("signing.key_file"));
        assert!(refused(&[("PROFILE", "production"), ("SIGNING__KEY_FILE", "/k")]).starts_with("logs"));
        let whole = [("PROFILE", "production"), ("SIGNING__KEY_FILE", "/k"), ("LOGS__FILE", "/l")];
        load(&whole).check().unwrap();
    }
}
