//! What can go wrong before and after a service does its work.

use std::{error::Error as StdError, net::SocketAddr};

/// The chassis' own failures. A service wraps it in its own error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A listener's address is taken, not ours, or not permitted.
    #[error("can't listen for {what} on {addr}")]
    Bind {
        /// Which listener: `grpc`, `health`, `http`.
        what: &'static str,
        /// The address that was asked for.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The gRPC server ended by itself.
    #[error("the gRPC server failed")]
    Grpc(#[source] tonic::transport::Error),
    /// The HTTP server ended by itself.
    #[error("the HTTP server failed")]
    Http(#[source] std::io::Error),
    /// The address file can't be written.
    #[error("can't write the address file {path}")]
    Announce {
        /// Where it should be.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The reflection service can't be built from our own descriptors.
    #[error("the committed descriptors are not valid")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Telemetry can't be set up.
    #[error("can't set up telemetry: {0}")]
    Telemetry(String),
}

/// An error and its sources on one line: `what: why: why`. For the one place where an error is logged; a `Display`
/// never prints its source.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // `#[error(transparent)]` and some libraries repeat their source: say it once.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
