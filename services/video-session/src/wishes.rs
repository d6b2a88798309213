//! Photographs that were asked for: what the caller's page is told, and what it may send. In memory only: a wish that a restart has
//! lost is asked for anew.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use ids::SessionId;
use tokio::sync::watch;

/// A wish that nobody has met by then is none any more.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);

/// The wishes. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Wishes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    open: Mutex<HashMap<SessionId, Wish>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Wish {
    /// The how-manieth wish of all: a page is told of each once.
    number: u64,
    asked_at: DateTime<Utc>,
    /// What met it, by its hash: a photograph that is sent again is the same one.
    met: Option<([u8; 32], u32)>,
}

/// What may be done with a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is kept as the next one.
    Anew,
    /// It was kept, as this one.
    Before(u32),
    /// Nobody has asked for it.
    Not,
}

impl Default for Wishes {
    fn default() -> Self {
        Self(Arc::new(Inner { open: Mutex::default(), changes: watch::Sender::new(0) }))
    }
}

impl Wishes {
    /// The officer wants a photograph.
    pub fn ask(&self, session: SessionId, now: DateTime<Utc>) {
        let mut open = self.open();
        open.retain(|_, wish| now - wish.asked_at < GOOD_FOR);
        let number = *self.0.changes.borrow() + 1;
        open.insert(session, Wish { number, asked_at: now, met: None });
        self.0.changes.send_replace(number);
    }

    /// The number of the wish that is open, if one is.
    #[must_use]
    pub fn number(&self, session: SessionId, now: DateTime<Utc>) -> Option<u64> {
        let open = self.open();
        let wish = open.get(&session).filter(|wish| wish.met.is_none() && now - wish.asked_at < GOOD_FOR);
        wish.map(|wish| wish.number)
    }

    /// Was this photograph asked for?
    #[must_use]
    pub fn asked(&self, session: SessionId, sha256: &[u8; 32], now: DateTime<Utc>) -> Asked {
        match self.open().get(&session).filter(|wish| now - wish.asked_at < GOOD_FOR) {
            None => Asked::Not,
            Some(Wish { met: None, .. }) => Asked::Anew,
            Some(Wish { met: Some((met, number)), .. }) if met == sha256 => Asked::Before(*number),
            Some(_) => Asked::Not,
        }
    }

    /// This photograph has met the wish.
    pub fn met(&self, session: SessionId, sha256: [u8; 32], number: u32) {
        if let Some(wish) = self.open().get_mut(&session) {
            wish.met = Some((sha256, number));
        }
    }

    /// Wakes at every wish.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Wish>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_wish_is_met_once_and_not_for_ever_open() {
        let (wishes, now) = (Wishes::default(), DateTime::UNIX_EPOCH);
        let [one, other] = [1, 2].map(|n| SessionId::from(Uuid::from_u128(n)));
        assert_eq!(wishes.asked(one, &[1; 32], now), Asked::Not);
        wishes.ask(one, now);
        assert_eq!((wishes.number(one, now), wishes.number(other, now)), (Some(1), None));
        assert_eq!(wishes.asked(one, &[1; 32], now), Asked::Anew);
        wishes.met(one, [1; 32], 7);
        assert_eq!((wishes.number(one, now), wishes.asked(one, &[1; 32], now)), (None, Asked::Before(7)));
        assert_eq!(wishes.asked(one, &[2; 32], now), Asked::Not, "one wish, one photograph");
        wishes.ask(one, now);
        assert_eq!((wishes.number(one, now), wishes.asked(one, &[2; 32], now)), (Some(2), Asked::Anew));
        let later = now + GOOD_FOR;
        assert_eq!((wishes.number(one, later), wishes.asked(one, &[2; 32], later)), (None, Asked::Not));
    }
}
