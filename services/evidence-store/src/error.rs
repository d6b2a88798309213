//! What can go wrong, and the only mapping of it to gRPC.

use std::io;

use chassis::status::status_with;
use ids::{Malformed, TrackName};
use tonic::{Code, Status};

use crate::{
    domain::Illegal,
    journal::{committer::Closed, core::Refused},
    store::StoreError,
};

/// Why a use case did not happen, or why the service can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of the request isn't what it must be.
    #[error("a malformed {}", .0.kind)]
    Malformed(#[from] Malformed),
    /// A segment's times are absent, impossible or in the wrong order.
    #[error("starts_at and ends_at must be times, in this order")]
    InvalidTime,
    /// A segment over 4 MiB.
    #[error("a segment may have at most 4 MiB")]
    SegmentTooLarge,
    /// The segment's bytes aren't what its hash says.
    #[error("the data is not what sha256 says")]
    HashMismatch,
    /// The journal doesn't take the segment.
    #[error("the segment was refused")]
    Refused {
        /// Its track.
        track: TrackName,
        /// Why.
        #[source]
        why: Refused,
    },
    /// The journal's disk is full.
    #[error("the journal's disk is full")]
    NoSpace,
    /// No such exhibit, or another force's.
    #[error("no such exhibit")]
    UnknownExhibit,
    /// Sealing before the session has ended.
    #[error("the session has not ended")]
    SessionNotEnded,
    /// Exporting before the seal.
    #[error("the exhibit is not sealed yet")]
    NotSealed,
    /// Looking without a name.
    #[error("who asks must be given, in 1 to 64 characters")]
    InvalidWho,
    /// Looking without a reason.
    #[error("a reason must be given, in 1 to 500 characters")]
    ReasonRequired,
    /// A page token that we didn't make.
    #[error("the page token is not one of ours")]
    InvalidPageToken,
    /// The same request id with other content.
    #[error("the request id was used before with other content")]
    RequestIdReused,
    /// The exhibit's state doesn't allow the step.
    #[error("the exhibit's state doesn't allow this")]
    Illegal(#[from] Illegal),
    /// What is in the journal isn't what was acknowledged.
    #[error("segment {seq} of track {track} can't be read back as it was acknowledged: {what}")]
    Damaged {
        /// The track.
        track: TrackName,
        /// The segment.
        seq: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The journal waits for the database that tells it where it was.
    #[error("the service is still starting")]
    Starting,
    /// The process is ending.
    #[error("the journal is closed")]
    Closed(#[from] Closed),
    /// The index.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The outbox, the inbox or the record of first answers.
    #[error("the outbox failed")]
    Outbox(#[from] outbox::Error),
    /// Our tables could not be brought up to date.
    #[error("a migration failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The journal's folder, or reading from it.
    #[error("can't {doing}")]
    Journal {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Key or certificate.
    #[error("can't sign")]
    Signing(#[from] exhibit::seal::Error),
    /// A file of the signing identity.
    #[error("can't use {path}")]
    SigningFile {
        /// Which.
        path: std::path::PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The manifest contradicts itself: a bug here, or damage.
    #[error("the manifest can't be written")]
    Manifest(#[from] exhibit::manifest::Error),
    /// What was manifested is laid out differently by this version of the software.
    #[error("the bag is not the one that was manifested")]
    OtherBag,
    /// Configuration, listeners.
    #[error(transparent)]
    Chassis(Box<chassis::Error>),
}

impl From<chassis::Error> for Error {
    fn from(error: chassis::Error) -> Self {
        Self::Chassis(Box::new(error))
    }
}

impl Error {
    /// For `map_err`, naming what was being done in the journal's folder.
    pub fn journal(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Journal { doing, source }
    }

    /// Is a dependency away, so that trying again later may work?
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Store(StoreError::Database(_, source)) => outbox::is_away(source),
            Self::Outbox(source) => source.is_unavailable(),
            Self::Starting | Self::Closed(_) => true,
            _ => false,
        }
    }

    /// The gRPC code and the machine-readable reason: what `service.proto` promises.
    fn code(&self) -> (Code, &'static str) {
        match self {
            Self::Malformed(malformed) => (Code::InvalidArgument, malformed_reason(malformed)),
            Self::InvalidTime => (Code::InvalidArgument, "INVALID_TIME"),
            Self::SegmentTooLarge => (Code::InvalidArgument, "SEGMENT_TOO_LARGE"),
            Self::HashMismatch => (Code::InvalidArgument, "HASH_MISMATCH"),
            Self::Refused { why, .. } => match why {
                Refused::Unknown => (Code::NotFound, "UNKNOWN_EXHIBIT"),
                Refused::OutOfOrder { .. } => (Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER"),
                Refused::Fenced | Refused::Retired => (Code::FailedPrecondition, "EXHIBIT_FENCED"),
                Refused::Conflict => (Code::DataLoss, "SEGMENT_CONFLICT"),
                Refused::NoSpace => (Code::ResourceExhausted, "NO_SPACE"),
            },
            Self::NoSpace => (Code::ResourceExhausted, "NO_SPACE"),
            Self::UnknownExhibit => (Code::NotFound, "UNKNOWN_EXHIBIT"),
            Self::SessionNotEnded => (Code::FailedPrecondition, "SESSION_NOT_ENDED"),
            Self::NotSealed => (Code::FailedPrecondition, "NOT_SEALED"),
            Self::InvalidWho => (Code::InvalidArgument, "INVALID_WHO"),
            Self::ReasonRequired => (Code::InvalidArgument, "REASON_REQUIRED"),
            Self::InvalidPageToken => (Code::InvalidArgument, "INVALID_PAGE_TOKEN"),
            Self::RequestIdReused | Self::Outbox(outbox::Error::RequestIdReused) => {
                (Code::AlreadyExists, "REQUEST_ID_REUSED")
            }
            Self::Damaged { .. } => (Code::DataLoss, "JOURNAL_CORRUPT"),
            Self::Starting => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Self::Closed(_) => (Code::Unavailable, "SHUTTING_DOWN"),
            Self::Store(_) | Self::Outbox(_) if self.is_away() => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Self::Store(_)
            | Self::Outbox(_)
            | Self::Illegal(_)
            | Self::Migrate(_)
            | Self::Journal { .. }
            | Self::Signing(_)
            | Self::SigningFile { .. }
            | Self::Manifest(_)
            | Self::OtherBag
            | Self::Chassis(_) => (Code::Internal, "INTERNAL"),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (code, reason) = error.code();
        match code {
            Code::Internal | Code::DataLoss => {
                tracing::error!(reason, error = chassis::chain(&error), "request failed")
            }
            Code::Unavailable => tracing::warn!(reason, error = chassis::chain(&error), "request failed"),
            _ => {}
        }
        let message = match &error {
            Error::Malformed(malformed) => malformed.to_string(),
            Error::Refused { why, .. } => why.to_string(),
            other => other.to_string(),
        };
        let metadata = match &error {
            Error::Refused { track, why: Refused::OutOfOrder { expected } } => {
                vec![("track", track.to_string()), ("expected_seq", expected.to_string())]
            }
            _ => Vec::new(),
        };
        status_with(code, reason, message, &metadata)
    }
}

fn malformed_reason(malformed: &Malformed) -> &'static str {
    match malformed.kind {
        "force" => "INVALID_FORCE",
        "track" => "INVALID_TRACK",
        "incident date" | "incident number" => "INVALID_INCIDENT",
        _ => "MALFORMED_ID",
    }
}
