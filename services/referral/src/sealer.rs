//! Brings packages to evidence-store: claims one, brings it, and writes down how far that came. In several replicas: no two have the same
//! in hand. A process that dies leaves a claim behind that runs out; what it had brought by then is found again by its ids.

use std::{sync::Arc, time::Duration};

use chassis::Shutdown;
use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::{
    app::App,
    config,
    courier::listen,
    domain::sealing::Attempt,
    records::Records,
    store::sealings::{Claimed, NEWS},
};

/// How long a row that is due may be locked by what writes it.
const A_MOMENT: TimeDelta = TimeDelta::milliseconds(100);
/// The pause between attempts at our own database.
const PAUSE: Duration = Duration::from_millis(500);

/// The worker of this process.
#[derive(Debug)]
pub struct Sealer {
    app: App,
    records: Records,
    /// So long an attempt may take.
    within: Duration,
}

impl Sealer {
    /// By this way to evidence-store.
    #[must_use]
    pub fn new(app: App, records: Records, config: &config::Sealing) -> Self {
        Self { app, records, within: Duration::from_millis(config.attempt_within_ms.into()) }
    }

    /// Brings packages until the shutdown.
    pub async fn run(self, pool: PgPool, shutdown: Shutdown) {
        let news = Arc::new(Notify::new());
        tokio::join!(listen(&pool, NEWS, &news, &shutdown), self.work(&news, &shutdown));
    }

    async fn work(&self, news: &Notify, shutdown: &Shutdown) {
        while !shutdown.is_requested() {
            match self.app.claim_sealing(self.lease()).await {
                Ok(Some(claimed)) => {
                    // What an attempt that is cut short has brought is found by the next.
                    shutdown.or(self.bring(&claimed)).await;
                }
                Ok(None) => {
                    // When the database is away the next round says so.
                    let Ok(due) = self.app.sealing_due().await else { continue };
                    // What is due now is in another's hands for a moment.
                    let due = due.map(|due| due.max(self.app.now() + A_MOMENT));
                    tokio::select! {
                        () = shutdown.requested() => {}
                        () = news.notified() => {}
                        () = self.app.until(due) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(error = chassis::chain(&error), "packages on their way can't be read");
                    // The machine's own time: a test's clock would not move.
                    shutdown.or(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
    }

    /// While a claim holds, an attempt is over, and what came of it is written down.
    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.within * 2).unwrap_or(TimeDelta::MAX)
    }

    async fn bring(&self, claimed: &Claimed) {
        let bringing = tokio::time::timeout(self.within, self.records.bring(claimed, self.app.now()));
        let attempt = bringing.await.unwrap_or_else(|_| Attempt::Later("TOO_SLOW".to_owned()));
        let (call, number, attempts) = (claimed.sealing.call, claimed.sealing.number, claimed.attempts);
        match &attempt {
            Attempt::Sealed(..) => tracing::info!(%call, number, attempts, "package sealed"),
            Attempt::Added(_) => tracing::info!(%call, number, attempts, "package brought, and not sealed yet"),
            Attempt::Later(why) => tracing::warn!(%call, number, attempts, why, "package not brought yet"),
            Attempt::Never(why) => tracing::error!(%call, number, attempts, why, "a package can't be sealed"),
        }
        // What isn't written down is tried again when the claim has run out.
        if let Err(error) = self.app.settle_sealing(claimed, &attempt).await {
            tracing::warn!(%call, number, error = chassis::chain(&error), "what became of a package can't be kept");
        }
    }
}
