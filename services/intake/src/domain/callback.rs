//! The desk rings a caller back: what the control room is told of it. While one is open the call is not over, though it has
//! come back; once the caller is reached, an officer has the call.

use chrono::{DateTime, Utc};
use ids::CallbackId;
use serde::{Deserialize, Serialize};

/// Where a call-back stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// Its window has not begun.
    Agreed,
    /// Somebody is to ring.
    Due,
    /// An officer rings.
    Taken,
    /// The caller was reached.
    Kept,
    /// They were not.
    Missed,
    /// Nobody is to ring.
    Cancelled,
}

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as it says")]
pub enum Tried {
    Reached,
    NoAnswer,
    SomebodyElse,
    WordNotGiven,
    NotSafe,
}

/// A call-back as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackNews {
    /// Which.
    pub id: CallbackId,
    /// Where it stands.
    pub stand: CallbackState,
    /// It is safe to ring from then on ...
    pub from: DateTime<Utc>,
    /// ... and before then.
    pub until: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// How it went the last time.
    pub last: Option<Tried>,
}

impl CallbackNews {
    /// More is to come of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.stand, CallbackState::Agreed | CallbackState::Due | CallbackState::Taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::tests::{accepted, ended, now, requested, seal},
        *,
    };
    use crate::domain::{Call, Fact, Heard, Refusal, State, Update};

    fn news(stand: CallbackState) -> CallbackNews {
        let (id, attempts, last) = (uuid::Uuid::from_u128(5).into(), 0, None);
        CallbackNews { id, stand, from: now(), until: now() + chrono::TimeDelta::hours(1), attempts, last }
    }

    fn returned() -> Call {
        let (call, _, _) = requested().hear(Fact::Returned("DESK_CLOSED".into()), now());
        assert!(call.is_over());
        call.hear(Fact::Callback(news(CallbackState::Agreed)), now()).0
    }

    fn called_back() -> Fact {
        let Fact::Accepted(officer) = accepted() else { unreachable!() };
        Fact::CalledBack(officer)
    }

    #[test]
    fn a_call_that_is_to_be_rung_back_is_watched_on_and_is_no_hindrance_to_a_new_one() {
        let call = returned();
        assert!(!call.is_over() && call.is_done());
        assert_eq!(call.clone().request_transfer().unwrap_err(), Refusal::Closed);
        for (stand, is_over) in [
            (CallbackState::Due, false),
            (CallbackState::Taken, false),
            (CallbackState::Missed, true),
            (CallbackState::Cancelled, true),
        ] {
            let (call, heard, effects) = call.clone().hear(Fact::Callback(news(stand)), now());
            assert_eq!((heard, &effects.tell[0].update), (Heard::Taken, &Update::Callback(news(stand))));
            assert_eq!(call.is_over(), is_over, "{stand:?}");
        }
        // What was kept of a call that came back before there were call-backs.
        let kept = serde_json::json!({"state": "returned", "why": "WAIT_LIMIT"});
        let state: State = serde_json::from_value(kept).unwrap();
        assert_eq!(state, State::Returned { why: "WAIT_LIMIT".to_owned(), awaits_call_back: false });
    }

    #[test]
    fn a_caller_who_is_reached_is_with_the_desk_whichever_stream_is_quicker() {
        let Fact::Accepted(officer) = accepted() else { unreachable!() };
        let (call, heard, effects) = returned().hear(called_back(), now());
        assert_eq!((heard, &effects.tell[0].update), (Heard::Taken, &Update::Accepted { officer: officer.clone() }));
        assert!(
            matches!(&call.state, State::WithDesk(desk) if desk.officer == Some(officer.clone()) && !desk.returned)
        );
        let (call, _, effects) = call.hear(Fact::Callback(news(CallbackState::Kept)), now());
        assert_eq!(effects.tell[0].update, Update::Callback(news(CallbackState::Kept)));
        assert_eq!(call.clone().hear(called_back(), now()).1, Heard::Repeated);
        let call = call.hear(ended(), now()).0.hear_sealed(seal(1), now()).0;
        assert!(call.is_over() && matches!(call.state, State::Closed { .. }));
        // The session's facts before the desk's.
        let (call, heard, _) = returned().hear(Fact::InvitationIssued, now());
        assert_eq!(heard, Heard::Taken);
        let (call, _, effects) = call.hear(called_back(), now());
        assert_eq!(effects.tell[0].update, Update::Accepted { officer });
        let ended_first = returned().hear(ended(), now()).0.hear(called_back(), now()).0;
        assert!(matches!(&ended_first.state, State::Closed { desk, .. } if desk.officer.is_some()));
        assert!(matches!(call.state, State::WithDesk(_)));
        // One that came back, and of whom nobody was to be rung, is none of a session's.
        let (call, heard, _) = requested().hear(Fact::Returned("WAIT_LIMIT".into()), now()).0.hear(accepted(), now());
        assert_eq!((heard, call.is_over()), (Heard::Late, true));
    }
}
