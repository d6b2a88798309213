//! Typed ids and redacting newtypes: what every service means by "a call" or "a force". No I/O, no clock, no randomness.
//!
//! Parsing happens once, at the door; past it a `CallId` can't be an `ExhibitId`, and a phone number can't reach a log.

mod incident;
mod names;
mod officer;
mod secret;
mod uuids;
mod word;

pub use incident::{IncidentDate, IncidentNumber, IncidentRef};
pub use names::{ForceId, InstanceName, TrackName};
pub use officer::OfficerId;
pub use secret::{PhoneNumber, Secret};
pub use uuids::{
    AssessmentId, CallId, CallbackId, ClockId, EventId, ExhibitId, FastTrackId, InstanceId, LoanId, PackageId,
    ParticipantId, PersonId, ReferralId, RequestId, SessionId, ShiftId,
};
pub use word::ComeNowWord;

/// A value that came from outside and isn't what it must be. Names the kind, never the value: it may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {kind}: {rule}")]
pub struct Malformed {
    /// What it should have been, such as "call id".
    pub kind: &'static str,
    /// The rule it breaks, in words for the sender.
    pub rule: &'static str,
}
