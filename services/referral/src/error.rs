//! What can go wrong, and the only place that says which gRPC status it becomes.

use chassis::status::status;
use tonic::{Code, Status};

use crate::{books::Unusable, store::StoreError};

/// The service's failures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An id that isn't one.
    #[error(transparent)]
    Malformed(#[from] ids::Malformed),
    /// A force that isn't one.
    #[error("{0}")]
    Force(ids::Malformed),
    /// An officer who isn't one.
    #[error("{0}")]
    Officer(ids::Malformed),
    /// No such call in this force, or no officer has had it yet.
    #[error("the force has no such call, or no officer has it yet")]
    UnknownCall,
    /// No such package in this force, or none yet.
    #[error("the force has no package for that call")]
    UnknownPackage,
    /// Nobody has such a service.
    #[error("there is no such kind of referral")]
    UnknownKind,
    /// The call is known to be another force's.
    #[error("the call belongs to another force")]
    OtherForce,
    /// The service's own tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Events.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// Servers and configuration.
    #[error(transparent)]
    Chassis(Box<chassis::Error>),
    /// Data that can't be gone by.
    #[error(transparent)]
    Books(#[from] Unusable),
}

/// Boxed: it is large, and every request's result would carry its size.
impl From<chassis::Error> for Error {
    fn from(error: chassis::Error) -> Self {
        Self::Chassis(Box::new(error))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match &error {
            Error::Malformed(_) => status(Code::InvalidArgument, "MALFORMED_ID", message),
            Error::Force(_) => status(Code::InvalidArgument, "INVALID_FORCE", message),
            Error::Officer(_) => status(Code::InvalidArgument, "INVALID_OFFICER", message),
            Error::UnknownCall => status(Code::NotFound, "UNKNOWN_CALL", message),
            Error::UnknownPackage => status(Code::NotFound, "UNKNOWN_PACKAGE", message),
            Error::UnknownKind => status(Code::NotFound, "UNKNOWN_KIND", message),
            Error::Outbox(outbox::Error::RequestIdReused) => status(Code::AlreadyExists, "REQUEST_ID_REUSED", message),
            Error::Outbox(outbox) if outbox.is_unavailable() => away(&error),
            Error::Store(StoreError::Database(_, source)) if outbox::is_away(source) => away(&error),
            Error::OtherForce | Error::Store(_) | Error::Outbox(_) | Error::Chassis(_) | Error::Books(_) => {
                tracing::error!(error = chassis::chain(&error), "a request failed");
                status(Code::Internal, "INTERNAL", "the request failed and was logged")
            }
        }
    }
}

fn away(error: &Error) -> Status {
    tracing::warn!(error = chassis::chain(error), "the database is away");
    status(Code::Unavailable, "DATABASE_UNAVAILABLE", "the database is away; send the request again")
}
