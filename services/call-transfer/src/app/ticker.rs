//! Time at the desk: offers, presences and waits that run out, pauses that end, call-backs that are due, shifts and loans
//! that begin and end. Driven by the clock, and by every change
//! of a desk. Any number of replicas may run it: who comes second to a desk finds nothing due.

use std::{collections::BTreeSet, time::Duration};

use chassis::Shutdown;
use chrono::{DateTime, Utc};
use ids::ForceId;
use outbox::Scope;
use tracing::{Instrument, info_span};

use super::App;
use crate::{
    domain::AlertKind,
    error::Error,
    store::{self, Kept, Wakes},
};

/// A desk that fails is tried again after this long at most; what is due at the others meanwhile is late by no more.
const RETRY: Duration = Duration::from_secs(1);

impl App {
    /// Does what time brings until the shutdown.
    pub async fn run_ticker(&self, wakes: &Wakes, shutdown: Shutdown) {
        let mut seen = DateTime::UNIX_EPOCH;
        let mut failed = BTreeSet::new();
        let mut pause = Duration::from_millis(100);
        let mut changes = wakes.subscribe();
        while !shutdown.is_requested() {
            let now = self.clock.now();
            match self.tick_all(seen, now, &mut failed).await {
                Ok(next) => {
                    seen = now;
                    let is_well = failed.is_empty();
                    pause = if is_well { Duration::from_millis(100) } else { (pause * 2).min(RETRY) };
                    let due = async {
                        match next {
                            // What is due at a desk that fails is past: others may not be kept waiting, nor we run hot.
                            _ if !is_well => tokio::time::sleep(pause).await,
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

    /// Ticks every desk for which time brought something, and those that failed the last time. One that fails now, and
    /// is then in `failed`, keeps no other from its turn.
    async fn tick_all(
        &self,
        seen: DateTime<Utc>,
        now: DateTime<Utc>,
        failed: &mut BTreeSet<ForceId>,
    ) -> Result<Option<DateTime<Utc>>, Error> {
        let due = store::due(&self.pool, seen, now).await?;
        let due: BTreeSet<ForceId> = due.into_iter().chain(std::mem::take(failed)).collect();
        for force in due {
            if let Err(error) = self.tick(&force).await {
                tracing::warn!(%force, error = chassis::chain(&error), "a desk's clock failed");
                failed.insert(force);
            }
        }
        store::next_deadline(&self.pool, now).await
    }

    /// Ends what has run out at one desk, and matches again.
    pub async fn tick(&self, force: &ForceId) -> Result<(), Error> {
        let mut tx = store::begin(&self.pool, "tick", Scope::Force(force)).await?;
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
        for Kept { call, trace, .. } in store::waiting(&mut tx, force).await? {
            if call.waits.long_at <= now {
                long.push(call.id);
            }
            if let Some(step) = call.expire(now) {
                if let Some(pass) = step.call.passes.last()
                    && let Some(officer) = store::officer(&mut tx, force, &pass.officer).await?
                {
                    store::save_officer(&mut tx, &officer.to_the_back(now)).await?;
                }
                let span = trace.follow(info_span!("offer_expired"));
                self.perform(&mut tx, step, &trace, now).instrument(span).await?;
            }
        }
        self.tick_callbacks(&mut tx, force, now).await?;
        store::raise_once(&mut tx, force, &long, AlertKind::WaitsLong, now).await?;
        self.match_desk(&mut tx, force, now).await?;
        tx.commit().await?;
        Ok(())
    }
}
