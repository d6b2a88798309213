//! What can go wrong, and the only mapping of it to gRPC.

use chassis::status::status;
use ids::Malformed;
use tonic::{Code, Status};

use crate::domain::{NoCallback, NoLoan, NoShift, Refused};

/// Why a use case did not happen, or why the service can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of the request isn't what it must be.
    #[error("a malformed {}", .0.kind)]
    Malformed(#[from] Malformed),
    /// SetPresence without a presence.
    #[error("a presence that isn't one")]
    InvalidPresence,
    /// DeclineOffer without a reason, or with too long a one.
    #[error("a reason of 1 to 200 characters is required")]
    ReasonRequired,
    /// SetPresence with skills that can't be.
    #[error("at most 16 languages, each a BCP 47 tag")]
    InvalidSkills,
    /// AcknowledgeAlert of no kind.
    #[error("an alert of no known kind")]
    InvalidAlert,
    /// Figures of a window that is none, or too long.
    #[error("a window of up to 31 days, its beginning first")]
    InvalidWindow,
    /// No such alert about that call.
    #[error("no such alert")]
    UnknownAlert,
    /// No such call, or another force's.
    #[error("no such call")]
    UnknownCall,
    /// The officer has never been at the desk.
    #[error("no such officer at the desk")]
    UnknownOfficer,
    /// Going free in mid-call.
    #[error("the officer is in a call")]
    OfficerInCall,
    /// The offer can't be answered.
    #[error("the offer can't be answered: {0:?}")]
    Refused(Refused),
    /// ScheduleCallback without a time, or about no possible one.
    #[error("a window of 10 minutes to 12 hours that is not over and begins within 14 days")]
    InvalidSafeWindow,
    /// ScheduleCallback with a number that can't be rung.
    #[error("a number in E.164, such as +447700900123")]
    InvalidNumber,
    /// A part of a call-back isn't what it must be.
    #[error("a word, who may answer, a language, a state or an outcome that isn't one")]
    InvalidCallback,
    /// ListCallbacks from where no page ended.
    #[error("page_token must be the next_page_token of a page")]
    InvalidPageToken,
    /// SetShift about no possible time.
    #[error("a shift of up to 16 hours, its beginning first, that is not over")]
    InvalidShift,
    /// No such call-back, or another force's.
    #[error("no such call-back")]
    UnknownCallback,
    /// No such shift, or another force's.
    #[error("no such shift")]
    UnknownShift,
    /// The call-back can't be, or not like that.
    #[error("the call-back can't be: {0:?}")]
    NoCallback(NoCallback),
    /// No such loan, or one between other forces.
    #[error("no such loan")]
    UnknownLoan,
    /// The loan can't be, or not like that.
    #[error("the loan can't be: {0:?}")]
    NoLoan(NoLoan),
    /// An officer comes to a desk that they aren't lent to.
    #[error("it is another force's")]
    NotLent,
    /// The officer has another shift then.
    #[error("the officer has another shift then")]
    ShiftsOverlap,
    /// The outbox, the inbox or the record of first answers.
    #[error("the outbox failed")]
    Outbox(#[from] outbox::Error),
    /// Postgres.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A row that no version of this code wrote.
    #[error("row {row} of {table} has an impossible {column}")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// Which row.
        row: String,
    },
    /// Configuration, listeners.
    #[error(transparent)]
    Chassis(Box<chassis::Error>),
}

impl From<chassis::Error> for Error {
    fn from(error: chassis::Error) -> Self {
        Self::Chassis(Box::new(error))
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<NoCallback> for Error {
    fn from(no: NoCallback) -> Self {
        Self::NoCallback(no)
    }
}

impl From<NoLoan> for Error {
    fn from(no: NoLoan) -> Self {
        Self::NoLoan(no)
    }
}

impl From<NoShift> for Error {
    fn from(no: NoShift) -> Self {
        match no {
            NoShift::Time => Self::InvalidShift,
            NoShift::Overlaps => Self::ShiftsOverlap,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (code, reason) = match &error {
            Error::Malformed(malformed) => (Code::InvalidArgument, malformed_reason(malformed)),
            Error::InvalidPresence => (Code::InvalidArgument, "INVALID_PRESENCE"),
            Error::ReasonRequired => (Code::InvalidArgument, "REASON_REQUIRED"),
            Error::InvalidSkills => (Code::InvalidArgument, "INVALID_SKILLS"),
            Error::InvalidAlert => (Code::InvalidArgument, "INVALID_ALERT"),
            Error::InvalidWindow => (Code::InvalidArgument, "INVALID_WINDOW"),
            Error::UnknownAlert => (Code::NotFound, "UNKNOWN_ALERT"),
            Error::UnknownCall => (Code::NotFound, "UNKNOWN_CALL"),
            Error::UnknownOfficer => (Code::NotFound, "UNKNOWN_OFFICER"),
            Error::OfficerInCall => (Code::FailedPrecondition, "OFFICER_IN_CALL"),
            Error::Refused(Refused::NotOfferedToYou) => (Code::FailedPrecondition, "NOT_OFFERED_TO_YOU"),
            Error::Refused(Refused::OfferExpired) => (Code::FailedPrecondition, "OFFER_EXPIRED"),
            Error::Refused(Refused::CallNotWaiting) => (Code::FailedPrecondition, "CALL_NOT_WAITING"),
            Error::Refused(Refused::NotYourCall) => (Code::PermissionDenied, "NOT_YOUR_CALL"),
            Error::Refused(Refused::CallOver) => (Code::FailedPrecondition, "CALL_OVER"),
            Error::Refused(Refused::OfficerHasCall) => (Code::FailedPrecondition, "OFFICER_HAS_CALL"),
            Error::Refused(Refused::OfficerNotFree) => (Code::FailedPrecondition, "OFFICER_NOT_FREE"),
            Error::InvalidSafeWindow => (Code::InvalidArgument, "INVALID_SAFE_WINDOW"),
            Error::InvalidNumber => (Code::InvalidArgument, "INVALID_NUMBER"),
            Error::InvalidCallback => (Code::InvalidArgument, "INVALID_CALLBACK"),
            Error::InvalidPageToken => (Code::InvalidArgument, "INVALID_PAGE_TOKEN"),
            Error::InvalidShift => (Code::InvalidArgument, "INVALID_SHIFT"),
            Error::UnknownCallback => (Code::NotFound, "UNKNOWN_CALLBACK"),
            Error::UnknownShift => (Code::NotFound, "UNKNOWN_SHIFT"),
            Error::UnknownLoan => (Code::NotFound, "UNKNOWN_LOAN"),
            Error::NoLoan(NoLoan::Invalid) => (Code::InvalidArgument, "INVALID_LOAN"),
            Error::NoLoan(NoLoan::Over) => (Code::FailedPrecondition, "LOAN_OVER"),
            Error::NoLoan(NoLoan::NotYoursToAgree) => (Code::FailedPrecondition, "NOT_YOURS_TO_AGREE"),
            Error::NotLent => (Code::PermissionDenied, "NOT_YOUR_FORCE"),
            Error::ShiftsOverlap => (Code::FailedPrecondition, "SHIFTS_OVERLAP"),
            Error::NoCallback(no) => no_callback(*no),
            Error::Outbox(outbox::Error::RequestIdReused) => (Code::AlreadyExists, "REQUEST_ID_REUSED"),
            Error::Outbox(source) if source.is_unavailable() => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Error::Database(source) if outbox::is_away(source) => (Code::Unavailable, "DATABASE_UNAVAILABLE"),
            Error::Outbox(_) | Error::Database(_) | Error::Corrupt { .. } | Error::Chassis(_) => {
                (Code::Internal, "INTERNAL")
            }
        };
        let message = match &error {
            Error::Malformed(malformed) => malformed.to_string(),
            Error::Refused(Refused::NotOfferedToYou) => "the call is not on offer to this officer".to_owned(),
            Error::Refused(Refused::OfferExpired) => "the offer was not answered in time".to_owned(),
            Error::Refused(Refused::CallNotWaiting) => "the call does not wait for an officer".to_owned(),
            Error::Refused(Refused::CallOver) => "the call is over".to_owned(),
            Error::Refused(Refused::OfficerHasCall) => "it is that officer's already".to_owned(),
            Error::Refused(Refused::OfficerNotFree) => "that officer is not free for a call".to_owned(),
            Error::Refused(Refused::NotYourCall) => "another officer has the call, or nobody has".to_owned(),
            other => other.to_string(),
        };
        match code {
            Code::Internal => tracing::error!(error = chassis::chain(&error), "internal error"),
            Code::Unavailable => tracing::warn!(error = chassis::chain(&error), "database unavailable"),
            _ => {}
        }
        status(code, reason, message)
    }
}

fn no_callback(no: NoCallback) -> (Code, &'static str) {
    match no {
        NoCallback::Window => (Code::InvalidArgument, "INVALID_SAFE_WINDOW"),
        NoCallback::Closed => (Code::FailedPrecondition, "OUTSIDE_OPENING_HOURS"),
        NoCallback::NotCallable => (Code::FailedPrecondition, "CALL_NOT_CALLABLE"),
        NoCallback::Agreed => (Code::FailedPrecondition, "CALLBACK_AGREED"),
        NoCallback::NotDue => (Code::FailedPrecondition, "CALLBACK_NOT_DUE"),
        NoCallback::Taken => (Code::FailedPrecondition, "CALLBACK_TAKEN"),
        NoCallback::NotTaken => (Code::FailedPrecondition, "CALLBACK_NOT_TAKEN"),
        NoCallback::Over => (Code::FailedPrecondition, "CALLBACK_OVER"),
        NoCallback::RingsAlready => (Code::FailedPrecondition, "CALLER_AT_DESK"),
    }
}

fn malformed_reason(malformed: &Malformed) -> &'static str {
    match malformed.kind {
        "force" => "INVALID_FORCE",
        "officer id" => "INVALID_OFFICER",
        _ => "MALFORMED_ID",
    }
}
