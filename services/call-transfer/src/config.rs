//! Configuration: `config.toml` has the defaults and says what each key means.

mod hours;

use std::{path::PathBuf, time::Duration};

use chassis::config::{
    Base, ConfigError, Database, Grpc, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens,
};
use serde::Deserialize;

pub use hours::{Hours, Own};

use crate::domain::{ByRisk, Calendar, Rules};

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
    pub grpc: Grpc,
    /// Where the health checks answer.
    pub health: Listen,
    /// Our own database.
    pub database: Database,
    /// The message bus.
    pub nats: Nats,
    /// The desk's rules.
    pub desk: Desk,
    /// When desks are open.
    pub hours: Hours,
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
    pub great_vulnerability_head_start_s: u64,
    pub some_vulnerability_head_start_s: u64,
    pub usual_call_s: u64,
    pub skill_patience_s: Seconds,
    pub long_wait_s: Seconds,
    pub wait_limit_s: Seconds,
}

/// Seconds for each grade of risk.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the grades")]
pub struct Seconds {
    pub standard: u64,
    pub medium: u64,
    pub high: u64,
}

impl Seconds {
    fn by_risk(self) -> ByRisk<Duration> {
        ByRisk {
            standard: Duration::from_secs(self.standard),
            medium: Duration::from_secs(self.medium),
            high: Duration::from_secs(self.high),
        }
    }
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
            great_vulnerability_head_start: Duration::from_secs(self.desk.great_vulnerability_head_start_s),
            some_vulnerability_head_start: Duration::from_secs(self.desk.some_vulnerability_head_start_s),
            skill_patience: self.desk.skill_patience_s.by_risk(),
            long_wait: self.desk.long_wait_s.by_risk(),
            wait_limit: self.desk.wait_limit_s.by_risk(),
            usual_call: Duration::from_secs(self.desk.usual_call_s),
        }
    }
}

impl Config {
    /// When desks are open, as the domain takes it.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn calendar(&self) -> Result<Calendar, ConfigError> {
        self.hours.calendar()
    }
}

impl ServiceConfig for Config {
    fn base(&self) -> Base {
        Base {
            profile: self.profile,
            telemetry: self.telemetry.clone(),
            grpc: Some(self.grpc.clone()),
            nats: Some(self.nats.clone()),
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: self.tls.clone(),
            tokens: self.tokens.clone(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        const DAY_MS: u64 = 86_400_000;
        self.calendar()?;
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
            ("desk.great_vulnerability_head_start_s", self.desk.great_vulnerability_head_start_s.saturating_mul(1000)),
            ("desk.usual_call_s", self.desk.usual_call_s.saturating_mul(1000)),
        ] {
            if value > DAY_MS {
                return Err(ConfigError::unusable(key, "at most a day"));
            }
        }
        if self.desk.medium_risk_head_start_s > self.desk.high_risk_head_start_s {
            return Err(ConfigError::unusable("desk.medium_risk_head_start_s", "more than for high risk"));
        }
        if self.desk.some_vulnerability_head_start_s > self.desk.great_vulnerability_head_start_s {
            return Err(ConfigError::unusable("desk.some_vulnerability_head_start_s", "more than for great"));
        }
        let Desk { skill_patience_s, long_wait_s, wait_limit_s, .. } = self.desk;
        for grade in [|by: Seconds| by.standard, |by: Seconds| by.medium, |by: Seconds| by.high] {
            if !(1..=DAY_MS / 1000).contains(&grade(wait_limit_s)) {
                return Err(ConfigError::unusable("desk.wait_limit_s", "between a second and a day, please"));
            }
            if grade(skill_patience_s).max(grade(long_wait_s)) > grade(wait_limit_s) {
                return Err(ConfigError::unusable("desk.wait_limit_s", "it would come before something else"));
            }
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
        for (key, value) in [
            ("MEDIUM_RISK_HEAD_START_S", "7200"),
            ("SOME_VULNERABILITY_HEAD_START_S", "7200"),
            ("WAIT_LIMIT_S__HIGH", "60"),
            ("WAIT_LIMIT_S__STANDARD", "0"),
        ] {
            let config = load(&format!("ALCOVE_CALL_TRANSFER__DESK__{key}"), value).unwrap();
            assert!(config.check().is_err(), "{key}");
        }
    }
}
