//! Layered configuration: embedded defaults, then files, then `ALCOVE_<SERVICE>__SECTION__KEY` from the environment.
//!
//! An unknown key is refused, by its name, in every layer: a misspelt setting must not be a setting that does nothing.

mod load;
mod sections;

pub use load::{load, load_with_files};
pub use sections::{
    Base, Database, Grpc, Listen, LogFormat, Nats, Profile, SecretString, ServiceConfig, Telemetry, Tls, Tokens,
};

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown, missing or of the wrong kind, or a layer isn't TOML. The source names the key.
    #[error("the configuration of {service} is wrong")]
    Invalid {
        /// Whose.
        service: String,
        /// Which key, and what about it.
        source: Box<::config::ConfigError>,
    },
    /// A value is of the right kind and still not usable.
    #[error("{key}: {problem}")]
    Unusable {
        /// Where it is: `evidence.url`.
        key: String,
        /// What is wrong with it, in words for whoever wrote it.
        problem: String,
    },
}

impl ConfigError {
    /// A value that parses and still can't be used.
    pub fn unusable(key: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Unusable { key: key.into(), problem: problem.to_string() }
    }
}
