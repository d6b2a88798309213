//! Ids that Alcove makes: UUID version 7 (RFC 9562), so that they sort by the time they were made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Malformed;

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident = $kind:literal;)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The bare UUID, for a database column or a fixed binary encoding.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            /// Takes the hyphenated form only: one spelling an id.
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let malformed = Malformed { kind: $kind, rule: "a hyphenated UUID" };
                if text.len() != 36 {
                    return Err(malformed);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| malformed)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

uuid_id! {
    /// One 999 or 101 call, from the control room's first word to the sealed exhibit: the aggregate of every event.
    CallId = "call id";
    /// One video call of an officer and a caller.
    SessionId = "session id";
    /// One person in a session.
    ParticipantId = "participant id";
    /// One exhibit: what a session recorded.
    ExhibitId = "exhibit id";
    /// One evidential package checklist.
    PackageId = "package id";
    /// One published fact; the `Nats-Msg-Id` it is de-duplicated by.
    EventId = "event id";
    /// One process of a service, from its start to its end: started again, it is another.
    InstanceId = "instance id";
    /// One time that an officer asks the control room to send somebody now.
    FastTrackId = "fast-track id";
    /// One agreement to ring a caller back.
    CallbackId = "call-back id";
    /// One shift of an officer.
    ShiftId = "shift id";
    /// One agreement to lend officers.
    LoanId = "loan id";
    /// One person of a case: who rang, a child, somebody beside them.
    PersonId = "person id";
    /// One going-through of a set of risk questions.
    AssessmentId = "assessment id";
    /// One referral to a partner.
    ReferralId = "referral id";
    /// One time by which something has to be done.
    ClockId = "clock id";
    /// The client's own id of a mutating request: the same id gets the first answer again.
    RequestId = "request id";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_prints_and_nothing_else() {
        let id = CallId::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "0190000000007000800000000000000a", "{01900000-0000-7000-8000-000000000001}", "not-a-uuid"] {
            assert_eq!(bad.parse::<CallId>().map_err(|e| e.kind), Err("call id"), "{bad}");
        }
    }
}
