//! The sealing worker: whatever has ended gets sealed, by this process or, after a crash, by the next.

use std::{sync::atomic::Ordering, time::Duration};

use chassis::Shutdown;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use ids::ExhibitId;
use sqlx::postgres::PgListener;

use super::{App, Step};
use crate::{error::Error, store};

/// How long a step that failed is left alone.
const AFTER_FAILURE: TimeDelta = TimeDelta::seconds(10);
/// Notifications are only sent to who listens: this catches what was missed.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(30);
/// Exhibits sealed side by side.
const AT_ONCE: usize = 8;

impl App {
    /// Seals until the shutdown.
    pub async fn seal_all(self, shutdown: Shutdown) {
        let listening = {
            let (app, shutdown) = (self.clone(), shutdown.clone());
            tokio::spawn(async move { app.listen(shutdown).await })
        };
        loop {
            let next = match shutdown.or(self.seal_ended()).await {
                None => break,
                Some(Ok(next)) => next,
                Some(Err(error)) => {
                    tracing::warn!(error = chassis::chain(&error), "sealing waits");
                    self.clock.now() + AFTER_FAILURE
                }
            };
            tokio::select! {
                () = self.waiting.wake.notified() => {}
                () = self.clock.sleep_until(next) => {}
                () = shutdown.requested() => break,
            }
        }
        listening.abort();
    }

    /// Seals what can be sealed, and says when to look again at the latest.
    async fn seal_ended(&self) -> Result<DateTime<Utc>, Error> {
        // A segment that comes in while we look must not go unheard.
        self.waiting.owed.store(true, Ordering::Relaxed);
        let mut tx = self.store.begin("unsealed").await?;
        let ended = store::unsealed(&mut tx).await?;
        drop(tx);
        let mut next = self.clock.now() + LOOK_AGAIN;
        let mut owed = false;
        let ended = ended.into_iter().filter(|(_, ended)| *ended).map(|(id, _)| self.seal_one(id));
        // Side by side: a long call's reading back doesn't hold up a short one's seal.
        let mut sealing = stream::iter(ended).buffer_unordered(AT_ONCE);
        while let Some((when, waits)) = sealing.next().await {
            next = next.min(when);
            owed |= waits;
        }
        self.waiting.owed.store(owed, Ordering::Relaxed);
        Ok(next)
    }

    /// One exhibit that can't be sealed never keeps the others from it. Says when to look again, and whether segments
    /// are owed.
    async fn seal_one(&self, id: ExhibitId) -> (DateTime<Utc>, bool) {
        loop {
            match self.step(id).await {
                Ok(Step::Done) => {}
                Ok(Step::Sealed | Step::SessionNotEnded) => return (DateTime::<Utc>::MAX_UTC, false),
                Ok(Step::WaitUntil(when)) => return (when, true),
                Err(error) => {
                    if error.is_away() {
                        tracing::warn!(exhibit = %id, error = chassis::chain(&error), "sealing waits");
                    } else {
                        tracing::error!(exhibit = %id, error = chassis::chain(&error), "can't seal");
                    }
                    return (self.clock.now() + AFTER_FAILURE, false);
                }
            }
        }
    }

    /// Wakes the worker at every SessionEnded, whichever process took it in.
    async fn listen(&self, shutdown: Shutdown) {
        loop {
            let listened: Result<(), sqlx::Error> = async {
                let mut listener = PgListener::connect_with(self.store.pool()).await?;
                listener.listen("evidence_sealing").await?;
                loop {
                    self.waiting.wake.notify_one();
                    listener.recv().await?;
                }
            }
            .await;
            if let Err(error) = listened {
                tracing::debug!(%error, "not listening");
            }
            if shutdown.or(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
                return;
            }
        }
    }
}
