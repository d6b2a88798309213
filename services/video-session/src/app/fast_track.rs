//! What the officer asks the control room for, and what is heard of it.

use api::session::v1::{RequestFastTrackRequest, RequestFastTrackResponse};
use chrono::{DateTime, Utc};
use ids::{CallId, FastTrackId, ForceId};
use outbox::{Scope, replay};
use sqlx::PgTransaction;
use tracing::Instrument;

use super::{App, Order, span};
use crate::{
    domain::{Cause, Risk, Session, Taken},
    error::Error,
    events::timestamp,
    store,
};

impl App {
    /// The officer asks for somebody to be sent. The ledger's line is the closer's to write, where the session is carried.
    ///
    /// # Errors
    /// Not the officer's call, no such session, an ended one.
    pub async fn request_fast_track(
        &self,
        order: &Order<RequestFastTrackRequest>,
        what: (Risk, Cause),
    ) -> Result<RequestFastTrackResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "RequestFastTrack", &order.message).await? {
            return Ok(first);
        }
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "request_fast_track");
        async {
            let fresh = self.entropy.id(now);
            let (session, asked, facts) = stored.session.ask_for_unit(fresh, order.officer.clone(), what, now)?;
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            let answer = RequestFastTrackResponse {
                fast_track_id: asked.id.to_string(),
                requested_at: Some(timestamp(asked.requested_at)),
            };
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Nobody took it on, and the control room was told again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fast_track_raised_again(
        &self,
        tx: &mut PgTransaction<'_>,
        (force, call): (&ForceId, CallId),
        id: FastTrackId,
        (times, at): (u32, DateTime<Utc>),
    ) -> Result<(), Error> {
        self.heard_of_fast_track(tx, force, call, |session| session.unit_asked_again(id, times, at)).await
    }

    /// Somebody in the control room took it on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fast_track_taken(
        &self,
        tx: &mut PgTransaction<'_>,
        (force, call): (&ForceId, CallId),
        id: FastTrackId,
        taken: Taken,
    ) -> Result<(), Error> {
        self.heard_of_fast_track(tx, force, call, |session| session.unit_sent(id, taken)).await
    }

    /// So many lines of the ledger are written of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fast_track_noted(&self, id: FastTrackId, lines: usize) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        store::save_noted(&mut tx, id, lines).await?;
        Ok(tx.commit().await?)
    }

    async fn heard_of_fast_track(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        change: impl FnOnce(Session) -> Session,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let Some(mut stored) = store::lock_by_call(tx, force, call).await? else { return Ok(()) };
        stored.session = change(stored.session);
        self.save(tx, &stored, &[], now).await
    }
}
