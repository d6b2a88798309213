//! Time: fast-tracks that nobody took on, places that are to be forgotten. Driven by the clock and by every new deadline.
//! Any number of replicas may run it: who comes second to a call finds nothing due.

use std::time::Duration;

use chassis::Shutdown;
use chrono::{DateTime, Utc};

use super::Intake;
use crate::{
    error::Error,
    store::{self, Topic},
};

impl Intake {
    /// Does what time brings until the shutdown.
    pub async fn run_ticker(&self, shutdown: Shutdown) {
        let mut pause = Duration::from_millis(100);
        // The ear first, then the look: nothing can fall between.
        let mut deadlines = self.wakeups.subscribe(Topic::Deadlines);
        while !shutdown.is_requested() {
            match self.tick(self.clock.now()).await {
                Ok(next) => {
                    pause = Duration::from_millis(100);
                    let due = async {
                        match next {
                            Some(next) => self.clock.sleep_until(next).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = shutdown.requested() => {}
                        () = deadlines.news() => {}
                        () = due => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(error = chassis::chain(&error), "deadlines are not kept");
                    // The machine's own time: a test's clock would not move.
                    shutdown.or(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    /// Does what is due by now; when something is next.
    async fn tick(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        let mut failed = None;
        for due in store::due_fast_tracks(&self.store, now).await? {
            // One that can't be raised holds no other up; it is tried again soon.
            if let Err(error) = self.raise_again(due).await {
                failed.get_or_insert(error);
            }
        }
        store::forget_expired_locations(&self.store, now).await?;
        match failed {
            Some(error) => Err(error),
            None => Ok(store::next_deadline(&self.store).await?),
        }
    }
}
