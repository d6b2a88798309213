//! The desk gives a call back: what a contact handler with a caller on the line does then.

use chrono::{DateTime, Utc};

use super::{State, Update};

/// How the desk gives a call back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// As the desk gave it.
    pub why: String,
    /// When a desk that is closed opens next.
    pub opens_at: Option<DateTime<Utc>>,
}

impl State {
    /// Is the caller on a phone that was agreed for ringing them back? Nothing is known of it. Of a call that came back there
    /// is a session only then, if we haven't heard so yet.
    #[must_use]
    pub fn is_on_another_phone(&self) -> bool {
        match self {
            Self::WithDesk(desk) | Self::Closed { desk, .. } => desk.called_back,
            Self::Returned { .. } => true,
            _ => false,
        }
    }
}

impl Back {
    /// Of one that waited. What is agreed about a call-back follows at once, so the watch goes on.
    pub(super) fn state(&self) -> State {
        State::Returned { why: self.why.clone(), awaits_call_back: self.why == "CALL_BACK_AGREED" }
    }

    pub(super) fn told(self) -> Update {
        Update::Returned { reason: self.why, opens_at: self.opens_at }
    }
}

/// A reason of the desk's, and what to do instead.
const INSTEAD: [(&str, &str); 4] = [
    (
        "WAIT_LIMIT",
        "No officer has come free in time. Stay with the caller, and deal with the call as without the desk: send an \
         officer in person by its risk, or agree a safe time for the desk to call back.",
    ),
    (
        "DESK_CLOSED",
        "The desk is closed. Deal with the call as without it: send an officer in person by its risk. If that can wait, \
         agree a safe time for the desk to call back once it is open, a word to know the caller by, and who may answer.",
    ),
    (
        "CALL_BACK_AGREED",
        "The desk rings the caller back at the agreed time. Until then the caller is yours: send an officer in person if \
         the risk changes.",
    ),
    (
        "RETURNED_BY_DESK",
        "The desk can't go on with this call. Speak with the caller, and deal with it as without the desk: send an \
         officer in person by its risk, or agree a safe time for you to ring back.",
    ),
];

/// What to do instead, in plain words; nothing for a reason that says it.
#[must_use]
pub fn instead(reason: &str) -> &'static str {
    INSTEAD.iter().find(|(known, _)| *known == reason).map_or("", |(_, instead)| instead)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{accepted, at, ended, now, requested, seal},
        *,
    };
    use crate::domain::{Effects, Fact, ForceUpdate, Heard, Place, Refusal, Update};

    impl From<&str> for Back {
        fn from(why: &str) -> Self {
            Self { why: why.to_owned(), opens_at: None }
        }
    }

    #[test]
    fn a_call_that_waits_is_told_each_new_place_and_comes_back_when_it_waits_too_long() {
        let (call, heard, effects) = requested().hear(Fact::Queued(at(3)), now());
        assert_eq!((heard, &effects.tell[0].update), (Heard::Taken, &Update::Queued(at(3))));
        let (call, _, effects) = call.hear(Fact::Queued(at(2)), now());
        assert_eq!(effects.tell[0].update, Update::Queued(at(2)));
        let (call, _, effects) = call.hear(Fact::Returned("WAIT_LIMIT".into()), now());
        assert_eq!(effects.tell[0].update, Update::Returned { reason: "WAIT_LIMIT".into(), opens_at: None });
        assert_eq!(effects.for_force(&call.state), [ForceUpdate::Returned { why: "WAIT_LIMIT".into() }]);
        assert!(call.is_over() && call.is_done());
        // What was told before there was a wait to tell of is told as before.
        let kept = serde_json::json!({"kind": "queued", "position": 3});
        let place = Place { position: 3, expected_wait_s: None };
        assert_eq!(serde_json::from_value::<Update>(kept).unwrap(), Update::Queued(place));
    }

    #[test]
    fn a_call_given_back_in_mid_call_is_told_once_and_still_ends_and_is_sealed() {
        let back = || Fact::Returned("RETURNED_BY_DESK".into());
        let told = |effects: &Effects| effects.tell.iter().map(|told| told.update.clone()).collect::<Vec<_>>();
        let returned = Update::Returned { reason: "RETURNED_BY_DESK".into(), opens_at: None };
        let end = Update::Ended { reason: "OFFICER_ENDED".into() };
        let with_desk = requested().hear(accepted(), now()).0;
        let giving_back = with_desk.clone().hear(back(), now()).0;
        assert_eq!(giving_back.request_transfer().unwrap_err(), Refusal::Closed, "nobody is being asked");
        // Whichever of the two streams is quicker.
        for facts in [[back(), ended()], [ended(), back()]] {
            let mut call = with_desk.clone();
            let mut all = Vec::new();
            for fact in facts.into_iter().flat_map(|fact| [fact.clone(), fact]) {
                let (next, _, effects) = call.hear(fact, now());
                all.extend(told(&effects));
                call = next;
            }
            assert!(all.len() == 2 && all.contains(&returned) && all.contains(&end), "{all:?}");
            let (call, _, effects) = call.hear_sealed(seal(1), now());
            assert_eq!(told(&effects), [Update::Sealed(seal(1))]);
            assert!(call.is_over());
        }
        for reason in ["WAIT_LIMIT", "RETURNED_BY_DESK", "DESK_CLOSED", "CALL_BACK_AGREED"] {
            assert!(instead(reason).contains("in person"), "{reason}");
        }
        assert_eq!(instead("VIDEO_CONSENT_WITHDRAWN"), "");
    }
}
