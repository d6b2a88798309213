//! Clocks of a case: begun and stopped by the use cases that work on it, in their transactions, its row locked.

use chrono::{DateTime, Utc};
use ids::ReferralId;
use outbox::Tx;

use super::{App, On};
use crate::{
    domain::clock::{Deadline, Milestone},
    error::Error,
    store,
};

/// From when a clock runs, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Of which referral; of the call itself without.
    pub referral: Option<ReferralId>,
    /// Whose school terms count. Without one, or of one that no calendar knows, every working day is a school day.
    pub area: Option<&'a str>,
    /// From when on: the application, the incident, the moment when it was sent.
    pub from: DateTime<Utc>,
}

/// What was done, and which clocks that stops.
#[derive(Debug, Clone, Copy)]
pub enum Done<'a> {
    /// A referral came so far: its clocks that end with that, or with something before it. A withdrawal is an outcome.
    Referral(ReferralId, Milestone),
    /// What the call's own clock of that key is for.
    Key(&'a str),
}

impl App {
    /// Begins the clock of that key. Start again for the same, it is the one that is there. Whoever calls touches the case.
    ///
    /// # Errors
    /// The books have no such clock, or the database is away.
    pub async fn start_clock(&self, tx: &mut Tx, on: &On, key: &str, begun: Start<'_>) -> Result<(), Error> {
        let kind = self.books.clocks.get(key).ok_or_else(|| Error::UnknownClock(key.to_owned()))?;
        let due_at = kind.due_at(begun.from, &self.books.calendar, begun.area);
        let clock = Deadline {
            id: self.entropy.id(self.clock.now()),
            key: kind.key.clone(),
            title: kind.title.clone(),
            source: kind.source.clone(),
            referral: begun.referral,
            ends_with: kind.ends_with,
            started_at: begun.from,
            near_at: kind.near_at(begun.from, due_at),
            due_at,
            near_raised_at: None,
            missed_raised_at: None,
            stopped_at: None,
        };
        Ok(store::insert_clock(tx, on, &clock).await?)
    }
}

/// Stops the clocks that what was done at that moment ends. Stopped again, the first time stays. Whoever calls touches the case.
///
/// # Errors
/// The database is away.
pub async fn stop(tx: &mut Tx, on: &On, done: Done<'_>, at: DateTime<Utc>) -> Result<(), Error> {
    let ends = |clock: &Deadline| match done {
        Done::Referral(referral, milestone) => clock.referral == Some(referral) && clock.ends_with <= milestone,
        Done::Key(key) => clock.referral.is_none() && clock.key == key,
    };
    let clocks = store::clocks_of(tx, on).await?.into_iter();
    let stopped: Vec<_> =
        clocks.filter(|clock| clock.stopped_at.is_none() && ends(clock)).map(|c| c.stop(at)).collect();
    Ok(store::save_clocks(tx, &stopped).await?)
}

/// All of the call's clocks, the next due first.
///
/// # Errors
/// The database is away.
pub async fn clocks_of(tx: &mut Tx, on: &On) -> Result<Vec<Deadline>, Error> {
    Ok(store::clocks_of(tx, on).await?)
}
