//! What a sergeant should look into, and that they have.

use api::transfer::v1::{AcknowledgeAlertRequest, AcknowledgeAlertResponse};
use ids::{CallId, FastTrackId, ForceId};
use outbox::Scope;
use sqlx::PgTransaction;

use super::{Answer, App, Once};
use crate::{
    domain::{Alert, AlertKind},
    error::Error,
    store,
};

impl App {
    /// The control room has not taken a fast-track on in time. Each time is heard of once, and counts: the numbers that
    /// the control room gives begin anew with every fast-track of a call.
    pub async fn fast_track_escalated(
        &self,
        tx: &mut PgTransaction<'_>,
        (force, call): (&ForceId, CallId),
        fast_track: FastTrackId,
        alert: &Alert,
    ) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        if store::call(tx, force, call).await?.is_none() {
            tracing::warn!(%call, "a fast-track was raised again whose call never came here");
            return Ok(());
        }
        store::raise(tx, (force, call), alert, now).await?;
        store::keep_fast_track(tx, call, fast_track).await?;
        store::notify(tx, force).await
    }

    /// The control room has taken a fast-track on: of this one a sergeant need know no more.
    pub async fn fast_track_acknowledged(
        &self,
        tx: &mut PgTransaction<'_>,
        (force, call): (&ForceId, CallId),
        fast_track: FastTrackId,
    ) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        if store::close_fast_track(tx, (force, call), fast_track).await? {
            store::notify(tx, force).await?;
        }
        Ok(())
    }

    /// A sergeant knows of an alert, as often as they have seen it raised.
    pub async fn acknowledge_alert(
        &self,
        once: Once<'_, AcknowledgeAlertRequest>,
        answer: &Answer,
        (kind, seen): (AlertKind, u32),
    ) -> Result<AcknowledgeAlertResponse, Error> {
        let Answer { force, officer, call } = answer;
        let mut tx = store::begin(&self.pool, "acknowledge_alert", Scope::Force(force)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "AcknowledgeAlert", once.request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        if !store::acknowledge(&mut tx, (force, *call), (kind, seen), officer, now).await? {
            return Err(Error::UnknownAlert);
        }
        store::notify(&mut tx, force).await?;
        let response = AcknowledgeAlertResponse {};
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }
}
