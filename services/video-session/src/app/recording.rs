//! Whether the call is recorded, as the rows have it. The media core has carried it out by then, or is about to.

use api::session::v1::{SetRecordingRequest, SetRecordingResponse};
use ids::{CallId, ForceId, SessionId};
use outbox::{Scope, replay};
use sqlx::PgTransaction;
use tracing::Instrument;

use super::{App, Leave, Order, span};
use crate::{
    domain::{EndReason, RecordOrder, Recording, Said},
    error::Error,
    events::recording_number,
    store,
};

impl App {
    /// May this be ordered? Changes nothing.
    ///
    /// # Errors
    /// Not the officer's call, no such session, an ended one, or recorded against the caller's will.
    pub async fn may_record(
        &self,
        order: &Order<SetRecordingRequest>,
        what: RecordOrder,
    ) -> Result<Leave<SetRecordingResponse>, Error> {
        // Never committed: the request is claimed by whoever carries it out.
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "SetRecording", &order.message).await? {
            return Ok(Leave::Answered(first));
        }
        let found = store::find_by_call(&mut tx, &order.force, order.call).await?;
        let session = found.ok_or(Error::UnknownSession)?.session;
        session.commanded_by(&order.officer)?;
        session.clone().record(what)?;
        tx.rollback().await?;
        // Another instance's media core hears of a stop, and of nothing else.
        if what != RecordOrder::Stop && self.claim(session.id).await?.is_some() {
            return Err(Error::NotOwner);
        }
        Ok(Leave::Given(session.id))
    }

    /// Writes down what was ordered.
    ///
    /// # Errors
    /// As [`App::may_record`].
    pub async fn set_recording(
        &self,
        order: &Order<SetRecordingRequest>,
        what: RecordOrder,
    ) -> Result<SetRecordingResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "SetRecording", &order.message).await? {
            return Ok(first);
        }
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "set_recording");
        async {
            let (session, facts) = stored.session.record(what)?;
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            let answer = answer(stored.session.recorded());
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// The caller has told the control room what they agree to. The closer has the media core carry it out. Of a call that has no session
    /// yet it is kept until that is made: what the call is accepted with may be older.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consented(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        call: CallId,
        said: Said,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        store::lock_consents(tx, call).await?;
        let Some(mut stored) = store::lock_by_call(tx, force, call).await? else {
            return Ok(store::insert_early_consent(tx, force, call, said, now).await?);
        };
        let (session, facts) = stored.session.consented(said.consents, now);
        stored.session = session;
        self.save(tx, &stored, &facts, now).await
    }

    /// What was said about calls that nobody has accepted for too long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_stale_consents(&self) -> Result<(), Error> {
        let mut tx = self.begin(Scope::All).await?;
        store::delete_stale_early_consents(&mut tx, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// The call left the queue without an officer: there will be no session to heed what was said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn let_go(&self, tx: &mut PgTransaction<'_>, force: &ForceId, call: CallId) -> Result<(), Error> {
        Ok(store::delete_early_consents(tx, force, call).await?)
    }

    /// The desk gives the call back: if there is a session it ends, and if not there will be none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn given_back(&self, tx: &mut PgTransaction<'_>, force: &ForceId, call: CallId) -> Result<(), Error> {
        let now = self.clock.now();
        store::lock_consents(tx, call).await?;
        let Some(mut stored) = store::lock_by_call(tx, force, call).await? else {
            return self.let_go(tx, force, call).await;
        };
        stored.session = stored.session.end(EndReason::Returned, now).0;
        self.save(tx, &stored, &[], now).await
    }

    /// The media core has carried out an order, whoever wrote it down or couldn't. What the rows know already is without effect, and
    /// so is what comes after the session's end. Of a session that another instance carries by now only a stop is of consequence: false if
    /// it was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recording_changed(&self, id: SessionId, what: RecordOrder) -> Result<bool, Error> {
        let is_open = self.look(id).await?.session.ending().is_none();
        if what != RecordOrder::Stop && is_open && self.claim(id).await?.is_some() {
            return Ok(false);
        }
        let now = self.clock.now();
        let mut tx = self.begin_in_passing().await?;
        let mut stored = self.lock(&mut tx, id).await?;
        let span = span(&stored, "recording_changed");
        async {
            let Ok((session, facts)) = stored.session.clone().record(what) else { return Ok(true) };
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            tx.commit().await?;
            Ok(true)
        }
        .instrument(span)
        .await
    }
}

/// How the recording stands, for the officer.
#[must_use]
pub fn answer(recording: Recording) -> SetRecordingResponse {
    SetRecordingResponse { state: recording_number(recording) }
}
