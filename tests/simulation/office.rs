//! One service: its state, its inbox and its outbox, which commit together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ids::{CallId, EventId};
use outbox::{Delivery, NewEvent};
use uuid::Uuid;

/// What a service does with what it hears.
pub trait Party: Clone {
    /// As it is called on the bus.
    const NAME: &'static str;

    /// Whether it hears that event of that service.
    fn hears(source: &str, name: &str) -> bool;

    /// Hears an event: what it says of it.
    ///
    /// # Errors
    /// What the service would call a person for.
    fn hear(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String>;
}

/// Any of them, as the bus knows it.
pub trait OnTheBus {
    /// Whether it hears that event of that service.
    fn hears(&self, source: &str, name: &str) -> bool;

    /// Hears an event, once: true if it is known from here on.
    ///
    /// # Errors
    /// As [`Party::hear`].
    fn hear(&mut self, delivery: &Delivery, fate: Fate, now: DateTime<Utc>) -> Result<bool, String>;

    /// What isn't known to be published: of each call the first one may go.
    fn unpublished(&self) -> &[Delivery];

    /// That one is published, and it is known.
    fn published(&mut self, event: EventId);
}

/// A party with a database of its own.
#[derive(Debug, Clone)]
pub struct Office<P> {
    pub party: P,
    inbox: BTreeSet<EventId>,
    /// Committed, and not known to be published.
    outbox: Vec<Delivery>,
    versions: BTreeMap<CallId, u64>,
    written: u64,
}

/// Where a transaction comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It commits.
    Commits,
    /// The process dies before that.
    Dies,
}

impl<P: Party> Office<P> {
    pub fn new(party: P) -> Self {
        Self { party, inbox: BTreeSet::new(), outbox: Vec::new(), versions: BTreeMap::new(), written: 0 }
    }

    /// Somebody asks for something, or time has come for it.
    pub fn act(&mut self, fate: Fate, act: impl FnOnce(&mut P) -> Vec<NewEvent>) {
        match fate {
            Fate::Commits => {
                let events = act(&mut self.party);
                self.write(events);
            }
            // On a copy, which dies with it.
            Fate::Dies => drop(act(&mut self.party.clone())),
        }
    }

    fn write(&mut self, events: Vec<NewEvent>) {
        for event in events {
            self.written += 1;
            let version = self.versions.entry(event.call).or_default();
            *version += 1;
            // Of one service, its nth: another service's has another first half.
            let id =
                Uuid::from_u64_pair(P::NAME.bytes().fold(7, |hash, byte| hash * 31 + u64::from(byte)), self.written);
            self.outbox.push(Delivery::handed_over(event, id.into(), P::NAME, *version));
        }
    }
}

impl<P: Party> OnTheBus for Office<P> {
    fn hears(&self, source: &str, name: &str) -> bool {
        P::hears(source, name)
    }

    fn hear(&mut self, delivery: &Delivery, fate: Fate, now: DateTime<Utc>) -> Result<bool, String> {
        if self.inbox.contains(&delivery.event) {
            return Ok(true);
        }
        if fate == Fate::Dies {
            // On a copy, which dies with it.
            return self.party.clone().hear(delivery, now).map(|_| false);
        }
        let events = self.party.hear(delivery, now)?;
        self.inbox.insert(delivery.event);
        self.write(events);
        Ok(true)
    }

    fn unpublished(&self) -> &[Delivery] {
        &self.outbox
    }

    fn published(&mut self, event: EventId) {
        self.outbox.retain(|one| one.event != event);
    }
}
