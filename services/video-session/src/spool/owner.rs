//! Whose recording a folder of the spool holds.

use chassis::Trace;
use ids::{CallId, ForceId, IncidentRef, OfficerId, SessionId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::Session;

/// Whose recording a folder holds: all that evidence-store has to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The session.
    pub session: SessionId,
    /// Its call.
    pub call: CallId,
    /// Its force.
    pub force: ForceId,
    /// Who commands the call, should the database be away; unknown of a folder that was made before this was kept.
    #[serde(default)]
    pub officer: Option<OfficerId>,
    /// The force's own reference, for opening the exhibit.
    pub incident: IncidentRef,
    /// The call's trace.
    pub trace: String,
    /// The session's epoch in which this part of its recording began: with another instance, or after one, it goes on in
    /// another part.
    #[serde(default = "first_part")]
    pub part: u64,
}

fn first_part() -> u64 {
    1
}

impl Owner {
    /// Of the part of a session that begins in this epoch.
    #[must_use]
    pub fn of(session: &Session, trace: &Trace, epoch: u64) -> Self {
        let accepted = &session.accepted;
        Self {
            session: session.id,
            call: accepted.call,
            force: accepted.force.clone(),
            officer: Some(accepted.officer.clone()),
            incident: accepted.incident.clone(),
            trace: trace.as_str().to_owned(),
            part: epoch,
        }
    }

    /// Of a call that never was, by a number: for tests of what needs no database.
    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::expect_used, reason = "both are well-formed")]
    pub fn numbered(number: u128) -> Self {
        Self {
            session: Uuid::from_u128(number).into(),
            call: Uuid::from_u128(number + 10).into(),
            force: "wmp".parse().expect("a force"),
            officer: None,
            incident: IncidentRef::parse("2026-11-24", "1123").expect("an incident"),
            trace: String::new(),
            part: first_part(),
        }
    }

    /// The call's trace, to be followed.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace::parse(&self.trace)
    }
}
