//! A watch on a call, or on a force: its log from some sequence on, page by page, then whatever is added.
//!
//! One listener feeds all watches of the process (`outbox::Wakeups`). Both logs are gapless to whoever reads them:
//! numbers are taken under a lock that is held until the commit, the call's row for the one and the force's for the
//! other (store/force.rs).

use std::collections::VecDeque;

use ids::ForceId;
use outbox::Wakeup;

use super::{Intake, On};
use crate::{
    domain::{ForceNews, Told, Update},
    error::Error,
    store::{self, Store, Topic},
};

/// How many updates are read at once.
const PAGE: i64 = 100;

/// The watches of this process.
pub type Wakeups = outbox::Wakeups<Topic>;

/// What a watch reads.
pub trait Log: Send + Sync {
    /// What it tells.
    type Update: Send;

    /// The next page of what came after that sequence, oldest first.
    fn after(&self, sequence: u64) -> impl Future<Output = Result<Vec<Told<Self::Update>>, Error>> + Send;

    /// Nothing will ever come after that sequence.
    fn ends_at(&self, sequence: u64) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// The log of a call: it ends with the call.
#[derive(Debug)]
pub struct CallLog {
    store: Store,
    on: On,
}

/// The log of a force: it has no end.
#[derive(Debug)]
pub struct ForceLog {
    store: Store,
    force: ForceId,
}

/// A log being watched.
#[derive(Debug)]
pub struct Watch<L: Log> {
    log: L,
    wakeup: Wakeup<Topic>,
    after: u64,
    page: VecDeque<Told<L::Update>>,
}

impl Intake {
    /// All that happens to the call after that sequence.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn watch_call(&self, on: On, after: u64) -> Result<Watch<CallLog>, Error> {
        // The ear first, then the look: nothing can fall between.
        let wakeup = self.wakeups.subscribe(Topic::Call(on.call));
        self.store.call(&on.force, on.call).await?.ok_or(Error::UnknownCall)?;
        Ok(Watch { log: CallLog { store: self.store.clone(), on }, wakeup, after, page: VecDeque::new() })
    }

    /// What the force's control room must see of all its calls, after that sequence.
    #[must_use]
    pub fn watch_force(&self, force: ForceId, after: u64) -> Watch<ForceLog> {
        let wakeup = self.wakeups.subscribe(Topic::Force(force.clone()));
        Watch { log: ForceLog { store: self.store.clone(), force }, wakeup, after, page: VecDeque::new() }
    }
}

impl Log for CallLog {
    type Update = Update;

    async fn after(&self, sequence: u64) -> Result<Vec<Told>, Error> {
        Ok(store::updates_after(&self.store, (&self.on.force, self.on.call), sequence, PAGE).await?)
    }

    async fn ends_at(&self, sequence: u64) -> Result<bool, Error> {
        let call = self.store.call(&self.on.force, self.on.call).await?.ok_or(Error::UnknownCall)?;
        Ok(call.is_over() && sequence >= call.told)
    }
}

impl Log for ForceLog {
    type Update = ForceNews;

    async fn after(&self, sequence: u64) -> Result<Vec<Told<ForceNews>>, Error> {
        Ok(store::force_updates_after(&self.store, &self.force, sequence, PAGE).await?)
    }

    async fn ends_at(&self, _: u64) -> Result<bool, Error> {
        Ok(false)
    }
}

impl<L: Log> Watch<L> {
    /// The next update; waits for it. `None` once nothing more is to come.
    ///
    /// # Errors
    /// The database is away: the watch is to be taken up again from the last sequence.
    pub async fn next(&mut self) -> Result<Option<Told<L::Update>>, Error> {
        loop {
            if let Some(told) = self.page.pop_front() {
                self.after = told.sequence;
                return Ok(Some(told));
            }
            self.page = self.log.after(self.after).await?.into();
            if !self.page.is_empty() {
                continue;
            }
            if self.log.ends_at(self.after).await? {
                return Ok(None);
            }
            // What was added since the look wakes at once.
            self.wakeup.news().await;
        }
    }
}
