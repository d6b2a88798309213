//! What is acknowledged and what is copied: the receipt key and object storage.

use std::path::PathBuf;

use chassis::{ConfigError, config::Profile};
use serde::Deserialize;

/// Who signs receipts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// PEM file of the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

impl Receipts {
    pub(super) fn check(&self, profile: Profile) -> Result<(), ConfigError> {
        if profile == Profile::Production && self.key_file.is_none() {
            return Err(ConfigError::unusable("receipts.key_file", "production needs a receipt key"));
        }
        Ok(())
    }
}

/// Object storage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// `file:///folder` or `s3://bucket/prefix`.
    #[serde(default)]
    pub url: Option<String>,
    /// At most how often the active file is ended because a sealed exhibit waits in it.
    pub roll_seconds: u32,
    /// How long an archived file stays on the local disk, too.
    pub keep_local_hours: u32,
}

impl Archive {
    /// `max_file_mb` is the journal's.
    pub(super) fn check(&self, profile: Profile, max_file_mb: u64) -> Result<(), ConfigError> {
        if profile == Profile::Production && self.url.is_none() {
            return Err(ConfigError::unusable("archive.url", "production needs an archive"));
        }
        // A file goes up in one create-only put, from memory.
        if self.url.is_some() && max_file_mb > 1024 {
            return Err(ConfigError::unusable("journal.max_file_mb", "at most 1024 with an archive"));
        }
        Ok(())
    }
}
