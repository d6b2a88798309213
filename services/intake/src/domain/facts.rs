//! What each fact of the desk, the session and the exhibit makes of a call, in whatever order they come.

use super::{Desk, Fact, Heard, Seal, State, Update};

/// The table of facts. A session's fact in a call still waiting means that an officer has it: the accept will follow.
/// The same holds for a call just taken back: the officer was quicker, and the control room has to know.
pub(super) fn step(state: State, fact: Fact, seal: Option<&Seal>) -> (State, Heard, Vec<Update>) {
    use Heard::{Late, Repeated, Taken, Unasked};
    use State::{Cancelled, Closed, Consented, Ineligible, Open, Returned, TransferRequested, Triaged, WithDesk};

    match (state, fact) {
        (state @ (Open | Triaged(_) | Ineligible { .. } | Consented(_)), _) => (state, Unasked, vec![]),

        // In whatever state: who sets help going has, or has had, the caller.
        (state, Fact::Help(help)) => (state, Taken, vec![help.told()]),

        (state @ TransferRequested(_), Fact::Queued(place)) => (state, Taken, vec![Update::Queued(place)]),
        (state @ TransferRequested(_), Fact::Offered) => (state, Taken, vec![Update::Offered]),
        (state, Fact::Queued(_) | Fact::Offered) => (state, Late, vec![]),

        (TransferRequested(_), Fact::Abandoned(why)) => {
            (Returned { why: why.clone(), awaits_call_back: false }, Taken, vec![Update::Abandoned { reason: why }])
        }
        (Cancelled { confirmed: false }, Fact::Abandoned(reason)) => {
            (Cancelled { confirmed: true }, Taken, vec![Update::Abandoned { reason }])
        }
        (state @ (Cancelled { confirmed: true } | Returned { .. }), Fact::Abandoned(_)) => (state, Repeated, vec![]),
        (state, Fact::Abandoned(_)) => (state, Late, vec![]),

        (TransferRequested(_), Fact::Returned(back)) => (back.state(), Taken, vec![back.told()]),
        // The desk has let go of it either way.
        (Cancelled { confirmed: false }, Fact::Returned(back)) => {
            (Cancelled { confirmed: true }, Taken, vec![Update::Abandoned { reason: back.why }])
        }
        // In mid-call: the session's end follows, or has come first.
        (WithDesk(desk), Fact::Returned(_)) if desk.returned => (WithDesk(desk), Repeated, vec![]),
        (WithDesk(mut desk), Fact::Returned(back)) => {
            desk.returned = true;
            (WithDesk(desk), Taken, vec![back.told()])
        }
        (Closed { reason, recorded, mut desk }, Fact::Returned(back)) if !desk.returned && seal.is_none() => {
            desk.returned = true;
            (Closed { reason, recorded, desk }, Taken, vec![back.told()])
        }
        (state, Fact::Returned(_)) => (state, Repeated, vec![]),

        (Returned { why, .. }, Fact::Callback(news)) => {
            (Returned { why, awaits_call_back: news.is_open() }, Taken, vec![Update::Callback(news)])
        }
        (state, Fact::Callback(news)) => (state, Taken, vec![Update::Callback(news)]),
        // Whatever was thought of it: an officer has the caller.
        (Returned { .. } | Cancelled { .. }, fact @ Fact::CalledBack(_)) => at_desk(Desk::default(), fact, seal),

        // From here on: the accept and the session's facts.
        (state @ (Returned { awaits_call_back: false, .. } | Cancelled { confirmed: true }), _) => {
            (state, Late, vec![])
        }
        (Returned { .. }, fact) => at_desk(Desk { called_back: true, ..Desk::default() }, fact, seal),
        (TransferRequested(_) | Cancelled { .. }, fact) => at_desk(Desk::default(), fact, seal),
        (WithDesk(desk), fact) => at_desk(desk, fact, seal),

        (Closed { reason, recorded, mut desk }, Fact::Accepted(officer) | Fact::CalledBack(officer)) => {
            let heard = if desk.officer.is_none() { Late } else { Repeated };
            desk.officer.get_or_insert(officer);
            (Closed { reason, recorded, desk }, heard, vec![])
        }
        // They may still have to take down that the caller takes a consent back.
        (Closed { reason, recorded, mut desk }, Fact::Reassigned(officer)) => {
            desk.officer = Some(officer);
            (Closed { reason, recorded, desk }, Late, vec![])
        }
        (state @ Closed { .. }, Fact::SessionEnded { .. }) => (state, Repeated, vec![]),
        (state @ Closed { .. }, _) => (state, Late, vec![]),
    }
}

fn at_desk(mut desk: Desk, fact: Fact, seal: Option<&Seal>) -> (State, Heard, Vec<Update>) {
    desk.called_back |= matches!(fact, Fact::CalledBack(_));
    let (heard, updates) = match fact {
        Fact::Accepted(officer) | Fact::CalledBack(officer) if desk.officer.is_none() => {
            desk.officer = Some(officer.clone());
            (Heard::Taken, vec![Update::Accepted { officer }])
        }
        Fact::Accepted(who) | Fact::CalledBack(who) if desk.officer == Some(who.clone()) => (Heard::Repeated, vec![]),
        Fact::Accepted(_) | Fact::CalledBack(_) => (Heard::Conflict, vec![]),
        Fact::Reassigned(officer) if desk.officer.as_ref() == Some(&officer) => (Heard::Repeated, vec![]),
        Fact::Reassigned(officer) => {
            desk.before = desk.officer.replace(officer.clone());
            (Heard::Taken, vec![Update::Accepted { officer }])
        }
        Fact::InvitationIssued => (Heard::Taken, vec![Update::InvitationReady]),
        Fact::CallerJoined if desk.caller_joined => (Heard::Repeated, vec![]),
        // Each is news, however many there are: the session tells of no repeat.
        Fact::Cover(true) => (Heard::Taken, vec![Update::Covered]),
        Fact::Cover(false) => (Heard::Taken, vec![Update::Uncovered]),
        Fact::Duress(duress) => (Heard::Taken, vec![Update::Duress(duress)]),
        Fact::FastTrack(news) => (Heard::Taken, vec![Update::FastTrack(news)]),
        Fact::CallerJoined => {
            desk.caller_joined = true;
            (Heard::Taken, vec![Update::CallerJoined])
        }
        Fact::SessionEnded { reason, recorded } => {
            let ended = Update::Ended { reason: reason.clone() };
            let updates = std::iter::once(ended).chain(seal.cloned().map(Update::Sealed)).collect();
            return (State::Closed { reason, recorded, desk }, Heard::Taken, updates);
        }
        Fact::Queued(_)
        | Fact::Offered
        | Fact::Abandoned(_)
        | Fact::Returned(_)
        | Fact::Callback(_)
        | Fact::Help(_) => (Heard::Late, vec![]),
    };
    (State::WithDesk(desk), heard, updates)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Refusal, tests::*},
        *,
    };

    #[test]
    fn a_call_that_another_officer_takes_over_is_told_so_and_is_theirs_to_speak_for() {
        let [first, second] = ["PC1", "PC3"].map(|id| id.parse().unwrap());
        let moved = || Fact::Reassigned("PC3".parse().unwrap());
        let call = requested().hear(accepted(), now()).0;
        assert!(call.has_with_it(&first).is_ok());
        let (given, heard, effects) = call.clone().hear(moved(), now());
        assert_eq!((heard, &effects.tell[0].update), (Heard::Taken, &Update::Accepted { officer: second.clone() }));
        assert_eq!(given.clone().hear(moved(), now()).1, Heard::Repeated);
        // The session's end may be heard of before.
        let late = call.hear(ended(), now()).0.hear(moved(), now()).0;
        for call in [&given, &late] {
            assert_eq!(call.has_with_it(&second), Ok(()));
            assert_eq!(call.has_with_it(&"PC9".parse().unwrap()), Err(Refusal::NotYours));
        }
        // Who had it is with the caller until the other has joined, and may have to take down what they say.
        assert_eq!(given.has_with_it(&first), Ok(()));
        assert_eq!(late.has_with_it(&first), Err(Refusal::NotYours));
        // Of one that is over, or another's by now, nothing is left to an officer of another force.
        assert!(given.is_with_lent(&second) && !given.is_with_lent(&first));
        assert!(!given.is_with_lent(&"PC9".parse().unwrap()));
        assert!(late.has_with_it(&second).is_ok() && !late.is_with_lent(&second));
    }
}
