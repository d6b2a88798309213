//! The logs that we witness, and their keys: from the configuration, and from a file that may be written after we have started.

use std::sync::RwLock;

use exhibit::tlog::{
    is_origin,
    note::{KeyType, VerifierKey},
};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::config;

/// No list of logs is longer, in bytes.
const LIST_AT_MOST: usize = 1 << 20;

/// A log, and a key of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownLog {
    /// The first line of its checkpoints.
    pub origin: String,
    /// What it signs them with.
    #[serde(deserialize_with = "vkey")]
    pub vkey: VerifierKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    logs: Vec<KnownLog>,
}

fn vkey<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VerifierKey, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

impl KnownLog {
    /// What makes it unusable, if anything does.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        if !is_origin(&self.origin) {
            Some("an origin is 1 to 255 bytes without control characters")
        } else if self.vkey.kind() != KeyType::Ed25519 {
            Some("a log's key is of type 1, not a cosigner's")
        } else {
            None
        }
    }
}

/// The logs of the configuration and of the file.
#[derive(Debug)]
pub struct Logs {
    config: config::Logs,
    from_file: RwLock<Vec<KnownLog>>,
}

impl Logs {
    /// Those of the configuration; the file is read when it is first needed.
    #[must_use]
    pub fn new(config: config::Logs) -> Self {
        Self { config, from_file: RwLock::default() }
    }

    /// The keys of a log: none if we don't witness it. Reads the file again if nothing else has them.
    pub async fn keys(&self, origin: &str) -> Vec<VerifierKey> {
        let keys = self.at_hand(origin);
        if !keys.is_empty() {
            return keys;
        }
        let Some(path) = &self.config.file else { return keys };
        // Not there yet is no error: whoever starts us may not have the log's key yet.
        let Ok(text) = tokio::fs::read_to_string(path).await else { return keys };
        match read(&text) {
            Ok(list) => {
                *self.from_file.write().unwrap_or_else(std::sync::PoisonError::into_inner) = list;
            }
            Err(problem) => tracing::warn!(problem, "the list of logs can't be used"),
        }
        self.at_hand(origin)
    }

    fn at_hand(&self, origin: &str) -> Vec<VerifierKey> {
        let from_file = self.from_file.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let all = self.config.known.iter().chain(from_file.iter());
        all.filter(|log| log.origin == origin).map(|log| log.vkey.clone()).collect()
    }
}

fn read(text: &str) -> Result<Vec<KnownLog>, String> {
    if text.len() > LIST_AT_MOST {
        return Err("too long".to_owned());
    }
    let List { logs } = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    match logs.iter().find_map(KnownLog::problem) {
        Some(problem) => Err(problem.to_owned()),
        None => Ok(logs),
    }
}
