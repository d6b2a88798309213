//! Time at the desk: offers, presences and waits that run out, pauses that end. Driven by the clock, and by every change
//! of a desk. Any number of replicas may run it: who comes second to a desk finds nothing due.

use std::time::Duration;

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use ids::ForceId;
use tracing::{Instrument, info_span};

use super::App;
use crate::{
    domain::AlertKind,
    error::Error,
    store::{self, Kept, Wakes},
};

impl App {
    /// Does what time brings until the shutdown.
    pub async fn run_ticker(&self, wakes: &Wakes, shutdown: Shutdown) {
        let mut seen = DateTime::UNIX_EPOCH;
        let mut pause = Duration::from_millis(100);
        let mut changes = wakes.subscribe();
        while !shutdown.is_requested() {
            let now = self.clock.now();
            match self.tick_all(seen, now).await {
                Ok(next) => {
                    seen = now;
                    pause = Duration::from_millis(100);
                    let due = async {
                        match next {
                            Some(next) => self.clock.sleep_until(next).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = shutdown.requested() => {}
                        () = changes.changed(None) => {}
                        () = due => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(error = chassis::chain(&error), "the desk's clock failed");
                    // The machine's own time: a test's clock would not move.
                    shutdown.or(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    async fn tick_all(&self, seen: DateTime<Utc>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        for force in store::due(&self.pool, seen, now).await? {
            self.tick(&force).await?;
        }
        store::next_deadline(&self.pool, now).await
    }

    /// Ends what has run out at one desk, and matches again.
    pub async fn tick(&self, force: &ForceId) -> Result<(), Error> {
        let mut tx = store::begin(&self.pool, "tick").await?;
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        for officer in store::lapsed(&mut tx, force, now).await? {
            let id = officer.id.clone();
            if let Some(gone) = officer.lapse(now) {
                store::save_officer(&mut tx, &gone).await?;
            }
            if let Some(Kept { call, trace, .. }) = store::call_of(&mut tx, force, &id).await?
                && let Some(step) = call.officer_gone(&id, now)
            {
                let span = trace.follow(info_span!("officer_gone"));
                self.perform(&mut tx, step, &trace, now).instrument(span).await?;
            }
        }
        let mut long = Vec::new();
        for Kept { mut call, trace, .. } in store::waiting(&mut tx, force).await? {
            if call.waits.long_at <= now {
                long.push(call.id);
            }
            if let Some(step) = call.clone().expire(now) {
                if let Some(pass) = step.call.passes.last()
                    && let Some(officer) = store::officer(&mut tx, force, &pass.officer).await?
                {
                    store::save_officer(&mut tx, &officer.to_the_back(now)).await?;
                }
                call = step.call.clone();
                let span = trace.follow(info_span!("offer_expired"));
                self.perform(&mut tx, step, &trace, now).instrument(span).await?;
            }
            if let Some(step) = call.overdue(now) {
                let span = trace.follow(info_span!("wait_limit"));
                self.perform(&mut tx, step, &trace, now).instrument(span).await?;
            }
        }
        store::raise_once(&mut tx, force, &long, AlertKind::WaitsLong, now).await?;
        self.match_desk(&mut tx, force, now).await?;
        tx.commit().await?;
        Ok(())
    }
}
