//! What can go wrong, and the only place that says which gRPC status it becomes.

use chassis::status::{status, status_with};
use http::StatusCode;
use tonic::{Code, Status};

use crate::{
    books::Unusable,
    callers::Unheard,
    domain::{
        BadNote, BadStatement, Blocked, InvalidPerson, PeopleRefusal, ReferralRefusal, disclosure::NotRecorded,
        risk::Refusal, schedule::BadSchedule,
    },
    links::Refused,
    store::StoreError,
};

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
    /// No such kind of referral in this force.
    #[error("the force makes no such referrals")]
    UnknownKind,
    /// No such referral in this case.
    #[error("the case has no such referral")]
    UnknownReferral,
    /// No such partner of the force, or not one for this.
    #[error("the force has no such partner for it")]
    UnknownPartner,
    /// A referral isn't where this would be done with it.
    #[error(transparent)]
    Referral(#[from] ReferralRefusal),
    /// A field that isn't what it must be.
    #[error("{message}")]
    Invalid {
        /// The contract's word for it.
        reason: &'static str,
        /// The rule, never the value.
        message: &'static str,
    },
    /// The people of a case can't be so.
    #[error(transparent)]
    People(#[from] PeopleRefusal),
    /// It can't be done without saying why, in so many words.
    #[error("a reason is needed, not longer than it may be")]
    ReasonRequired,
    /// A page token that ListDue did not give.
    #[error("page_token must be the next_page_token of a page of the same force")]
    PageToken,
    /// A clock is to begin that the books don't have.
    #[error("no clock has the key {0:?}")]
    UnknownClock(String),
    /// The call is known to be another force's.
    #[error("the call belongs to another force")]
    OtherForce,
    /// Not to be done about the risk.
    #[error(transparent)]
    Risk(#[from] Refusal),
    /// A note on the package that isn't kept.
    #[error(transparent)]
    Note(#[from] BadNote),
    /// A version of a statement that isn't kept.
    #[error(transparent)]
    Statement(#[from] BadStatement),
    /// A version of a disclosure schedule that isn't saved.
    #[error(transparent)]
    Schedule(#[from] BadSchedule),
    /// There is nothing to seal a package beside.
    #[error("the call has no exhibit")]
    NoExhibit,
    /// A package is sealed with something missing, and nobody says why.
    #[error("required items are missing: why must be said")]
    ItemsMissing(Vec<String>),
    /// A stage of an application that isn't recorded.
    #[error(transparent)]
    Disclosure(#[from] NotRecorded),
    /// An outcome that is for a decision.
    #[error("what becomes of an application is decided stage by stage")]
    DecidedByStages,
    /// An application that was taken back.
    #[error("it was taken back")]
    Withdrawn,
    /// intake is away, or doesn't tell us.
    #[error(transparent)]
    Intake(#[from] Unheard),
    /// The package's index.
    #[error(transparent)]
    Print(#[from] crate::print::Error),
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
            Error::Risk(refusal) => risk(refusal, message),
            Error::UnknownKind => status(Code::NotFound, "UNKNOWN_KIND", message),
            Error::UnknownReferral => status(Code::NotFound, "UNKNOWN_REFERRAL", message),
            Error::UnknownPartner => status(Code::NotFound, "UNKNOWN_PARTNER", message),
            Error::Referral(refusal) => referral(refusal, message),
            Error::Invalid { reason, .. } => status(Code::InvalidArgument, reason, message),
            Error::People(refusal) => people(*refusal, message),
            Error::Disclosure(not) => not_recorded(*not, message),
            Error::DecidedByStages => status(Code::FailedPrecondition, "DECIDED_BY_STAGES", message),
            Error::Withdrawn => status(Code::FailedPrecondition, "WITHDRAWN", message),
            Error::Note(BadNote::UnknownItem) => status(Code::NotFound, "UNKNOWN_ITEM", message),
            Error::Note(BadNote::Length) => status(Code::InvalidArgument, "INVALID_NOTE", message),
            Error::Statement(BadStatement::Changed) => status(Code::Aborted, "CHANGED_MEANWHILE", message),
            Error::Statement(_) => status(Code::InvalidArgument, "INVALID_STATEMENT", message),
            Error::Schedule(bad) => schedule(bad, message),
            Error::NoExhibit => status(Code::FailedPrecondition, "NO_EXHIBIT", message),
            Error::ItemsMissing(items) => {
                status_with(Code::InvalidArgument, "REASON_REQUIRED", message, &[("missing", items.join(","))])
            }
            Error::ReasonRequired => status(Code::InvalidArgument, "REASON_REQUIRED", message),
            Error::PageToken => status(Code::InvalidArgument, "INVALID_PAGE_TOKEN", message),
            Error::Outbox(outbox::Error::RequestIdReused) => status(Code::AlreadyExists, "REQUEST_ID_REUSED", message),
            Error::Outbox(outbox) if outbox.is_unavailable() => away(&error),
            Error::Store(StoreError::Database(_, source)) if outbox::is_away(source) => away(&error),
            Error::Intake(_) => {
                tracing::warn!(error = chassis::chain(&error), "intake doesn't answer");
                status(Code::Unavailable, "INTAKE_UNAVAILABLE", "intake doesn't answer; ask again, or go on without")
            }
            Error::OtherForce
            | Error::UnknownClock(_)
            | Error::Print(_)
            | Error::Store(_)
            | Error::Outbox(_)
            | Error::Chassis(_)
            | Error::Books(_) => {
                tracing::error!(error = chassis::chain(&error), "a request failed");
                status(Code::Internal, "INTERNAL", "the request failed and was logged")
            }
        }
    }
}

impl Refused {
    /// As a partner is told who has a link: a status, the reason in one word, and in a sentence.
    pub(crate) fn over_http(self) -> (StatusCode, &'static str, String) {
        let sentence = self.to_string();
        let (status, reason) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "UNKNOWN_LINK"),
            Self::Expired => (StatusCode::GONE, "LINK_EXPIRED"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
            Self::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "WRONG_TYPE"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "MALFORMED_BODY"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "TOO_SLOW"),
            Self::TooFast => (StatusCode::TOO_MANY_REQUESTS, "TOO_FAST"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "BUSY"),
            Self::Name => (StatusCode::UNPROCESSABLE_ENTITY, "INVALID_ACKNOWLEDGEMENT"),
            Self::Outcome => (StatusCode::UNPROCESSABLE_ENTITY, "INVALID_OUTCOME"),
            Self::Withdrawn => (StatusCode::CONFLICT, "WITHDRAWN"),
            Self::Known => (StatusCode::CONFLICT, "OUTCOME_KNOWN"),
            Self::Decided => (StatusCode::CONFLICT, "DECIDED_BY_STAGES"),
            Self::Failed(error) => match Status::from(error).code() {
                Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "DATABASE_UNAVAILABLE"),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
            },
        };
        (status, reason, sentence)
    }
}

fn risk(refusal: &Refusal, message: String) -> Status {
    let (missing, invalid, too_soon) = (Code::NotFound, Code::InvalidArgument, Code::FailedPrecondition);
    match refusal {
        Refusal::UnknownSet => status(missing, "UNKNOWN_SET", message),
        Refusal::UnknownAssessment(present) => {
            let present = present.map(|id| ("assessment_id", id.to_string()));
            status_with(missing, "UNKNOWN_ASSESSMENT", message, present.as_slice())
        }
        Refusal::UnknownQuestion(question) => {
            status_with(missing, "UNKNOWN_QUESTION", message, &[("question", question.clone())])
        }
        Refusal::UnknownMatch => status(missing, "UNKNOWN_MATCH", message),
        Refusal::Changed(question) => {
            let question = question.clone().map(|question| ("question", question));
            status_with(Code::Aborted, "CHANGED_MEANWHILE", message, question.as_slice())
        }
        Refusal::InvalidAnswer { question, .. } => {
            status_with(invalid, "INVALID_ANSWER", message, &[("question", question.clone())])
        }
        Refusal::InvalidGrade => status(invalid, "INVALID_GRADE", message),
        Refusal::ReasonRequired => status(invalid, "REASON_REQUIRED", message),
        Refusal::BelowCount(least) => {
            status_with(too_soon, "BELOW_COUNT", message, &[("least", least.word().to_owned())])
        }
        Refusal::Contradiction(rule) => status_with(too_soon, "CONTRADICTION", message, &[("rule", rule.clone())]),
        Refusal::MatchesOpen => status(too_soon, "MATCHES_OPEN", message),
        Refusal::SergeantRequired => status(too_soon, "SERGEANT_REQUIRED", message),
    }
}

fn people(refusal: PeopleRefusal, message: String) -> Status {
    match refusal {
        PeopleRefusal::Unknown => status(Code::NotFound, "UNKNOWN_PERSON", message),
        PeopleRefusal::ChangedMeanwhile => status(Code::Aborted, "CHANGED_MEANWHILE", message),
        PeopleRefusal::TooMany => status(Code::FailedPrecondition, "TOO_MANY_PEOPLE", message),
        PeopleRefusal::InUse => status(Code::FailedPrecondition, "PERSON_IN_USE", message),
        PeopleRefusal::Invalid(InvalidPerson { field, rule }) => {
            let facts = [("field", field.to_owned()), ("rule", rule.to_owned())];
            status_with(Code::InvalidArgument, "INVALID_PERSON", message, &facts)
        }
    }
}

fn referral(refusal: &ReferralRefusal, message: String) -> Status {
    let code = Code::FailedPrecondition;
    match refusal {
        ReferralRefusal::NotADraft => status(code, "NOT_A_DRAFT", message),
        ReferralRefusal::ChangedMeanwhile => status(Code::Aborted, "CHANGED_MEANWHILE", message),
        ReferralRefusal::Blocked(Blocked::FieldsMissing, fields) => {
            status_with(code, Blocked::FieldsMissing.as_str(), message, &[("fields", fields.join(","))])
        }
        ReferralRefusal::Blocked(blocked, _) => status(code, blocked.as_str(), message),
        ReferralRefusal::NotSent => status(code, "NOT_SENT", message),
        ReferralRefusal::NotOpen => status(code, "NOT_OPEN", message),
        ReferralRefusal::OutcomeKnown => status(code, "OUTCOME_KNOWN", message),
    }
}

fn schedule(bad: &BadSchedule, message: String) -> Status {
    let (code, reason, key) = match bad {
        BadSchedule::Changed(None) => return status(Code::Aborted, "CHANGED_MEANWHILE", message),
        BadSchedule::Changed(Some(key)) => (Code::Aborted, "CHANGED_MEANWHILE", key),
        BadSchedule::Unknown(key) => (Code::NotFound, "UNKNOWN_ENTRY", key),
        BadSchedule::Handling(key) => (Code::InvalidArgument, "INVALID_HANDLING", key),
        BadSchedule::Reason(key) => (Code::InvalidArgument, "REASON_REQUIRED", key),
    };
    status_with(code, reason, message, &[("key", key.clone())])
}

fn not_recorded(not: NotRecorded, message: String) -> Status {
    let reason = match not {
        NotRecorded::Changed => return status(Code::Aborted, "CHANGED_MEANWHILE", message),
        NotRecorded::Invalid(field) => {
            return status_with(Code::InvalidArgument, "INVALID_STAGE", message, &[("field", field.to_owned())]);
        }
        NotRecorded::Unchecked => "NOT_CHECKED",
        NotRecorded::Undecided => "NOT_DECIDED",
        NotRecorded::Unplanned => "NOT_PLANNED",
        NotRecorded::Past => "STAGE_PAST",
    };
    status(Code::FailedPrecondition, reason, message)
}

fn away(error: &Error) -> Status {
    tracing::warn!(error = chassis::chain(error), "the database is away");
    status(Code::Unavailable, "DATABASE_UNAVAILABLE", "the database is away; send the request again")
}
