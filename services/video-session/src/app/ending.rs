//! How a session ends by itself, and how its end is told.

use ids::{CallId, ForceId, SessionId, TrackName};
use sqlx::PgTransaction;
use tracing::Instrument;

use super::{App, span};
use crate::{
    domain::{EndReason, Ended},
    error::Error,
    events,
    store::{self, Stored},
};
use outbox::Scope;

impl App {
    /// Is it time to give this session up?
    #[must_use]
    pub fn is_given_up(&self, stored: &Stored) -> bool {
        stored.session.gives_up_at(self.patience).is_some_and(|at| at <= self.clock.now())
    }

    /// Nobody is there and nobody came back. Looks again under the lock: somebody may just have come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_up(&self, id: SessionId) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let mut stored = self.lock(&mut tx, id).await?;
        if !self.is_given_up(&stored) {
            return Ok(());
        }
        let span = span(&stored, "give_up");
        async {
            stored.session = stored.session.end(EndReason::BothGone, now).0;
            self.save(&mut tx, &stored, &[], now).await?;
            Ok(tx.commit().await?)
        }
        .instrument(span)
        .await
    }

    /// evidence-store no longer needs our copy of any of a call's segments.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, tx: &mut PgTransaction<'_>, force: &ForceId, call: CallId) -> Result<(), Error> {
        store::release_tracks(tx, force, call).await?;
        Ok(store::mark_released(tx, force, call, self.clock.now()).await?)
    }

    /// evidence-store no longer needs our copy of a call's segments up to these marks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archived(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        marks: &[(TrackName, u64)],
    ) -> Result<(), Error> {
        for (track, mark) in marks {
            store::release_track(tx, force, call, track, *mark).await?;
        }
        Ok(store::mark_released(tx, force, call, self.clock.now()).await?)
    }

    /// Which of these sessions are over, told, and released, every segment of theirs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn released(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, Error> {
        let mut connection = self.begin(Scope::All).await?;
        Ok(store::released(&mut connection, sessions).await?)
    }

    /// Says that the call has ended, and what was recorded of it. Once, and only as its owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce(&self, id: SessionId, spooled: &[(TrackName, u64)]) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::All).await?;
        let mut stored = self.lock(&mut tx, id).await?;
        let (Some(ending), None, true) = (stored.session.ending(), stored.announced_at, self.owns(&stored)) else {
            return Ok(());
        };
        let span = span(&stored, "announce_end");
        async {
            let (session, facts) = stored.session.all_lost(now);
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            store::end_presences(&mut tx, id, Ended::At(now)).await?;
            for (track, segments) in spooled {
                store::save_track(&mut tx, id, track, *segments).await?;
            }
            let tracks = store::list_tracks(&mut tx, id).await?;
            outbox::write_in_tx(&mut tx, &self.entropy, now, [events::session_ended(&stored, ending, &tracks)]).await?;
            store::mark_announced(&mut tx, id, now).await?;
            Ok(tx.commit().await?)
        }
        .instrument(span)
        .await
    }
}
