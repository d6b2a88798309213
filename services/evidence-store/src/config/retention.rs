//! What comes after the seal, and how long exhibits are kept.

use std::collections::BTreeMap;

use chassis::{ConfigError, config::Profile};
use serde::Deserialize;

use crate::domain::retention::Classes;

/// What comes after the seal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addendum {
    /// How long nothing may have come before it is sealed.
    pub quiet_seconds: u32,
}

/// How long exhibits are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The class of an exhibit that nobody has reviewed.
    pub default_class: String,
    /// Days from the seal, or from the last RETAIN, until an exhibit's review is due, by class.
    pub classes: BTreeMap<String, u32>,
}

impl Retention {
    /// As the domain has them.
    #[must_use]
    pub fn classes(&self) -> Classes {
        Classes::new(&self.default_class, &self.classes)
    }

    pub(super) fn check(&self, profile: Profile) -> Result<(), ConfigError> {
        if !self.classes.contains_key(&self.default_class) {
            return Err(ConfigError::unusable("retention.default_class", "must be one of retention.classes"));
        }
        if profile == Profile::Production && self.classes.values().any(|days| *days == 0) {
            return Err(ConfigError::unusable("retention.classes", "production keeps everything for a day at least"));
        }
        Ok(())
    }
}
