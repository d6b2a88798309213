//! The sign-ins that hold, by browser.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use ids::OfficerId;
use ring::digest;

use super::{Grant, Officer, Session};

/// A browser's cookie, hashed: whoever reads our memory can't be the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

/// How long sign-ins hold, and how many.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Without an act of the person.
    pub idle: TimeDelta,
    /// In any case.
    pub absolute: TimeDelta,
    /// At once. One more, and whoever has been idle longest signs in again.
    pub most: usize,
}

/// The sign-ins that hold. Each has something attached that goes when it goes, whichever way that is.
#[derive(Debug)]
pub struct Sessions<A> {
    limits: Limits,
    held: HashMap<Key, Held<A>>,
}

#[derive(Debug)]
struct Held<A> {
    session: Session,
    idle_until: DateTime<Utc>,
    absolute_until: DateTime<Utc>,
    attached: A,
}

impl Key {
    /// Of a cookie.
    #[must_use]
    pub fn of(cookie: &str) -> Self {
        let mut key = [0; 32];
        key.copy_from_slice(digest::digest(&digest::SHA256, cookie.as_bytes()).as_ref());
        Self(key)
    }
}

impl<A> Held<A> {
    fn until(&self) -> DateTime<Utc> {
        self.idle_until.min(self.absolute_until)
    }
}

impl<A> Sessions<A> {
    /// None yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, held: HashMap::new() }
    }

    /// Begins one. Answers those that had to make room.
    pub fn begin(&mut self, key: Key, session: Session, attached: A, now: DateTime<Utc>) -> Vec<Session> {
        let mut gone = self.sweep(now);
        while self.held.len() >= self.limits.most.max(1) {
            let oldest = self.held.iter().min_by_key(|(key, held)| (held.idle_until, **key)).map(|(key, _)| *key);
            gone.extend(oldest.and_then(|key| self.end(key)));
        }
        let (idle_until, absolute_until) = (now + self.limits.idle, now + self.limits.absolute);
        self.held.insert(key, Held { session, idle_until, absolute_until, attached });
        gone
    }

    /// One, while it lasts.
    #[must_use]
    pub fn find(&self, key: Key, now: DateTime<Utc>) -> Option<(&Session, &A)> {
        self.held.get(&key).filter(|held| now < held.until()).map(|held| (&held.session, &held.attached))
    }

    /// The person did something: they are there. Nothing prolongs it beyond its end.
    pub fn touch(&mut self, key: Key, now: DateTime<Utc>) -> bool {
        let held = self.held.get_mut(&key).filter(|held| now < held.until());
        held.map(|held| held.idle_until = held.idle_until.max(now + self.limits.idle)).is_some()
    }

    /// The issuer has renewed it, and may know more of the officer by now. Answers the grant if there is no session for
    /// it any more.
    pub fn renew(&mut self, key: Key, grant: Grant, officer: Option<Officer>) -> Option<Grant> {
        let Some(held) = self.held.get_mut(&key) else { return Some(grant) };
        held.session.grant = grant.after(&held.session.grant);
        if let Some(officer) = officer {
            held.session.officer = officer;
        }
        None
    }

    /// Ends one.
    pub fn end(&mut self, key: Key) -> Option<Session> {
        self.held.remove(&key).map(|held| held.session)
    }

    /// Ends all of an officer.
    pub fn end_all(&mut self, officer: &OfficerId) -> Vec<Session> {
        self.end_if(|held| held.session.officer.id == *officer)
    }

    /// Ends those that the issuer knows by this name.
    pub fn end_sid(&mut self, sid: &str) -> Vec<Session> {
        self.end_if(|held| held.session.sid.as_deref() == Some(sid))
    }

    /// Ends those whose time is over.
    pub fn sweep(&mut self, now: DateTime<Utc>) -> Vec<Session> {
        self.end_if(|held| held.until() <= now)
    }

    /// When the next one's time is over, if nobody does anything.
    #[must_use]
    pub fn next_end(&self) -> Option<DateTime<Utc>> {
        self.held.values().map(Held::until).min()
    }

    fn end_if(&mut self, over: impl Fn(&Held<A>) -> bool) -> Vec<Session> {
        self.held.extract_if(|_, held| over(held)).map(|(_, held)| held.session).collect()
    }
}
