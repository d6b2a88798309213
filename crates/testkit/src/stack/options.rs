//! How a stack is to be.

use std::{path::PathBuf, time::Duration};

/// How long an access token usually holds.
const ACCESS: Duration = Duration::from_secs(300);

/// How a stack is to be.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// Where all services send their traces.
    pub otlp_endpoint: Option<String>,
    /// Where evidence and the spool are kept; a temporary folder without it.
    pub data_dir: Option<PathBuf>,
    /// Where each service's log goes; into the data folder without it.
    pub log_dir: Option<PathBuf>,
    /// Whether Postgres syncs its commits to the disk.
    pub durable: bool,
    /// Whether there is a second video-session, and an ingress, which leads to that one only at first.
    pub second_session: bool,
    /// Whether each service has a network of its own to Postgres and to NATS, and video-session to evidence-store: see
    /// [`Stack::networks`](super::Stack::networks).
    pub networks: bool,
    /// Whether each service has a wall clock of its own, where libfaketime is there: see [`Stack::clocks`](super::Stack::clocks).
    pub clocks: bool,
    /// How long an officer's access token holds; five minutes without it.
    pub access: Option<Duration>,
    /// Further settings, as environment variables of the service they name.
    pub env: Vec<(String, String)>,
}

impl StackOptions {
    pub(super) fn access(&self) -> Duration {
        self.access.unwrap_or(ACCESS)
    }
}
