//! Time: clocks that are near or have run out. Driven by the next of them and by every new one. Any number of replicas may run it: each
//! takes what no other has locked. The system's clock may jump: a sleep looks at it at least once a minute (`chassis::Clock`), and what is
//! said of a clock is kept beside it, so that forwards both are said, within that minute, and backwards nothing twice.

use std::time::Duration;

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use outbox::Scope;

use super::App;
use crate::{
    error::Error,
    events::deadlines,
    store::{self, Fallen, Looker},
};

/// How many clocks are raised in one transaction: their cases can't be worked on meanwhile.
const BATCH: i64 = 100;

/// The wait for a case that is being worked on.
const LOCKED: Duration = Duration::from_millis(50);

impl App {
    /// Raises what is near or missed until the shutdown.
    pub async fn run_ticker(self, shutdown: Shutdown) {
        let mut pause = Duration::from_millis(100);
        // The ear first, then the look: nothing can fall between.
        let mut news = self.due.subscribe(Looker::Ticker);
        while !shutdown.is_requested() {
            match self.tick().await {
                Ok(next) => {
                    pause = Duration::from_millis(100);
                    let due = async {
                        match next {
                            // Its case is locked, by an officer or another replica. The machine's own time: a test's would stand still.
                            Some(next) if next <= self.clock.now() => tokio::time::sleep(LOCKED).await,
                            Some(next) => self.clock.sleep_until(next).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = shutdown.requested() => {}
                        () = news.news() => {}
                        () = due => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(error = chassis::chain(&error), "clocks are not kept");
                    shutdown.or(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    /// Raises all that is to be raised by now, batch by batch, the first due first; when something is next.
    ///
    /// # Errors
    /// The database is away: what was committed is raised, the rest isn't.
    pub async fn tick(&self) -> Result<Option<DateTime<Utc>>, Error> {
        while self.raise(BATCH).await? == BATCH {}
        Ok(store::next_clock(&self.store).await?)
    }

    /// One batch, in one transaction; how many.
    async fn raise(&self, limit: i64) -> Result<i64, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("raise", Scope::All).await?;
        let fallen = store::fallen_clocks(&mut tx, now, limit).await?;
        let (mut clocks, mut calls, mut events) = (vec![], vec![], vec![]);
        for Fallen { on, deadline, trace } in fallen {
            let (deadline, raised) = deadline.tick(now);
            let fallen = Fallen { on, deadline, trace };
            events.extend(raised.into_iter().map(|raised| deadlines::publish(&fallen, raised, now)));
            calls.push(fallen.on.call);
            clocks.push(fallen.deadline);
        }
        if clocks.is_empty() {
            return Ok(0);
        }
        store::save_clocks(&mut tx, &clocks).await?;
        store::touch_all(&mut tx, &calls).await?;
        outbox::write_in_tx(&mut tx, &self.entropy, now, events).await?;
        store::commit(tx).await?;
        tracing::info!(clocks = clocks.len(), "clocks raised");
        Ok(i64::try_from(clocks.len()).unwrap_or(i64::MAX))
    }
}
