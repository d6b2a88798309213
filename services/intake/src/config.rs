//! What can be set. Every key is explained in `config.toml`, whose values are the defaults.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use chassis::{
    ConfigError,
    config::{Base, Database, Grpc, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens},
};
use chrono::TimeDelta;
use ids::ForceId;
use reqwest::Url;
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
    pub grpc: Grpc,
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
    /// Control rooms that speak MAIT; without it none is listened to.
    pub mait: Option<Mait>,
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

/// Control rooms that speak MAIT.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mait {
    /// Where messages are taken.
    pub listen: SocketAddr,
    /// What we are called in messages.
    #[serde(default = "alcove")]
    pub name: String,
    /// Milliseconds until a message that didn't get there is sent again, the first time.
    #[serde(default = "second")]
    pub retry_after_ms: u32,
    /// Milliseconds that a control room may take to answer.
    #[serde(default = "ten_seconds")]
    pub answer_within_ms: u32,
    /// Where each force takes them.
    #[serde(default)]
    pub forces: BTreeMap<ForceId, MaitForce>,
}

/// Where a force takes messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaitForce {
    /// `https://cad.kent.example/mait`.
    pub url: String,
}

impl Mait {
    /// The pause after the first failure.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        Duration::from_millis(self.retry_after_ms.into())
    }

    /// How long a control room may take to answer.
    #[must_use]
    pub fn answer_within(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms.into())
    }

    fn check(&self, has_tls: bool) -> Result<(), ConfigError> {
        if self.name.parse::<ForceId>().is_err() {
            return Err(ConfigError::unusable("mait.name", "must be 2 to 16 of a-z, 0-9 and '-', as a force's"));
        }
        if self.retry_after_ms == 0 || self.answer_within_ms == 0 {
            return Err(ConfigError::unusable("mait", "pauses must be more than nothing"));
        }
        for (force, MaitForce { url }) in &self.forces {
            let scheme = url.parse::<Url>().map(|url| url.scheme().to_owned()).unwrap_or_default();
            if scheme != if has_tls { "https" } else { "http" } {
                let wrong = "must be an https:// URL, or without [tls] an http:// one";
                return Err(ConfigError::unusable(format!("mait.forces.{force}.url"), wrong));
            }
        }
        Ok(())
    }
}

fn alcove() -> String {
    "alcove".to_owned()
}

fn second() -> u32 {
    1_000
}

fn ten_seconds() -> u32 {
    10_000
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
            nats: Some(self.nats.clone()),
            health: self.health.clone(),
            address_file: self.address_file.clone(),
            tls: self.tls.clone(),
            tokens: self.tokens.clone(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.mait.as_ref().map_or(Ok(()), |mait| mait.check(self.tls.is_some()))
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

    #[test]
    fn a_force_takes_mait_messages_where_they_are_safe() {
        let with = |key: &str, value: &str| {
            let settings = [("ALCOVE_INTAKE__MAIT__LISTEN", "127.0.0.1:0"), (key, value)];
            let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
            chassis::config::load::<Config>("intake", DEFAULTS, settings)
        };
        let to = "ALCOVE_INTAKE__MAIT__FORCES__KENT__URL";
        let plain = with(to, "http://127.0.0.1:1/mait").unwrap();
        assert!(plain.check().is_ok());
        let papers = || "x.pem".into();
        let tls = Some(Tls { certificate: papers(), key: papers(), roots: papers() });
        assert!(Config { tls: tls.clone(), ..plain }.check().is_err(), "in clear, though there are certificates");
        let safe = with(to, "https://cad.kent.example/mait").unwrap();
        assert!(safe.check().is_err(), "nothing to be known by");
        assert!(Config { tls, ..safe }.check().is_ok());
        for (key, value) in
            [(to, "cad"), ("ALCOVE_INTAKE__MAIT__NAME", "A"), ("ALCOVE_INTAKE__MAIT__RETRY_AFTER_MS", "0")]
        {
            assert!(with(key, value).unwrap().check().is_err(), "{key}");
        }
        assert!(with("ALCOVE_INTAKE__MAIT__FORCES__NO_FORCE__URL", "http://127.0.0.1:1/").is_err());
    }
}
