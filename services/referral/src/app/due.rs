//! What of a force a person has to see to: clocks that run, are near or have run out.

use chassis::Shutdown;
use ids::ForceId;
use outbox::Wakeup;
use sqlx::PgPool;

use super::App;
use crate::{
    error::Error,
    store::{self, DueClock, Looker, Place},
};

/// As many does a sergeant's screen show.
const WATCHED: i64 = 100;

/// What is near or missed in a force, being watched.
#[derive(Debug)]
pub struct DueWatch {
    app: App,
    force: ForceId,
    wakeup: Wakeup<Looker>,
    seen: Option<Vec<DueClock>>,
}

impl App {
    /// A page of a force's open clocks, the next due first, and where it ended unless it was the last.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list_due(
        &self,
        force: &ForceId,
        after: Option<Place>,
        size: u16,
    ) -> Result<(Vec<DueClock>, Option<Place>), Error> {
        // One more than is asked for says whether there is a next page.
        let mut due = store::due_clocks(&self.store, force, false, after, i64::from(size) + 1).await?;
        let is_more = due.len() > usize::from(size);
        due.truncate(size.into());
        let last = due.last().filter(|_| is_more).map(|due| &due.deadline);
        let last = last.map(|clock| Place { due_at: clock.due_at, clock: clock.id });
        Ok((due, last))
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
    pub async fn next(&mut self) -> Result<Vec<DueClock>, Error> {
        loop {
            let due = store::due_clocks(&self.app.store, &self.force, true, None, WATCHED).await?;
            if self.seen.as_ref() != Some(&due) {
                self.seen = Some(due.clone());
                return Ok(due);
            }
            // What has changed since the look wakes at once.
            self.wakeup.news().await;
        }
    }
}
