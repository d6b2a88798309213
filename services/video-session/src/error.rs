//! Everything that a use case can answer instead of success, and the only mapping of it to gRPC and HTTP.

use std::io;

use axum::response::{IntoResponse, Response};
use chassis::{http::problem, status::status};
use http::{HeaderValue, StatusCode, header};
use ids::Malformed;
use tonic::{Code, Status};

use crate::{
    domain::{Illegal, Refused, Unsayable},
    media::MediaError,
    store::StoreError,
};

/// What a use case answers instead of success.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An id, force or officer isn't one.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// No such session, or another force's.
    #[error("there is no session for that call")]
    UnknownSession,
    /// The state says no.
    #[error("{0}")]
    Illegal(#[from] Illegal),
    /// The request id came before, with other content.
    #[error("this request id was used for another request")]
    RequestIdReused,
    /// Not the code of any invitation, as far as this host lets in.
    #[error("no call has that code")]
    CodeUnknown,
    /// A code that is no longer good.
    #[error("{0}")]
    CodeRefused(#[from] Refused),
    /// Somebody else may read the caller's messages.
    #[error("the caller's messages may be read by somebody else: read a code out instead")]
    MessagesRead,
    /// The caller rang from a withheld number.
    #[error("the caller rang from a withheld number: type the one to send to")]
    NoNumber,
    /// Another number than the one that the caller was asked about.
    #[error("the caller's number is known, and only that phone was asked about")]
    NumberKnown,
    /// Nobody sends messages for this deployment.
    #[error("text messages are not set up here: read a code out instead")]
    SmsNotConfigured,
    /// The control room's answers can't be had.
    #[error("what the caller said of their phone can't be looked up at the moment")]
    IntakeAway,
    /// What somebody asks to have written isn't.
    #[error("{0}")]
    Unsayable(#[from] Unsayable),
    /// One participant makes, patches and deletes faster than any page does.
    #[error("too many requests, wait a second")]
    TooFast,
    /// No bearer token, or one that names nobody (any more).
    #[error("the token is missing or names nobody")]
    TokenUnknown,
    /// Another page of the same browser has the call.
    #[error("the call is open in another page of this browser")]
    OpenAlready,
    /// The same, and this page is to say nothing of it.
    #[error("nothing comes back here")]
    NotHere,
    /// One publication a person at a time.
    #[error("this participant is publishing already")]
    AlreadyPublishing,
    /// No such WHIP or WHEP resource of this participant's.
    #[error("there is no such resource")]
    UnknownResource,
    /// The body isn't of the type that this endpoint takes.
    #[error("the content type must be {0}")]
    WrongType(&'static str),
    /// The body isn't what it says it is.
    #[error("the body is malformed")]
    MalformedBody,
    /// The body is longer than anything sensible.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body takes longer than on the slowest network.
    #[error("the body took too long")]
    BodyTooSlow,
    /// The body isn't what its Content-Digest says, or it has none.
    #[error("Content-Digest is missing, or not the body's")]
    DigestWrong,
    /// A photograph that nobody has asked for.
    #[error("nobody has asked for a photograph")]
    NotAsked,
    /// A PATCH must name the ICE session it means.
    #[error("If-Match is missing")]
    IfMatchMissing,
    /// Another instance carries the session, or nobody can tell yet which.
    #[error("this instance doesn't carry the session")]
    NotOwner,
    /// The media core says no.
    #[error("{0}")]
    Media(#[from] MediaError),
    /// The spool's disk failed.
    #[error("the recording can't be kept")]
    Spool(#[source] io::Error),
    /// Our database failed.
    #[error("the database is not available")]
    Store(#[from] StoreError),
    /// The outbox's part of it failed.
    #[error("the database is not available")]
    Outbox(#[source] outbox::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Database(error))
    }
}

impl From<outbox::Error> for Error {
    fn from(error: outbox::Error) -> Self {
        match error {
            outbox::Error::RequestIdReused => Self::RequestIdReused,
            other => Self::Outbox(other),
        }
    }
}

/// Away, a deadlock or serialisation failure, or a lock that others keep for too long: trying again may work.
fn passes(error: &sqlx::Error) -> bool {
    let is_in_the_way = |code: &str| code.starts_with("40") || code == "55P03";
    outbox::is_away(error) || error.as_database_error().and_then(|e| e.code()).is_some_and(|code| is_in_the_way(&code))
}

/// One error's three faces.
struct Face {
    code: Code,
    http: StatusCode,
    reason: &'static str,
}

impl Error {
    fn face(&self) -> Face {
        let (code, http, reason) = match self {
            Self::Malformed(malformed) => {
                let reason = match malformed.kind {
                    "force" => "INVALID_FORCE",
                    "officer id" => "INVALID_OFFICER",
                    "recording action" => "INVALID_ACTION",
                    "reason" => "INVALID_REASON",
                    "risk" => "INVALID_RISK",
                    "chapter" => "INVALID_CHAPTER",
                    "note" => "INVALID_NOTE",
                    "pretext" => "UNKNOWN_PRETEXT",
                    "way" => "INVALID_WAY",
                    "phone number" => "INVALID_NUMBER",
                    _ => "MALFORMED_ID",
                };
                (Code::InvalidArgument, StatusCode::BAD_REQUEST, reason)
            }
            Self::UnknownSession => (Code::NotFound, StatusCode::NOT_FOUND, "UNKNOWN_SESSION"),
            Self::Illegal(Illegal::NotYourCall) => (Code::PermissionDenied, StatusCode::FORBIDDEN, "NOT_YOUR_CALL"),
            Self::Illegal(Illegal::SessionEnded) => (Code::FailedPrecondition, StatusCode::GONE, "SESSION_ENDED"),
            Self::Illegal(Illegal::CallerAlreadyJoined) => {
                (Code::FailedPrecondition, StatusCode::CONFLICT, "CALLER_ALREADY_JOINED")
            }
            Self::Illegal(Illegal::UnknownParticipant) => {
                (Code::NotFound, StatusCode::NOT_FOUND, "UNKNOWN_PARTICIPANT")
            }
            Self::Illegal(Illegal::NotAdmitted) => (Code::PermissionDenied, StatusCode::FORBIDDEN, "NOT_ADMITTED"),
            Self::Illegal(Illegal::OnlyWatches) => {
                (Code::PermissionDenied, StatusCode::FORBIDDEN, "NOT_YOURS_TO_PUBLISH")
            }
            Self::Illegal(Illegal::Removed) => (Code::FailedPrecondition, StatusCode::GONE, "PARTICIPANT_REMOVED"),
            Self::Illegal(Illegal::Full) => (Code::FailedPrecondition, StatusCode::CONFLICT, "SESSION_FULL"),
            Self::Illegal(Illegal::OfficerStays) => (Code::FailedPrecondition, StatusCode::CONFLICT, "OFFICER_STAYS"),
            Self::Illegal(Illegal::WrongRole) => (Code::InvalidArgument, StatusCode::BAD_REQUEST, "WRONG_ROLE"),
            Self::Illegal(Illegal::RecordingStopped)
            | Self::Media(MediaError::Recording(Illegal::RecordingStopped)) => {
                (Code::FailedPrecondition, StatusCode::CONFLICT, "RECORDING_STOPPED")
            }
            Self::Illegal(Illegal::Covered) => (Code::FailedPrecondition, StatusCode::CONFLICT, "CALL_COVERED"),
            Self::Illegal(Illegal::NoStills) => (Code::PermissionDenied, StatusCode::FORBIDDEN, "NO_STILLS_CONSENT"),
            Self::Illegal(Illegal::RecordingPaused) => {
                (Code::FailedPrecondition, StatusCode::CONFLICT, "RECORDING_PAUSED")
            }
            Self::Illegal(Illegal::EnoughPhotographs) => {
                (Code::ResourceExhausted, StatusCode::CONFLICT, "ENOUGH_PHOTOGRAPHS")
            }
            Self::Illegal(Illegal::NothingAsked) => (Code::FailedPrecondition, StatusCode::CONFLICT, "NOTHING_ASKED"),
            Self::Media(MediaError::NoSuchFrame) => (Code::NotFound, StatusCode::NOT_FOUND, "NO_SUCH_FRAME"),
            Self::Illegal(Illegal::NotRecorded) | Self::Media(MediaError::Recording(_)) => {
                (Code::FailedPrecondition, StatusCode::CONFLICT, "NOT_RECORDED")
            }
            Self::Unsayable(Unsayable::Reused) | Self::RequestIdReused => {
                (Code::AlreadyExists, StatusCode::CONFLICT, "REQUEST_ID_REUSED")
            }
            Self::CodeUnknown => (Code::NotFound, StatusCode::NOT_FOUND, "CODE_UNKNOWN"),
            Self::CodeRefused(Refused::Used) => (Code::FailedPrecondition, StatusCode::GONE, "CODE_USED"),
            Self::CodeRefused(Refused::Expired) => (Code::FailedPrecondition, StatusCode::GONE, "CODE_EXPIRED"),
            Self::CodeRefused(Refused::Replaced) => (Code::FailedPrecondition, StatusCode::GONE, "CODE_REPLACED"),
            Self::CodeRefused(Refused::Revoked) => (Code::FailedPrecondition, StatusCode::GONE, "CODE_REVOKED"),
            Self::MessagesRead => (Code::FailedPrecondition, StatusCode::CONFLICT, "MESSAGES_READ"),
            Self::NoNumber => (Code::FailedPrecondition, StatusCode::CONFLICT, "NO_NUMBER"),
            Self::NumberKnown => (Code::FailedPrecondition, StatusCode::CONFLICT, "NUMBER_KNOWN"),
            Self::SmsNotConfigured => (Code::FailedPrecondition, StatusCode::CONFLICT, "SMS_NOT_CONFIGURED"),
            Self::IntakeAway => (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "INTAKE_UNAVAILABLE"),
            Self::Unsayable(Unsayable::TooFast) | Self::TooFast => {
                (Code::ResourceExhausted, StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
            }
            Self::Unsayable(Unsayable::Full) => (Code::FailedPrecondition, StatusCode::CONFLICT, "TOO_MANY_LINES"),
            Self::Unsayable(Unsayable::Empty) => (Code::InvalidArgument, StatusCode::BAD_REQUEST, "TEXT_EMPTY"),
            Self::Unsayable(Unsayable::TooLong) => (Code::InvalidArgument, StatusCode::BAD_REQUEST, "TEXT_TOO_LONG"),
            Self::Unsayable(Unsayable::Malformed) => (Code::InvalidArgument, StatusCode::BAD_REQUEST, "TEXT_MALFORMED"),
            Self::Unsayable(Unsayable::UnknownPhrase) => {
                (Code::InvalidArgument, StatusCode::BAD_REQUEST, "UNKNOWN_PHRASE")
            }
            Self::Unsayable(Unsayable::UnknownLanguage) => {
                (Code::InvalidArgument, StatusCode::BAD_REQUEST, "UNKNOWN_LANGUAGE")
            }
            Self::TokenUnknown => (Code::Unauthenticated, StatusCode::UNAUTHORIZED, "TOKEN_UNKNOWN"),
            Self::OpenAlready => (Code::FailedPrecondition, StatusCode::CONFLICT, "OPEN_ALREADY"),
            Self::NotHere => (Code::FailedPrecondition, StatusCode::CONFLICT, "NOT_HERE"),
            Self::AlreadyPublishing => (Code::AlreadyExists, StatusCode::CONFLICT, "ALREADY_PUBLISHING"),
            Self::UnknownResource | Self::Media(MediaError::UnknownResource) => {
                (Code::NotFound, StatusCode::NOT_FOUND, "UNKNOWN_RESOURCE")
            }
            Self::WrongType(_) => (Code::InvalidArgument, StatusCode::UNSUPPORTED_MEDIA_TYPE, "WRONG_TYPE"),
            Self::MalformedBody => (Code::InvalidArgument, StatusCode::BAD_REQUEST, "MALFORMED_BODY"),
            Self::BodyTooLarge => (Code::InvalidArgument, StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE"),
            Self::BodyTooSlow => (Code::DeadlineExceeded, StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW"),
            Self::DigestWrong => (Code::InvalidArgument, StatusCode::BAD_REQUEST, "DIGEST_WRONG"),
            Self::NotAsked => (Code::FailedPrecondition, StatusCode::CONFLICT, "NOT_ASKED"),
            Self::IfMatchMissing => (Code::FailedPrecondition, StatusCode::PRECONDITION_REQUIRED, "IF_MATCH_MISSING"),
            Self::Media(MediaError::MalformedSdp(_)) => {
                (Code::InvalidArgument, StatusCode::BAD_REQUEST, "MALFORMED_SDP")
            }
            Self::Media(MediaError::NoCommonCodec) => {
                (Code::InvalidArgument, StatusCode::UNPROCESSABLE_ENTITY, "NO_COMMON_CODEC")
            }
            Self::Media(MediaError::NothingToWatch) => {
                (Code::FailedPrecondition, StatusCode::CONFLICT, "NOTHING_TO_WATCH")
            }
            Self::Media(MediaError::Stale) => {
                (Code::FailedPrecondition, StatusCode::PRECONDITION_FAILED, "IF_MATCH_STALE")
            }
            Self::Media(MediaError::RestartRefused) => {
                (Code::FailedPrecondition, StatusCode::UNPROCESSABLE_ENTITY, "RESTART_REFUSED")
            }
            Self::Media(MediaError::ShuttingDown) => {
                (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "SHUTTING_DOWN")
            }
            Self::NotOwner => (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "NOT_OWNER"),
            Self::Spool(_) => (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "SPOOL_UNAVAILABLE"),
            Self::Store(StoreError::Corrupt { .. }) => {
                (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR, "CORRUPT_ROW")
            }
            Self::Store(StoreError::Database(error)) if !passes(error) => {
                (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL")
            }
            Self::Outbox(error) if !error.is_unavailable() => {
                (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL")
            }
            Self::Store(StoreError::Database(_)) | Self::Outbox(_) => {
                (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE, "DATABASE_UNAVAILABLE")
            }
        };
        Face { code, http, reason }
    }

    /// Worth trying again as it is: the world has to change, not the request.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.face().code == Code::Unavailable
    }

    /// The state says no, and will say so again. Anything else is a fault of ours or of what we stand on: what waits for it is not given up.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.face().http.is_client_error()
    }

    /// Seconds after which the same request may well be answered, where that can be said (RFC 9725 section 4.5, and WHEP).
    fn retry_after(&self, face: &Face) -> Option<&'static str> {
        match self {
            Self::Media(MediaError::NothingToWatch) | Self::TooFast | Self::Unsayable(Unsayable::TooFast) => Some("1"),
            _ if face.http == StatusCode::SERVICE_UNAVAILABLE => Some("1"),
            _ => None,
        }
    }

    /// Ours, not the caller's: logged once, here at the edge, with all its sources.
    fn log(&self, face: &Face) {
        // It passes within a lease, and says nothing of us.
        if face.http.is_server_error() && !matches!(self, Self::NotOwner) {
            tracing::error!(reason = face.reason, error = chassis::chain(self), "request failed");
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let face = error.face();
        error.log(&face);
        status(face.code, face.reason, error.to_string())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let face = self.face();
        self.log(&face);
        let mut response = problem(face.http, face.reason, self.to_string());
        if let Some(seconds) = self.retry_after(&face) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if face.http == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_says_when_to_ask_again() {
        let says = |error: Error| error.into_response().headers().get(header::RETRY_AFTER).cloned();
        assert_eq!(says(Error::Media(MediaError::ShuttingDown)), Some(HeaderValue::from_static("1")));
        assert_eq!(says(Error::Media(MediaError::NothingToWatch)), Some(HeaderValue::from_static("1")));
        assert_eq!(says(Error::TooFast), Some(HeaderValue::from_static("1")));
        assert_eq!(says(Error::Media(MediaError::NoCommonCodec)), None);
    }
}
