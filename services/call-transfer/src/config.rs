//! Configuration: `config.toml` has the defaults and says what each key means.

use std::{path::PathBuf, time::Duration};

use chassis::config::{Base, ConfigError, Database, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens};
use serde::Deserialize;

use crate::domain::Rules;

/// The service's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is for.
    pub profile: Profile,
    /// Where to write the addresses that were bound.
    pub address_file: Option<PathBuf>,
    /// Who we are to the other services, and whom we believe.
    pub tls: Option<Tls>,
    /// Whose tokens say which officer asks.
    pub tokens: Option<Tokens>,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// Where officers' consoles call.
    pub grpc: Listen,
    /// Where the health checks answer.
    pub health: Listen,
    /// Our own database.
    pub database: Database,
    /// The message bus.
    pub nats: Nats,
    /// The desk's rules.
    pub desk: Desk,
}

/// The desk's rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml says what each one means")]
pub struct Desk {
    pub offer_timeout_ms: u64,
    pub presence_timeout_ms: u64,
    pub decline_pause_ms: u64,
    pub high_risk_head_start_s: u64,
    pub medium_risk_head_start_s: u64,
}

impl Config {
    /// The rules as the domain takes them.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            offer_timeout: Duration::from_millis(self.desk.offer_timeout_ms),
            presence_timeout: Duration::from_millis(self.desk.presence_timeout_ms),
            decline_pause: Duration::from_millis(self.desk.decline_pause_ms),
            high_risk_head_start: Duration::from_secs(self.desk.high_risk_head_start_s),
            medium_risk_head_start: Duration::from_secs(self.desk.medium_risk_head_start_s),
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

    fn check(&self) -> Result<(), ConfigError> {
        const DAY_MS: u64 = 86_400_000;
        for (key, value) in [
            ("desk.offer_timeout_ms", self.desk.offer_timeout_ms),
            ("desk.presence_timeout_ms", self.desk.presence_timeout_ms),
        ] {
            if !(100..=DAY_MS).contains(&value) {
                return Err(ConfigError::unusable(key, "between 100 ms and a day, please"));
            }
        }
        for (key, value) in [
            ("desk.decline_pause_ms", self.desk.decline_pause_ms),
            ("desk.high_risk_head_start_s", self.desk.high_risk_head_start_s.saturating_mul(1000)),
            ("desk.medium_risk_head_start_s", self.desk.medium_risk_head_start_s.saturating_mul(1000)),
        ] {
            if value > DAY_MS {
                return Err(ConfigError::unusable(key, "at most a day"));
            }
        }
        if self.desk.medium_risk_head_start_s > self.desk.high_risk_head_start_s {
            return Err(ConfigError::unusable("desk.medium_risk_head_start_s", "more than for high risk"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn load(key: &str, value: &str) -> Option<Config> {
        let env = [(key.to_owned(), value.to_owned())];
        chassis::config::load::<Config>("call-transfer", crate::SERVICE.defaults, env).ok()
    }

    #[test]
    fn the_defaults_are_the_proto_s_promises() {
        let config = load("UNRELATED", "x").unwrap();
        config.check().unwrap();
        assert_eq!(config.rules().presence_timeout, Duration::from_secs(15));
        assert_eq!(config.rules().offer_timeout, Duration::from_secs(20));
    }

    #[test]
    fn nonsense_is_refused_by_its_key() {
        assert!(load("ALCOVE_CALL_TRANSFER__DESK__OFFER_TIMOUT_MS", "1").is_none());
        let config = load("ALCOVE_CALL_TRANSFER__DESK__OFFER_TIMEOUT_MS", "5").unwrap();
        assert!(config.check().unwrap_err().to_string().contains("desk.offer_timeout_ms"));
        let config = load("ALCOVE_CALL_TRANSFER__DESK__MEDIUM_RISK_HEAD_START_S", "7200").unwrap();
        assert!(config.check().is_err());
    }
}
