//! What can be set. Every key is explained in `config.toml`, whose values are the defaults.

mod links;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use chassis::{
    ConfigError,
    config::{Base, Database, Grpc, Listen, Nats, Profile, ServiceConfig, Telemetry, Tls, Tokens},
};
use chrono::TimeDelta;
use ids::ForceId;
use serde::Deserialize;

pub use links::Links;

use crate::domain::delivery::Backoff;

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
    /// evidence-store, which has the chapters and the chat that a statement is drafted from.
    pub evidence: Upstream,
    /// intake, which knows the number that the caller rang from.
    pub intake: Upstream,
    /// What it goes by.
    #[serde(default)]
    pub books: Books,
    /// How packages get into addenda.
    pub sealing: Sealing,
    /// How parcels get to partners.
    pub delivery: Delivery,
    /// Our mail server; without it nothing goes by e-mail.
    pub mail: Option<Mail>,
    /// Links in letters; without it they have none.
    pub links: Option<Links>,
}

/// Files that take the place of the shipped ones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Books {
    /// The folder of the calendars.
    pub calendars: Option<PathBuf>,
    /// The rules of clocks.
    pub clocks: Option<PathBuf>,
    /// The partners.
    pub partners: Option<PathBuf>,
    /// A folder of question sets.
    pub questions: Option<PathBuf>,
    /// Which of them are gone by, the one that is begun with first; none: all, in the order of their files' names.
    pub sets: Vec<String>,
    /// The same, of forces with a choice of their own.
    pub force_sets: BTreeMap<ForceId, Vec<String>>,
    /// What goes on the disclosure schedule.
    pub schedule: Option<PathBuf>,
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

/// How packages get into addenda.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// Milliseconds that one attempt may take.
    pub attempt_within_ms: u32,
}

/// Our mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// As its certificate names it.
    pub host: String,
    /// 587, or 465 if it is TLS from the first byte.
    pub port: u16,
    /// How TLS begins.
    #[serde(default)]
    pub security: Security,
    /// Whom letters are from.
    pub from: String,
    /// Who we are to it.
    pub user: Option<String>,
    /// And how it knows that.
    pub password_file: Option<PathBuf>,
}

/// How TLS begins. Without it nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// After a few words.
    #[default]
    Starttls,
    /// With the first byte.
    Implicit,
}

impl Mail {
    fn check(&self) -> Result<(), ConfigError> {
        if self.user.is_some() != self.password_file.is_some() {
            return Err(ConfigError::unusable("mail.user", "a user has a password_file, and nobody else has one"));
        }
        Ok(())
    }
}

/// How parcels get to partners.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Milliseconds after the first failure; each pause is twice the one before.
    pub retry_after_ms: u32,
    /// No pause is longer.
    pub longest_pause_ms: u32,
    /// So long after it was made a parcel is given up.
    pub give_up_after_ms: u32,
    /// Milliseconds that a partner may take to answer.
    pub answer_within_ms: u32,
    /// To so many partners at once.
    pub at_once: u16,
    /// Whose certificates partners' systems and mail servers show; without it whoever browsers trust.
    pub roots: Option<PathBuf>,
}

impl Delivery {
    /// How long a partner may take to answer.
    #[must_use]
    pub fn answer_within(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms.into())
    }

    /// When it is tried again, and when no longer.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        let millis = |ms: u32| TimeDelta::milliseconds(ms.into());
        Backoff {
            first: millis(self.retry_after_ms),
            longest: millis(self.longest_pause_ms),
            give_up_after: millis(self.give_up_after_ms),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.retry_after_ms == 0 || self.longest_pause_ms == 0 || self.answer_within_ms == 0 || self.at_once == 0 {
            return Err(ConfigError::unusable("delivery", "pauses and places must be more than nothing"));
        }
        Ok(())
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
        self.delivery.check()?;
        if self.sealing.attempt_within_ms == 0 {
            return Err(ConfigError::unusable("sealing.attempt_within_ms", "an attempt takes more than no time"));
        }
        self.links.as_ref().map_or(Ok(()), |links| links.check(self.profile))?;
        self.mail.as_ref().map_or(Ok(()), Mail::check)
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
