//! How fast one may ask: a participant make, patch and delete resources (RFC 9725, section 5) and write, a token be shown at all, and
//! an address show tokens that nobody holds. No page of ours comes near any of these.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use ids::ParticipantId;

use crate::{bucket::Bucket, keys::Token};

const REMEMBERED: usize = 10_000;
/// Requests a minute that change something, and at once.
const CHANGES: u32 = 60;
/// Twice what is kept of a writer: a line that is sent again is no new one.
const LINES: u32 = 120;
/// Taps a minute, there and back: more than fingers do.
const TAPS: u32 = 120;
/// Of all kinds, of one token.
const REQUESTS: u32 = 300;

/// So many a minute, and as many at once.
pub(super) fn a_minute(many: u32, now: DateTime<Utc>) -> Bucket {
    Bucket::full(f64::from(many) / 60.0, many.into(), counted(now))
}

/// The wall clock, as a bucket counts it.
pub(super) fn counted(now: DateTime<Utc>) -> Duration {
    Duration::from_micros(now.timestamp_micros().try_into().unwrap_or_default())
}

/// The paces of those who hold a token.
#[derive(Debug)]
pub struct Paces {
    changes: Mutex<Pace<ParticipantId>>,
    lines: Mutex<Pace<ParticipantId>>,
    taps: Mutex<Pace<ParticipantId>>,
    tokens: Mutex<Pace<[u8; 32]>>,
}

impl Default for Paces {
    fn default() -> Self {
        let [changes, lines, taps] = [CHANGES, LINES, TAPS].map(|each| Mutex::new(Pace::new(each)));
        Self { changes, lines, taps, tokens: Mutex::new(Pace::new(REQUESTS)) }
    }
}

impl Paces {
    /// They make, change or end something. False: too fast.
    pub(super) fn asks(&self, who: ParticipantId, now: DateTime<Utc>) -> bool {
        lock(&self.changes).take(who, now)
    }

    /// They write a line. False: too fast.
    pub(super) fn writes(&self, who: ParticipantId, now: DateTime<Utc>) -> bool {
        lock(&self.lines).take(who, now)
    }

    /// They cover the call, or come back. False: too fast.
    pub(super) fn taps(&self, who: ParticipantId, now: DateTime<Utc>) -> bool {
        lock(&self.taps).take(who, now)
    }

    /// Was this token shown too often to be looked up once more?
    pub(super) fn is_hasty(&self, token: &Token, now: DateTime<Utc>) -> bool {
        lock(&self.tokens).is_spent(token.hash(), now)
    }

    /// It was shown, and is somebody's. Of others nothing is remembered: there is no end to them.
    pub(super) fn shown(&self, token: &Token, now: DateTime<Utc>) {
        lock(&self.tokens).take(token.hash(), now);
    }
}

fn lock<K>(pace: &Mutex<Pace<K>>) -> MutexGuard<'_, Pace<K>> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How fast each of them asks.
pub(super) struct Pace<K> {
    each: u32,
    asked: HashMap<K, Bucket>,
}

impl<K> Pace<K> {
    /// So many a minute for each, and as many at once.
    pub(super) fn new(each: u32) -> Self {
        Self { each, asked: HashMap::new() }
    }
}

impl<K: Hash + Eq> Pace<K> {
    /// Asks for one request. False: too fast.
    pub(super) fn take(&mut self, who: K, now: DateTime<Utc>) -> bool {
        if self.asked.len() >= REMEMBERED {
            // Whoever's bucket is full again need not be remembered.
            self.asked.retain(|_, bucket| !bucket.is_full(counted(now)));
        }
        let each = self.each;
        self.asked.entry(who).or_insert_with(|| a_minute(each, now)).take(counted(now), 1.0)
    }

    /// Would it be too fast?
    pub(super) fn is_spent(&mut self, who: K, now: DateTime<Utc>) -> bool {
        self.asked.get_mut(&who).is_some_and(|bucket| bucket.left(counted(now)) < 1.0)
    }
}

impl<K> std::fmt::Debug for Pace<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace").field("remembered", &self.asked.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_participant_has_a_pace_of_their_own() {
        let paces = Paces::default();
        let [fast, slow] = [1, 2].map(|number| ParticipantId::from(uuid::Uuid::from_u128(number)));
        assert_eq!((0..100).filter(|_| paces.asks(fast, at(0))).count(), 60);
        assert!(
            paces.asks(slow, at(0)) && paces.writes(fast, at(0)),
            "nor has it to do with another's, or with writing"
        );
        assert!(paces.asks(fast, at(1)) && !paces.asks(fast, at(1)), "one a second after that");
    }
}
