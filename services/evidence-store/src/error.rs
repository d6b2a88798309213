//! What can go wrong, and the only mapping of it to gRPC.

use std::{
    io,
    path::{Path, PathBuf},
};

use chassis::status::status_with;
use ids::{Malformed, TrackName};
use tonic::{Code, Status};

use crate::{
    domain::{Illegal, retention::Refusal},
    journal::{committer::Closed, core::Refused},
    keys,
    log::{standing::Behind, witness::Trouble},
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
    /// A track by the name that is kept for items.
    #[error("the track's name is kept for items")]
    ReservedTrack,
    /// An item's kind, name, media type or time isn't what it must be, or there are more or fewer parts of it.
    #[error("kind, name, media_type and made_at must say what the item is, and its bytes follow")]
    InvalidItem,
    /// An item over 16 MiB.
    #[error("an item may have at most 16 MiB")]
    ItemTooLarge,
    /// No such file in the exhibit.
    #[error("the exhibit has no such file")]
    UnknownItem,
    /// A disclosure of a file that the exhibit doesn't have.
    #[error("the exhibit has not all of the files that were named")]
    UnknownChoice,
    /// A disclosure can't be put together: a bug here, or damage.
    #[error("the disclosure can't be put together")]
    Disclosure(#[source] exhibit::disclosure::Error),
    /// A range that begins behind the file's end.
    #[error("the range begins behind the end of the file")]
    Range,
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
    /// A review that says neither RETAIN nor DISPOSE.
    #[error("a review must say RETAIN or DISPOSE")]
    InvalidDecision,
    /// A retention class that isn't configured, or with a review that names none.
    #[error("no such retention class")]
    InvalidClass,
    /// What the exhibit's retention doesn't allow.
    #[error(transparent)]
    Retention(#[from] Refusal),
    /// A tombstone can't be timestamped now. In plain words.
    #[error("the timestamp authority can't be asked: {0}")]
    AuthorityAway(String),
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
    /// The exhibit's key.
    #[error(transparent)]
    Keys(#[from] keys::Error),
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
    /// A line or a tombstone has no canonical form: a bug here.
    #[error("can't write a record")]
    Record(#[from] exhibit::jcs::Error),
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
    /// Bag and proofs.
    #[error("can't put the package together")]
    Package(#[from] exhibit::package::Error),
    /// The archive.
    #[error("the archive failed")]
    Archive(#[from] crate::archive::Error),
    /// The receipt key.
    #[error("can't sign receipts")]
    Receipts(#[from] exhibit::receipt::Error),
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
    /// The log's texts, paths or keys: damage, or a bug here.
    #[error("the log contradicts itself")]
    Log(#[from] exhibit::tlog::Error),
    /// Nothing has been logged yet, or nothing that a witness has seen.
    #[error("nothing is logged yet")]
    NothingLogged,
    /// The database is not the newest there was.
    #[error(transparent)]
    LogBehind(#[from] Behind),
    /// No word from the witness.
    #[error(transparent)]
    Witness(#[from] Trouble),
    /// A file of the log.
    #[error("can't use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no HTTP client to be had.
    #[error("can't make an HTTP client")]
    Http(#[source] reqwest::Error),
    /// ffmpeg did not do its work.
    #[error("no working copy")]
    WorkingCopy(#[from] crate::working_copy::Failed),
    /// The timestamp authority's client can't be made.
    #[error("can't ask for timestamps")]
    Timestamping(#[from] crate::tsa::Error),
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

    /// For `map_err`, naming the file.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Is a dependency away, so that trying again later may work?
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Store(StoreError::Database(_, source)) => outbox::is_away(source),
            Self::Outbox(source) => source.is_unavailable(),
            Self::Starting | Self::Closed(_) | Self::Archive(crate::archive::Error::Away(_)) => true,
            Self::Keys(keys) => keys.is_away(),
            Self::LogBehind(_) | Self::Witness(Trouble::Away(_)) => true,
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
                Refused::Conflict => (Code::DataLoss, "SEGMENT_CONFLICT"),
                Refused::NoSpace => (Code::ResourceExhausted, "NO_SPACE"),
                // Nobody outside hears of these: what is late goes into an addendum, and a stale item is tried again.
                Refused::Fenced | Refused::Retired | Refused::Stale => (Code::Internal, "INTERNAL"),
            },
            Self::Keys(keys) => match keys {
                keys::Error::Away { .. } | keys::Error::WrongKek { .. } | keys::Error::NotAKek(_) => {
                    (Code::Unavailable, "KEYS_UNAVAILABLE")
                }
                keys::Error::Destroyed => (Code::FailedPrecondition, "DISPOSED"),
                keys::Error::Lost | keys::Error::Altered(_) => (Code::DataLoss, "KEY_LOST"),
                keys::Error::NotAuthentic | keys::Error::Unencryptable => (Code::Internal, "INTERNAL"),
            },
            Self::ReservedTrack => (Code::InvalidArgument, "INVALID_TRACK"),
            Self::InvalidItem => (Code::InvalidArgument, "INVALID_ITEM"),
            Self::ItemTooLarge => (Code::InvalidArgument, "ITEM_TOO_LARGE"),
            Self::UnknownItem => (Code::NotFound, "UNKNOWN_ITEM"),
            Self::UnknownChoice => (Code::InvalidArgument, "UNKNOWN_ITEM"),
            Self::Range => (Code::OutOfRange, "RANGE"),
            Self::NoSpace => (Code::ResourceExhausted, "NO_SPACE"),
            Self::UnknownExhibit => (Code::NotFound, "UNKNOWN_EXHIBIT"),
            Self::SessionNotEnded => (Code::FailedPrecondition, "SESSION_NOT_ENDED"),
            Self::NotSealed => (Code::FailedPrecondition, "NOT_SEALED"),
            Self::InvalidWho => (Code::InvalidArgument, "INVALID_WHO"),
            Self::ReasonRequired => (Code::InvalidArgument, "REASON_REQUIRED"),
            Self::InvalidPageToken => (Code::InvalidArgument, "INVALID_PAGE_TOKEN"),
            Self::AuthorityAway(_) => (Code::Unavailable, "TIMESTAMP_UNAVAILABLE"),
            Self::InvalidDecision => (Code::InvalidArgument, "INVALID_DECISION"),
            Self::InvalidClass => (Code::InvalidArgument, "INVALID_CLASS"),
            Self::Retention(refusal) => retention_code(*refusal),
            Self::RequestIdReused | Self::Outbox(outbox::Error::RequestIdReused) => {
                (Code::AlreadyExists, "REQUEST_ID_REUSED")
            }
            Self::Damaged { .. } => (Code::DataLoss, "JOURNAL_CORRUPT"),
            Self::Starting => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Self::Closed(_) => (Code::Unavailable, "SHUTTING_DOWN"),
            Self::LogBehind(_) => (Code::Unavailable, "LOG_BEHIND"),
            Self::NothingLogged => (Code::Unavailable, "NOTHING_LOGGED"),
            Self::Store(_) | Self::Outbox(_) if self.is_away() => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Self::Store(_)
            | Self::Outbox(_)
            | Self::Timestamping(_)
            | Self::WorkingCopy(_)
            | Self::Illegal(_)
            | Self::Record(_)
            | Self::Disclosure(_)
            | Self::Journal { .. }
            | Self::Signing(_)
            | Self::Package(_)
            | Self::Receipts(_)
            | Self::Archive(_)
            | Self::SigningFile { .. }
            | Self::Manifest(_)
            | Self::OtherBag
            | Self::Log(_)
            | Self::Witness(_)
            | Self::File { .. }
            | Self::Http(_)
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

fn retention_code(refusal: Refusal) -> (Code, &'static str) {
    let reason = match refusal {
        Refusal::InvalidClass => return (Code::InvalidArgument, "INVALID_CLASS"),
        Refusal::UnknownHold => return (Code::NotFound, "UNKNOWN_HOLD"),
        Refusal::NotSealed => "NOT_SEALED",
        Refusal::Disposed => "DISPOSED",
        Refusal::NotDue => "NOT_DUE",
        Refusal::SamePerson => "SAME_PERSON",
        Refusal::AlreadyReleased => "ALREADY_RELEASED",
        Refusal::OnHold => "ON_HOLD",
        Refusal::NotReviewed => "NOT_REVIEWED",
        Refusal::AddendumOpen => "ADDENDUM_OPEN",
        Refusal::NotArchived => "NOT_ARCHIVED",
    };
    (Code::FailedPrecondition, reason)
}

fn malformed_reason(malformed: &Malformed) -> &'static str {
    match malformed.kind {
        "force" => "INVALID_FORCE",
        "track" => "INVALID_TRACK",
        "incident date" | "incident number" => "INVALID_INCIDENT",
        _ => "MALFORMED_ID",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;

    /// The words in quotes that are reasons.
    fn answered() -> BTreeSet<&'static str> {
        let code = include_str!("error.rs").split("#[cfg(test)]").next().unwrap();
        let quoted = code.split('"').skip(1).step_by(2);
        let is_reason = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        quoted.filter(is_reason).collect()
    }

    #[test]
    fn every_reason_that_is_answered_is_promised() {
        let contracts = ["evidence", "intake"].map(|of| {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(root.join(format!("../../proto/alcove/{of}/v1/service.proto"))).unwrap()
        });
        // What holds for every service is said once, at intake's head.
        let [evidence, intake] = contracts;
        let text = evidence + intake.split("package").next().unwrap();
        let named: BTreeSet<&str> =
            text.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|word| !word.is_empty()).collect();
        let answered = answered();
        assert!(answered.len() > 30, "{answered:?}");
        let unnamed: Vec<_> = answered.difference(&named).collect();
        assert!(unnamed.is_empty(), "no contract names {unnamed:?}");
    }
}
