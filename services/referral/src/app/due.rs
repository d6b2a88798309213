//! What of a force a person has to see to: clocks that run, are near or have run out.

use chassis::Shutdown;
use chrono::TimeDelta;
use ids::ForceId;
use outbox::{Scope, Wakeup};
use sqlx::PgPool;

use super::App;
use crate::{
    error::Error,
    store::{self, DueClock, FailedParcel, Looker, Place},
};

/// As many does a sergeant's screen show.
const WATCHED: i64 = 100;

/// A withdrawal that did not get there is shown for so long: nobody says of it that it was seen to.
const WITHDRAWALS_SHOWN: TimeDelta = TimeDelta::days(14);

/// What is near or missed in a force, being watched.
#[derive(Debug)]
pub struct DueWatch {
    app: App,
    force: ForceId,
    wakeup: Wakeup<Looker>,
    seen: Option<Due>,
}

/// What a person has to see to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// What did not get to its partner, the newest first.
    pub failed: Vec<FailedParcel>,
    /// Clocks, the next due first.
    pub clocks: Vec<DueClock>,
}

impl App {
    /// A page of a force's open clocks, the next due first, and where it ended unless it was the last. The first one begins with what could
    /// not be delivered.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list_due(
        &self,
        force: &ForceId,
        after: Option<Place>,
        size: u16,
    ) -> Result<(Due, Option<Place>), Error> {
        // One more than is asked for says whether there is a next page.
        let mut due = store::due_clocks(&self.store, force, false, after, i64::from(size) + 1).await?;
        let is_more = due.len() > usize::from(size);
        due.truncate(size.into());
        let last = due.last().filter(|_| is_more).map(|due| &due.deadline);
        let last = last.map(|clock| Place { due_at: clock.due_at, clock: clock.id });
        let failed = if after.is_none() { self.failed(force).await? } else { Vec::new() };
        Ok((Due { failed, clocks: due }, last))
    }

    async fn failed(&self, force: &ForceId) -> Result<Vec<FailedParcel>, Error> {
        let mut tx = self.store.reading("failed", Scope::Force(force)).await?;
        Ok(store::failed(&mut tx, force, WATCHED, self.clock.now() - WITHDRAWALS_SHOWN).await?)
    }

    /// What a failed parcel's kind and partner are called, and where they are rung.
    #[must_use]
    pub fn called(&self, force: &ForceId, failed: &FailedParcel) -> (String, String, String) {
        let title = self.title_of(force, &failed.kind);
        let title = if failed.is_withdrawal { format!("Taken back: {title}") } else { title.to_owned() };
        match self.partner(force, &failed.partner) {
            Some(partner) => (title, partner.name.clone(), partner.phone.clone()),
            // The book has them no more.
            None => (title, failed.partner.clone(), String::new()),
        }
    }

    /// What is near or missed in the force, the next due first, as it stands and whenever it has changed.
    #[must_use]
    pub fn watch_due(&self, force: ForceId) -> DueWatch {
        // The ear first, then the look: nothing can fall between.
        let wakeup = self.due.subscribe(Looker::Force(force.clone()));
        DueWatch { app: self.clone(), force, wakeup, seen: None }
    }

    /// Hears of new clocks, and of what was raised or stopped in any process, until the shutdown.
    pub async fn hear_due(self, pool: PgPool, shutdown: Shutdown) {
        self.due.run(pool, (store::DUE, "referral-due"), shutdown).await;
    }
}

impl DueWatch {
    /// What there is, once it is other than was seen last.
    ///
    /// # Errors
    /// The database is away: the watch is to be opened anew.
    pub async fn next(&mut self) -> Result<Due, Error> {
        loop {
            let failed = self.app.failed(&self.force).await?;
            let clocks = store::due_clocks(&self.app.store, &self.force, true, None, WATCHED).await?;
            let due = Due { failed, clocks };
            if self.seen.as_ref() != Some(&due) {
                self.seen = Some(due.clone());
                return Ok(due);
            }
            // What has changed since the look wakes at once.
            self.wakeup.news().await;
        }
    }
}
