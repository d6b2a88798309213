//! What can go wrong, and the only place that says which gRPC status it becomes.

use chassis::status::{reason_of, status, status_with};
use http::StatusCode;
use ids::CallId;
use tonic::{Code, Status};

use crate::{
    domain::{Reason, Refusal, Rules},
    mait::{Refused, flaw::Flaw},
    rulebook::Unusable,
    store::StoreError,
};

/// The service's failures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An id that isn't one.
    #[error(transparent)]
    Malformed(#[from] ids::Malformed),
    /// A field that isn't what it must be.
    #[error("{message}")]
    Invalid {
        /// The contract's word for it.
        reason: &'static str,
        /// The rule, never the value.
        message: String,
    },
    /// No such call in this force.
    #[error("the force has no such call")]
    UnknownCall,
    /// No such fast-track in this call.
    #[error("the call has no such fast-track")]
    UnknownFastTrack,
    /// None was given, the caller doesn't agree, or it is too old: which of these is nobody's business.
    #[error("there is no location to be shown")]
    NoLocation,
    /// The call's state forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The call can't come to the desk, and this is what to do instead.
    #[error("{refusal}")]
    NotToDesk {
        /// The command's refusal.
        refusal: Refusal,
        /// The verdict.
        reason: Reason,
        /// In plain words.
        instead: String,
        /// By which version of the rules.
        rules: String,
    },
    /// Its caller is spoken with in another call of the incident.
    #[error("a follow-up or another call of the incident is going on")]
    FollowUpOpen(CallId),
    /// Who may come to the desk isn't known.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The service's own tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Events and repeated requests.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// Servers and configuration.
    #[error(transparent)]
    Chassis(Box<chassis::Error>),
}

impl Error {
    pub(crate) fn invalid(reason: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Invalid { reason, message: why.to_string() }
    }

    /// A refusal to ask for the desk: where it is a verdict, with what to do instead.
    pub(crate) fn not_to_desk(refusal: Refusal, rules: &Rules) -> Self {
        let reason = match refusal {
            Refusal::NotEligible(reason) => reason,
            Refusal::NoVideoConsent => Reason::NoConsent,
            _ => return refusal.into(),
        };
        let (instead, rules) = (rules.instead(reason).to_owned(), rules.version().to_owned());
        Self::NotToDesk { refusal, reason, instead, rules }
    }
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
            Error::Invalid { reason, .. } => status(Code::InvalidArgument, reason, message),
            Error::UnknownCall => status(Code::NotFound, "UNKNOWN_CALL", message),
            Error::UnknownFastTrack => status(Code::NotFound, "UNKNOWN_FAST_TRACK", message),
            Error::NoLocation => status(Code::NotFound, "NO_LOCATION", message),
            Error::FollowUpOpen(call) => {
                status_with(Code::FailedPrecondition, "FOLLOW_UP_OPEN", message, &[("call_id", call.to_string())])
            }
            Error::Refused(refusal) => refused(*refusal, message, &[]),
            Error::NotToDesk { refusal, reason, instead, rules } => {
                let reason = reason.as_str().to_owned();
                let facts = [("eligibility", reason), ("instead", instead.clone()), ("rules_version", rules.clone())];
                refused(*refusal, message, &facts)
            }
            Error::Outbox(outbox::Error::RequestIdReused) => status(Code::AlreadyExists, "REQUEST_ID_REUSED", message),
            Error::Outbox(outbox) if outbox.is_unavailable() => away(&error),
            Error::Store(StoreError::Database(_, source)) if outbox::is_away(source) => away(&error),
            Error::Store(_) | Error::Outbox(_) | Error::Chassis(_) | Error::Unusable(_) => {
                tracing::error!(error = chassis::chain(&error), "a request failed");
                status(Code::Internal, "INTERNAL", "the request failed and was logged")
            }
        }
    }
}

impl Refused {
    /// As the answer to a MAIT message: the status, and the reason of the rejection.
    #[must_use]
    pub fn over_http(self) -> (StatusCode, String) {
        let (status, reason) = match self {
            Self::Flawed(Flaw::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, Flaw::TooLarge.word()),
            Self::Flawed(flaw) => (StatusCode::BAD_REQUEST, flaw.word()),
            Self::NotXml => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "NOT_XML"),
            Self::CutOff => (StatusCode::BAD_REQUEST, "CUT_OFF"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "TOO_SLOW"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "BUSY"),
            Self::NotAControlRoom => (StatusCode::FORBIDDEN, "NOT_FOR_YOU"),
            Self::UnknownSender => (StatusCode::FORBIDDEN, "UNKNOWN_SENDER"),
            Self::NotForUs => (StatusCode::BAD_REQUEST, "NOT_FOR_US"),
            Self::NotAnIncident => (StatusCode::BAD_REQUEST, "NOT_AN_INCIDENT"),
            Self::Failed(error) => {
                let status = Status::from(error);
                let http = match status.code() {
                    Code::InvalidArgument => StatusCode::BAD_REQUEST,
                    Code::AlreadyExists | Code::FailedPrecondition => StatusCode::CONFLICT,
                    Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                return (http, reason_of(&status).unwrap_or_else(|| "INTERNAL".to_owned()));
            }
        };
        (status, reason.to_owned())
    }
}

fn refused(refusal: Refusal, message: String, facts: &[(&'static str, String)]) -> Status {
    let code = Code::FailedPrecondition;
    match refusal {
        Refusal::NotTriaged => status(code, "NOT_TRIAGED", message),
        Refusal::NotEligible(_) => status_with(code, "NOT_ELIGIBLE", message, facts),
        Refusal::NoVideoConsent => status_with(code, "NO_VIDEO_CONSENT", message, facts),
        Refusal::NotRequested => status(code, "NOT_REQUESTED", message),
        Refusal::NotOver => status(code, "CALL_NOT_OVER", message),
        Refusal::Closed => status(code, "CALL_CLOSED", message),
        Refusal::NoReason => status(code, "REASON_REQUIRED", message),
        Refusal::NotYours => status(Code::PermissionDenied, "NOT_YOUR_CALL", message),
    }
}

fn away(error: &Error) -> Status {
    tracing::warn!(error = chassis::chain(error), "the database is away");
    status(Code::Unavailable, "DATABASE_UNAVAILABLE", "the database is away; send the request again")
}
