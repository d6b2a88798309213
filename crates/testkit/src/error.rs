//! What can go wrong while a test's surroundings are put up: always said in full, as a test's output is all one has.

use std::{io, path::PathBuf};

/// Why a piece of the test's surroundings isn't there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A pinned tool isn't where `make` puts it.
    #[error("{path} is missing: run `make tools`")]
    NoTool {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A service's binary hasn't been built.
    #[error("{path} is missing: run `cargo build --workspace`")]
    NoBinary {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A process ended before it was ready; with the end of what it printed.
    #[error("{what} ended with {status} before it was ready:\n{log}")]
    Died {
        /// The program.
        what: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// A process or a condition didn't come in time; with the end of what was printed.
    #[error("{what} wasn't there after {seconds} s:\n{log}")]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// The last lines of the log, if there is one.
        log: String,
    },
    /// A helper program failed.
    #[error("{what} failed with {status}:\n{output}")]
    Failed {
        /// The command.
        what: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// What it printed.
        output: String,
    },
    /// A file, a socket or a process couldn't be had.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Postgres refused a connection or a statement.
    #[error("postgres: {0}")]
    Postgres(#[from] sqlx::Error),
    /// NATS refused a connection.
    #[error("nats: {0}")]
    Nats(#[from] async_nats::ConnectError),
    /// An HTTP endpoint couldn't be reached.
    #[error("http: {0}")]
    Http(#[from] reqwest::Error),
    /// An HTTP endpoint said no.
    #[error("{what}: {status} {body}")]
    Refused {
        /// The request.
        what: String,
        /// Its status.
        status: u16,
        /// The answer: problem+json.
        body: String,
    },
    /// The synthetic phone's peer connection failed.
    #[error("phone: {0}")]
    Phone(String),
}

impl Error {
    /// For `map_err`: an I/O error with what was being done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }

    /// For `map_err`: a failure of the phone's media with what was being done.
    pub(crate) fn phone<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self {
        move |source| Self::Phone(format!("{what}: {source}"))
    }
}
