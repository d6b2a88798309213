//! What each session's rows have yet to be told. Pure; every session keeps its order.
//!
//! While the rows can't be told, a connection may come and go without end. Of that only how it stands is told in the end: the ledger has
//! every time.

use std::collections::{HashMap, VecDeque};

use ids::SessionId;

use super::facts::{Fact, Seen, What};

/// All sessions' facts. A session is in it for as long as somebody sees to it.
#[derive(Debug, Default)]
pub(super) struct Untold(HashMap<SessionId, VecDeque<Fact>>);

impl Untold {
    /// One more. True: nobody sees to this session yet.
    pub(super) fn add(&mut self, fact: Fact) -> bool {
        let session = fact.session();
        let is_new = !self.0.contains_key(&session);
        let waiting = self.0.entry(session).or_default();
        match is_back(waiting, &fact) {
            Some(lost) => drop(waiting.remove(lost)),
            None => waiting.push_back(fact),
        }
        is_new
    }

    /// What is to be told next; `None`: nothing, and whoever sees to the session is done.
    pub(super) fn next(&mut self, session: SessionId) -> Option<Fact> {
        let next = self.0.get_mut(&session).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.0.remove(&session);
        }
        next
    }
}

/// Does this take back what was to be told last of the same publication, and leave it as it was to be told before?
fn is_back(waiting: &VecDeque<Fact>, fact: &Fact) -> Option<usize> {
    let Fact::Seen(Seen { track, what: What::Flows, .. }) = fact else { return None };
    let mut of_track = waiting.iter().enumerate().rev().filter_map(|(index, fact)| match fact {
        Fact::Seen(seen) if seen.track == *track => Some((index, seen.what)),
        _ => None,
    });
    match (of_track.next()?, of_track.next()?) {
        ((lost, What::Stops), (_, What::Flows)) => Some(lost),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn session(number: u128) -> SessionId {
        Uuid::from_u128(number).into()
    }

    fn seen(number: u128, track: &str, what: What) -> Fact {
        let (participant, track) = (Uuid::from_u128(3).into(), track.parse().unwrap());
        Fact::Seen(Seen { session: session(number), participant, track, what, at: DateTime::UNIX_EPOCH })
    }

    fn all(untold: &mut Untold, number: u128) -> Vec<(String, What)> {
        let next = std::iter::from_fn(|| untold.next(session(number)));
        next.map(|fact| match fact {
            Fact::Seen(seen) => (seen.track.to_string(), seen.what),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn each_session_has_its_own_in_order() {
        let (mut untold, over) = (Untold::default(), What::Ended { segments: 1 });
        assert!(untold.add(seen(1, "caller-1", What::Flows)));
        assert!(untold.add(seen(2, "caller-1", What::Flows)));
        assert!(!untold.add(seen(1, "caller-1", over)));
        assert_eq!(all(&mut untold, 1), [("caller-1".to_owned(), What::Flows), ("caller-1".to_owned(), over)]);
        assert!(untold.add(seen(1, "caller-2", What::Flows)), "nobody sees to it any more");
        assert_eq!(all(&mut untold, 2).len(), 1);
    }

    #[test]
    fn who_comes_and_goes_without_end_is_not_remembered_without_end() {
        let mut untold = Untold::default();
        for _ in 0..1_000 {
            for what in [What::Flows, What::Stops] {
                untold.add(seen(1, "caller-1", what));
                untold.add(seen(1, "officer-1", what));
            }
        }
        assert_eq!(all(&mut untold, 1).len(), 4);

        // The first is being told.
        untold.add(seen(1, "caller-1", What::Stops));
        let told = untold.next(session(1)).unwrap();
        untold.add(seen(1, "caller-1", What::Flows));
        assert!(matches!(told, Fact::Seen(Seen { what: What::Stops, .. })));
        assert_eq!(all(&mut untold, 1), [("caller-1".to_owned(), What::Flows)], "or they would be gone for good");
    }
}
