//! The transparency log, and who watches it.

use std::path::PathBuf;

use chassis::{ConfigError, config::Profile};
use exhibit::tlog::note::{KeyType, VerifierKey, is_key_name};
use serde::Deserialize;

/// The transparency log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The log's name, and its key's.
    pub origin: String,
    /// The folder of its tiles.
    #[serde(default)]
    pub dir: Option<PathBuf>,
    /// File of its private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// How often the heads of open exhibits are logged.
    pub heads_every_seconds: u32,
    /// How long an export waits for the proof of its own line in the access log.
    pub access_proof_wait_seconds: u32,
}

/// Who watches the log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Where it listens.
    pub url: String,
    /// Its cosignature key.
    pub key: String,
}

impl Log {
    pub(super) fn check(&self, profile: Profile) -> Result<(), ConfigError> {
        if !is_key_name(&self.origin) {
            return Err(ConfigError::unusable("log.origin", "1 to 255 bytes, no space, no plus sign"));
        }
        if !(1..=3600).contains(&self.heads_every_seconds) {
            return Err(ConfigError::unusable("log.heads_every_seconds", "must be from 1 to 3600"));
        }
        if self.access_proof_wait_seconds > 60 {
            return Err(ConfigError::unusable("log.access_proof_wait_seconds", "must be at most 60"));
        }
        if profile != Profile::Dev && self.key_file.is_none() {
            return Err(ConfigError::unusable("log.key_file", "production needs a log key"));
        }
        Ok(())
    }
}

impl Witness {
    pub(super) fn check(witness: Option<&Self>, profile: Profile) -> Result<(), ConfigError> {
        match witness {
            None if profile == Profile::Dev => Ok(()),
            None => Err(ConfigError::unusable("witness", "production needs a witness")),
            Some(Self { key, .. }) => match key.parse::<VerifierKey>() {
                Ok(key) if key.kind() == KeyType::CosignatureV1 => Ok(()),
                _ => Err(ConfigError::unusable("witness.key", "not the vkey of a witness (cosignature/v1)")),
            },
        }
    }
}
