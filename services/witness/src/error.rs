//! What can go wrong, and the only mapping of it to HTTP: the statuses of <https://c2sp.org/tlog-witness>.

use std::{io, path::PathBuf};

use axum::response::{IntoResponse, Response};
use chassis::http::problem;
use exhibit::tlog;
use http::{StatusCode, header};

/// Why a checkpoint was not cosigned, or why the witness can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body isn't an old size, a path and a checkpoint.
    #[error("the request is malformed")]
    Malformed(#[source] tlog::Error),
    /// A log that is not among those we witness.
    #[error("this log is not witnessed here")]
    UnknownLog,
    /// No signature of a key that we know for the log, or a false one.
    #[error("not signed by a known key of the log")]
    NotSigned,
    /// The path starts at a later size than it ends.
    #[error("the old size is above the checkpoint's")]
    OldAboveNew,
    /// The path starts elsewhere than at what we saw last; or the tree of that size has another root.
    #[error("the latest checkpoint that was cosigned has another size, or another root")]
    Conflict {
        /// The size that we saw last.
        seen: u64,
    },
    /// The path doesn't lead from what we saw last to this checkpoint.
    #[error("the consistency proof does not hold")]
    Inconsistent,
    /// Nothing of this log has been cosigned.
    #[error("nothing was cosigned for this log")]
    NothingSeen,
    /// What has to be kept can't be.
    #[error("{what}: {}", path.display())]
    Storage {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file that we wrote says something that we can't have written. Forgetting is not an answer.
    #[error("damaged: {}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: tlog::Error,
    },
    /// The work was cut off by the shutdown.
    #[error("shutting down")]
    ShuttingDown,
    /// Configuration, listeners.
    #[error(transparent)]
    Chassis(Box<chassis::Error>),
}

impl Error {
    /// For `map_err`: an I/O error with what was tried, and on what.
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Storage { what, path: path.into(), source }
    }
}

impl From<chassis::Error> for Error {
    fn from(error: chassis::Error) -> Self {
        Self::Chassis(Box::new(error))
    }
}

impl From<chassis::ConfigError> for Error {
    fn from(error: chassis::ConfigError) -> Self {
        chassis::Error::from(error).into()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, reason) = match &self {
            Self::Conflict { seen } => {
                let size = [(header::CONTENT_TYPE, "text/x.tlog.size")];
                return (StatusCode::CONFLICT, size, format!("{seen}\n")).into_response();
            }
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "MALFORMED"),
            Self::OldAboveNew => (StatusCode::BAD_REQUEST, "OLD_ABOVE_NEW"),
            Self::UnknownLog => (StatusCode::NOT_FOUND, "UNKNOWN_LOG"),
            Self::NothingSeen => (StatusCode::NOT_FOUND, "NOTHING_SEEN"),
            Self::NotSigned => (StatusCode::FORBIDDEN, "NOT_SIGNED"),
            Self::Inconsistent => (StatusCode::UNPROCESSABLE_ENTITY, "INCONSISTENT"),
            Self::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "SHUTTING_DOWN"),
            Self::Storage { .. } | Self::Damaged { .. } | Self::Chassis(_) => {
                tracing::error!(error = chassis::chain(&self), "can't answer");
                return problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "the witness can't keep what it sees");
            }
        };
        let detail = match &self {
            Self::Malformed(source) => format!("{self}: {source}"),
            _ => self.to_string(),
        };
        problem(status, reason, detail)
    }
}
